"""What a door heard and until when, so that what it reads after a gap has its effect once.

Knows no platform: a door says what stands on a message, and is told what of it still asks for
something.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from staffbot.desk import pulse
from staffbot.desk.acts import note, unknown
from staffbot.desk.ledger import Tx, find
from staffbot.desk.posted import of_ref
from staffbot.model import Status
from staffbot.seams import Mark

# In which states of a mention a mark on its card still asks for what it is a sign of.
_WAITS = {
    "claim": frozenset({Status.OPEN}),
    "done": frozenset({Status.OPEN, Status.CLAIMED}),
}
_AT_ONCE = 500


def last_heard(tx: Tx, platform: str) -> datetime | None:
    """Until when that platform was heard; None where it never was."""
    found = pulse.fact(tx, f"heard:{platform}")
    return None if found is None else datetime.fromisoformat(found[0])


def heard(tx: Tx, platform: str, at: datetime) -> None:
    """That platform was heard until then, and nothing of it is left to be read."""
    pulse.keep(tx, f"heard:{platform}", at.isoformat())


def unheard(tx: Tx, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks that were never heard of, on cards that still wait for what they say.

    Any other one on a card counts as heard from now on: it was given too late, and if the mention is
    opened again, nobody means it any more.
    """
    found: list[Mark] = []
    for mark in _unknown(tx, marks):
        number = of_ref(tx, mark.on)
        mention = find(tx, number) if number is not None else None
        if mention is None:
            continue
        if mention.status in _WAITS.get(mark.verb, ()):
            found.append(mark)
        else:
            noted(tx, (mark,))
    return tuple(found)


def noted(tx: Tx, marks: Sequence[Mark]) -> None:
    """These count as heard."""
    for mark in _unknown(tx, marks):
        note(tx, mark.on.room.platform, mark.act)


def _unknown(tx: Tx, marks: Sequence[Mark]) -> list[Mark]:
    left = iter(marks)
    found: list[Mark] = []
    while some := list(islice(left, _AT_ONCE)):
        for platform in {mark.on.room.platform for mark in some}:
            here = [mark for mark in some if mark.on.room.platform == platform]
            new = unknown(tx, platform, [mark.act for mark in here])
            found += [mark for mark in here if mark.act in new]
    return found

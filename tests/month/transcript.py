"""One day of the month as people saw it: the channel, and one person's direct messages.

A patron's words are replaced, although they were invented: an example needs none.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from staffbot.messages import Message, Row, plain
from staffbot.model import Room
from tests.month.watching import Seen
from tests.month.world import CHANNEL, ZONE

DAY = date(2026, 3, 4)
PERSON = "ana"
FILE = Path(__file__).parents[2] / "docs" / "example-day.md"

_HEAD = """# A day with staffbot

This is {day:%A}, {day.day} {day:%B} {day:%Y}, of a simulated month in an invented library: six staff,
a manager, a deputy, two thousand mentions. A test runs that month through the whole program and
holds this page to it. Patrons' words are left out; cards are shown as they came in, not each time
they changed.
"""


def transcript(seen: list[Seen]) -> str:
    """The page for docs/."""
    letters = Room(platform="fake", id=f"direct:{PERSON}")
    today = [one for one in seen if one.at.astimezone(ZONE).date() == DAY]
    parts = [_HEAD.format(day=DAY), "## In the team's channel\n"]
    parts += [_said(one) for one in today if one.room == CHANNEL and _is_shown(one)]
    parts.append(f"\n## {PERSON.capitalize()}'s direct messages\n")
    parts += [_said(one) for one in today if one.room == letters]
    return "\n".join(parts) + "\n"


def _is_shown(seen: Seen) -> bool:
    return not (seen.edit and seen.kind in ("card", "storm"))


def _said(seen: Seen) -> str:
    at = f"{seen.at.astimezone(ZONE):%H:%M}"
    how = ", edited" if seen.edit else ", silently" if seen.message.silent else ""
    head = f"- **{at}**{how}: {seen.message.text}"
    if seen.kind == "card" or (seen.edit and seen.kind == "digest"):
        return head
    return "\n".join((head, *(f"  - {line}" for line in _lines(seen.message))))


def _lines(message: Message) -> list[str]:
    """What stands below the first sentence, and the buttons."""
    lines = message.plain().splitlines()[1:]
    rows = {plain(part.line): part for part in message.parts if isinstance(part, Row)}
    shown = [
        f"{line}{_buttons(rows[line].controls)}" if line in rows else line.removeprefix("- ")
        for line in lines
    ]
    below = _buttons(message.controls).strip()
    return [*shown, below] if below else shown


def _buttons(controls: tuple[object, ...]) -> str:
    return "".join(f" `{getattr(control, 'label', '')}`" for control in controls)

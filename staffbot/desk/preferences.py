"""What a person sets for themselves: how they are nagged, on which platform, and when not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any

from sqlalchemy import select, update

from staffbot.desk.ledger import Tx, typed
from staffbot.errors import Refused
from staffbot.model import Answer, Done, Person
from staffbot.tables import people

LONGEST_SIGNATURE = 60
_QUIET = "settings quiet 12:00-13:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How one person wants it. Quiet hours are local times like 12:00, or empty."""

    nags_by: str
    preferred_platform: str
    quiet_from: str
    quiet_until: str
    signature: str


def preferences(tx: Tx, person: Person) -> Preferences:
    row = tx.conn.execute(select(people).where(people.c.key == person.key)).one()
    return Preferences(
        nags_by=row.nags_by, preferred_platform=row.preferred_platform,
        quiet_from=row.quiet_from, quiet_until=row.quiet_until,
        signature=row.signature,
    )  # fmt: skip


def nag_by(tx: Tx, person: Person, way: str) -> Answer:
    """Nags by direct message or in the channel."""
    if way not in ("direct", "channel"):
        raise Refused(
            f"“{way[:40]}” is no way to be reminded. They are {typed(tx, 'settings nags direct')} "
            f"and {typed(tx, 'settings nags channel')}."
        )
    _set(tx, person, nags_by=way)
    told = "by direct message" if way == "direct" else "in the channel"
    return Done(mention=None, said=f"You are reminded {told} from now on.")


def prefer(tx: Tx, person: Person, platform: str) -> Answer:
    """Which platform direct messages come on."""
    if platform not in person.ids:
        known = ", ".join(sorted(person.ids)) or "none"
        raise Refused(
            f"You are not known on “{platform[:40]}”. You are known on: {known}. "
            "Whoever looks after staffbot adds your id of another one under [[staff]]."
        )
    _set(tx, person, preferred_platform=platform)
    return Done(mention=None, said=f"Direct messages come on {platform} from now on.")


def be_quiet(tx: Tx, person: Person, start: str, end: str) -> Answer:
    """Daily quiet hours in the library's local time; both empty: none."""
    if not start and not end:
        _set(tx, person, quiet_from="", quiet_until="")
        return Done(mention=None, said="You have no quiet hours any more.")
    begins, ends = _clock_time(tx, start), _clock_time(tx, end)
    if begins == ends:
        raise Refused(f"Quiet hours need a beginning and another end: {typed(tx, _QUIET)}.")
    _set(tx, person, quiet_from=begins, quiet_until=ends)
    return Done(mention=None, said=f"Nobody reminds you between {begins} and {ends}.")


def sign(tx: Tx, person: Person, name: str) -> Answer:
    """The name that stands under one's answers to patrons; empty: none. People answer people."""
    if person.shared:
        raise Refused("A desk that several people share signs with no name.")
    signature = " ".join(name.split())
    if len(signature) > LONGEST_SIGNATURE:
        raise Refused(
            f"A signature has {LONGEST_SIGNATURE} characters at most: "
            f"{typed(tx, 'settings sign Ana')}."
        )
    _set(tx, person, signature=signature)
    if not signature:
        return Done(mention=None, said="Your answers are not signed any more.")
    return Done(mention=None, said=f"Your answers to patrons are signed “{signature}”.")


def _clock_time(tx: Tx, text: str) -> str:
    try:
        return time.fromisoformat(text.strip().zfill(5)).strftime("%H:%M")
    except ValueError:
        raise Refused(
            f"“{text[:40]}” is no time of day. Type {typed(tx, _QUIET)}, "
            f"or {typed(tx, 'settings quiet off')}."
        ) from None


def _set(tx: Tx, person: Person, **values: Any) -> None:
    tx.conn.execute(update(people).where(people.c.key == person.key).values(**values))

"""Authors who are not shown for a while: their new posts get no card and no clock.

What they write is stored, counted and listed in the queue all the same; nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from staffbot.desk.ledger import Tx, enact, find, record_for_team, to_change, typed
from staffbot.desk.people import name_of
from staffbot.desk.reading import network_of
from staffbot.errors import Refused
from staffbot.model import Answer, Done, Happened, Patron, Person, Unchanged
from staffbot.tables import mentions, mutes, patrons
from staffbot.times import days_later
from staffbot.words import moment

USUAL_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Muted:
    """One author who is muted, by whom, and how many posts of theirs came since."""

    patron: Patron
    network: str
    until: datetime
    by: str
    since: int


def mute(tx: Tx, person: Person, author: str | int, until: datetime | None) -> Answer:
    """Mute the author of a mention, or whoever has that name on a network, until then."""
    zone = tx.settings.teams[0].hours.zone
    ends = until or days_later(tx.now, USUAL_DAYS, zone)
    if ends <= tx.now:
        raise Refused(f"That is over already. Say until when: {typed(tx, 'mute 42 for 7d')}.")
    hashes = _hashes(tx, author)
    for patron in hashes:
        tx.conn.execute(delete(mutes).where(mutes.c.patron_hash == patron))
        tx.conn.execute(
            insert(mutes).values(patron_hash=patron, until=ends, person=person.key, made_at=tx.now)
        )
    _note(tx, person, author, Happened.MUTED, ends)
    said = moment(ends, zone)
    return Done(
        mention=author if isinstance(author, int) else None,
        said=f"{_who(author)} is muted until {said}: new posts come without a card. "
        f"{typed(tx, 'mute')} lists who is.",
    )


def unmute(tx: Tx, person: Person, author: str | int) -> Answer:
    """Show new posts of this author again."""
    number = author if isinstance(author, int) else None
    done = tx.conn.execute(
        delete(mutes).where(mutes.c.patron_hash.in_(_hashes(tx, author)), mutes.c.until > tx.now)
    )
    if not done.rowcount:
        return Unchanged(mention=number, said=f"{_who(author)} is not muted.")
    _note(tx, person, author, Happened.UNMUTED)
    return Done(mention=number, said=f"{_who(author)} is not muted any more.")


def _note(
    tx: Tx, person: Person, author: str | int, what: Happened, until: datetime | None = None
) -> None:
    detail: dict[str, Any] = {"until": until.isoformat()} if until else {}
    if isinstance(author, int):
        enact(tx, to_change(tx, author), what, person, {}, **detail)
    else:
        record_for_team(tx, what, tx.settings.teams[0].key, person=person, **detail)


def _who(author: str | int) -> str:
    """In our words: a name that somebody gave themselves stands in no sentence of ours."""
    return f"The author of {author}" if isinstance(author, int) else "That author"


def _hashes(tx: Tx, author: str | int) -> list[str]:
    """Under which hashes an author is known, on every network. Raises Refused where nobody is."""
    if isinstance(author, int):
        if find(tx, author) is None:
            raise Refused(f"There is no mention {author}. {typed(tx, 'queue')} lists what is open.")
        query = select(mentions.c.patron_hash).where(mentions.c.number == author)
    else:
        bare = author.strip().removeprefix("@").casefold()
        query = select(patrons.c.patron_hash).where(
            func.lower(patrons.c.handle).in_((bare, f"@{bare}"))
        )
    found = sorted(one for one in tx.conn.scalars(query) if one)
    if not found:
        raise Refused(
            "Nobody of that name has written. Give the name as the card shows it, with its @, "
            f"or the number of a mention: {typed(tx, 'mute 42 for 7d')}, {typed(tx, 'unmute 42')}."
        )
    return found


def muted(tx: Tx) -> tuple[Muted, ...]:
    """Who is muted now, the first to be heard again first."""
    since = (
        select(func.count())
        .select_from(mentions)
        .where(mentions.c.patron_hash == mutes.c.patron_hash)
        .where(mentions.c.muted.is_(True), mentions.c.received_at >= mutes.c.made_at)
        .scalar_subquery()
    )
    rows = tx.conn.execute(
        select(mutes, patrons, since.label("many"))
        .join(patrons, patrons.c.patron_hash == mutes.c.patron_hash)
        .where(mutes.c.until > tx.now)
        .order_by(mutes.c.until, patrons.c.id)
    )
    return tuple(
        Muted(
            patron=Patron(name=row.name, handle=row.handle, url=row.url),
            network=network_of(tx, row.source), until=row.until,
            by=name_of(tx, row.person), since=row.many,
        )
        for row in rows
    )  # fmt: skip


def among(tx: Tx, hashes: Collection[str]) -> frozenset[str]:
    """Which of these authors are muted now."""
    found = tx.conn.scalars(
        select(mutes.c.patron_hash).where(
            mutes.c.patron_hash.in_(sorted(hashes)), mutes.c.until > tx.now
        )
    )
    return frozenset(found)

"""What has to be true of the data at all times, asked of the database. Mends nothing.

Each law is a query for what breaks it, so an empty answer is good. A finding names numbers and
keys, never a patron's word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select

from staffbot.desk.ledger import Tx
from staffbot.model import Happened, Status
from staffbot.tables import (
    arrivals,
    counters,
    digests,
    events,
    mentions,
    nags,
    posts,
    replies,
    sources,
    storms,
    words,
)  # fmt: skip

# Enough to look into it; a thousand of the same kind help nobody.
_MOST = 10
# Keys, enums and moments are short, and have no space within.
_REFERENCE = re.compile(r"[^\s]{0,120}")
_OUR_SENTENCES = frozenset({"said", "reason"})
# What a source may have been given in desk time that is ahead of the clock, where it was set back.
_LEEWAY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A law that does not hold, and examples of where."""

    law: str
    where: tuple[str, ...]


def broken(tx: Tx) -> tuple[Broken, ...]:
    """Every law that does not hold."""
    found = []
    for law, query in LAWS.items():
        where = tuple(example for example, _ in zip(query(tx), range(_MOST), strict=False))
        if where:
            found.append(Broken(law=law, where=where))
    return tuple(found)


def _unreceived(tx: Tx) -> Iterator[str]:
    received = exists().where(
        events.c.mention == mentions.c.number, events.c.what == Happened.RECEIVED
    )
    return _numbers(tx, select(mentions.c.number).where(~received))


def _unshown(tx: Tx) -> Iterator[str]:
    """Mentions of a team with rooms that have neither a card nor a storm that shows them."""
    with_rooms = [
        team.key for team in tx.settings.teams if any(not room.figures_only for room in team.rooms)
    ]
    card = exists().where(posts.c.mention == mentions.c.number, posts.c.kind == "card")
    query = (
        select(mentions.c.number)
        .where(mentions.c.storm.is_(None), mentions.c.muted.is_(False), ~card)
        .where(mentions.c.team.in_(with_rooms))
    )  # fmt: skip
    return _numbers(tx, query)


def _replied(tx: Tx) -> Iterator[str]:
    """Answers that went out and are not in the history once, or that are but did not go out."""
    told: Counter[tuple[int, int]] = Counter()
    query = select(events.c.mention, events.c.detail).where(
        events.c.what.in_((Happened.ANSWERED, Happened.REPLIED))
    )
    for row in tx.conn.execute(query):
        if "reply" in row.detail:
            told[row.mention, row.detail["reply"]] += 1
    for one in tx.conn.execute(select(replies.c.mention, replies.c.place, replies.c.state)):
        if told[one.mention, one.place] != (one.state == "sent"):
            yield f"answer {one.place} to mention {one.mention}"


def _twice_in_a_room(tx: Tx) -> Iterator[str]:
    rows = tx.conn.execute(
        select(posts.c.mention, posts.c.room)
        .where(posts.c.kind == "card", posts.c.state.notin_(("dropped", "parked")))
        .group_by(posts.c.mention, posts.c.platform, posts.c.room)
        .having(func.count() > 1)
    )
    return (f"mention {row.mention} in {row.room}" for row in rows)


def _numbering(tx: Tx) -> Iterator[str]:
    count, highest = tx.conn.execute(
        select(func.count(), func.coalesce(func.max(mentions.c.number), 0))
    ).one()
    counter = tx.conn.execute(select(counters.c.value).where(counters.c.name == "mention")).scalar()
    if count != highest or (counter or 0) != highest:
        yield f"{count} mentions, highest number {highest}, counter {counter or 0}"


def _arrivals(tx: Tx) -> Iterator[str]:
    arrived = exists().where(arrivals.c.mention == mentions.c.number, arrivals.c.part == 0)
    return _numbers(tx, select(mentions.c.number).where(~arrived))


def _states(tx: Tx) -> Iterator[str]:
    """Status, owner and outcome that cannot stand together."""
    status = mentions.c.status
    wrong = or_(
        and_(status == Status.CLAIMED, mentions.c.owner.is_(None)),
        and_(status == Status.OPEN, mentions.c.owner.is_not(None)),
        and_(status == Status.CLOSED, mentions.c.outcome.is_(None)),
        and_(status != Status.CLOSED, mentions.c.outcome.is_not(None)),
    )
    return _numbers(tx, select(mentions.c.number).where(wrong))


def _folds(tx: Tx) -> Iterator[str]:
    """A mention whose status or owner is not what its events add up to."""
    rows = tx.conn.execute(
        select(
            events.c.mention, events.c.what, events.c.detail, mentions.c.status, mentions.c.owner
        )
        .join(mentions, mentions.c.number == events.c.mention)
        .where(events.c.undone_by.is_(None), events.c.what != Happened.UNDONE)
        .order_by(events.c.mention, events.c.id)
        .execution_options(yield_per=1000)
    )  # fmt: skip
    for number, story in groupby(rows, key=lambda row: row.mention):
        status, owner = Status.OPEN, None
        kept: tuple[str, str | None] = (status, owner)
        for row in story:
            status, owner = _after(row.what, row.detail, status, owner)
            kept = (row.status, row.owner)
        if kept != (status, owner):
            yield f"mention {number} is {_named(*kept)}, its events say {_named(status, owner)}"


def _after(
    what: str, detail: dict[str, Any], status: Status, owner: str | None
) -> tuple[Status, str | None]:
    if what == Happened.CLOSED:
        return Status.CLOSED, None
    if detail.get("to"):
        return Status.CLAIMED, str(detail["to"])
    # What it touched besides: released, given back, moved to another team, opened again.
    if {"status", "owner"} & set(detail.get("before", ())):
        return Status.OPEN, None
    return status, owner


def _named(status: str, owner: str | None) -> str:
    return f"{status} by {owner}" if owner else str(status)


def _cursors(tx: Tx) -> Iterator[str]:
    """A cursor of a source that was never read, or a read that is still to come."""
    rows = tx.conn.execute(
        select(sources.c.name).where(
            or_(
                and_(sources.c.cursor.is_not(None), sources.c.first_run_at.is_(None)),
                sources.c.ok_at > tx.real_now + _LEEWAY,
            )
        )
    )
    return (row.name for row in rows)


def _nags(tx: Tx) -> Iterator[str]:
    """A reminder of a cycle that the mention never had."""
    rows = tx.conn.execute(
        select(nags.c.mention, nags.c.cycle)
        .join(mentions, mentions.c.number == nags.c.mention)
        .where(nags.c.cycle > mentions.c.cycle)
    )
    return (f"mention {row.mention}, cycle {row.cycle}" for row in rows)


def _stale(tx: Tx) -> Iterator[str]:
    """A card that wants a revision its mention does not have, or is done and shows an old one."""
    ahead = posts.c.wanted > mentions.c.revision
    forgotten = and_(
        posts.c.state == "sent", posts.c.pending == 0, posts.c.shown < mentions.c.revision
    )
    rows = tx.conn.execute(
        select(posts.c.key)
        .join(mentions, mentions.c.number == posts.c.mention)
        .where(posts.c.kind == "card", or_(ahead, forgotten))
    )
    return (row.key for row in rows)


def _unsaid(tx: Tx) -> Iterator[str]:
    """A sent post without a reference: nobody could find it again."""
    rows = tx.conn.execute(select(posts.c.key).where(posts.c.state == "sent", posts.c.ref_id == ""))
    return (row.key for row in rows)


def _digests(tx: Tx) -> Iterator[str]:
    rows = tx.conn.execute(
        select(digests.c.team, digests.c.room, digests.c.day)
        .where(digests.c.missed, digests.c.post.is_not(None))
    )  # fmt: skip
    return (f"{row.team}, {row.room}, {row.day}" for row in rows)


def _storms(tx: Tx) -> Iterator[str]:
    shown = exists().where(posts.c.kind == "storm")
    rows = tx.conn.execute(select(storms.c.id).where(~shown))
    return (f"storm {row.id}" for row in rows)


def _wordless(tx: Tx) -> Iterator[str]:
    """A mention without its words: they are blanked by a deletion, never taken away."""
    kept = exists().where(words.c.mention == mentions.c.number, words.c.part == 0)
    return _numbers(tx, select(mentions.c.number).where(mentions.c.deleted_at.is_(None), ~kept))


def _references(tx: Tx) -> Iterator[str]:
    """Text in events and posts that is no reference, and so might be a patron's."""
    for row in tx.conn.execute(select(events.c.id, events.c.detail)):
        if not _refers(row.detail):
            yield f"event {row.id}"
    for row in tx.conn.execute(select(posts.c.key, posts.c.detail)):
        if not _refers(row.detail):
            yield f"post {row.key}"


def _refers(value: object) -> bool:
    match value:
        case dict():
            return all(_refers(part) for key, part in value.items() if key not in _OUR_SENTENCES)
        case list():
            return all(_refers(part) for part in value)
        case str():
            return _REFERENCE.fullmatch(value) is not None
        case _:
            return True


def _numbers(tx: Tx, query: Select[Any]) -> Iterator[str]:
    rows = tx.conn.execute(query.limit(_MOST))
    return (f"mention {row.number}" for row in rows)


LAWS: dict[str, Callable[[Tx], Iterator[str]]] = {
    "numbers are without gaps": _numbering,
    "every mention has arrived once": _arrivals,
    "every mention has its received event": _unreceived,
    "every mention keeps its words until they are deleted at the source": _wordless,
    "every mention is shown by a card or a storm": _unshown,
    "every answer from chat that went out is in the history once": _replied,
    "at most one card a mention and room": _twice_in_a_room,
    "every storm has a card": _storms,
    "a card shows its mention's newest revision, or is on its way to": _stale,
    "status, owner and outcome fit each other": _states,
    "status and owner are what the events add up to": _folds,
    "no cursor is ahead of what was stored": _cursors,
    "no reminder is of a cycle that never was": _nags,
    "every sent post can be found again": _unsaid,
    "a missed digest was not sent": _digests,
    "events and posts hold references only": _references,
}

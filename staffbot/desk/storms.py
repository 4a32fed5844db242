"""Storms: many mentions of a team in a short while become one live card until it calms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from staffbot.desk.claims import give
from staffbot.desk.closing import close
from staffbot.desk.ledger import Tx, mention_of
from staffbot.desk.mailroom import restate, want
from staffbot.desk.showing import manner, rooms
from staffbot.model import Answer, Done, Happened, Mention, Outcome, Person, Status, Unchanged
from staffbot.policy import storm_begins, storm_is_over
from staffbot.tables import mentions, storms

_AT_ONCE = 5
# Asked at every arrival, so they are built once.
_RAGING = select(storms).where(storms.c.team == bindparam("of"), storms.c.calmed_at.is_(None))
_RECENT = (
    select(mentions.c.number)
    .where(mentions.c.team == bindparam("of"), mentions.c.storm.is_(None))
    .where(mentions.c.received_at > bindparam("after"))
    .limit(bindparam("most"))
)


def weather(tx: Tx, team: str, coming: int) -> int | None:
    """The storm that `coming` new mentions of a team belong to; None in calm weather.

    The mention that is one too many begins it, and those before it are counted in.
    """
    raging = tx.conn.execute(_RAGING, {"of": team}).first()
    if raging is not None and not storm_is_over(raging.last_at, tx.settings.storm, tx.now):
        return _grow(tx, raging.id, coming)
    recent = _recent(tx, team)
    if not storm_begins(len(recent) + coming, tx.settings.storm):
        return None
    if raging is not None:
        calm(tx)
    number: int = tx.conn.execute(
        insert(storms)
        .values(team=team, began_at=tx.now, last_at=tx.now, mentions=len(recent) + coming)
        .returning(storms.c.id)
    ).scalar_one()
    tx.conn.execute(update(mentions).where(mentions.c.number.in_(recent)).values(storm=number))
    return number


def _grow(tx: Tx, storm: int, coming: int) -> int:
    tx.conn.execute(
        update(storms)
        .where(storms.c.id == storm)
        .values(last_at=tx.now, mentions=storms.c.mentions + coming)
    )
    return storm


def _recent(tx: Tx, team: str) -> Sequence[int]:
    storm = tx.settings.storm
    asked = {"of": team, "after": tx.now - storm.within, "most": storm.mentions + 1}
    return [row.number for row in tx.conn.execute(_RECENT, asked)]


def show(tx: Tx, storm: int) -> None:
    """Want the live card of a storm in every room of its team, at its newest state."""
    team_key = tx.conn.execute(select(storms.c.team).where(storms.c.id == storm)).scalar_one()
    team = tx.team(team_key)
    silent, not_before = manner(tx, team)
    for room in rooms(team):
        key = f"storm:{storm}:{room}"
        new = want(
            tx, key=key, kind="storm", room=room, platform=room.platform, team=team_key,
            detail={"storm": storm}, silent=silent, not_before=not_before,
        )  # fmt: skip
        if new is None:
            restate(tx, key)


def calm(tx: Tx) -> int:
    """End every storm in which nothing came for a while. Returns how many."""
    raging = tx.conn.execute(select(storms).where(storms.c.calmed_at.is_(None))).all()
    over = [s.id for s in raging if storm_is_over(s.last_at, tx.settings.storm, tx.now)]
    for storm in over:
        tx.conn.execute(update(storms).where(storms.c.id == storm).values(calmed_at=tx.now))
        show(tx, storm)
    return len(over)


def take_next(tx: Tx, storm: int, person: Person, count: int = _AT_ONCE) -> Answer:
    """Claim the next open mentions of a storm, the oldest first; each gets a card of its own."""
    taken = _open(tx, storm, count)
    if not taken:
        return Unchanged(mention=None, said="Everything in this storm is taken or closed.")
    events = [give(tx, mention, person, Happened.CLAIMED, by=person) for mention in taken]
    numbers = ", ".join(str(mention.number) for mention in taken)
    return Done(mention=taken[0].number, said=f"Yours now: {numbers}.", event=events[0])


def close_all(tx: Tx, storm: int, person: Person, outcome: Outcome) -> Answer:
    """Close every open mention of a storm that nobody has."""
    left = _open(tx, storm, None)
    if not left:
        return Unchanged(mention=None, said="Nothing in this storm is open any more.")
    first: Any = None
    for mention in left:
        done = close(tx, mention.number, person, outcome=outcome)
        if first is None and isinstance(done, Done):
            first = done.event
    said = f"{len(left)} closed."
    return Done(mention=left[0].number, said=said, event=first)


def _open(tx: Tx, storm: int, count: int | None) -> list[Mention]:
    query = (
        select(mentions)
        .where(mentions.c.storm == storm, mentions.c.status == Status.OPEN)
        .order_by(mentions.c.number)
        .with_for_update()
    )
    rows = tx.conn.execute(query.limit(count) if count else query)
    return [mention_of(row) for row in rows]


def tally(tx: Tx, storm: int) -> dict[Status, int]:
    """How many mentions of a storm are open, claimed, closed."""
    rows = tx.conn.execute(
        select(mentions.c.status, func.count())
        .where(mentions.c.storm == storm)
        .group_by(mentions.c.status)
    )
    found = {Status(status): count for status, count in rows}
    return {status: found.get(status, 0) for status in Status}

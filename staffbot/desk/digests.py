"""The daily digest: once per team, room and local open day, a while after the first opening.

What is due is a row of `digests`, unique on team, room and day and committed with the post, so two
rings or a kill between them make one digest. Too late on the same day, it is marked missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects import postgresql, sqlite

from staffbot.desk import pulse
from staffbot.desk.digest_contents import facts_of, needs_now, numbers_of, states
from staffbot.desk.ledger import Tx, record_for_team
from staffbot.desk.mailroom import say_now, want
from staffbot.digest import digest
from staffbot.digest_days import day_before, days_due
from staffbot.messages import Message
from staffbot.model import Happened, Room
from staffbot.settings import Team
from staffbot.tables import digests, posts

# Days that went by while the program was down are marked as missed; longer ago nobody asks.
_LOOK_BACK = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A digest of a room that is due now (or too late by now)."""

    team: Team
    room: Room
    figures_only: bool
    day: date
    at: datetime
    missed: bool


def ring(tx: Tx) -> int:
    """Want every digest that is due and was not wanted yet, and bring today's up to date.

    Returns how many were wanted.
    """
    _note_unsent(tx)
    made = sum(_make(tx, due) for due in due_now(tx))
    _refresh(tx)
    return made


def due_now(tx: Tx) -> list[Due]:
    """The digests whose moment came and that were not made: of today, or missed while down.

    What was due before the program first ran here is nobody's: a library that begins at noon is
    not told in the afternoon that nothing came in.
    """
    found = []
    began_at = pulse.began_at(tx)
    for team in tx.settings.teams:
        hours = tx.hours(team.key)
        for known in team.rooms if team.digest.enabled else ():
            days = _days(tx, team, known.room)
            found += [
                Due(
                    team=team, room=known.room, figures_only=known.figures_only, day=day, at=at,
                    missed=missed,
                )
                for day, at, missed in days_due(hours, team.digest, days, tx.now)
                if began_at is None or at >= began_at
            ]  # fmt: skip
    return found


def _days(tx: Tx, team: Team, room: Room) -> dict[date, bool]:
    since = tx.hours(team.key).local(tx.now).date() - _LOOK_BACK
    rows = tx.conn.execute(
        select(digests.c.day, digests.c.missed)
        .where(digests.c.team == team.key, digests.c.room == str(room))
        .where(digests.c.day >= since)
    )
    return {row.day: row.missed for row in rows}


def _make(tx: Tx, due: Due) -> bool:
    """One digest, unless somebody made it. The row of `digests` is what decides."""
    since = _since(tx, due)
    if not _is_mine(tx, due) or due.missed:
        return False
    needs = states(tx, numbers_of(tx, needs_now(tx, due.team)))
    facts = facts_of(
        tx, due.team, since=since, until=tx.now, needs=needs, figures_only=due.figures_only
    )
    if facts.nothing and due.team.digest.when_nothing == "none":
        return False
    post = want(
        tx, key=f"digest:{due.team.key}:{due.day}:{due.room}", kind="digest", room=due.room,
        platform=due.room.platform, team=due.team.key,
        detail={
            "since": since.isoformat(), "until": tx.now.isoformat(),
            "figures_only": due.figures_only, "day": due.day.isoformat(),
            "needs": needs, "states": needs,
        },
    )  # fmt: skip
    tx.conn.execute(digests.update().where(_row(due)).values(post=post))
    record_for_team(tx, Happened.DIGESTED, due.team.key, day=due.day.isoformat())
    return True


def _is_mine(tx: Tx, due: Due) -> bool:
    """Take this digest: by its row, or by a row that says missed although it is still on time."""
    dialect = sqlite if tx.conn.dialect.name == "sqlite" else postgresql
    made = tx.conn.execute(
        dialect.insert(digests)
        .values(team=due.team.key, room=str(due.room), day=due.day, at=tx.now, missed=due.missed)
        .on_conflict_do_nothing()
        .returning(digests.c.day)
    ).one_or_none()
    if made is not None or due.missed:
        return made is not None
    again = tx.conn.execute(
        digests.update()
        .where(_row(due), digests.c.missed, digests.c.post.is_(None))
        .values(missed=False, at=tx.now)
    )
    return again.rowcount == 1


def _row(due: Due) -> ColumnElement[bool]:
    return (
        (digests.c.team == due.team.key)
        & (digests.c.room == str(due.room))
        & (digests.c.day == due.day)
    )


def _since(tx: Tx, due: Due) -> datetime:
    """Where the digest before this one ended, so that nothing is told twice or left out."""
    last = tx.conn.execute(
        select(func.max(digests.c.at)).where(
            digests.c.team == due.team.key, digests.c.room == str(due.room),
            digests.c.day < due.day, digests.c.missed.is_(False),
        )
    ).scalar()  # fmt: skip
    if last is None:
        # None was ever made here: what the missed ones would have told is told now.
        missed = tx.conn.execute(
            select(func.min(digests.c.day)).where(
                digests.c.team == due.team.key, digests.c.room == str(due.room),
                digests.c.day < due.day,
            )
        ).scalar()  # fmt: skip
        last = day_before(tx.hours(due.team.key), due.team.digest, missed or due.day)
    return min(last, tx.now)


def _note_unsent(tx: Tx) -> None:
    """A digest that could not be sent all day is one that was missed."""
    unsent = select(posts.c.id).where(
        posts.c.kind == "digest", posts.c.state == "dropped", posts.c.ref_id == ""
    )
    tx.conn.execute(
        digests.update()
        .where(digests.c.day >= (tx.now - _LOOK_BACK).date(), digests.c.post.in_(unsent))
        .values(missed=True, post=None)
    )


def _refresh(tx: Tx) -> None:
    """Redraw today's digests where something that they list was taken, answered or closed since."""
    rows = tx.conn.execute(
        select(digests.c.team, digests.c.day, posts.c.id, posts.c.detail)
        .join(posts, posts.c.id == digests.c.post)
        .where(digests.c.day >= (tx.now - timedelta(days=2)).date())
        .where(posts.c.state.in_(("waiting", "sending", "sent")))
    ).all()
    for row in rows:
        today = tx.hours(row.team).local(tx.now).date()
        if row.day != today or row.detail["figures_only"]:
            continue
        now = states(tx, [number for number, _ in row.detail["needs"]])
        if now != row.detail["states"]:
            say_now(tx, row.id, row.detail | {"states": now})


def preview(tx: Tx, team: Team) -> Message:
    """What a digest would say now, for `staffbot digest --dry-run`; nothing is written."""
    rooms = [known for known in team.rooms if not known.figures_only]
    room = rooms[0].room if rooms else Room(platform="none", id="none")
    day = tx.hours(team.key).local(tx.now).date()
    due = Due(team=team, room=room, figures_only=False, day=day, at=tx.now, missed=False)
    needs = states(tx, numbers_of(tx, needs_now(tx, team)))
    return digest(facts_of(tx, team, since=_since(tx, due), until=tx.now, needs=needs))

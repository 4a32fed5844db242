"""The daily digest: once per team, room and local open day, a while after the first opening.

What is due is a row of `digests`, unique on team, room and day and committed with the post, so two
rings or a kill between them make one digest. Too late on the same day, it is marked missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects import postgresql, sqlite

from staffbot import stats
from staffbot.desk import pulse, troubles
from staffbot.desk.ledger import Tx, record_for_team
from staffbot.desk.mailroom import Post, say_now, want
from staffbot.desk.reading import listing_of
from staffbot.digest import DigestFacts, Gone, digest
from staffbot.digest_days import day_before, days_due, is_too_late
from staffbot.messages import Message
from staffbot.model import Happened, Room, Status
from staffbot.settings import Team
from staffbot.tables import digests, mentions, posts

# Days that went by while the program was down are marked as missed; longer ago nobody asks.
_LOOK_BACK = timedelta(days=14)
# So many mentions that need someone are followed by one digest.
_LISTED = 200
_TOPICS = ("idea", "thanks")
# Named, as "not closed" would have the database read a team's whole history.
_OPEN = (Status.OPEN, Status.CLAIMED)


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
    needs = _states(tx, _numbers(tx, _needs_now(tx, due.team)))
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
        now = _states(tx, [number for number, _ in row.detail["needs"]])
        if now != row.detail["states"]:
            say_now(tx, row.id, row.detail | {"states": now})


def _numbers(tx: Tx, where: ColumnElement[bool]) -> list[int]:
    due = func.coalesce(mentions.c.answer_due_at, mentions.c.claim_due_at)
    rows = tx.conn.execute(
        select(mentions.c.number).where(where).order_by(due, mentions.c.number).limit(_LISTED)
    )
    return [row.number for row in rows]


def _states(tx: Tx, numbers: Sequence[int]) -> list[list[Any]]:
    """Each mention's number and how far it is seen to, in the order of the numbers."""
    rows = tx.conn.execute(
        select(
            mentions.c.number, mentions.c.status, mentions.c.answered_at, mentions.c.waiting_since
        )
        .where(mentions.c.number.in_(numbers))
        .order_by(mentions.c.number)
    )
    return [[row.number, _state(row)] for row in rows]


def _state(row: Any) -> str:
    if row.status != Status.CLOSED and (row.answered_at or row.waiting_since):
        return "answered" if row.answered_at else "waiting"
    status: str = row.status
    return status


def facts_of(
    tx: Tx,
    team: Team,
    *,
    since: datetime,
    until: datetime,
    needs: Sequence[Sequence[Any]],
    figures_only: bool = False,
) -> DigestFacts:
    """What a digest tells of; its figures come from `stats`, as everywhere.

    `needs` are the mentions that needed someone when it was made, with their states then.
    """
    counted = stats.figures(
        tx.conn, tx.settings, start=since, end=until, now=until, teams=[team.key],
        by=stats.By.TOPIC,
    )  # fmt: skip
    by_topic = {group.key: group.figures.closed for group in counted.groups}
    known = [topic for topic in tx.settings.topics if topic.casefold() in _TOPICS]
    gone = pulse.downtime(tx, since)
    numbers = [number for number, _ in needs]
    return DigestFacts(
        team=team.name, zone=team.hours.zone, since=since, until=until,
        received=counted.received, heard=counted.heard, answered=counted.answered,
        closed=counted.closed, within=counted.to_answer.within, measured=counted.to_answer.n,
        needs_now=listing_of(tx, numbers), settled=_settled(needs, _states(tx, numbers)),
        waiting_for_patron=_waiting(tx, team),
        topics={topic: by_topic.get(topic, 0) for topic in known},
        troubles=[trouble.said for trouble in troubles.current(tx)],
        gone=Gone(
            since=gone.since, until=gone.until, caught_up=pulse.caught_up(tx, gone, team.key)
        )
        if gone
        else None,
        figures_only=figures_only,
    )  # fmt: skip


def _settled(before: Sequence[Sequence[Any]], now: Sequence[Sequence[Any]]) -> int:
    """How many were claimed, answered or closed since; a claim that was late already still is."""
    was: dict[int, str] = {row[0]: row[1] for row in before}
    return sum(
        state != Status.OPEN and (state != Status.CLAIMED or was[number] == Status.OPEN)
        for number, state in now
    )


def _needs_now(tx: Tx, team: Team) -> ColumnElement[bool]:
    """What is overdue, or waits for someone to take it before the doors close for today."""
    hours = tx.hours(team.key)
    today = hours.periods(hours.local(tx.now).date())
    closing = max(today[-1][1], tx.now) if today else tx.now
    due = func.coalesce(mentions.c.claim_due_at, mentions.c.answer_due_at)
    unclaimed = (mentions.c.status == Status.OPEN) & (due <= closing)
    owed = (mentions.c.status == Status.CLAIMED) & (mentions.c.answer_due_at <= tx.now)
    return (
        (mentions.c.team == team.key)
        & mentions.c.status.in_(_OPEN)
        & mentions.c.expects_answer
        & mentions.c.waiting_since.is_(None)
        & mentions.c.answered_at.is_(None)
        & (unclaimed | owed)
    )


def _waiting(tx: Tx, team: Team) -> int:
    return tx.conn.execute(
        select(func.count())
        .select_from(mentions)
        .where(mentions.c.team == team.key, mentions.c.status.in_(_OPEN))
        .where(mentions.c.waiting_since.is_not(None))
    ).scalar_one()


def message(tx: Tx, post: Post) -> Message | None:
    """A digest post as a Message: its figures are those of its own stretch of time.

    None for one that could not be sent until its day was over, or it was too late.
    """
    team = tx.team(post.team)
    since, until = (datetime.fromisoformat(post.detail[name]) for name in ("since", "until"))
    day = date.fromisoformat(post.detail["day"])
    if post.ref is None and is_too_late(tx.hours(team.key), team.digest, day, until, tx.now):
        return None
    facts = facts_of(
        tx, team, since=since, until=until, needs=post.detail["needs"],
        figures_only=post.detail["figures_only"],
    )  # fmt: skip
    return digest(facts)


def preview(tx: Tx, team: Team) -> Message:
    """What a digest would say now, for `staffbot digest --dry-run`; nothing is written."""
    rooms = [known for known in team.rooms if not known.figures_only]
    room = rooms[0].room if rooms else Room(platform="none", id="none")
    day = tx.hours(team.key).local(tx.now).date()
    due = Due(team=team, room=room, figures_only=False, day=day, at=tx.now, missed=False)
    needs = _states(tx, _numbers(tx, _needs_now(tx, team)))
    return digest(facts_of(tx, team, since=_since(tx, due), until=tx.now, needs=needs))

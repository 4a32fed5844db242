"""The daily digest: once per team, room and local open day, a while after the first opening.

What is due is a row of `digests`, unique on team, room and day and committed with the post, so two
rings or a kill between them make one digest. Too late on the same day, it is marked missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects import postgresql, sqlite

from staffbot import stats
from staffbot.desk import pulse, troubles
from staffbot.desk.ledger import Tx, record_for_team
from staffbot.desk.mailroom import Post, want
from staffbot.desk.reading import listing_where
from staffbot.digest import DigestFacts, Gone, digest
from staffbot.messages import Message
from staffbot.model import Happened, Room, Status
from staffbot.settings import Team
from staffbot.tables import digests, mentions

# How far back the first digest of a room looks.
_FIRST = timedelta(days=1)
_TOPICS = ("idea", "thanks")


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
    """Want every digest that is due and was not wanted yet. Returns how many."""
    return sum(_make(tx, due) for due in due_now(tx))


def due_now(tx: Tx) -> list[Due]:
    """The digests whose moment came, whether or not they were made already."""
    found = []
    for team in tx.settings.teams:
        if not team.digest.enabled:
            continue
        hours = tx.hours(team.key)
        day = hours.local(tx.now).date()
        opening = hours.first_opening(day)
        if opening is None:
            continue
        at = opening + team.digest.after_opening
        if at > tx.now:
            continue
        over = hours.periods(day)[-1][1] <= tx.now
        missed = over or tx.now - at > team.digest.too_late_after
        found += [
            Due(
                team=team, room=known.room, figures_only=known.figures_only, day=day, at=at,
                missed=missed,
            )
            for known in team.rooms
        ]  # fmt: skip
    return found


def _make(tx: Tx, due: Due) -> bool:
    """One digest, unless somebody made it. The row of `digests` is what decides."""
    since = _since(tx, due)
    dialect = sqlite if tx.conn.dialect.name == "sqlite" else postgresql
    mine = tx.conn.execute(
        dialect.insert(digests)
        .values(team=due.team.key, room=str(due.room), day=due.day, at=tx.now, missed=due.missed)
        .on_conflict_do_nothing()
        .returning(digests.c.day)
    ).one_or_none()
    if mine is None or due.missed:
        return False
    facts = facts_of(tx, due.team, since=since, until=tx.now, figures_only=due.figures_only)
    if facts.nothing and due.team.digest.when_nothing == "none":
        return False
    post = want(
        tx, key=f"digest:{due.team.key}:{due.day}:{due.room}", kind="digest", room=due.room,
        platform=due.room.platform, team=due.team.key,
        detail={
            "since": since.isoformat(), "until": tx.now.isoformat(),
            "figures_only": due.figures_only,
        },
    )  # fmt: skip
    tx.conn.execute(
        digests.update()
        .where(digests.c.team == due.team.key, digests.c.room == str(due.room))
        .where(digests.c.day == due.day)
        .values(post=post)
    )
    record_for_team(tx, Happened.DIGESTED, due.team.key, day=due.day.isoformat())
    return True


def _since(tx: Tx, due: Due) -> datetime:
    """Where the digest before this one ended, so that nothing is told twice or left out."""
    last = tx.conn.execute(
        select(func.max(digests.c.at)).where(
            digests.c.team == due.team.key, digests.c.room == str(due.room),
            digests.c.day < due.day, digests.c.missed.is_(False),
        )
    ).scalar()  # fmt: skip
    return last or due.at - _FIRST


def facts_of(
    tx: Tx, team: Team, *, since: datetime, until: datetime, figures_only: bool = False
) -> DigestFacts:
    """What a digest tells of; its figures come from `stats`, as everywhere."""
    counted = stats.figures(
        tx.conn, tx.settings, start=since, end=until, now=until, teams=[team.key],
        by=stats.By.TOPIC,
    )  # fmt: skip
    by_topic = {group.key: group.figures.closed for group in counted.groups}
    known = [topic for topic in tx.settings.topics if topic.casefold() in _TOPICS]
    gone = pulse.downtime(tx, since)
    return DigestFacts(
        team=team.name, zone=team.hours.zone, since=since, until=until,
        received=counted.received, heard=counted.heard, answered=counted.answered,
        closed=counted.closed, within=counted.to_answer.within, measured=counted.to_answer.n,
        needs_now=listing_where(tx, _needs_now(tx, team)),
        waiting_for_patron=_waiting(tx, team),
        topics={topic: by_topic.get(topic, 0) for topic in known},
        troubles=[trouble.said for trouble in troubles.current(tx)],
        gone=Gone(since=gone.since, until=gone.until, caught_up=pulse.caught_up(tx, gone))
        if gone
        else None,
        figures_only=figures_only,
    )  # fmt: skip


def _needs_now(tx: Tx, team: Team) -> ColumnElement[bool]:
    """What is overdue, or due before the doors close today."""
    closing = tx.hours(team.key).next_closing(tx.now) or tx.now
    due = func.coalesce(mentions.c.claim_due_at, mentions.c.answer_due_at)
    unclaimed = (mentions.c.status == Status.OPEN) & (due <= closing)
    owed = (mentions.c.status == Status.CLAIMED) & (mentions.c.answer_due_at <= closing)
    return (
        (mentions.c.team == team.key)
        & mentions.c.expects_answer
        & mentions.c.waiting_since.is_(None)
        & mentions.c.answered_at.is_(None)
        & (unclaimed | owed)
    )


def _waiting(tx: Tx, team: Team) -> int:
    return tx.conn.execute(
        select(func.count())
        .select_from(mentions)
        .where(mentions.c.team == team.key, mentions.c.status != Status.CLOSED)
        .where(mentions.c.waiting_since.is_not(None))
    ).scalar_one()


def message(tx: Tx, post: Post) -> Message | None:
    """A digest post as a Message: its figures are those of its own stretch of time."""
    facts = facts_of(
        tx, tx.team(post.team),
        since=datetime.fromisoformat(post.detail["since"]),
        until=datetime.fromisoformat(post.detail["until"]),
        figures_only=post.detail["figures_only"],
    )  # fmt: skip
    return digest(facts)


def preview(tx: Tx, team: Team) -> Message:
    """What a digest would say now, for `staffbot digest --dry-run`; nothing is written."""
    rooms = [known for known in team.rooms if not known.figures_only]
    room = rooms[0].room if rooms else Room(platform="none", id="none")
    day = tx.hours(team.key).local(tx.now).date()
    due = Due(team=team, room=room, figures_only=False, day=day, at=tx.now, missed=False)
    return digest(facts_of(tx, team, since=_since(tx, due), until=tx.now))

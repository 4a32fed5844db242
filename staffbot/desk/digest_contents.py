"""What a digest tells of: figures of its own stretch of time, and what needs someone. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from staffbot import stats
from staffbot.desk import pulse, troubles
from staffbot.desk.ledger import Tx
from staffbot.desk.posted import Post
from staffbot.desk.reading import listing_of
from staffbot.digest import DigestFacts, Gone, digest
from staffbot.digest_days import is_too_late
from staffbot.messages import Message
from staffbot.model import Status
from staffbot.settings import Team
from staffbot.tables import mentions

# So many mentions that need someone are followed by one digest.
_LISTED = 200
_TOPICS = ("idea", "thanks")
# Named, as "not closed" would have the database read a team's whole history.
_OPEN = (Status.OPEN, Status.CLAIMED)


def numbers_of(tx: Tx, where: ColumnElement[bool]) -> list[int]:
    due = func.coalesce(mentions.c.answer_due_at, mentions.c.claim_due_at)
    rows = tx.conn.execute(
        select(mentions.c.number).where(where).order_by(due, mentions.c.number).limit(_LISTED)
    )
    return [row.number for row in rows]


def states(tx: Tx, numbers: Sequence[int]) -> list[list[Any]]:
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
        needs_now=listing_of(tx, numbers), settled=_settled(needs, states(tx, numbers)),
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


def needs_now(tx: Tx, team: Team) -> ColumnElement[bool]:
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

"""How the program itself does: what a monitor is told, and the troubles that are noticed by looking.

Knows no loop and no HTTP. Its sentences name sources, rooms and reasons of ours, never a patron's word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select

from staffbot.desk import posted
from staffbot.desk.ledger import Tx
from staffbot.desk.troubles import Trouble, begin, current, end
from staffbot.model import Status
from staffbot.tables import counters, mentions, sources

# A source is silent for unusually long past this many of its usual gaps, and never before a day.
_GAPS = 8
_AT_LEAST = timedelta(days=1)
# How far back closed days are looked for.
_DAYS_LOOKED_AT = 400
# A clock that was set is no lasting state: it is told of for a day.
_CLOCK_SAID_FOR = timedelta(days=1)
# The subjects that `notice` begins and ends; others tell of theirs by themselves.
_NOTICED = ("source:", "posts")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How a source does; `error` is the reason of the last failure, in our words."""

    name: str
    ok_at: datetime | None
    failing_since: datetime | None
    mention_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How the program does, as the database tells it.

    at        real time, as are the moments of sources
    in_hand   open and claimed mentions by team and status
    unwritable  why the database could not be written of late, or empty
    """

    at: datetime
    oldest_unsent: timedelta | None
    posts: dict[str, int]
    sources: tuple[SourceState, ...]
    troubles: tuple[Trouble, ...]
    in_hand: dict[tuple[str, str], int]
    overdue: dict[str, int]
    received: int
    stuck: bool
    unwritable: str

    @property
    def ok(self) -> bool:
        """Whether what people do is stored, and posts go out; a source in trouble is for people, not
        for a monitor to restart."""
        return not self.stuck and not self.unwritable


def report(tx: Tx) -> Report:
    """How the program does."""
    unsent = posted.oldest_unsent(tx)
    return Report(
        at=tx.real_now,
        oldest_unsent=unsent,
        posts=posted.counts(tx),
        sources=tuple(_state(row) for row in _source_rows(tx)),
        troubles=tuple(current(tx)),
        in_hand=_in_hand(tx),
        overdue=_overdue(tx),
        received=tx.conn.execute(
            select(func.coalesce(func.sum(counters.c.value), 0)).where(counters.c.name == "mention")
        ).scalar_one(),
        stuck=_is_stuck(tx, unsent),
        unwritable=tx.unwritable,
    )


def notice(tx: Tx) -> tuple[Trouble, ...]:
    """Look at sources and posts: begin and end their troubles. The ones that are new."""
    found = dict(_found(tx))
    new = [subject for subject, said in found.items() if begin(tx, subject, said)]
    for known in current(tx):
        over = known.subject.startswith(_NOTICED) and known.subject not in found
        told = known.subject == "clock" and tx.real_now - known.began_at > _CLOCK_SAID_FOR
        if over or told:
            end(tx, known.subject)
    return tuple(known for known in current(tx) if known.subject in new)


def _found(tx: Tx) -> Iterator[tuple[str, str]]:
    for row in _source_rows(tx):
        if said := _source_trouble(tx, row):
            yield f"source:{row.name}", said
    unsent = posted.oldest_unsent(tx)
    if unsent is not None and _is_stuck(tx, unsent):
        yield "posts", f"A post has been waiting to go out for {_minutes(unsent)}."


def _source_trouble(tx: Tx, row: Row[Any]) -> str | None:
    shown = tx.settings.source(row.name).shown_as
    failing = row.failing_since
    if failing and tx.real_now - failing >= tx.settings.health.source_failing_after:
        reason = f": {row.error}" if row.error else "."
        return f"{shown} cannot be read for {_minutes(tx.real_now - failing)}{reason}"
    if not failing and row.mention_at and row.usual_gap_seconds:
        quiet = tx.now - row.mention_at - _closed_days(tx, row.mention_at)
        if quiet > max(_AT_LEAST, _GAPS * timedelta(seconds=row.usual_gap_seconds)):
            silent = _minutes(tx.now - row.mention_at)
            return f"{shown} brought nothing for {silent}, which is unusually long."
    return None


def _closed_days(tx: Tx, since: datetime) -> timedelta:
    """How much of the time since then lies on later days on which no team opens: on a Sunday nobody
    asks when you open, and a silent one is no sign that a source is broken."""
    everyone = [tx.hours(team.key) for team in tx.settings.teams]
    now = everyone[0].local(tx.now)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    closed = timedelta(0)
    for ago in range(min((now.date() - everyone[0].local(since).date()).days, _DAYS_LOOKED_AT)):
        if not any(hours.periods(now.date() - timedelta(days=ago)) for hours in everyone):
            closed += timedelta(days=1) if ago else now - midnight
    return closed


def _minutes(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 2 * 24 * 60 else f"{minutes // (24 * 60)} days"


def _is_stuck(tx: Tx, unsent: timedelta | None) -> bool:
    return unsent is not None and unsent >= tx.settings.health.post_stuck_after


def _source_rows(tx: Tx) -> list[Row[Any]]:
    configured = [source.name for source in tx.settings.sources]
    return list(
        tx.conn.execute(
            select(sources).where(sources.c.name.in_(configured)).order_by(sources.c.name)
        )
    )


def _state(row: Row[Any]) -> SourceState:
    return SourceState(
        name=row.name, ok_at=row.ok_at, failing_since=row.failing_since,
        mention_at=row.mention_at, error=row.error,
    )  # fmt: skip


def _in_hand(tx: Tx) -> dict[tuple[str, str], int]:
    # Team by team, so that the index answers and a long history costs nothing.
    return {
        (team.key, status): tx.conn.execute(
            select(func.count())
            .select_from(mentions)
            .where(mentions.c.team == team.key, mentions.c.status == status)
        ).scalar_one()
        for team in tx.settings.teams
        for status in (Status.OPEN, Status.CLAIMED)
    }


def _overdue(tx: Tx) -> dict[str, int]:
    return {
        team.key: tx.conn.execute(
            select(func.count())
            .select_from(mentions)
            .where(
                mentions.c.team == team.key, mentions.c.status.in_((Status.OPEN, Status.CLAIMED))
            )
            .where(mentions.c.answered_at.is_(None), mentions.c.waiting_since.is_(None))
            .where(mentions.c.expects_answer, mentions.c.answer_due_at < tx.now)
        ).scalar_one()
        for team in tx.settings.teams
    }

"""The SQL under every figure: events of a stretch of time, and what is in hand now. No rules of n.

Whole histories are counted, so the database groups equal rows and Python sees each kind once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    String,
    case,
    cast,
    func,
    select,
    type_coerce,
)

from staffbot.model import Happened, Status
from staffbot.tables import events, mentions

CLAIMS = (Happened.CLAIMED, Happened.ASSIGNED, Happened.HANDED_OVER)
_COUNTED = (
    Happened.RECEIVED, *CLAIMS, Happened.ANSWERED, Happened.CLOSED, Happened.REOPENED,
)  # fmt: skip
# Every zone of today is whole quarters of an hour from UTC, so a quarter lies in one local hour.
QUARTER_SECONDS = 900
_QUARTER = QUARTER_SECONDS * 1_000_000


class By(StrEnum):
    """What figures are grouped by."""

    PERSON = "person"
    SOURCE = "source"
    TEAM = "team"
    OUTCOME = "outcome"
    TOPIC = "topic"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def of_time(self) -> bool:
        """Whether its groups are stretches of local time."""
        return self in (By.HOUR, By.DAY, By.WEEK, By.MONTH)


class InHand(NamedTuple):
    """What of one group is open or claimed now, and how much of it is overdue."""

    key: str | None
    open: int
    overdue: int


def every_team(conn: Connection) -> tuple[str, ...]:
    """Each team that anything ever came in for, also one that is no longer configured.

    Goes from one to the next in the index, as a distinct would read every event.
    """
    found: list[str] = []
    last: str | None = ""
    while last is not None:
        last = conn.execute(select(func.min(events.c.team)).where(events.c.team > last)).scalar()
        if last is not None:
            found.append(last)
    return tuple(found)


def counted(
    conn: Connection,
    *,
    teams: Sequence[str],
    start: datetime,
    end: datetime,
    by: By | None,
    person: str | None,
) -> Sequence[Row[*tuple[Any, ...]]]:
    """What happened from `start` up to, not including, `end`, without what was undone.

    Rows: what, mark (see `_mark`), within target, how many, and the open seconds that they took
    as `1200x3,1260x1`, each with how often; then the key of the group where there are groups, and
    the team where they are of local time. With `person`, only what that person did.
    """
    alike: list[ColumnElement[Any]] = [events.c.what, _mark().label("mark"), events.c.within_target]
    if by is not None:
        alike.append(_key(by).label("key"))
    if by is not None and by.of_time:
        alike.append(events.c.team)
    each = (
        select(*alike, events.c.open_seconds, func.count().label("amount"))
        .where(events.c.team.in_(list(teams)), events.c.at >= start, events.c.at < end)
        .where(events.c.what.in_(_COUNTED), events.c.undone_by.is_(None))
        # By name: PostgreSQL does not see that two expressions with parameters are the same one.
        .group_by(*(column.name for column in alike), events.c.open_seconds)
    )
    if person is not None:
        each = each.where(_doer() == person)
    found = each.subquery()
    what, mark, within, *group = (found.c[column.name] for column in alike)
    often = cast(found.c.open_seconds, String) + "x" + cast(found.c.amount, String)
    query = select(
        what, mark, within, func.sum(found.c.amount), func.aggregate_strings(often, ","), *group
    ).group_by(what, mark, within, *group)
    return conn.execute(query).all()


def in_hand(
    conn: Connection, *, teams: Sequence[str], now: datetime, by: By | None, person: str | None
) -> list[InHand]:
    """What is open or claimed at `now`: the fold of the events, kept in `mentions`."""
    kept = {By.PERSON: mentions.c.owner, By.SOURCE: mentions.c.source, By.TEAM: mentions.c.team}
    key = kept.get(by) if by is not None else None
    late = (
        mentions.c.expects_answer.is_(True)
        & mentions.c.answered_at.is_(None)
        & mentions.c.waiting_since.is_(None)
        & (mentions.c.answer_due_at < now)
    )
    query = (
        select(func.count().label("open"), func.sum(case((late, 1), else_=0)).label("overdue"))
        .where(mentions.c.team.in_(list(teams)))
        .where(mentions.c.status.in_((Status.OPEN, Status.CLAIMED)))
    )
    if person is not None:
        query = query.where(mentions.c.owner == person)
    if key is not None:
        query = query.add_columns(key.label("key")).group_by(key)
    return [
        InHand(row.key if key is not None else None, row.open, int(row.overdue or 0))
        for row in conn.execute(query)
    ]


def _mark() -> ColumnElement[int]:
    """0 for what expects no answer among the received, and for a claim after the first of a cycle."""
    first = events.c.detail["before"]["claimed_at"].as_string().is_(None)
    return case(
        (
            events.c.what == Happened.RECEIVED,
            case((events.c.detail["expects"].as_boolean(), 1), else_=0),
        ),
        (events.c.what.in_(CLAIMS), case((first, 1), else_=0)),
        else_=1,
    )


def _doer() -> ColumnElement[str]:
    """Who did it: of a claim whoever has the mention since, not who assigned it."""
    return case(
        (events.c.what.in_(CLAIMS), events.c.detail["to"].as_string()), else_=events.c.person
    )


def _key(by: By) -> ColumnElement[Any]:
    closed = events.c.what == Happened.CLOSED
    match by:
        case By.PERSON:
            return _doer()
        case By.SOURCE:
            return events.c.source
        case By.TEAM:
            return events.c.team
        case By.OUTCOME:
            return case((closed, events.c.detail["outcome"].as_string()))
        case By.TOPIC:
            return case((closed, events.c.detail["topics"].as_string()))
        case By.HOUR | By.DAY | By.WEEK | By.MONTH:
            return type_coerce(events.c.at, BigInteger) // _QUARTER

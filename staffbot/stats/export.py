"""The events themselves for a library's own analysis, as CSV lines; no patron's word or identity.

Only listed keys of an event's detail come along. Staff are named only where the settings let
figures by person be seen, and shared logins never.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from staffbot.settings import PerPerson, Settings
from staffbot.stats.table import Cell
from staffbot.tables import events, people

_PIECE = 2_000
HEADER = (
    "event", "happened_at", "written_at", "what", "mention", "cycle", "team", "source", "person",
    "open_seconds", "within_target", "undone", "kind", "expects_answer", "outcome", "topics",
)  # fmt: skip


def amount(conn: Connection, start: datetime, end: datetime, teams: Sequence[str] = ()) -> int:
    """How many events there are to export."""
    query = select(func.count()).select_from(events).where(*_chosen(start, end, teams))
    return int(conn.execute(query).scalar_one())


def exported(
    conn: Connection,
    settings: Settings,
    start: datetime,
    end: datetime,
    teams: Sequence[str] = (),
    *,
    piece: int = _PIECE,
) -> Iterator[tuple[Cell, ...]]:
    """Events that happened from `start` up to, not including, `end`, as they were written down.

    Read piece by piece, so that a long history needs no memory.
    """
    chosen = _chosen(start, end, teams)
    named = settings.figures_by_person is not PerPerson.NOBODY
    query: Select[*tuple[Any, ...]] = (
        select(events, people.c.shared)
        .outerjoin(people, people.c.key == events.c.person)
        .where(*chosen)
        .order_by(events.c.id)
        .limit(piece)
    )
    after = 0
    while True:
        rows = conn.execute(query.where(events.c.id > after)).all()
        for row in rows:
            yield _line(row, named)
        if len(rows) < piece:
            return
        after = rows[-1].id


def _chosen(start: datetime, end: datetime, teams: Sequence[str]) -> tuple[Any, ...]:
    """Without a team nothing but the order of events leads the reading, so each piece goes on
    where the last one ended."""
    days = and_(events.c.at >= start, events.c.at < end)
    return (days, events.c.team.in_(list(teams))) if teams else (days,)


def _line(row: Row[*tuple[Any, ...]], named: bool) -> tuple[Cell, ...]:
    detail = row.detail or {}
    return (
        row.id, row.at.isoformat(), row.done_at.isoformat(), row.what, row.mention, row.cycle,
        row.team, row.source, (row.person or "") if named and not row.shared else "", row.open_seconds,
        _yes(row.within_target), _yes(row.undone_by is not None), detail.get("kind", ""),
        _yes(detail.get("expects")), detail.get("outcome", ""),
        ";".join(detail.get("topics", ())),
    )  # fmt: skip


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"

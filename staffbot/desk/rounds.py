"""The rounds of the sources: when each is to be read next, from where, and how the last round went.

What a round brought is stored by `arrivals.take_in`, together with the cursor. All moments here are
real time: they are about networks that answer, not about what the library promised. Knows no loop.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update

from staffbot.desk.ledger import Tx
from staffbot.tables import sources

# However long a source fails, it is tried about this often; what a network asks for is kept to
# up to a day.
LONGEST_BACK_OFF = timedelta(hours=1)
LONGEST_WISH = timedelta(days=1)
_ONE_ARRIVAL = timedelta(hours=1)
# What a source is taken for until it has shown how often it stirs.
_NOT_KNOWN_YET = timedelta(days=1)
_SHORTEST = timedelta(seconds=1)
# Between the beginning of a round and its failure.
_LONGEST_ROUND = timedelta(minutes=2)
_JITTER = 0.1
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What to do about a source now: read it on from `cursor`, or look again in `wait_seconds`."""

    cursor: str | None
    wait_seconds: float
    failures: int

    @property
    def due(self) -> bool:
        return self.wait_seconds <= 0


def begin(tx: Tx, *, source: str, lease: timedelta) -> Round:
    """Begin the next round of a source, if it is due.

    On PostgreSQL, where several processes may run, nobody else begins one within `lease`.
    """
    row = _row(tx, source)
    waits = timedelta(0) if row.next_fetch_at is None else row.next_fetch_at - tx.real_now
    if waits > timedelta(0):
        return Round(cursor=row.cursor, wait_seconds=waits.total_seconds(), failures=row.failures)
    values: dict[str, Any] = {"tried_at": tx.real_now}
    if tx.conn.dialect.name != "sqlite":
        values["next_fetch_at"] = tx.real_now + lease
    taken = tx.conn.execute(
        update(sources)
        .where(sources.c.name == source)
        .where(or_(sources.c.next_fetch_at.is_(None), sources.c.next_fetch_at <= tx.real_now))
        .values(**values)
    )
    wait = 0.0 if taken.rowcount == 1 else lease.total_seconds()
    return Round(cursor=row.cursor, wait_seconds=wait, failures=row.failures)


def hurry(tx: Tx, *, sources_here: Collection[str]) -> None:
    """The program begins: what failed is tried again as soon as it is usually read, since somebody may
    have mended it, by a new password for one. What a network asked for is kept to."""
    rows = tx.conn.execute(
        select(sources).where(sources.c.name.in_(sources_here), sources.c.failures > 0)
    ).all()
    for row in rows:
        every = tx.settings.source(row.name).every
        ours = back_off(row.failures, every, None, jitter=1.0) + _LONGEST_ROUND
        next_at, tried_at = row.next_fetch_at or tx.real_now, row.tried_at or tx.real_now
        if next_at > tx.real_now + every and next_at <= tried_at + ours:
            _keep(tx, row.name, next_fetch_at=tx.real_now + every)


def went_well(tx: Tx, *, source: str, wish_seconds: float | None, jitter: float) -> float:
    """A round is over and stored. Returns the seconds until the next one.

    `wish_seconds` is what the network asked for, if it did; `jitter` lies between -1 and 1, so that
    sources with the same setting are not all read at once.
    """
    every = tx.settings.source(source).every
    if wish_seconds is not None:
        every = min(timedelta(seconds=max(0.0, wish_seconds)), LONGEST_WISH)
    wait = max(_SHORTEST, every * (1 + _JITTER * jitter))
    _keep(
        tx, source, next_fetch_at=tx.real_now + wait, ok_at=tx.real_now,
        failing_since=None, failures=0, error="",
    )  # fmt: skip
    return wait.total_seconds()


def failed(
    tx: Tx, *, source: str, reason: str, retry_after: float | None = None, jitter: float = 0.0
) -> float:
    """A round failed. `reason` is a plain sentence of ours. Returns the seconds until the next one."""
    row = _row(tx, source)
    wait = back_off(row.failures + 1, tx.settings.source(source).every, retry_after, jitter)
    _keep(
        tx, source, next_fetch_at=tx.real_now + wait, failing_since=row.failing_since or tx.real_now,
        failures=row.failures + 1, error=reason[:_LONGEST_REASON],
    )  # fmt: skip
    return wait.total_seconds()


def not_stored(tx: Tx, *, source: str, reason: str, again_in_seconds: float) -> None:
    """A round went well on the network and ill here. It is done again soon, from the same cursor."""
    row = _row(tx, source)
    _keep(
        tx, source, next_fetch_at=tx.real_now + timedelta(seconds=again_in_seconds),
        failing_since=row.failing_since or tx.real_now, failures=row.failures + 1,
        error=reason[:_LONGEST_REASON],
    )  # fmt: skip


def usual_gap(before: int | None, gap: timedelta) -> int:
    """The usual seconds between two arrivals of a source, after one more gap between them.

    Newer gaps weigh more; those within the hour weigh little, so that one busy evening is not taken
    for the rhythm of a source that stirs once a week; nor are the first two messages of a new one.
    """
    seconds = max(gap, _ONE_ARRIVAL).total_seconds()
    if before is None:
        before = round(max(gap, _NOT_KNOWN_YET).total_seconds())
    weight = 0.02 if gap < _ONE_ARRIVAL else 0.2
    return round((1 - weight) * before + weight * seconds)


def given_back(tx: Tx, *, source: str) -> None:
    """A round that was begun is not finished, as the program ends: the next one may begin it."""
    _keep(tx, source, next_fetch_at=None)


def back_off(
    failures: int, every: timedelta, retry_after: float | None, jitter: float
) -> timedelta:
    """How long to wait after that many failures in a row, the present one counted.

    Never shorter than the network asked for, and never shorter than the source is usually read.
    """
    longest = max(LONGEST_BACK_OFF, every)
    doubled = min(longest, every * 2.0 ** min(failures - 1, 20))
    wait = max(_SHORTEST, doubled * (1 + _JITTER * jitter))
    if retry_after is None:
        return wait
    return max(wait, min(timedelta(seconds=max(0.0, retry_after)), LONGEST_WISH))


def _row(tx: Tx, source: str) -> Any:
    """The source's row, held until this transaction ends; made where it is not there yet."""
    found = select(sources).where(sources.c.name == source).with_for_update()
    row = tx.conn.execute(found).one_or_none()
    if row is None:
        tx.conn.execute(insert(sources).values(name=source))
        row = tx.conn.execute(found).one()
    return row


def _keep(tx: Tx, source: str, **values: Any) -> None:
    _row(tx, source)
    tx.conn.execute(update(sources).where(sources.c.name == source).values(**values))

"""When the program was running: its last sign of life, and since when it was gone. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from staffbot.desk import acts
from staffbot.desk.ledger import Tx
from staffbot.tables import deliveries, facts, mentions

# A shorter gap than this is a restart, which nobody needs to be told about.
WORTH_SAYING = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Downtime:
    """The program did not run from `since` to `until`."""

    since: datetime
    until: datetime


def started(tx: Tx) -> Downtime | None:
    """The program starts now. Says since when it was gone, where that is worth saying."""
    last = fact(tx, "last_alive_at")
    gone = None
    if last is not None and tx.now - last[1] >= WORTH_SAYING:
        gone = Downtime(since=last[1], until=tx.now)
        keep(tx, "down_until", last[1].isoformat())
    if began_at(tx) is None:
        keep(tx, "began_at")
    keep(tx, "started_at")
    beat(tx)
    return gone


def began_at(tx: Tx) -> datetime | None:
    """When the program first ran on this database; None where it never did."""
    found = fact(tx, "began_at")
    return None if found is None else found[1]


def beat(tx: Tx) -> None:
    """A sign of life."""
    keep(tx, "last_alive_at")


def downtime(tx: Tx, since: datetime) -> Downtime | None:
    """The newest downtime that ended after `since`, for a digest to tell of."""
    found = fact(tx, "down_until")
    if found is None or found[1] < since:
        return None
    return Downtime(since=datetime.fromisoformat(found[0]), until=found[1])


def caught_up(tx: Tx, gone: Downtime, team: str) -> int:
    """How many of a team's mentions were posted while it was gone and came in afterwards."""
    return tx.conn.execute(
        select(func.count())
        .select_from(mentions)
        .where(mentions.c.team == team, mentions.c.received_at >= gone.until)
        .where(mentions.c.posted_at >= gone.since, mentions.c.posted_at < gone.until)
    ).scalar_one()


def fact(tx: Tx, name: str) -> tuple[str, datetime] | None:
    """A fact about the running program and when it was kept; None where there is none."""
    row = tx.conn.execute(
        select(facts.c.value, facts.c.at).where(facts.c.name == name)
    ).one_or_none()
    return None if row is None else (row.value, row.at)


def keep(tx: Tx, name: str, value: str = "") -> None:
    """Keep a fact about the running program, with the present moment."""
    tx.conn.execute(delete(facts).where(facts.c.name == name))
    tx.conn.execute(facts.insert().values(name=name, value=value, at=tx.now))


def forget_deliveries(tx: Tx) -> int:
    """Drop the signed requests whose replay their own time stamp refuses by now, and old acts."""
    old = tx.real_now - timedelta(days=1)
    done = tx.conn.execute(delete(deliveries).where(deliveries.c.at < old, ~acts.ARE_ACTS))
    return done.rowcount + acts.forget(tx)

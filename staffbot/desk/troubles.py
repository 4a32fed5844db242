"""Troubles, each said once: what is wrong, since when, until it is over. Never a patron's word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from staffbot.desk.ledger import Tx
from staffbot.tables import troubles


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that a person has to see to. `said` is a sentence; `began_at` is real time."""

    subject: str
    said: str
    began_at: datetime


def begin(tx: Tx, subject: str, said: str) -> bool:
    """Note a trouble. False where it is known already; its sentence is brought up to date."""
    open_one = (troubles.c.subject == subject) & troubles.c.ended_at.is_(None)
    known = tx.conn.execute(select(troubles.c.id, troubles.c.said).where(open_one)).first()
    if known is None:
        tx.conn.execute(insert(troubles).values(subject=subject, said=said, began_at=tx.real_now))
        return True
    if known.said != said:
        tx.conn.execute(update(troubles).where(troubles.c.id == known.id).values(said=said))
    return False


def end(tx: Tx, subject: str) -> bool:
    """The trouble is over. False where there was none."""
    done = tx.conn.execute(
        update(troubles)
        .where(troubles.c.subject == subject, troubles.c.ended_at.is_(None))
        .values(ended_at=tx.real_now)
    )
    return done.rowcount > 0


def park(tx: Tx, source: str, reason: str) -> None:
    """A mention could not be stored: count it where a person sees it."""
    subject = f"poison:{source}"
    row = tx.conn.execute(
        select(troubles.c.said).where(troubles.c.subject == subject, troubles.c.ended_at.is_(None))
    ).first()
    before = int(row.said.split(" ", 1)[0]) if row else 0
    label = tx.settings.source(source).shown_as
    begin(
        tx, subject,
        f"{before + 1} from {label} could not be stored ({reason}); look at the source itself.",
    )  # fmt: skip


def current(tx: Tx) -> list[Trouble]:
    """The troubles that are not over, oldest first."""
    rows = tx.conn.execute(
        select(troubles).where(troubles.c.ended_at.is_(None)).order_by(troubles.c.id)
    )
    return [Trouble(subject=r.subject, said=r.said, began_at=r.began_at) for r in rows]

"""Earlier contact with the author of a mention: how often, when last, how it ended, who handled it.

Never a word of theirs. An author is known within one network.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from staffbot.desk.authors import known_by_name, of_same_author
from staffbot.desk.ledger import Tx, find, typed
from staffbot.desk.people import name_of
from staffbot.desk.reading import network_of
from staffbot.errors import Refused
from staffbot.messages import Who
from staffbot.model import Kind, Outcome, Status
from staffbot.tables import mentions

# So many are shown, the newest first; the others are counted.
ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One earlier mention. `who` closed it, or has it."""

    number: int
    kind: Kind
    network: str
    at: datetime
    status: Status
    outcome: Outcome | None
    who: Who | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What else there is of the author of `number`: how many, since when, and the newest of them.

    `by_name`: the network gave no more than a name, so it may be several people.
    """

    number: int
    total: int
    since: datetime | None
    answered: int
    by_name: bool
    newest: tuple[Contact, ...]


def earlier(tx: Tx, number: int) -> Earlier:
    """The other mentions of the same author. Raises Refused where there is no such mention."""
    if find(tx, number) is None:
        raise Refused(f"There is no mention {number}. {typed(tx, 'queue')} lists what is open.")
    others = of_same_author(tx, number)
    total, since, answered = tx.conn.execute(
        select(
            func.count(), func.min(mentions.c.posted_at), func.count(mentions.c.answered_at)
        ).where(others)
    ).one()
    rows = tx.conn.execute(
        select(mentions).where(others).order_by(mentions.c.number.desc()).limit(ROWS)
    )
    return Earlier(
        number=number, total=total, since=since, answered=answered,
        by_name=known_by_name(tx, number), newest=tuple(_contact(tx, row) for row in rows),
    )  # fmt: skip


def _contact(tx: Tx, row: Row[Any]) -> Contact:
    key = row.owner or row.last_owner
    return Contact(
        number=row.number, kind=Kind(row.kind), network=network_of(tx, row.source),
        at=row.posted_at, status=Status(row.status),
        outcome=Outcome(row.outcome) if row.outcome else None,
        who=Who(key=key, name=name_of(tx, key)) if key else None,
    )  # fmt: skip

"""Earlier contact with the patron of a mention: how often, when, how it ended. Shows no words.

A patron is known by their account, or by their name where a network tells no more, so what is found
is of the same network only; what was erased is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from staffbot.desk.ledger import Tx, mention_of
from staffbot.desk.people import name_of
from staffbot.model import Mention
from staffbot.tables import mentions, words

MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """One earlier mention. `handled_by` is who has or had it, "" where nobody did."""

    mention: Mention
    handled_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The last mentions before this one, newest first, and how many there are in all."""

    rows: Sequence[Earlier]
    total: int


def earlier(tx: Tx, number: int) -> Contact:
    """What came from the same patron before the mention of that number."""
    patron = select(words.c.patron).where(words.c.mention == number, words.c.role == "mention")
    same = select(words.c.mention).where(
        words.c.patron == patron.scalar_subquery(),
        words.c.role == "mention",
        words.c.mention < number,
    )
    total = tx.conn.execute(select(func.count()).select_from(same.subquery())).scalar_one()
    rows = tx.conn.execute(
        select(mentions)
        .where(mentions.c.number.in_(same))
        .order_by(mentions.c.number.desc())
        .limit(MOST)
    )
    found = [mention_of(row) for row in rows]
    return Contact(
        rows=tuple(Earlier(mention=one, handled_by=_who(tx, one)) for one in found), total=total
    )


def _who(tx: Tx, mention: Mention) -> str:
    key = mention.owner or mention.last_owner
    return name_of(tx, key) if key else ""

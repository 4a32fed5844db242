"""Patrons as the network shows them now: one row each, renewed when they write again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Insert, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from staffbot.desk.hashes import Hashed, storable
from staffbot.desk.ledger import Tx
from staffbot.tables import patrons


def _renew(statement: sqlite.Insert | postgresql.Insert) -> Insert:
    names = ("name", "handle", "url", "seen_at")
    return statement.on_conflict_do_update(
        index_elements=["patron_hash"], set_={name: statement.excluded[name] for name in names}
    )


_RENEW = {
    "sqlite": _renew(sqlite.insert(patrons)),
    "postgresql": _renew(postgresql.insert(patrons)),
}
_IDS = select(patrons.c.id, patrons.c.patron_hash).where(
    patrons.c.patron_hash.in_(bindparam("hashes", expanding=True))
)


def upsert_patrons(tx: Tx, items: Sequence[Hashed]) -> dict[str, int]:
    """Keep who wrote; returns the id of each patron by hash. In a fixed order, against deadlocks."""
    rows = {
        item.patron: {
            "patron_hash": item.patron,
            "source": item.mention.source,
            "name": storable(item.mention.patron.name),
            "handle": storable(item.mention.patron.handle),
            "url": storable(item.mention.patron.url),
            "seen_at": tx.now,
        }
        for item in items
    }
    renew = _RENEW[tx.conn.dialect.name]
    tx.conn.execute(renew, [rows[key] for key in sorted(rows)])
    found = tx.conn.execute(_IDS, {"hashes": list(rows)})
    return {row.patron_hash: row.id for row in found}

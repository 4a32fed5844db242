"""Which mentions are of one author, as far as their network tells. By hashes: knows no name.

Nothing of other networks is known here; alike.py offers what is likely one there.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, func, select

from staffbot.desk.ledger import Tx
from staffbot.tables import mentions, patrons

# What staff log by hand comes from this source; who is not asked for a name is called so.
LOG = "log"
NAMELESS = "A patron"


def times_before(tx: Tx, number: int) -> int:
    """How many mentions of the same author came before this one."""
    query = select(func.count()).select_from(mentions).where(of_same_author(tx, number))
    count: int = tx.conn.execute(query.where(mentions.c.number < number)).scalar_one()
    return count


def of_same_author(tx: Tx, number: int) -> ColumnElement[bool]:
    """Other mentions of the same author on this network; nobody is known who gave no name."""
    this = tx.conn.execute(
        select(mentions.c.patron_hash).where(mentions.c.number == number)
    ).scalar_one()
    return (
        false()
        if this is None
        else and_(mentions.c.patron_hash == this, mentions.c.number != number)
    )


def known_by_name(tx: Tx, number: int) -> bool:
    """Whether the network gave no more of the author than a name, which others may have too."""
    row = tx.conn.execute(
        select(patrons.c.handle, patrons.c.url)
        .join(mentions, mentions.c.patron_hash == patrons.c.patron_hash)
        .where(mentions.c.number == number)
    ).one_or_none()
    return row is not None and not (row.handle or row.url)

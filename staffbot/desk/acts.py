"""One effect for each act of a person, however often a platform delivers it. Knows no platform."""

from __future__ import annotations

from sqlalchemy import insert, select

from staffbot.desk.hashes import keyed
from staffbot.desk.ledger import Tx
from staffbot.model import Actor
from staffbot.tables import deliveries


def first_time(tx: Tx, actor: Actor) -> bool:
    """Whether this act is new; from now on it is not. An act without a name always is.

    Committed or taken back with the act's own effect: a refused one may be tried again.
    """
    if not actor.act:
        return True
    source = f"act:{actor.platform}"
    id_hash = keyed(tx.settings.store.identity_key, "act", actor.act)
    seen = tx.conn.execute(
        select(deliveries.c.at).where(
            deliveries.c.source == source, deliveries.c.id_hash == id_hash
        )
    ).one_or_none()
    if seen is not None:
        return False
    tx.conn.execute(insert(deliveries).values(source=source, id_hash=id_hash, at=tx.real_now))
    return True

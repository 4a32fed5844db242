"""One effect for each act of a person, however often a platform delivers it. Knows no platform."""

from __future__ import annotations

from sqlalchemy import exists, insert, literal, select

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
    named = {
        "source": f"act:{actor.platform}",
        "id_hash": keyed(tx.settings.store.identity_key, "act", actor.act),
        "at": tx.real_now,
    }
    seen = exists().where(
        deliveries.c.source == named["source"], deliveries.c.id_hash == named["id_hash"]
    )
    row = select(*(literal(value, deliveries.c[name].type) for name, value in named.items()))
    note = insert(deliveries).from_select(list(named), row.where(~seen))
    done = tx.conn.execute(note.execution_options(preserve_rowcount=True))
    return done.rowcount == 1

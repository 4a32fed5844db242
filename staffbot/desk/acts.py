"""One effect for each act of a person, however often and however late a platform tells of it.

Knows no platform. An act that lasts (a message, a reaction: it can be read again in the room) is
noted whatever came of it, so that nobody is answered twice; any other one with its effect only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, bindparam, delete, exists, insert, select, update

from staffbot.desk.hashes import keyed
from staffbot.desk.ledger import Tx
from staffbot.model import Actor
from staffbot.policy import ACTS_KEPT
from staffbot.tables import deliveries

_ACTS = "act:"


def _note() -> Insert:
    """Nothing where it is known. Built once, as every press runs it."""
    names = ("source", "id_hash", "at")
    its = {name: bindparam(f"its_{name}", type_=deliveries.c[name].type) for name in names}
    seen = exists().where(
        deliveries.c.source == its["source"], deliveries.c.id_hash == its["id_hash"]
    )
    new = insert(deliveries).from_select(list(names), select(*its.values()).where(~seen))
    return new.execution_options(preserve_rowcount=True)


_NOTE = _note()
ARE_ACTS = deliveries.c.source.startswith(_ACTS)


def first_time(tx: Tx, actor: Actor) -> bool:
    """Whether this act is new; from now on it is not. An act without a name always is.

    Committed or taken back with the act's own effect: a refused one may be tried again. One that
    lasts is done anew where it was done later than what is known by that name: a hand raised again.
    """
    if not actor.act:
        return True
    if note(tx, actor.platform, actor.act, at=actor.at if actor.lasting else None):
        return True
    if not actor.lasting or actor.at is None:
        return False
    named = _named(tx, actor.platform, actor.act)
    again = (
        update(deliveries)
        .where(deliveries.c.source == named["source"], deliveries.c.id_hash == named["id_hash"])
        .where(deliveries.c.at < actor.at)
    )
    return tx.conn.execute(again.values(at=actor.at)).rowcount == 1


def note(tx: Tx, platform: str, act: str, *, at: datetime | None = None) -> bool:
    """Note an act as heard, at that time or now. False where it was known."""
    named = {f"its_{name}": value for name, value in _named(tx, platform, act).items()}
    done = tx.conn.execute(_NOTE, {**named, "its_at": at or tx.real_now})
    return done.rowcount == 1


def unknown(tx: Tx, platform: str, acts: Sequence[str]) -> set[str]:
    """Those of the acts that were never noted."""
    hashes = {str(_named(tx, platform, act)["id_hash"]): act for act in acts}
    known = tx.conn.scalars(
        select(deliveries.c.id_hash)
        .where(deliveries.c.source == f"{_ACTS}{platform}")
        .where(deliveries.c.id_hash.in_(hashes))
    )
    return set(hashes.values()) - {hashes[one] for one in known}


def forget(tx: Tx) -> int:
    """Drop the acts that no door can come upon any more. How many they were."""
    old = deliveries.c.at < tx.real_now - ACTS_KEPT
    return tx.conn.execute(delete(deliveries).where(ARE_ACTS, old)).rowcount


def _named(tx: Tx, platform: str, act: str) -> dict[str, Any]:
    key = tx.settings.store.identity_key
    return {"source": f"{_ACTS}{platform}", "id_hash": keyed(key, "act", act)}

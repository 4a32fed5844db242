"""What sources bring: new mentions, follow-ups, and changes, each stored with its card and cursor.

One transaction a batch: mention, words, patron, event, wanted card and the source's new cursor are
committed together, so a cursor is never ahead of what it stands for. Knows no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from staffbot.desk import changes, follow_ups, newcomers, rounds
from staffbot.desk.hashes import Hashed, hashed
from staffbot.desk.ledger import Tx
from staffbot.desk.troubles import park
from staffbot.model import IncomingMention
from staffbot.network import Batch, TakenIn
from staffbot.tables import arrivals, deliveries, sources

# What one unstorable mention can raise; anything else (a full disk, say) fails the whole batch.
_UNSTORABLE = (DataError, IntegrityError, StatementError, ValueError, TypeError)

_KNOWN = select(arrivals.c.identity_hash).where(
    arrivals.c.identity_hash.in_(bindparam("identities", expanding=True))
)


def take_in(tx: Tx, *, source: str, batch: Batch, delivery: str | None = None) -> TakenIn:
    """Store a batch and its cursor. `delivery` is the id of a signed request, taken once only."""
    if delivery is not None and not _first_time(tx, source, delivery):
        return TakenIn(replay=True)
    began_at = _began_at(tx, source)
    incoming, illegible = _legible(tx, batch.mentions)
    known = _known(tx, [item.identity for item in incoming])
    fresh = [item for item in incoming if item.identity not in known]
    oldest = began_at - tx.settings.source(source).look_back
    wanted = [item for item in fresh if delivery is not None or item.mention.posted_at >= oldest]
    parked, joined = _store(tx, wanted)
    changed = sum(changes.apply(tx, source, change) for change in batch.changes)
    _remember(tx, source, batch, [item.mention for item in wanted])
    return TakenIn(
        new=len(wanted) - parked - joined, followed_up=joined, parked=parked + illegible,
        repeated=len(batch.mentions) - illegible - len(fresh),
        too_old=len(fresh) - len(wanted), changed=changed,
    )  # fmt: skip


def _legible(tx: Tx, mentions: Sequence[IncomingMention]) -> tuple[list[Hashed], int]:
    """Each identity once, as a network may list a post twice in one answer; and how many were parked
    because a source's fault left them without an identity or a moment."""
    found: dict[str, Hashed] = {}
    parked = 0
    for mention in mentions:
        try:
            if mention.posted_at.tzinfo is None:
                raise ValueError("posted_at names no moment")
            item = hashed(mention, tx.settings.store.identity_key)
        except (AttributeError, TypeError, ValueError) as problem:
            parked += 1
            park(tx, mention.source, type(problem).__name__)
        else:
            found[item.identity] = item
    return list(found.values()), parked


def _first_time(tx: Tx, source: str, delivery: str) -> bool:
    id_hash = newcomers.digest_of(delivery, tx.settings.store.identity_key)
    known = tx.conn.execute(
        select(deliveries.c.at).where(
            deliveries.c.source == source, deliveries.c.id_hash == id_hash
        )
    ).one_or_none()
    if known is not None:
        return False
    tx.conn.execute(insert(deliveries).values(source=source, id_hash=id_hash, at=tx.real_now))
    return True


def _began_at(tx: Tx, source: str) -> datetime:
    """When this source was first read; its row is made, and held, here."""
    row = tx.conn.execute(
        select(sources.c.first_run_at).where(sources.c.name == source).with_for_update()
    ).one_or_none()
    if row is None:
        tx.conn.execute(insert(sources).values(name=source, first_run_at=tx.now))
        return tx.now
    if row.first_run_at is None:
        tx.conn.execute(update(sources).where(sources.c.name == source).values(first_run_at=tx.now))
        return tx.now
    began_at: datetime = row.first_run_at
    return began_at


def _known(tx: Tx, identities: Sequence[str]) -> set[str]:
    found = tx.conn.execute(_KNOWN, {"identities": identities})
    return {row.identity_hash for row in found}


def _store(tx: Tx, items: Sequence[Hashed]) -> tuple[int, int]:
    """Store what is new; returns how many were parked and how many joined a mention.

    All at once where nothing is odd; where one cannot be stored, each by itself, so that a poison
    item costs its neighbours nothing.
    """
    if not items:
        return 0, 0
    try:
        with tx.conn.begin_nested():
            return 0, _store_all(tx, items)
    except _UNSTORABLE as problem:
        _blame_the_item(problem)
        parked = joined = 0
        for item in items:
            try:
                with tx.conn.begin_nested():
                    joined += _store_all(tx, [item])
            except _UNSTORABLE as problem:
                _blame_the_item(problem)
                parked += 1
                park(tx, item.mention.source, type(problem).__name__)
        return parked, joined


def _blame_the_item(problem: Exception) -> None:
    """Raise on what no item can be blamed for: a full disk is a StatementError too."""
    if isinstance(problem, DBAPIError) and not isinstance(problem, (DataError, IntegrityError)):
        raise problem


def _store_all(tx: Tx, items: Sequence[Hashed]) -> int:
    fresh, joined = [], 0
    befores = follow_ups.befores(tx, items)
    begun: dict[tuple[str, str], Hashed] = {}
    late: list[Hashed] = []
    for item in items:
        thread = item.thread
        before = befores.get(thread) if thread else None
        if before is not None and follow_ups.joins(tx, item, before):
            joined += 1
        elif thread and thread in begun:
            late.append(item)  # its conversation begins in this very batch
        else:
            fresh.append(item)
            if thread:
                begun[thread] = item
    newcomers.add(tx, fresh)
    if late:
        befores = follow_ups.befores(tx, late)
        for item in late:
            assert item.thread is not None
            if follow_ups.joins(tx, item, befores[item.thread]):
                joined += 1
            else:
                newcomers.add(tx, [item])
    return joined


def _remember(tx: Tx, source: str, batch: Batch, new: Sequence[IncomingMention]) -> None:
    values: dict[str, Any] = {
        "ok_at": tx.real_now, "failing_since": None, "failures": 0, "error": "",
    }  # fmt: skip
    if batch.cursor is not None:
        values["cursor"] = batch.cursor
    if new:
        values["mention_at"] = tx.now
        last = tx.conn.execute(
            select(sources.c.mention_at, sources.c.usual_gap_seconds).where(
                sources.c.name == source
            )
        ).one()
        if last.mention_at is not None:
            gap = rounds.usual_gap(last.usual_gap_seconds, tx.now - last.mention_at)
            values["usual_gap_seconds"] = gap
    tx.conn.execute(update(sources).where(sources.c.name == source).values(**values))

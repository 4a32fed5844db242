"""Reminders that had nothing to say, or came too late to be said: they do not count as told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select, update

from staffbot.desk.ledger import Tx
from staffbot.model import Happened, Status
from staffbot.reminders import Step
from staffbot.tables import events, mentions, nags, posts

_AT_ONCE = 500


def count_out(tx: Tx) -> None:
    """Take back the steps whose message was dropped; policy looks at their mentions again."""
    dropped = select(posts.c.id).where(posts.c.kind == "nag", posts.c.state == "dropped")
    rows = tx.conn.execute(
        select(nags).where(nags.c.post.in_(dropped)).order_by(nags.c.post).limit(_AT_ONCE)
    ).all()
    if not rows:
        return
    for row in rows:
        tx.conn.execute(
            delete(nags).where(
                nags.c.mention == row.mention, nags.c.cycle == row.cycle,
                nags.c.step == row.step, nags.c.recipient == row.recipient,
            )
        )  # fmt: skip
    _undo_events(tx, rows)
    numbers = {row.mention for row in rows}
    asked = {row.mention for row in rows if _step(row) == Step.STILL_ON_IT}
    tx.conn.execute(
        update(mentions).where(mentions.c.number.in_(asked)).values(still_asked_at=None)
    )
    tx.conn.execute(
        update(mentions)
        .where(mentions.c.number.in_(numbers))
        .where(mentions.c.status != Status.CLOSED, mentions.c.expects_answer)
        .values(next_step_at=tx.now)
    )


def _undo_events(tx: Tx, rows: Sequence[Row[Any]]) -> None:
    """The history is not to tell of a reminder that nobody got: its event undoes itself."""
    unsaid = {(row.mention, row.at, _step(row), row.recipient) for row in rows}
    told = tx.conn.execute(
        select(events.c.id, events.c.mention, events.c.done_at, events.c.detail)
        .where(events.c.mention.in_({row.mention for row in rows}))
        .where(events.c.what == Happened.NAGGED, events.c.undone_by.is_(None))
    )
    found = [
        row.id
        for row in told.all()
        if (row.mention, row.done_at, row.detail["step"], row.detail["told"]) in unsaid
    ]
    tx.conn.execute(update(events).where(events.c.id.in_(found)).values(undone_by=events.c.id))


def _step(row: Row[Any]) -> str:
    """The step of a row of `nags`, whose name may go on with an owner and a moment."""
    step: str = row.step.partition("@")[0]
    return step

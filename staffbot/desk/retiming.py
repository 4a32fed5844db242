"""After the hours changed: every open mention's due times anew. What was measured stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from staffbot.desk.ledger import Tx, enact, mention_of
from staffbot.desk.pausing import due_dates
from staffbot.model import Happened, Status
from staffbot.reminders import next_step_at
from staffbot.tables import mentions


def retime(tx: Tx, teams: Sequence[str]) -> int:
    """Reckon the clocks of every open mention of these teams again. Returns how many moved."""
    tx.forget_hours()
    rows = tx.conn.execute(
        select(mentions)
        .where(mentions.c.team.in_(teams), mentions.c.status != Status.CLOSED)
        .where(mentions.c.expects_answer)
        .order_by(mentions.c.number)
        .with_for_update()
    )
    moved = 0
    for mention in map(mention_of, rows.all()):
        hours = tx.hours(mention.team)
        starts_at = hours.next_opening(mention.came_at) or mention.came_at
        values = {"clock_from": starts_at}
        dates = due_dates(tx, replace(mention, clock_from=starts_at), mention.waited_seconds)
        if (starts_at, dates["claim_due_at"], dates["answer_due_at"]) == (
            mention.clock_from, mention.claim_due_at, mention.answer_due_at,
        ):  # fmt: skip
            continue
        after = values | dict(dates)
        step = next_step_at(tx.team(mention.team), hours, mention, after)
        enact(tx, mention, Happened.RETIMED, None, after | {"next_step_at": step})
        moved += 1
    return moved

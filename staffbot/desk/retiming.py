"""After the hours changed: every open mention's due times anew. What was measured stays as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select, true, update

from staffbot.desk import pulse
from staffbot.desk.ledger import Tx, enact, mention_of
from staffbot.desk.pausing import due_dates
from staffbot.model import Happened, Mention, Status
from staffbot.reminders import next_step_at, step_times
from staffbot.tables import mentions, posts


def retime(tx: Tx, teams: Sequence[str], *, only: int | None = None) -> int:
    """Reckon the clocks of every open mention of these teams again. Returns how many moved.

    `only` one: of a mention that an undo opened again, the hours may have changed meanwhile.
    """
    tx.forget_hours()
    _wait_for_opening(tx, teams)
    rows = tx.conn.execute(
        select(mentions)
        # Named, as "not closed" would have the database read a team's whole history.
        .where(mentions.c.team.in_(teams), mentions.c.status.in_((Status.OPEN, Status.CLAIMED)))
        .where(mentions.c.expects_answer, mentions.c.number == only if only else true())
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
            _look_in_time(tx, mention)
            continue
        after = values | dict(dates)
        step = next_step_at(tx.team(mention.team), hours, mention, after)
        enact(tx, mention, Happened.RETIMED, None, after | {"next_step_at": step})
        moved += 1
    return moved


def _wait_for_opening(tx: Tx, teams: Sequence[str]) -> None:
    """What is to be shown at opening is shown at the one that holds now."""
    for team in teams:
        opening = tx.hours(team).next_opening(tx.now)
        if opening is not None:
            tx.conn.execute(
                update(posts)
                .where(posts.c.pending == 1, posts.c.not_before > tx.now)
                .where(posts.c.team == team, posts.c.state == "waiting")
                .values(not_before=opening)
            )


def settle(tx: Tx) -> int:
    """At start: reckon anew what is open where the configured hours, targets or steps changed since
    the last run. Returns how many due times moved."""
    now = _fingerprint(tx)
    known = pulse.fact(tx, "clocks")
    if known is not None and known[0] == now:
        return 0
    pulse.keep(tx, "clocks", now)
    return 0 if known is None else retime(tx, [team.key for team in tx.settings.teams])


def _fingerprint(tx: Tx) -> str:
    """Changes with whatever the configuration says of the clocks of any team."""
    said = [
        (
            team.key, team.hours.weekly, str(team.hours.zone), team.hours.country,
            team.hours.subdivision, sorted(map(str, team.hours.holidays)),
            sorted(map(str, team.hours.not_holidays)), team.targets, team.nagging,
        )
        for team in tx.settings.teams
    ]  # fmt: skip
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _look_in_time(tx: Tx, mention: Mention) -> None:
    """Later steps (the manager's, a stale claim) may come earlier although the due dates stand."""
    times = step_times(tx.team(mention.team), tx.hours(mention.team), mention)
    first = min(times.values(), default=None)
    if first is None:
        return
    at = max(first, tx.now)  # what was told already is left out by the sweep
    if mention.next_step_at is None or at < mention.next_step_at:
        tx.conn.execute(
            update(mentions).where(mentions.c.number == mention.number).values(next_step_at=at)
        )

"""Not now: snooze until a moment, wait for the patron, and wake again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from staffbot.desk.ledger import Tx, enact, mention_of, to_change, typed
from staffbot.errors import Refused
from staffbot.model import Answer, Done, Happened, Mention, Person, Status, Unchanged
from staffbot.policy import waited_seconds
from staffbot.reminders import next_step_at
from staffbot.tables import mentions
from staffbot.words import moment


def snooze(tx: Tx, number: int, person: Person, until: datetime) -> Answer:
    """No reminders of this mention until then. Its clocks go on: a snooze silences, no more."""
    mention = _open_one(tx, number)
    if until <= tx.now:
        raise Refused(
            f"That moment is past. Like: {typed(tx, f'snooze {number} 2h')}, tomorrow, or opening"
        )
    event = enact(
        tx, mention, Happened.SNOOZED, person, _with_step(tx, mention, {"snoozed_until": until})
    )
    zone = tx.team(mention.team).hours.zone
    said = f"No reminders of {number} until {moment(until, zone)}."
    return Done(mention=number, said=said, event=event)


def wait(tx: Tx, number: int, person: Person) -> Answer:
    """Waiting for the patron: the answer clock stops until they write."""
    mention = _open_one(tx, number)
    if mention.waiting_since is not None:
        return Unchanged(mention=number, said=f"{number} waits for the patron already.")
    values = _with_step(tx, mention, {"waiting_since": tx.now})
    event = enact(tx, mention, Happened.WAITING, person, values)
    said = f"{number} waits for the patron; its clock goes on when they write."
    return Done(mention=number, said=said, event=event)


def wake(tx: Tx, number: int, person: Person) -> Answer:
    """Not waiting, not snoozed any more: reminders as before, the clock goes on."""
    mention = _open_one(tx, number)
    if mention.waiting_since is None and mention.snoozed_until is None:
        return Unchanged(mention=number, said=f"{number} is neither snoozed nor waiting.")
    event = enact(tx, mention, Happened.WOKEN, person, woken(tx, mention))
    return Done(mention=number, said=f"{number} is awake again.", event=event)


def woken(tx: Tx, mention: Mention, *, by_patron: bool = False) -> Mapping[str, Any]:
    """What a mention is once nobody waits or snoozes; its answer is due the waited time later.

    A claim that waited for its patron is not stale when they write: it is as if acted on then.
    """
    hours = tx.hours(mention.team)
    waited = waited_seconds(mention, hours, tx.now)
    values: dict[str, Any] = {
        "waiting_since": None, "snoozed_until": None, "waited_seconds": waited,
        **({"acted_at": tx.now} if by_patron else {}),
    }  # fmt: skip
    return _with_step(tx, mention, {**values, **due_dates(tx, mention, waited)})


def due_dates(tx: Tx, mention: Mention, waited: int) -> Mapping[str, Any]:
    """When claim and answer are due with so many open seconds of waiting for the patron."""
    if not mention.expects_answer:
        return {}
    from_ = mention.clock_from
    hours, team = tx.hours(mention.team), tx.team(mention.team)
    target = team.target(mention.source, mention.kind)
    more = timedelta(seconds=waited)
    return {
        "claim_due_at": hours.add_open_time(from_, target.claim_within + more),
        "answer_due_at": hours.add_open_time(from_, target.answer_within + more),
    }


def still_on_it(tx: Tx, number: int, person: Person) -> Answer:
    """The owner says that they are on it: a stale claim is fresh again."""
    mention = _open_one(tx, number)
    if mention.owner != person.key:
        raise Refused(
            f"{number} is not yours. {typed(tx, f'claim {number}')} takes it where it is open."
        )
    values = _with_step(tx, mention, {"still_asked_at": None}, acted=True)
    event = enact(tx, mention, Happened.STILL_ON_IT, person, values)
    return Done(mention=number, said=f"Good: {number} stays with you.", event=event)


def end_snoozes(tx: Tx) -> int:
    """Take the sign off mentions whose snooze is over, so that their cards say so."""
    rows = tx.conn.execute(
        select(mentions)
        .where(mentions.c.snoozed_until <= tx.now, mentions.c.status != Status.CLOSED)
        .limit(200)
        .with_for_update(skip_locked=True)
    )
    over = [mention_of(row) for row in rows]
    for mention in over:
        enact(tx, mention, Happened.WOKEN, None, {"snoozed_until": None}, by_itself=True)
    return len(over)


def _open_one(tx: Tx, number: int) -> Mention:
    mention = to_change(tx, number)
    if mention.status is Status.CLOSED:
        raise Refused(f"{number} is closed. {typed(tx, f'reopen {number}')} opens it again.")
    return mention


def _with_step(
    tx: Tx, mention: Mention, values: Mapping[str, Any], *, acted: bool = False
) -> dict[str, Any]:
    after = dict(values) | ({"acted_at": tx.now} if acted else {})
    step = next_step_at(tx.team(mention.team), tx.hours(mention.team), mention, after)
    return dict(values) | {"next_step_at": step}

"""One act taken back: a compensating event, for a while, unless anyone acted since."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from staffbot.desk.conversations import remove_note
from staffbot.desk.ledger import Tx, enact, to_change, typed
from staffbot.desk.people import name_of
from staffbot.desk.retiming import retime
from staffbot.desk.showing import show_everywhere
from staffbot.errors import Refused
from staffbot.model import Answer, Done, Happened, Mention, Outcome, Person, Status, Unchanged
from staffbot.tables import events

_MOMENTS = frozenset(
    {
        "came_at", "clock_from", "claim_due_at", "answer_due_at", "next_step_at", "claimed_at",
        "answered_at", "closed_at", "snoozed_until", "waiting_since", "still_asked_at",
    }
)  # fmt: skip
_NOT_ACTS = (Happened.NAGGED, Happened.RETIMED, Happened.READ, Happened.UNDONE)
# What went out to a patron, or was asked of the whole house, is not taken back by an event.
_SENT = (Happened.REPLY_WRITTEN, Happened.REPLIED, Happened.REPLY_FAILED)
_CANNOT = (
    Happened.RECEIVED, Happened.FOLLOWED_UP, Happened.MUTED, Happened.UNMUTED, *_SENT, *_NOT_ACTS,
)  # fmt: skip
# Acts that are about no single mention.
_OF_THE_HOUSE = (Happened.CLOSURE_ADDED, Happened.AWAY, Happened.BACK)


def undo(tx: Tx, event: int, person: Person) -> Answer:
    """Take back what this person did with that event, on every mention that the one act touched.

    Raises Refused where it is too late, somebody else's, or somebody acted since.
    """
    first = tx.conn.execute(select(events).where(events.c.id == event)).one_or_none()
    if first is None or first.mention is None or first.what in _CANNOT:
        raise Refused(_why_not(tx, first))
    if first.person != person.key:
        raise Refused(f"Only {name_of(tx, first.person)} can undo what they did.")
    # Held first: of two presses at once, the later one has to see what the first did.
    numbers = sorted({row.mention for row in _whole_act(tx, first)})
    held = {number: to_change(tx, number) for number in numbers}
    act = _whole_act(tx, first)
    if any(row.undone_by is not None for row in act):
        return Unchanged(mention=first.mention, said="That was undone already.")
    if tx.now - first.done_at > tx.settings.undo_within:
        minutes = int(tx.settings.undo_within.total_seconds() // 60)
        raise Refused(
            f"Undo works for {minutes} minutes. Use the card's buttons to put {first.mention} right."
        )
    if any(row.what in _SENT or "reply" in row.detail for row in act):
        raise Refused(f"An answer to {first.mention} was sent with it, so it cannot be undone.")
    _nobody_acted_since(tx, act)
    for number, mention in held.items():
        _put_back(tx, mention, [row for row in act if row.mention == number], person)
    named = ", ".join(str(number) for number in numbers)
    return Done(mention=first.mention, said=f"Undone: {named} as before.")


def _why_not(tx: Tx, first: Row[Any] | None) -> str:
    """What to do about an act that no Undo takes back."""
    if first is not None and first.what == Happened.MUTED and first.mention is not None:
        return f"Undo does not end muting: {typed(tx, f'unmute {first.mention}')} does."
    if first is not None and first.what in _SENT:
        return "An answer that was sent cannot be taken back."
    return "There is nothing to undo: it was undone already, or it is nothing that Undo takes back."


def _whole_act(tx: Tx, first: Row[Any]) -> list[Row[Any]]:
    """Every event that was written by the same act, oldest first."""
    begun = first.act or first.id
    return list(
        tx.conn.execute(
            select(events)
            .where((events.c.id == begun) | (events.c.act == begun))
            .where(events.c.mention.is_not(None))
            .order_by(events.c.id)
        )
    )


def _nobody_acted_since(tx: Tx, act: list[Row[Any]]) -> None:
    ids = [row.id for row in act]
    numbers = sorted({row.mention for row in act})
    later = (
        select(events.c.mention, events.c.person)
        .where(events.c.mention.in_(numbers), events.c.id > min(ids), events.c.id.not_in(ids))
        .where(events.c.what.not_in(_NOT_ACTS), events.c.undone_by.is_(None))
        .limit(1)
    )
    since = tx.conn.execute(later).one_or_none()
    if since is not None:
        who = name_of(tx, since.person) if since.person else "The patron"
        raise Refused(f"{who} did something with {since.mention} since, so it cannot be undone.")


def _put_back(tx: Tx, mention: Mention, act: list[Row[Any]], person: Person) -> None:
    before: dict[str, Any] = {}
    for row in reversed(act):  # the oldest event's word counts
        before |= {name: _restored(name, value) for name, value in row.detail["before"].items()}
        if row.what == Happened.NOTED:
            remove_note(tx, mention, row.detail["part"])
    undone = enact(tx, mention, Happened.UNDONE, person, before)
    tx.conn.execute(
        update(events).where(events.c.id.in_([row.id for row in act])).values(undone_by=undone)
    )
    if before.get("status") in (Status.OPEN, Status.CLAIMED):
        retime(tx, [mention.team], only=mention.number)
        show_everywhere(tx, mention.number)


def _restored(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _MOMENTS:
        return datetime.fromisoformat(value)
    match name:
        case "status":
            return Status(value)
        case "outcome":
            return Outcome(value)
        case _:
            return value


def last_act(tx: Tx, person: Person) -> int | None:
    """The event to undo when somebody says only `undo`: the first of their newest act.

    Announced hours count for as long as Undo works; later, whoever says `undo` means other things.
    Raises Refused where the newest act was to be away or back, as an older one is not meant.
    """
    fresh = tx.now - tx.settings.undo_within
    of_house = events.c.what.in_(_OF_THE_HOUSE) & (events.c.done_at >= fresh)
    newest = tx.conn.execute(
        select(events.c.id, events.c.act, events.c.what)
        .where(events.c.person == person.key, events.c.undone_by.is_(None))
        .where(events.c.what.not_in(_CANNOT), events.c.mention.is_not(None) | of_house)
        .order_by(events.c.id.desc())
        .limit(1)
    ).one_or_none()
    if newest is None:
        return None
    if newest.what == Happened.AWAY:
        raise Refused(f"The last you did was to be away: {typed(tx, 'back')} ends that.")
    if newest.what == Happened.BACK:
        raise Refused(
            f"The last you did was to be back: {typed(tx, 'away mon 9am')} makes you away again."
        )
    first: int = newest.act or newest.id
    return first

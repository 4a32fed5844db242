"""Who has a mention: claim, release, assign, hand over. One winner per claim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from staffbot.desk import telling
from staffbot.desk.ledger import Tx, enact, mention_of, to_change, typed
from staffbot.desk.people import name_of
from staffbot.desk.showing import show_everywhere
from staffbot.errors import Refused
from staffbot.model import (
    AlreadyClaimed,
    Answer,
    Done,
    Gone,
    Happened,
    Mention,
    Person,
    Role,
    Status,
    Unchanged,
)
from staffbot.policy import claimed_within, worked_seconds
from staffbot.reminders import next_step_at
from staffbot.tables import mentions
from staffbot.words import moment


def claim(tx: Tx, number: int, person: Person) -> Answer:
    """Take a mention, and every open one that is linked with it."""
    mention = to_change(tx, number)
    match mention.status:
        case Status.CLOSED:
            return Gone(
                mention=number,
                said=f"{number} is closed. {typed(tx, f'reopen {number}')} opens it again.",
            )
        case Status.CLAIMED if mention.owner == person.key:
            return Unchanged(mention=number, said=f"Mention {number} is yours already.")
        case Status.CLAIMED:
            return AlreadyClaimed(
                mention=number,
                by=name_of(tx, mention.owner),
                since=mention.claimed_at or mention.touched_at,
            )
        case Status.OPEN:
            event = give(tx, mention, person, Happened.CLAIMED, by=person)
            others = _claim_linked(tx, mention, person)
            also = f" with {_numbers(others)}, linked to it" if others else ""
            return Done(mention=number, said=f"Mention {number} is yours{also}.", event=event)


def _claim_linked(tx: Tx, mention: Mention, person: Person) -> list[int]:
    taken = []
    for other in linked_with(tx, mention):
        fresh = to_change(tx, other)
        if fresh.status is Status.OPEN:
            give(tx, fresh, person, Happened.CLAIMED, by=person)
            taken.append(other)
    return taken


def linked_with(tx: Tx, mention: Mention) -> list[int]:
    """The other mentions of its group, in the order of their numbers."""
    if mention.linked is None:
        return []
    rows = tx.conn.execute(
        select(mentions.c.number)
        .where(mentions.c.linked == mention.linked, mentions.c.number != mention.number)
        .order_by(mentions.c.number)
    )
    return [row.number for row in rows]


def give(
    tx: Tx, mention: Mention, to: Person, what: Happened, *, by: Person | None, **detail: Any
) -> int:
    """Make somebody the owner, whoever had it. Returns the event."""
    hours = tx.hours(mention.team)
    taken = worked_seconds(mention, hours, tx.now)
    target = tx.team(mention.team).target(mention.source, mention.kind)
    values = {
        "status": Status.CLAIMED, "owner": to.key, "claimed_at": tx.now,
        "still_asked_at": None, "snoozed_until": None,
    }  # fmt: skip
    after = values | {"next_step_at": next_step_at(tx.team(mention.team), hours, mention, values)}
    event = enact(
        tx, mention, what, by, after, open_seconds=taken,
        within_target=claimed_within(mention, target, taken), to=to.key, **detail,
    )  # fmt: skip
    if mention.storm is not None:
        show_everywhere(tx, mention.number)
    return event


def release(tx: Tx, number: int, person: Person) -> Answer:
    """Give a mention back to the team. Its owner may, and so may a deputy or manager."""
    mention = to_change(tx, number)
    if mention.status is Status.CLOSED:
        return Gone(mention=number, said=f"{number} is closed; there is nothing to release.")
    if mention.owner is None:
        return Unchanged(mention=number, said=f"Nobody has {number}.")
    _may_take_from(tx, mention, person)
    event = give_back(tx, mention, Happened.RELEASED, by=person)
    return Done(mention=number, said=f"{number} is open for the team again.", event=event)


def give_back(tx: Tx, mention: Mention, what: Happened, *, by: Person | None) -> int:
    """Take the owner off a mention. Returns the event."""
    values = released(tx, mention)
    return enact(tx, mention, what, by, values)


def released(tx: Tx, mention: Mention) -> Mapping[str, Any]:
    """What a mention is once nobody has it. Its owner's snooze was theirs: nobody else chose it."""
    values = {
        "status": Status.OPEN, "owner": None, "last_owner": mention.owner,
        "still_asked_at": None, "snoozed_until": None,
    }  # fmt: skip
    team = tx.team(mention.team)
    return values | {"next_step_at": next_step_at(team, tx.hours(mention.team), mention, values)}


def assign(tx: Tx, number: int, to: Person, person: Person) -> Answer:
    """Make a colleague the owner. Anyone may assign what is open or their own."""
    mention = to_change(tx, number)
    if mention.status is Status.CLOSED:
        return Gone(
            mention=number,
            said=f"{number} is closed. {typed(tx, f'reopen {number}')} opens it again.",
        )
    if mention.owner == to.key:
        return Unchanged(mention=number, said=f"{to.name} has {number} already.")
    _may_take_from(tx, mention, person)
    _must_be_here(tx, to)
    event = give(tx, mention, to, Happened.ASSIGNED, by=person)
    if to.key == person.key:
        return Done(mention=number, said=f"Mention {number} is yours.", event=event)
    told = telling.tell(tx, to, mention, "assigned", event=event, by=person.key)
    return Done(mention=number, said=_has_now(to, str(number), told), event=event)


def hand_over(tx: Tx, person: Person, to: Person | None) -> Answer:
    """Hand everything that a person has to a colleague, or back to the team."""
    mine = tx.conn.execute(
        select(mentions)
        .where(mentions.c.owner == person.key, mentions.c.status == Status.CLAIMED)
        .order_by(mentions.c.number)
        .with_for_update()
    ).all()
    if not mine:
        return Unchanged(mention=None, said="You have nothing to hand over.")
    if to is not None:
        _must_be_here(tx, to)
        if to.key == person.key:
            return Unchanged(mention=None, said="You have them already.")
    owned = [mention_of(row) for row in mine]
    events = [
        give_back(tx, mention, Happened.RELEASED, by=person)
        if to is None
        else give(tx, mention, to, Happened.HANDED_OVER, by=person)
        for mention in owned
    ]
    numbers = _numbers([mention.number for mention in owned])
    if to is None:
        return Done(mention=None, said=f"Back with the team: {numbers}.", event=events[0])
    told = telling.tell(tx, to, owned[0], "handed_over", event=events[0], by=person.key,
                        mentions=[mention.number for mention in owned])  # fmt: skip
    return Done(mention=None, said=_has_now(to, numbers, told), event=events[0])


def _has_now(to: Person, numbers: str, told: bool) -> str:
    return f"{to.name} has {numbers} now{' and was told' if told else ''}."


def _may_take_from(tx: Tx, mention: Mention, person: Person) -> None:
    if mention.owner in (None, person.key) or person.role is not Role.STAFF:
        return
    owner = name_of(tx, mention.owner)
    raise Refused(
        f"{owner} has {mention.number}. Ask {owner} to release or hand it over; "
        "a deputy or manager can do it for them."
    )


def _must_be_here(tx: Tx, to: Person) -> None:
    if to.away_until is not None and to.away_until > tx.now:
        back = moment(to.away_until, tx.settings.teams[0].hours.zone)
        raise Refused(f"{to.name} is away until {back}. Choose somebody else.")


def _numbers(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers)

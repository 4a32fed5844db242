"""Away and back: nothing is assigned to who is away, nobody nags them, their claims are offered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from staffbot.desk import offers
from staffbot.desk.claims import give
from staffbot.desk.ledger import Tx, mention_of, record_for_team, to_change, typed
from staffbot.desk.people import get_person
from staffbot.errors import Refused
from staffbot.model import Answer, Done, Gone, Happened, Mention, Person, Status, Unchanged
from staffbot.tables import mentions, people
from staffbot.words import count, moment


def away(tx: Tx, person: Person, until: datetime) -> Answer:
    """Be away until then. What the person has is offered to their colleagues in the channel."""
    if person.shared:
        raise Refused("A desk login is shared, so it cannot be away. Use your own account.")
    if until <= tx.now:
        raise Refused(f"That moment is past. Like: {typed(tx, 'away mon 9am')}")
    tx.conn.execute(update(people).where(people.c.key == person.key).values(away_until=until))
    _look_again(tx, person)
    event = _note(tx, person, Happened.AWAY, until)
    owned = _owned(tx, person)
    for team in sorted({mention.team for mention in owned}):
        offers.offer(tx, person, team, [m.number for m in owned if m.team == team], until, event)
    offers.refresh(tx)
    zone = tx.settings.teams[0].hours.zone
    offered = f" {count(len(owned), 'mention')} of yours offered to the team." if owned else ""
    return Done(mention=None, said=f"You are away until {moment(until, zone)}.{offered}")


def back(tx: Tx, person: Person) -> Answer:
    """Be here again."""
    if person.away_until is None or person.away_until <= tx.now:
        return Unchanged(mention=None, said="You are not away.")
    tx.conn.execute(update(people).where(people.c.key == person.key).values(away_until=None))
    _look_again(tx, person)
    _note(tx, person, Happened.BACK, tx.now)
    offers.refresh(tx)
    return Done(mention=None, said="Welcome back.")


def take_over(tx: Tx, number: int, person: Person) -> Answer:
    """Take a mention whose owner is away."""
    mention = to_change(tx, number)
    if mention.status is Status.CLOSED:
        return Gone(
            mention=number,
            said=f"{number} is closed. {typed(tx, f'reopen {number}')} opens it again.",
        )
    if mention.owner == person.key:
        return Unchanged(mention=number, said=f"You have {number} already.")
    owner = get_person(tx, mention.owner)
    if owner is not None and (owner.away_until is None or owner.away_until <= tx.now):
        raise Refused(
            f"{owner.name} has {number} and is here. Ask them to release it or hand it over."
        )
    event = give(tx, mention, person, Happened.CLAIMED, by=person, over=mention.owner)
    offers.refresh(tx)
    return Done(mention=number, said=f"Mention {number} is yours.", event=event)


def _look_again(tx: Tx, person: Person) -> None:
    """What was put off until the person is back is looked at again by the next sweep."""
    tx.conn.execute(
        update(mentions)
        .where(mentions.c.owner == person.key, mentions.c.status == Status.CLAIMED)
        .where(mentions.c.next_step_at > tx.now)
        .values(next_step_at=tx.now)
    )


def _owned(tx: Tx, person: Person) -> list[Mention]:
    rows = tx.conn.execute(
        select(mentions)
        .where(mentions.c.owner == person.key, mentions.c.status == Status.CLAIMED)
        .order_by(mentions.c.number)
    )
    return [mention_of(row) for row in rows]


def _note(tx: Tx, person: Person, what: Happened, until: datetime) -> int:
    team = person.teams[0] if person.teams else tx.settings.teams[0].key
    return record_for_team(tx, what, team, person=person, until=until.isoformat())

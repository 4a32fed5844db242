"""Reminders as Messages, at the moment they are sent: what is done by then is left out.

None where nothing is left to say, or where it would disturb by now (the doors are closed, the
person is away or in their quiet hours): the sweep then counts the step as not told.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from staffbot import nags
from staffbot.desk import lines
from staffbot.desk.ledger import Tx, find, mention_of
from staffbot.desk.people import get_person
from staffbot.desk.posted import Post
from staffbot.desk.reaching import reach_of
from staffbot.desk.reading import listing, listing_of, owned
from staffbot.messages import Button, Message
from staffbot.model import Mention, Person, Status
from staffbot.reminders import is_disturbed, still_matters
from staffbot.tables import mentions


def nag(tx: Tx, post: Post) -> Message | None:
    """One message to a person (or, for them, to a room) about everything that they owe."""
    person = get_person(tx, post.detail["person"])
    if person is None or (not _is_sent(post) and _would_disturb(tx, post, person)):
        return None
    left = _left(tx, post)
    zone = tx.team(post.team).hours.zone
    if post.detail["about"] == "manager":
        if not left:
            return None
        found = listing_of(tx, [mention.number for mention in left])
        if post.room is not None:
            return nags.room_escalation(found, zone=zone, now=tx.now)
        teams = [tx.team(key).name for key in sorted({mention.team for mention in left})]
        return nags.manager_nag(found, teams=teams, zone=zone, now=tx.now)
    if not any(mention.owner == person.key for mention in left):
        return None
    everything = listing(tx, _owed(tx, person))
    late = listing(tx, _owed(tx, person) & (mentions.c.answer_due_at <= tx.now)).total
    if post.room is not None:
        return nags.room_nag(everything, late=late, zone=zone, now=tx.now)
    steps = zip(post.detail["mentions"], post.detail["steps"], strict=True)
    asked = sorted({number for number, step in steps if step == "still_on_it"})
    return nags.owner_nag(everything, late=late, asked=asked, zone=zone, now=tx.now)


def _is_sent(post: Post) -> bool:
    return post.state == "sent"


def _would_disturb(tx: Tx, post: Post, person: Person) -> bool:
    """The doors closed, the day ended or the person went away since the sweep decided: the outbox
    may be late."""
    team = tx.team(post.team)
    hours = tx.hours(team.key)
    today = hours.local(tx.now).date().isoformat()
    if not hours.is_open(tx.now) or post.detail["day"] != today:
        return True
    return is_disturbed(reach_of(tx, person.key, team), team, tx.now)


def _left(tx: Tx, post: Post) -> list[Mention]:
    """The mentions that a message was for, of those that it is still worth saying of."""
    rows = tx.conn.execute(
        select(mentions).where(mentions.c.number.in_(set(post.detail["mentions"])))
    )
    known = {row.number: mention_of(row) for row in rows}
    found = {
        number
        for number, step in zip(post.detail["mentions"], post.detail["steps"], strict=True)
        if number in known and still_matters(step, known[number], tx.now)
    }
    return [known[number] for number in sorted(found)]


def _owed(tx: Tx, person: Person) -> ColumnElement[bool]:
    """What a person has that still has to be answered and that they did not silence."""
    where: ColumnElement[bool] = (
        owned(person)
        & mentions.c.expects_answer
        & mentions.c.answered_at.is_(None)
        & mentions.c.waiting_since.is_(None)
        & (mentions.c.snoozed_until.is_(None) | (mentions.c.snoozed_until <= tx.now))
    )
    return where


def line(tx: Tx, post: Post) -> Message | None:
    """The one line of a room about what nobody has taken. A new one is not said in closed hours."""
    if post.detail.get("over"):
        return nags.past_line() if post.ref is not None else None
    team = tx.team(post.team)
    now = lines.waiting(tx, team)
    if post.ref is None and not (now.total and tx.hours(team.key).is_open(tx.now)):
        return None
    return nags.channel_line(
        numbers=now.numbers, total=now.total, overdue=now.overdue, offered=now.offered,
        next_due_at=now.next_due_at, zone=team.hours.zone,
    )  # fmt: skip


def notice(tx: Tx, post: Post) -> Message | None:
    """A sentence to a room, with the button that goes with it. `said` holds no patron's word."""
    said = post.detail.get("said")
    if not said:
        return None
    if "claim" in post.detail:
        number = post.detail["claim"]
        mention = find(tx, number)
        if mention is None or mention.status is not Status.OPEN:
            return Message(text=said) if _is_sent(post) else None
        claim = Button(name="claim", label=f"Claim #{number}", mention=number, primary=True)
        return Message(text=said, controls=(claim,))
    if "event" in post.detail:
        undo = Button(name="undo", label="Undo", value=str(post.detail["event"]))
        return Message(text=said, controls=(undo,))
    return Message(text=said)

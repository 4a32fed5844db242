"""Reminders as Messages, at the moment they are sent: what is done by then is left out.

None where nothing is left to say, or where the doors are closed by now: the sweep then counts the
step as not told.
"""

from __future__ import annotations

from staffbot import nags
from staffbot.desk import lines
from staffbot.desk.ledger import Tx
from staffbot.desk.mailroom import Post
from staffbot.desk.people import get_person
from staffbot.desk.reading import Listing, listing_of, owed
from staffbot.messages import Button, Message
from staffbot.model import Person, Status


def nag(tx: Tx, post: Post) -> Message | None:
    """One message to a person (or, for them, to a room) about everything that they owe."""
    if post.state != "sent" and not tx.hours(post.team).is_open(tx.now):
        return None
    zone = tx.team(post.team).hours.zone
    numbers = post.detail["mentions"]
    if post.detail["about"] == "manager":
        found = _still(listing_of(tx, numbers))
        if not found.total:
            return None
        return nags.manager_nag(found, team=tx.team(post.team).name, zone=zone, now=tx.now)
    person = get_person(tx, post.detail["person"])
    if person is None or not _any_left(tx, person, numbers):
        return None
    everything = owed(tx, person)
    if post.room is not None:
        return nags.room_nag(everything, zone=zone, now=tx.now)
    steps = zip(numbers, post.detail["steps"], strict=True)
    asked = [number for number, step in steps if step == "still_on_it"]
    return nags.owner_nag(everything, asked=asked, zone=zone, now=tx.now)


def _still(listing: Listing) -> Listing:
    """What is neither closed nor answered by now."""
    rows = tuple(
        row
        for row in listing.rows
        if row.mention.status is not Status.CLOSED and row.mention.answered_at is None
    )
    gone = len(listing.rows) - len(rows)
    return Listing(rows=rows, total=listing.total - gone)


def _any_left(tx: Tx, person: Person, numbers: list[int]) -> bool:
    """Whether what the message was for is still this person's to answer, and not put off since."""
    return any(
        row.mention.owner == person.key
        and (row.mention.snoozed_until is None or row.mention.snoozed_until <= tx.now)
        and row.mention.waiting_since is None
        for row in _still(listing_of(tx, numbers)).rows
    )


def line(tx: Tx, post: Post) -> Message | None:
    """The one line of a room about what nobody has taken."""
    team = tx.team(post.team)
    now = lines.waiting(tx, team)
    if not now.numbers and post.shown == 0 and post.ref is None:
        return None
    return nags.channel_line(
        numbers=now.numbers, overdue=len(now.overdue), away=len(now.away),
        next_due_at=now.next_due_at, zone=team.hours.zone,
    )  # fmt: skip


def notice(tx: Tx, post: Post) -> Message | None:
    """A sentence to a room, with the button that goes with it. `said` holds no patron's word."""
    said = post.detail.get("said")
    if not said:
        return None
    zone = tx.team(post.team).hours.zone
    if "take_over" in post.detail:
        listing = listing_of(tx, post.detail["take_over"])
        left = tuple(row for row in listing.rows if row.mention.owner == post.detail["from"])
        found = Listing(rows=left, total=len(left))
        return nags.offer(said, found, zone=zone, now=tx.now)
    if "claim" in post.detail:
        number = post.detail["claim"]
        claim = Button(name="claim", label=f"Claim #{number}", mention=number, primary=True)
        return Message(text=said, controls=(claim,))
    if "closure" in post.detail:
        undo = Button(name="reopen_hours", label="Undo", value=str(post.detail["closure"]))
        return Message(text=said, controls=(undo,))
    return Message(text=said)

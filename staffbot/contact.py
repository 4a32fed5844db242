"""Earlier contact with a patron, as an answer to who asked. Pure; says nothing of their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from staffbot.cards import CardFacts
from staffbot.messages import Bullets, Line, Message, say
from staffbot.model import Mention, Status
from staffbot.words import OUTCOMES, count, moment


class Earlier(Protocol):
    """One earlier mention, as `desk.contact` finds it."""

    @property
    def mention(self) -> Mention: ...
    @property
    def handled_by(self) -> str: ...


class Contact(Protocol):
    """The last of them, newest first, and how many there are in all."""

    @property
    def rows(self) -> Sequence[Earlier]: ...
    @property
    def total(self) -> int: ...


def told(facts: CardFacts, contact: Contact) -> Message:
    """How often, when last, how it ended, who handled it."""
    number, network = facts.mention.number, facts.network
    if not contact.total:
        return say(f"Nothing earlier is known of who wrote {number} on {network}.")
    last = moment(contact.rows[0].mention.received_at, facts.zone)
    text = (
        f"Who wrote {number} wrote {count(contact.total, 'mention')} before on {network}; "
        f"the last came in {last}."
    )
    if contact.total > len(contact.rows):
        text += f" The last {len(contact.rows)}:"
    return Message(text=text, parts=(Bullets(lines=tuple(_line(facts, e) for e in contact.rows)),))


def _line(facts: CardFacts, earlier: Earlier) -> Line:
    mention = earlier.mention
    by = f" by {earlier.handled_by}" if earlier.handled_by else ""
    line: Line = (f"{mention.number}, ", facts.when(mention.received_at), ": ")
    if mention.status is Status.OPEN:
        return (*line, "still unclaimed")
    if mention.status is Status.CLAIMED:
        return (*line, f"still open, claimed{by}")
    outcome = OUTCOMES[mention.outcome] if mention.outcome else "closed"
    if mention.closed_at is None:
        return (*line, outcome, by)
    return (*line, outcome, by, ", closed ", facts.when(mention.closed_at))

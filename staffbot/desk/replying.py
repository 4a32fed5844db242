"""Answers from chat, written: who may, what is there already, stored before anything is sent.

The words stand in `words` beside the patron's, with role "reply"; everything else is a reference.
What becomes of them is in reply_carriage.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select

from staffbot.answering import ON_THE_WAY, Seen, Standing, State, room_left, too_long, whole
from staffbot.commands import May, refusal
from staffbot.desk.claims import give
from staffbot.desk.conversations import may_read
from staffbot.desk.hashes import keyed, storable
from staffbot.desk.ledger import Tx, again, enact, find, to_change, typed
from staffbot.desk.people import name_of
from staffbot.errors import Refused
from staffbot.model import Answer, Done, Happened, Mention, Patron, Person, Status, Unchanged
from staffbot.network import ReplyLimit
from staffbot.tables import patrons, people, replies, words
from staffbot.words import moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person is shown to answer: the patron's words, what fits, and what there is already.

    kept   the words of an answer that could not be sent, to go on from
    said   who answered before, as a sentence, or ""
    """

    mention: Mention
    text: str
    permalink: str
    limit: ReplyLimit
    room: int
    signature: str
    kept: str
    seen: Seen
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """It was not stored: the person has to look at it once more. `said` tells why."""

    said: str
    seen: Seen


def can_reply(tx: Tx, mention: Mention) -> bool:
    """Whether this mention can be answered from chat at all."""
    return (
        tx.settings.replies.enabled
        and tx.settings.source(mention.source).limit is not None
        and mention.deleted_at is None
        and mention.status is not Status.CLOSED
    )


def draft(tx: Tx, number: int, person: Person) -> Draft:
    """What the form shows. Raises Refused where it cannot be answered from chat, or not by them."""
    mention = find(tx, number)
    if mention is None:
        raise Refused(f"There is no mention {number}. {typed(tx, 'queue')} lists what is open.")
    limit = _allowed(tx, mention, person)
    first = _first_words(tx, number)
    signature = _signature(tx, person)
    sent = _answers(tx, number)
    return Draft(
        mention=mention, text=first.text, permalink=first.permalink, limit=limit,
        room=room_left(limit, _patron(first), signature, first.title), signature=signature,
        kept=_kept(tx, number, sent, person), seen=_seen(mention, sent),
        said=_before(tx, mention, sent),
    )  # fmt: skip


def write(
    tx: Tx, number: int, person: Person, text: str, seen: str | None = None
) -> Answer | NotYet:
    """Store an answer to be sent. Done means that it is stored; it goes out within moments.

    `seen` is what the form showed; None for an answer that was typed without one. Whoever writes
    first is sent; the other is told. What nobody has is claimed by who answers it.
    """
    mention = to_change(tx, number)
    limit = _allowed(tx, mention, person)
    if not text.strip():
        raise Refused(
            f"What should the answer say? Like: {typed(tx, f'reply {number} Thank you!')}"
        )
    first = _first_words(tx, number)
    said = storable(whole(text, _patron(first), limit, _signature(tx, person)))
    before = _answers(tx, number)
    now = _seen(mention, before)
    if before and before[-1].person == person.key and before[-1].text == said:
        again_ = _same_again(before[-1], number, seen, now)
        if again_ is not None:
            return again_
    if before and before[-1].state in ON_THE_WAY:
        return NotYet(said=_on_its_way(tx, before[-1], number), seen=now)
    if (seen or str(Seen())) != str(now):
        return NotYet(said=_before(tx, mention, before) or "Something changed since.", seen=now)
    if long := too_long(said, limit, first.title):
        return NotYet(said=long, seen=now)
    return _store(tx, mention, person, said, place=len(before) + 1)


def write_again(tx: Tx, number: int, author: Person, person: Person, said: str) -> Answer:
    """Store the words of an answer once more, as `person` wishes; they stay those of `author`."""
    mention = to_change(tx, number)
    _allowed(tx, mention, person)
    if mention.status is Status.OPEN:
        give(tx, mention, person, Happened.CLAIMED, by=person)
        mention = again(tx, number)
    _store(tx, mention, author, said, place=len(_answers(tx, number)) + 1)
    return Done(mention=number, said=f"The answer to {number} is sent again now.")


def _same_again(last: Row[Any], number: int, seen: str | None, now: Seen) -> Unchanged | None:
    """The same form sent twice, by a slow network or an impatient thumb, is one answer."""
    if last.state in ON_THE_WAY:
        return Unchanged(mention=number, said=f"Your answer to {number} is on its way already.")
    if last.state == State.SENT and seen != str(now):
        return Unchanged(mention=number, said=f"Your answer to {number} went out already.")
    return None


def _store(tx: Tx, mention: Mention, person: Person, said: str, *, place: int) -> Done:
    number = mention.number
    if mention.status is Status.OPEN:
        give(tx, mention, person, Happened.CLAIMED, by=person)
        mention = again(tx, number)
    newest = tx.conn.execute(
        select(func.max(words.c.part)).where(words.c.mention == number)
    ).scalar_one()
    part = newest + 1
    tx.conn.execute(
        insert(words).values(
            mention=number, part=part, role="reply", at=tx.now, person=person.key, text=said
        )
    )
    event = enact(tx, mention, Happened.REPLY_WRITTEN, person, {}, part=part)
    key = keyed(tx.settings.store.identity_key, "reply", str(number), str(place))
    tx.conn.execute(
        insert(replies).values(
            key=key, mention=number, place=place, part=part, source=mention.source,
            person=person.key, event=event, written_at=tx.now, state=State.WAITING,
        )
    )  # fmt: skip
    return Done(mention=number, said=f"Your answer to {number} is stored and goes out now.")


def newest(tx: Tx, number: int) -> Standing | None:
    """Where the newest answer from chat is, for the card; None where there is none."""
    row = tx.conn.execute(
        select(replies).where(replies.c.mention == number).order_by(replies.c.place.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Standing(state=State(row.state), by=name_of(tx, row.person), why=row.error)


# --- who may, and what there is -----------------------------------------------------------------


def _allowed(tx: Tx, mention: Mention, person: Person) -> ReplyLimit:
    """The network's limit. Raises Refused with what helps."""
    number = mention.number
    if not tx.settings.replies.enabled:
        raise Refused(
            "Answers from chat are switched off. Answer in the network's own app; "
            "[replies] enabled = true in the configuration switches them on."
        )
    source = tx.settings.source(mention.source)
    if source.limit is None:
        raise Refused(
            f"{source.shown_as} cannot be answered from here. Open the post and answer there, "
            f"then: {typed(tx, f'done {number}')}"
        )
    if mention.deleted_at is not None:
        raise Refused(f"The patron took {number} back, so there is nothing to answer any more.")
    if mention.status is Status.CLOSED:
        raise Refused(f"{number} is closed. {typed(tx, f'reopen {number}')} opens it again.")
    owner = name_of(tx, mention.owner) if mention.owner else ""
    why = refusal(May.OWNER, person, number, mention.owner, owner)
    if why is None and mention.private and not may_read(mention, person):
        why = refusal(May.TRUSTED, person, number, mention.owner, owner)
    if why is not None:
        raise Refused(why)
    return source.limit


def _first_words(tx: Tx, number: int) -> Row[Any]:
    row = tx.conn.execute(
        select(words, patrons.c.name, patrons.c.handle, patrons.c.url)
        .outerjoin(patrons, patrons.c.id == words.c.patron)
        .where(words.c.mention == number, words.c.role == "mention")
    ).one_or_none()
    if row is None:
        raise Refused(f"The words of {number} were erased, so it cannot be answered from here.")
    return row


def _patron(row: Row[Any]) -> Patron:
    return Patron(name=row.name or "", handle=row.handle or "", url=row.url or "")


def _signature(tx: Tx, person: Person) -> str:
    found = tx.conn.execute(select(people.c.signature).where(people.c.key == person.key)).scalar()
    return found or ""


def _answers(tx: Tx, number: int) -> list[Row[Any]]:
    """Every answer from chat to a mention with its words, in order."""
    return list(
        tx.conn.execute(
            select(replies, words.c.text)
            .outerjoin(
                words, (words.c.mention == replies.c.mention) & (words.c.part == replies.c.part)
            )
            .where(replies.c.mention == number)
            .order_by(replies.c.place)
        )
    )


def _seen(mention: Mention, answers: list[Row[Any]]) -> Seen:
    return Seen(answers=len(answers), answered=mention.answered_at is not None)


def _kept(tx: Tx, number: int, answers: list[Row[Any]], person: Person) -> str:
    """The words of one's own last answer that surely did not go out, without their signature."""
    if not answers or answers[-1].person != person.key or not answers[-1].text:
        return ""
    if answers[-1].state not in (State.FAILED, State.WITHDRAWN):
        return ""
    text: str = answers[-1].text
    return text.removesuffix(_signature(tx, person)).rstrip()


def _before(tx: Tx, mention: Mention, answers: list[Row[Any]]) -> str:
    """Who answered last, and when: for whoever is about to answer too."""
    number = mention.number
    if answers and answers[-1].state in ON_THE_WAY:
        return _on_its_way(tx, answers[-1], number)
    sent = [one for one in answers if one.state == State.SENT]
    if sent:
        at = _local(tx, mention, sent[-1].sent_at)
        return f"{name_of(tx, sent[-1].person)} answered {number} {at}."
    if mention.answered_at is not None:
        return f"{number} was answered {_local(tx, mention, mention.answered_at)}."
    unsure = [one for one in answers if one.state == State.UNKNOWN]
    if unsure:
        who = name_of(tx, unsure[-1].person)
        return f"{who} answered {number}, but nobody can tell whether it arrived: look there first."
    if answers:
        return f"{name_of(tx, answers[-1].person)} wrote an answer to {number} that was not sent."
    return ""


def _on_its_way(tx: Tx, answer: Row[Any], number: int) -> str:
    who = name_of(tx, answer.person)
    return f"An answer to {number} by {who} is on its way just now."


def _local(tx: Tx, mention: Mention, at: datetime) -> str:
    hours = tx.hours(mention.team)
    local = hours.local(at)
    today = local.date() == hours.local(tx.now).date()
    return f"at {local:%H:%M}" if today else moment(at, hours.zone)

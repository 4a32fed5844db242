"""Done, and not done after all: close with an outcome, answered there, just thanks, reopen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from staffbot.desk.conversations import add_note, clock_from_now
from staffbot.desk.ledger import Tx, again, enact, to_change, typed
from staffbot.desk.showing import show_everywhere
from staffbot.errors import Refused
from staffbot.model import Answer, Done, Happened, Mention, Outcome, Person, Status, Unchanged
from staffbot.policy import answered_within, waited_seconds, worked_seconds
from staffbot.tables import mentions
from staffbot.words import moment

_SAID = {
    Outcome.ANSWERED: "answered",
    Outcome.NO_ANSWER_NEEDED: "no answer needed",
    Outcome.SPAM: "spam",
    Outcome.NOT_FOR_US: "not for us",
    Outcome.PASSED_ON: "passed on",
}


def close(
    tx: Tx,
    number: int,
    person: Person,
    *,
    outcome: Outcome,
    topics: Sequence[str] = (),
    note: str = "",
    at: datetime | None = None,
) -> Answer:
    """Close a mention. `at` is when it was answered in the network's own app; None means now.

    Raises Refused where `at` lies ahead or before the patron wrote, or a topic is not configured.
    """
    mention = to_change(tx, number)
    if mention.status is Status.CLOSED:
        said = f"{number} is closed already ({_SAID[mention.outcome or outcome]}). {_again(tx, number)}"
        return Unchanged(mention=number, said=said)
    _sensible(tx, mention, at)
    chosen = _topics(tx, topics)
    first, when = None, ""
    if note.strip():
        part = add_note(tx, mention, person, note)
        first = enact(tx, mention, Happened.NOTED, person, {}, part=part)
        mention = again(tx, number)
    if outcome is Outcome.ANSWERED and mention.answered_at is None:
        answered = answer(tx, mention, person, at or tx.now)
        first = first or answered
        mention = again(tx, number)
        when = f" {moment(at, tx.team(mention.team).hours.zone)}" if at else ""
    event = enact(
        tx, mention, Happened.CLOSED, person, _closed(tx, mention, person, outcome, chosen),
        outcome=outcome, topics=list(chosen),
    )  # fmt: skip
    said = f"{number} is done: {_SAID[outcome]}{when}."
    return Done(mention=number, said=said, event=first or event)


def answer(tx: Tx, mention: Mention, person: Person | None, at: datetime, **detail: Any) -> int:
    """Note the first answer to the patron at its own time. Returns the event."""
    hours = tx.hours(mention.team)
    taken = worked_seconds(mention, hours, at)
    target = tx.team(mention.team).target(mention.source, mention.kind)
    return enact(
        tx, mention, Happened.ANSWERED, person, {"answered_at": at}, at=at, open_seconds=taken,
        within_target=answered_within(mention, target, taken), **detail,
    )  # fmt: skip


def close_answered(tx: Tx, mention: Mention, person: Person | None) -> None:
    """Close what was answered on the network itself, where the source's setting says so."""
    values = _closed(tx, mention, person, Outcome.ANSWERED, mention.topics)
    enact(
        tx, mention, Happened.CLOSED, person, values,
        outcome=Outcome.ANSWERED, topics=list(mention.topics), there=True,
    )  # fmt: skip


def _closed(
    tx: Tx, mention: Mention, person: Person | None, outcome: Outcome, topics: Sequence[str]
) -> dict[str, Any]:
    return {
        "status": Status.CLOSED, "outcome": outcome, "topics": list(topics),
        "closed_at": tx.now, "next_step_at": None, "snoozed_until": None,
        "waited_seconds": waited_seconds(mention, tx.hours(mention.team), tx.now),
        "waiting_since": None, "owner": None,
        "last_owner": mention.owner or (person.key if person else mention.last_owner),
    }  # fmt: skip


def _sensible(tx: Tx, mention: Mention, at: datetime | None) -> None:
    if at is None:
        return
    zone = tx.team(mention.team).hours.zone
    if at > tx.now:
        raise Refused(
            f"{moment(at, zone)} is still to come. Say when it was answered: "
            f"{typed(tx, f'done {mention.number} at 9:15')}."
        )
    if at < mention.posted_at - timedelta(minutes=1):
        raise Refused(
            f"{mention.number} was written {moment(mention.posted_at, zone)}; "
            f"an answer {moment(at, zone)} would come before it. Give a later time."
        )


def _again(tx: Tx, number: int) -> str:
    return f"{typed(tx, f'reopen {number}')} opens it again."


def _topics(tx: Tx, topics: Sequence[str]) -> list[str]:
    known = {topic.casefold(): topic for topic in tx.settings.topics}
    unknown = [topic for topic in topics if topic.casefold() not in known]
    if unknown:
        raise Refused(
            f"There is no topic “{unknown[0][:40]}”. The topics are: {', '.join(tx.settings.topics)}."
        )
    return [known[topic.casefold()] for topic in topics]


def thanks(tx: Tx, number: int, person: Person) -> Answer:
    """Just thanks: a kind word that asks nothing. Closes without a clock."""
    mention = to_change(tx, number)
    if mention.status is Status.CLOSED:
        return Unchanged(mention=number, said=f"{number} is closed already. {_again(tx, number)}")
    topic = next((t for t in tx.settings.topics if t.casefold() == "thanks"), None)
    topics = [topic] if topic else []
    values = _closed(tx, mention, person, Outcome.NO_ANSWER_NEEDED, topics) | {
        "expects_answer": False, "claim_due_at": None, "answer_due_at": None,
    }  # fmt: skip
    event = enact(
        tx, mention, Happened.CLOSED, person, values,
        outcome=Outcome.NO_ANSWER_NEEDED, topics=topics, thanks=True,
    )  # fmt: skip
    return Done(mention=number, said=f"{number} is done: just thanks.", event=event)


def reopen(tx: Tx, number: int, person: Person) -> Answer:
    """Open a closed mention again: a new cycle with new clocks, for the whole team.

    Whoever opens it by hand says that it is not done, so an answer is owed, also where none was
    (it was only heard, or just thanks).
    """
    mention = to_change(tx, number)
    if mention.status is not Status.CLOSED:
        return Unchanged(mention=number, said=f"{number} is not closed.")
    event = begin_again(tx, mention, person)
    due = again(tx, number).answer_due_at
    by = f", answer by {moment(due, tx.team(mention.team).hours.zone)}" if due else ""
    heard = "" if mention.expects_answer else f" {typed(tx, f'heard {number}')} if none is owed."
    return Done(mention=number, said=f"{number} is open again{by}.{heard}", event=event)


def begin_again(tx: Tx, mention: Mention, person: Person | None, **detail: Any) -> int:
    """A new cycle of a closed mention, in which an answer is owed and whose clocks start now.
    Returns the event."""
    event = enact(
        tx, mention, Happened.REOPENED, person,
        {
            **clock_from_now(tx, mention, expects=True),
            "status": Status.OPEN, "outcome": None, "topics": [], "cycle": mention.cycle + 1,
            "claimed_at": None, "answered_at": None, "closed_at": None, "owner": None,
            "waited_seconds": 0, "waiting_since": None, "snoozed_until": None,
            "still_asked_at": None,
        },
        **detail,
    )  # fmt: skip
    tx.conn.execute(
        update(mentions).where(mentions.c.number == mention.number).values(next_look_at=tx.now)
    )
    show_everywhere(tx, mention.number)
    return event

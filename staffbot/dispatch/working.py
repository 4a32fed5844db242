"""Take and finish: claim, release, done, close, thanks, reopen, undo, and a storm's buttons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from staffbot.commands import outcome_of
from staffbot.desk import claims, closing, closures, storms, undoing
from staffbot.desk.ledger import find
from staffbot.desk.meant import last_act_on
from staffbot.dispatch.jobs import Handler, Job
from staffbot.errors import Refused
from staffbot.messages import Reply, say
from staffbot.model import Outcome
from staffbot.times import parse_clock, parse_moment
from staffbot.words import OUTCOMES, listed


def _claim(job: Job) -> Reply:
    return job.answer(claims.claim(job.tx, job.number, job.person))


def _release(job: Job) -> Reply:
    return job.answer(claims.release(job.tx, job.number, job.person))


def _done(job: Job) -> Reply:
    """Of `done 42 as spam` the outcome is read as topics, as done has none of its own."""
    words = [word for word in job.get("topics").split(",") if word not in ("", "as")]
    other = outcome_of(" ".join(words))
    if other not in (None, Outcome.ANSWERED) and not known_topics(job, words):
        root = job.tx.settings.root
        raise Refused(
            f"“done” closes as answered. Type `/{root} close {job.number} as {OUTCOMES[other]}`."
        )
    return _close_as(job, Outcome.ANSWERED)


def _close(job: Job) -> Reply:
    said = job.need("outcome")
    outcome = outcome_of(said)
    if outcome is None:
        raise Refused(f"There is no outcome “{said[:40]}”. It is {outcomes()}.")
    return _close_as(job, outcome)


def known_topics(job: Job, topics: Sequence[str]) -> bool:
    """Whether all of these are topics of the library's."""
    known = {topic.casefold() for topic in job.tx.settings.topics}
    return known.issuperset(topic.casefold() for topic in topics)


def outcomes() -> str:
    return listed(list(OUTCOMES.values()), joined="or")


def _close_as(job: Job, outcome: Outcome) -> Reply:
    topics = [topic for topic in job.get("topics").split(",") if topic]
    answer = closing.close(
        job.tx, job.number, job.person,
        outcome=outcome, topics=topics, note=job.get("note"), at=_answered_at(job),
    )  # fmt: skip
    return job.answer(answer)


def _answered_at(job: Job) -> datetime | None:
    """When it was answered. A time alone is the nearest one: at 9:00, 14:30 is still to come."""
    said = job.get("at")
    if not said:
        return None
    hours, now = job.tx.hours(job.team.key), job.tx.now
    said = f"at {said}" if said.isdigit() else said
    found = parse_moment(said, now=now, hours=hours, past=True)
    alone = said.startswith("at ") or parse_clock(said) is not None
    if not alone or hours.local(found).date() == hours.local(now).date():
        return found
    said = said.removeprefix("at ")
    if parse_moment(f"at {said}", now=now, hours=hours) - now < now - found:
        raise Refused(
            f"{said} is still to come today. For the day before, write yesterday {said}; "
            "without a time it counts as answered now."
        )
    return found


def _thanks(job: Job) -> Reply:
    return job.answer(closing.thanks(job.tx, job.number, job.person))


def _reopen(job: Job) -> Reply:
    return job.answer(closing.reopen(job.tx, job.number, job.person))


def _undo(job: Job) -> Reply:
    """By its button (the event is the value), by a mention's number, or what was done last."""
    value = job.get("value")
    if value.isdigit():
        event: int | None = int(value)
    elif job.number:
        event = last_act_on(job.tx, job.person, job.number)
    else:
        event = undoing.last_act(job.tx, job.person)
    if event is None:
        if job.number and find(job.tx, job.number) is None:
            root = job.tx.settings.root
            raise Refused(f"There is no mention {job.number}. `/{root} queue` shows what is open.")
        what = f" on {job.number}" if job.number else ""
        return say(f"There is nothing of yours{what} to undo.")
    closure = closures.closure_of(job.tx, event)
    if closure is not None:
        return job.answer(closures.revoke(job.tx, closure, job.person))
    return job.answer(undoing.undo(job.tx, event, job.person))


def _take_next(job: Job) -> Reply:
    return job.answer(storms.take_next(job.tx, storm_of(job), job.person))


def _close_all(job: Job) -> Reply:
    outcome = outcome_of(job.need("outcome"))
    if outcome is None:
        raise Refused(f"The outcome is {outcomes()}.")
    return job.answer(storms.close_all(job.tx, storm_of(job), job.person, outcome))


def storm_of(job: Job) -> int:
    """The storm that a button is about."""
    storm = job.need("storm")
    if not storm.isdigit():
        raise Refused("Please use the buttons on the storm's card.")
    return int(storm)


HANDLERS: dict[str, Handler] = {
    "claim": _claim,
    "release": _release,
    "done": _done,
    "close": _close,
    "thanks": _thanks,
    "reopen": _reopen,
    "undo": _undo,
    "take next": _take_next,
    "close all": _close_all,
}

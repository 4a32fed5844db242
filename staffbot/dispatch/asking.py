"""The form that is asked where a verb lacks an argument, with what the desk knows filled in."""

from __future__ import annotations

from collections.abc import Callable

from staffbot import forms
from staffbot.desk.ledger import find
from staffbot.desk.people import everyone
from staffbot.desk.storms import tally
from staffbot.dispatch.contacting import mute_form, reply_form
from staffbot.dispatch.jobs import Job
from staffbot.dispatch.passing import team_only
from staffbot.dispatch.working import known_topics, outcomes, storm_of
from staffbot.errors import Refused
from staffbot.messages import Form
from staffbot.model import Status


def ask(job: Job, form: str) -> Form:
    """The form of that name. Raises Refused where its mention is not there or already closed."""
    if job.number:
        mention = find(job.tx, job.number)
        root = job.tx.settings.root
        if mention is None:
            raise Refused(f"There is no mention {job.number}. `/{root} queue` shows what is open.")
        if mention.status is Status.CLOSED and form not in ("note", "link", "mute"):
            raise Refused(f"{job.number} is closed. `/{root} reopen {job.number}` opens it again.")
    return FORMS[form](job)


def _close(job: Job) -> Form:
    """With the topics and the time that were typed; a word that is none of them is told."""
    said = [topic for topic in job.get("topics").split(",") if topic]
    if not known_topics(job, said):
        topics = ", ".join(job.tx.settings.topics)
        raise Refused(
            f"“{' '.join(said)[:40]}” is no outcome and no topic. The outcome is {outcomes()}; "
            f"the topics are: {topics}."
        )
    known = [topic for topic in job.tx.settings.topics if topic.casefold() in said]
    return forms.close(job.number, job.tx.settings.topics, chosen=",".join(known), at=job.get("at"))


def _answered(job: Job) -> Form:
    return forms.answered(job.number, job.tx.settings.topics)


def _assign(job: Job) -> Form:
    return forms.assign(job.number, _who_is_here(job))


def _hand_over(job: Job) -> Form:
    others = [(key, name) for key, name in _who_is_here(job) if key != job.person.key]
    return forms.hand_over(job.number or None, others)


def _who_is_here(job: Job) -> list[tuple[str, str]]:
    """Nothing is given to who is away."""
    return [
        (person.key, person.name)
        for person in everyone(job.tx)
        if person.away_until is None or person.away_until <= job.tx.now
    ]


def _snooze(job: Job) -> Form:
    return forms.snooze(job.number)


def _away(job: Job) -> Form:
    return forms.away()


def _move(job: Job) -> Form:
    team_only(job)
    current = job.team.key
    others = [(team.key, team.name) for team in job.tx.settings.teams if team.key != current]
    return forms.move(job.number, others)


def _note(job: Job) -> Form:
    return forms.note(job.number)


def _link(job: Job) -> Form:
    return forms.link(job.number)


def _log(job: Job) -> Form:
    return forms.log()


def _close_all(job: Job) -> Form:
    storm = storm_of(job)
    return forms.close_all(str(storm), tally(job.tx, storm)[Status.OPEN])


FORMS: dict[str, Callable[[Job], Form]] = {
    "close": _close,
    "answered": _answered,
    "assign": _assign,
    "hand_over": _hand_over,
    "snooze": _snooze,
    "away": _away,
    "move": _move,
    "note": _note,
    "link": _link,
    "log": _log,
    "close_all": _close_all,
    "reply": reply_form,
    "mute": mute_form,
}

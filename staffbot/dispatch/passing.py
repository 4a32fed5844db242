"""Give to somebody else, and more about one mention: notes, privacy, links, clocks, what is logged."""

from __future__ import annotations

from staffbot import answers, forms
from staffbot.desk import claims, conversations
from staffbot.desk.logged import log
from staffbot.desk.meant import resolve
from staffbot.desk.reading import card_facts
from staffbot.dispatch.jobs import Handler, Job
from staffbot.errors import Refused
from staffbot.messages import Button, Reply, say


def _hand_over(job: Job) -> Reply:
    said = job.get("person")
    team = said.casefold() in ("", "team", "the team")
    to = None if team else job.other_person(said)
    if not job.number:
        return job.answer(claims.hand_over(job.tx, job.person, to))
    # It was named, or its button pressed: that one only.
    if to is None:
        return job.answer(claims.release(job.tx, job.number, job.person))
    return job.answer(claims.assign(job.tx, job.number, to, job.person))


def _assign(job: Job) -> Reply:
    to = job.other_person(job.need("person"))
    return job.answer(claims.assign(job.tx, job.number, to, job.person))


def _move(job: Job) -> Reply:
    team = job.other_team(job.need("team"))
    return job.answer(conversations.move(job.tx, job.number, team.key, job.person))


def _note(job: Job) -> Reply:
    return job.answer(conversations.note(job.tx, job.number, job.person, job.need("text")))


def _private(job: Job) -> Reply:
    return job.answer(conversations.keep_private(job.tx, job.number, job.person))


def _public(job: Job) -> Reply:
    return job.answer(conversations.make_public(job.tx, job.number, job.person))


def _read(job: Job) -> Reply:
    conversations.read_privately(job.tx, job.number, job.person)
    facts = card_facts(job.tx, job.number, show_words=True)
    assert facts is not None  # read_privately refuses a number that is not there
    return answers.show(facts, ())


def _link(job: Job) -> Reply:
    other = resolve(job.tx, job.person, job.need("other"), job.actor)
    return job.answer(conversations.link(job.tx, job.number, other, job.person))


def _unlink(job: Job) -> Reply:
    return job.answer(conversations.unlink(job.tx, job.number, job.person))


def _expects(job: Job) -> Reply:
    return job.answer(conversations.set_clock(job.tx, job.number, job.person, True))


def _heard(job: Job) -> Reply:
    return job.answer(conversations.set_clock(job.tx, job.number, job.person, False))


def _log(job: Job) -> Reply:
    here = job.tx.settings.team_of_room(job.actor.room) if job.actor.room else None
    how = dict(forms.WAYS).get(job.get("how"), "")
    done = log(
        job.tx, job.person, job.need("text"), how=how, who=job.get("who"),
        expects=job.get("expects") != "no", team=here.key if here else None,
    )  # fmt: skip
    claim = Button(name="claim", label="Claim", mention=done.mention, primary=True)
    return say(done.said, controls=[claim])


def team_only(job: Job) -> None:
    """Refused where a house has one team only, as there is nowhere to move to."""
    if len(job.tx.settings.teams) < 2:
        raise Refused("There is one team only, so there is nowhere to move it to.")


HANDLERS: dict[str, Handler] = {
    "hand over": _hand_over,
    "assign": _assign,
    "move": _move,
    "note": _note,
    "private": _private,
    "public": _public,
    "read": _read,
    "link": _link,
    "unlink": _unlink,
    "expects": _expects,
    "heard": _heard,
    "log": _log,
}

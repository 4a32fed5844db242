"""The patron: answer them from here, services to point them to, earlier contact, mute."""

from __future__ import annotations

from staffbot import contacts, forms
from staffbot.desk import contact, muting, replying, unsure
from staffbot.desk.ledger import find
from staffbot.desk.reading import network_of
from staffbot.desk.replying import Draft, NotYet
from staffbot.dispatch.jobs import Handler, Job
from staffbot.errors import Refused
from staffbot.messages import Form, Quote, Reply
from staffbot.settings import Service
from staffbot.times import parse_moment


def _reply(job: Job) -> Reply:
    """Stored, or the form again: where a service is put in, it is too long, or somebody answered."""
    text = job.need("text")
    if job.get("saved"):
        return reply_form(job)
    answer = replying.write(job.tx, job.number, job.person, text, job.get("seen") or None)
    if isinstance(answer, NotYet):
        return reply_form(job, why=answer.said)
    return job.answer(answer)


def reply_form(job: Job, why: str = "") -> Form:
    """The form with what was written so far, and what the person has to know."""
    found = replying.draft(job.tx, job.number, job.person)
    language = found.mention.language
    text = job.get("text") or found.kept
    saved = _service(job, job.get("saved"))
    if saved is not None:
        text = f"{text}\n\n{saved.said(language)}".strip()
    said = " ".join(part for part in (why or found.said, _room(found)) if part)
    quote = Quote(text=found.text, permalink=found.permalink, language=language)
    return forms.reply(
        job.number, network_of(job.tx, found.mention.source), quote,
        text=text, hint=said, seen=str(found.seen), standing=_standing(found),
        services=[(one.name, one.name) for one in job.tx.settings.services],
    )  # fmt: skip


def _it_was_sent(job: Job) -> Reply:
    return job.answer(unsure.it_was_sent(job.tx, job.number, job.person))


def _send_again(job: Job) -> Reply:
    return job.answer(unsure.send_again(job.tx, job.number, job.person))


def _room(found: Draft) -> str:
    signed = f", signed “{found.signature}”" if found.signature else ""
    return f"{found.room} {found.limit.unit} at most{signed}.{_who_sees(found)}"


def _who_sees(found: Draft) -> str:
    """What is kept private here was not always private there."""
    if not found.mention.private:
        return ""
    if found.limit.private:
        return " Only the patron sees it."
    return " The words are kept private here, but everybody can see the answer there."


def _standing(found: Draft) -> str:
    return "a further answer" if found.seen.answers or found.seen.answered else "the first answer"


def _service(job: Job, name: str) -> Service | None:
    wanted = name.casefold()
    return next(
        (one for one in job.tx.settings.services if one.name.casefold() == wanted and wanted), None
    )


def _services(job: Job) -> Reply:
    listed = job.tx.settings.services
    said = job.get("service")
    if not listed:
        raise Refused(
            "No services are listed. Whoever looks after staffbot adds them as [[services]] "
            "with name, link and text."
        )
    if not said:
        return contacts.services(listed)
    found = [one for one in listed if said.casefold() in one.name.casefold()]
    if not found:
        names = ", ".join(one.name for one in listed)
        raise Refused(f"There is no service called “{said[:40]}”. They are: {names}.")
    return contacts.services(found, texts=True)


def _history(job: Job) -> Reply:
    before = contact.earlier(job.tx, job.number)
    return contacts.earlier(before, zone=job.team.hours.zone)


def _mute(job: Job) -> Reply:
    said = job.get("author")
    if not said and not job.number:
        return contacts.muted(muting.muted(job.tx), zone=job.team.hours.zone)
    hours = job.tx.hours(job.team.key)
    until = (
        parse_moment(job.get("until"), now=job.tx.now, hours=hours) if job.get("until") else None
    )
    return job.answer(muting.mute(job.tx, job.person, said or job.number, until))


def _unmute(job: Job) -> Reply:
    said = job.get("author")
    if not said and not job.number:
        return contacts.muted(muting.muted(job.tx), zone=job.team.hours.zone)
    return job.answer(muting.unmute(job.tx, job.person, said or job.number))


def mute_form(job: Job) -> Form:
    if job.number and find(job.tx, job.number) is None:
        root = job.tx.settings.root
        raise Refused(f"There is no mention {job.number}. `/{root} queue` shows what is open.")
    return forms.mute(job.number or None, job.get("author"))


HANDLERS: dict[str, Handler] = {
    "reply": _reply,
    "it was sent": _it_was_sent,
    "send it again": _send_again,
    "services": _services,
    "history": _history,
    "mute": _mute,
    "unmute": _unmute,
}

"""Dispatch: parse -> who -> which mention -> permission -> use case -> Message.

A command that changes something is one transaction from the person to the answer, so a returned
answer is stored; one that only looks runs on a snapshot. Nothing that a person does raises.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from staffbot import answers, seams
from staffbot.commands import Call, parse, pressed
from staffbot.desk import hearing
from staffbot.desk.acts import first_time
from staffbot.desk.delivery import room_is_back
from staffbot.desk.ledger import Desk, Tx
from staffbot.desk.people import everyone, person_of
from staffbot.desk.reading import known
from staffbot.desk.rendering import shown
from staffbot.dispatch import contacting, figuring, passing, pausing, seeing, working
from staffbot.dispatch.asking import ask
from staffbot.dispatch.completing import completions
from staffbot.dispatch.jobs import Handler, job_of
from staffbot.dispatch.lateness import not_too_late, worth_answering
from staffbot.errors import Refused, StoreError
from staffbot.messages import Message, Reply, say
from staffbot.model import Actor, Person, Room

HANDLERS: dict[str, Handler] = {
    **seeing.HANDLERS,
    **working.HANDLERS,
    **passing.HANDLERS,
    **pausing.HANDLERS,
    **figuring.HANDLERS,
    **contacting.HANDLERS,
}

_OLD = replace(say("That was done already."), old=True)

_log = structlog.get_logger(__name__)


class Dispatch:
    """What every door calls; the one real `seams.Desk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def command(self, actor: Actor, text: str) -> Reply:
        """A typed command without its root: `claim 42`."""
        root = self._desk.settings.root

        def read() -> Call:
            return parse(
                text.strip().removeprefix(f"/{root} "), root=root, in_thread=bool(actor.thread)
            )

        return await self._answer("command", actor, lambda: self._run(actor, read()))

    async def press(
        self, actor: Actor, control: str, mention: int | None = None, value: str = ""
    ) -> Reply:
        """A button or choice of a message was used."""
        return await self._answer(
            control, actor, lambda: self._run(actor, pressed(control, value), mention, asks=True)
        )

    async def submit(
        self, actor: Actor, form: str, mention: int | None, values: Mapping[str, str | list[str]]
    ) -> Reply:
        """A form was filled in."""
        filled = {name: _one(value) for name, value in values.items() if value}
        return await self._answer(
            form, actor, lambda: self._run(actor, pressed(form, filled=filled), mention)
        )

    async def complete(self, actor: Actor, text: str) -> Sequence[seams.Completion]:
        """How the command line `text` can go on, as whole lines; nothing where that fails."""
        try:
            return await self._desk.looking(completions, actor, text)
        except Exception:
            _log.exception("incident", doing="complete", platform=actor.platform)
            return ()

    async def shown(self, key: str) -> Message | None:
        """What the post of that outbox key says now; None where it says nothing any more."""
        return await self._desk.looking(shown, key)

    async def staff(self) -> Sequence[Person]:
        """Everyone known to work here."""
        return await self._desk.looking(everyone)

    async def last_heard(self, platform: str) -> datetime | None:
        """Until when that platform was heard, before this run too; None where it never was."""
        return await self._desk.looking(hearing.last_heard, platform)

    async def heard(self, platform: str, at: datetime) -> None:
        """That platform was heard until then."""
        await self._desk.acting(hearing.heard, platform, at)

    async def unheard(self, marks: Sequence[seams.Mark]) -> Sequence[seams.Mark]:
        """Of marks read afterwards, those that still ask for something."""
        return await self._desk.acting(hearing.unheard, marks) if marks else ()

    async def noted(self, marks: Sequence[seams.Mark]) -> None:
        """These count as heard, whatever came of them."""
        if marks:
            await self._desk.acting(hearing.noted, marks)

    async def opened(self, room: Room) -> None:
        """That room may be written to again: what waits for it is tried once more."""
        await self._desk.acting(room_is_back, str(room))

    async def _run(
        self, actor: Actor, call: Call, mention: int | None = None, *, asks: bool = False
    ) -> Reply:
        form = _form(call, asks=asks)
        if call.verb.changes and not form:
            return await self._desk.acting(_perform, actor, call, mention)
        reply = await self._desk.looking(_look, actor, call, mention, form)
        if reply is None:
            # Nobody that acted before: a snapshot cannot take them in.
            await self._desk.acting(person_of, actor)
            reply = await self._desk.looking(_look, actor, call, mention, form)
        assert reply is not None
        if actor.lasting and not await self._desk.acting(worth_answering, actor, call):
            return _OLD
        return reply

    async def _once(self, actor: Actor, run: Callable[[], Awaitable[Reply]]) -> Reply:
        """A refusal is an answer too: of what lasts it is noted, and not said a second time."""
        try:
            return await run()
        except Refused as refused:
            if actor.lasting and not await self._desk.acting(first_time, actor):
                return _OLD
            return replace(say(str(refused)), refused=True)

    async def _answer(self, what: str, actor: Actor, run: Callable[[], Awaitable[Reply]]) -> Reply:
        try:
            return await self._once(actor, run)
        except Exception as problem:
            incident = secrets.token_hex(3)
            # Only a control's name and a platform: neither the line nor the person stands here.
            _log.exception("incident", incident=incident, doing=what, platform=actor.platform)
            full = isinstance(problem, StoreError)
            said = answers.not_stored(incident) if full else answers.sorry(incident)
            return replace(said, failed=True)


def _perform(tx: Tx, actor: Actor, call: Call, mention: int | None) -> Reply:
    person = person_of(tx, actor)
    if not first_time(tx, actor):
        return _OLD
    not_too_late(tx, actor, call)
    for colleague in actor.named:
        person_of(tx, colleague)
    job = job_of(tx, actor, person, call, mention=mention)
    return HANDLERS[call.verb.name](job)


def _look(tx: Tx, actor: Actor, call: Call, mention: int | None, form: str) -> Reply | None:
    """As `_perform`, for what writes nothing; None for an actor who is not known yet."""
    person = known(tx, actor)
    if person is None:
        return None
    job = job_of(tx, actor, person, call, mention=mention)
    return ask(job, form) if form else HANDLERS[call.verb.name](job)


def _form(call: Call, *, asks: bool) -> str:
    """The form to ask first: a control's own, or the verb's where an argument is missing."""
    if asks and call.form:
        return call.form
    return call.verb.form if call.missing() is not None else ""


def _one(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ",".join(value)

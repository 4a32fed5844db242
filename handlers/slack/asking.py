"""What all listeners have in common: who asks, the one call to the desk, the way of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from handlers.slack.hints import Hints
from handlers.slack.members import PLATFORM
from handlers.slack.people import NotStaff, People
from handlers.slack.replies import Asker, Replies
from staffbot.commands import Call
from staffbot.errors import Refused
from staffbot.messages import Form, Message, Reply, say
from staffbot.model import Actor, MessageRef, Room
from staffbot.seams import Desk, Mark

SOON_SECONDS = 2.0  # of the three in which Slack waits for an acknowledgement


class NotStored(Exception):
    """The desk failed: nothing is acknowledged, so that Slack says so or delivers it again."""


class Asking:
    def __init__(self, *, desk: Desk, people: People, replies: Replies, hints: Hints) -> None:
        self.desk = desk
        self.people = people
        self.replies = replies
        self.hints = hints

    async def as_staff(
        self,
        asker: Asker,
        ask: Callable[[Actor], Awaitable[Reply]],
        *,
        act: str = "",
        thread: str = "",
        on: str = "",
        lasting: bool = False,
        at: datetime | None = None,
        named: Sequence[str] = (),
    ) -> Reply:
        """The desk's answer, or why this person gets none. `named`: the people whom they name."""
        try:
            actor, colleagues = await asyncio.gather(
                self.people.actor(asker.user, asker.channel), self.people.colleagues(named)
            )
        except NotStaff as refused:
            if lasting:
                where = MessageRef(room=Room(platform=PLATFORM, id=asker.channel), id=on)
                await self.desk.noted([Mark(user_id=asker.user, on=where, verb="", act=act)])
            return replace(say(str(refused)), refused=True)
        done = replace(actor, act=act, thread=thread, on=on, lasting=lasting, at=at)
        return await ask(replace(done, named=colleagues))

    def answer(self, asker: Asker, reply: Reply) -> None:
        """Say it to who asked, after the acknowledgement. Raises NotStored where the desk failed."""
        if isinstance(reply, Form):
            self.replies.later(self.replies.open(asker, reply), "form")
            return
        if reply.failed:
            raise NotStored
        if not reply.old:
            self.replies.later(self.replies.answer(asker, reply), "answer")

    async def soon(
        self, read: Callable[[], Call], work: Callable[[], Awaitable[None]], what: str
    ) -> bool:
        """Do it; whether it is done. What only looks and takes long goes on after the acknowledgement:
        a first chart takes a minute, and where nothing is stored there is nothing to wait for.
        """
        if _only_looks(read):
            return await self.replies.within(SOON_SECONDS, work(), what)
        await work()
        return True


def _only_looks(read: Callable[[], Call]) -> bool:
    """A form is a look too, but has to open within the three seconds of its trigger."""
    try:
        call = read()
    except Refused:
        return False
    return not (call.verb.changes or call.verb.form or call.form)


def is_failed(reply: Reply) -> bool:
    return isinstance(reply, Message) and reply.failed

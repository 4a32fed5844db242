"""A network that can be answered, for tests: as a source of a library, carried step by step or run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from staffbot.answering import ON_THE_WAY
from staffbot.dispatch import Dispatch
from staffbot.messages import Form, Message
from staffbot.model import Actor
from staffbot.network import Replies
from staffbot.replier import Replier
from staffbot.seams import Network
from staffbot.settings import Delivery, ReplySettings, Service
from staffbot.tables import replies
from tests.fakes import FakeNetwork
from tests.library import CHANNEL, Library

SERVICES = (
    Service(
        name="Home delivery",
        link="https://library.example/delivery",
        text={"en": "We bring books to your door:", "de": "Wir bringen Bücher ins Haus:"},
    ),
    Service(name="Large print", text={"en": "We have 900 books in large print."}),
)
PATIENCE = 30.0


class Nothing(BaseModel):
    """A fake network has no options."""


class Answered:
    """A library with answers switched on, and its one network that takes them."""

    def __init__(
        self, library: Library, *, life: timedelta = timedelta(seconds=0.5), **changed: Any
    ) -> None:
        self.library = library
        self.network = FakeNetwork(name="social", clock=library.clock)
        sources = tuple(
            replace(source, limit=self.network.limit if source.name == "social" else None)
            for source in library.settings.sources
        )
        plain: dict[str, Any] = {
            "replies": ReplySettings(enabled=True), "services": SERVICES, "sources": sources,
            "delivery": Delivery(request_life=life),
        }  # fmt: skip
        library.reconfigure(**(plain | changed))
        self.dispatch = Dispatch(library.desk)

    def actor(self, who: str) -> Actor:
        return Actor(platform="local", user_id=who, name=who.capitalize(), room=CHANNEL)

    async def form(self, number: int, who: str = "ana") -> Form:
        form = await self.dispatch.press(self.actor(who), "reply", number)
        assert isinstance(form, Form), form
        return form

    async def send(
        self, form: Form, text: str, who: str = "ana", saved: str = ""
    ) -> Message | Form:
        """Fill the form in and send it off."""
        values: dict[str, str | list[str]] = {
            "text": text, "saved": saved, "seen": field_of(form, "seen").value,
        }  # fmt: skip
        return await self.dispatch.submit(self.actor(who), "reply", form.mention, values)

    async def says(self, line: str, who: str = "ana") -> Message | Form:
        return await self.dispatch.command(self.actor(who), line)

    @asynccontextmanager
    async def running(self, network: Replies | None = None) -> AsyncIterator[None]:
        """With the carrier at work."""
        replier = Replier(self.library.desk, {"social": network or self.network})
        task = asyncio.create_task(replier.run())
        try:
            yield
        finally:
            replier.stop()
            async with asyncio.timeout(PATIENCE):
                await task

    async def carried(self) -> None:
        """Run the carrier until no answer is on its way."""
        async with self.running():
            await until(lambda: not self.on_the_way())

    def on_the_way(self) -> bool:
        return any(row.state in ON_THE_WAY for row in self.library.rows(replies))

    @property
    def states(self) -> list[str]:
        return list(self.library.desk.look(lambda tx: tx.conn.scalars(_STATES).all()))

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.network.replies]


_STATES = select(replies.c.state).order_by(replies.c.id)


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(met):  # noqa: ASYNC110 # another thread, in effect
            await asyncio.sleep(0.02)


def field_of(form: Form, name: str) -> Any:
    return next(field for field in form.fields if field.name == name)


def network_of(fake: FakeNetwork) -> Network:
    """An entry point's value that opens this fake."""

    async def check(*_: Any) -> tuple[()]:
        return ()

    return Network(type="fake", options=Nothing, open=lambda *_: fake, check=check)

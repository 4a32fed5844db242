"""A local channel for tests: the real door on a fake desk, served on a free port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from handlers.local.channel import Channel, Place
from handlers.local.chat import LocalChat
from handlers.local.patron import PatronBox
from handlers.local.references import References
from staffbot.model import MessageRef, Room
from tests.handlers.fake_desk import NOON, FakeDesk

TEAM = Room(platform="local", id="adult")
OTHER = Room(platform="local", id="children")
PLACES = (
    Place(room=TEAM, name="Adult services"),
    Place(room=OTHER, name="Children"),
)


def local_chat(
    folder: Path, desk: FakeDesk, patron: PatronBox | None = None, port: int = 0
) -> LocalChat:
    channel = Channel(
        desk=desk,
        clock=lambda: NOON,
        references=References(folder / "local.db"),
        library="Riverside Library",
        places=PLACES,
        patron=patron,
    )
    return LocalChat(channel, port=port)


@dataclass(slots=True)
class Served:
    """A channel that is open in a browser."""

    chat: LocalChat
    desk: FakeDesk
    address: str

    async def card(self, number: int, room: Room = TEAM) -> MessageRef:
        """Post or redraw the card of a mention, as the outbox does."""
        key = f"card:{number}:{room.id}:1"
        ref = await self.chat.find(room, key)
        if ref is None:
            return await self.chat.post(room, self.desk.card(number), key)
        await self.chat.edit(ref, self.desk.card(number))
        return ref


@asynccontextmanager
async def served(
    folder: Path, desk: FakeDesk, patron: PatronBox | None = None, port: int = 0
) -> AsyncIterator[Served]:
    chat = local_chat(folder, desk, patron, port)
    running = asyncio.create_task(chat.run())
    opened = asyncio.create_task(chat.opened())
    try:
        await asyncio.wait({running, opened}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        yield Served(chat, desk, await opened)
    finally:
        opened.cancel()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

"""The real door on the loopback Discord, with the real desk behind it or a fake one."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from discord.gateway import DiscordWebSocket
from discord.http import Route

from handlers.discord.chat import DiscordChat
from handlers.discord.door import DiscordOptions, direct, door
from staffbot.desk.people import sync_staff
from staffbot.desk.rendering import render
from staffbot.dispatch import Dispatch
from staffbot.model import Role, Room
from staffbot.outbox import Outbox
from staffbot.seams import Desk as DoorDesk
from staffbot.secret import Secret
from staffbot.settings import Delivery, DoorSettings, Settings, StaffMember, Team, TeamRoom
from tests.handlers.discord.loopback import TOKEN, WAIT, Loopback
from tests.handlers.discord.world import ANA, CHANNEL, OTHER, SERVER, Json
from tests.library import HOURS, TUESDAY, Library, settings

MENTIONS = Room(platform="discord", id=CHANNEL)
CHILDREN = Room(platform="discord", id=OTHER)
STAFF = (
    StaffMember(key="ana", name="Ana Silva", ids={"discord": ANA}),
    StaffMember(key="mia", name="Mia Lang", role=Role.MANAGER),
)


def discord_settings(folder: Path, url: str = "sqlite:///unused.db", **changed: Any) -> Settings:
    """A library whose team is at home on Discord."""
    team = Team(key="adult", name="Adult services", rooms=(TeamRoom(room=MENTIONS),), hours=HOURS)
    plain: dict[str, Any] = {
        "data": folder, "teams": (team,), "staff": STAFF,
        "doors": (DoorSettings(platform="discord"),),
    }  # fmt: skip
    return settings(url, **plain | changed)


@contextmanager
def pointed(discord: Loopback, **options: Any) -> Iterator[DiscordOptions]:
    """discord.py, pointed to the loopback by the door's own settings."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    said: dict[str, Any] = {
        "token": Secret(value=TOKEN), "server": SERVER, "api": discord.base,
        "gateway": discord.gateway,
    }  # fmt: skip
    made = DiscordOptions(**said | options)
    direct(made)
    try:
        yield made
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


def opened(options: DiscordOptions, desk: DoorDesk, house: Settings) -> DiscordChat:
    """The door, opened as the program opens it."""
    settings = DoorSettings(platform="discord", options=options)
    chat = door.open(settings, house, desk, lambda: TUESDAY)
    assert isinstance(chat, DiscordChat)
    return chat


@asynccontextmanager
async def running(
    discord: Loopback, desk: DoorDesk, house: Settings, **more: Any
) -> AsyncIterator[DiscordChat]:
    """The door, connected."""
    with pointed(discord, **more) as options:
        chat = opened(options, desk, house)
        life = asyncio.create_task(chat.run())
        try:
            up = asyncio.create_task(_up(chat, discord))
            await asyncio.wait({life, up}, return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                up.cancel()
                await life
            await up
            yield chat
        finally:
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life


async def _up(chat: DiscordChat, discord: Loopback) -> None:
    async with asyncio.timeout(WAIT):
        await chat.opened()
        await discord.connected()


async def until(look: Callable[[], Any]) -> Any:
    """Look until there is something."""
    async with asyncio.timeout(WAIT):
        while True:
            found = look()
            if isinstance(found, Awaitable):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.02)


@dataclass(slots=True, kw_only=True)
class Evening:
    """A library at work on the loopback Discord: desk, outbox and door are the real ones."""

    discord: Loopback
    library: Library
    chat: DiscordChat
    outbox: Outbox = field(repr=False)

    async def arrives(self, text: str = "When do you open?", **more: Any) -> Json:
        """A mention comes in; its card, once it stands in the channel."""
        number = await asyncio.to_thread(self.library.arrives, text, **more)
        return await self.card(number)

    async def card(self, number: int, says: str = "") -> Json:
        """The card of a mention in the channel, once it says that."""
        found: Json = await self.until(lambda: self._card(number, says))
        return found

    async def until(self, look: Any) -> Any:
        """Look until there is something."""
        return await until(look)

    def _card(self, number: int, says: str) -> Json | None:
        for message in self.discord.world.messages[CHANNEL]:
            if message["content"].startswith(f"Mention {number},") and says in str(message):
                return copy.deepcopy(message)  # as a person still sees it while it is edited
        return None


@asynccontextmanager
async def evening(
    discord: Loopback,
    library: Library,
    folder: Path,
    *,
    options: Mapping[str, Any] | None = None,
    **changed: Any,
) -> AsyncIterator[Evening]:
    """Begin as the program does, on a database that may have been used before."""
    desk = library.desk
    quick = {"delivery": Delivery(edit_every=timedelta(milliseconds=20))}
    desk.settings = discord_settings(folder, library.url, **quick | changed)
    await asyncio.to_thread(desk.act, sync_staff)
    async with running(discord, Dispatch(desk), desk.settings, **options or {}) as chat:
        outbox = Outbox(desk, {"discord": chat}, render)
        carrying = asyncio.create_task(outbox.run())
        try:
            yield Evening(discord=discord, library=library, chat=chat, outbox=outbox)
        finally:
            outbox.stop()
            await carrying

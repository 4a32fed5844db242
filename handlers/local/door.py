"""What the local door is to the house: its settings, how to open it, how to check it."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import cast

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, field_validator

from handlers.local.channel import PLATFORM, Channel, Place
from handlers.local.chat import LocalChat
from handlers.local.patron import PatronBox
from handlers.local.references import References
from staffbot.errors import StoreError
from staffbot.model import Clock
from staffbot.network import Route
from staffbot.seams import Chat, Desk, Door, Finding
from staffbot.settings import DoorSettings, Settings

_ANSWERS_WITHIN_SECONDS = 10.0


class LocalOptions(BaseModel):
    """The `[local]` table. Port 0 takes any free one; the address is logged at start.

    patron   a box to write as a patron, set in code by the demo; no setting of a file
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8082, ge=0, le=65535)
    patron: PatronBox | None = Field(default=None, exclude=True, repr=False)

    @field_validator("host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        if host == "localhost":
            return "127.0.0.1"
        try:
            loopback = ipaddress.ip_address(host).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise ValueError(
                "the local page has no login, so it is served to this machine only: "
                "127.0.0.1, ::1 or localhost"
            )
        return host


def _options(settings: DoorSettings) -> LocalOptions:
    return cast(LocalOptions, settings.options) if settings.options else LocalOptions()


def _open(door_settings: DoorSettings, settings: Settings, desk: Desk, clock: Clock) -> Chat:
    options = _options(door_settings)
    channel = Channel(
        desk=desk,
        clock=clock,
        references=References(settings.data / "local.db"),
        library=settings.library,
        root=settings.root,
        places=places(settings),
        patron=options.patron,
    )
    return LocalChat(channel, host=options.host, port=options.port)


def places(settings: Settings) -> tuple[Place, ...]:
    """The rooms of this page: one or more a team, named so that they can be told apart."""
    found: list[Place] = []
    for team in settings.teams:
        rooms = [room for room in team.rooms if room.room.platform == PLATFORM]
        for room in rooms:
            name = team.name if len(rooms) == 1 else f"{team.name}: {room.room.id}"
            found.append(Place(room=room.room, name=name, private=room.private))
    return tuple(found)


async def _check(door_settings: DoorSettings, settings: Settings) -> Sequence[Finding]:
    options = _options(door_settings)
    port = await asyncio.to_thread(_check_port, options.host, options.port)
    if not port.ok and await _is_ours(options, settings.library):
        port = Finding(ok=True, subject=port.subject, said="served by the staffbot that runs")
    return [port, await asyncio.to_thread(_check_file, settings)]


async def _is_ours(options: LocalOptions, library: str) -> bool:
    """Whether the page that is there already is this library's: looking beside a bot is normal."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    limit = aiohttp.ClientTimeout(total=_ANSWERS_WITHIN_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(f"http://{host}:{options.port}/api/channel") as answer,
        ):
            said = await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
    return isinstance(said, dict) and said.get("library") == library


def _check_port(host: str, port: int) -> Finding:
    subject = f"local page at {host}, port {port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            said = f"cannot be served there ({error.strerror}): set another port in [local]"
            return Finding(ok=False, subject=subject, said=said)
    return Finding(ok=True, subject=subject, said="free")


def _check_file(settings: Settings) -> Finding:
    path = settings.data / "local.db"
    try:
        References(path).close()
    except StoreError as error:
        return Finding(ok=False, subject=str(path), said=str(error))
    return Finding(ok=True, subject=str(path), said="can be written")


def _routes(_chat: Chat) -> Sequence[Route]:
    """None: nothing of this page is served on the public listener."""
    return ()


door = Door(platform=PLATFORM, options=LocalOptions, open=_open, check=_check, routes=_routes)

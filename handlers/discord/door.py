"""What the Discord door is to the house: its settings, how to open it, how to check it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, cast

from discord.gateway import DiscordWebSocket
from discord.http import Route as DiscordRoute
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
)
from yarl import URL

from handlers.discord.chat import DiscordChat
from handlers.discord.checking import findings
from handlers.discord.people import PLATFORM
from handlers.discord.pinging import ping
from handlers.discord.typed import app
from staffbot.model import Clock, Role
from staffbot.network import Route
from staffbot.seams import Chat, Desk, Door, Finding
from staffbot.secret import FromEnvironment, Secret, environment
from staffbot.settings import DoorSettings, Settings


def _ids(value: object) -> object:
    """Discord's ids are numbers, and people write them so; they are text here."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _digits(value: str) -> str:
    if not re.fullmatch(r"\d{15,21}", value):
        raise ValueError(
            "should be an id of Discord's, 15 to 21 digits: in Discord's settings switch on Developer "
            "Mode, then right-click and Copy ID."
        )
    return value


DiscordId = Annotated[str, BeforeValidator(_ids), AfterValidator(_digits)]
_ROLES = Field(default=(), examples=[["290926798626357999"]])


class DiscordOptions(BaseModel):
    """The `[discord]` table.

    server         the id of the server that gets the commands; left out, that of the channels
    managers, deputies   ids of Discord roles that make somebody so who has no [[staff]] entry
    api, gateway   other addresses than Discord's own, for a proxy that keeps rate limits
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: FromEnvironment = environment("DISCORD_TOKEN")
    server: DiscordId | None = Field(default=None, examples=["290926798626357999"])
    managers: tuple[DiscordId, ...] = _ROLES
    deputies: tuple[DiscordId, ...] = _ROLES
    api: str = ""
    gateway: str = ""

    @field_validator("token")
    @classmethod
    def _bare(cls, token: Secret) -> Secret:
        if len(token.value.split()) != 1:
            raise ValueError("it is the token alone, as the Bot page shows it, without spaces")
        return token

    @property
    def roles(self) -> dict[str, Role]:
        deputies = dict.fromkeys(self.deputies, Role.DEPUTY)
        return deputies | dict.fromkeys(self.managers, Role.MANAGER)


def _open(door_settings: DoorSettings, settings: Settings, desk: Desk, clock: Clock) -> Chat:
    options = cast(DiscordOptions, door_settings.options)
    direct(options)
    return DiscordChat(
        desk=desk,
        settings=settings,
        token=options.token.value.strip(),
        server=options.server or "",
        roles=options.roles,
    )


def direct(options: DiscordOptions) -> None:
    """Point discord.py to other addresses, where the configuration names them."""
    if options.api:
        DiscordRoute.BASE = options.api.rstrip("/")
    if options.gateway:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(options.gateway)


async def _check(door_settings: DoorSettings, settings: Settings) -> Sequence[Finding]:
    options = cast(DiscordOptions, door_settings.options)
    direct(options)
    return await findings(settings, options.token.value.strip(), options.server or "")


async def _ping(door_settings: DoorSettings, settings: Settings, user: str) -> Finding:
    options = cast(DiscordOptions, door_settings.options)
    direct(options)
    return await ping(options.token.value.strip(), user, settings.network)


def _routes(_chat: Chat) -> Sequence[Route]:
    """None: Discord is spoken to over connections that this machine opens."""
    return ()


door = Door(
    platform=PLATFORM,
    options=DiscordOptions,
    open=_open,
    check=_check,
    routes=_routes,
    commands=app,
    ping=_ping,
)

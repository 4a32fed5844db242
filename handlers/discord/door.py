"""What the Discord door is to the house: its settings, how to open it, how to check it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from discord.gateway import DiscordWebSocket
from discord.http import Route as DiscordRoute
from pydantic import BaseModel, ConfigDict, Field, field_validator
from yarl import URL

from handlers.discord.answering import PLATFORM
from handlers.discord.chat import DiscordChat
from staffbot.model import Chat, Clock, Route
from staffbot.seams import Desk, Door, Finding
from staffbot.settings import DoorSettings, FromEnvironment, Secret, Settings, environment


class DiscordOptions(BaseModel):
    """The `[discord]` table.

    server        the id of the server (guild) in which the commands are offered
    api, gateway  other addresses than Discord's own, for a proxy that keeps rate limits
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: FromEnvironment = environment("DISCORD_TOKEN")
    server: str = Field(pattern=r"^\d{15,21}$", examples=["290926798626357999"])
    api: str = ""
    gateway: str = ""

    @field_validator("token")
    @classmethod
    def _whole(cls, token: Secret) -> Secret:
        if not token.value.strip() or token.value.strip() != token.value.split(" ")[-1]:
            raise ValueError(
                "this is the token alone, as the Bot page shows it, without a word before"
            )
        return token


def _open(door_settings: DoorSettings, settings: Settings, desk: Desk, clock: Clock) -> Chat:
    options = cast(DiscordOptions, door_settings.options)
    direct(options)
    return DiscordChat(
        desk=desk, settings=settings, token=options.token.value.strip(), server=options.server
    )


def direct(options: DiscordOptions) -> None:
    """Point discord.py to other addresses, where the configuration names them."""
    if options.api:
        DiscordRoute.BASE = options.api.rstrip("/")
    if options.gateway:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(options.gateway)


async def _check(door_settings: DoorSettings, settings: Settings) -> Sequence[Finding]:
    return ()


def _routes(_chat: Chat) -> Sequence[Route]:
    """None: Discord is spoken to over connections that this machine opens."""
    return ()


door = Door(platform=PLATFORM, options=DiscordOptions, open=_open, check=_check, routes=_routes)

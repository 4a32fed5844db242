"""`staffbot check` for Discord: token, servers, channels, and each permission in each channel.

Asks Discord, posts nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import discord

from handlers.discord.client import connector
from handlers.discord.people import PLATFORM
from handlers.discord.permissions import granted_in, missing
from handlers.discord.problems import delivery_error, no_second_try
from staffbot.seams import Finding
from staffbot.settings import Settings

_FAULTS = (discord.DiscordException, aiohttp.ClientError, OSError)


async def findings(settings: Settings, token: str, server: str) -> Sequence[Finding]:
    """One line for each thing that was looked at, in the order in which a person would mend it."""
    client = discord.Client(
        intents=discord.Intents.none(),
        http_trace=no_second_try(),
        proxy=settings.network.proxy or None,
        connector=connector(settings.network),
    )
    try:
        return [found async for found in _looked_at(client, settings, token, server)]
    finally:
        await client.close()


async def _looked_at(
    client: discord.Client, settings: Settings, token: str, server: str
) -> AsyncIterator[Finding]:
    try:
        await client.login(token)
    except discord.LoginFailure:
        said = "Discord does not know it: make a new one on the Bot page and set DISCORD_TOKEN"
        yield Finding(ok=False, subject="Discord token", said=said)
        return
    except _FAULTS as problem:
        said = str(delivery_error(problem, changes=False))
        yield Finding(ok=False, subject="Discord", said=said)
        return
    name = client.user.name if client.user is not None else "a bot"
    yield Finding(ok=True, subject="Discord token", said=f"is that of {name}")
    guilds: dict[str, tuple[Any, Any]] = {}
    if server:
        yield await _guild(client, server, guilds)
    rooms = [
        one.room for team in settings.teams for one in team.rooms if one.room.platform == PLATFORM
    ]
    if not rooms:
        said = 'no channel is set: add [[rooms]] with platform = "discord" and the channel\'s id'
        yield Finding(ok=False, subject="Discord", said=said)
    for room in rooms:
        yield await _room(client, room.id, guilds)


async def _guild(
    client: discord.Client, server: str, guilds: dict[str, tuple[Any, Any]]
) -> Finding:
    subject = f"Discord server {server}"
    assert client.user is not None
    try:
        guild = await client.http.get_guild(int(server), with_counts=False)
        member = await client.http.get_member(int(server), client.user.id)
    except discord.HTTPException:
        said = "staffbot is not in it: `staffbot discord invite` prints the address to add it"
        return Finding(ok=False, subject=subject, said=said)
    except _FAULTS as problem:
        return Finding(ok=False, subject=subject, said=str(delivery_error(problem, changes=False)))
    guilds[server] = guild, member
    return Finding(ok=True, subject=subject, said=f"staffbot is in {guild['name']}")


async def _room(client: discord.Client, id: str, guilds: dict[str, tuple[Any, Any]]) -> Finding:
    subject = f"Discord channel {id}"
    if not id.isdigit():
        said = "is no id: switch on Developer Mode, then Copy Channel ID in the channel's menu"
        return Finding(ok=False, subject=subject, said=said)
    try:
        channel: Any = await client.http.get_channel(int(id))
    except _FAULTS as problem:
        return Finding(ok=False, subject=subject, said=str(delivery_error(problem, changes=False)))
    server = str(channel.get("guild_id") or "")
    if server and server not in guilds:
        found = await _guild(client, server, guilds)
        if not found.ok:
            return found
    if not server:
        return Finding(ok=False, subject=subject, said="is no channel of a server")
    guild, member = guilds[server]
    lacking = missing(granted_in(channel, guild, member))
    if lacking:
        told = "; ".join(f"{one.name} ({one.why})" for one in lacking)
        return Finding(ok=False, subject=subject, said=f"staffbot lacks there: {told}")
    return Finding(ok=True, subject=subject, said=f"#{channel['name']}, with all permissions")

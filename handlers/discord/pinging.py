"""A round trip of one button, for `staffbot check --ping`: to a person and back. Knows no desk."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import discord

from handlers.discord.answering import PING
from handlers.discord.client import connector
from handlers.discord.controls import custom_id
from staffbot.seams import Finding
from staffbot.settings import Network

WITHIN_SECONDS = 120.0


async def ping(token: str, user: str, network: Network, within: float = WITHIN_SECONDS) -> Finding:
    """Send that person a button and wait until they press it."""
    subject = f"Discord button to {user}"
    if not user.isdigit():
        said = "is no id: switch on Developer Mode, then Copy User ID in the person's menu"
        return Finding(ok=False, subject=subject, said=said)
    client = _Pinging(int(user), network)
    try:
        async with asyncio.timeout(within):
            problem = await _round_trip(client, token)
    except TimeoutError:
        problem = f"nobody pressed it within {within:.0f} seconds, or Discord did not say so"
    except discord.LoginFailure:
        problem = "Discord does not know the token: make a new one on the Bot page"
    except (discord.DiscordException, aiohttp.ClientError, OSError) as fault:
        problem = f"Discord cannot be used ({type(fault).__name__})"
    finally:
        await client.close()
    return Finding(
        ok=not problem, subject=subject, said=problem or "was pressed, and that came back"
    )


async def _round_trip(client: _Pinging, token: str) -> str:
    life = asyncio.create_task(client.start(token))
    pressed = asyncio.create_task(client.pressed.wait())
    try:
        await asyncio.wait({life, pressed}, return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            life.result()
        return client.problem
    finally:
        pressed.cancel()
        life.cancel()


class _Pinging(discord.Client):
    def __init__(self, person: int, network: Network) -> None:
        super().__init__(
            intents=discord.Intents.none(),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.1,
            proxy=network.proxy or None,
            connector=connector(network),
        )
        self._person = person
        self.pressed = asyncio.Event()
        self.problem = ""

    async def on_ready(self) -> None:
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            label="Press me", custom_id=custom_id("b1", PING, None, "")
        )
        view = discord.ui.View(timeout=None)
        view.add_item(button)
        view.stop()
        try:
            person = await self.create_dm(discord.Object(self._person))
            await person.send("staffbot asks: does this button come back?", view=view)
        except discord.HTTPException as problem:
            self.problem = (
                f"Discord did not deliver it ({problem.code}): "
                "do you share a server, and are your direct messages open?"
            )
            self.pressed.set()

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.edit_message(content="Thank you: it came back.", view=None)
        self.pressed.set()

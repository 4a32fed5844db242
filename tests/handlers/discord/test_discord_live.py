"""The one test against the real Discord, for whoever has a bot and a channel to spare.

    STAFFBOT_LIVE_DISCORD_TOKEN=... STAFFBOT_LIVE_DISCORD_CHANNEL=... pytest -k live_discord

It posts one message into that channel and takes it away again.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import suppress
from pathlib import Path

import pytest

from handlers.discord.chat import DiscordChat
from handlers.discord.checking import findings
from staffbot.model import Room
from staffbot.settings import Team, TeamRoom
from tests.chat_contract import message
from tests.handlers.discord.stage import discord_settings
from tests.handlers.fake_desk import FakeDesk
from tests.library import HOURS

TOKEN = os.environ.get("STAFFBOT_LIVE_DISCORD_TOKEN", "")
CHANNEL = os.environ.get("STAFFBOT_LIVE_DISCORD_CHANNEL", "")


@pytest.mark.skipif(not (TOKEN and CHANNEL), reason="no token and channel of the real Discord")
async def test_live_discord_takes_finds_changes_and_knows_one_message(tmp_path: Path) -> None:
    room = Room(platform="discord", id=CHANNEL)
    team = Team(key="adult", name="Adult services", rooms=(TeamRoom(room=room),), hours=HOURS)
    house = discord_settings(tmp_path, teams=(team,))
    assert all(found.ok for found in await findings(house, TOKEN, ""))
    chat = DiscordChat(desk=FakeDesk(), settings=house, token=TOKEN)
    life = asyncio.create_task(chat.run())
    key = f"card:7:live:{secrets.token_hex(8)}"
    try:
        async with asyncio.timeout(60):
            await chat.opened()
        ref = await chat.post(room, message("A test of staffbot."), key)
        assert await chat.post(room, message("A test of staffbot."), key) == ref
        await chat.edit(ref, message("A test of staffbot, changed."))
        assert await chat.find(room, key) == ref
        assert chat.client is not None
        channel = chat.client.get_partial_messageable(int(CHANNEL))
        await channel.get_partial_message(int(ref.id)).delete()
        assert await chat.find(room, key) is None
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life

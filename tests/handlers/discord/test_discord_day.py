"""A day at work on Discord: real desk, real outbox, real discord.py, on the loopback Discord."""

from __future__ import annotations

from pathlib import Path

from tests.handlers.discord.loopback import loopback
from tests.handlers.discord.stage import evening
from tests.handlers.discord.world import BEN
from tests.library import Library


async def test_a_card_is_claimed_by_a_press(sqlite_library: Library, tmp_path: Path) -> None:
    async with loopback() as discord, evening(discord, sqlite_library, tmp_path) as day:
        card = await day.arrives("Is the **café** open? @everyone")
        asked = await discord.click(card, "Claim")
        answer = await asked.answer()
        assert "1" in answer["content"]
        assert sqlite_library.mention(1).owner == "ana"
        await day.card(1, "claimed by Ana Silva")
        loser = await (await discord.click(card, "Claim", user=BEN)).answer()
        assert loser["content"].startswith("Ana Silva has 1")

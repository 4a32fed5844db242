"""The thread on a card: made the first time, and opened again where it was archived."""

from __future__ import annotations

from typing import Any, Final

import discord

from handlers.discord.problems import THREAD_EXISTS

# A day without a word archives it; the next word, or Discuss, opens it again.
QUIET_MINUTES: Final = 1440


async def thread_of(
    interaction: discord.Interaction[Any], number: int | None
) -> discord.Thread | None:
    """None where the message that was pressed can have no thread."""
    message = interaction.message
    if message is None or message.guild is None or message.flags.ephemeral:
        return None
    name = f"Mention {number}"
    try:
        return await message.create_thread(name=name, auto_archive_duration=QUIET_MINUTES)
    except discord.HTTPException as problem:
        if problem.code != THREAD_EXISTS:
            raise
    thread = await interaction.client.fetch_channel(message.id)
    if not isinstance(thread, discord.Thread):
        return None
    if thread.archived and not thread.locked:
        await thread.edit(archived=False)
    return thread

"""The thread on a card: made by Discuss or the first note, and opened again where it was archived."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import discord
import structlog

from handlers.discord.naming import nonce
from handlers.discord.problems import THREAD_EXISTS
from handlers.discord.sdk import sent
from handlers.discord.view import draw
from staffbot.messages import Button, say

Interaction = discord.Interaction[Any]

# A day without a word archives it; the next word, or Discuss, opens it again.
QUIET_MINUTES: Final = 1440

log = structlog.get_logger("staffbot.discord")


async def discussed(interaction: Interaction, number: int | None) -> tuple[str, str]:
    """What to say to whoever pressed Discuss, and how Discord calls the thread, "" without one."""
    try:
        thread = await _thread_of(interaction, number)
    except discord.Forbidden:
        return (
            "staffbot may open no thread here (`staffbot check` says what it lacks): "
            "discuss it in the channel."
        ), ""
    except (discord.HTTPException, aiohttp.ClientError, OSError):
        return "Discord opened no thread just now: press again, or discuss it in the channel.", ""
    if thread is None:
        return "A thread can be opened on a card in a channel only.", ""
    if thread.locked:
        return "Its thread was locked on Discord: discuss it in the channel.", ""
    return "Discuss it in its thread; the patron never sees it.", thread.mention


async def tell_of_note(interaction: Interaction, number: int | None, name: str) -> None:
    """Say in the card's thread that there is a note. Its words stay with the desk, which may have

    to take them away one day, and shows them to those who may read them.
    """
    show = Button(name="show", label="Notes and history", mention=number)
    message = say(f"{name} left a note.", controls=[show])
    try:
        thread = await _thread_of(interaction, number)
        if thread is not None and not thread.locked:
            await thread.send(nonce=nonce(f"note:{interaction.id}"), **sent(draw(message)))
    except (discord.HTTPException, aiohttp.ClientError, OSError) as problem:
        # The note is stored, and the card counts it.
        log.warning("discord.note_not_told", fault=type(problem).__name__)


async def _thread_of(interaction: Interaction, number: int | None) -> discord.Thread | None:
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

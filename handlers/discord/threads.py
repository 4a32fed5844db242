"""The thread on a card: made by Discuss or the first note, and opened again where it was archived."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import discord
import structlog

from handlers.discord.cards import Cards
from handlers.discord.naming import nonce
from handlers.discord.problems import THREAD_EXISTS
from handlers.discord.sdk import sent
from handlers.discord.view import draw
from staffbot.messages import Button, say

Interaction = discord.Interaction[Any]
Card = discord.Message | discord.PartialMessage

# A day without a word archives it; the next word, or Discuss, opens it again.
QUIET_MINUTES: Final = 1440

log = structlog.get_logger("staffbot.discord")


async def discussed(interaction: Interaction, number: int | None) -> tuple[str, str]:
    """What to say to whoever pressed Discuss, and how Discord calls the thread, "" without one."""
    try:
        card = _pressed(interaction)
        thread = await _thread_on(interaction, card, number) if card is not None else None
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


async def tell_of_note(interaction: Interaction, number: int, name: str, cards: Cards) -> None:
    """Say in the card's thread that there is a note, wherever it was written. Its words stay with
    the desk, which may have to take them away one day, and shows them to those who may read them.
    """
    show = Button(name="show", label="Notes and history", mention=number)
    message = say(f"{name} left a note.", controls=[show])
    try:
        card = _pressed(interaction) or await _card_of(interaction, number, cards)
        thread = await _thread_on(interaction, card, number) if card is not None else None
        if thread is not None and not thread.locked:
            await thread.send(nonce=nonce(f"note:{interaction.id}"), **sent(draw(message)))
    except (discord.HTTPException, aiohttp.ClientError, OSError) as problem:
        # The note is stored, and the card counts it.
        log.warning("discord.note_not_told", fault=type(problem).__name__)


def _pressed(interaction: Interaction) -> Card | None:
    """The message that was pressed, where it can have a thread."""
    message = interaction.message
    if message is None or message.guild is None or message.flags.ephemeral:
        return None
    return message


async def _card_of(interaction: Interaction, number: int, cards: Cards) -> Card | None:
    """The card of a mention, for who typed a command or sits in another message."""
    found = await cards.of(number, interaction.channel_id)
    if found is None or interaction.guild_id is None:
        return None
    channel = interaction.client.get_partial_messageable(found[0], guild_id=interaction.guild_id)
    message: discord.PartialMessage = channel.get_partial_message(found[1])
    return message if message.guild is not None else None


async def _thread_on(
    interaction: Interaction, message: Card, number: int | None
) -> discord.Thread | None:
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

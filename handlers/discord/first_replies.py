"""How an interaction is answered: a first reply within three seconds, or later the final one.

A modal is a first reply itself; for everything else Discord is told to wait, and the final answer
means that it is stored. Knows no desk.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import discord
import structlog

from handlers.discord import forms, problems
from handlers.discord.sdk import edited, modal_of, sent
from handlers.discord.view import draw
from staffbot.messages import Form, Message, Reply, say

Interaction = discord.Interaction[Any]
Ask = Callable[[], Awaitable[Reply]]

# A form that is not there by then is offered behind a button, as Discord would wait no longer.
FORM_WITHIN_SECONDS = 2.0
TRIES_SECONDS = (0.5, 2.0)

Trouble = (discord.HTTPException, aiohttp.ClientError, OSError)

log = structlog.get_logger("staffbot.discord")


async def answer(
    interaction: Interaction,
    ask: Ask,
    *,
    form_first: bool = False,
    in_place: bool = False,
) -> None:
    if not form_first:
        # Before the desk is asked: who is told that it failed may trust that nothing was done.
        await defer(interaction, in_place=in_place)
        await final(interaction, _offered(await ask()))
        return
    asked = asyncio.ensure_future(ask())
    await asyncio.wait({asked}, timeout=FORM_WITHIN_SECONDS)
    if asked.done():
        await _first(interaction, asked.result())
        return
    await defer(interaction)
    await final(interaction, _offered(await asked))


async def _first(interaction: Interaction, reply: Reply) -> None:
    if isinstance(reply, Form):
        await interaction.response.send_modal(modal_of(forms.modal(reply)))
    else:
        await say_to(interaction, reply)


async def say_to(interaction: Interaction, message: Message) -> None:
    await interaction.response.send_message(ephemeral=True, **sent(draw(message)))


async def defer(interaction: Interaction, *, in_place: bool = False) -> None:
    """Raises where Discord no longer knows the interaction: then nothing is done."""
    for last in (False, True):
        try:
            if in_place:
                await interaction.response.defer()
            else:
                await interaction.response.defer(ephemeral=True, thinking=True)
            return
        except discord.HTTPException as problem:
            if problem.code != problems.ALREADY_ANSWERED:
                raise
            return  # our first try had arrived after all
        except (aiohttp.ClientError, OSError):
            if last:
                raise


async def final(interaction: Interaction, message: Message, link: str = "") -> None:
    """The answer to what was deferred. It may be sent again, as it replaces itself."""
    for wait in (*TRIES_SECONDS, None):
        said = edited(draw(message))
        if link:
            said["content"] = f"{said['content']} {link}"
        try:
            await interaction.edit_original_response(**said)
            return
        except problems.NotTaken as problem:
            if wait is None:
                raise
            await asyncio.sleep(problem.retry_after or wait)


async def guarded(interaction: Interaction, work: Awaitable[None]) -> None:
    try:
        await work
    except Trouble as problem:
        code = getattr(problem, "code", 0)
        kind = type(problem).__name__
        log.warning("interaction.not_answered", fault=kind, code=code, id=interaction.id)
    except Exception:
        incident = secrets.token_hex(3)
        log.exception("interaction.fault", incident=incident)
        with suppress(*Trouble):
            await _sorry(interaction, incident)


async def _sorry(interaction: Interaction, incident: str) -> None:
    """The fault is ours, and it may have come after the desk had stored what was asked."""
    message = say(
        "The answer cannot be shown; the card says what is stored. It is our fault: give this "
        f"number to whoever looks after staffbot: {incident}."
    )
    if interaction.response.is_done():
        await final(interaction, message)
    elif interaction.type is not discord.InteractionType.autocomplete:
        await say_to(interaction, message)


def _offered(reply: Reply) -> Message:
    """A reply that can open no modal any more: the form behind a button."""
    if isinstance(reply, Message):
        return reply
    return say(f"{reply.title}: a few questions first.", controls=[forms.opener(reply)])

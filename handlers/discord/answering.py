"""What people do on Discord: presses, commands, forms, reactions -> the desk -> an answer for them alone.

Discord waits three seconds for a first reply. A modal and completions are first replies themselves;
for everything else Discord is told to wait, and the final answer means that it is stored. Decides
nothing about mentions.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import discord
import structlog

from handlers.discord import commands, forms, problems
from handlers.discord.controls import DISCUSS, Pressed
from handlers.discord.people import People
from handlers.discord.sdk import edited, modal_of, sent
from handlers.discord.threads import discussed, tell_of_note
from handlers.discord.view import draw
from staffbot.commands import pressed
from staffbot.errors import Refused
from staffbot.messages import Form, Message, Reply, say
from staffbot.model import Actor
from staffbot.seams import Desk

Interaction = discord.Interaction[Any]
Ask = Callable[[], Awaitable[Reply]]

PING = "ping"
# A form that is not there by then is offered behind a button, as Discord would wait no longer.
FORM_WITHIN_SECONDS = 2.0
TRIES_SECONDS = (0.5, 2.0)
REMEMBERED = 2000
# On a private answer these go on in its place; all others leave it standing.
IN_PLACE = frozenset({"undo", "stats", "stats_by", "stats_chart"})

Trouble = (discord.HTTPException, aiohttp.ClientError, OSError)

log = structlog.get_logger("staffbot.discord")


class Answering:
    """Answers each interaction once, whatever the desk says and Discord does."""

    def __init__(self, desk: Desk, people: People, root: str) -> None:
        self._desk = desk
        self._root = root
        self.people = people
        self._seen: OrderedDict[int, None] = OrderedDict()

    # --- what was done ----------------------------------------------------------------------

    async def press(self, interaction: Interaction, control: Pressed) -> None:
        """A button, or an option of a select."""
        if control.name == PING or self._again(interaction):
            return
        if control.name == DISCUSS:
            await self._guarded(interaction, self._discuss(interaction, control))
            return
        actor = self.people.actor_of(interaction)
        message = interaction.message
        own = message is not None and message.flags.ephemeral

        def ask() -> Awaitable[Reply]:
            return self._desk.press(actor, control.name, control.mention, control.value)

        await self._guarded(
            interaction,
            self._answer(
                interaction,
                ask,
                form_first=_asks(control.name, control.value),
                in_place=own and control.name in IN_PLACE,
            ),
        )

    async def heard(self, interaction: Interaction) -> None:
        """A command, a completion or a filled-in modal; a press is heard by `press`."""
        match interaction.type:
            case discord.InteractionType.autocomplete:
                await self._guarded(interaction, self._complete(interaction))
            case discord.InteractionType.application_command:
                if not self._again(interaction):
                    await self._guarded(interaction, self._command(interaction))
            case discord.InteractionType.modal_submit:
                if not self._again(interaction):
                    await self._guarded(interaction, self._submit(interaction))
            case _:
                pass

    async def react(self, actor: Actor, control: str, mention: int) -> Reply:
        return await self._desk.press(actor, control, mention)

    # --- one kind each ----------------------------------------------------------------------

    async def _command(self, interaction: Interaction) -> None:
        data = _data(interaction)
        if data.get("type") == commands.ON_MESSAGE:
            await self._track(interaction, data)
            return
        used = commands.used(data, self._root)
        if used is None:
            await self._say(interaction, say("That command is of another version of staffbot."))
            return
        actor = self.people.actor_of(interaction)

        def ask() -> Awaitable[Reply]:
            return self._desk.submit(actor, used.control, None, dict(used.said))

        await self._answer(interaction, ask, form_first=_asks(used.control, filled=used.said))

    async def _complete(self, interaction: Interaction) -> None:
        used = commands.used(_data(interaction), self._root)
        found: Sequence[dict[str, Any]] = ()
        if used is not None and used.focused:
            before, typed = commands.line_of(used)
            ways = await self._desk.complete(self.people.actor_of(interaction), before + typed)
            found = commands.choices(used, ways)
        await interaction.response.autocomplete(
            [discord.app_commands.Choice(name=one["name"], value=one["value"]) for one in found]
        )

    async def _submit(self, interaction: Interaction) -> None:
        data = _data(interaction)
        filled = forms.filled(str(data.get("custom_id", "")), data.get("components") or ())
        if filled is None:
            await self._say(interaction, say("That form is of another version of staffbot."))
            return
        actor = self.people.actor_of(interaction)
        noted = False

        async def ask() -> Reply:
            nonlocal noted
            reply = await self._desk.submit(actor, filled.form, filled.mention, filled.values)
            noted = filled.form == "note" and _is_done(reply)
            return reply

        await self._answer(interaction, ask)
        if noted:
            await tell_of_note(interaction, filled.mention, actor.name)

    async def _track(self, interaction: Interaction, data: Mapping[str, Any]) -> None:
        """A message of the channel becomes a mention: the form to log one, written already."""
        told = (data.get("resolved") or {}).get("messages") or {}
        message = told.get(str(data.get("target_id"))) or {}
        author = message.get("author") or {}
        client = interaction.client.user
        if client is not None and str(author.get("id")) == str(client.id):
            await self._say(interaction, say("That is a message of staffbot's own."))
            return
        if not message.get("content"):
            await self._say(interaction, say("There are no words in that message to track."))
            return
        who = str(author.get("global_name") or author.get("username") or "")
        actor = self.people.actor_of(interaction)

        async def ask() -> Reply:
            form = await self._desk.press(actor, "log")
            if isinstance(form, Message):
                return form
            return forms.prefilled(form, text=str(message["content"]), who=who)

        await self._answer(interaction, ask, form_first=True)

    async def _discuss(self, interaction: Interaction, control: Pressed) -> None:
        """A thread on a card, made the first time and opened again where it was archived."""
        await self._defer(interaction)
        text, thread = await discussed(interaction, control.mention)
        await self._final(interaction, say(text), link=thread)

    # --- answering --------------------------------------------------------------------------

    async def _answer(
        self,
        interaction: Interaction,
        ask: Ask,
        *,
        form_first: bool = False,
        in_place: bool = False,
    ) -> None:
        if not form_first:
            # Before the desk is asked: who is told that it failed may trust that nothing was done.
            await self._defer(interaction, in_place=in_place)
            await self._final(interaction, _offered(await ask()))
            return
        asked = asyncio.ensure_future(ask())
        await asyncio.wait({asked}, timeout=FORM_WITHIN_SECONDS)
        if asked.done():
            await self._first(interaction, asked.result())
            return
        await self._defer(interaction)
        await self._final(interaction, _offered(await asked))

    async def _first(self, interaction: Interaction, reply: Reply) -> None:
        if isinstance(reply, Form):
            await interaction.response.send_modal(modal_of(forms.modal(reply)))
        else:
            await self._say(interaction, reply)

    async def _say(self, interaction: Interaction, message: Message) -> None:
        await interaction.response.send_message(ephemeral=True, **sent(draw(message)))

    async def _defer(self, interaction: Interaction, *, in_place: bool = False) -> None:
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

    async def _final(self, interaction: Interaction, message: Message, link: str = "") -> None:
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

    async def _guarded(self, interaction: Interaction, work: Awaitable[None]) -> None:
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
                await self._sorry(interaction, incident)

    async def _sorry(self, interaction: Interaction, incident: str) -> None:
        """The fault is ours, and it may have come after the desk had stored what was asked."""
        message = say(
            "The answer cannot be shown; the card says what is stored. It is our fault: give this "
            f"number to whoever looks after staffbot: {incident}."
        )
        if interaction.response.is_done():
            await self._final(interaction, message)
        elif interaction.type is not discord.InteractionType.autocomplete:
            await self._say(interaction, message)

    # --- whether again -----------------------------------------------------------------------

    def _again(self, interaction: Interaction) -> bool:
        """Whether Discord delivered this one before."""
        if interaction.id in self._seen:
            log.info("interaction.again", id=interaction.id)
            return True
        self._seen[interaction.id] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False


def _asks(control: str, value: str = "", *, filled: Mapping[str, str] | None = None) -> bool:
    """Whether a form is asked first; told by the registry, so that no desk has to be waited for."""
    try:
        call = pressed(control, value, filled=filled)
    except Refused:
        return False
    if call.form and filled is None:
        return True
    return bool(call.verb.form) and call.missing() is not None


def _is_done(reply: Reply) -> bool:
    return isinstance(reply, Message) and not (reply.refused or reply.failed)


def _offered(reply: Reply) -> Message:
    """A reply that can open no modal any more: the form behind a button."""
    if isinstance(reply, Message):
        return reply
    return say(f"{reply.title}: a few questions first.", controls=[forms.opener(reply)])


def _data(interaction: Interaction) -> Mapping[str, Any]:
    return interaction.data or {}

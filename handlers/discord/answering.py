"""What people do on Discord: presses, commands, forms, reactions -> the desk -> an answer for them alone.

Decides nothing about mentions, and leaves to first_replies.py how an answer reaches Discord.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import discord
import structlog

from handlers.discord import commands, forms
from handlers.discord.cards import Cards
from handlers.discord.controls import DISCUSS, Pressed
from handlers.discord.first_replies import Interaction, answer, defer, final, guarded, say_to
from handlers.discord.people import People
from handlers.discord.threads import discussed, tell_of_note
from staffbot.commands import pressed
from staffbot.errors import Refused
from staffbot.messages import Message, Reply, say
from staffbot.model import Actor
from staffbot.seams import Desk

PING = "ping"
REMEMBERED = 2000
# On a private answer these go on in its place; all others leave it standing.
IN_PLACE = frozenset({"undo", "stats", "stats_by", "stats_chart"})

log = structlog.get_logger("staffbot.discord")


class Answering:
    """Answers each interaction once, whatever the desk says and Discord does."""

    def __init__(self, desk: Desk, people: People, root: str, cards: Cards) -> None:
        self._desk = desk
        self._cards = cards
        self._root = root
        self.people = people
        self._seen: OrderedDict[int, None] = OrderedDict()

    # --- what was done ----------------------------------------------------------------------

    async def press(self, interaction: Interaction, control: Pressed) -> None:
        """A button, or an option of a select."""
        if control.name == PING or self._again(interaction):
            return
        if control.name == DISCUSS:
            await guarded(interaction, self._discuss(interaction, control))
            return
        actor = self.people.actor_of(interaction)
        message = interaction.message
        own = message is not None and message.flags.ephemeral

        def ask() -> Awaitable[Reply]:
            return self._desk.press(actor, control.name, control.mention, control.value)

        await guarded(
            interaction,
            answer(
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
                await guarded(interaction, self._complete(interaction))
            case discord.InteractionType.application_command:
                if not self._again(interaction):
                    await guarded(interaction, self._command(interaction))
            case discord.InteractionType.modal_submit:
                if not self._again(interaction):
                    await guarded(interaction, self._submit(interaction))
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
            await say_to(interaction, say("That command is of another version of staffbot."))
            return
        await self._submitted(
            interaction, used.control, None, used.said,
            form_first=_asks(used.control, filled=used.said),
        )  # fmt: skip

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
            await say_to(interaction, say("That form is of another version of staffbot."))
            return
        await self._submitted(interaction, filled.form, filled.mention, filled.values)

    async def _submitted(
        self,
        interaction: Interaction,
        form: str,
        mention: int | None,
        values: Mapping[str, str | list[str]],
        *,
        form_first: bool = False,
    ) -> None:
        """A command or a form, to the desk; a note is told of in its card's thread as well."""
        actor = self.people.actor_of(interaction)
        noted: int | None = None

        async def ask() -> Reply:
            nonlocal noted
            reply = await self._desk.submit(actor, form, mention, dict(values))
            if form == "note" and _is_done(reply):
                noted = mention or (reply.about if isinstance(reply, Message) else None)
            return reply

        await answer(interaction, ask, form_first=form_first)
        if noted is not None:
            await tell_of_note(interaction, noted, actor.name, self._cards)

    async def _track(self, interaction: Interaction, data: Mapping[str, Any]) -> None:
        """A message of the channel becomes a mention: the form to log one, written already."""
        told = (data.get("resolved") or {}).get("messages") or {}
        message = told.get(str(data.get("target_id"))) or {}
        author = message.get("author") or {}
        client = interaction.client.user
        if client is not None and str(author.get("id")) == str(client.id):
            await say_to(interaction, say("That is a message of staffbot's own."))
            return
        if not message.get("content"):
            await say_to(interaction, say("There are no words in that message to track."))
            return
        who = str(author.get("global_name") or author.get("username") or "")
        actor = self.people.actor_of(interaction)

        async def ask() -> Reply:
            form = await self._desk.press(actor, "log")
            if isinstance(form, Message):
                return form
            return forms.prefilled(form, text=str(message["content"]), who=who)

        await answer(interaction, ask, form_first=True)

    async def _discuss(self, interaction: Interaction, control: Pressed) -> None:
        """A thread on a card, made the first time and opened again where it was archived."""
        await defer(interaction)
        text, thread = await discussed(interaction, control.mention)
        await final(interaction, say(text), link=thread)

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


def _data(interaction: Interaction) -> Mapping[str, Any]:
    return interaction.data or {}

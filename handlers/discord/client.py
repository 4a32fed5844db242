"""The connection to Discord: one `discord.Client`, used for one life and then thrown away.

Hears what people do and hands it to `Answering`; sends nothing of itself. Needs no privileged
intent: what it is told of are presses, commands and reactions.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import aiohttp
import discord
import structlog
from discord import ui
from discord.gateway import KeepAliveHandler

from handlers.discord import commands
from handlers.discord.answering import Answering
from handlers.discord.controls import CHOSEN, PRESSED, Pressed, chosen, mention_of, pressed
from handlers.discord.first_replies import Trouble
from handlers.discord.identifies import Identifies, NoGreetingsLeft, few_left
from handlers.discord.problems import no_second_try
from handlers.discord.sdk import sent
from handlers.discord.view import draw
from staffbot.messages import Message
from staffbot.settings import Network

# A raised hand claims, a check mark closes.
REACTIONS = {"✋": "claim", "🙋": "claim", "✅": "done", "☑": "done"}
_COLOURS = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff\ufe0f"
REGISTERED_AGAIN_SECONDS = 300.0
_LONGEST_WAIT_FOR_A_LIMIT = 30.0  # the smallest that discord.py takes

log = structlog.get_logger("staffbot.discord")


# Of no use here: staffbot speaks in no voice channel.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


class Client(discord.Client):
    """`up` is called once it is logged in; `kept` is the file of what was registered last."""

    def __init__(
        self,
        *,
        answering: Answering,
        network: Network,
        server: str,
        rooms: Sequence[str],
        root: str,
        kept: Path,
        identifies: Identifies,
        up: Callable[[], None],
        silence: float,
    ) -> None:
        intents = discord.Intents.none()
        intents.guilds = True
        intents.guild_reactions = True
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=no_second_try(),
            max_ratelimit_timeout=_LONGEST_WAIT_FOR_A_LIMIT,
            max_messages=None,
            heartbeat_timeout=silence,
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0.1,
            member_cache_flags=discord.MemberCacheFlags.none(),
            proxy=network.proxy or None,
            connector=connector(network),
        )
        self.answering = answering
        self._server = server
        self._rooms = tuple(rooms)
        self._registering: asyncio.Task[None] | None = None
        self._down_since: float | None = time.monotonic()
        self._root = root
        self._kept = kept
        self._identifies = identifies
        self._up = up

    async def setup_hook(self) -> None:
        """Once for each client, before the gateway: what `on_ready` would do again and again."""
        self.add_dynamic_items(PressedButton, ChosenOption)
        self._registering = asyncio.create_task(self._keep_registering())
        self._up()

    async def registered(self) -> None:
        """Wait until Discord has the commands."""
        if self._registering is not None:
            await self._registering

    async def close(self) -> None:
        if self._registering is not None:
            self._registering.cancel()
        await super().close()
        await self._end_heartbeats()

    async def _end_heartbeats(self) -> None:
        """discord.py loses sight of a connection that ends between its hello and our greeting, whose
        thread would go on for as long as the program runs."""
        for thread in threading.enumerate():
            if isinstance(thread, KeepAliveHandler) and thread.ws._connection is self._connection:
                thread.stop()
                await asyncio.to_thread(thread.join, 1.0)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        await super().before_identify_hook(shard_id, initial=initial)  # one greeting in 5 seconds
        wait = self._identifies.take()
        if wait:
            log.warning("discord.waits_to_greet", seconds=round(wait))
            await asyncio.sleep(wait)
        await self._ask_whether_it_may()

    async def _ask_whether_it_may(self) -> None:
        """Discord knows of all greetings of this bot, also of those before a restart."""
        try:
            limit = (await self.http.get_bot_gateway())[2]
        except (discord.GatewayNotFound, *Trouble) as problem:
            # Who cannot be asked is greeted all the same: the bucket holds within this process.
            log.warning("discord.greetings_not_told", fault=type(problem).__name__)
            return
        if few_left(limit):
            # Posts need no greeting: they go out for a while before this client ends and tells why.
            await asyncio.sleep(self._identifies.linger)
            raise NoGreetingsLeft(limit["remaining"], limit["reset_after"] / 1000)

    @property
    def down_seconds(self) -> float:
        """For how long nothing has come from the gateway; 0 while it is well."""
        return 0.0 if self._down_since is None else time.monotonic() - self._down_since

    async def on_connect(self) -> None:
        self._down_since = None

    async def on_resumed(self) -> None:
        self._down_since = None

    async def on_disconnect(self) -> None:
        if self._down_since is None:
            self._down_since = time.monotonic()

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await self.answering.heard(interaction)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        control = control_of(event.emoji.name or "")
        mine = self.user is not None and event.user_id == self.user.id
        if not control or mine or not self.answering.people.is_ours(str(event.channel_id)):
            return
        try:
            number = await self._number_of(event.channel_id, event.message_id)
            if number is None:
                return
            name = event.member.display_name if event.member is not None else ""
            actor = self.answering.people.actor(
                str(event.user_id), name, str(event.channel_id), None
            )
            reply = await self.answering.react(actor, control, number)
            if isinstance(reply, Message):
                person = await self.create_dm(discord.Object(event.user_id))
                await person.send(**sent(draw(reply)))
        except Trouble as problem:
            log.warning("reaction.not_answered", fault=type(problem).__name__)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """What a person did is not repeated in a log, as it may hold a patron's words."""
        log.exception("discord.fault", doing=event_method)

    async def _number_of(self, channel: int, message: int) -> int | None:
        """The mention of a card of ours."""
        found = await self.get_partial_messageable(channel).fetch_message(message)
        if self.user is None or found.author.id != self.user.id:
            return None
        return mention_of([one.to_dict() for one in found.components])  # type: ignore[misc]

    # --- commands ---------------------------------------------------------------------------

    async def _keep_registering(self) -> None:
        """Until Discord has the commands as they are. Buttons work without, so nobody waits."""
        while True:
            try:
                await self._register()
                return
            except Trouble as problem:
                code = getattr(problem, "code", 0)
                fault = type(problem).__name__
                log.warning("discord.commands_not_registered", fault=fault, code=code)
            await asyncio.sleep(REGISTERED_AGAIN_SECONDS)

    async def _register(self) -> None:
        """Send them only where they are not as they were sent last: a day takes 200 new ones."""
        wanted = commands.command_list(self._root)
        print_ = commands.fingerprint(wanted)
        known = await asyncio.to_thread(_read, self._kept)
        for server in await self._servers():
            name = f"{self.application_id}:{server}"
            if known.get(name) == print_ or self.application_id is None:
                continue
            await self.http.bulk_upsert_guild_commands(self.application_id, int(server), wanted)
            known[name] = print_
            await asyncio.to_thread(_write, self._kept, known)
            log.info("discord.commands_registered", server=server)

    async def _servers(self) -> Sequence[str]:
        """The server that is set, else those of the team's channels."""
        if self._server:
            return [self._server]
        found: dict[str, None] = {}
        for room in self._rooms:
            if room.isdigit():
                channel: Any = await self.http.get_channel(int(room))
                if channel.get("guild_id"):
                    found[str(channel["guild_id"])] = None
        return list(found)


class PressedButton(ui.DynamicItem[ui.Button[ui.View]], template=PRESSED):
    """Any button of ours, however old: its custom id says everything."""

    def __init__(self, item: ui.Button[ui.View], control: Pressed) -> None:
        super().__init__(item)
        self.control = control

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        assert isinstance(item, ui.Button)
        return cls(item, pressed(match))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.client.answering.press(interaction, self.control)


class ChosenOption(ui.DynamicItem[ui.Select[ui.View]], template=CHOSEN):
    """Any select of ours."""

    def __init__(self, item: ui.Select[ui.View], match: Any) -> None:
        super().__init__(item)
        self.match = match

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        assert isinstance(item, ui.Select)
        return cls(item, match)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        values = self.item.values
        if values:
            control = chosen(self.match, values[0])
            await interaction.client.answering.press(interaction, control)


def control_of(emoji: str) -> str:
    """What a reaction asks for; nothing where it is only a reaction."""
    return REACTIONS.get(emoji.rstrip(_COLOURS), "")


def connector(network: Network) -> aiohttp.TCPConnector:
    """As [network] says: with certificates of the library's own authority, where it has one."""
    trust: ssl.SSLContext | bool = True
    if network.ca_file is not None:
        trust = ssl.create_default_context()
        trust.load_verify_locations(cafile=network.ca_file)
    return aiohttp.TCPConnector(limit=0, ssl=trust)


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _write(path: Path, known: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")

"""The Chat on Discord: what the outbox posts to, and the life of one client after the other.

Holds no patron's word: it remembers marks of messages, never what they say.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import discord
import structlog

from handlers.discord.answering import Answering
from handlers.discord.cards import Cards
from handlers.discord.client import Client
from handlers.discord.controls import mark_of
from handlers.discord.identifies import Identifies
from handlers.discord.naming import mark, nonce
from handlers.discord.people import PLATFORM, People
from handlers.discord.problems import DIRECT_MESSAGES_CLOSED, delivery_error
from handlers.discord.sdk import edited, sent
from handlers.discord.view import draw, mark_in
from staffbot.errors import ConfigError, DeliveryError
from staffbot.messages import Message
from staffbot.model import MessageRef, Role, Room
from staffbot.seams import Desk
from staffbot.settings import Settings, Team

DIRECT = "direct:"
CONNECTED_WITHIN_SECONDS = 5.0
# How far back a post is looked for: it is minutes old where that is ever needed.
HISTORY = 300
# The gateway is given so long to come back by itself.
DOWN_SECONDS = 120.0
# A gateway that says nothing for so long, not even to a heartbeat, is left and greeted again.
SILENT_SECONDS = 60.0
REMEMBERED = 5000
_TOKEN_REFUSED = 4004
_INTENTS_REFUSED = 4014

log = structlog.get_logger("staffbot.discord")


class DiscordChat:
    """`run` is one client's life; whoever keeps it running waits and calls it again."""

    platform = PLATFORM

    def __init__(
        self,
        *,
        desk: Desk,
        settings: Settings,
        token: str,
        server: str = "",
        roles: Mapping[str, Role] | None = None,
        identifies: Identifies | None = None,
        patience: float = DOWN_SECONDS,
        silence: float = SILENT_SECONDS,
    ) -> None:
        self._settings = settings
        self._token = token
        self._server = server
        self._cards = Cards()
        self._answering = Answering(desk, People(settings, roles), settings.root, self._cards)
        self._identifies = identifies or Identifies()
        self._patience = patience
        self._silence = silence
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._marks: OrderedDict[str, str] = OrderedDict()

    # --- its life ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Be connected until cancelled. Raises ConfigError for a token that Discord refuses."""
        client = self._client = Client(
            answering=self._answering,
            network=self._settings.network,
            server=self._server,
            rooms=[room.id for room in self._rooms()],
            root=self._settings.root,
            kept=Path(self._settings.data) / "discord-commands.json",
            identifies=self._identifies,
            up=self._up.set,
            silence=self._silence,
        )
        try:
            await self._live(client)
        except Exception as problem:
            raise said(problem, client) from problem
        finally:
            self._up.clear()
            self._client = None
            await client.close()

    async def _live(self, client: Client) -> None:
        """discord.py tries a lost gateway for ever and tells nobody; after a while it is a trouble."""
        life = asyncio.create_task(client.start(self._token))
        try:
            while not life.done():
                await asyncio.wait({life}, timeout=self._patience / 8)
                if not life.done() and client.down_seconds > self._patience:
                    raise ConnectionError("Discord's gateway is away: presses do not come in")
            life.result()
        finally:
            life.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await life

    async def opened(self) -> None:
        """Wait until it can post."""
        await self._up.wait()

    @property
    def client(self) -> Client | None:
        return self._client

    # --- posts ------------------------------------------------------------------------------

    async def post(self, room: Room, message: Message, key: str) -> MessageRef:
        client = await self._connected()
        channel = client.get_partial_messageable(_number(room.id))
        ref = await self._send(channel, message, key)
        self._cards.stands(message.mention, ref.room.id, ref.id)
        return ref

    async def direct(self, user_id: str, message: Message, key: str) -> MessageRef:
        """To one person; where their direct messages are closed, once in their team's channel."""
        client = await self._connected()
        try:
            channel = await client.create_dm(discord.Object(_number(user_id)))
            said = await channel.send(nonce=nonce(key), **sent(draw(message, mark(key))))
        except discord.Forbidden as problem:
            room = self._instead(user_id)
            if problem.code != DIRECT_MESSAGES_CLOSED or room is None:
                raise delivery_error(problem) from problem
            log.info("discord.direct_messages_closed")
            instead = client.get_partial_messageable(_number(room.id))
            return await self._send(instead, message, key, to=user_id)
        except Exception as problem:
            raise delivery_error(problem) from problem
        return self._posted(said, key)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        client = await self._connected()
        channel = client.get_partial_messageable(_number(ref.room.id))
        try:
            known = self._marks.get(ref.id)
            if known is None:
                known = self._remember(ref.id, _mark_of(await channel.fetch_message(int(ref.id))))
            await channel.get_partial_message(int(ref.id)).edit(**edited(draw(message, known)))
        except Exception as problem:
            raise delivery_error(problem) from problem
        self._cards.stands(message.mention, ref.room.id, ref.id)

    async def find(self, room: Room, key: str) -> MessageRef | None:
        """Look through what stands there: Discord keeps no nonce, so our own mark has to tell."""
        client = await self._connected()
        try:
            for channel in await self._places(client, room):
                async for message in channel.history(limit=HISTORY):
                    ours = client.user is not None and message.author.id == client.user.id
                    if ours and _mark_of(message) == mark(key):
                        return self._posted(message, key)
        except Exception as problem:
            raise delivery_error(problem, changes=False) from problem
        return None

    async def _send(
        self,
        channel: discord.abc.Messageable,
        message: Message,
        key: str,
        to: str = "",
    ) -> MessageRef:
        arguments = sent(draw(message, mark(key)))
        if to:
            arguments["content"] = f"<@{to}> {arguments['content']}"
            person = discord.Object(_number(to))
            arguments["allowed_mentions"] = discord.AllowedMentions(
                everyone=False, roles=False, users=[person]
            )
        try:
            said = await channel.send(nonce=nonce(key), **arguments)
        except Exception as problem:
            raise delivery_error(problem) from problem
        return self._posted(said, key)

    def _posted(self, said: discord.Message, key: str) -> MessageRef:
        self._remember(str(said.id), mark(key))
        room = Room(platform=PLATFORM, id=str(said.channel.id))
        return MessageRef(room=room, id=str(said.id))

    def _remember(self, message: str, mark: str) -> str:
        self._marks[message] = mark
        while len(self._marks) > REMEMBERED:
            self._marks.popitem(last=False)
        return mark

    # --- where ------------------------------------------------------------------------------

    async def _connected(self) -> Client:
        try:
            async with asyncio.timeout(CONNECTED_WITHIN_SECONDS):
                await self._up.wait()
        except TimeoutError:
            raise DeliveryError("not connected to Discord yet", retry_after=5.0) from None
        if self._client is None:
            raise DeliveryError("not connected to Discord just now", retry_after=1.0)
        return self._client

    async def _places(self, client: Client, room: Room) -> Sequence[discord.abc.Messageable]:
        """Where a post of that room may stand: a direct one may be in the channel instead."""
        if not room.id.startswith(DIRECT):
            return [client.get_partial_messageable(_number(room.id))]
        user = room.id.removeprefix(DIRECT)
        places: list[discord.abc.Messageable] = [
            await client.create_dm(discord.Object(_number(user)))
        ]
        instead = self._instead(user)
        if instead is not None:
            places.append(client.get_partial_messageable(_number(instead.id)))
        return places

    def _instead(self, user: str) -> Room | None:
        """A channel of this person's team, else the first one."""
        member = next((one for one in self._settings.staff if one.ids.get(PLATFORM) == user), None)
        mine = [team for team in self._settings.teams if member and team.key in member.teams]
        return next(iter(self._rooms(*mine, *self._settings.teams)), None)

    def _rooms(self, *teams: Team) -> list[Room]:
        """The channels of these teams, or of all, in which cards are shown."""
        return [
            one.room
            for team in teams or self._settings.teams
            for one in team.rooms
            if one.room.platform == PLATFORM and not one.figures_only
        ]


def said(problem: Exception, client: discord.Client) -> Exception:
    """Why a client ended, in a sentence where a person has to do something."""
    code = problem.code if isinstance(problem, discord.ConnectionClosed) else None
    if isinstance(problem, discord.LoginFailure) or code == _TOKEN_REFUSED:
        return ConfigError.at(
            "discord.token",
            "Discord does not know this token: make a new one on the Bot page of "
            "https://discord.com/developers/applications and set it as DISCORD_TOKEN.",
        )
    if isinstance(problem, discord.PrivilegedIntentsRequired) or code == _INTENTS_REFUSED:
        return ConfigError.at(
            "discord",
            "Discord refuses what staffbot asks to be told of (4014): use a newer staffbot.",
        )
    if isinstance(problem, AttributeError) and getattr(client, "ws", None) is None:
        # discord.py looks into its connection before there was one.
        return ConnectionError("Discord's gateway could not be reached")
    return problem


def _mark_of(message: discord.Message) -> str:
    rows = [one.to_dict() for one in message.components]
    embeds = [embed.to_dict() for embed in message.embeds]
    return mark_of(rows) or mark_in(embeds)  # type: ignore[arg-type]


def _number(id: str) -> int:
    if not id.isdigit():
        raise DeliveryError(f"“{id}” is no id of Discord's: it has digits only", permanent=True)
    return int(id)

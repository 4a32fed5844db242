"""Who is in the teams' channels: every full member there is staff, wherever in Slack they act.

Asked of Slack as whole lists, kept for some minutes and kept right by what Slack tells of comings and
goings. Where Slack does not tell, nobody is locked out: then it counts where somebody acts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import structlog

from handlers.slack.api import Api
from staffbot.errors import DeliveryError
from staffbot.model import Room
from staffbot.settings import Settings
from staffbot.words import listed

PLATFORM = "slack"
KEPT_SECONDS = 600.0
AGAIN_SECONDS = 20.0  # so young a list is not asked for again because somebody is not on it
PAGE = 500

log = structlog.get_logger("staffbot.slack")


class Belongs(Enum):
    """What can be said of who is in no channel of which Slack told."""

    NOWHERE = auto()
    UNKNOWN = auto()


@dataclass(slots=True)
class _Channel:
    """`read_at` is when the list was read whole; `tried_at` when Slack was last asked.

    said  how it is called where somebody is to join it
    """

    team: str
    said: str = ""
    members: set[str] = field(default_factory=set)
    read_at: float = float("-inf")
    tried_at: float = float("-inf")


class Members:
    def __init__(
        self, api: Api, settings: Settings, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._now = now
        self._channels = {
            room.room.id: _Channel(team.name)
            for team in settings.teams
            for room in team.rooms
            if room.room.platform == PLATFORM
        }
        self._reading: asyncio.Task[None] | None = None

    async def home(self, user_id: str, seconds: float) -> Room | Belongs:
        """A team's channel that this person is in. Slack is waited for at most so long."""
        found = self.kept(user_id)
        if found is not None:
            return found
        if self._older_than(AGAIN_SECONDS):
            self.begin()
        if self._reading is not None and not self._reading.done():
            # What takes longer goes on by itself, and is there for the next press.
            await asyncio.wait({self._reading}, timeout=seconds)
        found = self._in(user_id)
        if found is not None:
            return found
        now, read = self._now(), [channel.read_at for channel in self._channels.values()]
        just_read = bool(read) and all(now - at < AGAIN_SECONDS + seconds for at in read)
        return Belongs.NOWHERE if just_read else Belongs.UNKNOWN

    def kept(self, user_id: str) -> Room | None:
        """As `home`, without asking; an old list is read anew for the next time."""
        found = self._in(user_id)
        if found is not None and self._older_than(KEPT_SECONDS):
            self.begin()
        return found

    def begin(self) -> None:
        """Read the lists, unless that is under way."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_all(), name="slack members")

    def moved(self, user_id: str, channel: str, *, joined: bool) -> None:
        """Somebody joined or left; other channels are none of ours."""
        known = self._channels.get(channel)
        if known is not None:
            (known.members.add if joined else known.members.discard)(user_id)

    def know(self, user_id: str) -> None:
        """In every channel, where somebody knows it already."""
        for channel in self._channels.values():
            channel.members.add(user_id)
            channel.read_at = channel.tried_at = self._now()

    def join_first(self) -> str:
        """What somebody has to do to be staff."""
        names = [one.said or f"the channel of {one.team}" for one in self._channels.values()]
        where = listed(list(dict.fromkeys(names)), joined="or")
        return (
            f"This is for the library's staff, and you are in none of its channels. Join {where}, or "
            "ask somebody there to invite you, and try again. The person who looks after staffbot "
            "can also list you under [[staff]]."
        )

    async def end(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _in(self, user_id: str) -> Room | None:
        here = (id for id, channel in self._channels.items() if user_id in channel.members)
        id = next(here, None)
        return None if id is None else Room(platform=PLATFORM, id=id)

    def _older_than(self, seconds: float) -> bool:
        return any(self._now() - c.tried_at >= seconds for c in self._channels.values())

    async def _read_all(self) -> None:
        await asyncio.gather(*(self._read(id, one) for id, one in self._channels.items()))

    async def _read(self, id: str, channel: _Channel) -> None:
        channel.tried_at = self._now()
        found: set[str] = set()
        cursor: str | None = None
        try:
            while True:
                page = await self._page(id, cursor)
                found |= {str(user) for user in page.get("members", ())}
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
                if cursor is None:
                    break
        except DeliveryError as problem:
            log.warning("slack.members_not_read", channel=id, reason=str(problem))
            return
        if not channel.said:
            await self._name(id, channel)
        channel.members = found
        channel.read_at = self._now()

    async def _page(self, id: str, cursor: str | None) -> Mapping[str, Any]:
        return await self._api.ask(
            lambda client: client.conversations_members(channel=id, limit=PAGE, cursor=cursor),
            f"ask who is in {id}",
        )

    async def _name(self, id: str, channel: _Channel) -> None:
        """A public channel is called by its name, any other one by its team's."""
        try:
            answer = await self._api.ask(
                lambda client: client.conversations_info(channel=id), f"look at {id}"
            )
        except DeliveryError:
            return
        about = answer.get("channel") or {}
        if about.get("name") and not about.get("is_private"):
            channel.said = f"#{about['name']}"

"""Who acts: a full member of a team's channel, a guest, a stranger; and whether a group makes them
manager.

Asked of Slack before the desk's transaction and kept for a while, so that a press is quick.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from handlers.slack.api import Api
from handlers.slack.cutting import clean, cut
from handlers.slack.members import PLATFORM, Belongs, Members
from staffbot.errors import DeliveryError
from staffbot.model import Actor, Role, Room
from staffbot.settings import Settings

KEPT_SECONDS = 900.0
MOST_NAMED = 10  # people in one line that are looked up
WITHIN_SECONDS = 2.0  # of the three in which Slack waits for an answer

GUEST = (
    "This is for the library's staff, and Slack says that you are a guest here. The person who "
    "looks after staffbot can list you under [[staff]]."
)
STRANGER = (
    "This is for the library's staff, and Slack says that you belong to another workspace. The "
    "person who looks after staffbot can list you under [[staff]]."
)
CLOSED = (
    "This is for the library's staff, and Slack says that this is the account of an app, or one that "
    "was closed."
)
UNKNOWN = "Slack did not say in time who you are, so nothing was done. Please try again."

log = structlog.get_logger("staffbot.slack")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    name: str
    refused: str
    at: float


class NotStaff(Exception):
    """The text is a sentence for the one who acted."""


class People:
    def __init__(
        self,
        api: Api,
        settings: Settings,
        *,
        managers_group: str = "",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._settings = settings
        self._group = managers_group
        self._now = now
        self._listed = {member.ids[PLATFORM] for member in settings.staff if PLATFORM in member.ids}
        self._known: dict[str, _Known] = {}
        self._managers: frozenset[str] | None = None
        self._managers_at = float("-inf")
        self._members = Members(api, settings, now=now)

    async def actor(self, user_id: str, channel: str = "") -> Actor:
        """The one who acts. Raises NotStaff with a sentence for guests, strangers, and who is in none
        of the teams' channels.
        """
        # What has to be asked is asked all at once, as Slack waits for three seconds altogether.
        known, role, home = self._kept(user_id) or await asyncio.gather(
            self._look_up(user_id), self._role(user_id), self._home(user_id)
        )
        if user_id not in self._listed:
            if known.refused:
                raise NotStaff(known.refused)
            if home is Belongs.NOWHERE:
                raise NotStaff(self._members.join_first())
        return Actor(
            platform=PLATFORM,
            user_id=user_id,
            name=known.name,
            room=self.room(channel),
            home=home if isinstance(home, Room) else None,
            role=role,
        )

    async def colleagues(self, user_ids: Sequence[str]) -> tuple[Actor, ...]:
        """Of people whom somebody names, those who are staff because they are in a team's channel."""
        asked = [self.actor(user_id) for user_id in user_ids[:MOST_NAMED]]
        found = await asyncio.gather(*asked, return_exceptions=True)
        return tuple(one for one in found if isinstance(one, Actor) and one.home is not None)

    async def names(self, user_ids: Sequence[str], seconds: float) -> Mapping[str, str]:
        """How Slack calls these people; those only of whom it tells in time."""
        asked = {id: asyncio.create_task(self._look_up(id)) for id in user_ids[:MOST_NAMED]}
        if asked:
            await asyncio.wait(asked.values(), timeout=seconds)
        told: dict[str, str] = {}
        for id, task in asked.items():
            if not task.done():
                task.cancel()
            elif task.exception() is None:
                told[id] = task.result().name
        return told

    def know(self, user_id: str, name: str) -> None:
        """A full member, where somebody knows it already; for as long as Slack's own word holds."""
        self._known[user_id] = _Known(name=name, refused="", at=self._now())
        self._members.know(user_id)

    def begin(self) -> None:
        """Ask in good time for what the first press will need."""
        self._members.begin()

    def moved(self, user_id: str, channel: str, *, joined: bool) -> None:
        """Somebody joined a channel or left it."""
        self._members.moved(user_id, channel, joined=joined)

    async def end(self) -> None:
        await self._members.end()

    def room(self, channel: str) -> Room | None:
        """The team's room that this channel is, if it is one."""
        room = Room(platform=PLATFORM, id=channel)
        return room if channel and self._settings.team_of_room(room) is not None else None

    def _kept(self, user_id: str) -> tuple[_Known, Role | None, Room | Belongs] | None:
        """All about a person, where nothing of it has to be asked."""
        known = self._known.get(user_id)
        if known is None or self._now() - known.at >= KEPT_SECONDS or self._group_is_old():
            return None
        listed = user_id in self._listed
        home = Belongs.UNKNOWN if listed else self._members.kept(user_id)
        return None if home is None else (known, self._role_of(user_id), home)

    async def _look_up(self, user_id: str) -> _Known:
        known = self._known.get(user_id)
        if known is not None and self._now() - known.at < KEPT_SECONDS:
            return known
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                us = await self._api.identity()
                answer = await self._api.ask(
                    lambda client: client.users_info(user=user_id), "ask who pressed"
                )
        except (DeliveryError, TimeoutError) as problem:
            log.warning("slack.person_not_looked_up", reason=str(problem))
            if known is not None:
                return known  # what was true a while ago
            if user_id in self._listed:
                return _Known(name=self._name_of(user_id), refused="", at=float("-inf"))
            raise NotStaff(UNKNOWN) from None
        user = answer.get("user") or {}
        found = _Known(name=_name(user), refused=_refusal(user, us.team_id), at=self._now())
        self._known[user_id] = found
        return found

    async def _home(self, user_id: str) -> Room | Belongs:
        """A channel of a team's that they are in. Listed people are staff wherever they are."""
        if user_id in self._listed:
            return Belongs.UNKNOWN
        return await self._members.home(user_id, WITHIN_SECONDS)

    async def _role(self, user_id: str) -> Role | None:
        """What the managers' group makes of them; None where there is none, or Slack did not tell."""
        if self._group_is_old():
            await self._read_group()
        return self._role_of(user_id)

    def _role_of(self, user_id: str) -> Role | None:
        if self._managers is None:
            return None
        return Role.MANAGER if user_id in self._managers else Role.STAFF

    def _group_is_old(self) -> bool:
        return bool(self._group) and self._now() - self._managers_at >= KEPT_SECONDS

    async def _read_group(self) -> None:
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                answer = await self._api.ask(
                    lambda client: client.usergroups_users_list(usergroup=self._group),
                    "ask who is in the managers' group",
                )
        except (DeliveryError, TimeoutError) as problem:
            log.warning("slack.group_not_looked_up", reason=str(problem))
            return
        self._managers = frozenset(str(user) for user in answer.get("users", ()))
        self._managers_at = self._now()

    def _name_of(self, user_id: str) -> str:
        found = (m.name for m in self._settings.staff if m.ids.get(PLATFORM) == user_id)
        return next(found, "")


def _name(user: Mapping[str, Any]) -> str:
    profile = user.get("profile") or {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"),
             user.get("name"))  # fmt: skip
    return cut(clean(next((str(name) for name in names if name), "")), 80)


def _refusal(user: Mapping[str, Any], team: str) -> str:
    """Why Slack's own account of a person makes them none of the staff; empty for a full member."""
    teams = {user.get("team_id"), *((user.get("enterprise_user") or {}).get("teams") or ())}
    if user.get("is_stranger") or (team and team not in teams):
        return STRANGER
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return GUEST
    if user.get("deleted") or user.get("is_bot"):
        return CLOSED
    return ""

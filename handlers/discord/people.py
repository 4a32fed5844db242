"""Who somebody on Discord is to the desk: which room they act in, what their roles make of them.

Decides nothing about what they may do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import discord

from staffbot.model import Actor, Role, Room
from staffbot.settings import Settings

PLATFORM = "discord"


class People:
    """`roles` are Discord's roles that make somebody more than staff, by their id."""

    def __init__(self, settings: Settings, roles: Mapping[str, Role] | None = None) -> None:
        self._settings = settings
        self._roles = dict(roles or {})

    def actor_of(self, interaction: discord.Interaction[Any]) -> Actor:
        user = interaction.user
        held = [str(role.id) for role in user.roles] if isinstance(user, discord.Member) else None
        return self.actor(
            str(user.id),
            user.display_name,
            str(interaction.channel_id or ""),
            interaction.channel,
            held,
        )

    def actor(
        self,
        user: str,
        name: str,
        channel_id: str,
        channel: object,
        held: Sequence[str] | None = None,
    ) -> Actor:
        """The person as Discord shows them; in a thread they act in its channel."""
        room = Room(platform=PLATFORM, id=channel_id)
        thread = ""
        if isinstance(channel, discord.Thread) and self._settings.team_of_room(room) is None:
            room, thread = Room(platform=PLATFORM, id=str(channel.parent_id)), channel_id
        known = self._settings.team_of_room(room) is not None
        return Actor(
            platform=PLATFORM,
            user_id=user,
            name=name,
            room=room if known else None,
            thread=thread if known else "",
            role=self._role(held),
        )

    def _role(self, held: Sequence[str] | None) -> Role | None:
        """What Discord's roles make of somebody, where the configuration goes by them."""
        if not self._roles or held is None:
            return None
        return max(
            (self._roles[one] for one in held if one in self._roles),
            key=list(Role).index,
            default=Role.STAFF,
        )

    def is_ours(self, channel_id: str) -> bool:
        return self._settings.team_of_room(Room(platform=PLATFORM, id=channel_id)) is not None

"""Which permissions staffbot needs on Discord and why, and which it has in a channel. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

ADMINISTRATOR = 1 << 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One permission, as Discord's settings call it."""

    name: str
    bit: int
    why: str


NEEDED = (
    Permission(name="View Channels", bit=1 << 10, why="to see the team's channel"),
    Permission(name="Send Messages", bit=1 << 11, why="to post cards, reminders and the digest"),
    Permission(name="Embed Links", bit=1 << 14, why="a card is an embed"),
    Permission(name="Attach Files", bit=1 << 15, why="charts and tables of figures"),
    Permission(
        name="Read Message History", bit=1 << 16,
        why="to find out after a crash whether a card stands there, so that none is doubled",
    ),
    Permission(
        name="Create Public Threads", bit=1 << 35, why="Discuss, or a note, opens a thread on a card"
    ),
    Permission(name="Send Messages in Threads", bit=1 << 38, why="answers in such a thread"),
)  # fmt: skip
ALL_NEEDED = sum(one.bit for one in NEEDED)

INVITE = "https://discord.com/oauth2/authorize"


def invite_url(application: str, server: str = "") -> str:
    """The address at which a server's manager adds staffbot, with exactly what it needs."""
    url = (
        f"{INVITE}?client_id={application}&scope=bot+applications.commands&permissions={ALL_NEEDED}"
    )
    return f"{url}&guild_id={server}" if server else url


def missing(granted: int) -> tuple[Permission, ...]:
    """What is needed and not granted."""
    if granted & ADMINISTRATOR:
        return ()
    return tuple(one for one in NEEDED if not granted & one.bit)


def granted_in(channel: Json, guild: Json, member: Json) -> int:
    """The permissions of a member in a channel, reckoned as Discord does."""
    user, everyone = str(member["user"]["id"]), str(guild["id"])
    if str(guild.get("owner_id")) == user:
        return ALL_NEEDED | ADMINISTRATOR
    held = {everyone, *(str(role) for role in member.get("roles", ()))}
    granted = 0
    for role in guild.get("roles", ()):
        if str(role["id"]) in held:
            granted |= int(role["permissions"])
    if granted & ADMINISTRATOR:
        return granted
    overwrites: Sequence[Json] = channel.get("permission_overwrites") or ()
    granted = _overwritten(granted, [one for one in overwrites if str(one["id"]) == everyone])
    mine = [one for one in overwrites if str(one["id"]) in held - {everyone}]
    granted = _overwritten(granted, mine)
    return _overwritten(granted, [one for one in overwrites if str(one["id"]) == user])


def _overwritten(granted: int, overwrites: Sequence[Json]) -> int:
    """Of one level all denials come first, then all grants."""
    for one in overwrites:
        granted &= ~int(one.get("deny") or 0)
    for one in overwrites:
        granted |= int(one.get("allow") or 0)
    return granted

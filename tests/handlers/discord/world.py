"""What stands on the loopback Discord: people, channels, messages, as Discord's JSON tells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

Json = dict[str, Any]

# Snowflakes hold a moment; these begin in 2026.
FIRST_ID = 1_460_000_000_000_000_000
BOT, SERVER, EVERYONE = "1450000000000000001", "1450000000000000002", "1450000000000000002"
CHANNEL, OTHER, ELSEWHERE = (
    "1450000000000000011",
    "1450000000000000012",
    "1450000000000000013",
)
LEADS = "1450000000000000099"
ANA, BEN, STRANGER = "1450000000000000021", "1450000000000000022", "1450000000000000023"
ALL_PERMISSIONS = str((1 << 50) - 1)
ADMINISTRATOR = 1 << 3
AT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC).isoformat()


def user(id: str, name: str, *, bot: bool = False) -> Json:
    return {
        "id": id, "username": name.lower().replace(" ", "."), "discriminator": "0", "avatar": None,
        "global_name": name, "public_flags": 0, "flags": 0, "bot": bot,
        "primary_guild": None,
    }  # fmt: skip


PEOPLE = {
    BOT: user(BOT, "staffbot", bot=True),
    ANA: user(ANA, "Ana Silva"),
    BEN: user(BEN, "Ben Okafor"),
    STRANGER: user(STRANGER, "Nobody Known"),
}


def member(id: str) -> Json:
    return {
        "user": PEOPLE[id], "nick": None, "avatar": None, "banner": None, "roles": [],
        "joined_at": AT, "premium_since": None, "deaf": False, "mute": False, "flags": 0,
        "pending": False, "communication_disabled_until": None,
    }  # fmt: skip


def channel(id: str, name: str) -> Json:
    return {
        "id": id, "type": 0, "guild_id": SERVER, "name": name, "position": 0, "flags": 0,
        "permission_overwrites": [], "nsfw": False, "rate_limit_per_user": 0, "topic": None,
        "last_message_id": None, "parent_id": None,
    }  # fmt: skip


def role(id: str = EVERYONE, name: str = "@everyone") -> Json:
    return {
        "id": id, "name": name, "color": 0, "hoist": False, "icon": None,
        "unicode_emoji": None, "position": 0,
        "permissions": str(int(ALL_PERMISSIONS) & ~ADMINISTRATOR), "managed": False,
        "mentionable": False, "flags": 0, "description": None,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
    }  # fmt: skip


def guild(channels: list[Json]) -> Json:
    return {
        "id": SERVER, "name": "Riverside Library", "icon": None, "splash": None,
        "discovery_splash": None, "owner_id": BEN, "afk_channel_id": None, "afk_timeout": 300,
        "verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0,
        "roles": [role(), role(LEADS, "Leads")], "emojis": [], "features": [], "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None, "system_channel_flags": 0, "rules_channel_id": None,
        "vanity_url_code": None, "description": None, "banner": None, "premium_tier": 0,
        "preferred_locale": "en-US", "public_updates_channel_id": None, "nsfw_level": 0,
        "stickers": [], "premium_progress_bar_enabled": False, "safety_alerts_channel_id": None,
        "hub_type": None, "incidents_data": None, "joined_at": AT, "large": False,
        "unavailable": False, "member_count": 3, "voice_states": [], "members": [member(BOT)],
        "channels": channels, "threads": [], "presences": [], "stage_instances": [],
        "guild_scheduled_events": [], "soundboard_sounds": [], "premium_subscription_count": 0,
        "region": "", "max_members": 1000, "max_video_channel_users": 25,
        "max_stage_video_channel_users": 25,
    }  # fmt: skip


def guild_read() -> Json:
    """The server as it is read, not told at the gateway."""
    only_told = {
        "joined_at", "large", "unavailable", "member_count", "voice_states", "members", "channels",
        "threads", "presences", "stage_instances", "guild_scheduled_events", "soundboard_sounds",
    }  # fmt: skip
    read = {key: value for key, value in guild([]).items() if key not in only_told}
    return read | {
        "home_header": None, "max_presences": None, "nsfw": False, "widget_channel_id": None,
        "widget_enabled": False,
    }  # fmt: skip


@dataclass(slots=True)
class World:
    """Messages stand by channel, oldest first. As on Discord, none keeps its nonce."""

    channels: dict[str, Json] = field(default_factory=dict)
    messages: dict[str, list[Json]] = field(default_factory=dict)
    nonces: dict[str, Json] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)  # a person's direct channel
    shut: set[str] = field(default_factory=set)  # whose direct messages are closed
    roles: dict[str, list[str]] = field(default_factory=dict)  # which roles a person has
    commands: list[Json] = field(default_factory=list)
    ids: count[int] = field(default_factory=lambda: count(FIRST_ID, 1 << 22))

    def __post_init__(self) -> None:
        for id, name in ((CHANNEL, "mentions"), (OTHER, "children"), (ELSEWHERE, "lunch")):
            self.channels[id] = channel(id, name)
            self.messages[id] = []

    def new_id(self) -> str:
        return str(next(self.ids))

    def letters_of(self, person: str) -> Json:
        if person not in self.letters:
            id = self.letters[person] = self.new_id()
            self.channels[id] = {
                "id": id, "type": 1, "flags": 0, "last_message_id": None,
                "recipients": [PEOPLE[person]],
            }  # fmt: skip
            self.messages[id] = []
        return self.channels[self.letters[person]]

    def thread_on(self, message: Json, name: str) -> Json:
        id = message["id"]
        thread = {
            "id": id, "type": 11, "guild_id": SERVER, "name": name, "flags": 0,
            "parent_id": message["channel_id"], "owner_id": BOT, "last_message_id": None,
            "message_count": 0, "member_count": 1, "total_message_sent": 0,
            "rate_limit_per_user": 0,
            "thread_metadata": {
                "archived": False, "auto_archive_duration": 1440, "archive_timestamp": AT,
                "locked": False, "create_timestamp": AT,
            },
        }  # fmt: skip
        self.channels[id] = thread
        self.messages[id] = []
        return thread

    def message(self, channel_id: str, author: str, said: Json) -> Json:
        """A message as it is read from history."""
        return {
            "id": self.new_id(), "type": 0, "channel_id": channel_id, "author": PEOPLE[author],
            "content": said.get("content") or "", "timestamp": AT, "edited_timestamp": None,
            "tts": False, "mention_everyone": False, "mentions": [], "mention_roles": [],
            "attachments": self._attachments(channel_id, said), "pinned": False,
            "embeds": [{"type": "rich", **embed} for embed in said.get("embeds") or ()],
            "components": numbered(said.get("components") or []),
            "flags": int(said.get("flags") or 0),
        }  # fmt: skip

    def change(self, message: Json, said: Json) -> None:
        if "content" in said:
            message["content"] = said["content"] or ""
        if "embeds" in said:
            message["embeds"] = [{"type": "rich", **embed} for embed in said["embeds"] or ()]
        if "components" in said:
            message["components"] = numbered(said["components"] or [])
        if "attachments" in said:
            message["attachments"] = self._attachments(message["channel_id"], said)
        message["edited_timestamp"] = AT

    def find(self, channel_id: str, message_id: str) -> Json | None:
        standing = self.messages.get(channel_id, ())
        return next((one for one in standing if one["id"] == message_id), None)

    def delete(self, channel_id: str, message_id: str) -> None:
        """Somebody deletes a message by hand."""
        kept = [one for one in self.messages[channel_id] if one["id"] != message_id]
        assert len(kept) < len(self.messages[channel_id])
        self.messages[channel_id] = kept

    def contents(self, channel_id: str) -> list[str]:
        return [str(one["content"]) for one in self.messages.get(channel_id, ())]

    def _attachments(self, channel_id: str, said: Json) -> list[Json]:
        found = []
        for one in said.get("attachments") or ():
            url = f"https://cdn.discordapp.com/attachments/{channel_id}/{one['filename']}"
            found.append(
                {"id": self.new_id(), "filename": one["filename"], "size": 1, "url": url,
                 "proxy_url": url}
            )  # fmt: skip
        return found


def numbered(rows: list[Json]) -> list[Json]:
    """Components as Discord gives them back: each has a number."""
    numbers = count(1)

    def of(one: Json) -> Json:
        given = {**one, "id": one.get("id") or next(numbers)}
        if "components" in one:
            given["components"] = [of(inner) for inner in one["components"]]
        if one["type"] == 3:
            given = {"min_values": 1, "max_values": 1, "disabled": False, **given}
        return given

    return [of(row) for row in rows]

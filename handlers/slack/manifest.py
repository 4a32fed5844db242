"""The app manifest: what Slack has to know of the app, with no permission that it does not need. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers.slack.pressing import LOG, TRACK
from handlers.slack.typed import ALIASES
from staffbot.commands import VERBS, Verb

Json = dict[str, Any]

PATH = "/slack/events"
NAME = 35
COMMAND_HINT = 100

# Each Web API method that the door calls, with the permission it is called by. The manifest asks
# for these and no others; a test holds both against Slack's own reference.
METHODS: dict[str, frozenset[str]] = {
    "apps.connections.open": frozenset(),
    "auth.test": frozenset(),
    "blocks.validate": frozenset(),
    "chat.postEphemeral": frozenset({"chat:write"}),
    "chat.postMessage": frozenset({"chat:write"}),
    "chat.update": frozenset({"chat:write"}),
    "conversations.history": frozenset({"channels:history", "groups:history", "im:history"}),
    "conversations.info": frozenset({"channels:read", "groups:read"}),
    "conversations.members": frozenset({"channels:read", "groups:read"}),
    "conversations.open": frozenset({"im:write"}),
    "conversations.replies": frozenset({"channels:history", "groups:history", "im:history"}),
    "files.completeUploadExternal": frozenset({"files:write"}),
    "files.getUploadURLExternal": frozenset({"files:write"}),
    "users.info": frozenset({"users:read"}),
    "usergroups.users.list": frozenset({"usergroups:read"}),
    "views.open": frozenset(),
    "views.publish": frozenset(),
}
# What events and commands need besides.
EVENTS = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "member_joined_channel": ("channels:read", "groups:read"),
    "member_left_channel": ("channels:read", "groups:read"),
    "message.im": ("im:history",),
    "reaction_added": ("reactions:read",),
}
COMMANDS = "commands"
GROUP_METHOD = "usergroups.users.list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a library chose. `http` is its public address, "" for Socket Mode."""

    name: str = "staffbot"
    root: str = "lib"
    http: str = ""
    managers_group: bool = False


def scopes(wanted: Wanted) -> list[str]:
    needed = {COMMANDS}
    for method, its in METHODS.items():
        if method != GROUP_METHOD or wanted.managers_group:
            needed |= its
    for its_events in EVENTS.values():
        needed |= set(its_events)
    return sorted(needed)


def manifest(wanted: Wanted) -> Json:
    address = f"{wanted.http.rstrip('/')}{PATH}" if wanted.http else ""
    settings: Json = {
        "event_subscriptions": {
            **({"request_url": address} if address else {}),
            "bot_events": sorted(EVENTS),
        },
        "interactivity": {
            "is_enabled": True,
            **({"request_url": address} if address else {}),
        },
        "org_deploy_enabled": False,
        "socket_mode_enabled": not address,
        "token_rotation_enabled": False,
    }
    return {
        "display_information": {
            "name": wanted.name[:NAME],
            "description": "Every mention of the library becomes one card that somebody owns.",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": wanted.name[:NAME], "always_online": True},
            "shortcuts": [
                _shortcut("Log a mention", "global", LOG, "What came by phone or on paper"),
                _shortcut("Track this message", "message", TRACK, "Make it a mention"),
            ],
            "slash_commands": [_command(*one, address) for one in commands(wanted.root)],
        },
        "oauth_config": {"scopes": {"bot": scopes(wanted)}},
        "settings": settings,
    }


def commands(root: str) -> list[tuple[str, str, str]]:
    """Word, what it does, how it is used: the root, and the verbs that are commands of their own."""
    shown = [verb for verb in VERBS if not verb.hidden]
    found = [(root, "Claim, answer and look after mentions", _hint(shown))]
    for verb in shown:
        if verb.name in ALIASES and verb.name != root:
            usage = verb.usage.removeprefix(verb.name).strip()
            found.append((verb.name, verb.does, usage))
    return found


def _hint(verbs: Sequence[Verb]) -> str:
    hint = ""
    for verb in verbs:
        longer = f"{hint} | {verb.name}" if hint else verb.name
        if len(longer) > COMMAND_HINT - len(" | …"):
            return f"{hint} | …"
        hint = longer
    return hint


def _command(word: str, does: str, usage: str, address: str) -> Json:
    made: Json = {
        "command": f"/{word}",
        "description": does,
        "should_escape": True,
        **({"usage_hint": usage} if usage else {}),
    }
    return {**made, "url": address} if address else made


def _shortcut(name: str, kind: str, callback: str, description: str) -> Json:
    return {"name": name, "type": kind, "callback_id": callback, "description": description}

"""A workspace of the loopback Slack: what stands in it, its Web API methods, and what they refuse.

Knows no HTTP: loopback.py serves it. `violations` is what Slack would have refused.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.handlers.slack.rules import argument_faults, message_faults, view_faults

Json = dict[str, Any]

BOT = "U0BOT"
BOT_ID = "B0BOT"
TEAM = "T01"
BOT_TOKEN = "xoxb-1-test"
APP_TOKEN = "xapp-1-test"
PAGE = 20  # messages of a page of history, however many are asked for


@dataclass(slots=True)
class Channel:
    id: str
    name: str
    members: set[str] = field(default_factory=set)
    archived: bool = False
    private: bool = False
    messages: dict[str, Json] = field(default_factory=dict)
    ephemeral: list[Json] = field(default_factory=list)
    refuses_blocks: bool = False
    refuses_images: float = 0  # how often, until the file is ready


class Refusal(Exception):
    def __init__(self, error: str) -> None:
        self.error = error


class Workspace:
    """`refuse[method]` is an error that the method answers from now on."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.users: dict[str, Json] = {}
        self.groups: dict[str, list[str]] = {}
        self.calls: list[tuple[str, Json]] = []
        self.refuse: dict[str, str] = {}
        self.violations: list[str] = []
        self.views: list[Json] = []
        self.homes: dict[str, Json] = {}
        self.files: dict[str, Json] = {}
        self.answers: list[Json] = []
        self.url = ""
        self._ids = count(1)
        self._triggers: set[str] = set()
        rooms = (self.channel("C01", "adult"), self.channel("C02", "children"))
        for user, name in (("U1", "Ana Silva"), ("U2", "Ben Okafor"), ("U3", "Mia Lang")):
            self.user(user, name)
            for room in rooms:
                room.members.add(user)

    # --- the world --------------------------------------------------------------------------

    def channel(self, id: str, name: str) -> Channel:
        made = Channel(id, name, members={BOT})
        self.channels[id] = made
        return made

    def user(self, id: str, name: str, **more: Any) -> None:
        profile = {"display_name": name, "real_name": name}
        self.users[id] = {"id": id, "name": id.lower(), "team_id": TEAM, "profile": profile, **more}

    def says(self, channel: str, user: str, text: str, *, ago: float = 0.0, **more: Any) -> str:
        """Somebody writes into a channel, seen or unseen by the bot. The message's stamp."""
        ts = f"{time.time() - ago:.6f}"
        message = {"type": "message", "ts": ts, "user": user, "text": text, "bot_id": "", **more}
        found = self.channels[channel].messages
        found[ts] = message
        if more.get("thread_ts") in found:
            found[more["thread_ts"]]["latest_reply"] = ts
        return ts

    def reacts(self, channel: str, ts: str, name: str, *users: str) -> None:
        """From now on exactly these people's reaction of that name stands on a message."""
        message = self.channels[channel].messages[ts]
        others = [one for one in message.get("reactions", ()) if one["name"] != name]
        mine = [{"name": name, "users": list(users), "count": len(users)}] if users else []
        message["reactions"] = [*others, *mine]

    def trigger(self) -> str:
        made = f"trigger.{next(self._ids)}"
        self._triggers.add(made)
        return made

    def texts(self, channel: str) -> list[str]:
        found = self.channels.get(channel)
        if found is None:
            return []
        return [m["text"] for ts, m in sorted(found.messages.items())]

    def newest(self, channel: str) -> Json:
        found = self.channels[channel].messages
        return found[max(found)]

    def wont_show(self, channel: str) -> None:
        """From now on Slack finds the blocks of that channel wrong, as it does now and then."""
        self.channels[channel].refuses_blocks = True

    def called(self, method: str) -> list[Json]:
        return [arguments for name, arguments in self.calls if name == method]

    def copies(self) -> Counter[str]:
        """How often each key stands in the history of any channel."""
        return Counter(
            str(message["metadata"]["event_payload"]["key"])
            for channel in self.channels.values()
            for message in channel.messages.values()
            if message.get("metadata")
        )

    def take(self, method: str, token: str, arguments: Json) -> Json:
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if token != wanted:
            raise Refusal("invalid_auth")
        self.calls.append((method, arguments))
        if method in self.refuse:
            raise Refusal(self.refuse[method])
        handler = getattr(self, f"_{method.replace('.', '_')}", None)
        if handler is None:
            raise Refusal("unknown_method")
        for fault in argument_faults(method, arguments):
            self.violations.append(fault)
            raise Refusal("invalid_arguments")
        answer: Json = handler(arguments)
        return answer

    # --- methods ----------------------------------------------------------------------------

    def _auth_test(self, _: Json) -> Json:
        return {
            "user_id": BOT, "bot_id": BOT_ID, "team_id": TEAM, "team": "Library",
            "url": "https://library.slack.example/",
        }  # fmt: skip

    def _apps_connections_open(self, _: Json) -> Json:
        return {"url": f"{self.url.replace('http', 'ws', 1)}/socket/{next(self._ids)}"}

    def _chat_postMessage(self, a: Json) -> Json:  # noqa: N802
        channel = self._writable(a)
        self._judge(a, "chat.postMessage")
        ts = self._ts()
        message = {
            "type": "message", "ts": ts, "user": BOT, "bot_id": BOT_ID, "text": a.get("text", ""),
            "blocks": a.get("blocks", []), "metadata": a.get("metadata"),
            "unfurl": str(a.get("unfurl_links", "1")) not in ("0", "False", "false"),
        }  # fmt: skip
        if a.get("metadata"):
            self._metadata(a["metadata"])
        if a.get("thread_ts"):
            message["thread_ts"] = a["thread_ts"]
        channel.messages[ts] = message
        return {"channel": channel.id, "ts": ts, "message": message}

    def _chat_update(self, a: Json) -> Json:
        channel = self._writable(a)
        self._judge(a, "chat.update")
        found = channel.messages.get(a.get("ts", ""))
        if found is None:
            raise Refusal("message_not_found")
        if found["bot_id"] != BOT_ID:
            raise Refusal("cant_update_message")
        found.update(text=a.get("text", ""), blocks=a.get("blocks", []), edited={"ts": self._ts()})
        return {"channel": channel.id, "ts": found["ts"], "text": found["text"]}

    def _chat_postEphemeral(self, a: Json) -> Json:  # noqa: N802
        channel = self._writable(a)
        self._judge(a, "chat.postEphemeral")
        if a["user"] not in self.users:
            raise Refusal("user_not_in_channel")
        channel.ephemeral.append(a)
        return {"message_ts": self._ts()}

    def _conversations_history(self, a: Json) -> Json:
        channel = self._readable(a)
        oldest, latest = float(a.get("oldest") or 0), float(a.get("latest") or 1e12)
        inclusive = str(a.get("inclusive", "")).lower() in ("1", "true")
        found = [
            m for ts, m in sorted(channel.messages.items(), reverse=True)
            if oldest < float(ts) < latest or (inclusive and float(ts) in (oldest, latest))
            if not m.get("thread_ts")
        ]  # fmt: skip
        return self._paged(found, a)

    def _conversations_replies(self, a: Json) -> Json:
        channel = self._readable(a)
        found = [
            m for ts, m in sorted(channel.messages.items())
            if ts == a["ts"] or m.get("thread_ts") == a["ts"]
            if ts == a["ts"] or float(ts) > float(a.get("oldest") or 0)
        ]  # fmt: skip
        return self._paged(found, a)

    def _paged(self, found: list[Json], a: Json) -> Json:
        start = int(a.get("cursor") or 0)
        limit = min(int(a.get("limit") or 100), PAGE)
        whole = str(a.get("include_all_metadata", "")).lower() in ("1", "true")
        page = [_shown(m, whole) for m in found[start : start + limit]]
        more = start + limit < len(found)
        cursor = str(start + limit) if more else ""
        return {"messages": page, "has_more": more, "response_metadata": {"next_cursor": cursor}}

    def _conversations_open(self, a: Json) -> Json:
        user = a["users"]
        if user not in self.users:
            raise Refusal("user_not_found")
        id = f"D{user}"
        if id not in self.channels:
            self.channel(id, f"direct to {user}").members.add(user)
        return {"channel": {"id": id}}

    def _conversations_members(self, a: Json) -> Json:
        channel = self._readable(a)
        start, limit = int(a.get("cursor") or 0), min(int(a.get("limit") or 100), PAGE)
        found = sorted(channel.members)
        more = start + limit < len(found)
        cursor = str(start + limit) if more else ""
        return {
            "members": found[start : start + limit],
            "response_metadata": {"next_cursor": cursor},
        }

    def _conversations_info(self, a: Json) -> Json:
        channel = self.channels.get(a["channel"])
        if channel is None:
            raise Refusal("channel_not_found")
        return {
            "channel": {
                "id": channel.id, "name": channel.name, "is_archived": channel.archived,
                "is_private": channel.private,
                "is_member": BOT in channel.members,
            }
        }  # fmt: skip

    def _users_info(self, a: Json) -> Json:
        if a["user"] not in self.users:
            raise Refusal("user_not_found")
        return {"user": self.users[a["user"]]}

    def _usergroups_users_list(self, a: Json) -> Json:
        if a["usergroup"] not in self.groups:
            raise Refusal("no_such_subteam")
        return {"users": self.groups[a["usergroup"]]}

    def _views_open(self, a: Json) -> Json:
        self._use_trigger(a)
        return self._view(a)

    def _views_publish(self, a: Json) -> Json:
        view = decoded(a.get("view"))
        self._judge_view(view)
        self.homes[a["user_id"]] = view
        return {"view": view}

    def _blocks_validate(self, a: Json) -> Json:
        if faults := message_faults(decoded(a.get("blocks"))):
            self.violations += faults
            raise Refusal("invalid_blocks")
        return {}

    def _files_getUploadURLExternal(self, a: Json) -> Json:  # noqa: N802
        id = f"F{next(self._ids)}"
        self.files[id] = {"name": a["filename"], "alt": a.get("alt_txt", ""), "content": b""}
        return {"upload_url": f"{self.url}/upload/{id}", "file_id": id}

    def _files_completeUploadExternal(self, a: Json) -> Json:  # noqa: N802
        files = decoded(a["files"])
        for file in files:
            self.files[file["id"]]["channel"] = a.get("channel_id", "")
        return {"files": files}

    # --- what Slack looks at ----------------------------------------------------------------

    def _writable(self, a: Json) -> Channel:
        channel = self._readable(a)
        if channel.archived:
            raise Refusal("is_archived")
        return channel

    def _readable(self, a: Json) -> Channel:
        channel = self.channels.get(a.get("channel", ""))
        if channel is None:
            raise Refusal("channel_not_found")
        if BOT not in channel.members:
            raise Refusal("not_in_channel")
        return channel

    def _judge(self, a: Json, method: str) -> None:
        blocks = decoded(a.get("blocks")) if a.get("blocks") else []
        a["blocks"] = blocks
        if not a.get("text") and not blocks:
            raise Refusal("no_text")
        if not a.get("text"):
            self.violations.append(f"{method} has no sentence for notifications")
        if len(a.get("text", "")) > 40_000:
            raise Refusal("msg_too_long")
        channel = self.channels[a["channel"]]
        images = channel.refuses_images > 0 and any(block["type"] == "image" for block in blocks)
        channel.refuses_images -= bool(images)
        if blocks and (channel.refuses_blocks or images):
            raise Refusal("invalid_blocks")
        if blocks and (faults := message_faults(blocks)):
            self.violations += [f"{method}: {fault}" for fault in faults]
            raise Refusal("invalid_blocks")

    def _judge_view(self, view: Json) -> None:
        if faults := view_faults(view):
            self.violations += [f"view: {fault}" for fault in faults]
            raise Refusal("invalid_arguments")

    def _metadata(self, metadata: Any) -> None:
        known = decoded(metadata)
        if not isinstance(known, dict) or not known.get("event_type"):
            raise Refusal("invalid_metadata_format")
        if len(json.dumps(known)) > 4000:
            raise Refusal("metadata_too_large")

    def _use_trigger(self, a: Json) -> None:
        if a["trigger_id"] not in self._triggers:
            raise Refusal("expired_trigger_id")
        self._triggers.discard(a["trigger_id"])

    def _view(self, a: Json) -> Json:
        view = {**decoded(a.get("view")), "id": f"V{next(self._ids)}"}
        self._judge_view(view)
        self.views.append(view)
        return {"view": view}

    def _ts(self) -> str:
        return f"{int(time.time())}.{next(self._ids):06d}"


def decoded(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value


def _shown(message: Json, whole: bool) -> Json:
    known = message.get("metadata")
    if not known or whole:
        return message
    return {**message, "metadata": {"event_type": known["event_type"]}}

"""A Discord of our own on loopback: REST and gateway, for an unmodified discord.py.

It keeps to what Discord says of itself: each request is judged by the rules of `rules`, each answer
and frame too. Misbehaves on demand, one call at a time.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes import Fault
from tests.handlers.discord import rules, world
from tests.handlers.discord.world import ANA, BOT, CHANNEL, SERVER, World

Json = dict[str, Any]
# (status, retry_after), and whether a limit is that of the whole bot.
Met = Fault | tuple[int, float] | tuple[int, float, bool]

TOKEN = "MTQ1MDAwMDAwMDAwMDAwMDAwMQ.GlOoPb.a-token-of-the-loopback-discord-only-000"
WAIT = 90.0  # however slow the machine is

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
_CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
_ORIGINAL = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
_COMMANDS = "/applications/{application_id}/guilds/{guild_id}/commands"


@dataclass(slots=True)
class Asked:
    """Something a person did, and what came back for them alone."""

    frame: Json
    callbacks: list[Json] = field(default_factory=list)
    shown: Json | None = None
    known: bool = True  # False: the three seconds are over
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def first(self) -> Json:
        """The first reply."""
        await self._until(lambda: bool(self.callbacks))
        return self.callbacks[0]

    async def answer(self) -> Json:
        """The message that answers it, once it is there."""
        await self._until(lambda: self.shown is not None)
        assert self.shown is not None
        return self.shown

    async def modal(self) -> Json:
        first = await self.first()
        assert first["type"] == 9, first
        data: Json = first["data"]
        return data

    async def choices(self) -> list[Json]:
        first = await self.first()
        assert first["type"] == 8, first
        found: list[Json] = first["data"]["choices"]
        return found

    async def _until(self, there: Any) -> None:
        async with asyncio.timeout(WAIT):
            while not there():
                self.changed.clear()
                await self.changed.wait()


class Refused(Exception):
    def __init__(self, status: int, code: int, message: str = "no") -> None:
        self.status, self.code = status, code
        super().__init__(message)


@dataclass(slots=True)
class Session:
    """A gateway session; its frames are kept, to be sent again on RESUME."""

    id: str
    frames: list[Json] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None


class Loopback:
    """`judging` may be left out where only time is measured."""

    def __init__(self, *, judging: bool = True) -> None:
        self._judging = judging
        self.world = World()
        self.wrong: list[str] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.faults: dict[tuple[str, str], deque[Met]] = {}
        self.asked: dict[str, Asked] = {}
        self.sessions: dict[str, Session] = {}
        self.identified = 0
        self.resumed = 0
        self.greetings_left = 1000  # before a restart of the loopback's client, too
        self.late = 0
        self.close_with: deque[int] = deque()
        self.away = False  # the gateway answers 503
        self.silent = False  # it stays open and says nothing, until it is greeted again
        self.heartbeat_ms = 41250
        self.missing: dict[str, int] = {}  # channel -> error code of every request there
        self.base = ""
        self.gateway = ""
        self._hang = asyncio.Event()
        self._ready = asyncio.Event()

    # --- control ----------------------------------------------------------------------------

    def fail(self, method: str, template: str, *faults: Met) -> None:
        """The next calls meet these: a Fault, or (status, retry_after)."""
        self.faults.setdefault((method, template), deque()).extend(faults)

    def fail_posts(self, *faults: Met) -> None:
        self.fail("POST", _MESSAGES, *faults)

    def fail_callbacks(self, *faults: Met) -> None:
        self.fail("POST", _CALLBACK, *faults)

    def fail_answers(self, *faults: Met) -> None:
        self.fail("PATCH", _ORIGINAL, *faults)

    def count(self, method: str, template: str) -> int:
        return sum(one[:2] == (method, template) for one in self.requests)

    def posted(self) -> int:
        return self.count("POST", _MESSAGES)

    def registered(self) -> int:
        return self.count("PUT", _COMMANDS)

    def letters_to(self, person: str) -> list[Json]:
        """The direct messages that somebody got."""
        return self.world.messages.get(self.world.letters.get(person, ""), [])

    async def connected(self) -> None:
        """Wait until a client is on the gateway."""
        async with asyncio.timeout(WAIT):
            await self._ready.wait()

    async def drop(self, code: int = 4000) -> None:
        """Close every connection to the gateway."""
        self._ready.clear()
        for session in self.sessions.values():
            if session.socket is not None:
                await session.socket.close(code=code)

    async def send(self, event: str, data: Json) -> None:
        """A frame to everybody who is, or was, on the gateway."""
        if self._judging:
            self.wrong += rules.frame(event, data)
        for session in self.sessions.values():
            await self._dispatch(session, event, data)

    async def invalidate(self) -> None:
        """Say that the session is no longer one."""
        self._ready.clear()
        for session in list(self.sessions.values()):
            self.sessions.pop(session.id)
            if session.socket is not None:
                await session.socket.send_str(json.dumps({"op": 9, "d": False}))

    async def raw(self, frame: Json) -> None:
        for session in self.sessions.values():
            if session.socket is not None and not session.socket.closed:
                await session.socket.send_str(json.dumps(frame))

    # --- what people do ---------------------------------------------------------------------

    async def click(
        self, message: Json, label: str, *, user: str = ANA, known: bool = True
    ) -> Asked:
        """Press the button of that label, or choose the option of that label in a select."""
        component, value = _control(message, label)
        data: Json = {
            "id": component["id"],
            "component_type": component["type"],
            "custom_id": component["custom_id"],
        }
        if component["type"] == 3:
            data["values"] = [value]
        channel = message["channel_id"]
        return await self._interact(3, data, user, channel, message=message, known=known)

    async def command(
        self, path: str, *, user: str = ANA, channel: str = CHANNEL, **options: str
    ) -> Asked:
        """`lib claim`, with its options."""
        data = self._command(path, [{"type": 3, "name": n, "value": v} for n, v in options.items()])
        return await self._interact(2, data, user, channel)

    async def typing(self, path: str, focused: str, typed: str, **options: str) -> Asked:
        """A command that is being typed."""
        said = [{"type": 3, "name": n, "value": v} for n, v in options.items()]
        said.append({"type": 3, "name": focused, "value": typed, "focused": True})
        return await self._interact(4, self._command(path, said), ANA, CHANNEL)

    async def submit(
        self, asked: Asked, values: dict[str, str | list[str]], user: str = ANA
    ) -> Asked:
        """Fill in the modal that was the answer to `asked`; the rest is left as it stands."""
        modal = await asked.modal()
        parts: list[Json] = []
        for number, question in enumerate(modal["components"], 1):
            if question["type"] == 10:  # words to read, and no question
                parts.append({"type": 10, "id": 2 * number - 1})
                continue
            inner = question["component"]
            name = inner["custom_id"]
            answer: Json = {"type": inner["type"], "id": 2 * number, "custom_id": name}
            if inner["type"] == 3:
                standing = [one["value"] for one in inner["options"] if one.get("default")]
                given = values.get(name, standing)
                answer["values"] = [given] if isinstance(given, str) else given
            else:
                answer["value"] = values.get(name, inner.get("value") or "")
            parts.append({"type": 18, "id": 2 * number - 1, "component": answer})
        data = {"custom_id": modal["custom_id"], "components": parts}
        message = asked.frame.get("message")
        return await self._interact(5, data, user, asked.frame["channel_id"], message=message)

    async def track(self, message: Json, user: str = ANA) -> Asked:
        """Use the context menu of a message."""
        found = next(one for one in self.world.commands if one["type"] == 3)
        data = {
            "id": found["id"], "name": found["name"], "type": 3, "guild_id": SERVER,
            "target_id": message["id"], "resolved": {"messages": {message["id"]: message}},
        }  # fmt: skip
        return await self._interact(2, data, user, message["channel_id"])

    async def react(self, message: Json, emoji: str, user: str = ANA) -> None:
        await self.send(
            "MESSAGE_REACTION_ADD",
            {
                "user_id": user, "channel_id": message["channel_id"], "message_id": message["id"],
                "guild_id": SERVER, "emoji": {"id": None, "name": emoji}, "burst": False, "type": 0,
                "member": world.member(user), "message_author_id": message["author"]["id"],
            },
        )  # fmt: skip

    def says(self, text: str, *, user: str = ANA, channel: str = CHANNEL) -> Json:
        """A person writes something in a channel."""
        message = self.world.message(channel, user, {"content": text})
        self.world.messages[channel].append(message)
        return message

    def _command(self, path: str, options: list[Json]) -> Json:
        name, *steps = path.split()
        found = next(one for one in self.world.commands if one["name"] == name)
        at = found
        said = options
        nested: list[tuple[int, str]] = []
        for step in steps:
            at = next(one for one in at["options"] if one["name"] == step)
            nested.append((at["type"], step))
        known = {one["name"] for one in at.get("options", ())}
        assert {one["name"] for one in options} <= known, f"{path} takes {known}"
        for type_, step in reversed(nested):
            said = [{"type": type_, "name": step, "options": said}]
        return {"id": found["id"], "name": name, "type": 1, "guild_id": SERVER, "options": said}

    async def _interact(
        self, type_: int, data: Json, user: str, channel: str,
        message: Json | None = None, known: bool = True,
    ) -> Asked:  # fmt: skip
        frame = self.envelope({"type": type_, "data": data, "channel_id": channel}, user)
        if message is not None:
            frame["message"] = message
        asked = self.asked[frame["token"]] = Asked(frame, known=known)
        await self.send("INTERACTION_CREATE", frame)
        return asked

    def envelope(self, said: Json, user: str = ANA) -> Json:
        """An interaction, whole, of what an example or a test says of it."""
        channel = said.get("channel_id", CHANNEL)
        shown = self.world.channels.get(channel, self.world.channels[CHANNEL])
        frame: Json = {
            "id": self.world.new_id(), "application_id": BOT, "token": f"token-{self.world.new_id()}",
            "version": 1, "locale": "en-US", "entitlements": [], "channel_id": channel,
            "app_permissions": world.ALL_PERMISSIONS, "attachment_size_limit": 10485760,
            "channel": {**shown, "permissions": world.ALL_PERMISSIONS},
            "authorizing_integration_owners": {"0": SERVER}, "context": 0,
        }  # fmt: skip
        if shown["type"] == 1:
            return {**frame, "user": world.PEOPLE[user], "context": 1, **said}
        held = self.world.roles.get(user, [])
        person = {**world.member(user), "permissions": world.ALL_PERMISSIONS, "roles": held}
        guild = {"id": SERVER, "locale": "en-US", "features": []}
        frame |= {"guild_id": SERVER, "guild": guild, "guild_locale": "en-US"}
        return {**frame, **said, "member": {**person, **said.get("member", {})}}

    # --- REST -------------------------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        calls = {
            ("GET", "/users/@me"): self._me,
            ("GET", "/gateway/bot"): self._gateway_bot,
            ("GET", "/oauth2/applications/@me"): self._application,
            ("PUT", _COMMANDS): self._register,
            ("GET", _MESSAGES): self._history,
            ("POST", _MESSAGES): self._post,
            ("GET", _MESSAGE): self._message,
            ("PATCH", _MESSAGE): self._edit,
            ("POST", f"{_MESSAGE}/threads"): self._thread,
            ("GET", "/channels/{channel_id}"): self._channel,
            ("PATCH", "/channels/{channel_id}"): self._change_channel,
            ("GET", "/guilds/{guild_id}"): self._guild,
            ("GET", "/guilds/{guild_id}/members/{user_id}"): self._member,
            ("POST", "/users/@me/channels"): self._letters,
            ("POST", _CALLBACK): self._callback,
            ("PATCH", _ORIGINAL): self._original,
        }
        return [
            web.route(method, f"/api/v10{template}", self._served(method, template, call))
            for (method, template), call in calls.items()
        ]

    def _served(self, method: str, template: str, call: Any) -> Any:
        async def serve(request: web.Request) -> web.StreamResponse:
            body = await _body(request)
            self.requests.append((method, template, body))
            open_ = template in (_CALLBACK, _ORIGINAL)
            if not open_ and request.headers.get("Authorization") != f"Bot {TOKEN}":
                return _json({"message": "401: Unauthorized", "code": 0}, 401)
            waiting = self.faults.get((method, template))
            fault = waiting.popleft() if waiting else None
            refusal = await self._before(request, fault)
            if refusal is not None:
                return refusal
            if self._judging:
                self.wrong += rules.request(method, template, body)
            try:
                status, answer = call(request.match_info, body, request)
            except Refused as refused:
                answer = {"message": str(refused), "code": refused.code}
                return _json(answer, refused.status)
            if self._judging:
                self.wrong += rules.response(method, template, status, answer)
            if fault is Fault.CUT_AFTER:
                return _cut(request)
            if fault is Fault.HANGS_AFTER:
                await self._hang.wait()
            return _json(answer, status) if status != 204 else web.Response(status=204)

        return serve

    async def _before(self, request: web.Request, fault: Any) -> web.StreamResponse | None:
        match fault:
            case (status, retry_after, *everywhere):
                answer = {"message": "wait", "retry_after": retry_after, "global": bool(everywhere)}
                headers = {"Via": "1.1 loopback", "Retry-After": str(retry_after)}
                if everywhere:
                    headers |= {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
                return _json(answer, status, headers)
            case Fault.SERVER_ERROR:
                return _json({"message": "500: Internal Server Error", "code": 0}, 500)
            case Fault.LIMITED:
                answer = {
                    "message": "You are being rate limited.",
                    "retry_after": 0.05,
                    "global": False,
                }
                return _json(answer, 429, {"Via": "1.1 loopback", "Retry-After": "1"})
            case Fault.REFUSED:
                return _json({"message": "Missing Permissions", "code": 50013}, 403)
            case Fault.CUT_BEFORE:
                return _cut(request)
            case Fault.HANGS_BEFORE:
                await self._hang.wait()
                return _cut(request)
            case _:
                return None

    def _me(self, _where: Any, _body: Any, _request: Any) -> tuple[int, Any]:
        return 200, {**world.PEOPLE[BOT], "mfa_enabled": False, "locale": "en-US"}

    def _gateway_bot(self, _where: Any, _body: Any, _request: Any) -> tuple[int, Any]:
        limit = {
            "total": 1000, "remaining": self.greetings_left, "reset_after": 10_800_000,
            "max_concurrency": 1,
        }  # fmt: skip
        return 200, {"url": self.gateway, "shards": 1, "session_start_limit": limit}

    def _application(self, _where: Any, _body: Any, _request: Any) -> tuple[int, Any]:
        return 200, {
            "id": BOT, "name": "staffbot", "icon": None, "description": "", "type": None,
            "verify_key": "00", "flags": 0, "flags_new": "0", "redirect_uris": [],
            "interactions_endpoint_url": None, "role_connections_verification_url": None,
            "owner": world.PEOPLE[ANA], "approximate_guild_count": 1, "team": None,
            "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0, "bot_public": False, "bot_require_code_grant": False,
            "eligible_oauth2_scopes": [],
        }  # fmt: skip

    def _register(self, _where: Any, body: Any, _request: Any) -> tuple[int, Any]:
        self.world.commands = [
            {
                "default_permission": True, "dm_permission": False, "nsfw": False, "contexts": None,
                "integration_types": [0], "name_localizations": None, "description": "",
                "description_localizations": None,
                **one,
                "id": self.world.new_id(), "application_id": BOT, "version": self.world.new_id(),
                "guild_id": SERVER, "options": _registered(one.get("options") or []),
                "default_member_permissions": str(one["default_member_permissions"]),
            }
            for one in body
        ]  # fmt: skip
        return 200, self.world.commands

    def _history(self, where: Any, _body: Any, request: web.Request) -> tuple[int, Any]:
        standing = self._standing(where["channel_id"])
        before = int(request.query.get("before", 1 << 63))
        older = [one for one in standing if int(one["id"]) < before]
        return 200, older[::-1][: int(request.query.get("limit", 50))]

    def _post(self, where: Any, body: Any, _request: Any) -> tuple[int, Any]:
        channel = where["channel_id"]
        standing = self._standing(channel)
        if not (body.get("content") or body.get("embeds") or body.get("attachments")):
            raise Refused(400, 50006, "Cannot send an empty message")
        person = next((p for p, letters in self.world.letters.items() if letters == channel), "")
        if person in self.world.shut:
            raise Refused(403, 50007, "Cannot send messages to this user")
        nonce = body.get("nonce")
        if body.get("enforce_nonce") and nonce in self.world.nonces:
            return 200, {**self.world.nonces[nonce], "nonce": nonce}
        message = self.world.message(channel, BOT, body)
        standing.append(message)
        if nonce:
            self.world.nonces[nonce] = message
        return 200, {**message, "nonce": nonce} if nonce else message

    def _message(self, where: Any, _body: Any, _request: Any) -> tuple[int, Any]:
        return 200, self._found(where)

    def _edit(self, where: Any, body: Any, _request: Any) -> tuple[int, Any]:
        message = self._found(where)
        self.world.change(message, body)
        return 200, message

    def _thread(self, where: Any, body: Any, _request: Any) -> tuple[int, Any]:
        message = self._found(where)
        if message["id"] in self.world.channels:
            raise Refused(400, 160004, "A thread has already been created for this message")
        return 201, self.world.thread_on(message, body["name"])

    def _channel(self, where: Any, _body: Any, _request: Any) -> tuple[int, Any]:
        self._standing(where["channel_id"])
        return 200, self.world.channels[where["channel_id"]]

    def _change_channel(self, where: Any, body: Any, _request: Any) -> tuple[int, Any]:
        thread = self.world.channels[where["channel_id"]]
        thread["thread_metadata"] |= {k: v for k, v in body.items() if k in ("archived", "locked")}
        return 200, thread

    def _guild(self, _where: Any, _body: Any, _request: Any) -> tuple[int, Any]:
        return 200, world.guild_read()

    def _member(self, where: Any, _body: Any, _request: Any) -> tuple[int, Any]:
        return 200, world.member(where["user_id"])

    def _letters(self, _where: Any, body: Any, _request: Any) -> tuple[int, Any]:
        return 200, self.world.letters_of(str(body["recipient_id"]))

    def _callback(self, where: Any, body: Any, request: web.Request) -> tuple[int, Any]:
        asked = self.asked[where["interaction_token"]]
        if not asked.known:
            self.late += 1
            raise Refused(404, 10062, "Unknown interaction")
        if asked.callbacks:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        asked.callbacks.append(body)
        kind, channel = body["type"], asked.frame["channel_id"]
        if kind in (4, 5):
            said = body.get("data") or {}
            asked.frame["_shown"] = self.world.message(channel, BOT, said)
            if kind == 4:
                asked.shown = asked.frame["_shown"]
        elif kind == 6:
            asked.frame["_shown"] = asked.frame["message"]
        asked.changed.set()
        if request.query.get("with_response") not in ("1", "true"):
            return 204, None
        interaction: Json = {"id": where["interaction_id"], "type": asked.frame["type"]}
        found: Json = {"interaction": interaction}
        if kind == 4:
            found["resource"] = {"type": 4, "message": asked.shown}
        return 200, found

    def _original(self, where: Any, body: Any, _request: Any) -> tuple[int, Any]:
        asked = self.asked[where["webhook_token"]]
        if "_shown" not in asked.frame:
            raise Refused(404, 10015, "Unknown Webhook")
        message: Json = asked.frame["_shown"]
        self.world.change(message, body)
        asked.shown = message
        asked.changed.set()
        return 200, message

    def _standing(self, channel: str) -> list[Json]:
        if channel in self.missing:
            code = self.missing[channel]
            raise Refused(404 if code == 10003 else 403, code)
        if channel not in self.world.messages:
            raise Refused(404, 10003, "Unknown Channel")
        return self.world.messages[channel]

    def _found(self, where: Any) -> Json:
        self._standing(where["channel_id"])
        message = self.world.find(where["channel_id"], where["message_id"])
        if message is None:
            raise Refused(404, 10008, "Unknown Message")
        return message

    # --- gateway ----------------------------------------------------------------------------

    async def greet(self, request: web.Request) -> web.StreamResponse:
        if self.away:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(
            json.dumps({"op": 10, "d": {"heartbeat_interval": self.heartbeat_ms}})
        )
        async for said in socket:
            if said.type is not WSMsgType.TEXT:
                break
            frame = json.loads(said.data)
            match frame["op"]:
                case 1 if not self.silent:
                    await socket.send_str(json.dumps({"op": 11}))
                case 2:
                    await self._identify(socket, frame["d"])
                case 6:
                    await self._resume(socket, frame["d"])
                case _:
                    pass
        if not any(
            one.socket is not None and not one.socket.closed for one in self.sessions.values()
        ):
            self._ready.clear()
        return socket

    async def _identify(self, socket: web.WebSocketResponse, said: Json) -> None:
        self.identified += 1
        self.greetings_left -= 1
        if said["token"] != TOKEN:
            await socket.close(code=4004)
            return
        if self.close_with:
            await socket.close(code=self.close_with.popleft())
            return
        session = Session(id=f"session{self.identified}", socket=socket)
        self.sessions = {session.id: session}
        ready = {
            "v": 10, "user": {**world.PEOPLE[BOT], "mfa_enabled": False, "verified": True},
            "guilds": [{"id": SERVER, "unavailable": True}], "session_id": session.id,
            "resume_gateway_url": self.gateway,
            "application": {"id": BOT, "flags": 0, "flags_new": "0"},
        }  # fmt: skip
        channels = [one for one in self.world.channels.values() if one["type"] == 0]
        for event, data in (("READY", ready), ("GUILD_CREATE", world.guild(channels))):
            self.wrong += rules.frame(event, data)
            await self._dispatch(session, event, data)
        self._ready.set()

    async def _resume(self, socket: web.WebSocketResponse, said: Json) -> None:
        session = self.sessions.get(said["session_id"])
        if session is None:
            await socket.send_str(json.dumps({"op": 9, "d": False}))
            return
        self.resumed += 1
        self.silent = False
        session.socket = socket
        for frame in session.frames:
            if frame["s"] > said["seq"]:
                await socket.send_str(json.dumps(frame))
        await self._dispatch(session, "RESUMED", {})
        self._ready.set()

    async def _dispatch(self, session: Session, event: str, data: Json) -> None:
        shown = {key: value for key, value in data.items() if not key.startswith("_")}
        frame = {"op": 0, "t": event, "s": len(session.frames) + 1, "d": shown}
        session.frames.append(frame)
        if self.silent:
            return
        if session.socket is not None and not session.socket.closed:
            await session.socket.send_str(json.dumps(frame))

    async def close(self) -> None:
        self._hang.set()
        await self.drop(1001)


@asynccontextmanager
async def loopback(*, judging: bool = True) -> AsyncIterator[Loopback]:
    """A Discord on a free port; what was wrong on either side fails the test at its end."""
    made = Loopback(judging=judging)
    app = web.Application(client_max_size=1 << 26)
    app.add_routes(
        [*made.routes(), web.get("/gateway/", made.greet), web.get("/gateway", made.greet)]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    made.base, made.gateway = f"http://127.0.0.1:{port}/api/v10", f"ws://127.0.0.1:{port}/gateway"
    try:
        yield made
    finally:
        await made.close()
        await runner.cleanup()
    assert not made.wrong, "\n".join(sorted(set(made.wrong)))


def _control(message: Json, label: str) -> tuple[Json, str]:
    """The component of that label, and for a select the value of its option."""
    there = [one for row in message["components"] for one in row["components"]]
    for one in there:
        if one.get("label") == label:
            return one, ""
        for option in one.get("options", ()):
            if option["label"] == label:
                return one, option["value"]
    labels = [one.get("label") or [o["label"] for o in one["options"]] for one in there]
    raise AssertionError(f"no {label} among {labels}")


def _registered(options: list[Json]) -> list[Json]:
    return [
        {**one, "options": _registered(one["options"])} if "options" in one else one
        for one in options
    ]


async def _body(request: web.Request) -> Any:
    if request.content_type == "application/json":
        return json.loads(await request.read())
    if request.content_type == "multipart/form-data":
        form = await request.post()
        return json.loads(str(form["payload_json"]))
    return None


def _json(
    data: Any, status: int = 200, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    # discord.py reads JSON only where the type says nothing but that.
    response = web.Response(body=json.dumps(data).encode(), status=status, headers=headers)
    response.headers["Content-Type"] = "application/json"
    return response


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()

"""A small Slack for tests: Web API, Socket Mode and signed requests, refusing what Slack refuses.

It serves a workspace.py. Every payload is judged by rules.py; what Slack would refuse is refused and
stands in `violations`, which the fixture holds to be empty. Faults are injected per method, one call
at a time, or at random.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import sys
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum, auto
from typing import Any
from urllib.parse import urlencode

from aiohttp import WSMsgType, web

from tests.handlers.slack.rules import message_faults
from tests.handlers.slack.workspace import Refusal, Workspace, decoded

Json = dict[str, Any]

SIGNING_SECRET = "signing-secret-of-the-tests"


class Trouble(Enum):
    """What a call to the Web API can meet."""

    DROP_BEFORE = auto()
    DROP_AFTER = auto()  # taken, and the connection breaks before the answer
    SLOW_BEFORE = auto()  # no answer ever, not taken
    SLOW_AFTER = auto()  # no answer ever, taken
    LIMITED = auto()
    ERROR_500 = auto()
    ERROR_500_AFTER = auto()  # "some aspect of the operation may have succeeded"


class Loopback(Workspace):
    """One workspace, served on a free port."""

    def __init__(self) -> None:
        super().__init__()
        self.troubles: dict[str, deque[Trouble]] = defaultdict(deque)
        self.sockets: list[web.WebSocketResponse] = []
        self.acks: dict[str, Json] = {}
        self.retry_after = 0.05
        self.dawdle = 0.0  # a call takes up to so many seconds before it is taken and again after
        self.random: random.Random | None = None  # troubles at random, by `odds`
        self.odds: dict[str, float] = {}
        self.silent = False
        self.scopes = ""
        self.hang = asyncio.Event()
        self._acked = asyncio.Condition()
        self._connected = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    # --- serving ----------------------------------------------------------------------------

    async def __aenter__(self) -> Loopback:
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.add_routes(
            [
                web.route("*", "/api/{method}", self._serve),
                web.get("/socket/{ticket}", self._socket),
                web.post("/answer/{ticket}", self._answered),
                web.post("/upload/{file}", self._uploaded),
                web.get("/seen", self._seen),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang.set()
        for socket in list(self.sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api(self) -> str:
        return f"{self.url}/api/"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        token = _token(request, arguments)
        trouble = self._trouble(method)
        await self._dawdle()
        if trouble is Trouble.LIMITED:
            headers = {"Retry-After": f"{self.retry_after:g}"}
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers=headers
            )
        if trouble is Trouble.ERROR_500:
            return web.json_response({"ok": False, "error": "internal_error"}, status=500)
        if trouble is Trouble.DROP_BEFORE:
            return _broken(request)
        if trouble is Trouble.SLOW_BEFORE:
            await self.hang.wait()
            return _broken(request)
        try:
            answer = {"ok": True, **self.take(method, token, arguments)}
        except Refusal as refusal:
            answer = {"ok": False, "error": refusal.error}
        await self._dawdle()
        if trouble is Trouble.DROP_AFTER:
            return _broken(request)
        if trouble is Trouble.SLOW_AFTER:
            await self.hang.wait()
            return _broken(request)
        if trouble is Trouble.ERROR_500_AFTER:
            return web.json_response({"ok": False, "error": "fatal_error"}, status=500)
        headers = {"X-OAuth-Scopes": self.scopes} if self.scopes else {}
        return web.json_response(answer, headers=headers)

    def _trouble(self, method: str) -> Trouble | None:
        if self.troubles[method]:
            return self.troubles[method].popleft()
        if self.random is not None and self.random.random() < self.odds.get(method, 0.0):
            return self.random.choice(list(Trouble))
        return None

    async def _dawdle(self) -> None:
        if self.dawdle:
            await asyncio.sleep(random.uniform(0, self.dawdle))

    async def _seen(self, _: web.Request) -> web.Response:
        seen = [
            [message["metadata"]["event_payload"]["key"], message["text"]]
            for channel in self.channels.values()
            for message in channel.messages.values()
            if message.get("metadata")
        ]
        return web.json_response({"seen": seen, "violations": self.violations})

    # --- answers, files, sockets ------------------------------------------------------------

    async def _answered(self, request: web.Request) -> web.Response:
        body = await request.json()
        for fault in message_faults(body.get("blocks", [])):
            self.violations.append(f"response_url: {fault}")
        self.answers.append(body)
        return web.Response(text="ok")

    async def _uploaded(self, request: web.Request) -> web.Response:
        self.files[request.match_info["file"]]["content"] = await request.read()
        return web.Response(text="OK")

    def answer_url(self) -> str:
        return f"{self.url}/answer/{next(self._ids)}"

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets)})
        async with self._connected:
            self._connected.notify_all()
        try:
            async for frame in socket:
                if frame.type is WSMsgType.PING and not self.silent:
                    await socket.pong(frame.data)
                elif frame.type is WSMsgType.TEXT:
                    answer = json.loads(frame.data)
                    async with self._acked:
                        self.acks[answer["envelope_id"]] = answer.get("payload") or {}
                        self._acked.notify_all()
        finally:
            with suppress(ValueError):
                self.sockets.remove(socket)
        return socket

    async def connected(self, number: int = 1) -> None:
        """Wait until so many sockets are open."""
        async with asyncio.timeout(30), self._connected:
            await self._connected.wait_for(lambda: len(self.sockets) >= number)

    async def send(self, kind: str, payload: Json, **more: Any) -> str:
        """An envelope to the newest socket. Returns its id."""
        id = more.pop("envelope_id", f"E{next(self._ids)}")
        envelope = {"type": kind, "envelope_id": id, "payload": payload, **more}
        await self.sockets[-1].send_json({"accepts_response_payload": True, **envelope})
        return str(id)

    async def ack(self, envelope: str) -> Json:
        async with asyncio.timeout(30), self._acked:
            await self._acked.wait_for(lambda: envelope in self.acks)
        return self.acks[envelope]

    async def told(self, kind: str, payload: Json, **more: Any) -> Json:
        """An envelope and its acknowledgement."""
        return await self.ack(await self.send(kind, payload, **more))


def signed(body: str, *, secret: str = SIGNING_SECRET, at: float | None = None) -> dict[str, str]:
    """The headers of a request from Slack."""
    stamp = str(int(time.time() if at is None else at))
    base = f"v0:{stamp}:{body}".encode()
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    kind = "application/json" if body.startswith("{") else "application/x-www-form-urlencoded"
    return {
        "Content-Type": kind,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


def form(payload: Mapping[str, Any]) -> str:
    """The body of an interactive request."""
    return urlencode({"payload": json.dumps(payload)})


async def _arguments(request: web.Request) -> Json:
    """Query, form and JSON alike, as Slack takes them."""
    found: Json = dict(request.query)
    if request.content_type == "application/json":
        with suppress(json.JSONDecodeError):
            found.update(await request.json())
    elif request.method == "POST":
        found.update(dict((await request.post()).items()))
    return {key: _maybe(key, value) for key, value in found.items()}


def _maybe(key: str, value: Any) -> Any:
    return decoded(value) if key in ("metadata", "blocks", "view", "files") else value


def _token(request: web.Request, arguments: Json) -> str:
    header = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return header or str(arguments.get("token", ""))


def _broken(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def serve(rooms: int, dawdle: float) -> None:
    """A workspace in a process of its own; it ends with whoever started it."""
    async with Loopback() as slack:
        slack.dawdle = dawdle
        for number in range(rooms):
            slack.channel(f"CR{number}", f"room-{number}")
        print(slack.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))

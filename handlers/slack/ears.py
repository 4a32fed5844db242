"""How Slack is heard: Socket Mode, watched over, or signed requests on the public listener."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from handlers.slack.api import SDK_LOG, Api
from handlers.slack.catch_up import CatchUp
from handlers.slack.refusals import translated
from handlers.slack.replies import Replies
from staffbot.errors import DeliveryError
from staffbot.network import Request, Response
from staffbot.secret import Secret

STAMP = "x-slack-request-timestamp"
PING_SECONDS = 10.0
LOOKS_A_PING = 2
SILENT_PINGS = 4  # pings without any sign of life until a connection counts as half open
CONNECT_SECONDS = 30.0
FIRST_WAIT = 0.5
TRIES = 4  # to connect, until it is said that there is no connection

log = structlog.get_logger("staffbot.slack")

AppMaker = Callable[[], AsyncApp]


class Requests:
    """HTTP mode: Bolt verifies the signature of each request."""

    def __init__(self, app: AppMaker, replies: Replies, gaps: CatchUp) -> None:
        self._app = app()
        self._replies = replies
        self._gaps = gaps

    async def run(self) -> None:
        """While this runs, what Slack sends comes in; what it sent before is read."""
        self._gaps.missed()
        await self._gaps.run(time.time)

    async def hear(self, request: Request) -> Response:
        try:
            body = request.body.decode("utf-8")
        except UnicodeDecodeError:
            return Response(status=400)
        headers: dict[str, str | Sequence[str]] = dict(request.headers)
        stamped = {name.lower(): value for name, value in request.headers.items()}
        if not stamped.get(STAMP, "0").isdecimal():
            return Response(status=401)
        try:
            asked = AsyncBoltRequest(body=body, headers=headers)
        except Exception:  # it reads the body before any signature: anybody may have sent anything
            return Response(status=400)
        answer = await self._app.async_dispatch(asked)
        kind = answer.headers.get("content-type", ["text/plain"])[0]
        said = (answer.body or "").encode()
        return Response(status=answer.status, body=said, content_type=kind)

    async def drain(self) -> None:
        await self._replies.drain()


class Socket:
    """Socket Mode. The SDK reconnects; this looks whether anything is still alive, and if not makes
    handler, clients and app anew, as a client that got stuck does not come back by itself.

    `gaps` is told of each connection that stands, whoever made it, as Slack greets on it.
    """

    def __init__(
        self,
        app: AppMaker,
        api: Api,
        token: Secret,
        replies: Replies,
        gaps: CatchUp,
        *,
        ping_every: float = PING_SECONDS,
    ) -> None:
        self._app = app
        self._api = api
        self._token = token
        self._replies = replies
        self._ping_every = ping_every
        self._gaps = gaps
        self.connections = 0
        self.heard_at = 0.0  # Unix time of the last sign of life

    async def run(self) -> None:
        async with _beside(self._gaps.run(lambda: self.heard_at)):
            await self._listen()

    async def _listen(self) -> None:
        failed = 0
        while True:
            handler = self._handler()
            try:
                await self._connect(handler)
                failed = 0
                await self._watch(handler)
            except DeliveryError as problem:
                failed += 1
                log.warning("slack.not_connected", reason=str(problem), times=failed)
                if failed == TRIES:
                    raise  # so that it stands in health; it is begun again from there
            finally:
                await _closed(handler)
            await asyncio.sleep(min(FIRST_WAIT * 2**failed, self._ping_every))

    async def hear(self, request: Request) -> Response:
        return Response(status=404)

    async def drain(self) -> None:
        await self._replies.drain()

    def _handler(self) -> AsyncSocketModeHandler:
        client = self._api.client(self._token)
        handler = AsyncSocketModeHandler(
            self._app(),
            self._token.value,
            logger=SDK_LOG,
            web_client=client,
            proxy=self._api.proxy,
            ping_interval=self._ping_every,
        )
        handler.client.on_message_listeners.append(self._heard)
        return handler

    async def _connect(self, handler: AsyncSocketModeHandler) -> None:
        client = handler.client
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                client.wss_uri = await client.issue_new_wss_url()
                await client.connect()  # type: ignore[no-untyped-call]
        except Exception as problem:
            doing = "open the connection for events"
            raise translated(problem, doing, app_token=True) from None
        self.connections += 1
        log.info("slack.listening", connection=self.connections)

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        """Returns when the connection counts as dead.

        Looks are counted, not seconds: a machine that slept has heard nothing and missed nothing.
        """
        client = handler.client
        seen, silent = 0.0, 0
        while silent <= SILENT_PINGS * LOOKS_A_PING:
            await asyncio.sleep(self._ping_every / LOOKS_A_PING)
            if await client.is_connected():  # else the SDK sets it where nothing was answered
                self.heard_at = max(self.heard_at, client.last_ping_pong_time or 0.0)
            silent = 0 if self.heard_at != seen else silent + 1
            seen = self.heard_at
        log.warning("slack.half_open", looks=silent)

    async def _heard(self, message: WSMessage) -> None:
        since, self.heard_at = self.heard_at, time.time()
        if _is_greeting(message.data):
            self._gaps.missed(since)


def _is_greeting(said: object) -> bool:
    """Whether this is the first frame of a connection."""
    if not isinstance(said, str) or '"hello"' not in said:
        return False
    frame = json.loads(said)
    return isinstance(frame, dict) and frame.get("type") == "hello"


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Something that goes on for as long as the block does."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _closed(handler: AsyncSocketModeHandler) -> None:
    try:
        async with asyncio.timeout(5):
            await handler.close_async()  # type: ignore[no-untyped-call]
    except Exception as problem:  # it is given up in any case
        log.info("slack.not_closed", fault=type(problem).__name__)

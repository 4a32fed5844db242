"""How Slack is heard: Socket Mode, watched over, or signed requests on the public listener."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from handlers.slack.api import SDK_LOG, Api
from handlers.slack.listeners import Listeners
from handlers.slack.refusals import translated
from handlers.slack.replies import Replies
from staffbot.errors import DeliveryError
from staffbot.network import Request, Response
from staffbot.secret import Secret

PING_SECONDS = 10.0
LOOKS_A_PING = 2
SILENT_PINGS = 4  # pings without any sign of life until a connection counts as half open
CONNECT_SECONDS = 30.0
PAGES = 10  # of a channel's history that are read after a gap, at most
FIRST_WAIT = 0.5
TRIES = 4  # to connect, until it is said that there is no connection

log = structlog.get_logger("staffbot.slack")

AppMaker = Callable[[], AsyncApp]


class Requests:
    """HTTP mode: Bolt verifies the signature of each request."""

    def __init__(self, app: AppMaker, replies: Replies) -> None:
        self._app = app()
        self._replies = replies

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def hear(self, request: Request) -> Response:
        try:
            body = request.body.decode("utf-8")
        except UnicodeDecodeError:
            return Response(status=400)
        headers: dict[str, str | Sequence[str]] = dict(request.headers)
        answer = await self._app.async_dispatch(AsyncBoltRequest(body=body, headers=headers))
        kind = answer.headers.get("content-type", ["text/plain"])[0]
        said = (answer.body or "").encode()
        return Response(status=answer.status, body=said, content_type=kind)

    async def drain(self) -> None:
        await self._replies.drain()


class Socket:
    """Socket Mode. The SDK reconnects; this looks whether anything is still alive, and if not makes
    handler, clients and app anew, as a client that got stuck does not come back by itself.

    `missed` is told since when (as Unix time) nothing was heard, once a connection stands again.
    """

    def __init__(
        self,
        app: AppMaker,
        api: Api,
        token: Secret,
        replies: Replies,
        *,
        ping_every: float = PING_SECONDS,
        missed: Callable[[float], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._app = app
        self._api = api
        self._token = token
        self._replies = replies
        self._ping_every = ping_every
        self._missed = missed
        self.connections = 0
        self.heard_at = 0.0  # Unix time of the last sign of life

    async def run(self) -> None:
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
            raise translated(problem, "open the connection for events") from None
        self.connections += 1
        log.info("slack.listening", connection=self.connections)
        since, self.heard_at = self.heard_at, time.time()
        if since and self._missed is not None:
            self._replies.later(self._missed(since), "catch up")

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        """Returns when the connection counts as dead.

        Looks are counted, not seconds: a machine that slept has heard nothing and missed nothing.
        """
        client = handler.client
        seen, silent = 0.0, 0
        while silent <= SILENT_PINGS * LOOKS_A_PING:
            await asyncio.sleep(self._ping_every / LOOKS_A_PING)
            self.heard_at = max(self.heard_at, client.last_ping_pong_time or 0.0)
            silent = 0 if self.heard_at != seen else silent + 1
            seen = self.heard_at
        log.warning("slack.half_open", looks=silent)

    async def _heard(self, _message: object) -> None:
        self.heard_at = time.time()


async def _closed(handler: AsyncSocketModeHandler) -> None:
    try:
        async with asyncio.timeout(5):
            await handler.close_async()  # type: ignore[no-untyped-call]
    except Exception as problem:  # it is given up in any case
        log.info("slack.not_closed", fault=type(problem).__name__)


class CatchUp:
    """Reads after a gap what was said to us meanwhile; the desk knows what it has done already."""

    def __init__(self, api: Api, listeners: Listeners, channels: Sequence[str]) -> None:
        self._api = api
        self._listeners = listeners
        self._channels = tuple(channels)

    async def since(self, moment: float) -> None:
        us = await self._api.identity()
        called = f"<@{us.user_id}>"
        for channel in self._channels:
            for message in await self._after(channel, moment):
                if called in str(message.get("text", "")) and not message.get("subtype"):
                    await self._listeners.heard({**message, "channel": channel})

    async def _after(self, channel: str, moment: float) -> list[Mapping[str, Any]]:
        """What came into a channel and into its newest threads, oldest first."""
        oldest = f"{moment - 5:.6f}"
        recent = await self._recent(channel, float(oldest))
        found = [message for message in recent if float(message["ts"]) >= float(oldest)]
        for parent in recent:
            if float(parent.get("latest_reply") or 0) >= float(oldest):
                found += await self._replies_of(channel, str(parent["ts"]), oldest)
        return sorted(found, key=lambda message: float(message["ts"]))

    async def _recent(self, channel: str, oldest: float) -> list[Mapping[str, Any]]:
        """The newest messages, at least one page: a thread that goes on began earlier."""
        found: list[Mapping[str, Any]] = []
        cursor: str | None = None
        for _ in range(PAGES):
            answer = await self._page(channel, cursor)
            page = list(answer.get("messages", ()))
            found += page
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None or not page or float(page[-1]["ts"]) < oldest:
                break
        return found

    async def _page(self, channel: str, cursor: str | None) -> Mapping[str, Any]:
        return await self._api.ask(
            lambda client: client.conversations_history(channel=channel, limit=100, cursor=cursor),
            f"read what was missed in {channel}",
        )

    async def _replies_of(self, channel: str, ts: str, oldest: str) -> list[Mapping[str, Any]]:
        answer = await self._api.ask(
            lambda client: client.conversations_replies(channel=channel, ts=ts, oldest=oldest),
            f"read what was missed in {channel}",
        )
        return [m for m in answer.get("messages", ()) if m.get("ts") != ts]

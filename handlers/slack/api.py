"""Calls to Slack's Web API: one session, no silent retries, a pace a channel, errors as sentences.

slack_sdk would by itself post again what Slack has taken already, so its retry handlers are off;
what is to be done after a failure is decided by the outbox.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.slack.refusals import error_of, translated
from staffbot.errors import DeliveryError
from staffbot.secret import Secret
from staffbot.settings import Network

Call = Callable[[AsyncWebClient], Awaitable[AsyncSlackResponse]]

BURST = 3  # posts to a channel at once, before its pace of one a second holds

# The SDK logs what it sends at DEBUG, which holds patrons' words: never below WARNING.
SDK_LOG = logging.getLogger("staffbot.slack.sdk")
SDK_LOG.setLevel(logging.WARNING)
# Bolt warns of tokens that it finds in the environment, which is where ours are.
BOLT_LOG = logging.getLogger("staffbot.slack.bolt")
BOLT_LOG.setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who we are on Slack."""

    user_id: str
    bot_id: str
    team_id: str
    team: str = ""
    url: str = ""
    scopes: frozenset[str] = frozenset()


class Api:
    """The workspace, written to and read from. `close` lets go of the session."""

    def __init__(
        self,
        token: Secret,
        *,
        url: str,
        network: Network,
        timeout: float = 15.0,
        every: float = 1.0,
    ) -> None:
        self.url = url
        self._token = token
        self._network = network
        self._timeout = min(timeout, network.timeout.total_seconds())
        self._paces: dict[str, _Pace] = {}
        self.every = every  # seconds between two posts to a channel
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None
        self._identity: Identity | None = None

    async def ask(self, call: Call, doing: str, *, room: str = "") -> Mapping[str, Any]:
        """One call. `room`: it is a post there, so it keeps the channel's pace."""
        pace = self._pace(room) if room else None
        if pace is not None:
            await pace.turn()
        try:
            answer = await call(self.client())
        except Exception as problem:
            refused = translated(problem, doing)
            if pace is not None and refused.retry_after is not None:
                pace.wait_for(refused.retry_after)
            raise refused from _nothing_but_kind(problem)
        data = answer.data
        return data if isinstance(data, dict) else {}

    async def identity(self) -> Identity:
        """Who we are; asked once."""
        if self._identity is None:
            self._identity = await self.fresh_identity()
        return self._identity

    def known_as(self, us: Identity) -> None:
        """Who we are, where somebody knows it already."""
        self._identity = us

    async def fresh_identity(self) -> Identity:
        try:
            answer = await self.client().auth_test()
        except Exception as problem:
            raise translated(problem, "say who the app is") from _nothing_but_kind(problem)
        scopes = str(answer.headers.get("x-oauth-scopes", answer.headers.get("X-OAuth-Scopes", "")))
        return Identity(
            user_id=str(answer.get("user_id", "")),
            bot_id=str(answer.get("bot_id", "")),
            team_id=str(answer.get("team_id", "")),
            team=str(answer.get("team", "")),
            url=str(answer.get("url", "")),
            scopes=frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
        )

    async def send(self, url: str, body: Mapping[str, Any]) -> bool:
        """An answer to a `response_url`; whether Slack took it."""
        try:
            async with self.session().post(url, json=dict(body), **self._way()) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def upload(self, url: str, content: bytes) -> bool:
        try:
            async with self.session().post(url, data=content, **self._way()) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def client(self, token: Secret | None = None) -> AsyncWebClient:
        """The client that posts; with another token, a new one on the same session."""
        if token is not None:
            return self._new_client(token)
        if self._client is None or self._session is None or self._session.closed:
            self._client = self._new_client(self._token)
        return self._client

    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=self._timeout)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    async def close(self) -> None:
        session, self._session, self._client = self._session, None, None
        if session is not None:
            await session.close()

    @property
    def proxy(self) -> str | None:
        return self._network.proxy or None

    def _new_client(self, token: Secret) -> AsyncWebClient:
        client = AsyncWebClient(
            token=token.value,
            base_url=self.url,
            timeout=max(1, int(self._timeout)),
            ssl=_certificates(self._network),
            session=self.session(),
            logger=SDK_LOG,
            retry_handlers=[],
        )
        client.proxy = self.proxy  # not what the environment happens to say
        return client

    def _way(self) -> dict[str, Any]:
        certificates = _certificates(self._network)
        way: dict[str, Any] = {"proxy": self.proxy}
        return {**way, "ssl": certificates} if certificates is not None else way

    def _pace(self, room: str) -> _Pace:
        return self._paces.setdefault(room, _Pace(self.every))


class _Pace:
    """About one post a second in a channel, a few at once now and then, none while Slack says so."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._next = 0.0
        self._paused_until = 0.0

    async def turn(self) -> None:
        now = time.monotonic()
        if now < self._paused_until:
            left = self._paused_until - now
            raise DeliveryError("Slack asked to wait with this channel.", retry_after=left)
        self._next = max(self._next, now - self._every * (BURST - 1)) + self._every
        wait = self._next - self._every - now
        if wait > 0:
            await asyncio.sleep(wait)

    def wait_for(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)


def _certificates(network: Network) -> ssl.SSLContext | None:
    if network.ca_file is None:
        return None
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=network.ca_file)
    return context


def _nothing_but_kind(problem: Exception) -> Exception | None:
    """The cause for a traceback, unless its text could hold what was sent."""
    return None if isinstance(problem, SlackApiError) else problem


__all__ = ["BOLT_LOG", "SDK_LOG", "Api", "Call", "Identity", "error_of"]

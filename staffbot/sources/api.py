"""Asks a network's JSON interface, with the bounds of `download`. Knows no network's own ways.

A password goes to the configured server only: a redirect is told to the librarian, not followed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Annotated, Any

import aiohttp
from pydantic import AfterValidator
from yarl import URL

from staffbot.errors import SourceError
from staffbot.settings import Network
from staffbot.sources import payload
from staffbot.sources.download import MOST_BYTES, look_at, moment, retry_after, sentence, session

_LONGEST_WAIT = 3600.0
# Where networks say when a spent allowance is renewed: seconds since 1970, or an ISO moment.
_RESETS = ("ratelimit-reset", "x-ratelimit-reset")

Params = Sequence[tuple[str, str]]


def is_server(found: str) -> str:
    """The address of a server as it is kept. Raises ValueError, with what is wrong, where it is none."""
    try:
        url = URL(found)
    except ValueError as broken:
        raise ValueError("is not an address; example: https://social.example") from broken
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("has to begin with https://; example: https://social.example")
    if url.query_string or url.fragment or url.user is not None:
        raise ValueError("should be the server alone; example: https://social.example")
    return found.rstrip("/")


# The address of a server, as a field of a source's options.
Server = Annotated[str, AfterValidator(is_server)]


class NoInterface(SourceError):
    """A web page or a redirect where a JSON interface was looked for."""


class TooLarge(SourceError):
    """One answer is larger than we take; what else is asked for may still be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered; `body` is None where it was no JSON. `at` is by the server's clock."""

    status: int
    headers: Mapping[str, str]
    body: Any
    at: datetime

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Api:
    """One server, asked several times over the same connections: `async with Api(...) as api`."""

    def __init__(
        self,
        server: str,
        *,
        network: Network,
        allow_private: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._server = server
        self._network = network
        self._private = allow_private
        named = {"User-Agent": "staffbot (reads for a library)", "Accept": "application/json"}
        self._headers = named | dict(headers or {})
        self._web: aiohttp.ClientSession | None = None
        self.host = URL(server).host or server

    async def __aenter__(self) -> Api:
        self._web = session(self._network, self._private, self._headers, keep=True)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._web is not None:
            await self._web.close()

    async def ask(
        self,
        path: str,
        params: Params = (),
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: Mapping[str, Any] | None = None,
        server: str = "",
    ) -> Answer:
        """One request. What the server refuses (4xx) comes back as it is, for its network to explain.

        `server` is another one than usual, that the usual one has named.
        Raises SourceError where nothing useful came: no connection, trouble there, asked too often.
        """
        if self._web is None:
            raise RuntimeError("an Api is used within `async with`")
        url = URL((server or self._server) + path)
        look_at(url, self._private)
        allowed = self._network.timeout.total_seconds()
        try:
            async with (
                asyncio.timeout(allowed),
                self._web.request(
                    method, url, params=list(params), headers=headers, json=content,
                    allow_redirects=False, proxy=self._network.proxy or None,
                ) as said,
            ):  # fmt: skip
                body = await self._read(said)
        except TimeoutError as late:
            raise SourceError(
                f"{self.host} did not answer in full within {allowed:.0f} seconds"
            ) from late
        except aiohttp.ClientError as problem:
            never_sent = isinstance(problem, aiohttp.ClientConnectorError)
            raise SourceError(
                sentence(self.host, problem, self._network), untouched=never_sent
            ) from problem
        return self._answer(said, body, url)

    async def _read(self, said: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for piece in said.content.iter_chunked(64 * 1024):
            body += piece
            if len(body) > MOST_BYTES:
                raise TooLarge(
                    f"{self.host} sent more than {MOST_BYTES / 1_048_576:.0f} MB in one answer"
                )
        return bytes(body)

    def _answer(self, said: aiohttp.ClientResponse, body: bytes, asked: URL) -> Answer:
        at = moment(said.headers.get("Date", "")) or datetime.now(UTC)
        if 300 <= said.status < 400:
            raise NoInterface(
                f"{self.host} sends programs on to {_origin(said, asked)}: "
                "configure the address that it ends at"
            )
        if said.status == 429:
            raise SourceError(
                f"{self.host} wants to be asked less often: raise `every` if this goes on",
                retry_after=_wait(said.headers, at),
                untouched=True,
            )
        if said.status >= 500 or said.status == 408:
            raise SourceError(
                f"{self.host} answered {said.status}: it has trouble of its own; "
                "it is tried again by itself",
                retry_after=retry_after(said.headers, at),
            )
        try:
            found = json.loads(body) if body else None
        except (ValueError, RecursionError):
            found = None
        if found is None and 200 <= said.status < 300:
            raise NoInterface(
                f"{self.host} answered with something that is no JSON: "
                "look whether the address is right, and whether a firewall shows a page of its own"
            )
        return Answer(status=said.status, headers=said.headers, body=found, at=at)


def _origin(said: aiohttp.ClientResponse, asked: URL) -> str:
    """Where a redirect leads, without path and query, which may hold a key."""
    try:
        return str(asked.join(URL(said.headers.get("Location", ""))).origin())
    except ValueError:
        return "an address that is none"


def _wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds until the server takes requests again, however it says so."""
    asked = retry_after(headers, now)
    if asked is not None:
        return asked
    for name in _RESETS:
        said = headers.get(name, "").strip()
        at = payload.moment({"at": said}, "at")
        if said.isascii() and said.isdigit() and len(said) <= 12:
            seconds = float(said)
            wait = seconds - now.timestamp() if seconds > 1e9 else seconds
        elif at is not None:
            wait = (at - now).total_seconds()
        else:
            continue
        return min(max(0.0, wait), _LONGEST_WAIT)
    return None

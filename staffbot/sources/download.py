"""Fetches one address from the web, with bounds on where, how long and how much. Knows no format.

What is fetched is named by the configuration but answered by strangers, so each connection is
looked at when it is made: an address inside the library's own network is refused, however the
name resolved and wherever a redirect led.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from yarl import URL

from staffbot.errors import SourceError
from staffbot.settings import Network

MOST_BYTES = 5 * 1024 * 1024
MOST_REDIRECTS = 3
_LONGEST_WAIT = 24 * 3600.0
MOVED = frozenset({301, 302, 303, 307, 308})
# `is_global` says True for these on Python 3.11, though both can lead into a private network.
_TUNNELS = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What came back. `body` is None where the server said that nothing changed."""

    body: bytes | None
    url: str
    content_type: str = ""
    etag: str = ""
    modified: str = ""
    at: datetime


class _Private(OSError):
    """A connection would have gone to an address that is not on the open internet."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet's."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    tunnelled = ip.version == 6 and any(ip in network for network in _TUNNELS)
    return ip.is_global and not ip.is_multicast and not tunnelled


async def download(
    url: str,
    *,
    network: Network,
    allow_private: bool = False,
    most_bytes: int = MOST_BYTES,
    etag: str = "",
    modified: str = "",
    accept: str = "*/*",
) -> Page:
    """Fetch `url`, or learn that it did not change since `etag` and `modified`.

    Raises SourceError with a sentence for the librarian: who did not answer, and what to do.
    """
    headers = {"User-Agent": "staffbot (feed reader of a library)", "Accept": accept}
    if etag:
        headers["If-None-Match"] = etag
    if modified:
        headers["If-Modified-Since"] = modified
    host = URL(url).host or "the address"
    try:
        async with asyncio.timeout(network.timeout.total_seconds()):
            async with session(network, allow_private, headers) as web:
                return await _follow(web, URL(url), network, allow_private, most_bytes)
    except TimeoutError as late:
        raise SourceError(
            f"{host} did not answer in full within {network.timeout.total_seconds():.0f} seconds"
        ) from late
    except aiohttp.ClientError as problem:
        raise SourceError(sentence(host, problem, network)) from problem


def session(
    network: Network, allow_private: bool, headers: Mapping[str, str], *, keep: bool = False
) -> aiohttp.ClientSession:
    """One that reaches the open internet only, unless `allow_private`, and keeps no cookies.

    `keep` uses a connection for several requests.
    """
    tls: ssl.SSLContext | bool = True
    if network.ca_file is not None:
        try:
            tls = ssl.create_default_context(cafile=str(network.ca_file))
        except OSError as problem:
            raise SourceError(
                f"the CA file {network.ca_file} cannot be read ({problem.strerror}): "
                "correct network.ca_file"
            ) from problem
    # Behind a proxy every connection goes to the proxy, which is inside by nature.
    guarded = not allow_private and not network.proxy
    connector = aiohttp.TCPConnector(
        ssl=tls, socket_factory=_guarded_socket if guarded else None, force_close=not keep
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers=headers,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=network.timeout.total_seconds()),
    )


def _guarded_socket(address: Any) -> socket.socket:
    """Makes the socket of a connection, and with it sees the address that it really goes to."""
    family, kind, protocol, _, where = address
    if not is_public(str(where[0])):
        raise _Private("not on the open internet")
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setblocking(False)
    return made


async def _follow(
    web: aiohttp.ClientSession, url: URL, network: Network, allow_private: bool, most: int
) -> Page:
    for _ in range(MOST_REDIRECTS + 1):
        look_at(url, allow_private)
        proxy = network.proxy or None
        async with web.get(url, allow_redirects=False, proxy=proxy) as answer:
            if answer.status not in MOVED:
                return await _read(answer, url, most)
            target = answer.headers.get("Location", "")
            try:
                url = url.join(URL(target))
            except ValueError as broken:
                raise SourceError(f"{url.host} redirects to an address that is none") from broken
    raise SourceError(
        f"{url.host} redirects more than {MOST_REDIRECTS} times: "
        "open the address in a browser and configure the one that it ends at"
    )


def look_at(url: URL, allow_private: bool) -> None:
    """Refuse what can be refused by the look of an address alone; a proxy sees the rest, not we."""
    if url.scheme not in ("http", "https") or not url.host:
        raise SourceError(f"only http and https addresses are fetched, not {url.scheme or 'this'}:")
    if allow_private:
        return
    if url.port not in (80, 443):
        raise SourceError(
            f"{url.host} is asked for on port {url.port}; feeds are on 80 or 443. "
            "Set allow_private = true for this source if that is meant"
        )
    try:
        public = is_public(url.host)
    except ValueError:
        public = url.host != "localhost" and not url.host.endswith((".localhost", ".local"))
    if not public:
        raise SourceError(_PRIVATE.format(host=url.host))


async def _read(answer: aiohttp.ClientResponse, url: URL, most: int) -> Page:
    page = Page(
        body=None,
        url=str(url),
        content_type=answer.content_type,
        etag=answer.headers.get("ETag", "")[:500],
        modified=answer.headers.get("Last-Modified", "")[:100],
        at=moment(answer.headers.get("Date", "")) or datetime.now(UTC),
    )
    if answer.status == 304:
        return page
    if answer.status != 200:
        raise SourceError(_refusal(answer, url), retry_after=retry_after(answer.headers, page.at))
    # Counted after decompression, piece by piece: a small answer can inflate to any size.
    body = bytearray()
    async for piece in answer.content.iter_chunked(64 * 1024):
        body += piece
        if len(body) > most:
            raise SourceError(
                f"{url.host} sent more than {most / 1_048_576:.1f} MB, which no feed needs: "
                "look whether the address is that of a feed"
            )
    return Page(
        body=bytes(body), url=page.url, content_type=page.content_type,
        etag=page.etag, modified=page.modified, at=page.at,
    )  # fmt: skip


def _refusal(answer: aiohttp.ClientResponse, url: URL) -> str:
    match answer.status:
        case 401 | 403:
            helps = "it asks for a login or refuses programs: look whether the address is public"
        case 404 | 410:
            helps = "the page is not there: look on the web site for the new address"
        case 429:
            helps = "it wants to be asked less often: raise `every` if this goes on"
        case status if status >= 500:
            helps = "it has trouble of its own; it is tried again by itself"
        case _:
            helps = "open the address in a browser to see what it means"
    return f"{url.host} answered {answer.status}: {helps}"


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that an answer asks to wait, if it does."""
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said), _LONGEST_WAIT)
    at = moment(said)
    if at is None:
        return None
    return min(max(0.0, (at - now).total_seconds()), _LONGEST_WAIT)


def moment(header: str) -> datetime | None:
    """The moment that an HTTP date names, or None."""
    try:
        found = parsedate_to_datetime(header)
    except (TypeError, ValueError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


_PRIVATE = (
    "{host} is inside a private network and was not asked. "
    "Set allow_private = true for this source if that is meant"
)


def sentence(host: str, problem: aiohttp.ClientError, network: Network) -> str:
    """Why a connection failed, without the address's path or query, which may hold a key."""
    if _refused_private(problem):
        return _PRIVATE.format(host=host)
    match problem:
        case aiohttp.ClientProxyConnectionError():
            return f"the proxy {URL(network.proxy).host} cannot be reached: see network.proxy"
        case aiohttp.ClientHttpProxyError():
            return f"the proxy refused to connect to {host} (it answered {problem.status})"
        case aiohttp.ClientConnectorDNSError():
            return f"the name {host} is not known: look for a typing error in the address"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return (
                f"{host} shows a certificate that is not trusted here: "
                "name the library's own CA in network.ca_file if it has one"
            )
        case aiohttp.ClientConnectorError():
            return f"{host} cannot be reached ({problem.strerror or 'no connection'})"
        case aiohttp.ClientPayloadError():
            return f"{host} broke off in the middle of its answer"
        case _:
            return f"{host} sent an answer that is no proper HTTP ({type(problem).__name__})"


def _refused_private(problem: BaseException | None) -> bool:
    while problem is not None:
        if isinstance(problem, _Private):
            return True
        if isinstance(problem, aiohttp.ClientConnectorError) and isinstance(
            problem.os_error, _Private
        ):
            return True
        problem = problem.__cause__ or problem.__context__
    return False

"""Fetching from the web within bounds, against a real server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web

from staffbot.errors import SourceError
from staffbot.settings import Network
from staffbot.sources.download import Page, download, is_public
from tests.website import Website

PATIENT = Network(timeout=timedelta(seconds=50))


async def fetch(url: str, *, most_bytes: int = 100_000, etag: str = "", modified: str = "") -> Page:
    return await download(
        url,
        network=PATIENT,
        allow_private=True,
        most_bytes=most_bytes,
        etag=etag,
        modified=modified,
    )


async def test_a_page_and_what_tells_its_age(site: Website) -> None:
    url = site.says("/a", "words", headers={"ETag": '"1"', "Last-Modified": "yesterday"})
    page = await fetch(url)
    assert (page.body, page.etag, page.modified) == (b"words", '"1"', "yesterday")
    assert abs(page.at - datetime.now(UTC)) < timedelta(minutes=5)


async def test_unchanged_is_asked_for_and_told(site: Website) -> None:
    url = site.says("/a", "", status=304)
    assert (await fetch(url, etag='"1"', modified="yesterday")).body is None
    assert site.asked[0].headers["If-None-Match"] == '"1"'
    assert site.asked[0].headers["If-Modified-Since"] == "yesterday"


@pytest.mark.parametrize("size", [100_000, 100_001])
async def test_the_cap_counts_the_last_byte(site: Website, size: int) -> None:
    url = site.says("/a", b"x" * size)
    if size <= 100_000:
        assert len((await fetch(url)).body or b"") == size
    else:
        with pytest.raises(SourceError, match=r"more than 0\.1 MB"):
            await fetch(url)


async def test_fifty_megabytes_are_not_read_to_their_end(site: Website) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(800):
            await answer.write(b"x" * 65_536)
            sent += 65_536
        return answer

    with pytest.raises(SourceError, match="more than"):
        await fetch(site.does("/big", endless))
    assert sent < 25_000_000


async def test_a_gzip_bomb_stops_at_the_cap(site: Website) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 60_000
    url = site.says("/bomb", bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(SourceError, match="more than"):
        await fetch(url)


async def test_honest_compression_is_undone(site: Website) -> None:
    url = site.says("/a", gzip.compress(b"words"), headers={"Content-Encoding": "gzip"})
    assert (await fetch(url)).body == b"words"


async def test_redirects_are_followed_three_times(site: Website) -> None:
    site.says("/0", "there")
    for step in (1, 2, 3, 4):
        site.says(f"/{step}", "", status=302, headers={"Location": f"/{step - 1}"})
    assert (await fetch(site.url + "/3")).body == b"there"
    with pytest.raises(SourceError, match="redirects more than 3 times"):
        await fetch(site.url + "/4")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x.example/", "http://[bad", "//"])
async def test_a_redirect_leads_to_the_web_only(site: Website, target: str) -> None:
    url = site.says("/a", "", status=301, headers={"Location": target})
    with pytest.raises(SourceError):
        await fetch(url)


@pytest.mark.parametrize(
    ("status", "headers", "says", "after"),
    [
        (429, {"Retry-After": "120"}, "asked less often", 120.0),
        (503, {"Retry-After": "99999999"}, "trouble of its own", 86_400.0),
        (500, {}, "trouble of its own", None),
        (404, {"Retry-After": "soon"}, "not there", None),
        (403, {}, "login", None),
        (418, {}, "answered 418", None),
    ],
)
async def test_a_refusal_says_what_helps(
    site: Website, status: int, headers: dict[str, str], says: str, after: float | None
) -> None:
    url = site.says("/a?key=secret", "no", status=status, headers=headers)
    site.answers["/a"] = site.answers["/a?key=secret"]
    with pytest.raises(SourceError, match=says) as refused:
        await fetch(url)
    assert refused.value.retry_after == after
    assert "secret" not in str(refused.value)


async def test_retry_after_may_be_a_date(site: Website) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    site.says(
        "/a", "no", status=503,
        headers={
            "Date": format_datetime(now, usegmt=True),
            "Retry-After": format_datetime(now + timedelta(minutes=10), usegmt=True),
        },
    )  # fmt: skip
    with pytest.raises(SourceError) as refused:
        await fetch(site.url + "/a")
    assert refused.value.retry_after == 600.0


async def test_a_server_that_never_answers_is_left(site: Website) -> None:
    url = site.hangs("/a")
    with pytest.raises(SourceError, match="did not answer in full"):
        await download(url, network=Network(timeout=timedelta(seconds=0.3)), allow_private=True)


async def test_an_answer_that_drips_is_left(site: Website) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x")
            await asyncio.sleep(0.02)

    with pytest.raises(SourceError, match="did not answer in full"):
        await download(
            site.does("/a", drip), network=Network(timeout=timedelta(seconds=0.5)),
            allow_private=True,
        )  # fmt: skip


async def test_an_answer_that_breaks_off_and_one_that_is_no_http() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"
            if b"/short" in head
            else b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(SourceError, match="broke off"):
            await fetch(url + "/short")
        with pytest.raises(SourceError, match="no proper HTTP"):
            await fetch(url + "/ssh")
    with pytest.raises(SourceError, match="cannot be reached"):
        await fetch(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data", "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://0.0.0.0/",
        "http://224.0.0.1/", "http://printer.local/", "http://2130706433/", "http://127.1/",
    ],
)  # fmt: skip
async def test_private_addresses_are_not_asked(url: str) -> None:
    with pytest.raises(SourceError):
        await download(url, network=PATIENT)


async def test_the_connection_itself_is_looked_at() -> None:
    # A name whose look tells nothing, but which resolves to the inside: this machine's own.
    name = socket.gethostname()
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(name, 80)}
    except OSError:
        pytest.skip("this machine's own name does not resolve")
    if any(is_public(address) for address in found):
        pytest.skip("this machine's own name is on the open internet")
    with pytest.raises(SourceError, match="private network"):
        await download(f"http://{name}/", network=PATIENT)


@pytest.mark.parametrize("target", ["http://127.0.0.1/", "http://10.0.0.1/feed", "//localhost/x"])
async def test_a_redirect_does_not_lead_inside(target: str) -> None:
    """The site is on the open internet, played by a proxy, and sends us to our own machine."""
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        moved = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
        writer.write(moved.encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        network = Network(proxy=proxy, timeout=PATIENT.timeout)
        with pytest.raises(SourceError, match="private"):
            await download("http://library.example/feed", network=network)
    assert asked == [b"GET http://library.example/feed HTTP/1.1\r\n"]


async def test_another_port_wants_a_word_in_the_configuration(site: Website) -> None:
    with pytest.raises(SourceError, match="allow_private"):
        await download(site.says("/a", "x"), network=PATIENT)
    assert site.asked == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("127.0.0.1", False),
        ("192.168.1.1", False), ("100.64.0.1", False), ("::1", False), ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False), ("2002:a00:1::", False),
        ("ff02::1", False), ("239.1.1.1", False), ("fd00::1", False),
    ],
)  # fmt: skip
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_a_proxy_is_used_wherever_it_stands(site: Website) -> None:
    async def proxied(request: web.Request) -> web.StreamResponse:
        return web.Response(text=f"for {request.headers['Host']}")

    site.does("/feed", proxied)
    network = Network(proxy=site.url, timeout=PATIENT.timeout)
    page = await download("http://library.example/feed", network=network)
    assert page.body == b"for library.example"
    with pytest.raises(SourceError, match="private network"):
        await download("http://10.0.0.1/feed", network=network)


async def test_a_proxy_that_is_not_there_is_named() -> None:
    network = Network(proxy="http://127.0.0.1:9", timeout=PATIENT.timeout)
    with pytest.raises(SourceError, match="proxy"):
        await download("http://library.example/feed", network=network)


async def test_the_environment_names_no_proxy(
    site: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await fetch(site.says("/a", "x"))).body == b"x"


async def test_a_ca_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for content in (None, "no certificate"):
        path = tmp_path / "ca.pem"
        if content is not None:
            path.write_text(content)
        with pytest.raises(SourceError, match=r"network\.ca_file"):
            await download("https://library.example/", network=Network(ca_file=path))

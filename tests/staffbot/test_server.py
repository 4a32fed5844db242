"""The listeners: bounded in time and size, silent about what is inside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from staffbot.errors import CannotListen
from staffbot.network import Request, Response, Route
from staffbot.server import Server
from staffbot.settings import Listener

ANYWHERE = Listener(host="127.0.0.1", port=0)
PATIENT = 45.0


async def echo(request: Request) -> Response:
    said = {"path": request.path, "length": len(request.body), "asked": request.headers.get("X-A")}
    return Response(status=200, body=json.dumps(said).encode(), headers={"X-B": "b"})


async def breaks(_: Request) -> Response:
    raise KeyError("I lost my card")


ROUTES = (
    Route(method="POST", path="/echo", handle=echo, limit=1024),
    Route(method="POST", path="/breaks", handle=breaks),
)


@asynccontextmanager
async def listening(**more: Any) -> AsyncIterator[tuple[str, Server]]:
    async with Server(ANYWHERE, ROUTES, **more) as server:
        yield f"http://127.0.0.1:{server.port}", server


async def ask(method: str, url: str, **more: Any) -> tuple[int, Any, aiohttp.ClientResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **more) as answer,
    ):
        return answer.status, await answer.json(content_type=None), answer


async def raw(server: Server, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Say this on a bare connection; all that comes back until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    heard = b""
    try:
        async with asyncio.timeout(PATIENT):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            heard = await reader.read()
    except ConnectionError:
        pass
    finally:
        writer.close()
    return heard


async def test_a_route_gets_the_request_and_answers() -> None:
    async with listening() as (url, _):
        status, said, answer = await ask(
            "POST", url + "/echo?a=b", data=b"12345", headers={"X-A": "a", "Host": "any.example"}
        )
    assert (status, said) == (200, {"path": "/echo?a=b", "length": 5, "asked": "a"})
    assert answer.headers["X-B"] == "b"
    assert answer.headers["Server"] == "staffbot"
    assert answer.content_type == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/nowhere", 404, "nothing at this address"),
        ("GET", "/echo", 405, "not asked in this way"),
        ("POST", "/breaks", 500, "in the log"),
    ],
)
async def test_errors_are_sentences_and_show_nothing(
    method: str, path: str, status: int, says: str
) -> None:
    async with listening() as (url, _):
        found, said, answer = await ask(method, url + path)
    assert found == status
    assert says in said["error"]
    assert "card" not in str(said)
    assert "aiohttp" not in str(answer.headers)


async def test_the_limit_of_a_body_counts_the_last_byte() -> None:
    async def in_pieces(size: int) -> AsyncIterator[bytes]:
        for _ in range(size):
            yield b"x"

    async with listening() as (url, _):
        assert (await ask("POST", url + "/echo", data=b"x" * 1024))[0] == 200
        assert (await ask("POST", url + "/echo", data=in_pieces(1024)))[0] == 200
        status, said, _answer = await ask("POST", url + "/echo", data=b"x" * 1025)
        assert status == 413
        assert "1 KiB" in said["error"]
        assert (await ask("POST", url + "/echo", data=in_pieces(1025)))[0] == 413


async def test_a_body_is_handed_on_as_it_was_sent() -> None:
    # Decompressed, its signature could not be looked at, and a bomb would go off.
    async with listening() as (url, _):
        _, said, _answer = await ask(
            "POST", url + "/echo", data=b"not really gzip", headers={"Content-Encoding": "gzip"}
        )
    assert said["length"] == 15


async def test_a_head_that_drips_is_cut_off() -> None:
    async with listening(head_within=0.3) as (_, server):
        assert await raw(server, b"POST /echo HTTP/1.1\r\n", b"X-A: a\r\n", pause=0.05) == b""
        assert await raw(server) == b""


async def test_a_body_that_drips_is_told_so() -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"
    async with listening(body_within=0.3) as (_, server):
        heard = await raw(server, head)
    assert heard.startswith(b"HTTP/1.1 408")
    assert b"did not arrive in time" in heard


async def test_a_slow_answer_and_a_second_request_are_not_cut() -> None:
    async def slow(_: Request) -> Response:
        await asyncio.sleep(2.3)
        return Response(status=200)

    head = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    routes = [Route(method="GET", path="/slow", handle=slow)]
    async with Server(ANYWHERE, routes, head_within=2.0) as server:
        heard = await raw(server, head, last, pause=2.4)
    assert heard.count(b"HTTP/1.1 ") == 2


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"x" * 20_000 + b"\r\n\r\n"]
)
async def test_junk_is_refused(junk: bytes) -> None:
    async with listening() as (url, server):
        heard = await raw(server, junk)
        assert heard == b"" or heard.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
        assert b"Traceback" not in heard
        assert (await ask("POST", url + "/echo"))[0] == 200


async def test_health_is_told_in_a_status_and_in_particulars() -> None:
    well = True

    async def health() -> tuple[bool, dict[str, object]]:
        return well, {"oldest_unsent_seconds": None}

    async with listening(health=health) as (url, _):
        status, said, answer = await ask("GET", url + "/healthz")
        assert (status, said) == (200, {"ok": True, "oldest_unsent_seconds": None})
        assert answer.headers["Cache-Control"] == "no-store"
        well = False
        assert (await ask("GET", url + "/healthz"))[0] == 503


async def test_health_that_cannot_be_told_is_bad_health() -> None:
    async def health() -> tuple[bool, dict[str, object]]:
        raise OSError("password=hunter2")

    async with listening(health=health) as (url, _):
        status, said, _answer = await ask("GET", url + "/healthz")
    assert (status, said) == (503, {"ok": False, "error": "the database cannot be read"})


async def test_an_application_is_served_as_it_is() -> None:
    async def events(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(b"data: 1\n\n")
        await asyncio.Event().wait()
        return answer

    async def stranger(_: web.Request) -> web.StreamResponse:
        raise web.HTTPForbidden(text="only from this machine")

    app = web.Application()
    app.router.add_get("/api/events", events)
    app.router.add_get("/stranger", stranger)
    async with Server(ANYWHERE, ROUTES, app=app) as server:
        url = f"http://127.0.0.1:{server.port}"
        async with aiohttp.ClientSession() as session, session.get(url + "/api/events") as answer:
            assert await answer.content.readline() == b"data: 1\n"
            async with session.get(url + "/stranger") as refused:
                assert (refused.status, await refused.text()) == (403, "only from this machine")
            # An open stream does not keep the listener from ending.
            async with asyncio.timeout(PATIENT):
                await server.stop()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))


async def test_a_taken_port_is_said_in_words() -> None:
    async with listening() as (_, server):
        taken = Server(Listener(host="127.0.0.1", port=server.port), ROUTES)
        with pytest.raises(CannotListen, match=f"port {server.port}"):
            await taken.start()
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1"):
        await Server(Listener(host="192.0.2.1", port=0)).start()


async def test_requests_in_hand_are_answered_when_it_ends() -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def waits(_: Request) -> Response:
        entered.set()
        await go_on.wait()
        return Response(status=200, body=b'"stored"')

    async with Server(ANYWHERE, [Route(method="POST", path="/w", handle=waits)]) as server:
        asked = asyncio.create_task(ask("POST", f"http://127.0.0.1:{server.port}/w"))
        async with asyncio.timeout(PATIENT):
            await entered.wait()
        ending = asyncio.create_task(server.stop())
        await asyncio.sleep(0)
        go_on.set()
        status, said, _ = await asked
        await ending
    assert (status, said) == (200, "stored")

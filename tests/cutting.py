"""A way to a web server on which faults can be put, before a request arrives there and after it did."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

_ON_THE_WAY = ("Authorization", "Content-Type", "Accept")
_BACK = ("Content-Type", "X-WP-Total", "X-WP-TotalPages", "Date")


@dataclass(slots=True)
class Way:
    """`cuts` answers to POST requests are broken off, one after the other; `posted` are their statuses.

    drops    headers of requests that do not go on
    before   hears of each request; a word from it is its fate: "cut", or a status such as "500"
    after    hears of each request once the server has answered it
    """

    url: str = ""
    cuts: int = 0
    posted: list[int] = field(default_factory=list)
    drops: tuple[str, ...] = ()
    before: Callable[[web.Request], str] = lambda _: ""
    after: Callable[[web.Request], None] = lambda _: None


@asynccontextmanager
async def a_way_to(server: str) -> AsyncIterator[Way]:
    """Requests go on to `server`."""
    way = Way()
    async with aiohttp.ClientSession() as web_:

        async def carry(request: web.Request) -> web.StreamResponse:
            headers = {
                name: request.headers[name]
                for name in _ON_THE_WAY
                if name in request.headers and name not in way.drops
            }
            url, body = server + request.path_qs, await request.read()
            if fate := way.before(request):
                if fate != "cut":
                    return web.Response(status=int(fate))
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            async with web_.request(request.method, url, headers=headers, data=body) as said:
                answer = await said.read()
            way.after(request)
            if request.method == "POST":
                way.posted.append(said.status)
                if way.cuts:
                    way.cuts -= 1
                    assert request.transport is not None
                    request.transport.abort()
            back = {name: said.headers[name] for name in _BACK if name in said.headers}
            return web.Response(body=answer, status=said.status, headers=back)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", carry)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        way.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield way
        finally:
            await runner.cleanup()

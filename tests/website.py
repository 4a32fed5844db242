"""A small web site on loopback for tests: real sockets, answers that a test sets and counts.

Knows nothing of staffbot but how its listener's address is written down.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True, kw_only=True)
class Website:
    """Answers by path, else by `answer_all`; `asked` are the requests in their order."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    answer_all: Answer | None = None
    asked: list[web.Request] = field(default_factory=list)

    def says(
        self,
        path: str,
        body: bytes | str,
        *,
        status: int = 200,
        content_type: str = "application/rss+xml",
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """From now on `path` answers this. Returns its address."""
        text = body.encode() if isinstance(body, str) else body

        async def answer(_: web.Request) -> web.StreamResponse:
            named = {"Content-Type": content_type, **(headers or {})}
            return web.Response(body=text, status=status, headers=named)

        return self.does(path, answer)

    def does(self, path: str, answer: Answer) -> str:
        self.answers[path] = answer
        return self.url + path

    def hangs(self, path: str) -> str:
        """From now on `path` takes requests and never answers."""

        async def answer(_: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

        return self.does(path, answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        found = self.answers.get(request.path, self.answer_all)
        return await found(request) if found else web.Response(status=404)


@asynccontextmanager
async def website(host: str = "127.0.0.1") -> AsyncIterator[Website]:
    """A web site that is there until the end of the block."""
    site = Website()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site._answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, host, 0)
    await listener.start()
    port = runner.addresses[0][1]
    site.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    try:
        yield site
    finally:
        await runner.cleanup()

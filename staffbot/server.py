"""The HTTP listeners: a public one made of Route values, one on loopback that may carry a whole app.

Every request is bounded: its head and its body in time and size. An error never shows what is
inside. Knows neither the desk nor any source; `health` and the routes are handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from staffbot.errors import CannotListen
from staffbot.network import Request, Response, Route
from staffbot.settings import Listener

# What a monitor is told: whether all is well, and the particulars.
Health = Callable[[], Awaitable[tuple[bool, Mapping[str, object]]]]

HEAD_WITHIN = 10.0
BODY_WITHIN = 20.0
HEALTH_WITHIN = 5.0
# An idle connection is kept this long for the next request.
IDLE_WITHIN = 30.0

_log = structlog.get_logger(__name__)


class Server:
    """One listener. `app` is a door's own application, to which the routes are added.

    Start it with `async with` or `start` and `stop`; `port` is the real one then.
    """

    def __init__(
        self,
        listener: Listener,
        routes: Sequence[Route] = (),
        *,
        health: Health | None = None,
        app: web.Application | None = None,
        head_within: float = HEAD_WITHIN,
        body_within: float = BODY_WITHIN,
    ) -> None:
        self._listener = listener
        self._head_within = head_within
        self._body_within = body_within
        self._connections: dict[asyncio.BaseTransport, _Connection] = {}
        app = web.Application() if app is None else app
        app.middlewares.insert(0, self._bounded)
        app.on_response_prepare.append(_say_little)
        for route in routes:
            app.router.add_route(route.method, route.path, self._handler(route))
        if health is not None:
            app.router.add_get("/healthz", _healthz(health))
        # Bodies stay as they were sent: a signature is made of those bytes.
        self._runner = web.AppRunner(
            app, access_log=None, auto_decompress=False, keepalive_timeout=IDLE_WITHIN,
            handle_signals=False, shutdown_timeout=1.0, lingering_time=1.0,
        )  # fmt: skip
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            raise RuntimeError("the listener is not started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises CannotListen where the address cannot be had."""
        await self._runner.setup()
        host, port = self._listener.host, self._listener.port
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._connection, host, port, reuse_address=True
            )
        except (OSError, OverflowError) as problem:
            await self._runner.cleanup()
            reason = getattr(problem, "strerror", None) or str(problem)
            raise CannotListen(
                f"cannot listen on {host} port {port} ({reason}): another program may have it; "
                "stop that one or configure another port"
            ) from problem

    async def stop(self) -> None:
        """Take no new connection, let requests in hand finish for a moment, and close."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()
        self._server = None

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def _connection(self) -> asyncio.BaseProtocol:
        server = self._runner.server
        if server is None:
            raise RuntimeError("the listener is stopped")
        return _Connection(server(), self._connections, self._head_within)

    @web.middleware
    async def _bounded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Around every request: stops the clock of its head, and hides what went wrong inside."""
        connection = self._connections.get(request.transport) if request.transport else None
        if connection is not None:
            connection.head_came()
        try:
            return await handler(request)
        except web.HTTPException as answer:
            if answer.status < 400 or answer.text != f"{answer.status}: {answer.reason}":
                raise  # not an error, or one that a door has its own words for
            return _error(answer.status, _HTTP.get(answer.status, answer.reason), answer.headers)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception as problem:
            _log.error(
                "request failed", route=_name_of(request), error=type(problem).__name__
            )  # fmt: skip
            return _error(500, "something went wrong here; it is in the log")
        finally:
            if connection is not None:
                connection.answered()

    def _handler(self, route: Route) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await self._body(request, route.limit)
            if isinstance(body, web.Response):
                return body
            answer: Response = await route.handle(
                Request(
                    method=request.method, path=request.path_qs, headers=dict(request.headers),
                    body=body,
                )
            )  # fmt: skip
            return web.Response(
                status=answer.status, body=answer.body,
                headers={**answer.headers, "Content-Type": answer.content_type},
            )  # fmt: skip

        return handle

    async def _body(self, request: web.Request, limit: int) -> bytes | web.Response:
        too_large = f"the body is larger than {limit // 1024} KiB: send it in several requests"
        close = {"Connection": "close"}
        if request.content_length is not None and request.content_length > limit:
            return _error(413, too_large, close)
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_within):
                async for piece in request.content.iter_any():
                    body += piece
                    if len(body) > limit:
                        return _error(413, too_large, close)
        except TimeoutError:
            return _error(408, "the body did not arrive in time: send it again", close)
        return bytes(body)


class _Connection(asyncio.Protocol):
    """Passes a connection on to aiohttp, and cuts it where a request's head does not get done.

    aiohttp bounds the size of a head but not its time: one byte now and then would hold a
    connection for ever.
    """

    def __init__(
        self,
        inner: asyncio.Protocol,
        all_: dict[asyncio.BaseTransport, _Connection],
        head_within: float,
    ) -> None:
        self._inner = inner
        self._all = all_
        self._head_within = head_within
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._in_hand = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._all[transport] = self
        self._wait_for_head()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if not self._in_hand:
            self._wait_for_head()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._transport is not None:
            self._all.pop(self._transport, None)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def head_came(self) -> None:
        self._in_hand += 1
        self._stop_timer()

    def answered(self) -> None:
        self._in_hand -= 1

    def _wait_for_head(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._head_within, self._cut)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()


_HTTP = {
    404: "there is nothing at this address",
    405: "this address is not asked in this way",
    413: "the body is too large",
}


def _healthz(health: Health) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(HEALTH_WITHIN):
                ok, particulars = await health()
        except TimeoutError:
            ok, particulars = False, {"error": "the database did not answer in time"}
        except Exception as problem:
            _log.error("health unknown", error=type(problem).__name__)
            ok, particulars = False, {"error": "the database cannot be read"}
        return web.json_response(
            {"ok": ok, **particulars}, status=200 if ok else 503,
            headers={"Cache-Control": "no-store"},
        )  # fmt: skip

    return answer


def _error(status: int, said: str, headers: Mapping[str, str] | None = None) -> web.Response:
    kept = {
        name: value for name, value in (headers or {}).items() if name in ("Allow", "Connection")
    }
    return web.json_response({"error": said}, status=status, headers=kept)


def _name_of(request: web.Request) -> str:
    """The route's own pattern: the path that was asked for may hold anything."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource is not None else '?'}"


async def _say_little(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "staffbot"
    response.headers.setdefault("X-Content-Type-Options", "nosniff")

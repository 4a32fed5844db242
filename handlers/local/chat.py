"""The Chat of this machine: what the outbox posts to, and the page's own small HTTP server."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web

from handlers.local.channel import PLATFORM, Channel
from handlers.local.web import application
from staffbot.errors import ConfigError
from staffbot.messages import Message
from staffbot.model import MessageRef, Room

log = structlog.get_logger("staffbot.local")


class LocalChat:
    """A platform of its own: the channel keeps what is posted, `run` serves it to a browser."""

    platform = PLATFORM

    def __init__(self, channel: Channel, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.channel = channel
        self.address = ""
        self._host, self._port = host, port
        self._open = asyncio.Event()

    async def run(self) -> None:
        """Serve the page until cancelled."""
        app = application(self.channel)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await self._serve(runner)
            await asyncio.Event().wait()
        finally:
            self._open.clear()
            self.channel.end()
            await runner.cleanup()
            self.channel.close()

    async def opened(self) -> str:
        """The page's address, once it is served."""
        await self._open.wait()
        return self.address

    async def post(self, room: Room, message: Message, key: str) -> MessageRef:
        return await self.channel.post(room, message, key)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        await self.channel.edit(ref, message)

    async def find(self, room: Room, key: str) -> MessageRef | None:
        return await self.channel.find(room, key)

    async def direct(self, user_id: str, message: Message, key: str) -> MessageRef:
        return await self.channel.post(self.channel.room_of(user_id), message, key)

    async def _serve(self, runner: web.AppRunner) -> None:
        site = web.TCPSite(runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            reason = f"the local page cannot be served on port {self._port} ({error.strerror})."
            raise ConfigError.at("local.port", reason, "port = 0 takes any free one") from error
        port = runner.addresses[0][1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.address = f"http://{host}:{port}/"
        self._open.set()
        log.info("local_page_open", address=self.address)
        if self.channel.patron is not None:
            self.channel.patron.opened(self.address)

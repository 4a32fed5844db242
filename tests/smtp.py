"""A mail server on loopback that takes mail by SMTP, for tests; it can be told to misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class PostOffice:
    """`mails` are the raw mails that it took.

    refuses   (command, code): RCPT or DATA is answered so; 0: well again
    cuts      the connection breaks once a mail was taken, before a word of it
    cuts_at   the connection breaks at this command
    hears     is told of each command before it is answered, and "taken" once a mail is
    tls       for STARTTLS; `secured` counts connections that took it
    offers    what it says to EHLO that it can, such as "AUTH PLAIN"
    """

    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    refuses: tuple[str, int] = ("", 0)
    cuts: bool = False
    cuts_at: str = ""
    hears: Callable[[str], None] = lambda _: None
    offers: tuple[str, ...] = ()
    tls: ssl.SSLContext | None = None
    secured: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _say(writer, "220 post office")
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            self.hears(verb)
            if verb == self.cuts_at:
                writer.transport.abort()
                return
            if verb == self.refuses[0]:
                await _say(writer, f"{self.refuses[1]} no")
            elif verb == "DATA":
                if not await self._take(reader, writer):
                    return
            elif verb == "QUIT":
                await _say(writer, "221 bye")
                break
            else:
                await self._answer(verb, line, writer)
        writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """A mail; whether the connection is still there."""
        await _say(writer, "354 go on")
        mail = await reader.readuntil(b"\r\n.\r\n")
        self.mails.append(mail[:-3].replace(b"\r\n..", b"\r\n."))
        self.hears("taken")
        if self.cuts:
            writer.transport.abort()
            return False
        await _say(writer, "250 taken")
        return True

    async def _answer(self, verb: str, line: str, writer: asyncio.StreamWriter) -> None:
        match verb:
            case "EHLO":
                await _say(writer, *(f"250-{one}" for one in ("here", *self.offers)), "250 well")
            case "STAR" if self.tls is not None:
                await _say(writer, "220 go on")
                await writer.start_tls(self.tls)
                self.secured += 1
            case "AUTH":
                await _say(writer, "235 welcome")
            case "RCPT":
                self.rcpt.append(line[8:].strip("<>: "))
                await _say(writer, "250 well")
            case _:
                await _say(writer, "250 well")


async def _say(writer: asyncio.StreamWriter, *lines: str) -> None:
    writer.write("".join(f"{line}\r\n" for line in lines).encode())
    await writer.drain()


@asynccontextmanager
async def post_office(
    tls: ssl.SSLContext | None = None, *, at_once: bool = False
) -> AsyncIterator[PostOffice]:
    """`at_once`: connections begin with TLS, else it is offered."""
    office = PostOffice(tls=tls, offers=("STARTTLS",) if tls and not at_once else ())
    server = await asyncio.start_server(office.serve, "127.0.0.1", 0, ssl=tls if at_once else None)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()

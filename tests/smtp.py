"""A mail server on loopback that takes mail by SMTP, for tests; it can be told to misbehave."""

from __future__ import annotations

import asyncio
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

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())
            await writer.drain()

        await say("220 post office")
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            self.hears(verb)
            if verb == self.cuts_at:
                writer.transport.abort()
                return
            if verb == self.refuses[0]:
                await say(f"{self.refuses[1]} no")
            elif verb == "DATA":
                await say("354 go on")
                mail = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(mail[:-3].replace(b"\r\n..", b"\r\n."))
                self.hears("taken")
                if self.cuts:
                    writer.transport.abort()
                    return
                await say("250 taken")
            elif verb == "QUIT":
                await say("221 bye")
                break
            elif verb == "EHLO":
                await say("250-here")
                for one in self.offers:
                    await say(f"250-{one}")
                await say("250 well")
            elif verb == "AUTH":
                await say("235 welcome")
            else:
                if verb == "RCPT":
                    self.rcpt.append(line[8:].strip("<>: "))
                await say("250 well")
        writer.close()


@asynccontextmanager
async def post_office() -> AsyncIterator[PostOffice]:
    office = PostOffice()
    server = await asyncio.start_server(office.serve, "127.0.0.1", 0)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()

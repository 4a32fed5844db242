"""After every gap: reads what was said and left meanwhile, and keeps until when Slack was heard.

A gap is a connection that was made anew, whoever made it, or the time in which the program did not
run. What is read goes the way of what is heard, under the same names, so the desk does it once. Until
a gap is read through, nothing newer is kept: a program that ends in between reads it again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from handlers.slack.asking import NotStored
from handlers.slack.members import PLATFORM
from handlers.slack.missed import Found, Missed
from handlers.slack.reactions import Reactions
from handlers.slack.typed import Typed
from staffbot.errors import DeliveryError, StoreError
from staffbot.policy import LATE_AFTER
from staffbot.seams import Desk

KEEP_SECONDS = 30.0
LIMIT_SECONDS = 72 * 3600.0  # a weekend with the machine switched off
OVERLAP_SECONDS = 60.0  # by as much may this machine's clock differ from Slack's
SHORT_SECONDS = 90.0  # a refresh of Slack's, after which it delivers by itself what it can
REST_SECONDS = 20.0  # between two readings, however often a connection breaks
TRIES = 5  # of what the desk cannot store, through a fault of ours
LONGEST_WAIT = 300.0

log = structlog.get_logger("staffbot.slack")


class CatchUp:
    def __init__(
        self,
        *,
        desk: Desk,
        typed: Typed,
        reactions: Reactions,
        missed: Missed,
        channels: Sequence[str],
        rest: float = REST_SECONDS,
        every: float = KEEP_SECONDS,
    ) -> None:
        self._desk = desk
        self._typed = typed
        self._reactions = reactions
        self._missed = missed
        self._channels = tuple(channels)
        self._rest = rest
        self._every = every
        self._kept = 0.0  # until when it was heard, as it was kept last
        self._gap: float | None = None  # since when nothing was heard and is not read yet
        self._woken = asyncio.Event()

    def missed(self, since: float = 0.0) -> None:
        """Nothing was heard from that Unix time until now; 0 for since before this run."""
        self._gap = since if self._gap is None else min(self._gap, since)
        self._woken.set()

    async def run(self, heard: Callable[[], float]) -> None:
        """Read gaps as they come; while there is none, keep until when Slack was heard."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._woken.wait()
            self._woken.clear()
            try:
                read = await self._until_read()
                await self._keep(heard(), read)
            except Exception as fault:  # its kind only: its text may quote what was said
                log.error("slack.not_caught_up", fault=type(fault).__name__)
                self._kept = heard()  # not for ever over the same message
            else:
                await asyncio.sleep(self._rest if read else 0)

    async def _keep(self, heard: float, just_read: bool) -> None:
        if not heard or self._gap is not None:
            return
        if not just_read and heard - self._kept > self._every + SHORT_SECONDS:
            self.missed(self._kept)  # the machine slept
            return
        await self._desk.heard(PLATFORM, datetime.fromtimestamp(heard, UTC))
        self._kept = heard

    async def _until_read(self) -> bool:
        """Whether there was a gap. It stays open until it is read, whatever Slack's troubles are; only
        what the desk fails over again and again is given up, as when it is heard live.
        """
        wait, not_stored = max(self._rest / 10, 0.01), 0
        while self._gap is not None:
            since, self._gap = self._gap, None
            try:
                await self._read(since)
                return True
            except (DeliveryError, NotStored, StoreError) as problem:
                not_stored += isinstance(problem, NotStored)
                if not_stored == TRIES:
                    raise
                self.missed(since)
                log.warning("slack.not_caught_up", fault=type(problem).__name__, seconds=wait)
                asked = getattr(problem, "retry_after", None)
                await asyncio.sleep(wait if asked is None else asked)
                wait = min(wait * 2, LONGEST_WAIT)
        return False

    async def _read(self, since: float) -> None:
        kept = await self._desk.last_heard(PLATFORM) if not since else None
        began = kept.timestamp() if kept is not None else since
        now = time.time()
        if not began:
            await self._first(now)
            return
        began = min(began, now)
        gap = now - began
        oldest = max(began, now - LIMIT_SECONDS) - OVERLAP_SECONDS
        deep = gap > SHORT_SECONDS
        for channel in self._channels:
            found = await self._found(channel, self._missed.since(channel, oldest, deep=deep))
            await self._do(found, late=gap > LATE_AFTER.total_seconds())
        for user in await self._staff() if deep else ():
            found = await self._found(user, self._missed.letters(user, oldest))
            await self._do(found, late=True)
        log.info("slack.caught_up", seconds=round(gap))

    async def _first(self, now: float) -> None:
        """Nobody knows since when: what stands there counts as heard."""
        for channel in self._channels:
            found = await self._found(channel, self._missed.since(channel, now, deep=True))
            await self._desk.noted(found.marks)

    async def _do(self, found: Found, *, late: bool) -> None:
        for message in found.calls:
            await self._typed.heard(message)
        for mark in await self._desk.unheard(found.marks):
            await self._reactions.missed(mark, late=late)

    async def _staff(self) -> list[str]:
        """Whoever may have written to the bot alone."""
        return [
            person.ids[PLATFORM] for person in await self._desk.staff() if PLATFORM in person.ids
        ]

    async def _found(self, where: str, reading: Awaitable[Found]) -> Found:
        """Nothing, where a channel itself is closed to us: the others are read all the same."""
        try:
            return await reading
        except DeliveryError as problem:
            if not problem.permanent:
                raise
            log.warning("slack.not_read", where=where, reason=str(problem))
            return Found()

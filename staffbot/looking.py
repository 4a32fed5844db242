"""The looking: goes back to conversations, so that answers, edits and deletions are noticed.

One task a source, so none delays another. What is due stands in the database (`desk.looks`); knows
no network and no rule, and logs no patron's word.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from staffbot.desk import looks
from staffbot.desk.ledger import Desk
from staffbot.errors import SourceError
from staffbot.network import Change, Looks

# At most so many mentions a look, and so long between two looks of a source: a network that takes
# one request for each allows 300 in five minutes.
PIECE = 50
PAUSE_SECONDS = 60.0
_FORGET_SECONDS = 3600.0
_LONGEST_WAIT = 900.0
_AFTER_FAILURE = 300.0
_TOLD_AFTER = 3  # failures in a row

_log = structlog.get_logger(__name__)


class Looking:
    """`look_within` bounds one look as a whole; `alive(name)` hears of each round of the loop."""

    def __init__(
        self,
        desk: Desk,
        sources: Sequence[object],
        *,
        look_within: timedelta | None = None,
        pause_seconds: float = PAUSE_SECONDS,
        alive: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._desk = desk
        self._sources = tuple(source for source in sources if isinstance(source, Looks))
        self._within = look_within or 4 * desk.settings.network.timeout
        self._pause = pause_seconds
        self._alive = alive
        self._failures: dict[str, int] = {}  # in a row, by source

    @property
    def looks(self) -> tuple[str, ...]:
        """The names of the sources that can look."""
        return tuple(source.name for source in self._sources)

    async def run(self) -> None:
        """Look until cancelled."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._forget(), name="looking")
            for source in self._sources:
                loops.create_task(self._follow(source), name=f"looking:{source.name}")

    async def _forget(self) -> None:
        await self._desk.acting(looks.begin, sources=self.looks)
        while True:
            await self._desk.acting(looks.forget, sources=self.looks)
            await asyncio.sleep(_FORGET_SECONDS)

    async def _follow(self, source: Looks) -> None:
        while True:
            wait = await self._round(source)
            self._alive(f"looking:{source.name}")
            while wait > 0:  # in pieces, so that it is seen to live
                await asyncio.sleep(min(wait, PAUSE_SECONDS))
                wait -= PAUSE_SECONDS
                self._alive(f"looking:{source.name}")

    async def _round(self, source: Looks) -> float:
        """One look, if anything is due. Returns the seconds to wait for the next one."""
        name = source.name
        due = await self._desk.acting(looks.take, source=name, most=PIECE)
        if not due.conversations:
            return 0.01 if due.full else self._pause
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._within.total_seconds()):
                found = await source.look(due.conversations)
        except SourceError as problem:
            await self._failed(name, str(problem))
            return min(max(self._pause, problem.retry_after or 0.0), _LONGEST_WAIT)
        except TimeoutError:
            await self._failed(name, "it did not answer in time")
            return max(self._pause, min(_AFTER_FAILURE, 5 * self._pause))
        except Exception as problem:
            _log.error("looking again failed", source=name, **_place(problem))
            await self._failed(name, f"{type(problem).__name__}; the log says where")
            return max(self._pause, min(_AFTER_FAILURE, 5 * self._pause))
        await self._well(name)
        await self._seen(name, found, began)
        return self._pause

    async def _failed(self, source: str, reason: str) -> None:
        """The intake tells where the whole network fails; this, where only looking does."""
        _log.warning("cannot look again", source=source, reason=reason)
        self._failures[source] = self._failures.get(source, 0) + 1
        if self._failures[source] >= _TOLD_AFTER:
            await self._desk.acting(looks.failing, source=source, reason=reason)

    async def _well(self, source: str) -> None:
        # After a restart it is not known whether anything was told before.
        if self._failures.get(source, _TOLD_AFTER) >= _TOLD_AFTER:
            await self._desk.acting(looks.well, source=source)
        self._failures[source] = 0

    async def _seen(self, source: str, found: Sequence[Change], began: float) -> None:
        if not found:
            return
        # Once seen it is stored, also where the program is told to end meanwhile.
        storing = asyncio.ensure_future(self._desk.acting(looks.seen, source=source, found=found))
        try:
            new = await asyncio.shield(storing)
        except asyncio.CancelledError:
            await asyncio.wait({storing})
            raise
        if new:
            ms = round((time.monotonic() - began) * 1000)
            _log.info("looked again", source=source, changed=new, ms=ms)


def _place(problem: BaseException) -> dict[str, str]:
    """Where and what, for the log. Never the message, which may quote a patron."""
    frames = traceback.extract_tb(problem.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return {"error": type(problem).__name__, "where": where}

"""The ticker: `schedule` rings, and what hangs on a bell looks for what is due.

It decides when we look and never what is due: that stands in the database. At start every bell
rings once, so downtime loses nothing. A bell that hangs or fails delays no other. Knows no rule.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import schedule
import structlog

log = structlog.get_logger(__name__)

# The machine's clock may drift from the steady one by this much before we call it a jump.
_JUMP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """Something to look at every so often. `look` must be safe to call at any time."""

    name: str
    every_seconds: int
    look: Callable[[], Awaitable[object]]


class Ticker:
    """Rings every bell. `alive(name)` hears of each look that went well, `jumped(seconds)` of a
    machine's clock that was set."""

    def __init__(
        self,
        bells: Sequence[Bell],
        *,
        alive: Callable[[str], None] = lambda _: None,
        jumped: Callable[[float], None] = lambda _: None,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bells = tuple(bells)
        self._alive = alive
        self._jumped = jumped
        self._wall = wall
        self._steady = steady
        self._rung = {bell.name: asyncio.Event() for bell in bells}
        self._scheduler = schedule.Scheduler()

    async def run(self) -> None:
        """Ring until cancelled."""
        self._hang_up()
        async with asyncio.TaskGroup() as loops:
            for bell in self._bells:
                loops.create_task(self._listen(bell), name=bell.name)
            await self._ring()

    def _hang_up(self) -> None:
        """Every job anew, and everything looked at once."""
        self._scheduler.clear()
        for bell in self._bells:
            rung = self._rung[bell.name]
            rung.set()
            self._scheduler.every(bell.every_seconds).seconds.do(rung.set)

    async def _ring(self) -> None:
        offset = self._wall() - self._steady()
        while True:
            self._scheduler.run_pending()
            await asyncio.sleep(min(1.0, max(0.05, self._scheduler.idle_seconds or 1.0)))
            by = self._wall() - self._steady() - offset
            if abs(by) >= _JUMP_SECONDS:
                # `schedule` reckons by the machine's clock: put back a day, it would be silent a day.
                offset += by
                log.warning("the machine's clock jumped", seconds=round(by))
                self._jumped(by)
                self._hang_up()

    async def _listen(self, bell: Bell) -> None:
        rung = self._rung[bell.name]
        while True:
            await rung.wait()
            rung.clear()
            try:
                await bell.look()
            except Exception:
                log.exception("a regular look failed and is tried again", bell=bell.name)
            else:
                self._alive(bell.name)

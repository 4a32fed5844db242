"""The ticker: rings at once and then regularly; what hangs, fails or sets the clock stops no bell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from staffbot.liveness import Liveness
from staffbot.ticker import Bell, Ticker

PATIENCE = 30.0


class Looks:
    """Counts looks and lets a test wait for the next ones."""

    def __init__(self) -> None:
        self.count = 0
        self._more = asyncio.Condition()

    async def __call__(self) -> None:
        async with self._more:
            self.count += 1
            self._more.notify_all()

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE), self._more:
            await self._more.wait_for(lambda: self.count >= count)


@asynccontextmanager
async def running(ticker: Ticker) -> AsyncIterator[None]:
    task = asyncio.create_task(ticker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_every_bell_rings_at_once_and_again() -> None:
    seldom, often = Looks(), Looks()
    bells = [
        Bell(name="seldom", every_seconds=86_400, look=seldom),
        Bell(name="often", every_seconds=1, look=often),
    ]
    async with running(Ticker(bells)):
        await seldom.reach(1)
        await often.reach(3)
    assert seldom.count == 1


async def test_one_that_hangs_or_fails_delays_no_other() -> None:
    fine, failing, alive = Looks(), Looks(), list[str]()

    async def hang() -> None:
        await asyncio.Event().wait()

    async def fail() -> None:
        await failing()
        raise RuntimeError("the disk is full")

    bells = [
        Bell(name="hangs", every_seconds=1, look=hang),
        Bell(name="fails", every_seconds=1, look=fail),
        Bell(name="fine", every_seconds=1, look=fine),
    ]
    async with running(Ticker(bells, alive=alive.append)):
        await fine.reach(2)
        await failing.reach(2)
    assert set(alive) == {"fine"}


class Wall:
    """A machine's clock that can be set."""

    def __init__(self, jumps: Sequence[float]) -> None:
        self.jumps = list(jumps)
        self.by = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.by

    def jump(self) -> None:
        self.by += self.jumps.pop(0)


async def test_a_clock_that_is_set_is_told_and_everything_is_looked_at_again() -> None:
    wall, looks, told = Wall([-86_400.0, 3_600.0]), Looks(), list[float]()
    bell = Bell(name="daily", every_seconds=86_400, look=looks)
    async with running(Ticker([bell], jumped=told.append, wall=wall)):
        await looks.reach(1)
        wall.jump()
        await looks.reach(2)
        wall.jump()
        await looks.reach(3)
    assert [round(by) for by in told] == [-86_400, 3_600]


def test_a_loop_is_late_past_its_own_limit() -> None:
    now = 100.0
    liveness = Liveness(lambda: now)
    liveness.expect("outbox", 10)
    liveness.expect("digest", 100)
    now = 110.0
    assert liveness.late() == ()
    now = 111.0
    assert liveness.late() == ("outbox",)
    liveness.alive("outbox")
    assert liveness.late() == ()
    assert liveness.silent_for() == {"outbox": 0.0, "digest": 11.0}

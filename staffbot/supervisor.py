"""Keeps loops running: one that fails begins again with back-off, and only a wrong setting ends all.

Knows nothing of what the loops do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from staffbot.errors import ConfigError

log = structlog.get_logger(__name__)

Told = Callable[[str, Exception | None], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait before a loop begins again.

    settled   past this many seconds a loop was up: the next wait is the first one again, and a
              refused token is a trouble of the platform's, no reason to end the whole program
    """

    first: float = 1.0
    longest: float = 300.0
    settled: float = 60.0


class Supervisor:
    """`told(name, problem)` hears of each failure, and of None once a loop that failed is settled."""

    def __init__(self, told: Told, patience: Patience | None = None) -> None:
        self._told = told
        self._patience = patience or Patience()
        self._stopping = False

    def stop(self) -> None:
        """From now on a loop that ends has ended."""
        self._stopping = True

    async def keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run a loop until cancelled or stopped. Raises ConfigError where it cannot even begin."""
        wait = self._patience.first
        failing = False
        while True:
            began = time.monotonic()
            settled = asyncio.create_task(self._say_settled(name)) if failing else None
            try:
                await run()
                problem: Exception | None = None
            except Exception as raised:
                problem = raised
            finally:
                if settled is not None:
                    settled.cancel()
            if self._stopping:
                return
            up_for = time.monotonic() - began
            if isinstance(problem, ConfigError) and not failing and up_for < self._patience.settled:
                raise problem
            if up_for >= self._patience.settled:
                wait = self._patience.first
            failing = True
            log.error("a loop ended and begins again", loop=name, seconds=wait, exc_info=problem)
            await self._tell(name, problem or RuntimeError("ended by itself"))
            await asyncio.sleep(wait)
            wait = min(wait * 2, self._patience.longest)

    async def _say_settled(self, name: str) -> None:
        await asyncio.sleep(self._patience.settled)
        await self._tell(name, None)

    async def _tell(self, name: str, problem: Exception | None) -> None:
        try:
            await self._told(name, problem)
        except Exception:
            log.exception("what a loop did could not be noted", loop=name)

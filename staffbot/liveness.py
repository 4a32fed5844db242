"""Which loops are alive: each says so, and is late past its own limit. Knows nothing of what they do."""

from __future__ import annotations

import time
from collections.abc import Callable


class Liveness:
    """Reckons by the steady clock, as a machine's clock that is set says nothing about a loop."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._within: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    def expect(self, name: str, within_seconds: float) -> None:
        """From now on this loop is to give a sign at least this often."""
        self._within[name] = within_seconds
        self._seen[name] = self._steady()

    def alive(self, name: str) -> None:
        """A sign of life."""
        self._seen[name] = self._steady()

    def silent_for(self) -> dict[str, float]:
        """How long ago each loop gave its last sign, in seconds."""
        now = self._steady()
        return {name: now - self._seen[name] for name in self._within}

    def late(self) -> tuple[str, ...]:
        """The loops that should have given a sign by now."""
        return tuple(n for n, silent in self.silent_for().items() if silent > self._within[n])

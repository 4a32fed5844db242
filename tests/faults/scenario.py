"""One fail point with one fault, and what becomes of it: of a post's way or of an answer's.

Knows neither way, and judges nothing: who pairs fail points and faults says how one is played.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from tests.faults.ground import LIMIT_SECONDS, forked


@dataclass(slots=True)
class Scenario:
    """One pair, with a place of its own that has its name. `met`: the fault was there."""

    name: str
    point: str
    fault: str
    met: bool = False
    runs: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def at(self) -> str:
        """What is done at that point: the call, or the statement that is committed."""
        return self.point.rpartition(" ")[2]


def problems(scenarios: Sequence[Scenario]) -> list[str]:
    """What was not met, and what ended otherwise than it must."""
    unmet = [f"not met: {one.point} x {one.fault}" for one in scenarios if not one.met]
    return unmet + [
        f"{one.point} x {one.fault}: {wrong}" for one in scenarios for wrong in one.wrong
    ]


S = TypeVar("S", bound=Scenario)


class Stage(Generic[S]):
    """Plays scenarios, several at once, each in processes of its own; all lives of one end in time."""

    def __init__(
        self, scenarios: Sequence[S], play: Callable[[S, bool], None], at_once: int
    ) -> None:
        self._waiting = list(reversed(scenarios))
        self._play = play
        self._at_once = at_once
        self._playing: dict[int, tuple[S, float]] = {}

    def play_all(self) -> None:
        while self._waiting or self._playing:
            while self._waiting and len(self._playing) < self._at_once:
                self._begin(self._waiting.pop(), time.monotonic() + LIMIT_SECONDS)
            for pid, (scenario, end) in list(self._playing.items()):
                if time.monotonic() > end:
                    os.kill(pid, signal.SIGKILL)
                    scenario.wrong.append(f"not carried within {LIMIT_SECONDS:.0f} s")
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    del self._playing[pid]
                    self._ended(scenario, status, end)
            time.sleep(0.005)

    def _begin(self, scenario: S, end: float) -> None:
        armed = scenario.runs == 0
        scenario.runs += 1
        pid = forked(partial(self._play, scenario, armed))
        self._playing[pid] = (scenario, end)

    def _ended(self, scenario: S, status: int, end: float) -> None:
        if scenario.wrong:
            return
        if os.WIFSIGNALED(status) and scenario.fault == "crash" and scenario.runs == 1:
            scenario.met = True
            self._begin(scenario, end)
        elif status != 0:
            scenario.wrong.append(f"the worker ended with {status}")

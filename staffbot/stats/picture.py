"""Starts the drawing program, one at a time, with limits; remembers its pictures for a minute."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import structlog

from staffbot.stats.drawing import Drawing

SECONDS = 10.0
# The first picture ever also finds the fonts of the machine, which can take long.
FIRST_SECONDS = 60.0
KEPT_SECONDS = 60.0
_KEPT = 16
_PROGRAM = Path(__file__).with_name("draw.py")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPicture:
    """There is none; `why` is a sentence for who asked."""

    why: str


class Painter:
    """Pictures of drawings. `folder` is where the drawing library keeps what it found of fonts."""

    def __init__(
        self,
        folder: Path,
        *,
        program: Path = _PROGRAM,
        library: str = "matplotlib",
        seconds: float = SECONDS,
        first_seconds: float = FIRST_SECONDS,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._folder = folder
        self._program = program
        self._library = library
        self._seconds = seconds
        self._first_seconds = first_seconds
        self._kept_seconds = kept_seconds
        self._one_at_a_time = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def paint(self, drawing: Drawing) -> bytes | NoPicture:
        """The PNG of a drawing. Blocks for some seconds at most; never raises."""
        if importlib.util.find_spec(self._library) is None:
            return NoPicture(
                why="There is no chart: whoever installed staffbot has to add its charts extra "
                "(pip install 'staffbot[charts]')."
            )
        asked = json.dumps(drawing.values, sort_keys=True)
        key = hashlib.sha256(asked.encode()).hexdigest()
        if not self._one_at_a_time.acquire(timeout=self._limit):
            return NoPicture(
                why="There is no chart: others are being drawn. Ask again in a minute."
            )
        try:
            kept = self._kept.get(key)
            if kept is not None and time.monotonic() - kept[0] < self._kept_seconds:
                return kept[1]
            painted = self._draw(asked)
            if isinstance(painted, bytes):
                self._keep(key, painted)
            return painted
        finally:
            self._one_at_a_time.release()

    @property
    def _limit(self) -> float:
        known = any(self._folder.glob("fontlist-*.json"))
        return self._seconds if known else max(self._seconds, self._first_seconds)

    def _draw(self, asked: str) -> bytes | NoPicture:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            done = subprocess.run(
                [sys.executable, "-P", str(self._program)],
                input=asked.encode(),
                capture_output=True,
                timeout=self._limit,
                check=False,
                env=self._environment(),
            )
        except subprocess.TimeoutExpired:
            _log.warning("chart_not_drawn", reason="took too long")
            return NoPicture(why="There is no chart: drawing it took too long.")
        except OSError as problem:
            _log.warning("chart_not_drawn", reason=problem.strerror)
            return NoPicture(why="There is no chart: the drawing program could not be started.")
        if done.returncode != 0 or not done.stdout.startswith(b"\x89PNG"):
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            _log.warning("chart_not_drawn", code=done.returncode, reason="".join(last)[:200])
            return NoPicture(why="There is no chart: drawing it failed. The log says why.")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """No secret of ours; one thread, as each reserves memory."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": os.environ.get("HOME", ""),
            "MPLCONFIGDIR": str(self._folder),
            "MPLBACKEND": "Agg",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }

    def _keep(self, key: str, picture: bytes) -> None:
        self._kept[key] = (time.monotonic(), picture)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


@cache
def painter(folder: Path) -> Painter:
    """The one painter of a folder in this process."""
    return Painter(folder)

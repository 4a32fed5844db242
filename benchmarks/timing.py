"""How times and memory are taken: in turns with their floor, so that both meet the same machine."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def milliseconds(work: Callable[[], object]) -> float:
    """How long one call took."""
    began_at = time.perf_counter()
    work()
    return (time.perf_counter() - began_at) * 1000


def in_turns(
    measured: Callable[[], object], floor: Callable[[], object], turns: int
) -> tuple[float, float]:
    """The median of each in milliseconds, after one of each to warm up."""
    measured()
    floor()
    taken = [(milliseconds(measured), milliseconds(floor)) for _ in range(turns)]
    return statistics.median(t[0] for t in taken), statistics.median(t[1] for t in taken)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of them do not exceed, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def resident(process: int) -> float:
    """The memory of a process that is in RAM now, in MiB, as `ps` and `top` show it."""
    status = Path(f"/proc/{process}/status")
    if status.exists():
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    said = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(process)], capture_output=True, text=True, check=True
    )
    return int(said.stdout) / 1024

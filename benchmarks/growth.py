"""A program of its own that takes mentions in and prints its memory early on and at the end.

Alone in its process, so that no cache of a floor is counted: python -m benchmarks.growth FILE BATCHES
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks import history
from benchmarks.intake import taking
from benchmarks.timing import resident


def main(path: Path, batches: int) -> None:
    """Print the MiB after the first tenth of the batches, and after all."""
    history.empty(path)
    early = 0.0
    for done, take in enumerate(taking(path, batches)):
        if done == batches // 10:
            early = resident(os.getpid())
        take()
    print(early, resident(os.getpid()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""Measures what is promised: python -m benchmarks [--quick] [--write] [--only claims,figures].

Ends with 1 where a promise is broken. `--write` brings docs/performance.md up to date.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    claims,
    figures,
    intake,
    networks,
    pressing,
    slack,
    starting,
    sweeps,
    together,
)
from benchmarks.ground import Ground
from benchmarks.machine import busy, machine, versions
from benchmarks.rows import Row
from benchmarks.table import page, show

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"

# The cheapest first, so that what is broken altogether is seen soon.
BENCHMARKS: Mapping[str, Callable[[Ground], list[Row]]] = {
    "starting": starting.run,
    "together": together.run,
    "sweeps": sweeps.run,
    "intake": intake.run,
    "networks": networks.run,
    "claims": claims.run,
    "pressing": pressing.run,
    "slack": slack.run,
    "figures": figures.run,
}


def main(words: Sequence[str] | None = None) -> int:
    """Run what is asked for; returns the exit code."""
    asked = _parser().parse_args(words)
    names = asked.only or list(BENCHMARKS)
    if asked.write and (asked.quick or asked.only):
        print("--write needs a whole run: leave --quick and --only out", file=sys.stderr)
        return 2
    began = busy()
    print(f"{machine()}; {began}\n{versions()}", flush=True)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="staffbot-benchmarks-") as folder:
        ground = Ground(folder=Path(folder), quick=asked.quick)
        for name in names:
            print(f"measuring {name} ...", flush=True)
            rows += BENCHMARKS[name](ground)
    show(rows)
    if asked.write:
        DOCUMENT.write_text(
            page(
                rows, command="python -m benchmarks --write", day=datetime.now(UTC).date(),
                machine=machine(), versions=versions(), busy=began,
            )
        )  # fmt: skip
    broken = [row.name for row in rows if not row.ok]
    if broken and not asked.quick:
        print(f"broken: {'; '.join(broken)}", file=sys.stderr)
    return 1 if broken and not asked.quick else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure what is promised about speed. A whole run takes some ten minutes and "
        f"6 GB in {tempfile.gettempdir()}; set TMPDIR to a folder on the disk that counts.",
    )
    parser.add_argument("--quick", action="store_true", help="little data: only show that it runs")
    parser.add_argument("--write", action="store_true", help="bring docs/performance.md up to date")
    parser.add_argument("--only", type=_names, metavar="A,B", help=f"of {', '.join(BENCHMARKS)}")
    return parser


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in BENCHMARKS]:
        raise argparse.ArgumentTypeError(f"there is no benchmark {', '.join(unknown)}")
    return names


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    sys.exit(main())

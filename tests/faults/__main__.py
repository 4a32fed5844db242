"""The long runs: `python -m tests.faults --kills 10000`. Ends with 1 where anything is not as it must."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

from tests.faults import answers, blog_answers, clock, kills, pairs, race, runs, shared
from tests.faults.ground import DATABASES

RUNS = ("kills", "pairs", "answers", "wordpress", "race", "shared", "runs", "clock")


class Report(Protocol):
    @property
    def well(self) -> bool: ...

    def problems(self) -> list[str]: ...


def chosen(text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """A comma-separated choice; everything where none is made."""
    names = tuple(text.split(",")) if text else known
    if wrong := set(names) - set(known):
        raise SystemExit(f"unknown: {', '.join(wrong)}; choose among {', '.join(known)}")
    return names


_PAIRINGS: dict[str, Callable[[str, argparse.Namespace], Report]] = {
    "pairs": lambda database, _: pairs.run(database),
    "answers": lambda database, args: answers.run(database, quick=args.quick),
}


def chosen_runs(args: argparse.Namespace) -> Iterator[Callable[[], Report]]:
    databases = chosen(args.databases, DATABASES)
    only = chosen(args.only, RUNS)
    if "kills" in only:
        for database in databases:
            # A fifth on PostgreSQL, where starting a worker costs more.
            number = args.kills if database == "sqlite" else args.kills_postgres or args.kills // 5
            yield lambda database=database, number=number: kills.run(database, number)  # type: ignore[misc]
    for pairing in [run for name, run in _PAIRINGS.items() if name in only]:
        for database in databases:
            yield lambda database=database, run=pairing: run(database, args)  # type: ignore[misc]
    if "wordpress" in only:
        yield lambda: blog_answers.run(blog_answers.FEW if args.quick else blog_answers.POINTS)
    if "race" in only:
        for database in databases:
            yield lambda database=database: race.run(database, args.mentions)  # type: ignore[misc]
    if "shared" in only and "postgres" in databases:
        yield lambda: shared.run(max(args.mentions // 10, 10))
    if "clock" in only:
        for database in databases:
            yield lambda database=database: clock.run(database, args.every)  # type: ignore[misc]
    if "runs" in only:
        yield lambda: runs.run(args.runs)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="", help=", ".join(RUNS))
    parser.add_argument("--databases", default="", help="sqlite, postgres")
    parser.add_argument("--quick", action="store_true", help="fewer fail points of answers")
    parser.add_argument("--kills", type=int, default=480, help="of a forked worker")
    parser.add_argument("--kills-postgres", type=int, default=0)
    parser.add_argument("--runs", type=int, default=20, help="kills of a real `staffbot run`")
    parser.add_argument(
        "--every", type=int, default=1, help="of the clock's steps, to be killed at"
    )
    parser.add_argument("--mentions", type=int, default=1000, help="of the claim race")
    well = True
    for run in chosen_runs(parser.parse_args()):
        report = run()
        print(report, flush=True)
        if not report.well:
            well = False
            print("NOT WELL", *report.problems()[:50], sep="\n  ", flush=True)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())

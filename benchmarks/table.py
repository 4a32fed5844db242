"""The rows as a table: for the terminal, and as docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row

_PAGE = """\
# How fast it is

Written by `{command}`, {day}.

- Machine: {machine}; {busy}.
- Versions: {versions}.

Milliseconds differ from machine to machine, so what is promised is a ratio to a floor that was
measured in the same run, in turns with it: what a bare program needs for the same work on the same
disk, with the same pragmas (WAL, `synchronous=FULL`). Times are medians. The history has a million
mentions and four million events of 50 teams; no library that we know of comes near it.

{table}

The program ends with an error where a promise is broken. `python -m benchmarks --quick` only shows
that everything runs: its data is too small for a verdict. What stands under each name:
`benchmarks/claims.py`, `intake.py`, `networks.py`, `sweeps.py`, `figures.py`, `starting.py` and
`together.py`.
"""


def show(rows: Sequence[Row]) -> None:
    """Print them."""
    table = Table("what", "measured", "floor", "ratio", "promised")
    for row in rows:
        table.add_row(
            row.name, *_numbers(row), style="" if row.ok else "bold red",
        )  # fmt: skip
    Console().print(table)


def page(
    rows: Sequence[Row], *, command: str, day: date, machine: str, versions: str, busy: str
) -> str:
    """docs/performance.md."""
    lines = [
        "| what | measured | floor | ratio | promised | for a library | the floor is |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- |",
        *(
            "| " + " | ".join((row.name, *_numbers(row), row.means, row.against)) + " |"
            for row in rows
        ),
    ]
    return _PAGE.format(
        command=command, day=day.isoformat(), machine=machine, versions=versions, busy=busy,
        table="\n".join(lines),
    )  # fmt: skip


def _numbers(row: Row) -> tuple[str, str, str, str]:
    return (
        _amount(row.measured, row.unit),
        "" if row.floor is None else _amount(row.floor, row.unit),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if row.limit is None else f"at most {row.limit:g}" + ("" if row.ok else ", BROKEN"),
    )


def _amount(value: float, unit: str) -> str:
    if unit == "ms" and value >= 10_000:
        return f"{value / 1000:,.0f} s"
    return f"{value:,.1f} {unit}" if value < 100 else f"{value:,.0f} {unit}"

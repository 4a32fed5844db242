"""What is promised about speed: every promise is measured, and its page says on which machine."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, DOCUMENT, main
from benchmarks.ground import Ground
from benchmarks.rows import Row
from benchmarks.table import page

PROMISES = (
    "claim by its button",
    "claim, 20 at a time",
    "take in 100,000 mentions in batches of 100",
    "memory at its end",
    "figures: 12 weeks of one team",
)
MEASURED = (
    "sweep: 1,000 due of 100,000 open",
    "figures: all time of all teams",
    "chart: 12 weeks of one team",
    "staffbot run, to ready",
    "staffbot demo, to its first card",
    "memory of staffbot run, ready",
)


def lines() -> dict[str, list[str]]:
    """The table of the page: the cells of each line by its first."""
    found = [
        line.strip("| ").split(" | ") for line in DOCUMENT.read_text().splitlines() if "|" in line
    ]
    return {cells[0]: cells for cells in found}


def test_the_page_holds_every_promise_and_none_is_broken() -> None:
    table = lines()
    for name in PROMISES:
        assert "at most" in table[name][4], name
    assert not set(MEASURED) - set(table)
    assert "BROKEN" not in DOCUMENT.read_text()


def test_the_page_says_on_which_machine_and_by_which_command() -> None:
    text = DOCUMENT.read_text()
    for named in (
        "cores",
        "GiB of memory",
        "Python 3",
        "SQLite 3",
        "`python -m benchmarks --write`",
    ):
        assert named in text


def test_a_broken_promise_is_seen() -> None:
    kept = Row(name="kept", measured=2.9, floor=1.0, limit=3.0)
    broken = Row(name="broken", measured=3.1, floor=1.0, limit=3.0)
    assert kept.ok
    assert not broken.ok
    said = dict.fromkeys(("command", "machine", "versions", "busy"), "")
    text = page([kept, broken], day=date(2026, 1, 1), **said)
    assert "| kept | 2.9 ms | 1.0 ms | 2.90 | at most 3 |" in text
    assert "| broken | 3.1 ms | 1.0 ms | 3.10 | at most 3, BROKEN |" in text


@pytest.mark.parametrize("name", ["intake", "claims"])
def test_a_quick_run_measures_ours_and_the_floor(name: str, tmp_path: Path) -> None:
    rows = BENCHMARKS[name](Ground(folder=tmp_path, quick=True))
    assert all(row.measured > 0 and row.floor for row in rows)


def test_a_quick_run_starts_slack_and_discord_together(tmp_path: Path) -> None:
    start, memory = BENCHMARKS["together"](Ground(folder=tmp_path, quick=True))
    assert start.floor
    assert start.measured > 0
    assert (memory.unit, memory.measured > 0) == ("MiB", True)


def test_a_page_is_never_written_from_a_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--write", "--quick"]) == 2
    assert main(["--write", "--only", "claims"]) == 2
    assert "whole run" in capsys.readouterr().err

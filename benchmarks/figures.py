"""Figures over a long history, against the bare SQL that they need, by the bare driver.

The floor asks the database for the same rows in the same order of work and does nothing with them.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import history
from benchmarks.ground import Ground
from benchmarks.history import micros
from benchmarks.rows import Row
from benchmarks.timing import in_turns
from staffbot import stats
from staffbot.stats.drawing import drawing
from staffbot.stats.picture import NoPicture, Painter
from staffbot.store import Store

_PROMISED = 3.0
# In a shorter history what a statement costs at all hides what counting costs.
_LONG = 500_000
_NOW = history.NOW
_EVENTS = (
    "SELECT what, open_seconds, within_target, count(*) FROM events "
    "WHERE {teams} AND at >= ? AND at < ? AND undone_by IS NULL AND what IN "
    "('received', 'claimed', 'assigned', 'handed_over', 'answered', 'closed', 'reopened') "
    "GROUP BY what, open_seconds, within_target"
)
_IN_HAND = (
    "SELECT count(*), sum(answer_due_at < ?) FROM mentions "
    "WHERE {teams} AND status IN ('open', 'claimed')"
)


def run(ground: Ground) -> list[Row]:
    """Measure on the long history."""
    path, turns = ground.history(), max(3, ground.turns(9))
    promised = _PROMISED if ground.size >= _LONG else None
    return [*_measured(path, turns, promised), *_drawn(ground, path, turns)]


def _measured(path: Path, turns: int, promised: float | None) -> Iterator[Row]:
    settings = history.settings(path)
    store = Store.open(f"sqlite:///{path}")
    bare = sqlite3.connect(path)
    bare.execute("PRAGMA cache_size=-16000")
    weeks, ever = _NOW - timedelta(weeks=12), _NOW - 2 * history.SPAN
    every = tuple(team.key for team in settings.teams)
    cases: list[tuple[str, tuple[str, ...], datetime, stats.By | None, float | None]] = [
        ("12 weeks of one team", every[7:8], weeks, None, promised),
        ("12 weeks of one team, by week", every[7:8], weeks, stats.By.WEEK, None),
        ("12 weeks of one team, by person", every[7:8], weeks, stats.By.PERSON, None),
        ("all time of all teams", every, ever, None, None),
    ]
    try:
        for name, teams, start, by, limit in cases:

            def count(
                teams: tuple[str, ...] = teams,
                start: datetime = start,
                by: stats.By | None = by,
            ) -> object:
                return store.read(
                    lambda conn: stats.figures(
                        conn, settings, start=start, end=_NOW, now=_NOW, teams=teams, by=by
                    )
                )

            def floor(teams: tuple[str, ...] = teams, start: datetime = start) -> None:
                marks = f"team IN ({', '.join('?' * len(teams))})"
                bare.execute(
                    _EVENTS.format(teams=marks), (*teams, micros(start), micros(_NOW))
                ).fetchall()
                bare.execute(_IN_HAND.format(teams=marks), (micros(_NOW), *teams)).fetchall()

            most, least = in_turns(count, floor, 1 if len(teams) > 1 else turns)
            yield Row(
                name=f"figures: {name}", measured=most, floor=least, limit=limit,
                means=f"How long /lib stats counts {name}.",
                against="the bare SQL by the bare driver",
            )  # fmt: skip
    finally:
        bare.close()
        store.close()


def _drawn(ground: Ground, path: Path, turns: int) -> Iterator[Row]:
    """A picture of twelve weeks, beside a bare start of Python with the drawing library."""
    settings = history.settings(path)
    store = Store.open(f"sqlite:///{path}")
    start = _NOW - timedelta(weeks=12)
    try:
        found = store.read(
            lambda conn: stats.figures(
                conn, settings, start=start, end=_NOW, now=_NOW, teams=("team07",), by=stats.By.WEEK
            )
        )
    finally:
        store.close()
    plan = drawing(found, "Team 7, last 12 weeks", timedelta(hours=4))
    painter = Painter(ground.folder / "charts", kept_seconds=0)
    if plan is None or isinstance(painter.paint(plan), NoPicture):
        return
    bare = [sys.executable, "-c", "import matplotlib.figure, matplotlib.backends.backend_agg"]
    most, least = in_turns(
        lambda: painter.paint(plan), lambda: subprocess.run(bare, check=True), turns
    )
    yield Row(
        name="chart: 12 weeks of one team", measured=most, floor=least,
        means="How long a chart takes to be drawn.",
        against="a start of Python with the drawing library",
    )  # fmt: skip

"""Figures over a long history, against the bare SQL that they need, by the bare driver.

The floor asks the database for the same rows in the same order of work and does nothing with them.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from benchmarks.rows import Row
from benchmarks.timing import in_turns
from staffbot import stats
from staffbot.settings import Secret, Settings, StoreSettings, Team
from staffbot.stats.drawing import drawing
from staffbot.stats.picture import NoPicture, Painter
from staffbot.store import Store
from staffbot.tables import metadata

TEAMS = 50
_PROMISED = 3.0
# In a shorter history what a statement costs at all hides what counting costs.
_LONG = 500_000
_NOW = datetime(2026, 3, 2, tzinfo=UTC)
_HISTORY = timedelta(days=730)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


def run(size: int, quick: bool) -> list[Row]:
    """Measure on `size` mentions; `quick` takes fewer turns."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.db"
        _fill(path, size)
        turns = 3 if quick else 9
        promised = _PROMISED if size >= _LONG else None
        return [*_measured(path, turns, promised), *_drawn(path, turns)]


def _measured(path: Path, turns: int, promised: float | None) -> Iterator[Row]:
    settings = _settings(path)
    store = Store.open(f"sqlite:///{path}")
    bare = sqlite3.connect(path)
    bare.execute("PRAGMA cache_size=-16000")
    weeks, ever = _NOW - timedelta(weeks=12), _NOW - 2 * _HISTORY
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
                    _EVENTS.format(teams=marks), (*teams, _micros(start), _micros(_NOW))
                ).fetchall()
                bare.execute(_IN_HAND.format(teams=marks), (_micros(_NOW), *teams)).fetchall()

            most, least = in_turns(count, floor, 1 if len(teams) > 1 else turns)
            yield Row(
                name=f"figures: {name}", measured=most, floor=least, limit=limit,
                means=f"How long /lib stats counts {name}.",
                against="the bare SQL by the bare driver",
            )  # fmt: skip
    finally:
        bare.close()
        store.close()


def _drawn(path: Path, turns: int) -> Iterator[Row]:
    """A picture of twelve weeks, beside a bare start of Python with the drawing library."""
    settings = _settings(path)
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
    painter = Painter(path.parent / "charts", kept_seconds=0)
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


# --- a history ----------------------------------------------------------------------------------


def _settings(path: Path) -> Settings:
    url = Secret(value=f"sqlite:///{path}")
    return Settings(
        library="Benchmark",
        teams=tuple(Team(key=f"team{n:02}", name=f"Team {n}") for n in range(TEAMS)),
        store=StoreSettings(url=url, identity_key=Secret(value="k" * 32)),
    )


def _fill(path: Path, size: int) -> None:
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=OFF")
    conn.execute("BEGIN")
    conn.executemany(
        "INSERT INTO people (key, name, role, shared, sensitive, teams, configured, "
        "preferred_platform, nags_by, quiet_from, quiet_until, signature, language) "
        "VALUES (?, ?, 'staff', 0, 0, '[]', 0, '', 'direct', '', '', '', '')",
        [(f"p{n}", f"Person {n}") for n in range(TEAMS * 5)],
    )
    conn.executemany(
        "INSERT INTO mentions (number, team, source, kind, expects_answer, private, status, topics, "
        "language, cycle, revision, posted_at, received_at, came_at, clock_from, answer_due_at, "
        "touched_at, waited_seconds) "
        "VALUES (?, ?, ?, 'mention', ?, 0, ?, '[]', '', 1, 1, ?, ?, ?, ?, ?, ?, 0)",
        _mentions(size),
    )
    conn.executemany(
        "INSERT INTO events (at, done_at, what, mention, cycle, team, source, person, open_seconds, "
        "within_target, detail) VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)",
        _events(size),
    )
    conn.execute("COMMIT")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()


def _moments(size: int) -> Iterator[tuple[int, int, str, str, bool]]:
    chance = random.Random(7)
    first, span = _micros(_NOW - _HISTORY), _HISTORY // timedelta(microseconds=1)
    for number in range(1, size + 1):
        team = f"team{chance.randrange(TEAMS):02}"
        yield (
            number, first + span * number // (size + 1), team,
            f"source{chance.randrange(4)}", chance.random() < 0.7,
        )  # fmt: skip


def _mentions(size: int) -> Iterator[tuple[Any, ...]]:
    for number, at, team, source, expects in _moments(size):
        status = "open" if number % 500 == 0 else "closed"
        due = at + 14_400_000_000 if expects else None
        yield number, team, source, expects, status, at, at, at, at, due, at


def _events(size: int) -> Iterator[tuple[Any, ...]]:
    """Received, claimed, answered, closed: four events a mention, as the desk writes them."""
    chance = random.Random(8)
    for number, at, team, source, expects in _moments(size):
        received = json.dumps({"kind": "mention", "expects": expects, "rule": 1})
        yield at, at, "received", number, team, source, None, None, None, received
        if number % 500 == 0:
            continue
        who = f"p{int(team[4:]) * 5 + chance.randrange(5)}"
        taken = int(chance.expovariate(1 / 3600))
        answered = taken + int(chance.expovariate(1 / 3600))
        for what, seconds, target, detail in (
            ("claimed", taken, 7200, {"before": {"status": "open", "owner": None, "claimed_at": None,
             "still_asked_at": None, "next_step_at": "2026-01-01T10:00:00+00:00"}, "to": who}),
            ("answered", answered, 14400, {"before": {"answered_at": None}}),
            ("closed", None, None, {"before": {"status": "claimed", "outcome": None, "topics": [],
             "closed_at": None, "next_step_at": "2026-01-01T10:00:00+00:00", "snoozed_until": None,
             "waited_seconds": 0, "waiting_since": None, "last_owner": None, "owner": who},
             "outcome": "answered", "topics": ["question"]}),
        ):  # fmt: skip
            moment = at + (seconds if seconds is not None else answered) * 1_000_000
            within = seconds <= target if target and expects and seconds is not None else None
            yield (
                moment, moment, what, number, team, source, who, seconds, within, json.dumps(detail)
            )  # fmt: skip


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)

"""The sweep over a hundred thousand open mentions of which a thousand are due.

The floor asks for the due rows by the bare driver, and writes what the sweep wrote to a database
beside it: marks, events, posts, the next moments, in as many transactions.
"""

from __future__ import annotations

import shutil
import sqlite3
import statistics
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import history
from benchmarks.beside import Beside
from benchmarks.ground import Ground
from benchmarks.history import micros
from benchmarks.rows import Row
from benchmarks.timing import milliseconds
from staffbot.desk.ledger import Desk
from staffbot.desk.reminding import sweep
from staffbot.settings import DoorSettings, OpeningHours, Settings
from staffbot.store import Store

_TURNS = 10
_FAR = history.NOW + timedelta(days=60)
_TABLES = {"posts": "id", "events": "id", "nags": "rowid"}
# The sign keeps SQLite from an index of teams, by which it would read every mention of them.
_DUE = (
    "SELECT * FROM mentions WHERE next_step_at <= ? AND +team IN (SELECT value FROM json_each(?)) "
    "ORDER BY next_step_at, number LIMIT 500"
)
# Half of the mentions have an owner, one of the five of their team.
_OPEN = """
UPDATE mentions SET
    status = iif(number % 2, 'claimed', 'open'),
    owner = iif(number % 2, 'p' || (substr(team, 5) * 5 + number / 2 % 5), NULL),
    claimed_at = iif(number % 2, :came, NULL),
    acted_at = iif(number % 2, :came, NULL),
    outcome = NULL, answered_at = NULL, closed_at = NULL, last_owner = NULL, expects_answer = 1,
    posted_at = :came, received_at = :came, came_at = :came, clock_from = :came,
    touched_at = :came, claim_due_at = :next, answer_due_at = :next, next_step_at = :next
WHERE number BETWEEN :first AND :last
"""


def run(ground: Ground) -> list[Row]:
    """Measure the sweep and its floor in turns; each time another thousand is due."""
    size, due = (2_000, 100) if ground.quick else (100_000, 1_000)
    ours, beside = ground.folder / "sweep.db", ground.folder / "sweep_floor.db"
    history.make(ours, size)
    _open_all(ours, size)
    shutil.copy(ours, beside)
    store, floor = Store.open(f"sqlite:///{ours}"), Beside(ours, beside, _TABLES)
    try:
        bench = _Bench(store, _settings(ours), floor)
        for turn in range(max(2, ground.turns(_TURNS)) + 1):
            bench.turn(range(turn * due + 1, (turn + 1) * due + 1))
        idle = bench.idle(max(2, ground.turns(_TURNS)))
    finally:
        floor.close()
        store.close()
    # The first of each warms up.
    took, least = statistics.median(bench.took[1:]), statistics.median(bench.least[1:])
    return [
        Row(
            name=f"sweep: {due:,} due of {size:,} open", measured=took, floor=least,
            against="asking for the due rows and writing the same rows by the bare driver",
            means="Reminders of a whole region's Monday morning are worked out in that time.",
        ),
        Row(
            name=f"sweep: nothing due of {size:,} open", measured=idle,
            means="What looking costs every ten seconds, most of it for the lines of fifty teams.",
        ),
    ]  # fmt: skip


class _Bench:
    """Each turn is another day, as a person is sent only so many reminders on one."""

    def __init__(self, store: Store, settings: Settings, floor: Beside) -> None:
        self._now = history.NOW
        self._desk = Desk(store, settings, lambda: self._now)
        self._floor = floor
        self.took: list[float] = []
        self.least: list[float] = []

    def turn(self, numbers: range) -> None:
        """One sweep and its floor, with these mentions due in both databases."""
        self._now += timedelta(days=1)
        before = range(1, numbers[0])
        for conn in (self._floor.source, self._floor.target):
            # What was told on other days is not due again, so that each turn finds the same.
            conn.execute("UPDATE posts SET state = 'sent', pending = 0")
            if before:
                _set(conn, before, came=self._now - timedelta(hours=2), next_at=_FAR)
            # They came in the day before, so that the overdue step is to be told.
            came = self._now - timedelta(hours=20)
            _set(conn, numbers, came=came, next_at=self._now - timedelta(minutes=1))
        self.took.append(milliseconds(lambda: self._sweep(len(numbers))))
        assert self._floor.learn() > len(numbers), "a sweep with nothing to tell proves nothing"
        after = self._floor.source.execute(
            "SELECT next_step_at, number FROM mentions WHERE number BETWEEN ? AND ?",
            (numbers[0], numbers[-1]),
        ).fetchall()
        self.least.append(milliseconds(lambda: self._bare(after)))

    def idle(self, turns: int) -> float:
        """The median of a sweep that finds nothing."""
        self._floor.source.execute("UPDATE posts SET state = 'sent', pending = 0")
        self._floor.source.execute("UPDATE mentions SET next_step_at = ?", (micros(_FAR),))
        return statistics.median(milliseconds(lambda: self._sweep(0)) for _ in range(turns))

    def _sweep(self, due: int) -> None:
        looked_at, full = 0, True
        while full:
            swept = self._desk.act(sweep)
            looked_at, full = looked_at + swept.looked_at, swept.full
        assert looked_at == due, f"{looked_at} looked at, and {due} were due"

    def _bare(self, after: list[tuple[int, int]]) -> None:
        conn = self._floor.target
        teams = "[" + ",".join(f'"{history.team_key(n)}"' for n in range(history.TEAMS)) + "]"
        conn.execute("BEGIN IMMEDIATE")
        conn.execute(_DUE, (micros(self._now), teams)).fetchall()
        self._floor.insert()
        conn.executemany("UPDATE mentions SET next_step_at = ? WHERE number = ?", after)
        conn.execute("COMMIT")


def _settings(path: Path) -> Settings:
    """Opening hours like those of most libraries, and a page that staff can be told on."""
    plain = history.settings(path)
    teams = tuple(
        replace(team, hours=OpeningHours(weekly="Mo-Su 09:00-18:00")) for team in plain.teams
    )
    return replace(plain, teams=teams, doors=(DoorSettings(platform="local"),))


def _open_all(path: Path, size: int) -> None:
    conn = sqlite3.connect(path, isolation_level=None)
    _set(conn, range(1, size + 1), came=history.NOW - timedelta(hours=2), next_at=_FAR)
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()


def _set(conn: sqlite3.Connection, numbers: range, *, came: datetime, next_at: datetime) -> None:
    conn.execute(
        _OPEN,
        {
            "came": micros(came), "next": micros(next_at),
            "first": numbers[0], "last": numbers[-1],
        },
    )  # fmt: skip

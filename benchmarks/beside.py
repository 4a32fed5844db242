"""A database beside the measured one, which is given the same rows by bare inserts: the floor."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

_RENEWED = (
    " ON CONFLICT (patron_hash) DO UPDATE SET name = excluded.name, handle = excluded.handle, "
    "url = excluded.url, seen_at = excluded.seen_at"
)


def connect(path: Path) -> sqlite3.Connection:
    """A connection with the pragmas of the store's writer."""
    conn = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
    for pragma in (
        "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON",
        "temp_store=MEMORY", "cache_size=-16000",
    ):  # fmt: skip
        conn.execute(f"PRAGMA {pragma}")
    return conn


class Beside:
    """`marks` names, for each table, the column by which a row is seen to be new."""

    def __init__(self, source: Path, target: Path, marks: Mapping[str, str]) -> None:
        self.source = sqlite3.connect(source, isolation_level=None)
        self.target = connect(target)
        self._marks = marks
        self._rows: dict[str, list[tuple[object, ...]]] = {}
        self._insert = {table: self._statement(table) for table in marks}
        self._seen = dict.fromkeys(marks, 0)
        self.learn()

    def _statement(self, table: str) -> str:
        columns = self.source.execute(f"PRAGMA table_info({table})").fetchall()
        places = ", ".join("?" * len(columns))
        again = _RENEWED if table == "patrons" else ""
        return f"INSERT INTO {table} VALUES ({places}){again}"  # noqa: S608 - our own tables

    def learn(self) -> int:
        """Read the rows that were added, or renewed, since the last time. Returns how many."""
        for table, mark in self._marks.items():
            rows = self.source.execute(
                f"SELECT *, {mark} FROM {table} WHERE {mark} > ? ORDER BY {mark}",  # noqa: S608
                (self._seen[table],),
            ).fetchall()
            self._rows[table] = [row[:-1] for row in rows]
            self._seen[table] = max((row[-1] for row in rows), default=self._seen[table])
        return sum(map(len, self._rows.values()))

    def insert(self) -> None:
        """Write them, in the transaction of the caller."""
        for table, rows in self._rows.items():
            self.target.executemany(self._insert[table], rows)

    def close(self) -> None:
        self.source.close()
        self.target.close()

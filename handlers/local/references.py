"""Which messages this channel has: references only, in a small SQLite file. Never what they say.

A message is a row: its id, room, outbox key, the mention that it is about, when it came, and
whether somebody deleted it. What it says is asked of the desk again after a restart. Rows are kept
for KEPT_FOR, which is longer than anything of the desk waits.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from staffbot.errors import StoreError
from staffbot.model import Room

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    room     TEXT NOT NULL,
    key      TEXT NOT NULL,
    mention  INTEGER,
    at       TEXT NOT NULL,
    deleted  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (room, key)
);
CREATE INDEX IF NOT EXISTS messages_by_room ON messages (room, deleted, id);
"""

KEPT_FOR = timedelta(days=400)
# Old ones are looked for at the first message after a start, and then once in so many.
_PRUNED_EVERY = 200

_SELECT = "SELECT id, room, key, mention, at, deleted FROM messages"
_HIGHEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One message of this channel. `room.id` of a direct message begins with `direct:`."""

    id: str
    room: Room
    key: str
    mention: int | None
    at: datetime
    deleted: bool = False


class References:
    """Blocking, safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._conn: sqlite3.Connection | None = None
        self._until_prune = 0
        self._do(lambda conn: None)

    def remember(
        self, room: Room, key: str, mention: int | None, at: datetime
    ) -> tuple[Reference, bool]:
        """The message of that key, and whether it is new: a key is posted once."""

        def insert(conn: sqlite3.Connection) -> bool:
            cursor = conn.execute(
                "INSERT OR IGNORE INTO messages (room, key, mention, at) VALUES (?, ?, ?, ?)",
                (str(room), key, mention, at.isoformat()),
            )
            return cursor.rowcount == 1

        new = self._do(insert)
        found = self.by_key(room, key)
        if found is None:
            raise StoreError(f"{self._path}: a message that was just written is not there.")
        if new:
            self._prune(at - KEPT_FOR)
        return found, new

    def _prune(self, before: datetime) -> None:
        """Let go of the oldest rows, up to the last one of that time."""
        if self._until_prune:
            self._until_prune -= 1
            return
        self._until_prune = _PRUNED_EVERY
        # Ids grow with time, so what is gone are those below the lowest that is left.
        statement = "DELETE FROM messages WHERE id < (SELECT min(id) FROM messages WHERE at >= ?)"
        self._do(lambda conn: conn.execute(statement, (before.isoformat(),)))

    def let_go(self, id: str) -> bool:
        """Whether the message of that id was here and is too old to be kept."""
        number = _number(id)
        lowest = self._do(lambda conn: conn.execute("SELECT min(id) FROM messages").fetchone()[0])
        return number is not None and lowest is not None and 0 < number < lowest

    def by_key(self, room: Room, key: str) -> Reference | None:
        return self._one(f"{_SELECT} WHERE room = ? AND key = ?", (str(room), key))

    def by_id(self, id: str) -> Reference | None:
        number = _number(id)
        return None if number is None else self._one(f"{_SELECT} WHERE id = ?", (number,))

    def latest(self, room: Room, most: int, before: str = "") -> list[Reference]:
        """The newest messages of a room, oldest first; with `before`, those older than that one."""
        older_than = _number(before) or _HIGHEST
        rows = self._do(
            lambda conn: conn.execute(
                f"{_SELECT} WHERE room = ? AND deleted = 0 AND id < ? ORDER BY id DESC LIMIT ?",
                (str(room), older_than, most),
            ).fetchall()
        )
        return [_reference(row) for row in reversed(rows)]

    def delete(self, id: str) -> None:
        """Mark as deleted by hand: it is shown no more, and its key stays taken."""
        statement = "UPDATE messages SET deleted = 1 WHERE id = ?"
        self._do(lambda conn: conn.execute(statement, (_number(id),)))

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        with self._lock:
            if self._conn is not None:
                self._conn.close()
            self._conn = None

    def _one(self, statement: str, values: tuple[object, ...]) -> Reference | None:
        row = self._do(lambda conn: conn.execute(statement, values).fetchone())
        return _reference(row) if row else None

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                if self._conn is None:
                    self._conn = _connect(self._path)
                return work(self._conn)
            except (OSError, sqlite3.Error) as error:
                raise self._failed(error) from error

    def _failed(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self._path}: the local page cannot keep its list of messages there ({error}). "
            "Look at the folder's permissions and free space; if the file is broken, move it away."
        )


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.executescript(_SCHEMA)
    except sqlite3.Error:
        conn.close()
        raise
    return conn


def _number(id: str) -> int | None:
    """A message's id as the file has it; None for what cannot be one."""
    return int(id) if id.isascii() and id.isdigit() and len(id) < 19 else None


def _reference(row: tuple[int, str, str, int | None, str, int]) -> Reference:
    id, room, key, mention, at, deleted = row
    return Reference(
        id=str(id),
        room=Room.parse(room),
        key=key,
        mention=mention,
        at=datetime.fromisoformat(at),
        deleted=bool(deleted),
    )

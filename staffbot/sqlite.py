"""How connections to a SQLite file are made ready, and in words what can be wrong with its disk."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

# For so long another process that writes is waited for.
PATIENCE_SECONDS = 30
# By SQLite's names of what can be wrong with a disk; a person has to see to each.
_TROUBLES = {
    "SQLITE_FULL": "the disk is full; make room",
    "SQLITE_READONLY": "it may not be written; look at the disk and at who owns the file",
    "SQLITE_CANTOPEN": "it cannot be opened; look at the disk and at who owns the folder",
    "SQLITE_IOERR": "the disk cannot be written or read; look at the disk",
    "SQLITE_BUSY": "another program has held it for 30 seconds; stop that one",
}


def trouble(problem: BaseException | None) -> str:
    """What a person has to see to; empty where it is no trouble of the disk's."""
    name = getattr(problem, "sqlite_errorname", "")
    return next((said for start, said in _TROUBLES.items() if name.startswith(start)), "")


def prepare_writer(connection: Any, _: Any) -> None:
    # SQLAlchemy's own BEGIN (see the begin listener) instead of the driver's late one.
    connection.isolation_level = None
    _use_wal(connection)
    for pragma in (
        "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON",
        "temp_store=MEMORY", "cache_size=-16000",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: Any) -> None:
    """Switch to the write-ahead log. SQLite does not wait here as it does for any other lock, so a
    process that closes the database at this very moment would fail us."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as problem:
            busy = problem.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
            if not busy or time.monotonic() > give_up_at:
                raise
            time.sleep(0.02)


def prepare_reader(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA cache_size=-16000")

"""Engines, transactions and migrations; knows tables only through Alembic, and no rules.

SQLite: one writer thread's worth of connection with BEGIN IMMEDIATE, WAL, synchronous=FULL, and a
separate read-only engine. PostgreSQL: a small pool, READ COMMITTED, which compare-and-set needs no
more than. Everything here blocks; the edge calls it in worker threads.
"""

from __future__ import annotations

import fcntl
import math
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from staffbot.errors import AlreadyRunning, NewerDatabase, NothingStored, StoreError
from staffbot.sqlite import PATIENCE_SECONDS, prepare_reader, prepare_writer, trouble

T = TypeVar("T")

# The newest migration of this program; a test holds it against the migrations folder.
HEAD = "0001"
# A deadlock or serialization failure is begun again this often before it is an error.
_TRIES = 5
# A write that failed is told of for so long; the ticker tries one every half minute.
_FAILED_FOR_SECONDS = 60
_BEGIN_AGAIN = frozenset({"40001", "40P01"})


class Store:
    """One database. Open it with `Store.open`, close it with `close`."""

    def __init__(self, writer: Engine, reader: Engine, path: Path | None) -> None:
        self._writer = writer
        self._reader = reader
        self._path = path
        self._one_writer = threading.Lock() if path else None
        self._lock_file: int | None = None
        self._failed: tuple[float, str] | None = None

    @classmethod
    def open(cls, url: str) -> Store:
        """Engines for a SQLAlchemy URL (`sqlite:///...` or `postgresql+psycopg://...`).

        Raises StoreError where the file's folder cannot be made or the driver is missing.
        """
        if (path := sqlite_file(url)) is not None:
            return cls._open_sqlite(path)
        try:
            engine = create_engine(url, pool_size=5, max_overflow=5, hide_parameters=True)
        except ModuleNotFoundError as missing:
            raise StoreError(
                f"the database driver {missing.name} is not installed: install staffbot[postgres]"
            ) from missing
        return cls(engine, engine, None)

    @classmethod
    def _open_sqlite(cls, path: Path) -> Store:
        if str(path) in ("", ".", ":memory:"):
            raise StoreError("a SQLite database needs a file: sqlite:///data/staffbot.db")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                path.chmod(0o600)
        except OSError as problem:
            raise StoreError(f"cannot write the database {path}: {problem.strerror}") from problem
        writer = create_engine(
            f"sqlite:///{path}", poolclass=QueuePool, pool_size=1, max_overflow=0,
            hide_parameters=True, connect_args={"check_same_thread": False, "timeout": PATIENCE_SECONDS},
        )  # fmt: skip
        event.listen(writer, "connect", prepare_writer)
        event.listen(writer, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
        reader = create_engine(
            f"sqlite:///file:{path}?mode=ro&uri=true", poolclass=QueuePool, pool_size=4,
            hide_parameters=True, connect_args={"check_same_thread": False, "timeout": PATIENCE_SECONDS},
        )  # fmt: skip
        event.listen(reader, "connect", prepare_reader)
        event.listen(reader, "begin", lambda conn: conn.exec_driver_sql("BEGIN"))
        return cls(writer, reader, path)

    @property
    def sqlite(self) -> bool:
        return self._path is not None

    def write(self, use_case: Callable[[Connection], T]) -> T:
        """Run `use_case` in one write transaction and commit. Blocks.

        PostgreSQL may break a deadlock or a race between two of them: that one is begun again,
        so a use case must have no effect outside the database. Raises StoreError where the disk is
        full or may not be written; nothing is stored then.
        """
        if self._one_writer is not None:
            try:
                with self._one_writer, self._writer.begin() as conn:
                    return use_case(conn)
            except OperationalError as problem:
                failed = self._in_words(problem)
                if isinstance(failed, StoreError):
                    self._failed = (time.monotonic(), failed.why)
                raise failed from problem
        for attempt in range(_TRIES):
            try:
                with self._writer.begin() as conn:
                    return use_case(conn)
            except DBAPIError as problem:
                state = getattr(problem.orig, "sqlstate", None)
                if state not in _BEGIN_AGAIN or attempt == _TRIES - 1:
                    if isinstance(problem, OperationalError) and state not in _BEGIN_AGAIN:
                        self._failed = (time.monotonic(), "the server does not take it")
                    raise
        raise AssertionError("unreachable")

    def _in_words(self, problem: OperationalError) -> Exception:
        why = trouble(problem.orig)
        return StoreError(f"nothing was stored in {self._path}: {why}", why=why) if why else problem

    def unwritable(self) -> str:
        """Why a write failed within the last minute; empty where none did.

        A success in between says little: on a full disk small writes go well now and then.
        """
        at, why = self._failed or (-math.inf, "")
        return why if time.monotonic() - at < _FAILED_FOR_SECONDS else ""

    def read(self, query: Callable[[Connection], T]) -> T:
        """Run `query` on a consistent snapshot. Blocks; never waits for the writer on SQLite."""
        with self._reader.begin() as conn:
            return query(conn)

    def transport_now(self, conn: Connection) -> datetime:
        """Real time as the database tells it, so that several processes agree on leases."""
        if self.sqlite:
            return datetime.now(UTC)
        now: datetime = conn.execute(text("SELECT clock_timestamp()")).scalar_one()
        return now.astimezone(UTC)

    def hold(self) -> None:
        """Hold this database for one `staffbot run` until `close` or the process ends.

        Raises AlreadyRunning on SQLite where another process holds it; on PostgreSQL several may run.
        """
        if self._path is None:
            return
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as held:
            other = os.pread(lock, 20, 0).decode(errors="replace").strip()
            os.close(lock)
            raise AlreadyRunning(
                f"another `staffbot run` (process {other or 'unknown'}) uses {self._path}; "
                "stop it first, or give this one a database of its own"
            ) from held
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._lock_file = lock

    def version(self) -> str | None:
        """The migration that the database stands at; None for an empty one."""

        def query(conn: Connection) -> str | None:
            if not inspect(conn).has_table("alembic_version"):
                return None
            return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()

        try:
            # By the reader, as a newer database is to be left untouched: the writer sets its mode.
            return self.read(query)
        except DBAPIError as problem:
            raise StoreError(f"the database cannot be read: {problem.orig}") from problem

    def check_version(self) -> None:
        """Raises NewerDatabase, NothingStored, or StoreError where the tables are older than this."""
        found = self.version()
        if found is not None and found > HEAD:
            raise NewerDatabase(
                f"the database was written by a newer staffbot (its version {found}, mine {HEAD}); "
                "nothing was changed: install that version, or restore a backup"
            )
        if found is None:
            itself = ", or start it by `staffbot run`" if self.sqlite else ""
            raise NothingStored(
                f"the database has no tables yet: run `staffbot migrate` once{itself}"
            )
        if found != HEAD:
            raise StoreError(
                f"the database stands at version {found}, and this staffbot needs {HEAD}: "
                "make a backup and run `staffbot migrate`"
            )

    def migrate(self) -> bool:
        """Bring the tables to the newest form; True where anything was done.

        Alembic runs in a process of its own, as it costs 40 MiB that a long-lived bot need not carry.
        Raises NewerDatabase, untouched, where a newer staffbot wrote it; StoreError where it fails.
        """
        found = self.version()
        if found is not None and found >= HEAD:
            self.check_version()
            return False
        url = self._writer.url.render_as_string(hide_password=False)
        self._writer.dispose()
        self._reader.dispose()
        done = subprocess.run(
            [sys.executable, "-m", "staffbot.migrations"],
            env={**os.environ, "STAFFBOT_MIGRATE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise StoreError(f"the database could not be migrated: {last[0]}")
        return True

    def damage(self) -> str | None:
        """What SQLite finds wrong with its file, or None. Reads all of it. Blocks."""
        if self._path is None:
            return None
        try:
            said = self.read(lambda conn: conn.execute(text("PRAGMA quick_check(1)")).scalar())
        except DBAPIError as problem:
            return str(problem.orig)
        return None if said == "ok" else str(said)

    def backup(self, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Copy a SQLite database while it is in use. Raises StoreError on PostgreSQL (use pg_dump)."""
        if self._path is None:
            raise StoreError("PostgreSQL is backed up with pg_dump, not with `staffbot backup`")
        target.touch(mode=0o600)
        source = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        copy = sqlite3.connect(target)
        try:
            source.backup(
                copy,
                pages=2_000,
                progress=lambda _, left, all_: progress(all_ - left, all_) if progress else None,
            )
        finally:
            copy.close()
            source.close()

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for any other."""
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None

"""Migrations: the tables are what tables.py says, from every version, whenever the process dies."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from staffbot.errors import NewerDatabase, StoreError
from staffbot.migrations.__main__ import config_for, main
from staffbot.store import HEAD, Store
from staffbot.tables import metadata
from tests.databases import postgres_url

VERSIONS = [
    script.revision for script in ScriptDirectory.from_config(config_for("")).walk_revisions()
]

# Migrates in children of its own and kills each at the next statement, until one gets through.
# The first line of what it prints is how many were killed.
KILLER = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from staffbot.migrations.__main__ import main

left = 0

@event.listens_for(Engine, "before_cursor_execute")
def kill(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

killed, step = 0, int(sys.argv[1])
for nth in range(1, 1000, step):
    child = os.fork()
    if not child:
        left = nth
        os._exit(1 if main([]) else 0)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        break
    killed += 1
print(killed)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/staffbot.db"
    else:
        with postgres_url() as made:
            yield made


def at(url: str, version: str) -> Config:
    """A database brought to one version, as an installation of that age has it."""
    config = config_for(url)
    command.upgrade(config, version)
    return config


def tables_of(url: str) -> set[str]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        else:
            query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return set(connection.execute(text(query)).scalars())


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_store_knows_the_newest_version() -> None:
    assert ScriptDirectory.from_config(config_for("")).get_heads() == [HEAD]
    assert sorted(VERSIONS, reverse=True) == VERSIONS, "versions are compared as text"


def test_migrated_tables_are_those_of_the_program(url: str) -> None:
    command.check(at(url, "head"))  # raises where Alembic would still change something


@pytest.mark.parametrize("version", VERSIONS)
def test_every_earlier_version_can_be_brought_to_the_newest(url: str, version: str) -> None:
    at(url, version)
    store = Store.open(url)
    assert store.migrate() is (version != HEAD)
    assert store.version() == HEAD
    assert not store.migrate(), "a second time there is nothing to do"
    store.close()
    assert tables_of(url) == {*metadata.tables, "alembic_version"}


def test_killed_at_any_statement_it_can_be_run_again(url: str) -> None:
    step = "1" if url.startswith("sqlite") else "5"
    done = subprocess.run(
        [sys.executable, "-c", KILLER, step],
        env={**os.environ, "STAFFBOT_MIGRATE_URL": url},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > len(metadata.tables) // int(step)
    assert tables_of(url) == {*metadata.tables, "alembic_version"}
    command.check(config_for(url))


def test_killed_it_leaves_nothing_half_done(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/half.db"
    code = KILLER.replace("range(1, 1000, step)", "(20,)")
    subprocess.run(
        [sys.executable, "-c", code, "1"],
        env={**os.environ, "STAFFBOT_MIGRATE_URL": url},
        capture_output=True, check=False,
    )  # fmt: skip
    assert tables_of(url) == set()


def test_two_at_once_take_turns(url: str) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "staffbot.migrations"],
            env={**os.environ, "STAFFBOT_MIGRATE_URL": url},
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    assert [process.communicate()[1] for process in running] == [b"", b""]
    assert [process.returncode for process in running] == [0, 0]
    command.check(config_for(url))


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_newer_database_is_refused_untouched(tmp_path: Path, journal: str) -> None:
    path = tmp_path / "newer.db"
    at(f"sqlite:///{path}", "head")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("UPDATE alembic_version SET version_num = '9001'")
    before = digest(path)
    store = Store.open(f"sqlite:///{path}")
    with pytest.raises(NewerDatabase, match=r"newer staffbot .*9001.*install that version"):
        store.migrate()
    store.close()
    assert digest(path) == before


def test_a_row_without_its_parent_stops_the_migration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "orphan.db"
    at(f"sqlite:///{path}", "head")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO actors VALUES ('local', 'ann', 'nobody')")
    monkeypatch.setenv("STAFFBOT_MIGRATE_URL", f"sqlite:///{path}")
    assert main([]) == "rows without their parent in actors"


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear library, " * 500)
    store = Store.open(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="cannot be read: file is not a database"):
        store.migrate()
    store.close()
    assert path.read_text() == "Dear library, " * 500


def test_the_reason_of_a_failure_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STAFFBOT_MIGRATE_URL", f"sqlite:///{tmp_path}/none/x.db")
    assert main([]) == "unable to open database file"
    assert str(main(["down"])).startswith("usage:")
    monkeypatch.delenv("STAFFBOT_MIGRATE_URL")
    assert str(main([])).startswith("STAFFBOT_MIGRATE_URL is not set")

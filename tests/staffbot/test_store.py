"""The store: who may read the file, who may hold it, and that nothing is said before it is stored."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import OperationalError

from staffbot.desk import pulse
from staffbot.desk.ledger import Desk
from staffbot.errors import AlreadyRunning, StoreError
from staffbot.store import HEAD, Store
from staffbot.tables import facts, mentions
from tests.disks import fill, small_disk
from tests.library import Library, opened, sqlite_url

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store.open(sqlite_url(tmp_path / "data"))
    found.migrate()
    yield found
    found.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def put(name: str) -> Callable[[Connection], None]:
    def write(conn: Connection) -> None:
        conn.execute(text("INSERT INTO counters VALUES (:name, 1)"), {"name": name})

    return write


def names(store: Store) -> list[str]:
    query = text("SELECT name FROM counters ORDER BY name")
    return list(store.read(lambda conn: conn.execute(query).scalars().all()))


def test_nobody_else_can_read_the_file_or_its_folder(store: Store, tmp_path: Path) -> None:
    store.write(put("a"))
    folder = tmp_path / "data"
    assert mode(folder) == 0o700
    assert {path.name: mode(path) for path in folder.iterdir()} == {
        "staffbot.db": 0o600, "staffbot.db-wal": 0o600, "staffbot.db-shm": 0o600,
    }  # fmt: skip


def test_a_file_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "staffbot.db"
    path.touch(mode=0o644)
    path.chmod(0o644)
    Store.open(f"sqlite:///{path}").close()
    assert mode(path) == 0o600


def test_sqlite_is_set_to_lose_nothing(store: Store) -> None:
    def pragmas(conn: Connection) -> dict[str, object]:
        return {name: conn.execute(text(f"PRAGMA {name}")).scalar() for name in PRAGMAS}

    assert store.write(pragmas) == PRAGMAS


def test_the_reader_cannot_write(store: Store) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        store.read(put("a"))


def test_a_use_case_that_raises_leaves_nothing(store: Store) -> None:
    def fail(conn: Connection) -> None:
        put("a")(conn)
        raise LookupError

    with pytest.raises(LookupError):
        store.write(fail)
    assert names(store) == []


def test_a_snapshot_does_not_wait_for_the_writer(store: Store) -> None:
    store.write(put("a"))
    inside, seen = threading.Event(), threading.Event()

    def slow(conn: Connection) -> None:
        put("b")(conn)
        inside.set()
        assert seen.wait(30)

    writer = threading.Thread(target=store.write, args=(slow,))
    writer.start()
    assert inside.wait(30)
    assert names(store) == ["a"]
    seen.set()
    writer.join(30)
    assert names(store) == ["a", "b"]


def test_many_writers_take_turns(store: Store) -> None:
    threads = [threading.Thread(target=store.write, args=(put(f"n{n}"),)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(names(store)) == 40


def test_another_process_that_writes_is_waited_for(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "data" / "staffbot.db"
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            held.set()
            assert let_go.wait(30)
            other.execute("COMMIT")

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(30)
    ours = threading.Thread(target=store.write, args=(put("a"),))
    ours.start()
    let_go.set()
    ours.join(30)
    other.join(30)
    assert names(store) == ["a"]


def test_a_second_run_is_refused_with_the_number_of_the_first(tmp_path: Path) -> None:
    first, second = Store.open(sqlite_url(tmp_path)), Store.open(sqlite_url(tmp_path))
    first.hold()
    with pytest.raises(AlreadyRunning, match=rf"another `staffbot run` \(process {os.getpid()}\)"):
        second.hold()
    first.close()
    second.hold()
    second.close()


def test_a_killed_run_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, time; from staffbot.store import Store; "
        "s = Store.open(sys.argv[1]); s.hold(); print('held', flush=True); time.sleep(600)"
    )
    url = sqlite_url(tmp_path)
    with subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        store = Store.open(url)
        with pytest.raises(AlreadyRunning, match=f"process {other.pid}"):
            store.hold()
        other.send_signal(signal.SIGKILL)
        other.wait(30)
    store.hold()
    store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="needs a file"):
        Store.open(url)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreError, match=r"cannot write the database .*data/x\.db"):
        Store.open(f"sqlite:///{tmp_path}/data/x.db")


def test_a_missing_driver_is_named() -> None:
    with pytest.raises(StoreError, match=r"driver pg8000 is not installed"):
        Store.open("postgresql+pg8000://u@localhost/x")


def test_an_old_database_is_refused_where_it_is_not_migrated_by_the_way(tmp_path: Path) -> None:
    store = Store.open(sqlite_url(tmp_path))
    with pytest.raises(StoreError, match="run `staffbot migrate`"):
        store.check_version()
    store.migrate()
    store.check_version()
    assert store.version() == HEAD
    store.close()


def test_moments_come_back_as_they_went_in(library: Library) -> None:
    library.desk.act(pulse.keep, "moment", "value")
    assert library.desk.look(pulse.fact, "moment") == ("value", library.clock.now)


def test_a_naive_moment_is_refused(library: Library) -> None:
    naive = library.clock.now.replace(tzinfo=None)
    with pytest.raises(Exception, match="time zone"):
        library.desk.look(lambda tx: tx.conn.execute(select(facts).where(facts.c.at < naive)).all())


# --- disks --------------------------------------------------------------------------------------


def test_a_full_disk_acknowledges_nothing_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk, opened(sqlite_url(disk)) as library:
        library.arrives("Before the disk is full.")
        fill(disk)
        many = [library.incoming("x" * 2000) for _ in range(50)]
        with pytest.raises(StoreError, match=r"nothing was stored .* the disk is full"):
            library.take_in(*many)
        assert len(library.rows(mentions)) == 1
        (disk / "ballast").unlink()
        assert library.take_in(*many).new == 50
        assert len(library.rows(mentions)) == 51


def test_a_read_only_disk_acknowledges_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "8m") as disk:
        with opened(sqlite_url(disk)) as library:
            library.arrives("Before the disk is read-only.")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        try:
            store = Store.open(sqlite_url(disk))
        except StoreError as problem:
            assert "cannot write the database" in str(problem)  # noqa: PT017
        else:
            desk = Desk(store, library.settings, library.clock)
            with pytest.raises(StoreError, match="nothing was stored"):
                desk.act(pulse.beat)
            store.close()


def test_a_backup_is_made_while_it_is_written(library: Library, tmp_path: Path) -> None:
    if not library.desk.store.sqlite:
        with pytest.raises(StoreError, match="pg_dump"):
            library.desk.store.backup(tmp_path / "copy.db")
        return
    for _ in range(30):
        library.arrives("A word " * 200)
    told: list[tuple[int, int]] = []
    copy = tmp_path / "copy.db"
    library.desk.store.backup(copy, lambda done, all_: told.append((done, all_)))
    library.take_in(library.incoming("After the backup."))
    assert mode(copy) == 0o600
    assert told[-1][0] == told[-1][1] > 0
    with opened(f"sqlite:///{copy}") as restored:
        assert len(restored.rows(mentions)) == 30
        assert restored.desk.store.damage() is None


def test_damage_is_found(tmp_path: Path) -> None:
    with opened(sqlite_url(tmp_path)) as library:
        library.desk.act(lambda tx: None)
        assert library.desk.store.damage() is None
    path = tmp_path / "staffbot.db"
    whole = bytearray(path.read_bytes())
    whole[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    path.write_bytes(whole)
    store = Store.open(sqlite_url(tmp_path))
    assert store.damage()
    store.close()

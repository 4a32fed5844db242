"""Where faults happen: an empty database with the tables, and the settings of a library on it.

The process that forks workers opens no engine of its own, as SQLite and libpq survive no fork.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Select, create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from staffbot.desk.carriage import Taken, wanted_now
from staffbot.desk.ledger import Desk, Tx
from staffbot.desk.people import sync_staff
from staffbot.messages import Message
from staffbot.model import Room, system_clock
from staffbot.settings import Delivery, Route, SourceSettings, StaffMember, Storm, Team, TeamRoom
from staffbot.store import Store
from staffbot.tables import metadata
from tests import library
from tests.databases import postgres_url

DATABASES = ("sqlite", "postgres")
# A request lives for so long; long enough for a slow machine to begin and end a call within it.
LIFE = timedelta(seconds=0.6)
# No scenario may take longer, however slow the machine is.
LIMIT_SECONDS = 60.0


def a_desk(url: str, rooms: Sequence[Room], people: int = 1, life: timedelta = LIFE) -> Desk:
    """A desk on that database, with its staff. Each room is a team's, with a source of its name."""
    settings = library.settings(
        url,
        teams=tuple(
            Team(key=room.id, name=room.id, rooms=(TeamRoom(room=room),)) for room in rooms
        ),
        routes=tuple(Route(team=room.id, source=room.id) for room in rooms),
        sources=tuple(SourceSettings(name=room.id, type="fault") for room in rooms),
        staff=tuple(
            StaffMember(
                key=f"p{n}",
                name=f"Person {n}",
                ids={platform: f"{platform}-p{n}" for platform in {r.platform for r in rooms}},
            )
            for n in range(people)
        ),
        # No storm: every mention has a card of its own, which is what is counted.
        storm=Storm(mentions=1_000_000_000),
        delivery=Delivery(request_life=life, edit_every=timedelta(milliseconds=20)),
    )
    desk = Desk(Store.open(url), settings, system_clock)
    desk.act(sync_staff)
    return desk


def render(tx: Tx, post: Taken) -> Message | None:
    """What a post says here: its key and revision, so that the witness can be compared."""
    return Message(text=f"{post.key} {wanted_now(tx, post)}")


@contextmanager
def a_database(kind: str) -> Iterator[str]:
    """The URL of a database with tables; gone afterwards.

    SQLite stands in memory where the machine has such a folder: killing a process cannot tell.
    """
    if kind == "postgres":
        with postgres_url() as url:
            _furnish(url)
            yield url
        return
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)
    try:
        url = f"sqlite:///{folder}/staffbot.db"
        _furnish(url)
        yield url
    finally:
        shutil.rmtree(folder)


def _furnish(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    metadata.create_all(engine)
    engine.dispose()


@cache
def _asking(url: str) -> Engine:
    # No pool: no connection is open when somebody forks.
    return create_engine(url, poolclass=NullPool)


def ask(url: str, query: Select[Any]) -> list[Any]:
    """Rows, over a connection that is closed again."""
    with _asking(url).connect() as conn:
        return list(conn.execute(query))


def forked(work: Callable[[], None]) -> int:
    """Run `work` in a forked process; its number. It ends without any farewell of its parent's."""
    pid = os.fork()
    if pid == 0:
        _work_and_end(work)
    return pid


def _work_and_end(work: Callable[[], None]) -> NoReturn:
    code = 1
    try:
        work()
        code = 0
    except BaseException as fault:
        os.write(2, f"worker: {type(fault).__name__}: {fault}\n".encode())
    finally:
        os._exit(code)

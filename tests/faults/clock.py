"""kill -9 between every pair of steps of sweep, digest and their delivery: one nag, one digest.

A worker sweeps, rings for the digest and carries; it kills itself before its n-th statement, commit
or call to the chat, for every n. Another one then does the same unharmed, twice. The witness counts.
"""

from __future__ import annotations

import asyncio
import os
import select as selectors
import shutil
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from staffbot.desk import claims, digests, reminding
from staffbot.desk.ledger import Desk
from staffbot.desk.people import get_person, sync_staff
from staffbot.desk.rendering import render
from staffbot.messages import Message
from staffbot.model import MessageRef, Person, Room
from staffbot.outbox import Outbox
from staffbot.settings import Delivery
from staffbot.store import Store
from staffbot.tables import metadata
from tests import library
from tests.carrying import carry
from tests.databases import postgres_url
from tests.fakes import FakeChat
from tests.faults.chat import WitnessChat
from tests.faults.ground import LIFE, LIMIT_SECONDS, forked
from tests.faults.witness import Witness
from tests.faults.work import pending, quiet

# What stands at the witness once all is done: kind, and to whom.
EXPECTED = {
    ("nag", "direct:ana"): 1,
    ("nag", "direct:mia"): 1,
    ("digest", "desk"): 1,
    ("line", "desk"): 1,
}

Point = Callable[[str], None]


@dataclass(slots=True)
class Report:
    database: str
    points: int = 0
    kills: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        return not self.wrong and self.kills > 0

    def problems(self) -> list[str]:
        return self.wrong

    def __str__(self) -> str:
        return (
            f"clock on {self.database}: {self.kills} kills between {self.points} steps of sweep, "
            f"digest and delivery, {len(self.wrong)} wrong ({self.seconds:.0f} s)"
        )


class RoomChat(WitnessChat):
    """All runs share one witness: each has rooms of its own there. Every call is two steps."""

    def __init__(self, url: str, run: int, step: Point) -> None:
        super().__init__(url)
        self._run = run
        self._step = step

    async def post(self, room: Room, message: Message, key: str) -> MessageRef:
        self._step("before a post")
        there = Room(platform=room.platform, id=f"{self._run}/{room.id}")
        ref = await super().post(there, message, key)
        self._step("after a post")
        return MessageRef(room=room, id=ref.id)

    async def direct(self, user_id: str, message: Message, key: str) -> MessageRef:
        return await self.post(Room(platform="local", id=f"direct:{user_id}"), message, key)

    async def find(self, room: Room, key: str) -> MessageRef | None:
        there = Room(platform=room.platform, id=f"{self._run}/{room.id}")
        found = await super().find(there, key)
        return None if found is None else MessageRef(room=room, id=found.id)


def _desk(url: str) -> Desk:
    """A desk on a Tuesday afternoon: something is overdue, and the digest is due."""
    settings = library.settings(url, delivery=Delivery(request_life=LIFE, edit_every=LIFE / 1000))
    return Desk(Store.open(url), settings, library.HandClock())


def _begin(url: str) -> None:
    """One mention that Ana claimed and one that nobody did, both long overdue."""
    quiet()
    engine = create_engine(url, poolclass=NullPool)
    metadata.create_all(engine)
    engine.dispose()
    desk = _desk(url)
    desk.act(sync_staff)
    clock = desk.clock
    assert isinstance(clock, library.HandClock)
    house = library.Library(desk=desk, clock=clock, url=url)
    house.arrives()
    house.arrives()
    desk.act(lambda tx: claims.claim(tx, 1, _known(get_person(tx, "ana"))))
    carry(desk, FakeChat(platform="local"))
    desk.store.close()


def _known(person: Person | None) -> Person:
    assert person is not None
    return person


def _work(url: str, witness: str, run: int, kill_at: int, count: Path | None) -> None:
    """Sweep, digest, carry; dies at the step of that number (0: never)."""
    quiet()
    steps = 0

    def step(_: str) -> None:
        nonlocal steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", lambda *_: step("statement"))
    event.listen(Engine, "commit", lambda _: step("commit"))
    asyncio.run(_ring_and_carry(url, witness, run, step))
    if count is not None:
        count.write_text(str(steps))


def _recover(urls: Sequence[tuple[int, str]], witness: str) -> None:
    """What a program does that starts again: everything is looked at once, and again later."""
    quiet()

    async def all_of_them() -> None:
        for begin in range(0, len(urls), 16):
            some = urls[begin : begin + 16]
            await asyncio.gather(
                *(_ring_and_carry(url, witness, run, lambda _: None, 2) for run, url in some)
            )

    asyncio.run(all_of_them())


async def _ring_and_carry(url: str, witness: str, run: int, step: Point, times: int = 1) -> None:
    desk = _desk(url)
    clock = desk.clock
    assert isinstance(clock, library.HandClock)
    clock.forward(hours=7)
    chat = RoomChat(witness, run, step)
    outbox = Outbox(desk, {"local": chat}, render)
    task = asyncio.create_task(outbox.run())
    for _ in range(times):
        await desk.acting(reminding.sweep)
        await desk.acting(digests.ring)
        while await desk.looking(pending):  # noqa: ASYNC110, as another process may write
            await asyncio.sleep(0.02)
    outbox.stop()
    await task
    await chat.close()
    await asyncio.to_thread(desk.store.close)


def _ended(pid: int, witness: Witness | None = None, limit: float = LIMIT_SECONDS) -> int:
    """How a worker ended. Reads away what the witness says meanwhile, as its pipe would fill up."""
    end = time.monotonic() + limit
    while (done := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        if witness is not None and witness.process.stdout is not None:
            while selectors.select([witness.process.stdout], [], [], 0)[0]:
                os.read(witness.process.stdout.fileno(), 65536)
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            return os.waitpid(pid, 0)[1]
        time.sleep(0.002)
    return done[1]


@contextmanager
def _sqlite() -> Iterator[Callable[[], str]]:
    """Makes copies of one database that was begun, in memory where there is such a folder."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    begun = folder / "begun.db"
    assert _ended(forked(partial(_begin, f"sqlite:///{begun}"))) == 0
    with closing(sqlite3.connect(begun)) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    made = 0

    def copy() -> str:
        nonlocal made
        made += 1
        shutil.copy(begun, folder / f"{made}.db")
        return f"sqlite:///{folder / f'{made}.db'}"

    try:
        yield copy
    finally:
        shutil.rmtree(folder)


@contextmanager
def _postgres() -> Iterator[Callable[[], str]]:
    with ExitStack() as stack:

        def begin() -> str:
            url = stack.enter_context(postgres_url())
            assert _ended(forked(partial(_begin, url))) == 0
            return url

        yield begin


def run(database: str, every: int = 1) -> Report:
    """Kill a worker at `every` so many steps, each on a database of its own; count when recovered."""
    began, report = time.monotonic(), Report(database)
    witness = Witness.start()
    try:
        with (_sqlite if database == "sqlite" else _postgres)() as make:
            report.points = _unharmed(make(), witness)
            killed: list[tuple[int, str]] = []
            for n in range(1, report.points + 1, every):
                url = make()
                status = _ended(forked(partial(_work, url, witness.url, n, n, None)), witness)
                report.kills += os.WIFSIGNALED(status)
                killed.append((n, url))
            recovery = forked(partial(_recover, killed, witness.url))
            if _ended(recovery, witness, 10 * LIMIT_SECONDS) != 0:
                report.wrong.append("the recovery did not end well")
            _count(report, witness, [n for n, _ in killed])
    finally:
        witness.close()
    report.seconds = time.monotonic() - began
    return report


def _unharmed(url: str, witness: Witness) -> int:
    """How many steps there are when nobody is killed."""
    with tempfile.TemporaryDirectory() as folder:
        count = Path(folder) / "count"
        assert _ended(forked(partial(_work, url, witness.url, 0, 0, count)), witness) == 0
        return int(count.read_text())


def _count(report: Report, witness: Witness, runs: Sequence[int]) -> None:
    found: dict[int, Counter[tuple[str, str]]] = {n: Counter() for n in (0, *runs)}
    for post in witness.seen()["posts"]:
        n, _, room = post["room"].partition("/")
        found[int(n)][post["key"].split(":")[0], room] += 1
    report.wrong += [
        f"killed at step {n}: {dict(counts)}" for n, counts in found.items() if counts != EXPECTED
    ]

"""Two outboxes on one PostgreSQL share the posts: each post is carried once, and both carry some."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select

from staffbot.desk.arrivals import take_in
from staffbot.desk.ledger import Desk
from staffbot.messages import Message
from staffbot.model import MessageRef, Room
from staffbot.network import Batch
from staffbot.outbox import Outbox
from staffbot.tables import posts
from tests.faults.chat import WitnessChat
from tests.faults.ground import LIMIT_SECONDS, a_database, a_desk, ask, forked, render
from tests.faults.witness import Witness
from tests.faults.work import incoming, pending, quiet, warm_up

_ROOMS = tuple(Room(platform="local", id=f"room{n}") for n in range(8))
_OUTBOXES = 2


class SignedChat(WitnessChat):
    """Signs each post with the process that sent it."""

    async def post(self, room: Room, message: Message, key: str) -> MessageRef:
        return await super().post(room, Message(text=f"by {os.getpid()}"), key)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        """Leaves the signature."""


def _goes_on(desk: Desk, enough: Path) -> bool:
    return not enough.exists() or desk.look(pending) > 0


@dataclass(slots=True)
class Report:
    posts: int = 0
    shares: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        return not self.wrong and len(self.shares) == _OUTBOXES

    def problems(self) -> list[str]:
        return [*self.wrong, f"shares {self.shares}"]

    def __str__(self) -> str:
        shares = " and ".join(map(str, self.shares))
        return (
            f"shared: {self.posts} posts by {_OUTBOXES} outboxes on one PostgreSQL ({shares}), "
            f"{len(self.wrong)} lost or doubled ({self.seconds:.0f} s)"
        )


def _carry(desk: Desk, witness: str, enough: Path) -> None:
    asyncio.run(_carry_until(desk, SignedChat(witness), enough))


async def _carry_until(desk: Desk, chat: SignedChat, enough: Path) -> None:
    outbox = Outbox(desk, {"local": chat}, render)
    task = asyncio.create_task(outbox.run())
    while await asyncio.to_thread(_goes_on, desk, enough):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    outbox.stop()
    await task
    await chat.close()


def run(least: int) -> Report:
    """New mentions in every room until each of the outboxes has carried at least so many."""
    quiet()
    began = time.monotonic()
    witness = Witness.start()
    try:
        with a_database("postgres") as url, TemporaryDirectory() as folder:
            desk = a_desk(url, _ROOMS)
            warm_up(desk, witness.url, _ROOMS)
            witness.dawdle(0.01)
            enough = Path(folder) / "enough"
            workers = [forked(partial(_carry, desk, witness.url, enough)) for _ in range(_OUTBOXES)]
            report = Report()
            _give(desk, witness, report, least)
            enough.touch()
            _wait(workers, report)
            desk.store.close()
            _judge(report, url, witness)
    finally:
        witness.close()
    report.seconds = time.monotonic() - began
    return report


def _give(desk: Desk, witness: Witness, report: Report, least: int) -> None:
    end = time.monotonic() + 2 * LIMIT_SECONDS
    for number in itertools.count(100):
        shares = _shares(witness)
        if len(shares) == _OUTBOXES and min(shares) >= least:
            return
        if time.monotonic() > end:
            report.wrong.append(f"the outboxes had carried {shares} when time was over")
            return
        if desk.look(pending) > 4 * len(_ROOMS):
            time.sleep(0.02)
            continue
        for room in _ROOMS:
            batch = Batch(mentions=(incoming(room.id, number),), cursor=str(number))
            desk.act(take_in, source=room.id, batch=batch)
            report.posts += 1


def _shares(witness: Witness) -> list[int]:
    signed = (post["text"] for post in witness.seen()["posts"])
    return sorted(Counter(text for text in signed if text.startswith("by ")).values())


def _wait(workers: list[int], report: Report) -> None:
    end = time.monotonic() + 2 * LIMIT_SECONDS
    left = set(workers)
    while left:
        for pid in tuple(left):
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                left.discard(pid)
                if status != 0:
                    report.wrong.append(f"an outbox ended with {status}")
        time.sleep(0.02)


def _judge(report: Report, url: str, witness: Witness) -> None:
    counts = witness.counts()
    keys = [row.key for row in ask(url, select(posts.c.key))]
    report.wrong += [f"{key}: {counts[key]} times" for key in keys if counts[key] != 1]
    report.wrong += ["a card was not wanted"] * (report.posts - len(keys))
    report.shares = _shares(witness)

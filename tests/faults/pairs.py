"""Named fail points, before and after each commit and each call, each with each fault: all pairs.

A point's fault is either a crash there, or it is armed there: the next call about this room meets
it at the witness. Nothing depends on timing: a scenario goes on until its fail point was reached
and its fault was met, and everything is carried.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import func, select

from staffbot.desk import mailroom
from staffbot.desk.arrivals import take_in
from staffbot.desk.claims import claim
from staffbot.desk.ledger import Desk, Tx, change, find
from staffbot.desk.people import get_person
from staffbot.messages import Message
from staffbot.model import MessageRef, Room
from staffbot.network import Batch
from staffbot.outbox import Outbox
from staffbot.tables import posts
from tests.faults.chat import WitnessChat
from tests.faults.ground import a_database, a_desk, ask, render
from tests.faults.scenario import Scenario, Stage, problems
from tests.faults.witness import Witness
from tests.faults.work import incoming, quiet, ready_to_fork

P = ParamSpec("P")
R = TypeVar("R")

FAULTS = ("crash", "timeout", "cut", "429", "500")
COMMITS = ("take_in", "claim", "take_due", "sent", "edited", "failed", "absent")
CALLS = ("post", "edit", "find", "direct")
POINTS = tuple(
    f"{when} {what} {name}"
    for what, names in (("commit", COMMITS), ("call", CALLS))
    for name in names
    for when in ("before", "after")
)
# What has to go wrong before a scenario comes to its point at all.
_LEADS_TO = {"failed": "lead 500", "absent": "lead cut-before", "find": "lead cut-before"}
# Scenarios mostly wait for the life of a request to be over, so many go on at once.
_AT_ONCE = 10


class Arms(Protocol):
    """What can be told that the next call about a room meets a fault."""

    def arm(self, room: str, fault: str) -> None: ...


class FailPoint:
    """One armed point. When it is reached it acts, once."""

    def __init__(self, point: str | None, fault: str, room: str, witness: Arms) -> None:
        self._point = point
        self._fault = fault
        self._room = room
        self._witness = witness
        self.reached = False

    def pass_by(self, point: str) -> None:
        if point != self._point or self.reached:
            return
        self.reached = True
        if self._fault == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        self._witness.arm(self._room, self._fault)


class FailingDesk(Desk):
    """A desk with fail points around its commits."""

    def __init__(self, desk: Desk, point: FailPoint) -> None:
        super().__init__(desk.store, desk.settings, desk.clock)
        self._point = point

    def act(
        self, use_case: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        name = getattr(use_case, "__name__", "")

        def then_pass_by(tx: Tx, /, *args: P.args, **kwargs: P.kwargs) -> R:
            answer = use_case(tx, *args, **kwargs)
            self._point.pass_by(f"before commit {name}")
            return answer

        answer = super().act(then_pass_by, *args, **kwargs)
        self._point.pass_by(f"after commit {name}")
        return answer


class FailingChat(WitnessChat):
    """A chat with fail points around its calls."""

    def __init__(self, url: str, platform: str, point: FailPoint) -> None:
        super().__init__(url, platform)
        self._point = point

    async def post(self, room: Room, message: Message, key: str) -> MessageRef:
        name = "direct" if room.id.startswith("direct:") else "post"
        self._point.pass_by(f"before call {name}")
        ref = await super().post(room, message, key)
        self._point.pass_by(f"after call {name}")
        return ref

    async def edit(self, ref: MessageRef, message: Message) -> None:
        self._point.pass_by("before call edit")
        await super().edit(ref, message)
        self._point.pass_by("after call edit")

    async def find(self, room: Room, key: str) -> MessageRef | None:
        self._point.pass_by("before call find")
        ref = await super().find(room, key)
        self._point.pass_by("after call find")
        return ref


class OnChat(Scenario):
    """It has a platform, a room and a source of its own, all of one name."""

    __slots__ = ()

    @property
    def room(self) -> Room:
        return Room(platform=self.name, id=self.name)

    @property
    def meets_at(self) -> str:
        """The room whose next call meets the fault."""
        return f"direct:{self.name}-p0" if self.at == "direct" else self.name


@dataclass(slots=True)
class Report:
    database: str
    pairs: int = 0
    scenarios: list[OnChat] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def met(self) -> int:
        return sum(scenario.met for scenario in self.scenarios)

    @property
    def well(self) -> bool:
        return self.pairs == len(POINTS) * len(FAULTS) and not self.problems()

    def __str__(self) -> str:
        return (
            f"pairs on {self.database}: {self.met} of {self.pairs} pairs of fail point and fault "
            f"met, {sum(len(s.wrong) for s in self.scenarios)} ended wrong ({self.seconds:.0f} s)"
        )

    def problems(self) -> list[str]:
        return problems(self.scenarios)


def play(desk: Desk, witness: Witness, scenario: OnChat, armed: bool) -> None:
    """In a forked worker: the whole way of a mention, again until the fault was met."""
    point = scenario.point if armed else None
    fail_point = FailPoint(point, scenario.fault, scenario.meets_at, witness)
    asyncio.run(_play(FailingDesk(desk, fail_point), witness, scenario, fail_point, armed))


async def _play(
    desk: Desk, witness: Witness, scenario: OnChat, point: FailPoint, armed: bool
) -> None:
    chat = FailingChat(witness.url, scenario.name, point)
    outbox = Outbox(desk, {scenario.name: chat}, render)
    task = asyncio.create_task(outbox.run())
    for number in itertools.count(1):
        if armed and not point.reached and scenario.at in _LEADS_TO:
            await asyncio.to_thread(witness.arm, scenario.name, _LEADS_TO[scenario.at])
        batch = Batch(mentions=(incoming(scenario.name, number),), cursor=str(number))
        await desk.acting(take_in, source=scenario.name, batch=batch)
        await _carried(desk, scenario)
        await desk.acting(_claim_by_p0, scenario.name)
        await _carried(desk, scenario)
        await desk.acting(_tell, scenario.name, number)
        # One more call about the room, for a fault that was armed late.
        await desk.acting(_touch, scenario.name)
        await _carried(desk, scenario)
        met = partial(witness.has_met, scenario.meets_at, scenario.fault)
        if not armed or (point.reached and await asyncio.to_thread(met)):
            break
    outbox.stop()
    await task
    await chat.close()


async def _carried(desk: Desk, scenario: OnChat) -> None:
    while await desk.looking(_pending, scenario.name):  # noqa: ASYNC110 # the database says when
        await asyncio.sleep(0.04)


def _pending(tx: Tx, name: str) -> int:
    query = select(func.count()).where(posts.c.pending == 1, posts.c.platform == name)
    number: int = tx.conn.execute(query).scalar_one()
    return number


def _number(tx: Tx, name: str) -> int:
    number: int = tx.conn.execute(
        select(func.max(posts.c.mention)).where(posts.c.platform == name, posts.c.kind == "card")
    ).scalar_one()
    return number


def _claim_by_p0(tx: Tx, name: str) -> None:
    person = get_person(tx, "p0")
    assert person is not None
    claim(tx, _number(tx, name), person)


_claim_by_p0.__name__ = "claim"  # the fail point's name


def _tell(tx: Tx, name: str, number: int) -> None:
    mailroom.want(
        tx, key=f"told:{name}:{number}", kind="told", platform=name, person="p0", detail={}
    )


def _touch(tx: Tx, name: str) -> None:
    mention = find(tx, _number(tx, name))
    assert mention is not None
    change(tx, mention)


def _judge(scenario: OnChat, url: str, seen: Any) -> None:
    """What the witness saw against what the database says."""
    if scenario.fault != "crash":
        scenario.met = f"{scenario.meets_at} {scenario.fault}" in seen["met"]
    counts = Counter(post["key"] for post in seen["posts"])
    shown = {post["key"]: post["text"] for post in seen["posts"]}
    rows = ask(url, select(posts).where(posts.c.platform == scenario.name))
    kinds = Counter(row.kind for row in rows)
    if kinds["card"] < 1 or kinds["card"] != kinds["told"]:
        scenario.wrong.append(f"there is not a letter for each card: {kinds}")
    for row in rows:
        if counts[row.key] > 1:
            scenario.wrong.append(f"{row.key} was posted {counts[row.key]} times")
        # A letter in doubt is not sent again; it is known as unknown, not lost in silence.
        if row.state == "unknown" and row.kind == "told":
            continue
        if counts[row.key] != 1 or row.state != "sent":
            scenario.wrong.append(f"{row.key} is {row.state}, posted {counts[row.key]} times")
        elif row.kind == "card" and shown[row.key] != f"{row.key} {row.wanted}":
            scenario.wrong.append(f"{row.key} shows an old revision")


def run(database: str) -> Report:
    """Every pair on a fresh database of that kind."""
    quiet()
    began = time.monotonic()
    pairs = itertools.product(POINTS, FAULTS)
    scenarios = [
        OnChat(name=f"pair{n}", point=point, fault=fault) for n, (point, fault) in enumerate(pairs)
    ]
    warm = OnChat(name="warm", point="", fault="")
    witness = Witness.start()
    try:
        with a_database(database) as url:
            desk = a_desk(url, [scenario.room for scenario in (warm, *scenarios)])
            for fault in ("lead 500", "lead cut-before"):
                witness.arm(warm.name, fault)
            play(desk, witness, warm, armed=False)
            ready_to_fork(desk)
            Stage(scenarios, partial(play, desk, witness), _AT_ONCE).play_all()
            seen = witness.seen()
            for scenario in scenarios:
                _judge(scenario, url, seen)
    finally:
        witness.close()
    return Report(database, len(scenarios), scenarios, time.monotonic() - began)

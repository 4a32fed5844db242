"""An answer from chat with a fault between every two of its steps: exactly one stands at the witness.

The steps are its writing, each commit of its carrier, and each call to the network; before and after
each of them the process is killed, or the next call to the network meets a fault there.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import func, select

from staffbot.answering import ON_THE_WAY
from staffbot.desk.arrivals import take_in
from staffbot.desk.ledger import Desk, Tx
from staffbot.desk.people import get_person
from staffbot.desk.replying import write
from staffbot.messages import Message
from staffbot.model import Room, system_clock
from staffbot.network import Answering, Batch, Replied, ReplyLimit
from staffbot.replier import Replier
from staffbot.settings import ReplySettings
from staffbot.tables import events, mentions, replies
from tests.faults.chat import WitnessChat
from tests.faults.ground import a_database, a_desk, ask
from tests.faults.pairs import FailingDesk, FailPoint
from tests.faults.scenario import Scenario, Stage, problems
from tests.faults.witness import Witness
from tests.faults.work import incoming, quiet, ready_to_fork

FAULTS = ("crash", "timeout", "cut", "cut-before", "429", "500")
COMMITS = ("write", "take_due", "sent", "failed", "absent", "unseen")
CALLS = ("reply", "find")
POINTS = tuple(
    f"{when} {what} {name}"
    for what, names in (("commit", COMMITS), ("call", CALLS))
    for name in names
    for when in ("before", "after")
)
# What has to go wrong before a scenario comes to its point at all.
_LEADS_TO = {
    "failed": ("lead 500",),
    "absent": ("lead cut-before",),
    "find": ("lead cut-before",),
    "unseen": ("lead cut-before", "lead 500"),
}
_AT_ONCE = 16


class WitnessNetwork:
    """A network at the witness that keeps an answer's key, as some do."""

    def __init__(self, url: str, name: str, point: FailPoint) -> None:
        self.name = name
        self.chat = WitnessChat(url, name)
        self._room = Room(platform=name, id=name)
        self._point = point

    @property
    def limit(self) -> ReplyLimit | None:
        return ReplyLimit(most=500)

    async def reply(self, to: Answering, text: str, key: str) -> Replied:
        self._point.pass_by("before call reply")
        ref = await self.chat.post(self._room, Message(text=text), key)
        self._point.pass_by("after call reply")
        return Replied(at=system_clock(), native_id=ref.id)

    async def find_reply(self, to: Answering, text: str, key: str) -> Replied | None:
        self._point.pass_by("before call find")
        ref = await self.chat.find(self._room, key)
        self._point.pass_by("after call find")
        return None if ref is None else Replied(at=system_clock(), native_id=ref.id)


@dataclass(slots=True)
class Report:
    database: str
    scenarios: list[Scenario]
    answers: int = 0
    seconds: float = 0.0

    @property
    def met(self) -> int:
        return sum(scenario.met for scenario in self.scenarios)

    @property
    def well(self) -> bool:
        return not self.problems()

    def problems(self) -> list[str]:
        return problems(self.scenarios)

    def __str__(self) -> str:
        wrong = sum(len(scenario.wrong) for scenario in self.scenarios)
        return (
            f"answers on {self.database}: {self.met} of {len(self.scenarios)} pairs of fail point "
            f"and fault met, {self.answers} answers, {wrong} lost or doubled ({self.seconds:.0f} s)"
        )


def play(desk: Desk, witness: Witness, scenario: Scenario, armed: bool) -> None:
    """In a forked worker: a mention, an answer to it, and its way; again until the fault was met."""
    point = FailPoint(scenario.point if armed else None, scenario.fault, scenario.name, witness)
    asyncio.run(_play(FailingDesk(desk, point), witness, scenario, point, armed))


async def _play(
    desk: Desk, witness: Witness, scenario: Scenario, point: FailPoint, armed: bool
) -> None:
    network = WitnessNetwork(witness.url, scenario.name, point)
    replier = Replier(desk, {scenario.name: network})
    task = asyncio.create_task(replier.run())
    # What an earlier life left is carried first.
    await carried(desk, scenario.name)
    for number in itertools.count(await desk.looking(mentions_of, scenario.name) + 1):
        if armed and not point.reached:
            for lead in _LEADS_TO.get(scenario.at, ()):
                await asyncio.to_thread(witness.arm, scenario.name, lead)
        batch = Batch(mentions=(incoming(scenario.name, number),), cursor=str(number))
        await desk.acting(take_in, source=scenario.name, batch=batch)
        await desk.acting(write_one, scenario.name)
        await carried(desk, scenario.name)
        met = partial(witness.has_met, scenario.name, scenario.fault)
        if not armed or (point.reached and await asyncio.to_thread(met)):
            break
    replier.stop()
    await task
    await network.chat.close()


def write_one(tx: Tx, source: str) -> None:
    person = get_person(tx, "p0")
    newest = tx.conn.scalar(select(func.max(mentions.c.number)).where(mentions.c.source == source))
    assert person is not None
    assert newest is not None
    write(tx, newest, person, f"An answer to {newest}.")


write_one.__name__ = "write"  # the fail point's name


def mentions_of(tx: Tx, source: str) -> int:
    query = select(func.count()).select_from(mentions).where(mentions.c.source == source)
    return int(tx.conn.execute(query).scalar_one())


def _on_the_way(tx: Tx, source: str) -> int:
    query = select(func.count()).where(
        replies.c.source == source, replies.c.state.in_(sorted(ON_THE_WAY))
    )
    return int(tx.conn.execute(query).scalar_one())


async def carried(desk: Desk, source: str) -> None:
    while await desk.looking(_on_the_way, source):  # noqa: ASYNC110 # the database says when
        await asyncio.sleep(0.04)


def _judge(scenario: Scenario, url: str, seen: Any) -> int:
    """What stands at the witness against what the database says; how many answers there were."""
    if scenario.fault != "crash":
        scenario.met = bool(seen["met"].get(f"{scenario.name} {scenario.fault}"))
    counts = Counter(post["key"] for post in seen["posts"] if post["room"] == scenario.name)
    rows = ask(url, select(replies).where(replies.c.source == scenario.name))
    stray = set(counts) - {row.key for row in rows}
    if stray or not rows:
        scenario.wrong.append(f"{len(rows)} answers were written, and {len(stray)} sent besides")
    for row in rows:
        if counts[row.key] != 1 or row.state != "sent":
            scenario.wrong.append(f"answer {row.id} is {row.state}, stands {counts[row.key]} times")
    told = ask(
        url,
        select(events.c.mention)
        .where(events.c.source == scenario.name, events.c.what.in_(("answered", "replied"))),
    )  # fmt: skip
    if Counter(row.mention for row in told) != Counter(row.mention for row in rows):
        scenario.wrong.append("the history does not tell of each answer once")
    return len(rows)


def run(database: str, *, quick: bool = False) -> Report:
    """Every pair on a fresh database of that kind; `quick`: on PostgreSQL the crashes only, as
    starting a worker costs more there."""
    faults = ("crash",) if quick and database == "postgres" else FAULTS
    quiet()
    began = time.monotonic()
    scenarios = [
        Scenario(name=f"net{n}", point=point, fault=fault)
        for n, (point, fault) in enumerate(itertools.product(POINTS, faults))
    ]
    warm = Scenario(name="warm", point="", fault="")
    report = Report(database, scenarios)
    witness = Witness.start()
    try:
        with a_database(database) as url:
            desk = answering(a_desk(url, [_room(one) for one in (warm, *scenarios)]))
            for fault in ("lead 500", "lead cut-before"):
                witness.arm(warm.name, fault)
            play(desk, witness, warm, armed=False)
            ready_to_fork(desk)
            Stage(scenarios, partial(play, desk, witness), _AT_ONCE).play_all()
            seen = witness.seen()
            report.answers = sum(_judge(scenario, url, seen) for scenario in scenarios)
    finally:
        witness.close()
    report.seconds = time.monotonic() - began
    return report


def _room(scenario: Scenario) -> Room:
    return Room(platform="local", id=scenario.name)


def answering(desk: Desk) -> Desk:
    """With answers switched on for every source."""
    limit = ReplyLimit(most=500)
    desk.settings = replace(
        desk.settings,
        replies=ReplySettings(enabled=True),
        sources=tuple(replace(source, limit=limit) for source in desk.settings.sources),
    )
    return desk

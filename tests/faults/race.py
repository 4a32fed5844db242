"""The claim race: 50 people in 3 processes want each mention at the same moment; one gets it."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select

from staffbot.desk.arrivals import take_in
from staffbot.desk.claims import claim
from staffbot.desk.ledger import Desk, Tx
from staffbot.desk.people import get_person
from staffbot.model import AlreadyClaimed, Answer, Done, Happened, Person, Room
from staffbot.network import Batch
from staffbot.tables import events, mentions
from tests.faults.ground import a_database, a_desk, ask, forked
from tests.faults.work import incoming, quiet

_PEOPLE = 50
_PROCESSES = 3
# Each process sends so many people to each mention, others each time.
_AT_ONCE = 4
_ROOM = Room(platform="local", id="desk")
_PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Try:
    mention: int
    person: str
    won: bool
    began: float
    ended: float


@dataclass(slots=True)
class Report:
    database: str
    mentions: int
    tries: int = 0
    contested: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        return self.tries > 0 and self.contested * 2 >= self.mentions and not self.wrong

    def problems(self) -> list[str]:
        return self.wrong

    def __str__(self) -> str:
        return (
            f"claim race on {self.database}: {_PEOPLE} people, {_PROCESSES} processes, "
            f"{self.mentions} mentions, {self.tries} claims, {self.contested} mentions contested, "
            f"{len(self.wrong)} doubly owned ({self.seconds:.0f} s)"
        )


def _claim_at_leisure(tx: Tx, number: int, person: Person) -> Answer:
    # Transactions that stay open for a while overlap, on a machine of any speed.
    time.sleep(0.002)
    return claim(tx, number, person)


def _compete(desk: Desk, numbers: list[int], barrier: Barrier, seat: int, told: Path) -> None:
    """In a forked process: its people, a thread each, meet all others at each mention."""
    tries: list[Try] = []

    def one(place: int) -> None:
        for step, number in enumerate(numbers):
            turn = (step * _PROCESSES + seat) * _AT_ONCE + place
            person = desk.look(get_person, f"p{turn % _PEOPLE}")
            assert person is not None
            barrier.wait(_PATIENCE_SECONDS)
            began = time.monotonic()
            answer = desk.act(_claim_at_leisure, number, person)
            assert isinstance(answer, Done | AlreadyClaimed), answer
            ended = time.monotonic()
            tries.append(Try(number, person.key, isinstance(answer, Done), began, ended))

    threads = [threading.Thread(target=one, args=(place,)) for place in range(_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.write_text(json.dumps([(t.mention, t.person, t.won, t.began, t.ended) for t in tries]))


def run(database: str, number: int) -> Report:
    """Race for so many mentions on a fresh database of that kind."""
    quiet()
    report = Report(database, number)
    start = time.monotonic()
    with a_database(database) as url, TemporaryDirectory() as folder:
        desk = a_desk(url, [_ROOM], people=_PEOPLE)
        batch = Batch(mentions=tuple(incoming(_ROOM.id, n) for n in range(1, number + 1)))
        desk.act(take_in, source=_ROOM.id, batch=batch)
        desk.store.close()
        numbers = [row.number for row in ask(url, select(mentions.c.number))]
        barrier = multiprocessing.get_context("fork").Barrier(_PROCESSES * _AT_ONCE)
        told = [Path(folder) / str(seat) for seat in range(_PROCESSES)]
        workers = [
            forked(partial(_compete, desk, numbers, barrier, seat, told[seat]))
            for seat in range(_PROCESSES)
        ]
        for pid in workers:
            _, status = os.waitpid(pid, 0)
            if status != 0:
                report.wrong.append(f"a process ended with {status}")
        tries = [
            Try(*row) for path in told if path.exists() for row in json.loads(path.read_text())
        ]
        _judge(report, url, tries)
    report.seconds = time.monotonic() - start
    return report


def _judge(report: Report, url: str, tries: list[Try]) -> None:
    by_mention: dict[int, list[Try]] = defaultdict(list)
    for attempt in tries:
        by_mention[attempt.mention].append(attempt)
    owners = {
        row.number: row.owner for row in ask(url, select(mentions.c.number, mentions.c.owner))
    }
    happened = select(events.c.mention).where(events.c.what == Happened.CLAIMED)
    claimed = Counter(row.mention for row in ask(url, happened))
    report.tries = len(tries)
    for number, owner in owners.items():
        winners = [attempt for attempt in by_mention[number] if attempt.won]
        if [attempt.person for attempt in winners] != [owner] or claimed[number] != 1:
            report.wrong.append(
                f"mention {number}: owned by {owner}, promised to {len(winners)}, "
                f"claimed {claimed[number]} times"
            )
            continue
        # Contested: somebody else was at it before the winner had the answer.
        report.contested += any(
            attempt.began < winners[0].ended for attempt in by_mention[number] if not attempt.won
        )

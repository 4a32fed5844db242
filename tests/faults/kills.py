"""kill -9 at random moments: nothing lost, nothing doubled, as counted at the witness."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from sqlalchemy import func, select

from staffbot.desk.ledger import Desk
from staffbot.model import Room
from staffbot.tables import arrivals, posts, sources
from tests.faults.ground import LIMIT_SECONDS, a_database, a_desk, ask, forked
from tests.faults.witness import Witness
from tests.faults.work import carry_all, quiet, warm_up, work_until_killed

# A dead worker's room rests until its request's life is over: enough rooms to go on in meanwhile.
_ROOMS = tuple(Room(platform="local", id=f"room{n}") for n in range(64))
_LIFE = timedelta(seconds=1)
# A call takes up to twice so long at the witness.
_DAWDLE = 0.004
# Some are taken so late that the next worker is long at work: it has to wait out their life. They
# begin within 0.4 of a life, so on the slowest machine there is a third of a life to spare.
_LATE = 0.25
# Of the kills, how many come while a worker starts and recovers, and how many within a call.
_AT_START = 0.1
_IN_CALL = 0.7


@dataclass(slots=True)
class Report:
    database: str
    kills: int = 0
    mentions: int = 0
    met: int = 0
    met_posted: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        # Hitting calls is what makes it a test: at least a third of the recoveries met one.
        hit = self.met * 3 >= self.kills
        return hit and not (self.lost or self.doubled or self.stale) and self.mentions > 0

    def __str__(self) -> str:
        return (
            f"kills on {self.database}: {self.kills} kills, {self.mentions} mentions, "
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.stale)} stale; "
            f"{self.met} recoveries met a post in flight, {self.met_posted} of them posted already "
            f"({self.seconds:.0f} s)"
        )

    def problems(self) -> list[str]:
        found = (("lost", self.lost), ("doubled", self.doubled), ("stale", self.stale))
        return [f"{what}: {key}" for what, keys in found for key in keys]


class Killer:
    """Forks workers and kills them, one after the other."""

    def __init__(self, database: str, url: str, desk: Desk, witness: Witness) -> None:
        self.url = url
        self.desk = desk
        self.witness = witness
        self.report = Report(database)
        self._seen_in_flight: set[str] = set()

    def kill(self) -> None:
        """Start a worker, kill it at a random moment, and see what it left in flight."""
        self.witness.hear(0)
        pid = forked(partial(work_until_killed, self.desk, self.witness.url, _ROOMS))
        moment = random.random()
        if moment < _AT_START:
            time.sleep(random.uniform(0, 0.03))
        elif moment < _AT_START + _IN_CALL:
            self.witness.hear(LIMIT_SECONDS)
            time.sleep(random.uniform(0, _DAWDLE))
        else:
            time.sleep(random.uniform(0.02, 0.1))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "the worker ended before it was killed"
        self.report.kills += 1
        self._look_in_flight()

    def _look_in_flight(self) -> None:
        self.witness.hear(0)
        in_flight = ask(
            self.url, select(posts.c.key, posts.c.holder).where(posts.c.state == "sending")
        )
        fresh = [row for row in in_flight if row.holder and row.holder not in self._seen_in_flight]
        self._seen_in_flight.update(row.holder for row in fresh)
        self.report.met += bool(fresh)
        self.report.met_posted += any(row.key in self.witness.taken for row in fresh)

    def settle(self) -> None:
        """Let a worker carry what is left, and count at the witness."""
        self.witness.dawdle(0)
        pid = forked(partial(carry_all, self.desk, self.witness.url, "local"))
        end = time.monotonic() + LIMIT_SECONDS
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            self.witness.hear(0)
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                break
            time.sleep(0.02)
        self._count()

    def _count(self) -> None:
        report = self.report
        seen = self.witness.seen()["posts"]
        counts = Counter(post["key"] for post in seen)
        shown = {post["key"]: post["text"] for post in seen}
        wanted = ask(self.url, select(posts.c.key, posts.c.wanted, posts.c.mention))
        report.mentions = ask(self.url, select(func.count()).select_from(arrivals))[0][0]
        handed_on = sum(int(row.cursor) for row in ask(self.url, select(sources.c.cursor)))
        report.lost += ["a mention behind its cursor"] * (handed_on - report.mentions)
        report.lost += ["a card behind its mention"] * (report.mentions - len(wanted))
        report.lost += [row.key for row in wanted if not counts[row.key]]
        report.doubled += [key for key, number in counts.items() if number > 1]
        report.stale += [
            row.key for row in wanted if shown.get(row.key) != f"{row.key} {row.wanted}"
        ]


def run(database: str, kills: int) -> Report:
    """Kill that many workers on a fresh database of that kind."""
    quiet()
    began = time.monotonic()
    witness = Witness.start()
    try:
        with a_database(database) as url:
            desk = a_desk(url, _ROOMS, life=_LIFE)
            warm_up(desk, witness.url, _ROOMS)
            witness.dawdle(_DAWDLE, late=_LATE)
            killer = Killer(database, url, desk, witness)
            for _ in range(kills):
                killer.kill()
            killer.settle()
    finally:
        witness.close()
    killer.report.seconds = time.monotonic() - began
    return killer.report

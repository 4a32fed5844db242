"""Every figure against a second count of the same events by another method, over made-up histories.

The second count reads all events in order and keeps lists; it knows no SQL, no histogram, no mark.
"""

from __future__ import annotations

import math
import random
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from staffbot import stats
from staffbot.desk import claims, closing, closures, conversations, pausing, undoing
from staffbot.desk.arrivals import take_in
from staffbot.errors import Refused
from staffbot.model import Done, Kind, Outcome, Patron
from staffbot.network import AnsweredAtSource, Batch
from staffbot.settings import OpeningHours, Target, Team
from staffbot.stats import By, Figures
from staffbot.tables import events, mentions, people
from tests.library import Library, opened, sqlite_url

TEAMS = (
    Team(
        key="adult",
        name="Adult services",
        hours=OpeningHours(weekly="Mo-Sa 09:00-18:00", zone=ZoneInfo("Europe/Berlin")),
    ),
    Team(
        key="children",
        name="Children",
        hours=OpeningHours(weekly="Mo-Fr 10:00-16:00", zone=ZoneInfo("America/St_Johns")),
        targets=(Target(claim_within=timedelta(minutes=30), answer_within=timedelta(hours=1)),),
    ),
)
# The Friday before both zones change their clocks, or one of them.
STARTS = (
    datetime(2026, 3, 27, 8, 0, tzinfo=UTC),
    datetime(2026, 3, 6, 15, 0, tzinfo=UTC),
    datetime(2026, 10, 23, 8, 0, tzinfo=UTC),
)
CLAIMS = ("claimed", "assigned", "handed_over")
STAFF = ("ana", "ben", "mia", "desk")


# --- the second count ---------------------------------------------------------------------------


@dataclass
class Pile:
    """What belongs to one group, as lists."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    claims: list[tuple[int, bool]] = field(default_factory=list)
    answers: list[tuple[int, bool]] = field(default_factory=list)

    def add(self, row: Any, expects: bool, target: Target) -> None:
        if row.what == "received":
            self.counts["received"] += 1
            self.counts["expecting" if expects else "heard"] += 1
        elif row.what in ("closed", "reopened"):
            self.counts[row.what] += 1
        elif row.what == "answered":
            self.counts["answered"] += 1
            if expects:
                allowed = target.answer_within.total_seconds()
                self.answers.append((row.open_seconds, row.open_seconds <= allowed))
        elif row.what in CLAIMS:
            self.counts["claimed"] += 1
            if expects:
                allowed = target.claim_within.total_seconds()
                self.claims.append((row.open_seconds, row.open_seconds <= allowed))


class SecondCount:
    """All events in order; what is undone is skipped, the rest folded mention by mention."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.events = [row for row in library.rows(events) if row.undone_by is None]
        self.mentions = {row.number: row for row in library.rows(mentions)}
        self.shared = {row.key for row in library.rows(people) if row.shared}

    def piles(
        self,
        start: datetime,
        end: datetime,
        teams: Sequence[str],
        keys: Callable[[Any, str | None], list[str]],
        person: str | None = None,
    ) -> dict[str, Pile]:
        piles: dict[str, Pile] = defaultdict(Pile)
        for row, doer, measured, first in self.told():
            counted = start <= row.at < end and row.team in teams
            if not counted or not first or (person is not None and doer != person):
                continue
            for key in keys(row, doer):
                piles[key].add(row, measured, self._target(row))
        return {key: pile for key, pile in piles.items() if pile.counts}

    def told(self) -> Iterator[tuple[Any, str | None, bool, bool]]:
        """Each event with who did it, whether an answer was expected then, and whether it counts
        as a claim: only the first one of a cycle does."""
        expects: dict[int, bool] = {}
        claimed: set[tuple[int, int]] = set()
        for row in self.events:
            is_claim = row.what in CLAIMS
            if row.what == "received":
                expects[row.mention] = row.detail["expects"]
            if row.what == "clock_set":
                expects[row.mention] = not row.detail["before"]["expects_answer"]
            if row.what == "reopened":  # an answer is owed from then on, also where none was
                expects[row.mention] = True
            first = not is_claim or (row.mention, row.cycle) not in claimed
            if is_claim:
                claimed.add((row.mention, row.cycle))
            doer = row.detail["to"] if is_claim else row.person
            yield row, doer, expects.get(row.mention, False), first
            if row.detail.get("thanks"):
                expects[row.mention] = False

    def _target(self, row: Any) -> Target:
        if row.mention is None:
            return Target()
        kind = Kind(self.mentions[row.mention].kind)
        return self.library.settings.team(row.team).target(row.source, kind)

    def in_hand(self, teams: Sequence[str]) -> set[int]:
        """The mentions that are open or claimed with these teams, by the fold of their events."""
        where: dict[int, str] = {}
        closed: set[int] = set()
        for row in self.events:
            if row.what == "received":
                where[row.mention] = row.team
            elif row.what == "moved":
                where[row.mention] = row.detail["to"]
            elif row.what == "closed":
                closed.add(row.mention)
            elif row.what == "reopened":
                closed.discard(row.mention)
        return {number for number, team in where.items() if team in teams} - closed

    def overdue(self, numbers: set[int], now: datetime) -> set[int]:
        return {
            number
            for number in numbers
            if (row := self.mentions[number]).expects_answer
            and row.answered_at is None
            and row.waiting_since is None
            and row.answer_due_at is not None
            and row.answer_due_at < now
        }


def local_key(by: By, at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    match by:
        case By.HOUR:
            return f"{local:%H}"
        case By.DAY:
            return f"{local:%Y-%m-%d}"
        case By.WEEK:
            year, week, _ = local.isocalendar()
            return date.fromisocalendar(year, week, 1).isoformat()
        case _:
            return f"{local:%Y-%m}"


def keys_of(by: By | None, second: SecondCount) -> Callable[[Any, str | None], list[str]]:
    def keys(row: Any, doer: str | None) -> list[str]:
        match by:
            case None:
                return ["all"]
            case By.PERSON:
                return [doer] if doer and doer not in second.shared else []
            case By.SOURCE:
                return [row.source]
            case By.TEAM:
                return [row.team]
            case By.OUTCOME:
                return [row.detail["outcome"]] if row.what == "closed" else []
            case By.TOPIC:
                return (row.detail["topics"] or ["no topic"]) if row.what == "closed" else []
            case _:
                zone = second.library.settings.team(row.team).hours.zone
                return [local_key(by, row.at, zone)]

    return keys


def same(found: Figures, pile: Pile) -> None:
    for name in ("received", "expecting", "heard", "claimed", "answered", "closed", "reopened"):
        assert getattr(found, name) == pile.counts[name], name
    for times, all_ in ((found.to_claim, pile.claims), (found.to_answer, pile.answers)):
        assert times.n == len(all_)
        if len(all_) < 5:
            assert (times.median, times.ninetieth, times.within, times.share) == (None,) * 4
            continue
        seconds = sorted(taken for taken, _ in all_)
        assert times.median == timedelta(seconds=statistics.median(seconds))
        assert times.ninetieth == timedelta(seconds=seconds[math.ceil(len(seconds) * 0.9) - 1])
        assert times.within == sum(in_time for _, in_time in all_)
        assert times.share == statistics.mean(in_time for _, in_time in all_)


def agrees(library: Library, start: datetime, end: datetime, teams: Sequence[str]) -> None:
    """Every grouping of the figures is what the second count says."""
    second, now = SecondCount(library), library.clock.now
    for by in (None, *By):
        found = counted(library, start, end, teams, by)
        same(found, second.piles(start, end, teams, keys_of(None, second)).get("all", Pile()))
        held = second.in_hand(teams)
        assert found.open == len(held)
        assert found.overdue == len(second.overdue(held, now))
        if by is None:
            continue
        piles = second.piles(start, end, teams, keys_of(by, second))
        for group in found.groups:
            same(group.figures, piles.pop(group.key, Pile()))
        assert not piles
        if by in (By.SOURCE, By.TEAM):
            assert sum(group.figures.open for group in found.groups) == found.open
            assert sum(group.figures.overdue for group in found.groups) == found.overdue
        if by is By.PERSON:
            for group in found.groups:
                own = {n for n in held if second.mentions[n].owner == group.key}
                assert group.figures.open == len(own)
    for who in STAFF:
        mine = counted(library, start, end, teams, None, person=who)
        same(mine, second.piles(start, end, teams, keys_of(None, second), who).get("all", Pile()))


def counted(
    library: Library,
    start: datetime,
    end: datetime,
    teams: Sequence[str],
    by: By | None,
    person: str | None = None,
) -> Figures:
    return library.desk.look(
        lambda tx: stats.figures(
            tx.conn,
            tx.settings,
            start=start,
            end=end,
            now=tx.now,
            teams=teams,
            by=by,
            person=person,
        )
    )


# --- histories ----------------------------------------------------------------------------------


def live(library: Library, chance: random.Random, steps: int) -> None:
    """Staff and patrons do what they do, through the real use cases; refusals are part of life."""
    newest: list[tuple[int, str]] = []
    for _ in range(steps):
        library.clock.forward(seconds=chance.choice([7, 60, 600, 1_777, 3_600, 40_000]))
        who = library.person(chance.choice(STAFF))
        total = library.posted
        number = chance.randint(1, total) if total else 0
        what = chance.choices(list(ACTS), weights=[weight for weight, _ in ACTS.values()])[0]
        if not number and what != "arrives":
            continue
        try:
            done = ACTS[what][1](library, chance, number, who)
        except Refused:
            continue
        if isinstance(done, Done) and done.event is not None:
            newest.append((done.event, who.key))
        if newest and chance.random() < 0.2:
            event, key = newest.pop()
            try:
                library.desk.act(undoing.undo, event, library.person(key))
            except Refused:
                continue


def _arrives(library: Library, chance: random.Random, number: int, who: Any) -> None:
    for _ in range(chance.choice([1, 1, 3])):
        library.take_in(
            library.incoming(
                source=chance.choice(["social", "blog"]),
                kind=chance.choice([Kind.MENTION, Kind.MESSAGE, Kind.HASHTAG]),
                patron=Patron(name=f"Patron {library.posted}"),
            )
        )


def _close(library: Library, chance: random.Random, number: int, who: Any) -> Any:
    at = (
        library.clock.now - timedelta(minutes=chance.randint(0, 90))
        if chance.random() < 0.4
        else None
    )
    topics = chance.sample(["idea", "thanks", "question"], chance.randint(0, 2))
    outcome = chance.choice([Outcome.ANSWERED, Outcome.ANSWERED, Outcome.SPAM, Outcome.PASSED_ON])
    return library.desk.act(closing.close, number, who, outcome=outcome, topics=topics, at=at)


def _answered_there(library: Library, chance: random.Random, number: int, who: Any) -> None:
    at = library.clock.now - timedelta(minutes=chance.randint(0, 300))
    for source in ("social", "blog"):
        change = AnsweredAtSource(native_id=f"n{number}", at=at, account="library")
        library.desk.act(take_in, source=source, batch=Batch(changes=(change,)))


def _closure(library: Library, chance: random.Random, number: int, who: Any) -> Any:
    starts = library.clock.now + timedelta(hours=chance.randint(-3, 30))
    announcement = closures.Announcement(
        team=chance.choice([None, "adult"]), starts_at=starts, ends_at=starts + timedelta(hours=6),
        opens=chance.random() < 0.3, reason="", said="then",
    )  # fmt: skip
    return library.desk.act(closures.announce, announcement, who)


def _assign(library: Library, chance: random.Random, number: int, who: Any) -> Any:
    return library.desk.act(claims.assign, number, library.person(chance.choice(STAFF)), who)


def _hand_over(library: Library, chance: random.Random, number: int, who: Any) -> Any:
    to = library.person(chance.choice(STAFF)) if chance.random() < 0.7 else None
    return library.desk.act(claims.hand_over, who, to)


def _link(library: Library, chance: random.Random, number: int, who: Any) -> Any:
    return library.desk.act(conversations.link, number, chance.randint(1, library.posted), who)


def _move(library: Library, chance: random.Random, number: int, who: Any) -> Any:
    return library.desk.act(conversations.move, number, chance.choice(["adult", "children"]), who)


def _clock(library: Library, chance: random.Random, number: int, who: Any) -> Any:
    return library.desk.act(conversations.set_clock, number, who, chance.random() < 0.5)


def _plain(use_case: Any) -> Any:
    return lambda library, chance, number, who: library.desk.act(use_case, number, who)


ACTS: dict[str, tuple[int, Any]] = {
    "arrives": (30, _arrives),
    "claim": (25, _plain(claims.claim)),
    "close": (25, _close),
    "release": (5, _plain(claims.release)),
    "assign": (8, _assign),
    "hand over": (4, _hand_over),
    "thanks": (3, _plain(closing.thanks)),
    "reopen": (8, _plain(closing.reopen)),
    "move": (6, _move),
    "link": (3, _link),
    "clock": (4, _clock),
    "wait": (4, _plain(pausing.wait)),
    "wake": (3, _plain(pausing.wake)),
    "answered there": (6, _answered_there),
    "closure": (2, _closure),
    "private": (2, _plain(conversations.keep_private)),
}


def looked_at(library: Library, began: datetime, chance: random.Random) -> None:
    now = library.clock.now
    everything = ("adult", "children")
    agrees(library, began - timedelta(days=1), now + timedelta(days=1), everything)
    moments = sorted(row.at for row in library.rows(events))
    # Edges that lie exactly on an event: the first is in, the last is not.
    start, end = sorted(chance.sample(moments, 2)) if len(moments) > 1 else (began, now)
    agrees(library, start, end, [chance.choice(everything)])


@given(seed=st.integers(0, 2**32), start=st.sampled_from(STARTS), steps=st.integers(1, 70))
@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_figures_are_what_a_second_count_says(seed: int, start: datetime, steps: int) -> None:
    chance = random.Random(seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(sqlite_url(Path(folder)), teams=TEAMS) as library,
    ):
        library.clock.now = start
        live(library, chance, steps)
        looked_at(library, start, chance)


def test_both_databases_count_alike(library: Library) -> None:
    library.reconfigure(teams=TEAMS)
    chance = random.Random(11)
    library.clock.now = STARTS[0]
    live(library, chance, 220)
    looked_at(library, STARTS[0], chance)

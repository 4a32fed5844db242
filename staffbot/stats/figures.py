"""The figures of a stretch of time: one count for the answer, the chart, the digest and the CSV.

The rules, which `RULES` says to people: each thing counts at the time when it happened and with the
team that had the mention then; undone acts never happened; times are those measured at that moment.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from staffbot.model import Happened, Outcome
from staffbot.settings import Settings
from staffbot.stats import periods
from staffbot.stats.counting import CLAIMS, By, counted, every_team, in_hand
from staffbot.tables import people
from staffbot.words import OUTCOMES

# Fewer than these are too few for a median or a share: they would tell about single people.
FEWEST = 5
_NO_TOPIC = "no topic"
_NAMES = (
    "received", "expecting", "heard", "claimed", "answered", "closed", "reopened", "open",
    "overdue",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Times in opening time, of those that expected an answer: how many, and how they lie.

    Where `n` is below FEWEST, only `n` is said. `ninetieth`: nine of ten took no longer.
    """

    n: int = 0
    median: timedelta | None = None
    ninetieth: timedelta | None = None
    within: int | None = None

    @property
    def share(self) -> float | None:
        """The share within target, 0 to 1; None where there are too few to say."""
        return None if self.within is None else self.within / self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What happened from `start` up to, not including, `end`; `open` and `overdue` are as of now."""

    start: datetime
    end: datetime
    teams: tuple[str, ...]
    person: str | None = None
    received: int = 0
    expecting: int = 0
    heard: int = 0
    claimed: int = 0
    answered: int = 0
    closed: int = 0
    reopened: int = 0
    open: int = 0
    overdue: int = 0
    to_claim: Times = Times()
    to_answer: Times = Times()
    by: By | None = None
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The figures of one person, source, team, outcome, topic or stretch of local time."""

    key: str
    label: str
    figures: Figures


def figures(
    conn: Connection,
    settings: Settings,
    *,
    start: datetime,
    end: datetime,
    now: datetime,
    teams: Sequence[str] = (),
    by: By | None = None,
    person: str | None = None,
) -> Figures:
    """Count. No team named means all; `person` counts only what that staff member did.

    Groups by person leave out shared desk logins and what nobody did by hand.
    """
    chosen = tuple(teams) or every_team(conn)
    everything = _Tally()
    tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
    rows = counted(conn, teams=chosen, start=start, end=end, by=by, person=person)
    keys = _keys(by, settings)
    for what, mark, within, amount, often, *group in rows:
        taken = _taken(often) if within is not None else ()
        everything.add(what, mark, within, int(amount), taken)
        for key in keys(*group) if by is not None else ():
            tallies[key].add(what, mark, within, int(amount), taken)
    for held in in_hand(conn, teams=chosen, now=now, by=by, person=person):
        everything.hold(held.open, held.overdue)
        if held.key:
            tallies[held.key].hold(held.open, held.overdue)

    def made(tally: _Tally, groups: tuple[Group, ...] = ()) -> Figures:
        return Figures(
            start=start, end=end, teams=chosen, person=person, by=by, groups=groups,
            **tally.counts, to_claim=tally.to_claim.times(), to_answer=tally.to_answer.times(),
        )  # fmt: skip

    if by is None:
        return made(everything)
    for key in _in_any_case(by, settings, chosen, start, end, now):
        tallies.setdefault(key, _Tally())
    labels = _labels(conn, settings, by, tallies)
    groups = tuple(
        Group(key=key, label=labels[key], figures=made(tallies[key]))
        for key in _in_order(tallies, labels, by)
    )
    return made(everything, groups)


# --- groups -------------------------------------------------------------------------------------


def _in_any_case(
    by: By, settings: Settings, teams: Sequence[str], start: datetime, end: datetime, now: datetime
) -> Iterable[str]:
    """The groups that are shown also where nothing came in: each team, each stretch of time."""
    if by is By.TEAM:
        return teams
    if by.of_time and by is not By.HOUR:
        zone = settings.team(teams[0] if teams else "").hours.zone
        return periods.every_key(start, min(end, max(now, start)), zone, by)
    return ()


def _keys(by: By | None, settings: Settings) -> Callable[..., Sequence[str]]:
    """What tells the groups of a row from its key, and its team where they are of local time."""
    if by is By.TOPIC:
        return lambda topics: () if topics is None else json.loads(topics) or (_NO_TOPIC,)
    if by is None or not by.of_time:
        return lambda key: () if key is None else (key,)
    of_time = by
    calendars: dict[str, periods.Calendar] = {}

    def local(quarter: int, team: str) -> Sequence[str]:
        calendar = calendars.get(team)
        if calendar is None:
            calendar = periods.Calendar(settings.team(team).hours.zone, of_time)
            calendars[team] = calendar
        return (calendar.key(quarter),)

    return local


def _labels(
    conn: Connection, settings: Settings, by: By, tallies: Mapping[str, Any]
) -> dict[str, str]:
    """How each group is called; a key that is not in it is not shown."""
    match by:
        case By.PERSON:
            named = select(people.c.key, people.c.name).where(people.c.shared.is_(False))
            names = {row.key: row.name for row in conn.execute(named)}
            return {key: names[key] for key in tallies if key in names}
        case By.SOURCE:
            return {key: settings.source(key).shown_as for key in tallies}
        case By.TEAM:
            names = {team.key: team.name for team in settings.teams}
            return {key: names.get(key, key) for key in tallies}
        case By.OUTCOME:
            return {key: OUTCOMES[Outcome(key)] for key in tallies}
        case By.TOPIC:
            return {key: key for key in tallies}
        case By.HOUR | By.DAY | By.WEEK | By.MONTH:
            return {key: periods.label_of(key, by) for key in tallies}


def _in_order(tallies: Mapping[str, _Tally], labels: Mapping[str, str], by: By) -> list[str]:
    """Time as it goes, people by name so that nobody is ranked, all else by how much it is."""

    def place(key: str) -> tuple[int, str]:
        if by.of_time:
            return 0, key
        if by is By.PERSON:
            return 0, labels[key].casefold()
        counts = tallies[key].counts
        return -(counts["received"] or counts["closed"]), labels[key].casefold()

    return sorted(labels, key=place)


# --- sums ---------------------------------------------------------------------------------------


_Taken = Sequence[tuple[int, int]]


def _taken(often: str | None) -> _Taken:
    """`1200x3,1260x1` as pairs."""
    pairs = (each.split("x") for each in often.split(",")) if often else ()
    return [(int(seconds), int(times)) for seconds, times in pairs]


@dataclass(slots=True)
class _Measured:
    """How often each time was taken; a whole history has few different ones."""

    seconds: Counter[int] = field(default_factory=Counter)
    within: int = 0

    def times(self) -> Times:
        n = self.seconds.total()
        if n < FEWEST:
            return Times(n=n)
        middle = self._nth((n + 1) // 2) + self._nth(n // 2 + 1)
        return Times(
            n=n,
            median=timedelta(seconds=middle / 2),
            ninetieth=timedelta(seconds=self._nth(-(-9 * n // 10))),
            within=self.within,
        )

    def _nth(self, place: int) -> int:
        """The time at that place, counted from 1, of all in order."""
        for seconds in sorted(self.seconds):
            place -= self.seconds[seconds]
            if place <= 0:
                return seconds
        raise AssertionError("there is no such place")


_COUNTS: dict[str, str] = {
    Happened.ANSWERED: "answered",
    Happened.CLOSED: "closed",
    Happened.REOPENED: "reopened",
    **dict.fromkeys(CLAIMS, "claimed"),
}


@dataclass(slots=True)
class _Tally:
    """What is counted of one group so far."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_NAMES, 0))
    to_claim: _Measured = field(default_factory=_Measured)
    to_answer: _Measured = field(default_factory=_Measured)

    def add(self, what: str, mark: int, within: bool | None, amount: int, taken: _Taken) -> None:
        if what == Happened.RECEIVED:
            self.counts["received"] += amount
            self.counts["expecting" if mark else "heard"] += amount
        elif mark:
            self.counts[_COUNTS[what]] += amount
            measured = self.to_answer if what == Happened.ANSWERED else self.to_claim
            for seconds, times in taken:
                measured.seconds[seconds] += times
                if within:
                    measured.within += times

    def hold(self, open_: int, overdue: int) -> None:
        self.counts["open"] += open_
        self.counts["overdue"] += overdue

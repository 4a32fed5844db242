"""Opening hours against a minute-by-minute oracle, and over every clock in the zone database.

The oracle walks through the minutes of UTC with the clock on the wall and knows one rule: the doors
follow the latest time that the clock has shown so far. It uses nothing of staffbot.hours or
opening_hours. STAFFBOT_HOURS_CASES raises the number of cases a zone, EVERY_ZONE=1 takes every
name in the zone database instead of one of each behaviour.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import accumulate
from operator import itemgetter
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from staffbot.hours import Closure, Hours
from staffbot.settings import OpeningHours

CASES_PER_ZONE = int(os.environ.get("STAFFBOT_HOURS_CASES", "15"))
EVERY_ZONE = bool(os.environ.get("EVERY_ZONE"))

ZONES = (
    *("UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Istanbul"),
    *("America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo"),
    *("America/Santiago", "America/Havana", "America/Asuncion", "America/Nuuk"),
    *("Africa/Cairo", "Africa/Casablanca", "Asia/Beirut", "Asia/Kolkata", "Asia/Kathmandu"),
    *("Asia/Tokyo", "Asia/Gaza", "Atlantic/Azores", "Australia/Lord_Howe", "Australia/Adelaide"),
    *("Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Antarctica/Troll"),
)
DAY_NAMES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY = 24 * 60
WINDOW_DAYS = 12
YEARS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))

BEFORE = 4

Span = tuple[int, int]
OnTheWall = Callable[[bytearray], tuple[int, ...]]


def changes(zone: ZoneInfo) -> Iterator[datetime]:
    """Each moment of the two years at which the zone's clock is put forward or back."""
    step = timedelta(days=1)
    at = YEARS[0]
    while at < YEARS[1]:
        if at.astimezone(zone).utcoffset() != (at + step).astimezone(zone).utcoffset():
            low, high = at, at + step
            while high - low > timedelta(minutes=1):
                middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            yield high
        at += step


@dataclass(frozen=True)
class Window:
    """A stretch of minutes with a change of the clock in its middle, or a plain one.

    `on_the_wall` picks, for every minute, the latest time that the clock has shown, out of the
    minutes of the wall clock from BEFORE days before the stretch on. `turn` is the quarter of an
    hour, counted from there too, that the clock shows at the change.
    """

    start: datetime
    on_the_wall: OnTheWall
    turn: int
    middle: int


@cache
def windows(name: str) -> tuple[Window, ...]:
    zone = ZoneInfo(name)
    result = []
    for centre in [*list(changes(zone))[:2], datetime(2026, 6, 10, tzinfo=UTC)]:
        start = centre.replace(hour=0, minute=0) - timedelta(days=WINDOW_DAYS // 2)
        zero = (start.toordinal() - BEFORE) * DAY
        walls = [
            wall.toordinal() * DAY + wall.hour * 60 + wall.minute - zero
            for minute in range(WINDOW_DAYS * DAY)
            for wall in [(start + timedelta(minutes=minute)).astimezone(zone)]
        ]
        middle = (centre - start) // timedelta(minutes=1)
        picked = itemgetter(*accumulate(walls, max))
        result.append(Window(start, picked, walls[middle] // 15, middle))
    return tuple(result)


@dataclass(frozen=True)
class Case:
    """What hypothesis makes up, counted from the change of the clock.

    Openings are weekly: (quarter of an hour at which they begin, quarters that they last).
    """

    window: int
    openings: tuple[Span, ...]
    free: frozenset[int]
    closures: tuple[tuple[int, int, bool], ...]
    first: int
    last: int
    wanted: int


near_quarters = st.tuples(st.integers(-12, 12), st.integers(1, 12))
any_quarters = st.tuples(st.integers(-4 * 84, 4 * 84 - 1), st.integers(1, 96))
minutes = st.one_of(st.integers(-5 * DAY, 5 * DAY), st.integers(-300, 300))
closures = st.tuples(minutes, st.integers(1, 3 * DAY), st.booleans())
cases = st.builds(
    Case,
    window=st.integers(0, 2),
    openings=st.lists(st.one_of(near_quarters, any_quarters), min_size=1, max_size=8).map(tuple),
    free=st.frozensets(st.integers(-3, 3), max_size=2),
    closures=st.lists(closures, max_size=3).map(tuple),
    first=minutes,
    last=minutes,
    wanted=st.integers(1, 40 * 60),
)


@dataclass(frozen=True)
class Doors:
    """A case set on a window: a week of openings in minutes, free days, closures."""

    week: tuple[tuple[Span, ...], ...]
    free: frozenset[date]
    closures: tuple[tuple[int, int, bool], ...]

    @classmethod
    def of(cls, case: Case, window: Window) -> Doors:
        first_day = window.start.date() - timedelta(days=BEFORE)
        week: list[list[Span]] = [[] for _ in range(7)]
        for quarter, lasts in case.openings:
            day, begins = divmod(window.turn + quarter, DAY // 15)
            weekday = (first_day + timedelta(days=day)).weekday()
            week[weekday].append((begins * 15, (begins + lasts) * 15))
        changing = first_day + timedelta(days=window.turn * 15 // DAY)
        return cls(
            week=tuple(map(tuple, week)),
            free=frozenset(changing + timedelta(days=ahead) for ahead in case.free),
            closures=tuple(
                (window.middle + begin, window.middle + begin + lasts, opens)
                for begin, lasts, opens in case.closures
            ),
        )


def oracle(doors: Doors, window: Window) -> bytearray:
    """Whether the doors are open, of each minute of the window."""
    first_day = window.start.date() - timedelta(days=BEFORE)
    shown = bytearray((WINDOW_DAYS + 9) * DAY)
    for number in range(WINDOW_DAYS + 6):
        day = first_day + timedelta(days=number)
        for begin, end in () if day in doors.free else doors.week[day.weekday()]:
            shown[number * DAY + begin : number * DAY + end] = b"\1" * (end - begin)
    line = bytearray(window.on_the_wall(shown))
    for begin, end, opens in doors.closures:
        line[begin:end] = bytes([opens]) * (min(end, len(line)) - begin)
    return line


def hours_of(doors: Doors, start: datetime, zone: ZoneInfo) -> Hours:
    def shown(minute: int) -> str:
        return f"{minute // 60:02}:{minute % 60:02}"

    rules = (
        f"{name} {','.join(f'{shown(begin)}-{shown(end)}' for begin, end in spans)}"
        for name, spans in zip(DAY_NAMES, doors.week, strict=True)
        if spans
    )
    return Hours(
        OpeningHours(weekly="; ".join(rules), zone=zone, holidays=doors.free),
        [
            Closure(start + timedelta(minutes=begin), start + timedelta(minutes=end), opens, "")
            for begin, end, opens in doors.closures
        ],
    )


def drawn(hours: Hours, start: datetime) -> bytearray:
    """The minutes of the window that lie in the openings of its days."""
    line = bytearray(WINDOW_DAYS * DAY)
    for number in range(-BEFORE, WINDOW_DAYS + 2):
        for opens, shuts in hours.periods(start.date() + timedelta(days=number)):
            begin, end = ((at - start) // timedelta(minutes=1) for at in (opens, shuts))
            begin, end = max(begin, 0), min(end, len(line))
            if begin < end:
                line[begin:end] = b"\1" * (end - begin)
    return line


def check(case: Case, name: str) -> None:
    known = windows(name)
    window = known[case.window % len(known)]
    start, doors = window.start, Doors.of(case, window)
    line = oracle(doors, window)
    hours = hours_of(doors, start, ZoneInfo(name))
    assert drawn(hours, start) == line

    sums = [0, *accumulate(line)]
    first, last = sorted((window.middle + case.first, window.middle + case.last))
    at, end = start + timedelta(minutes=first), start + timedelta(minutes=last)
    assert hours.is_open(at) == bool(line[first])
    assert hours.is_open(end - timedelta(seconds=1)) == bool(line[last - 1])
    assert hours.open_time_between(at, end) == timedelta(minutes=sums[last] - sums[first])

    due = hours.add_open_time(at, timedelta(minutes=case.wanted))
    index = bisect_left(sums, sums[first] + case.wanted)
    if index < len(sums):
        assert due == start + timedelta(minutes=index)
    else:
        assert due is None or due > start + timedelta(minutes=len(line))

    opening = line.find(1, first)
    if opening >= 0:
        assert hours.next_opening(at) == start + timedelta(minutes=opening)
        closing = line.find(0, opening)
        if closing >= 0:
            shuts = start + timedelta(minutes=closing)
            assert hours.next_closing(at) == shuts
            assert not hours.is_open(shuts)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ZONES)
def test_against_the_minutes(name: str) -> None:
    @settings(
        max_examples=CASES_PER_ZONE,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def agrees(case: Case) -> None:
        check(case, name)

    agrees()


@lru_cache(maxsize=1)
def clocks() -> tuple[str, ...]:
    """One zone of each behaviour in the two years, or every name."""
    names = sorted(available_timezones() - {"localtime", "Factory"})
    if EVERY_ZONE:
        return tuple(names)
    seen: dict[tuple[object, ...], str] = {}
    for name in names:
        zone = ZoneInfo(name)
        moments = [YEARS[0], *changes(zone)]
        seen.setdefault(tuple((at, at.astimezone(zone).utcoffset()) for at in moments), name)
    return tuple(seen.values())


def each_day() -> Iterator[date]:
    day = YEARS[0].date()
    while day < YEARS[1].date():
        yield day
        day += timedelta(days=1)


@pytest.mark.timeout(900)
def test_one_first_opening_a_day_under_every_clock() -> None:
    """What a digest hangs on: each local day opens once, at the time its hours say."""
    assert len(clocks()) > 50
    for name in clocks():
        hours = Hours(OpeningHours(weekly="Mo-Su 09:00-17:00", zone=ZoneInfo(name)))
        before = None
        for day in each_day():
            opening = hours.first_opening(day)
            assert opening is not None, (name, day)
            shown = hours.local(opening)
            assert (shown.date(), shown.hour, shown.minute) == (day, 9, 0), (name, day)
            assert before is None or opening > before, (name, day)
            assert hours.next_opening(opening - timedelta(hours=1)) == opening, (name, day)
            before = opening


@pytest.mark.timeout(900)
def test_no_hour_is_lost_or_counted_twice_under_every_clock() -> None:
    """Days that never shut follow each other without a seam, changes of the clock included."""
    for name in clocks():
        zone = ZoneInfo(name)
        hours = Hours(OpeningHours(weekly="Mo-Su 00:00-24:00", zone=zone))
        end = None
        for day in each_day():
            ((opens, shuts),) = hours.periods(day)
            assert end is None or opens == end, (name, day)
            end = shuts
        start = YEARS[0] + timedelta(days=30)
        assert hours.open_time_between(start, YEARS[1]) == YEARS[1] - start, name
        for change in changes(zone):
            early, late = change - timedelta(hours=5), change + timedelta(hours=5)
            assert hours.add_open_time(early, timedelta(hours=10)) == late, (name, change)


@pytest.mark.timeout(900)
def test_due_dates_of_every_day_under_every_clock() -> None:
    """Eight open hours from 17:00: 16:00 of the next open day, over each weekend and change."""
    for name in clocks():
        zone = ZoneInfo(name)
        hours = Hours(OpeningHours(weekly="Mo-Fr 09:00-18:00", zone=zone))
        for day in each_day():
            came = datetime(day.year, day.month, day.day, 17, tzinfo=zone)
            due = hours.add_open_time(came, timedelta(hours=8))
            assert due is not None, (name, day)
            ahead = {4: 3, 5: 2}.get(day.weekday(), 1)
            # a weekend's whole eight hours are Monday's: 09:00 to 17:00
            hour = 17 if day.weekday() > 4 else 16
            expected = datetime(day.year, day.month, day.day, hour) + timedelta(days=ahead)  # noqa: DTZ001
            assert hours.local(due).replace(tzinfo=None, fold=0) == expected, (name, day)
            assert hours.open_time_between(came, due) == timedelta(hours=8), (name, day)


@settings(max_examples=200, deadline=None, database=None)
@given(
    name=st.sampled_from(ZONES),
    start=st.datetimes(datetime(2026, 1, 2), datetime(2026, 12, 30)),  # noqa: DTZ001
    one=st.timedeltas(timedelta(0), timedelta(hours=60)),
    two=st.timedeltas(timedelta(0), timedelta(hours=60)),
)
def test_sums_agree_to_the_microsecond(
    name: str, start: datetime, one: timedelta, two: timedelta
) -> None:
    hours = Hours.of(
        OpeningHours(weekly="Mo-Th 09:00-18:00; Fr,Sa 20:00-04:00", zone=ZoneInfo(name))
    )
    at = start.replace(tzinfo=UTC)
    due = hours.add_open_time(at, one)
    assert due is not None
    assert hours.open_time_between(at, due) == one
    later = hours.add_open_time(due, two)
    assert later == hours.add_open_time(at, one + two)

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


@cache
def windows(name: str) -> tuple[tuple[datetime, OnTheWall], ...]:
    """Stretches of minutes: around two changes of the clock, and a plain one.

    Each with what picks, for every minute, the latest time that the clock on the wall has shown,
    out of the minutes of the wall clock from BEFORE days before the stretch on.
    """
    zone = ZoneInfo(name)
    centres = [*list(changes(zone))[:2], datetime(2026, 6, 10, tzinfo=UTC)]
    result = []
    for centre in centres:
        start = centre.replace(hour=0, minute=0) - timedelta(days=WINDOW_DAYS // 2)
        walls = [
            (wall.toordinal() * DAY + wall.hour * 60 + wall.minute)
            for minute in range(WINDOW_DAYS * DAY)
            for wall in [(start + timedelta(minutes=minute)).astimezone(zone)]
        ]
        zero = (start.toordinal() - BEFORE) * DAY
        result.append((start, itemgetter(*(wall - zero for wall in accumulate(walls, max)))))
    return tuple(result)


@dataclass(frozen=True)
class Case:
    """What hypothesis makes up; closures and asked minutes count from the window's start."""

    window: int
    week: tuple[tuple[Span, ...], ...]
    free: frozenset[int]
    closures: tuple[tuple[int, int, bool], ...]
    first: int
    last: int
    wanted: int


quarters = st.integers(0, DAY // 15 - 1).map(lambda quarter: quarter * 15)
lengths = st.integers(1, DAY // 15).map(lambda quarter: quarter * 15)
spans = st.tuples(quarters, lengths).map(lambda pair: (pair[0], pair[0] + pair[1]))
# Around two in the morning is where clocks change.
nights = st.tuples(st.integers(-8, 8), st.integers(1, 12)).map(
    lambda pair: (max(0, 120 + pair[0] * 15), max(0, 120 + pair[0] * 15) + pair[1] * 15)
)
openings = st.lists(
    st.tuples(st.integers(0, 6), st.one_of(spans, nights)), min_size=1, max_size=10
).map(lambda drawn: tuple(tuple(s for of, s in drawn if of == day) for day in range(7)))
minutes = st.integers(0, WINDOW_DAYS * DAY - 1)
# About the middle, that is, near the change of the clock.
middles = st.integers(-2 * DAY, 2 * DAY).map(lambda near: WINDOW_DAYS * DAY // 2 + near)
closures = st.tuples(middles, st.integers(1, 3 * DAY), st.booleans()).map(
    lambda three: (three[0], three[0] + three[1], three[2])
)
cases = st.builds(
    Case,
    window=st.integers(0, 2),
    week=openings,
    free=st.frozensets(st.integers(0, WINDOW_DAYS), max_size=2),
    closures=st.lists(closures, max_size=3).map(tuple),
    first=st.one_of(minutes, middles),
    last=st.one_of(minutes, middles),
    wanted=st.integers(1, 40 * 60),
)


def oracle(case: Case, start: datetime, on_the_wall: OnTheWall) -> bytearray:
    """Whether the doors are open, of each minute of the window."""
    first_day = start.date().toordinal() - BEFORE
    shown = bytearray((WINDOW_DAYS + 9) * DAY)
    for number in range(WINDOW_DAYS + 6):
        day = first_day + number
        if day - start.date().toordinal() in case.free:
            continue
        for begin, end in case.week[date.fromordinal(day).weekday()]:
            shown[number * DAY + begin : number * DAY + end] = b"\1" * (end - begin)
    line = bytearray(on_the_wall(shown))
    for begin, end, opens in case.closures:
        line[begin:end] = bytes([opens]) * (min(end, len(line)) - begin)
    return line


def hours_of(case: Case, start: datetime, zone: ZoneInfo) -> Hours:
    def shown(minute: int) -> str:
        return f"{minute // 60:02}:{minute % 60:02}"

    rules = (
        f"{name} {','.join(f'{shown(begin)}-{shown(end)}' for begin, end in spans)}"
        for name, spans in zip(DAY_NAMES, case.week, strict=True)
        if spans
    )
    free = frozenset(start.date() + timedelta(days=ahead) for ahead in case.free)
    return Hours(
        OpeningHours(weekly="; ".join(rules), zone=zone, holidays=free),
        [
            Closure(start + timedelta(minutes=begin), start + timedelta(minutes=end), opens, "")
            for begin, end, opens in case.closures
        ],
    )


def check(case: Case, name: str) -> None:
    known = windows(name)
    start, on_the_wall = known[case.window % len(known)]
    line = oracle(case, start, on_the_wall)
    hours = hours_of(case, start, ZoneInfo(name))
    sums = [0, *accumulate(line)]
    first, last = sorted((case.first, case.last))
    at, end = start + timedelta(minutes=first), start + timedelta(minutes=last)

    assert hours.is_open(at) == bool(line[first])
    assert hours.is_open(end - timedelta(seconds=1)) == bool(line[last - 1]) or last == 0
    assert hours.open_time_between(at, end) == timedelta(minutes=sums[last] - sums[first])

    due = hours.add_open_time(at, timedelta(minutes=case.wanted))
    index = bisect_left(sums, sums[first] + case.wanted)
    if index < len(sums):
        assert due == start + timedelta(minutes=index)
    else:
        assert due is None or due > start + timedelta(minutes=len(line))

    opening = next((minute for minute in range(first, len(line)) if line[minute]), None)
    if opening is not None:
        assert hours.next_opening(at) == start + timedelta(minutes=opening)
        closing = next((minute for minute in range(opening, len(line)) if not line[minute]), None)
        if closing is not None:
            assert hours.next_closing(at) == start + timedelta(minutes=closing)


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

"""What people type as a time: what is understood, in which zone, and how a refusal helps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffbot.errors import Refused
from staffbot.hours import Hours
from staffbot.settings import OpeningHours
from staffbot.times import days_later, parse_clock, parse_moment, parse_span_of_days

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = Hours.of(
    OpeningHours(weekly="Mo-Fr 09:00-18:00; Sa 10:00-14:00", zone=BERLIN, country="DE")
)
MONDAY = datetime(2026, 11, 23, 10, 30, tzinfo=BERLIN)


def read(text: str, now: datetime = MONDAY, *, past: bool = False) -> str:
    at = parse_moment(text, now=now.astimezone(UTC), hours=HOURS, past=past)
    assert at.tzinfo is UTC
    return HOURS.local(at).strftime("%a %Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2h", "Mon 2026-11-23 12:30"),
        ("in 90m", "Mon 2026-11-23 12:00"),
        ("1h30m", "Mon 2026-11-23 12:00"),
        ("1 hour 30 min", "Mon 2026-11-23 12:00"),
        ("3d", "Thu 2026-11-26 10:30"),
        ("2 weeks", "Mon 2026-12-07 10:30"),
        ("16:30", "Mon 2026-11-23 16:30"),
        ("16.30", "Mon 2026-11-23 16:30"),
        ("10:30", "Tue 2026-11-24 10:30"),
        ("9:00", "Tue 2026-11-24 09:00"),
        ("4pm", "Mon 2026-11-23 16:00"),
        ("at 4:15 PM", "Mon 2026-11-23 16:15"),
        ("12am", "Tue 2026-11-24 00:00"),
        ("12pm", "Mon 2026-11-23 12:00"),
        ("noon", "Mon 2026-11-23 12:00"),
        ("midnight", "Tue 2026-11-24 00:00"),
        ("today", "Tue 2026-11-24 00:00"),
        ("today 16:00", "Mon 2026-11-23 16:00"),
        ("tomorrow", "Tue 2026-11-24 09:00"),
        ("until tomorrow 8:15", "Tue 2026-11-24 08:15"),
        ("mon", "Mon 2026-11-30 09:00"),
        ("mon 9am", "Mon 2026-11-30 09:00"),
        ("mon 16:00", "Mon 2026-11-23 16:00"),
        ("Tuesday at 9 am", "Tue 2026-11-24 09:00"),
        ("tomorrow at 9", "Tue 2026-11-24 09:00"),
        ("tomorrow 9", "Tue 2026-11-24 09:00"),
        ("9am tomorrow", "Tue 2026-11-24 09:00"),
        ("16:00 today", "Mon 2026-11-23 16:00"),
        ("wed at 14", "Wed 2026-11-25 14:00"),
        ("24 dec at 10", "Thu 2026-12-24 10:00"),
        ("at 11", "Mon 2026-11-23 11:00"),
        ("tonight", "Mon 2026-11-23 18:00"),
        ("this evening at 8", "Mon 2026-11-23 20:00"),
        ("tonight 8:30", "Mon 2026-11-23 20:30"),
        ("tonight 9pm", "Mon 2026-11-23 21:00"),
        ("tonight at 1", "Tue 2026-11-24 01:00"),
        ("sat", "Sat 2026-11-28 10:00"),
        ("sun", "Mon 2026-11-30 09:00"),
        ("next week", "Mon 2026-11-30 09:00"),
        ("2026-12-24", "Thu 2026-12-24 09:00"),
        ("2026-12-25", "Mon 2026-12-28 09:00"),
        ("2026-12-24 15:00", "Thu 2026-12-24 15:00"),
        ("2026-12-24T15:00", "Thu 2026-12-24 15:00"),
        ("24 dec", "Thu 2026-12-24 09:00"),
        ("Dec 24, 3pm", "Thu 2026-12-24 15:00"),
        ("1 march", "Mon 2027-03-01 09:00"),
        ("opening", "Tue 2026-11-24 09:00"),
        ("closing", "Mon 2026-11-23 18:00"),
    ],
)
def test_moments_to_come(text: str, meant: str) -> None:
    assert read(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("14:30", "Sun 2026-11-22 14:30"),
        ("at 9:00", "Mon 2026-11-23 09:00"),
        ("10:30", "Mon 2026-11-23 10:30"),
        ("9am", "Mon 2026-11-23 09:00"),
        ("at 9", "Mon 2026-11-23 09:00"),
        ("yesterday at 10", "Sun 2026-11-22 10:00"),
        ("20m ago", "Mon 2026-11-23 10:10"),
        ("2h", "Mon 2026-11-23 08:30"),
        ("now", "Mon 2026-11-23 10:30"),
        ("yesterday 17:45", "Sun 2026-11-22 17:45"),
        ("mon 9:00", "Mon 2026-11-23 09:00"),
        ("mon 11:00", "Mon 2026-11-16 11:00"),
        ("last fri 11:00", "Fri 2026-11-20 11:00"),
        ("2026-11-20 14:30", "Fri 2026-11-20 14:30"),
        ("20 nov 14:30", "Fri 2026-11-20 14:30"),
        ("24 dec 14:30", "Wed 2025-12-24 14:30"),
    ],
)
def test_moments_gone(text: str, meant: str) -> None:
    assert read(text, past=True) == meant


@pytest.mark.parametrize(
    ("now", "meant"),
    [
        (datetime(2026, 11, 23, 18, 30, tzinfo=BERLIN), "Tue 2026-11-24 00:00"),
        (datetime(2026, 11, 22, 12, tzinfo=BERLIN), "Mon 2026-11-23 00:00"),
    ],
)
def test_tonight_lasts_until_midnight_where_the_doors_are_shut(now: datetime, meant: str) -> None:
    assert read("tonight", now) == meant


def test_days_later_it_is_as_late_on_the_wall() -> None:
    spring = datetime(2026, 3, 3, 10, tzinfo=BERLIN)
    assert HOURS.local(days_later(spring, 30, BERLIN)) == datetime(2026, 4, 2, 10, tzinfo=BERLIN)


def test_opening_while_closed_is_the_next_one() -> None:
    assert read("opening", datetime(2026, 11, 21, 20, tzinfo=BERLIN)) == "Mon 2026-11-23 09:00"


@pytest.mark.parametrize(
    ("text", "past", "reason"),
    [
        ("", False, "mon 9am"),
        ("soonish", False, "mon 9am"),
        ("tomorow", False, "tomorrow"),
        ("25:00", False, "16:30"),
        ("13pm", False, "4pm"),
        ("0m", False, "90m"),
        ("9", False, "16:30"),
        ("for 9", False, "16:30"),
        ("tomorrow at 4", False, "Write 4am or 16:00"),
        ("tomorrow at 25", False, "16:30"),
        ("10-14", False, "from when until when"),
        ("tomorrow 10:00 - 14:00", False, "from when until when"),
        ("tonight", True, "At what time"),
        ("12/24", False, "2026-12-24"),
        ("2026-02-30", False, "2026-12-24"),
        ("today 9:00", False, "over already"),
        ("2026-11-20", False, "over already"),
        ("1000d", False, "400 days"),
        ("9999-12-31", False, "400 days"),
        ("0001-01-01 10:00", True, "400 days"),
        ("yesterday", True, "At what time"),
        ("today 11:00", True, "still to come"),
        ("tomorrow 11:00", True, "still to come"),
        ("x" * 500, False, "…"),
    ],
)
def test_a_refusal_shows_what_works(text: str, past: bool, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text, past=past)
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 220


# In spring 02:00 to 03:00 is left out (01:00 UTC), in autumn it comes twice (00:00 and 01:00 UTC).
@pytest.mark.parametrize(
    ("now", "text", "past", "meant"),
    [
        ("2026-03-29 00:30", "02:30", False, "2026-03-29 01:00"),
        ("2026-03-29 00:30", "2026-03-29 02:30", False, "2026-03-29 01:00"),
        ("2026-03-28 10:00", "1d", False, "2026-03-29 09:00"),
        ("2026-03-28 10:00", "24h", False, "2026-03-29 10:00"),
        ("2026-03-29 01:30", "02:30", True, "2026-03-29 01:00"),
        ("2026-10-24 23:00", "02:30", False, "2026-10-25 00:30"),
        ("2026-10-25 00:40", "02:30", False, "2026-10-25 01:30"),
        ("2026-10-25 00:40", "02:30", True, "2026-10-25 00:30"),
        ("2026-10-25 01:40", "02:30", True, "2026-10-25 01:30"),
        ("2026-10-25 01:40", "02:30", False, "2026-10-26 01:30"),
        ("2026-10-25 00:40", "today 02:30", False, "2026-10-25 01:30"),
        ("2026-10-24 00:30", "1d", False, "2026-10-25 00:30"),
    ],
)
def test_changes_of_the_clock(now: str, text: str, past: bool, meant: str) -> None:
    at = parse_moment(
        text, now=datetime.fromisoformat(now).replace(tzinfo=UTC), hours=HOURS, past=past
    )
    assert at == datetime.fromisoformat(meant).replace(tzinfo=UTC)


changing = st.sampled_from(
    ["Europe/Berlin", "America/Santiago", "America/Havana", "Australia/Lord_Howe", "Asia/Kolkata"]
)
near_changes = st.sampled_from(
    [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 29), (4, 5), (10, 25), (9, 6))]
    + [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)]
)


@given(
    zone=changing, day=near_changes, offset=st.integers(-2000, 2000), minute=st.integers(0, 1439)
)
def test_a_bare_time_is_the_nearest_minute_that_shows_it(
    zone: str, day: datetime, offset: int, minute: int
) -> None:
    """Against a walk along the minutes; a time that the clock leaves out is the change itself."""
    hours = Hours.of(OpeningHours(weekly="24/7", zone=ZoneInfo(zone)))
    now = day + timedelta(minutes=offset)
    wanted = (minute // 60, minute % 60)
    text = f"{wanted[0]:02}:{wanted[1]:02}"

    def first(step: int) -> datetime:
        at = now if step < 0 else now + timedelta(minutes=1)
        while True:
            shown, before = hours.local(at), hours.local(at - timedelta(minutes=1))
            walls = shown.replace(tzinfo=None, fold=0), before.replace(tzinfo=None, fold=0)
            left_out = walls[1].replace(hour=wanted[0], minute=wanted[1])
            if (shown.hour, shown.minute) == wanted:
                return at
            if walls[1] < left_out < walls[0] or (
                walls[1] < left_out + timedelta(days=1) < walls[0]
            ):
                return at
            at += timedelta(minutes=step)

    assert parse_moment(text, now=now, hours=hours) == first(1)
    assert parse_moment(text, now=now, hours=hours, past=True) == first(-1)


WORDS = """today tomorrow yesterday mon sunday next last week month quarter year opening now at
    2h 3d 0m 16:30 4pm 24:00 25:00 2026-12-24 9999-12-31 0001-01-01 feb 29 30 .. to 2026 q1
    2026-q4 9999 9998-12 0002 99999d 400d 99999w until noon ago since
    between and from on november q3 1-15 - w46 months 31.12. 1.13.2026 01/11/2026 13/13/2026
    ever \u0663h \u00b2d"""
typed = st.lists(st.sampled_from(WORDS.split()), max_size=4).map(" ".join) | st.text(max_size=20)


@given(text=typed, past=st.booleans())
def test_anything_typed_is_a_moment_or_a_refusal(text: str, past: bool) -> None:
    now = MONDAY.astimezone(UTC)
    try:
        at = parse_moment(text, now=now, hours=HOURS, past=past)
    except Refused:
        return
    assert at <= now if past else at > now


@given(text=typed)
def test_anything_typed_is_a_stretch_or_a_refusal(text: str) -> None:
    try:
        stretch = parse_span_of_days(text, now=MONDAY, zone=BERLIN)
    except Refused:
        return
    assert stretch.start < stretch.end
    assert stretch.start < MONDAY


@pytest.mark.parametrize(
    ("text", "first", "after", "label"),
    [
        ("", "2026-10-25", "2026-11-24", "last 30 days (25 Oct to 23 Nov 2026)"),
        ("7d", "2026-11-17", "2026-11-24", "last 7 days (17 to 23 Nov 2026)"),
        ("last 2 weeks", "2026-11-10", "2026-11-24", "last 14 days (10 to 23 Nov 2026)"),
        ("today", "2026-11-23", "2026-11-24", "today (23 Nov 2026)"),
        ("yesterday", "2026-11-22", "2026-11-23", "yesterday (22 Nov 2026)"),
        ("week", "2026-11-23", "2026-11-24", "this week so far (23 Nov 2026)"),
        ("last week", "2026-11-16", "2026-11-23", "last week (16 to 22 Nov 2026)"),
        ("month", "2026-11-01", "2026-11-24", "this month so far (1 to 23 Nov 2026)"),
        ("last month", "2026-10-01", "2026-11-01", "last month (1 to 31 Oct 2026)"),
        ("quarter", "2026-10-01", "2026-11-24", "this quarter so far (1 Oct to 23 Nov 2026)"),
        ("last quarter", "2026-07-01", "2026-10-01", "last quarter (1 Jul to 30 Sep 2026)"),
        ("last year", "2025-01-01", "2026-01-01", "last year (1 Jan to 31 Dec 2025)"),
        ("2026-03", "2026-03-01", "2026-04-01", "1 to 31 Mar 2026"),
        ("2025-12", "2025-12-01", "2026-01-01", "1 to 31 Dec 2025"),
        ("2026-Q1", "2026-01-01", "2026-04-01", "1 Jan to 31 Mar 2026"),
        ("2025-q4", "2025-10-01", "2026-01-01", "1 Oct to 31 Dec 2025"),
        ("2025", "2025-01-01", "2026-01-01", "1 Jan to 31 Dec 2025"),
        ("2026-01-01..2026-03-31", "2026-01-01", "2026-04-01", "1 Jan to 31 Mar 2026"),
        ("2025-11-30 to 2026-01-02", "2025-11-30", "2026-01-03", "30 Nov 2025 to 2 Jan 2026"),
        ("2026-11-01..", "2026-11-01", "2026-11-24", "1 to 23 Nov 2026"),
        ("from 2026-11-01 to 2026-11-15", "2026-11-01", "2026-11-16", "1 to 15 Nov 2026"),
        ("from 01.11.2026 to 15.11.2026", "2026-11-01", "2026-11-16", "1 to 15 Nov 2026"),
        ("01.11.2026-15.11.2026", "2026-11-01", "2026-11-16", "1 to 15 Nov 2026"),
        ("1.11. - 15.11.", "2026-11-01", "2026-11-16", "1 to 15 Nov 2026"),
        ("from 1 Nov to 15 Nov", "2026-11-01", "2026-11-16", "1 to 15 Nov 2026"),
        ("Nov 1 to Nov 15, 2025", "2025-11-01", "2025-11-16", "1 to 15 Nov 2025"),
        ("1-15 nov", "2026-11-01", "2026-11-16", "1 to 15 Nov 2026"),
        ("nov 1 to 15", "2026-11-01", "2026-11-16", "1 to 15 Nov 2026"),
        ("between 1st Nov and 15th Nov", "2026-11-01", "2026-11-16", "1 to 15 Nov 2026"),
        ("1 nov to 30 nov", "2026-11-01", "2026-12-01", "1 to 30 Nov 2026, so far"),
        ("1 dec to 15 jan", "2025-12-01", "2026-01-16", "1 Dec 2025 to 15 Jan 2026"),
        ("october to december", "2026-10-01", "2027-01-01", "1 Oct to 31 Dec 2026, so far"),
        ("15/11/2026", "2026-11-15", "2026-11-16", "15 Nov 2026"),
        ("since monday", "2026-11-23", "2026-11-24", "23 Nov 2026"),
        ("since last monday", "2026-11-16", "2026-11-24", "16 to 23 Nov 2026"),
        ("from 1 nov on", "2026-11-01", "2026-11-24", "1 to 23 Nov 2026"),
        ("since november", "2026-11-01", "2026-11-24", "1 to 23 Nov 2026"),
        ("last 30 days", "2026-10-25", "2026-11-24", "last 30 days (25 Oct to 23 Nov 2026)"),
        ("for the last 7 days", "2026-11-17", "2026-11-24", "last 7 days (17 to 23 Nov 2026)"),
        ("november", "2026-11-01", "2026-12-01", "1 to 30 Nov 2026, so far"),
        ("last november", "2025-11-01", "2025-12-01", "1 to 30 Nov 2025"),
        ("in dec", "2025-12-01", "2026-01-01", "1 to 31 Dec 2025"),
        ("november 2024", "2024-11-01", "2024-12-01", "1 to 30 Nov 2024"),
        ("q3", "2026-07-01", "2026-10-01", "1 Jul to 30 Sep 2026"),
        ("q4 2025", "2025-10-01", "2026-01-01", "1 Oct to 31 Dec 2025"),
        ("3 months", "2026-08-24", "2026-11-24", "last 3 months (24 Aug to 23 Nov 2026)"),
        ("past year", "2025-11-24", "2026-11-24", "last 12 months (24 Nov 2025 to 23 Nov 2026)"),
        ("last 2 quarters", "2026-05-24", "2026-11-24", "last 6 months (24 May to 23 Nov 2026)"),
        ("year to date", "2026-01-01", "2026-11-24", "this year so far (1 Jan to 23 Nov 2026)"),
        ("week 46", "2026-11-09", "2026-11-16", "9 to 15 Nov 2026"),
        ("ever", "2016-11-17", "2026-11-24", "the last ten years (17 Nov 2016 to 23 Nov 2026)"),
    ],
)
def test_stretches_of_days(text: str, first: str, after: str, label: str) -> None:
    start, end, said = parse_span_of_days(text, now=MONDAY.astimezone(UTC), zone=BERLIN)
    assert start == datetime.fromisoformat(first).replace(tzinfo=BERLIN)
    assert end == datetime.fromisoformat(after).replace(tzinfo=BERLIN)
    assert said == label


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fortnight", "no period"),
        ("0d", "no period"),
        ("2026-13", "no period"),
        ("2026-03-31..2026-01-01", "ends before"),
        ("2026-12-01..2027-01-01", "still to come"),
        ("99999d", "ten years"),
        ("1999..", "ten years"),
        ("tomorrow", "still to come"),
        ("since tomorrow", "still to come"),
        ("from to", "no period"),
        ("nov 31", "no period"),
        ("from 2026-11-15 to 2026-11-01", "ends before"),
    ],
)
def test_a_refused_stretch_shows_what_works(text: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_span_of_days(text, now=MONDAY, zone=BERLIN)
    assert reason in str(refused.value)
    assert "last month" in str(refused.value)


def test_a_day_in_numbers_that_may_be_two_is_asked_about() -> None:
    with pytest.raises(Refused, match=r"may be two days. Write 2026-11-01 or 2026-01-11."):
        parse_span_of_days("01/11/2026", now=MONDAY, zone=BERLIN)
    assert read("24.12.2026 15:00") == "Thu 2026-12-24 15:00"
    assert read("24.12.") == "Thu 2026-12-24 09:00"


@pytest.mark.parametrize("day", ["2026-03-31", "2026-05-31", "2024-02-29", "2026-12-31"])
def test_months_back_are_so_many_months_long(day: str) -> None:
    today = datetime.fromisoformat(f"{day} 10:00").replace(tzinfo=BERLIN)
    for months in range(1, 30):
        first = parse_span_of_days(f"{months} months", now=today, zone=BERLIN).start
        before = first.astimezone(BERLIN) - timedelta(hours=1)
        assert (today.year * 12 + today.month) - (before.year * 12 + before.month) == months
        assert before.day == today.day or (before + timedelta(days=1)).day == 1


def test_midnight_that_the_clock_leaves_out_is_the_change() -> None:
    """In Santiago 6 September 2026 begins at 01:00."""
    zone = ZoneInfo("America/Santiago")
    stretch = parse_span_of_days(
        "today", now=datetime(2026, 9, 6, 12, tzinfo=zone).astimezone(UTC), zone=zone
    )
    assert stretch.start.astimezone(zone).hour == 1
    assert stretch.end - stretch.start == timedelta(hours=23)


@pytest.mark.parametrize(
    ("text", "minute"),
    [("0:00", 0), ("24:00", 1440), ("12 a.m.", 0), ("24:01", None), ("9", None), ("0am", None)],
)
def test_times_of_day(text: str, minute: int | None) -> None:
    assert parse_clock(text) == minute

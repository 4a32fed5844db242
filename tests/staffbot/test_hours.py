"""Opening hours: what is refused and why, holidays, closures, and the table of due dates."""

from __future__ import annotations

import timeit
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffbot.errors import ConfigError
from staffbot.hours import Closure, Hours, check_expression, check_holidays
from staffbot.settings import OpeningHours

BERLIN = ZoneInfo("Europe/Berlin")
LIBRARY = "Mo-Fr 09:00-18:00; Sa 10:00-16:00"
LONG_NIGHT = "Mo-Th 09:00-18:00; Fr 20:00-04:00; Sa 10:00-16:00"


def local(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=zone)


def open_on(
    weekly: str, *closures: Closure, zone: str = "Europe/Berlin", country: str = ""
) -> Hours:
    return Hours.of(OpeningHours(weekly=weekly, zone=ZoneInfo(zone), country=country), closures)


def shut(start: str, end: str, *, opens: bool = False, zone: ZoneInfo = BERLIN) -> Closure:
    return Closure(local(start, zone), local(end, zone), opens, "burst pipe")


# --- the table of due dates ---------------------------------------------------------------------

# what it shows | weekly hours | zone, country | it came | open hours | it is due
DUE = """
Friday evening over the weekend      | library | Europe/Berlin DE       | Fri 2026-11-20 17:00 | 8   | Mon 2026-11-23 10:00
exactly until the doors shut         | library | Europe/Berlin DE       | Fri 2026-11-20 17:00 | 1   | Fri 2026-11-20 18:00
came while closed, counts at opening | library | Europe/Berlin DE       | Sat 2026-11-21 20:00 | 2   | Mon 2026-11-23 11:00
came at the very opening             | library | Europe/Berlin DE       | Mon 2026-11-23 09:00 | 4   | Mon 2026-11-23 13:00
Maundy Thursday, over Easter         | library | Europe/Berlin DE       | Thu 2026-04-02 17:00 | 8   | Tue 2026-04-07 10:00
New Year, which is on a Friday       | library | Europe/Berlin DE       | Thu 2026-12-31 17:00 | 4   | Sat 2027-01-02 13:00
4 July is a Saturday                 | library | America/New_York US    | Thu 2026-07-02 17:00 | 2   | Mon 2026-07-06 10:00
1 January in Great Britain           | library | Europe/London GB       | Thu 2026-12-31 17:30 | 1   | Sat 2027-01-02 10:30
a holiday of one part of the country | library | Europe/Berlin DE/BY    | Fri 2026-06-05 17:00 | 1   | Fri 2026-06-05 18:00
Corpus Christi, which has one there  | library | Europe/Berlin DE/BY    | Wed 2026-06-03 17:00 | 2   | Fri 2026-06-05 10:00
India has a calendar too             | library | Asia/Kolkata IN        | Fri 2026-08-14 17:00 | 2   | Mon 2026-08-17 10:00
weekend of the spring change         | library | Europe/Berlin          | Fri 2026-03-27 17:00 | 8   | Mon 2026-03-30 10:00
weekend of the autumn change         | library | Europe/Berlin          | Fri 2026-10-23 17:00 | 8   | Mon 2026-10-26 10:00
night of the spring change           | 24/7    | Europe/Berlin          | Sat 2026-03-28 22:00 | 8   | Sun 2026-03-29 07:00
night of the autumn change           | 24/7    | Europe/Berlin          | Sat 2026-10-24 22:00 | 8   | Sun 2026-10-25 05:00
half an hour at Lord Howe            | 24/7    | Australia/Lord_Howe    | Sat 2026-10-03 22:00 | 8   | Sun 2026-10-04 06:30
midday break                         | break   | Europe/Berlin          | Mon 2026-11-23 11:00 | 2   | Mon 2026-11-23 15:00
two openings on two days             | break   | Europe/Berlin          | Mon 2026-11-23 17:00 | 5   | Tue 2026-11-24 15:00
a night belongs to Friday            | night   | Europe/Berlin          | Sat 2026-11-21 03:00 | 2   | Sat 2026-11-21 11:00
through the night                    | night   | Europe/Berlin          | Fri 2026-11-20 21:00 | 7   | Sat 2026-11-21 04:00
the night in which autumn changes    | satnight| Europe/Berlin          | Sat 2026-10-24 21:00 | 7   | Sun 2026-10-25 03:00
the night in which spring changes    | satnight| Europe/Berlin          | Sat 2026-03-28 21:00 | 6   | Sun 2026-03-29 04:00
two whole weeks                      | library | Europe/Berlin DE       | Mon 2026-11-02 09:00 | 102 | Sat 2026-11-14 16:00
a whole quarter of hours             | break   | Asia/Kathmandu         | Fri 2026-11-20 17:45 | 0.5 | Mon 2026-11-23 09:15
"""  # noqa: E501

NAMED = {
    "library": LIBRARY,
    "24/7": "24/7",
    "break": "Mo-Fr 09:00-12:00,14:00-18:00",
    "night": LONG_NIGHT,
    "satnight": "Sa 20:00-04:00",
}


@pytest.mark.parametrize(
    "row",
    [[cell.strip() for cell in line.split("|")] for line in DUE.strip().splitlines()],
    ids=lambda row: row[0],
)
def test_due_dates(row: list[str]) -> None:
    _, weekly, place, came, wanted, due = row
    name, _, country = place.partition(" ")
    country, _, part = country.partition("/")
    zone = ZoneInfo(name)
    hours = Hours.of(
        OpeningHours(weekly=NAMED[weekly], zone=zone, country=country, subdivision=part),
        (),
    )
    start = datetime.strptime(came, "%a %Y-%m-%d %H:%M").replace(tzinfo=zone)
    found = hours.add_open_time(start.astimezone(UTC), timedelta(hours=float(wanted)))
    assert found is not None
    assert found.tzinfo is UTC
    assert hours.local(found).strftime("%a %Y-%m-%d %H:%M") == due


# --- closures -----------------------------------------------------------------------------------


def test_a_closure_moves_what_is_due() -> None:
    start = local("2026-11-23 14:00")
    usual, burst = open_on(LIBRARY), open_on(LIBRARY, shut("2026-11-23 15:00", "2026-11-24 00:00"))
    assert usual.add_open_time(start, timedelta(hours=4)) == local("2026-11-23 18:00")
    assert burst.add_open_time(start, timedelta(hours=4)) == local("2026-11-24 12:00")
    assert not burst.is_open(local("2026-11-23 15:00"))
    assert burst.is_open(local("2026-11-23 14:59"))
    assert burst.next_opening(local("2026-11-23 16:00")) == local("2026-11-24 09:00")
    assert burst.next_closing(start) == local("2026-11-23 15:00")


def test_an_extra_opening_counts_and_the_later_word_wins() -> None:
    extra = shut("2026-11-22 10:00", "2026-11-22 14:00", opens=True)
    part = shut("2026-11-22 12:00", "2026-11-22 13:00")
    sunday = date(2026, 11, 22)
    assert open_on(LIBRARY, extra).first_opening(sunday) == local("2026-11-22 10:00")
    assert open_on(LIBRARY, extra, part).periods(sunday) == (
        (local("2026-11-22 10:00"), local("2026-11-22 12:00")),
        (local("2026-11-22 13:00"), local("2026-11-22 14:00")),
    )
    assert open_on(LIBRARY, part, extra).periods(sunday) == (
        (local("2026-11-22 10:00"), local("2026-11-22 14:00")),
    )


def test_an_extra_opening_of_several_days_begins_on_each() -> None:
    hours = open_on(LIBRARY, shut("2026-11-20 12:00", "2026-11-23 12:00", opens=True))
    assert hours.first_opening(date(2026, 11, 22)) == local("2026-11-22 00:00")
    assert hours.next_closing(local("2026-11-20 17:00")) == local("2026-11-23 18:00")


def test_an_extra_opening_at_midnight_belongs_to_the_day_that_begins() -> None:
    hours = open_on(LIBRARY, shut("2026-11-22 00:00", "2026-11-22 02:00", opens=True))
    assert hours.first_opening(date(2026, 11, 22)) == local("2026-11-22 00:00")
    assert hours.periods(date(2026, 11, 21)) == (
        (local("2026-11-21 10:00"), local("2026-11-21 16:00")),
    )


def test_a_late_night_belongs_to_the_day_on_which_it_began() -> None:
    hours = open_on(LONG_NIGHT)
    assert hours.periods(date(2026, 11, 20)) == (
        (local("2026-11-20 20:00"), local("2026-11-21 04:00")),
    )
    assert hours.first_opening(date(2026, 11, 21)) == local("2026-11-21 10:00")
    free = Hours.of(
        OpeningHours(weekly=LONG_NIGHT, zone=BERLIN, holidays=frozenset({date(2026, 11, 21)})), ()
    )
    assert free.is_open(local("2026-11-21 03:59"))
    assert free.first_opening(date(2026, 11, 21)) is None


# --- holidays -----------------------------------------------------------------------------------


def test_own_holidays_are_added_and_public_ones_taken_out() -> None:
    settings = OpeningHours(
        weekly=LIBRARY,
        zone=BERLIN,
        country="DE",
        holidays=frozenset({date(2026, 11, 24)}),
        not_holidays=frozenset({date(2026, 12, 25)}),
    )
    hours = Hours.of(settings, ())
    assert hours.first_opening(date(2026, 11, 24)) is None
    assert hours.holiday(date(2026, 11, 24)) == "holiday"
    assert hours.first_opening(date(2026, 12, 25)) == local("2026-12-25 09:00")
    assert hours.holiday(date(2026, 12, 25)) == ""
    assert hours.first_opening(date(2027, 1, 1)) is None
    assert hours.holiday(date(2027, 1, 1)) != ""


@pytest.mark.parametrize(
    ("weekly", "christmas", "day_before"),
    [
        ("Mo-Su 09:00-18:00", "", "9-18"),
        ("Mo-Su 09:00-18:00; PH off", "", "9-18"),
        ("Mo-Su 09:00-18:00; PH 10:00-14:00", "10-14", "9-18"),
        ("Mo-Fr 09:00-18:00; Su,PH 11:00-15:00", "11-15", "9-18"),
        ("Mo-Fr,PH 09:00-18:00", "9-18", "9-18"),
        ("Mo-Fr 09:00-18:00; PH off; Dec 25 12:00-13:00", "12-13", "9-18"),
        ("Mo-Fr 09:00-18:00; Dec 24 off", "", ""),
        ("Mo-Fr 09:00-18:00; Dec 24 09:00-12:00", "", "9-12"),
        ("Mo-Fr 09:00-18:00; 12:00-14:00 off", "", "9-12 14-18"),
        ("Mo-Fr 09:00-12:00, Th 16:00-20:00", "", "9-12 16-20"),
    ],
)
def test_what_the_text_says_of_holidays_and_dates(
    weekly: str, christmas: str, day_before: str
) -> None:
    def said(day: date) -> str:
        spans = open_on(weekly, country="DE").periods(day)
        return " ".join(
            f"{start.astimezone(BERLIN).hour}-{end.astimezone(BERLIN).hour}" for start, end in spans
        )

    assert said(date(2026, 12, 25)) == christmas
    assert said(date(2026, 12, 24)) == day_before


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no opening hours"),
        ("Mo-Fr 9-18", "09:00-18:00 and not 9-18"),
        ("Mon-Fri 09:00-18:00", "two letters"),
        ("Mo-Fr 9am-5pm", "24 hours"),
        ("Mo-Fr 09:00-18:00;", "semicolon"),
        ("SH off", "school holidays"),
        ("Mo-Fr 09:00-18:00; sh off", "school holidays"),
        ('Mo-Fr 09:00-18:00 || "by appointment"', "count as open"),
        ("Mo-Fr 09:00-18:00 || 10:00-12:00", "otherwise"),
        ("Mo-Fr 18:00+", "open end"),
        ("sunrise-sunset", "the sun"),
        ("Mo-Fr unknown", "neither open nor closed"),
        ("Mo 10:00-16:00/02:00", "repeats"),
        ("Mo 10:00-10:00", "same time"),
        ("PH -1 day off; Mo 10:00-12:00", "before or after PH"),
        ("Mo off", "never opens"),
        ("Mo 09:00-12:00; Mo 14:00-18:00", "joined by a comma"),
        ("Mo-Fr 09:00-18:00; " * 60, "longer than 1000"),
    ],
)
def test_refused_text_is_explained_with_an_example(text: str, reason: str) -> None:
    said = check_expression(text)
    assert said is not None
    assert reason in said
    example = said.split("Write for instance: ")[1]
    assert "off" in example.split() or check_expression(example) is None
    with pytest.raises(ConfigError, match="Write for instance"):
        open_on(text)


@pytest.mark.parametrize(
    "text",
    [
        "24/7",
        "10:00-12:00",
        "Mo-Fr",
        "mo-fr 9:00-18:00",
        "Mo[1] 10:00-12:00; Jul-Aug Mo-Fr 10:00-14:00",
        "week 1-53/2 Mo 10:00-12:00",
        "2026 Dec 24-2027 Jan 02 off; Mo-Fr 08:00-12:00, 13:00-17:00",
        "easter off; Mo-Su 20:00-28:00",
        "Mo-Fr 09:00-18:00 open",
    ],
)
def test_accepted_text(text: str) -> None:
    assert check_expression(text) is None


TOKENS = """Mo Mo-Fr Sa,Su Fr[1] PH SH Mo,PH 2026 2026-2028 Dec Dec-Feb 24 Jul-Aug week 1-53/2 easter +1
    day days off closed open unknown 09:00-18:00 20:00-04:00 00:00-24:00 20:00-28:00 9-18 10:00+ ; , ||
    24/7 "x" sunrise (sunrise+01:00)-18:00 : - 10:00-12:00,14:00-16:00 Feb 29 31"""
written = st.lists(st.sampled_from(TOKENS.split()), max_size=9).map(" ".join) | st.text(max_size=30)


@given(text=written)
def test_any_text_is_taken_or_refused_in_words(text: str) -> None:
    refused = check_expression(text)
    if refused is not None:
        assert "Write for instance: " in refused
        return
    hours = Hours(OpeningHours(weekly=text, zone=BERLIN, country="DE"))
    at = local("2026-12-20 12:00")
    opening = hours.next_opening(at)
    assert opening is None or hours.is_open(opening)


def test_holiday_codes_are_checked() -> None:
    assert check_holidays("", "") is None
    assert check_holidays("DE", "BY") is None
    assert "US, GB, DE" in (check_holidays("XX", "") or "")
    assert "BY" in (check_holidays("DE", "QQ") or "")
    assert "country" in (check_holidays("", "BY") or "")
    with pytest.raises(ConfigError, match="XX"):
        open_on(LIBRARY, country="XX")


# --- edges --------------------------------------------------------------------------------------


def test_never_is_none_and_found_quickly() -> None:
    hours = open_on("2019 Mo-Fr 09:00-18:00")
    at = local("2026-11-23 12:00")
    assert hours.next_opening(at) is None
    assert hours.next_closing(at) is None
    assert hours.add_open_time(at, timedelta(hours=1)) is None
    assert hours.add_open_time(at, timedelta()) == at
    assert hours.open_time_between(at, at + timedelta(days=30)) == timedelta()


def test_doors_that_never_shut() -> None:
    hours = open_on("24/7")
    at = local("2026-11-23 12:00")
    assert hours.next_closing(at) is None
    assert hours.next_opening(at) == at
    assert hours.first_opening(date(2026, 11, 24)) == local("2026-11-24 00:00")
    assert hours.add_open_time(at, timedelta(days=399)) == at.astimezone(UTC) + timedelta(days=399)
    assert hours.add_open_time(at, timedelta(days=401)) is None


def test_closing_while_shut_is_that_of_the_next_opening() -> None:
    hours = open_on(LIBRARY)
    assert hours.next_closing(local("2026-11-21 20:00")) == local("2026-11-23 18:00")
    assert hours.next_opening(local("2026-11-21 16:00")) == local("2026-11-23 09:00")
    assert not hours.is_open(local("2026-11-21 16:00"))


def test_any_utc_will_do() -> None:
    assert Hours.of(OpeningHours(weekly="24/7"), ()).is_open(datetime.now(UTC))


def test_a_due_time_costs_little_once_warm() -> None:
    """Measured at 3 to 6 us. The limit asked for is 200 us; the best of many runs is taken."""
    settings = OpeningHours(weekly=LIBRARY, zone=BERLIN, country="DE")
    closures = [shut(f"2026-11-{day} 12:00", f"2026-11-{day} 13:00") for day in range(10, 25)]
    at = local("2026-11-20 17:00").astimezone(UTC)

    def due() -> None:
        Hours.of(settings, closures).add_open_time(at, timedelta(hours=8))

    assert min(timeit.repeat(due, number=20, repeat=50)) / 20 < 0.0002

"""The sign on the door: what it says of the next days, and how people change it by typing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffbot.doorchange import DoorChange, parse_door_change
from staffbot.doorsign import door_lines, said_of
from staffbot.errors import Refused
from staffbot.hours import Closure, Hours
from staffbot.settings import OpeningHours

BERLIN = ZoneInfo("Europe/Berlin")
SETTINGS = OpeningHours(
    weekly="Mo-Th 09:00-18:00; Fr 20:00-02:00; Sa 10:00-12:00,14:00-16:00",
    zone=BERLIN,
    country="DE",
)
HOURS = Hours.of(SETTINGS)
MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=BERLIN)
TEAMS = {"main": "Main desk", "eastside": "East Side"}


def change(text: str, *, opens: bool = False, now: datetime = MONDAY) -> DoorChange:
    return parse_door_change(text, opens=opens, now=now, teams=TEAMS, hours=lambda team: HOURS)


def said(found: DoorChange) -> str:
    assert found.starts_at.tzinfo is UTC
    assert found.ends_at.tzinfo is UTC
    start, end = HOURS.local(found.starts_at), HOURS.local(found.ends_at)
    return f"{start:%a %d %b %H:%M} - {end:%a %d %b %H:%M}"


def closure(start: str, end: str, reason: str = "", *, opens: bool = False) -> Closure:
    starts, ends = (
        datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC) for text in (start, end)
    )
    return Closure(starts, ends, opens, reason)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("", "Mon 23 Nov 15:00 - Tue 24 Nov 00:00"),
        ("now", "Mon 23 Nov 15:00 - Tue 24 Nov 00:00"),
        ("today", "Mon 23 Nov 15:00 - Tue 24 Nov 00:00"),
        ("mon", "Mon 23 Nov 15:00 - Tue 24 Nov 00:00"),
        ("2026-12-24", "Thu 24 Dec 00:00 - Fri 25 Dec 00:00"),
        ("24 dec", "Thu 24 Dec 00:00 - Fri 25 Dec 00:00"),
        ("sun 10-14", "Sun 29 Nov 10:00 - Sun 29 Nov 14:00"),
        ("tomorrow 9 to 5", "Tue 24 Nov 09:00 - Tue 24 Nov 17:00"),
        ("tomorrow from 9am-5", "Tue 24 Nov 09:00 - Tue 24 Nov 17:00"),
        ("sat 22-2", "Sat 28 Nov 22:00 - Sun 29 Nov 02:00"),
        ("16-18", "Mon 23 Nov 16:00 - Mon 23 Nov 18:00"),
        ("until 16:30", "Mon 23 Nov 15:00 - Mon 23 Nov 16:30"),
        ("until 15:00", "Mon 23 Nov 15:00 - Tue 24 Nov 15:00"),
        ("until tomorrow", "Mon 23 Nov 15:00 - Tue 24 Nov 09:00"),
        ("for 2h", "Mon 23 Nov 15:00 - Mon 23 Nov 17:00"),
        ("tomorrow until 12:00", "Tue 24 Nov 00:00 - Tue 24 Nov 12:00"),
        ("tomorrow from 3pm", "Tue 24 Nov 15:00 - Wed 25 Nov 00:00"),
        ("from 16:00", "Mon 23 Nov 16:00 - Tue 24 Nov 00:00"),
        ("16:00-17:00", "Mon 23 Nov 16:00 - Mon 23 Nov 17:00"),
        ("tomorrow 12:00-15:00", "Tue 24 Nov 12:00 - Tue 24 Nov 15:00"),
        ("tomorrow from 12:00 to 3 pm", "Tue 24 Nov 12:00 - Tue 24 Nov 15:00"),
        ("22:00\u201302:00", "Mon 23 Nov 22:00 - Tue 24 Nov 02:00"),
        ("2026-12-24..2027-01-02", "Thu 24 Dec 00:00 - Sun 03 Jan 00:00"),
        ("2026-12-24 to 2027-01-02", "Thu 24 Dec 00:00 - Sun 03 Jan 00:00"),
        # The night of Friday belongs to Friday: it is closed with it, and not by Saturday.
        ("fri", "Fri 27 Nov 00:00 - Sat 28 Nov 02:00"),
        ("sat", "Sat 28 Nov 02:00 - Sun 29 Nov 00:00"),
    ],
)
def test_when_it_closes(text: str, span: str) -> None:
    found = change(text)
    assert said(found) == span
    assert (found.team, found.opens, found.reason) == (None, False, "")


@pytest.mark.parametrize(
    ("text", "team", "reason"),
    [
        ('today "burst pipe"', None, "burst pipe"),
        ('"burst  pipe"', None, "burst pipe"),
        ("\u201cburst pipe\u201d", None, "burst pipe"),
        ("eastside", "eastside", ""),
        ("EASTSIDE", "eastside", ""),
        ("east side today", "eastside", ""),
        ('eastside tomorrow 12:00-15:00 "training"', "eastside", "training"),
        ('Main desk "today"', "main", "today"),
        ('tomorrow "until 9, says the "plumber""', None, 'until 9, says the "plumber"'),
    ],
)
def test_team_and_reason(text: str, team: str | None, reason: str) -> None:
    found = change(text)
    assert (found.team, found.reason) == (team, reason)
    assert found.closure == Closure(found.starts_at, found.ends_at, False, reason)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("until 20:00", "Mon 23 Nov 15:00 - Mon 23 Nov 20:00"),
        ("today", "Mon 23 Nov 09:00 - Mon 23 Nov 18:00"),
        ("", "Mon 23 Nov 09:00 - Mon 23 Nov 18:00"),
        ("fri", "Fri 27 Nov 20:00 - Sat 28 Nov 02:00"),
        ("sun 10:00-14:00", "Sun 29 Nov 10:00 - Sun 29 Nov 14:00"),
    ],
)
def test_when_it_opens(text: str, span: str) -> None:
    found = change(text, opens=True)
    assert said(found) == span
    assert found.opens


@pytest.mark.parametrize(
    ("text", "opens", "reason"),
    [
        (
            "tomorow",
            False,
            "no team, no day and no time that i know. the teams are: east side, main",
        ),
        ("today burst pipe", False, "in quotes"),
        (
            "westside tomorrow",
            False,
            '"westside" is no team that i know. the teams are: east side, main desk. '
            "without a team, all of them are meant.",
        ),
        ("west side until 16:00", False, '"west side" is no team'),
        ("westside", True, "no team, no day and no time"),
        ("burst pipe today", False, "burst pipe"),
        ("tomorrow 25:00", False, "do not understand"),
        ("12:00-13:00", False, "over already"),
        ("2026-11-22", False, "over already"),
        ("2020-01-01", False, "over already"),
        ("9999-12-31", False, "400 days"),
        ("2027-01-02..2026-12-30", False, "ends before it begins"),
        ('today "' + "x" * 300 + '"', False, "longer than 200"),
        ("sun", True, "no usual hours"),
        ("sat", True, "several openings"),
        ("2026-11-28..2026-11-29", True, "one day at a time"),
    ],
)
def test_a_refusal_shows_what_works(text: str, opens: bool, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        change(text, opens=opens)
    assert reason in str(refused.value).lower()


@pytest.mark.parametrize("opens", [False, True])
def test_the_examples_of_a_refusal_are_understood(opens: bool) -> None:
    with pytest.raises(Refused) as refused:
        change("9999-12-31", opens=opens)
    shown = str(refused.value).partition("Write for instance ")[2].rstrip(".")
    examples = re.split(r", or |, ", shown)
    assert len(examples) > 1
    for example in examples:
        verb, _, rest = example.partition(" ")
        assert verb == ("open" if opens else "close")
        change(rest, opens=opens)


def test_a_day_with_its_date_has_times() -> None:
    found = change("2026-12-24 12:00-18:00")
    berlin = [at.astimezone(BERLIN).strftime("%d %H:%M") for at in (found.starts_at, found.ends_at)]
    assert berlin == ["24 12:00", "24 18:00"]


def test_of_several_openings_each_is_offered_as_it_is_typed() -> None:
    with pytest.raises(Refused) as refused:
        change("sat", opens=True)
    ways = re.findall(r"open (\d{4}-\d\d-\d\d \S+?-\d\d:\d\d)", str(refused.value))
    assert len(ways) > 1
    for way in ways:
        found = change(way, opens=True)
        assert (found.starts_at, found.ends_at) in HOURS.periods(found.starts_at.date())


def test_a_house_of_one_team_needs_no_teams_name() -> None:
    one = {"main": "Main desk"}
    for text, reason in (
        ("westside tomorrow", '"westside" is no team: there is one only, so leave it out.'),
        ("tomorow", 'I do not understand "tomorow".'),
    ):
        with pytest.raises(Refused) as refused:
            parse_door_change(text, opens=False, now=MONDAY, teams=one, hours=lambda team: HOURS)
        assert reason in str(refused.value)


def test_open_today_takes_a_closure_back() -> None:
    burst, back = change("today"), change("today", opens=True)
    hours = Hours.of(SETTINGS, (burst.closure, back.closure))
    assert hours.periods(MONDAY.date()) == HOURS.periods(MONDAY.date())


def test_close_during_a_night_begins_now() -> None:
    """At one o'clock the doors are open with Friday's night; who closes then means now."""
    night = datetime(2026, 11, 28, 1, 0, tzinfo=BERLIN)
    found = change("today", now=night)
    assert found.starts_at == night
    assert not Hours.of(SETTINGS, (found.closure,)).is_open(night)


def test_the_sign() -> None:
    closures = (
        closure("2026-11-23 15:00", "2026-11-24 00:00", "burst pipe"),
        closure("2026-11-24 00:00", "2026-11-25 00:00", "flood"),
        closure("2026-11-25 10:00", "2026-11-25 11:00"),
        closure("2026-11-25 11:00", "2026-11-25 12:00", "staff meeting"),
        closure("2026-11-25 18:00", "2026-11-25 20:00", "author evening", opens=True),
        closure("2026-11-29 10:00", "2026-11-29 14:00", opens=True),
    )
    assert door_lines(Hours.of(SETTINGS, closures), now=MONDAY) == (
        "Today 9:00-18:00, closed 15:00-18:00 (burst pipe)",
        "Tomorrow closed (flood)",
        "Wed 25 Nov 9:00-18:00, closed 10:00-11:00, closed 11:00-12:00 (staff meeting), "
        "also open 18:00-20:00 (author evening)",
        "Thu 26 Nov 9:00-18:00",
        "Fri 27 Nov 20:00-2:00",
        "Sat 28 Nov 10:00-12:00, 14:00-16:00",
        "Sun 29 Nov open 10:00-14:00",
        "Mon 30 Nov 9:00-18:00",
    )


def test_the_sign_names_holidays_and_the_new_year() -> None:
    new_years_eve = datetime(2026, 12, 31, 10, tzinfo=BERLIN)
    lines = door_lines(HOURS, now=new_years_eve)
    assert lines[1].startswith("Tomorrow closed (New Year")
    assert lines[2] == "Sat 2 Jan 2027 10:00-12:00, 14:00-16:00"


@pytest.mark.parametrize(
    ("text", "opens", "words"),
    [
        ('today "burst pipe"', False, "closed today 15:00-24:00 (burst pipe)"),
        ("tomorrow", False, "closed tomorrow"),
        ("2026-12-24", False, "closed Thu 24 Dec"),
        ("2026-12-24..2027-01-02", False, "closed Thu 24 Dec to Sat 2 Jan 2027"),
        ("until tomorrow", False, "closed from today 15:00 until tomorrow 9:00"),
        ("22:00-02:00", False, "closed today 22:00-2:00"),
        ('sun 10:00-14:00 "book sale"', True, "open Sun 29 Nov 10:00-14:00 (book sale)"),
    ],
)
def test_a_closure_in_words(text: str, opens: bool, words: str) -> None:
    assert said_of(change(text, opens=opens).closure, HOURS, now=MONDAY) == words


WORDS = """today tomorrow fri 16:00 16:00-17:00 25:00 until from to .. - eastside main "x" ” “ for
    2h now 2026-12-24 9999-12-31 0001-01-01 24 dec 24:00 opening closing"""
typed = st.lists(st.sampled_from(WORDS.split()), max_size=5).map(" ".join) | st.text(max_size=30)


@given(text=typed, opens=st.booleans(), minutes=st.integers(0, 14 * 24 * 60))
def test_anything_typed_is_a_change_or_a_refusal(text: str, opens: bool, minutes: int) -> None:
    now = (MONDAY + timedelta(minutes=minutes)).astimezone(UTC)
    try:
        found = change(text, opens=opens, now=now)
    except Refused:
        return
    assert found.starts_at < found.ends_at
    assert found.ends_at > now
    said_of(found.closure, HOURS, now=now)
    assert len(door_lines(Hours(SETTINGS, (found.closure,)), now=now)) == 8

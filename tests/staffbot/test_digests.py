"""The daily digest: once each open day and room, in every zone; what it says and how it follows."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from staffbot.desk import claims, closing, digests, pausing, pulse, troubles
from staffbot.desk.ledger import Desk
from staffbot.digest_days import days_due
from staffbot.hours import Closure, Hours
from staffbot.messages import Row, plain
from staffbot.model import Kind, Outcome, Room
from staffbot.settings import DigestSettings, OpeningHours, TeamRoom
from staffbot.store import Store
from staffbot.tables import digests as table
from tests.library import CHANNEL, Library
from tests.staffbot.clockwork import Clockwork, buttons, named, wall

DIGEST = DigestSettings()
BOARD = Room(platform="local", id="board")


@pytest.fixture
def works(library: Library) -> Clockwork:
    return Clockwork(library)


@pytest.fixture
def quick(sqlite_library: Library) -> Clockwork:
    return Clockwork(sqlite_library)


def test_once_each_open_day_a_while_after_opening(works: Clockwork) -> None:
    for day in (3, 4, 5, 6, 7, 8, 9):
        for hour, minute in ((0, 5), (8, 59), (9, 9), (9, 10), (9, 40), (10, 10), (20, 0)):
            works.at(wall(day, hour, minute))
    days = [row.day for row in works.library.rows(table) if not row.missed]
    assert days == [date(2026, 3, day) for day in (3, 4, 5, 6, 7, 9)]
    assert len(works.digests()) == 6


def test_the_first_one_on_a_monday_tells_of_the_weekend(works: Clockwork) -> None:
    works.library.clock.now = wall(7, 9)  # before the digest of Saturday would have been due
    works.library.arrives()
    works.library.clock.now = wall(7, 20)
    works.library.arrives()
    works.at(wall(9, 9, 10))
    (message,) = works.digests()
    assert "Came in: 1\n" in message.plain()
    assert "Since: Sat 7 Mar 10:10" in message.plain()


def test_two_rings_at_once_are_one_digest(library: Library) -> None:
    works = Clockwork(library)
    library.clock.now = wall(3, 9, 15)
    others = [Desk(Store.open(library.url), library.settings, library.clock) for _ in range(3)]
    start = threading.Barrier(len(others))
    made: list[int] = []

    def ring(desk: Desk) -> None:
        start.wait(30)
        made.append(desk.act(digests.ring))

    threads = [threading.Thread(target=ring, args=(desk,)) for desk in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for desk in others:
        desk.store.close()
    assert sorted(made) == [0, 0, 1]
    works.carry()
    assert len(works.digests()) == 1


def test_what_it_says(works: Clockwork) -> None:
    team = works.library.settings.teams[0]
    rooms = (TeamRoom(room=CHANNEL), TeamRoom(room=BOARD, figures_only=True))
    works.library.reconfigure(teams=(replace(team, rooms=rooms),))
    works.at(wall(2, 9, 10))
    works.library.clock.now = wall(2, 10)
    ana = works.person("ana")
    for number in range(1, 7):
        works.library.arrives()
        works.library.claim(number)
        works.do(closing.close, number, ana, outcome=Outcome.ANSWERED, topics=["idea"])
    works.library.arrives(kind=Kind.HASHTAG, expects_answer=False)
    late, waits, claimed = (works.library.arrives() for _ in range(3))
    works.do(pausing.wait, waits, ana)
    works.do(claims.claim, claimed, ana)
    works.library.clock.now = wall(2, 17)
    works.library.claim(works.library.arrives(), "ben")  # on time: nobody needs to be told
    works.do(troubles.begin, "source:blog", "Blog cannot be read for 40 minutes.")
    works.at(wall(3, 9, 10))
    message = works.digests()[-1]
    assert message.text == "Good morning, Adult services. 2 mentions need someone now."
    assert message.plain().splitlines()[1:7] == [
        "Since: Mon 2 Mar 09:10",
        "Came in: 11, 1 of them only heard",
        "Answered: 6, 6 of 6 within target",
        "Closed: 6",
        "Waiting for a patron: 1",
        "Idea: 6",
    ]
    assert "Blog cannot be read for 40 minutes." in message.plain()
    assert set(named(message)) == {late, claimed}
    assert buttons(message).count("claim") == 1
    assert "Ana" not in repr(message), "nobody is named as late"
    assert "When do you open" not in repr(message), "no word of a patron"
    (board,) = [m.message for m in works.chat.in_room(BOARD)][-1:]
    assert not named(board)
    assert "Came in: 11" in board.plain()


def test_an_item_that_was_taken_or_done_says_so(works: Clockwork) -> None:
    works.library.clock.now = wall(2, 10)
    first, second = works.library.arrives(), works.library.arrives()
    works.at(wall(3, 9, 10))
    assert works.digests()[0].text.endswith("2 mentions need someone now.")
    works.library.claim(first)
    works.at(wall(3, 9, 11))
    (message,) = works.digests()
    assert message.text.endswith("1 mention needs someone now.")
    rows = [plain(part.line) for part in message.parts if isinstance(part, Row)]
    assert rows[0].startswith(f"Claimed: #{first}")
    for number in (first, second):
        works.do(closing.close, number, works.person("ana"), outcome=Outcome.ANSWERED)
    works.at(wall(3, 9, 12))
    (message,) = works.digests()
    assert message.text.endswith("Everything that needed someone is taken care of.")
    edits = [call for call in works.chat.calls if call[0] == "edit"]
    works.at(wall(3, 9, 13))
    assert [call for call in works.chat.calls if call[0] == "edit"] == edits, "only when it changed"


def test_yesterdays_digest_is_left_alone(quick: Clockwork) -> None:
    quick.library.clock.now = wall(2, 10)
    quick.library.arrives()
    quick.at(wall(3, 9, 10))
    before = quick.digests()[0]
    quick.at(wall(4, 8, 0))
    quick.library.claim(1)
    quick.at(wall(4, 9, 10))
    assert quick.digests()[0] == before


@pytest.mark.parametrize(("when", "said"), [("one_line", 1), ("none", 0)])
def test_nothing_to_say_is_one_quiet_line_or_none(quick: Clockwork, when: str, said: int) -> None:
    team = quick.library.settings.teams[0]
    digest = replace(team.digest, when_nothing=when)
    quick.library.reconfigure(teams=(replace(team, digest=digest),))
    quick.at(wall(3, 9, 10))
    assert len(quick.digests()) == said
    if said:
        (message,) = quick.digests()
        assert message.silent
        assert message.text == "Good morning, Adult services. Nothing came in and nothing is due."


def test_after_downtime_one_sentence(works: Clockwork) -> None:
    works.at(wall(4, 16))
    works.library.clock.now = wall(5, 8, 30)
    assert works.do(pulse.started) is not None
    for hour in (3, 20):
        works.library.arrives(posted_at=wall(5 if hour == 3 else 4, hour))
    works.library.arrives(posted_at=wall(4, 15, 59))
    works.at(wall(5, 9, 10))
    said = works.digests()[-1].plain()
    assert said.count("I was not running") == 1
    assert (
        "I was not running from Wed 4 Mar 16:00 to Thu 5 Mar 08:30 (16 h 30 min) "
        "and caught up with 2 mentions since."
    ) in said
    works.at(wall(6, 9, 10))
    assert "I was not running" not in works.digests()[-1].plain()


def test_days_without_the_program_are_marked_as_missed(works: Clockwork) -> None:
    works.at(wall(3, 9, 10))
    works.at(wall(7, 9, 0))
    works.at(wall(7, 10, 10))
    rows = {row.day.day: row.missed for row in works.library.rows(table)}
    assert rows == {3: False, 4: True, 5: True, 6: True, 7: False}
    assert len(works.digests()) == 2


def test_the_first_digest_tells_of_those_that_were_missed_before_it(works: Clockwork) -> None:
    works.library.clock.now = wall(3, 12)
    works.library.arrives()
    works.at(wall(4, 22, 30))  # too late for that of the 4th, the first of all
    assert [row.missed for row in works.library.rows(table)] == [True]
    works.at(wall(5, 9, 10))
    assert "Came in: 1" in works.digests()[-1].plain()


def test_too_late_on_the_day_is_missed(works: Clockwork) -> None:
    works.at(wall(3, 18, 0))
    assert works.digests() == []
    assert [row.missed for row in works.library.rows(table)] == [True]
    works.at(wall(3, 18, 30))
    assert len(works.library.rows(table)) == 1


def test_one_that_could_not_be_sent_all_day_is_missed(works: Clockwork) -> None:
    works.at(wall(2, 9, 10))
    works.library.clock.now = wall(2, 10)
    works.library.arrives()
    works.outbox_is_late = True
    works.at(wall(3, 9, 10))
    works.library.clock.now = wall(3, 19)
    works.outbox_is_late = False
    works.carry()
    assert len(works.digests()) == 1
    works.at(wall(4, 9, 10))
    assert [row.missed for row in works.library.rows(table)] == [False, True, False]
    assert "Came in: 1" in works.digests()[-1].plain(), "the next one tells of that day too"


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=1)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_that_is_set_doubles_and_misses_none(
    quick: Clockwork, jump: timedelta, sign: int
) -> None:
    for day in (3, 4, 5, 6):
        for hour in range(8, 18):
            quick.at(wall(day, hour, 30))
            quick.at(wall(day, hour, 30) + sign * jump)
    rows = quick.library.rows(table)
    assert {date(2026, 3, day) for day in (3, 4, 5, 6)} <= {r.day for r in rows if not r.missed}
    keys = [one.key for one in quick.kind("digest")]
    assert len(keys) == len(set(keys))


# --- every zone ---------------------------------------------------------------------------------


def _zones() -> list[str]:
    every = sorted(available_timezones() - {"localtime", "Factory"})
    if os.environ.get("EVERY_ZONE"):
        return every
    odd = [
        "Africa/Casablanca", "America/Sao_Paulo", "America/St_Johns", "Asia/Gaza", "Asia/Kathmandu",
        "Australia/Lord_Howe", "Europe/Berlin", "Europe/Dublin", "Pacific/Apia", "Pacific/Chatham",
    ]  # fmt: skip
    return sorted({*odd, *every[:: len(every) // 4]} & set(every))


@pytest.mark.parametrize("zone", _zones())
def test_every_open_day_of_two_years_has_one_digest(zone: str) -> None:
    """0 missed and 0 doubled, in every zone with its changes, looked at about each digest and often."""
    weekly = "Mo-Fr 09:00-18:00; Sa 22:00-26:00; Su 00:30-03:30"
    hours = Hours.of(OpeningHours(weekly=weekly, zone=ZoneInfo(zone)))
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    first, last = hours.local(begin).date(), hours.local(end).date()
    open_days = [
        day
        for day in (first + timedelta(days=n) for n in range(2, (last - first).days))
        if hours.first_opening(day) is not None
    ]
    looks = {begin + timedelta(hours=3 * n) for n in range((end - begin) // timedelta(hours=3))}
    for day in open_days:
        at = hours.first_opening(day)
        assert at is not None
        looks |= {at + timedelta(minutes=minute) for minute in (0, 9, 10, 11, 70)}
    known = {first - timedelta(days=1): False, first: False, first + timedelta(days=1): False}
    for now in sorted(now for now in looks if hours.local(now).date() < last):
        for day, at, missed in days_due(hours, DIGEST, _recent(known, now), now):
            assert day not in known, f"{day} twice"
            assert now == at, f"{day} at {now}"
            assert not missed, f"{day} missed"
            known[day] = missed
    assert sorted(known)[3:] == open_days


def _recent(known: dict[date, bool], now: datetime) -> dict[date, bool]:
    since = now.date() - timedelta(days=14)
    newest = list(known.items())[-16:]
    return {day: missed for day, missed in newest if day >= since}


@pytest.mark.parametrize(
    ("weekly", "shut", "now", "due"),
    [
        ("Mo-Fr 09:00-18:00", None, wall(3, 9, 9), []),
        ("Mo-Fr 09:00-18:00", None, wall(3, 9, 10), [(3, False)]),
        ("Mo-Fr 09:00-18:00", None, wall(3, 17, 59), [(3, False)]),
        ("Mo-Fr 09:00-18:00", None, wall(3, 18, 0), [(3, True)]),
        ("Mo-Fr 06:00-22:00", None, wall(3, 18, 11), [(3, True)]),
        ("Mo-Fr 09:00-18:00", (3, 0, 3, 15), wall(3, 9, 10), []),
        ("Mo-Fr 09:00-18:00", (3, 0, 3, 15), wall(3, 15, 10), [(3, False)]),
        ("Mo-Fr 09:00-18:00", (3, 0, 4, 0), wall(3, 15, 10), []),
        ("Mo-Su 23:55-26:00", None, wall(4, 0, 5), [(3, False)]),
        ("24/7", None, wall(3, 0, 10), [(3, False)]),
    ],
    ids=[
        "not yet", "on time", "late", "the day is over", "half a day late", "closed till three",
        "after a closed morning", "closed all day", "opens before midnight", "never shut",
    ],
)  # fmt: skip
def test_which_days_are_due(
    weekly: str,
    shut: tuple[int, int, int, int] | None,
    now: datetime,
    due: list[tuple[int, bool]],
) -> None:
    closures = []
    if shut is not None:
        closures = [Closure(starts_at=wall(shut[0], shut[1]), ends_at=wall(shut[2], shut[3]))]
    hours = Hours.of(OpeningHours(weekly=weekly, zone=ZoneInfo("Europe/Berlin")), closures)
    found = [(day.day, missed) for day, _, missed in days_due(hours, DIGEST, {}, now)]
    assert found == due


def test_a_library_that_begins_after_the_digests_moment_has_its_first_one_tomorrow(
    library: Library,
) -> None:
    library.clock.forward(hours=4)
    library.desk.act(pulse.started)
    assert library.desk.act(digests.ring) == 0
    library.clock.forward(days=1)
    library.desk.act(pulse.started)
    assert library.desk.act(digests.ring) == 1

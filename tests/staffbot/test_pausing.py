"""Snooze, waiting for the patron, awake again, still on it, and what a person sets for themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from staffbot.desk import claims, closing, pausing, preferences, undoing
from staffbot.errors import Refused
from staffbot.model import Done, Outcome, Unchanged
from staffbot.tables import events
from tests.library import Library
from tests.staffbot.clockwork import Clockwork, wall


@pytest.fixture
def works(library: Library) -> Clockwork:
    return Clockwork(library)


@pytest.fixture
def quick(sqlite_library: Library) -> Clockwork:
    return Clockwork(sqlite_library)


def test_a_snooze_ends_by_itself_and_its_card_says_so(works: Clockwork) -> None:
    number = works.library.arrives()
    done = works.do(pausing.snooze, number, works.person("ana"), wall(3, 12))
    assert done.said == "No reminders of 1 until Tue 3 Mar 12:00."
    works.at(wall(3, 11, 59))
    assert works.library.mention(number).snoozed_until == wall(3, 12)
    assert works.lines() == []
    works.at(wall(3, 12, 0))
    mention = works.library.mention(number)
    assert mention.snoozed_until is None
    assert mention.claim_due_at == wall(3, 12), "its clock went on"
    assert works.lines() == ["1 mention waits for someone to take it: 1 past the target."]
    card = works.kind("card")[0].message
    assert "snoozed" not in card.plain()


def test_waiting_for_the_patron_stops_the_answer_clock(works: Clockwork) -> None:
    first = works.library.incoming(conversation="c1")
    works.library.take_in(first)
    ana = works.person("ana")
    works.library.claim(1)
    works.library.clock.now = wall(3, 11)
    works.do(pausing.wait, 1, ana)
    assert isinstance(works.do(pausing.wait, 1, ana), Unchanged)
    works.at(wall(3, 17))
    assert works.letters("ana") == []
    works.library.clock.now = wall(4, 10)
    again = replace(first, native_id="again", posted_at=wall(4, 10))
    assert works.library.take_in(again).followed_up == 1
    mention = works.library.mention(1)
    assert (mention.waiting_since, mention.waited_seconds) == (None, 8 * 3600)
    assert mention.answer_due_at == wall(4, 13), "one hour of four had gone by"
    works.library.clock.now = wall(4, 12)
    works.do(closing.close, 1, ana, outcome=Outcome.ANSWERED)
    answered = next(row for row in works.library.rows(events) if row.what == "answered")
    assert (answered.open_seconds, answered.within_target) == (3 * 3600, True)


def test_wake_goes_on_at_once(works: Clockwork) -> None:
    number = works.library.arrives()
    ana = works.person("ana")
    assert isinstance(works.do(pausing.wake, number, ana), Unchanged)
    works.do(pausing.wait, number, ana)
    works.library.clock.forward(hours=1)
    assert isinstance(works.do(pausing.wake, number, ana), Done)
    assert works.library.mention(number).claim_due_at == wall(3, 13)
    assert works.library.mention(number).next_step_at == wall(3, 12, 30)


def test_a_snooze_ends_with_the_owner_whose_it_was(quick: Clockwork) -> None:
    number = quick.library.arrives()
    quick.library.claim(number, "ana")
    quick.do(pausing.snooze, number, quick.person("ana"), wall(9, 9))
    quick.do(claims.release, number, quick.person("ana"))
    assert quick.library.mention(number).snoozed_until is None
    quick.at(wall(3, 13))
    assert "1 mention waits" in quick.lines()[0], "the team hears of what was given back"
    quick.library.claim(number, "ana")
    quick.do(pausing.snooze, number, quick.person("ana"), wall(9, 9))
    quick.do(claims.assign, number, quick.person("ben"), quick.person("ana"))
    assert quick.library.mention(number).snoozed_until is None
    quick.at(wall(4, 12))
    assert any("to answer" in letter.text for letter in quick.letters("ben"))


def test_undo_gives_the_snooze_back_too(quick: Clockwork) -> None:
    number = quick.library.arrives()
    ana = quick.person("ana")
    quick.library.claim(number, "ana")
    quick.do(pausing.snooze, number, ana, wall(9, 9))
    done = quick.do(claims.release, number, ana)
    assert isinstance(done, Done)
    quick.do(undoing.undo, done.event, ana)
    assert quick.library.mention(number).snoozed_until == wall(9, 9)


def test_nothing_that_is_closed_or_past(quick: Clockwork) -> None:
    number = quick.library.arrives()
    ana = quick.person("ana")
    with pytest.raises(Refused, match="past"):
        quick.do(pausing.snooze, number, ana, quick.library.clock.now)
    quick.do(closing.close, number, ana, outcome=Outcome.SPAM)
    for use_case in (pausing.wait, pausing.wake, pausing.still_on_it):
        with pytest.raises(Refused, match="reopen 1"):
            quick.do(use_case, number, ana)


def test_only_the_owner_is_still_on_it(quick: Clockwork) -> None:
    number = quick.library.arrives()
    quick.library.claim(number, "ana")
    with pytest.raises(Refused, match="not yours"):
        quick.do(pausing.still_on_it, number, quick.person("ben"))


@pytest.mark.parametrize(
    ("start", "end", "at", "quiet"),
    [
        ("12:00", "13:00", (11, 59), False),
        ("12:00", "13:00", (12, 0), True),
        ("12:00", "13:00", (13, 0), False),
        ("17:00", "09:30", (9, 29), True),
        ("17:00", "09:30", (17, 30), True),
        ("17:00", "09:30", (12, 0), False),
        ("", "", (12, 0), False),
    ],
)
def test_quiet_hours(
    quick: Clockwork, start: str, end: str, at: tuple[int, int], quiet: bool
) -> None:
    quick.library.clock.now = wall(2, 9)
    quick.library.claim(quick.library.arrives())
    quick.do(preferences.be_quiet, quick.person("ana"), start, end)
    quick.at(wall(3, *at))
    assert (quick.letters("ana") == []) is quiet


def test_a_wish_that_makes_no_sense_is_refused(quick: Clockwork) -> None:
    ana = quick.person("ana")
    for start, end in (("noon", "13:00"), ("12:00", "12:00")):
        with pytest.raises(Refused):
            quick.do(preferences.be_quiet, ana, start, end)
    with pytest.raises(Refused, match="direct"):
        quick.do(preferences.nag_by, ana, "pigeon")
    with pytest.raises(Refused, match="local"):
        quick.do(preferences.prefer, ana, "slack")
    quick.do(preferences.be_quiet, ana, "9:00", "10:00")
    found = quick.library.desk.look(preferences.preferences, ana)
    assert (found.quiet_from, found.quiet_until) == ("09:00", "10:00")


def test_snoozes_that_end_together(quick: Clockwork) -> None:
    ana = quick.person("ana")
    for _ in range(5):
        quick.do(pausing.snooze, quick.library.arrives(), ana, wall(3, 12))
    quick.library.clock.now = wall(3, 12) + timedelta(seconds=1)
    assert quick.do(pausing.end_snoozes) == 5
    assert quick.do(pausing.end_snoozes) == 0

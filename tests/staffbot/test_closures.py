"""Announced closures: due times move at once, the channel is told, Undo takes it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from staffbot.desk import claims, closing, closures, retiming, undoing
from staffbot.desk.closures import Announcement
from staffbot.errors import Refused
from staffbot.model import Done, Outcome, Room, Status
from staffbot.settings import OpeningHours, Team, TeamRoom, WhenClosed
from staffbot.tables import events
from tests.library import HOURS, Library
from tests.staffbot.clockwork import Clockwork, buttons, wall


@pytest.fixture
def works(library: Library) -> Clockwork:
    return Clockwork(library)


@pytest.fixture
def quick(sqlite_library: Library) -> Clockwork:
    return Clockwork(sqlite_library)


def close(works: Clockwork, start: int, end: int, who: str = "ben", **changed: Any) -> Done:
    """Close on the 3rd, from one hour to another."""
    plain = Announcement(
        team=None, starts_at=wall(3, start), ends_at=wall(3, end), opens=False,
        reason="burst pipe", said="today",
    )  # fmt: skip
    announcement = replace(plain, **changed)
    done = works.do(closures.announce, announcement, works.person(who))
    assert isinstance(done, Done)
    return done


def test_a_closure_moves_what_is_open_and_says_so(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.clock.now = wall(3, 11)
    done = close(works, 11, 18)
    assert done.said == "Closed today (burst pipe). 1 due time moved."
    mention = works.library.mention(number)
    assert (mention.claim_due_at, mention.answer_due_at) == (wall(4, 10), wall(4, 12))
    assert mention.clock_from == wall(3, 10), "the hour before the closure counts"
    works.carry()
    (notice,) = works.notices()
    assert notice.text == ("Closed today (burst pipe). 1 due time moved. Announced by Ben Okafor.")
    works.at(wall(3, 12))
    assert works.lines() == [], "nothing is said while it is closed"
    works.at(wall(4, 9, 30))
    assert len(works.lines()) == 1


def test_undo_takes_it_back_for_anybody(works: Clockwork) -> None:
    number = works.library.arrives()
    before = works.library.mention(number)
    works.library.clock.now = wall(3, 11)
    done = close(works, 11, 18)
    works.carry()
    (notice,) = works.notices()
    assert buttons(notice) == ["undo"]
    assert done.event is not None
    closure = works.library.desk.look(closures.closure_of, done.event)
    assert closure is not None
    works.do(closures.revoke, closure, works.person("ana"))
    after = works.library.mention(number)
    assert (after.claim_due_at, after.answer_due_at, after.next_step_at) == (
        before.claim_due_at, before.answer_due_at, before.next_step_at,
    )  # fmt: skip
    with pytest.raises(Refused, match="taken back already"):
        works.do(closures.revoke, closure, works.person("ana"))
    works.carry()
    assert works.notices()[-1].text == (
        "Taken back: closed today 11:00-18:00 (burst pipe), as Ben Okafor had announced. "
        "1 due time moved back. Said by Ana Silva."
    )
    first = works.notices()[0]
    assert first.text.endswith("Announced by Ben Okafor. Taken back by Ana Silva.")
    assert buttons(first) == [], "there is nothing left to undo"
    works.at(wall(3, 11, 30))
    assert len(works.lines()) == 1


def test_an_extra_opening_is_the_reverse(quick: Clockwork) -> None:
    quick.library.clock.now = wall(7, 15)  # a Saturday, after closing
    number = quick.library.arrives()
    assert quick.library.mention(number).clock_from == wall(9, 9)
    opening: dict[str, Any] = {
        "opens": True,
        "starts_at": wall(8, 13),
        "ends_at": wall(8, 17),
        "reason": "",
    }
    done = close(quick, 0, 0, said="Sun 8 Mar 13:00-17:00", **opening)
    assert done.said == "Open Sun 8 Mar 13:00-17:00. 1 due time moved."
    assert quick.library.mention(number).claim_due_at == wall(8, 15)
    quick.at(wall(8, 14, 30))
    assert len(quick.lines()) == 1


def test_what_was_measured_stays(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.clock.now = wall(3, 11, 30)
    works.library.claim(number)
    measured = [(e.open_seconds, e.within_target) for e in works.library.rows(events)]
    close(works, 10, 11, ends_at=wall(3, 12), starts_at=wall(3, 10))
    assert [(e.open_seconds, e.within_target) for e in works.library.rows(events)][:2] == measured
    assert works.library.mention(number).clock_from == wall(3, 12)


def test_only_the_team_that_is_meant(quick: Clockwork) -> None:
    kids = Team(
        key="kids", name="Children", hours=HOURS,
        rooms=(TeamRoom(room=Room(platform="local", id="kids")),),
    )  # fmt: skip
    quick.library.reconfigure(teams=(*quick.library.settings.teams, kids))
    number = quick.library.arrives()
    due = quick.library.mention(number).claim_due_at
    done = close(quick, 11, 18, team="kids")
    assert done.said == "Children: Closed today (burst pipe)."
    assert quick.library.mention(number).claim_due_at == due
    quick.carry()
    assert [one.ref.room.id for one in quick.kind("notice")] == ["kids"]


def test_where_there_are_several_teams_it_says_that_all_are_meant(quick: Clockwork) -> None:
    kids = Team(
        key="kids", name="Children", hours=HOURS,
        rooms=(TeamRoom(room=Room(platform="local", id="kids")),),
    )  # fmt: skip
    quick.library.reconfigure(teams=(*quick.library.settings.teams, kids))
    assert close(quick, 11, 18).said == "All teams: Closed today (burst pipe)."
    quick.carry()
    assert [one.ref.room.id for one in quick.kind("notice")] == ["desk", "kids"]


def test_what_is_over_is_refused(quick: Clockwork) -> None:
    quick.library.clock.now = wall(3, 17)
    with pytest.raises(Refused, match="past already"):
        close(quick, 11, 12)


def test_taking_a_closure_back_brings_later_steps_forward(quick: Clockwork) -> None:
    number = quick.library.arrives()
    quick.library.claim(number)
    quick.at(wall(3, 14, 0))
    done = close(quick, 14, 17, starts_at=wall(3, 14, 30))
    quick.at(wall(3, 14, 10))
    quick.at(wall(3, 17, 1))
    mention = quick.library.mention(number)
    assert mention.answer_due_at == wall(3, 14), "it was due before"
    assert done.event is not None
    closure = quick.library.desk.look(closures.closure_of, done.event)
    quick.library.clock.now = wall(3, 17, 2)
    quick.do(closures.revoke, closure, quick.person("ana"))
    quick.at(wall(3, 17, 3))
    assert len(quick.letters("mia")) == 1, "six hours of opening time had gone by"


def test_other_hours_in_the_configuration_move_what_is_open(quick: Clockwork) -> None:
    number = quick.library.arrives()
    assert quick.do(retiming.settle) == 0
    assert quick.do(retiming.settle) == 0
    team = quick.library.settings.teams[0]
    late = OpeningHours(weekly="Mo-Fr 13:00-19:00", zone=HOURS.zone)
    quick.library.reconfigure(teams=(replace(team, hours=late),))
    assert quick.do(retiming.settle) == 1
    assert quick.library.mention(number).claim_due_at == wall(3, 15)


def test_a_claim_can_be_undone_although_its_due_time_moved(quick: Clockwork) -> None:
    number = quick.library.arrives()
    quick.do(claims.claim, number, quick.person("ana"))
    event = quick.library.rows(events)[-1].id
    close(quick, 11, 18)
    done = quick.do(undoing.undo, event, quick.person("ana"))
    assert isinstance(done, Done)
    mention = quick.library.mention(number)
    assert (mention.status, mention.claim_due_at) == (Status.OPEN, wall(4, 10))


def test_what_an_undo_opens_again_keeps_the_new_hours(quick: Clockwork) -> None:
    number = quick.library.arrives()
    ana = quick.person("ana")
    done = quick.do(closing.close, number, ana, outcome=Outcome.ANSWERED)
    close(quick, 11, 18)
    quick.do(undoing.undo, done.event, ana)
    assert quick.library.mention(number).claim_due_at == wall(4, 10)


def test_what_is_shown_at_opening_waits_for_the_one_that_holds_now(works: Clockwork) -> None:
    (team,) = works.library.settings.teams
    works.library.reconfigure(teams=(replace(team, when_closed=WhenClosed.AT_OPENING),))
    works.library.clock.now = wall(3, 20)
    works.library.arrives()
    tomorrow: dict[str, Any] = {"starts_at": wall(4, 0), "ends_at": wall(4, 13)}
    done = close(works, 0, 0, said="tomorrow until 13:00", **tomorrow)
    works.at(wall(4, 9, 30))
    assert works.kind("card") == [], "the doors are still closed"
    assert done.event is not None
    closure = works.library.desk.look(closures.closure_of, done.event)
    assert closure is not None
    works.do(closures.revoke, closure, works.person("ana"))
    works.ring()
    assert len(works.kind("card")) == 1, "they are open after all"

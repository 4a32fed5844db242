"""Decisions as tables: what a follow-up does, when a storm begins, which clock a mention gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from staffbot.hours import Hours
from staffbot.model import Kind, Mention, Outcome, Status
from staffbot.policy import (
    FollowUp,
    answered_within,
    claimed_within,
    clocks,
    follow_up,
    storm_begins,
    storm_is_over,
    worked_seconds,
)
from staffbot.settings import Nagging, Route, Storm, Target
from tests.library import HOURS, TUESDAY, settings

MENTION = Mention(
    number=1, team="adult", source="social", kind=Kind.MENTION, expects_answer=True,
    private=False, status=Status.OPEN, outcome=None, topics=(), owner=None, last_owner=None,
    language="", cycle=1, revision=1, posted_at=TUESDAY, received_at=TUESDAY, came_at=TUESDAY,
    clock_from=TUESDAY, claim_due_at=None, answer_due_at=None, claimed_at=None,
    answered_at=None, closed_at=None, snoozed_until=None, waiting_since=None, waited_seconds=0,
    next_step_at=None, still_asked_at=None, acted_at=None, touched_at=TUESDAY, storm=None,
    linked=None, edited_at=None, deleted_at=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "outcome", "closed_for", "expects", "decided"),
    [
        (Status.OPEN, None, None, True, FollowUp.JOIN),
        (Status.OPEN, None, None, False, FollowUp.JOIN),
        (Status.CLAIMED, None, None, True, FollowUp.JOIN),
        (Status.CLOSED, Outcome.ANSWERED, timedelta(0), True, FollowUp.REOPEN),
        (Status.CLOSED, Outcome.ANSWERED, timedelta(days=14), True, FollowUp.REOPEN),
        (Status.CLOSED, Outcome.ANSWERED, timedelta(days=14, seconds=1), True, FollowUp.FRESH),
        (Status.CLOSED, Outcome.PASSED_ON, timedelta(days=2), True, FollowUp.REOPEN),
        (Status.CLOSED, Outcome.NO_ANSWER_NEEDED, timedelta(days=2), True, FollowUp.REOPEN),
        (Status.CLOSED, Outcome.NOT_FOR_US, timedelta(days=2), True, FollowUp.REOPEN),
        (Status.CLOSED, Outcome.ANSWERED, timedelta(days=2), False, FollowUp.KEEP_CLOSED),
        (Status.CLOSED, Outcome.SPAM, timedelta(days=2), True, FollowUp.KEEP_CLOSED),
        (Status.CLOSED, Outcome.SPAM, timedelta(days=200), True, FollowUp.KEEP_CLOSED),
    ],
)
def test_what_a_follow_up_does(
    status: Status,
    outcome: Outcome | None,
    closed_for: timedelta | None,
    expects: bool,
    decided: FollowUp,
) -> None:
    closed_at = None if closed_for is None else TUESDAY - closed_for
    before = replace(MENTION, status=status, outcome=outcome, closed_at=closed_at)
    found = follow_up(before, expects_answer=expects, settings=settings(), now=TUESDAY)
    assert found is decided


@pytest.mark.parametrize("status", [Status.OPEN, Status.CLAIMED])
def test_a_question_after_an_answer_is_a_new_one_also_while_it_is_open(status: Status) -> None:
    before = replace(MENTION, status=status, answered_at=TUESDAY)
    for expects, decided in ((True, FollowUp.ASK_AGAIN), (False, FollowUp.JOIN)):
        found = follow_up(before, expects_answer=expects, settings=settings(), now=TUESDAY)
        assert found is decided


@pytest.mark.parametrize(
    ("recent", "begins"), [(0, False), (1, False), (9, False), (10, False), (11, True), (500, True)]
)
def test_over_ten_is_a_storm(recent: int, begins: bool) -> None:
    assert storm_begins(recent, Storm()) is begins


@pytest.mark.parametrize(
    ("quiet_for", "over"),
    [(timedelta(0), False), (timedelta(minutes=14, seconds=59), False), (timedelta(minutes=15), True)],
)  # fmt: skip
def test_a_storm_calms_when_nothing_came_for_a_while(quiet_for: timedelta, over: bool) -> None:
    assert storm_is_over(TUESDAY - quiet_for, Storm(), TUESDAY) is over


def _utc(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in March 2026, when Berlin is an hour ahead of UTC."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("came_at", "starts_at", "claim_due_at", "answer_due_at"),
    [
        # Tuesday 10:00 in Berlin
        (_utc(3, 9), _utc(3, 9), _utc(3, 11), _utc(3, 13)),
        # Tuesday 17:00: one hour today, the rest tomorrow
        (_utc(3, 16), _utc(3, 16), _utc(4, 9), _utc(4, 11)),
        # Tuesday 22:00, closed: the clock starts on Wednesday at nine
        (_utc(3, 21), _utc(4, 8), _utc(4, 10), _utc(4, 12)),
        # Saturday 13:00: an hour until two o'clock, Sunday shut, the rest on Monday
        (_utc(7, 12), _utc(7, 12), _utc(9, 9), _utc(9, 11)),
    ],
)
def test_clocks_run_in_opening_time(
    came_at: datetime, starts_at: datetime, claim_due_at: datetime, answer_due_at: datetime
) -> None:
    found = clocks(
        came_at, expects_answer=True, target=Target(), nagging=Nagging(), hours=Hours.of(HOURS, ())
    )
    assert (found.starts_at, found.claim_due_at, found.answer_due_at) == (
        starts_at, claim_due_at, answer_due_at,
    )  # fmt: skip


def test_what_was_only_heard_has_no_clock() -> None:
    found = clocks(
        TUESDAY, expects_answer=False, target=Target(), nagging=Nagging(), hours=Hours.of(HOURS, ())
    )
    assert (found.claim_due_at, found.answer_due_at, found.next_step_at) == (None, None, None)


def test_an_answer_while_closed_took_no_time() -> None:
    hours = Hours.of(HOURS, ())
    night = replace(MENTION, clock_from=_utc(4, 8))
    assert worked_seconds(night, hours, _utc(3, 22)) == 0
    assert worked_seconds(night, hours, _utc(4, 9)) == 3600


def test_waiting_for_the_patron_does_not_count() -> None:
    hours = Hours.of(HOURS, ())
    waiting = replace(MENTION, waiting_since=TUESDAY + timedelta(hours=1), waited_seconds=600)
    assert worked_seconds(waiting, hours, TUESDAY + timedelta(hours=3)) == 3600 - 600


@pytest.mark.parametrize(("seconds", "within"), [(4 * 3600, True), (4 * 3600 + 1, False)])
def test_exactly_at_the_target_is_within_it(seconds: int, within: bool) -> None:
    assert answered_within(MENTION, Target(), seconds) is within
    assert claimed_within(MENTION, Target(claim_within=timedelta(hours=4)), seconds) is within
    assert answered_within(replace(MENTION, expects_answer=False), Target(), seconds) is None


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        (Route(team="a"), True),
        (Route(team="a", source="social"), True),
        (Route(team="a", source="blog"), False),
        (Route(team="a", kind=Kind.REVIEW), True),
        (Route(team="a", kind=Kind.COMMENT), False),
        (Route(team="a", keyword="storytime"), True),
        (Route(team="a", keyword="STORYTIME"), True),
        (Route(team="a", keyword="story"), False),
        (Route(team="a", keyword="c++"), True),
        (Route(team="a", language="es"), True),
        (Route(team="a", language="ES"), True),
        (Route(team="a", language="de"), False),
        (Route(team="a", source="social", kind=Kind.REVIEW, keyword="kids", language="es"), True),
        (Route(team="a", source="social", kind=Kind.REVIEW, keyword="kids", language="de"), False),
    ],
)
def test_every_condition_of_a_routing_rule_has_to_hold(rule: Route, fits: bool) -> None:
    assert (
        rule.fits(
            source="social", kind=Kind.REVIEW, text="Storytime, kids and C++!", language="es-MX"
        )
        is fits
    )

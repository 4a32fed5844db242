"""When a reminder is due and for whom: tables of policy, and laws that hold for any history."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffbot.hours import Closure, Hours
from staffbot.model import Kind, Mention, Person, Role, Status
from staffbot.reminders import (
    Reach,
    Step,
    due_steps,
    look_again_at,
    managers,
    may_be_told,
    next_open_day,
    next_step_at,
    step_times,
    still_matters,
    superseded,
)
from staffbot.settings import Nagging, OpeningHours, Target, Team
from tests.library import HOURS, TUESDAY

TEAM = Team(key="adult", name="Adult services", hours=HOURS)
OPEN = Hours.of(HOURS)
BERLIN = ZoneInfo("Europe/Berlin")
MENTION = Mention(
    number=1, team="adult", source="social", kind=Kind.MENTION, expects_answer=True,
    private=False, status=Status.OPEN, outcome=None, topics=(), owner=None, last_owner=None,
    language="", cycle=1, revision=1, posted_at=TUESDAY, received_at=TUESDAY, came_at=TUESDAY,
    clock_from=TUESDAY, claim_due_at=None, answer_due_at=None, claimed_at=None,
    answered_at=None, closed_at=None, snoozed_until=None, waiting_since=None, waited_seconds=0,
    next_step_at=None, still_asked_at=None, acted_at=None, touched_at=TUESDAY, storm=None,
    linked=None, edited_at=None, deleted_at=None,
)  # fmt: skip
CLAIMED = replace(MENTION, status=Status.CLAIMED, owner="ana", claimed_at=TUESDAY, acted_at=TUESDAY)
ANA = Person(key="ana", name="Ana")


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026 on the library's clock."""
    return datetime(2026, 3, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("came", "step", "due"),
    [
        # unclaimed: 75 %, 100 % and 150 % of two hours
        (wall(3, 10), Step.CLAIM_WARN, wall(3, 11, 30)),
        (wall(3, 10), Step.CLAIM_OVERDUE, wall(3, 12)),
        (wall(3, 10), Step.CLAIM_MANAGER, wall(3, 13)),
        # over the night, and over a Sunday
        (wall(3, 17), Step.CLAIM_WARN, wall(4, 9, 30)),
        (wall(6, 17), Step.CLAIM_OVERDUE, wall(7, 11)),
        (wall(7, 13), Step.CLAIM_MANAGER, wall(9, 11)),
    ],
)
def test_an_unclaimed_mention_has_three_steps(came: datetime, step: Step, due: datetime) -> None:
    mention = replace(MENTION, came_at=came, clock_from=came)
    assert step_times(TEAM, OPEN, mention)[step] == due


@pytest.mark.parametrize(
    ("step", "due"),
    [
        (Step.ANSWER_WARN, wall(3, 13)),
        (Step.ANSWER_OVERDUE, wall(3, 14)),
        (Step.ANSWER_MANAGER, wall(3, 16)),
        (Step.STILL_ON_IT, wall(4, 10)),
    ],
)
def test_a_claimed_mention_has_four(step: Step, due: datetime) -> None:
    times = step_times(TEAM, OPEN, CLAIMED)
    assert times[step] == due
    assert Step.CLAIM_WARN not in times


@pytest.mark.parametrize(
    "changed",
    [
        {"expects_answer": False},
        {"status": Status.CLOSED},
        {"waiting_since": TUESDAY},
        {"answered_at": TUESDAY},
    ],
    ids=["only heard", "closed", "waiting for the patron", "answered"],
)
def test_no_clock_no_step(changed: dict[str, object]) -> None:
    assert step_times(TEAM, OPEN, replace(CLAIMED, **changed)) == {}  # type: ignore[arg-type]


def test_a_snooze_puts_steps_off_and_stops_no_clock() -> None:
    until = wall(3, 13, 30)
    times = step_times(TEAM, OPEN, replace(CLAIMED, snoozed_until=until))
    assert times[Step.ANSWER_WARN] == until
    assert times[Step.ANSWER_OVERDUE] == wall(3, 14), "the clock went on"


def test_waiting_for_the_patron_stopped_the_clock() -> None:
    times = step_times(TEAM, OPEN, replace(CLAIMED, waited_seconds=3 * 3600))
    assert times[Step.ANSWER_OVERDUE] == wall(3, 17)


def test_a_target_of_its_own_has_steps_of_its_own() -> None:
    quick = Target(claim_within=timedelta(minutes=20), source="social")
    team = replace(TEAM, targets=(Target(), quick))
    assert step_times(team, OPEN, MENTION)[Step.CLAIM_OVERDUE] == wall(3, 10, 20)


@pytest.mark.parametrize(
    ("acted", "asked", "expected"),
    [
        (wall(3, 10), None, (Step.STILL_ON_IT, wall(4, 10))),
        (wall(3, 10), wall(4, 10), (Step.GIVE_BACK, wall(5, 10))),
        (wall(4, 12), wall(4, 10), (Step.STILL_ON_IT, wall(5, 12))),
        (wall(6, 17), None, (Step.STILL_ON_IT, wall(7, 14))),
        (wall(7, 12), None, (Step.STILL_ON_IT, wall(9, 12))),
        (wall(8, 15), None, (Step.STILL_ON_IT, wall(10, 9))),
        (wall(3, 21), None, (Step.STILL_ON_IT, wall(5, 9))),
    ],
    ids=[
        "never asked",
        "asked",
        "acted since",
        "a short Saturday",
        "over a Sunday",
        "claimed on a Sunday",
        "claimed in the evening",
    ],
)
def test_a_claim_without_any_act(
    acted: datetime, asked: datetime | None, expected: tuple[Step, datetime]
) -> None:
    mention = replace(CLAIMED, claimed_at=wall(3, 9), acted_at=acted, still_asked_at=asked)
    times = step_times(TEAM, OPEN, mention)
    stale = {step: times[step] for step in (Step.STILL_ON_IT, Step.GIVE_BACK) if step in times}
    assert stale == dict([expected])


def test_an_opening_day_is_a_day_of_the_wall_clock() -> None:
    # the clocks go forward in the night to Sunday, 29 March
    assert next_open_day(OPEN, wall(28, 12)) == wall(30, 12)


@pytest.mark.parametrize(
    ("told", "now", "expected"),
    [
        (set(), wall(3, 11), []),
        (set(), wall(3, 11, 30), [Step.CLAIM_WARN]),
        ({Step.CLAIM_WARN}, wall(3, 11, 40), []),
        (set(), wall(3, 12), [Step.CLAIM_OVERDUE]),
        (set(), wall(3, 13), [Step.CLAIM_OVERDUE, Step.CLAIM_MANAGER]),
        ({Step.CLAIM_OVERDUE, Step.CLAIM_WARN}, wall(3, 13), [Step.CLAIM_MANAGER]),
    ],
)
def test_a_later_step_says_what_the_one_before_would(
    told: set[str], now: datetime, expected: list[Step]
) -> None:
    assert due_steps(step_times(TEAM, OPEN, MENTION), told, now) == expected


def test_what_is_put_off_delays_no_other_step() -> None:
    times = step_times(TEAM, OPEN, CLAIMED)
    now, back = wall(3, 14), wall(10, 9)
    assert look_again_at(times, set(), back, now) == times[Step.ANSWER_MANAGER]
    assert look_again_at(times, set(), now + timedelta(minutes=5), now) == wall(3, 14, 5)
    assert look_again_at(times, set(Step), None, now) is None


@pytest.mark.parametrize(
    ("reach", "told"),
    [
        ({}, True),
        ({"acted_at": wall(3, 9, 51)}, False),
        ({"acted_at": wall(3, 9, 50)}, True),
        ({"acted_at": wall(3, 10, 5)}, False),
        ({"acted_at": wall(4, 10)}, True),
        ({"quiet": True}, False),
        ({"today": 5}, True),
        ({"today": 6}, False),
        ({"person": replace(ANA, away_until=wall(3, 11))}, False),
        ({"person": replace(ANA, away_until=wall(3, 10))}, True),
    ],
    ids=[
        "nothing against it", "just acted", "ten minutes ago", "the clock was put back a little",
        "the clock was put back a day", "quiet hours", "not yet enough", "enough for today", "away",
        "back again",
    ],
)  # fmt: skip
def test_whether_a_person_may_be_told(reach: dict[str, object], told: bool) -> None:
    plain = Reach(person=ANA, acted_at=None, quiet=False, today=0)
    known = replace(plain, **reach)  # type: ignore[arg-type]
    assert may_be_told(known, TEAM, TUESDAY) is told


MIA = Person(key="mia", name="Mia", role=Role.MANAGER, teams=("adult",))
DORA = Person(key="dora", name="Dora", role=Role.DEPUTY)
KIM = Person(key="kim", name="Kim", role=Role.MANAGER, teams=("kids",))
AWAY = wall(9, 9)


@pytest.mark.parametrize(
    ("people", "told"),
    [
        ([ANA, MIA, DORA, KIM], ["mia"]),
        ([ANA, replace(MIA, away_until=AWAY), DORA, KIM], ["dora"]),
        ([ANA, replace(MIA, away_until=AWAY), replace(DORA, away_until=AWAY), KIM], ["kim"]),
        ([ANA, KIM], ["kim"]),
        ([ANA, replace(MIA, shared=True)], []),
        ([ANA, replace(MIA, away_until=TUESDAY)], ["mia"]),
        ([ANA], []),
    ],
    ids=["manager", "deputy", "any manager", "another team's", "no desk login", "back", "nobody"],
)
def test_who_hears_of_what_waits_too_long(people: list[Person], told: list[str]) -> None:
    assert [person.key for person in managers(TEAM, people, TUESDAY)] == told


@pytest.mark.parametrize(
    ("step", "changed", "matters"),
    [
        ("answer_overdue", {}, True),
        ("answer_overdue", {"status": Status.CLOSED}, False),
        ("answer_overdue", {"answered_at": TUESDAY}, False),
        ("answer_overdue", {"waiting_since": TUESDAY}, False),
        ("answer_overdue", {"snoozed_until": wall(3, 11)}, False),
        ("answer_overdue", {"snoozed_until": TUESDAY}, True),
        ("claim_manager", {}, False),
        ("claim_manager", {"status": Status.OPEN, "owner": None}, True),
        ("answer_manager", {"status": Status.OPEN, "owner": None}, True),
    ],
)
def test_what_is_still_worth_saying(step: str, changed: dict[str, object], matters: bool) -> None:
    mention = replace(CLAIMED, **changed)  # type: ignore[arg-type]
    assert still_matters(step, mention, TUESDAY) is matters


# --- laws ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reminded:
    """A plain sweep over one mention: what is told, when. The desk's does the same for many."""

    team: Team
    hours: Hours
    told: dict[Step, datetime] = field(default_factory=dict)
    messages: dict[object, int] = field(default_factory=dict)

    def sweep(self, mention: Mention, now: datetime, *, quiet: bool) -> None:
        if not self.hours.is_open(now):
            return
        known = set(self.told) | {b for step in self.told for b in superseded(step)}
        times = step_times(self.team, self.hours, mention)
        day = self.hours.local(now).date()
        reach = Reach(
            person=ANA, acted_at=mention.acted_at, quiet=quiet, today=self.messages.get(day, 0)
        )
        due = due_steps(times, known, now)
        if due and may_be_told(reach, self.team, now):
            self.messages[day] = self.messages.get(day, 0) + 1
            for step in due:
                assert times[step] <= now, "before it is due"
                assert step not in self.told, "twice"
                self.told[step] = now


moments = st.integers(0, 21 * 24 * 12).map(lambda n: wall(2, 0) + timedelta(minutes=5 * n))


@settings(max_examples=60, deadline=None)
@given(
    came=moments,
    claim_after=st.none() | st.integers(0, 3000),
    done_after=st.none() | st.integers(0, 6000),
    snooze=st.none() | st.integers(1, 3000),
    closed_days=st.sets(st.integers(2, 22), max_size=4),
    most=st.integers(1, 3),
    quiet_from=st.integers(0, 20),
)
def test_laws_of_reminding_one_mention(
    came: datetime,
    claim_after: int | None,
    done_after: int | None,
    snooze: int | None,
    closed_days: set[int],
    most: int,
    quiet_from: int,
) -> None:
    """Whatever happens: nothing early, closed, twice, after done or in quiet hours; at most k a day;
    and what was suppressed is told once nothing is against it."""
    shut = [Closure(starts_at=wall(day, 0), ends_at=wall(day + 1, 0)) for day in closed_days]
    hours = Hours.of(HOURS, shut)
    team = replace(TEAM, nagging=Nagging(most_a_day=most))
    start = hours.next_opening(came)
    assert start is not None
    mention = replace(MENTION, came_at=came, clock_from=start)
    reminded = Reminded(team, hours)
    done_at = None if done_after is None else came + timedelta(minutes=done_after)
    quiet = range(quiet_from, quiet_from + 3)
    now = came
    while now < came + timedelta(days=8):
        minutes = (now - came) // timedelta(minutes=1)
        if claim_after is not None and minutes >= claim_after and mention.owner is None:
            mention = replace(
                mention, status=Status.CLAIMED, owner="ana", claimed_at=now, acted_at=now
            )
        if snooze is not None and minutes >= 60:
            mention = replace(mention, snoozed_until=came + timedelta(minutes=60 + snooze))
        if done_at is not None and now >= done_at:
            mention = replace(mention, status=Status.CLOSED)
        before = dict(reminded.told)
        is_quiet = hours.local(now).hour in quiet
        reminded.sweep(mention, now, quiet=is_quiet)
        for _ in reminded.told.keys() - before.keys():
            assert hours.is_open(now)
            assert not is_quiet
            assert done_at is None or now < done_at
            assert mention.snoozed_until is None or now >= mention.snoozed_until
        now += timedelta(minutes=20)
    assert all(many <= most for many in reminded.messages.values())
    if done_at is None and snooze is None and claim_after is None:
        assert {Step.CLAIM_OVERDUE, Step.CLAIM_MANAGER} <= set(reminded.told), (
            "nothing is forgotten"
        )


@settings(max_examples=150, deadline=None)
@given(at=moments, told=st.sets(st.sampled_from(list(Step))))
def test_the_next_step_is_the_first_that_is_not_told(at: datetime, told: set[Step]) -> None:
    mention = replace(CLAIMED, clock_from=OPEN.next_opening(at) or at, claimed_at=at, acted_at=at)
    times = step_times(TEAM, OPEN, mention)
    left = {step: due for step, due in times.items() if step not in told}
    found = next_step_at(TEAM, OPEN, mention, told=told)
    assert found == min(left.values(), default=None)
    if found is not None:
        assert due_steps(times, told, found - timedelta(seconds=1)) == []
        assert due_steps(times, told, found)


@settings(max_examples=80, deadline=None)
@given(at=moments, weekly=st.sampled_from(["24/7", "Mo 09:00-12:00", "We-Sa 22:00-26:00"]))
def test_an_opening_day_on_lies_on_another_open_day(at: datetime, weekly: str) -> None:
    hours = Hours.of(OpeningHours(weekly=weekly, zone=BERLIN))
    found = next_open_day(hours, at)
    assert found is not None
    day = hours.local(at).date()
    first = hours.first_opening(hours.local(found).date())
    assert found > at
    assert hours.local(found).date() > day
    assert first is not None or hours.is_open(found - timedelta(seconds=1))

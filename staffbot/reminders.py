"""Pure decisions about reminding: which step of a mention is due when, and whom it is for.

Tells nobody anything itself; knows no database and no platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from staffbot.hours import Hours, first_shown
from staffbot.model import Mention, Person, Role, Status
from staffbot.settings import Team


class Step(StrEnum):
    """The steps of reminding. After `manager` only the digest speaks of a mention."""

    CLAIM_WARN = "claim_warn"
    CLAIM_OVERDUE = "claim_overdue"
    CLAIM_MANAGER = "claim_manager"
    ANSWER_WARN = "answer_warn"
    ANSWER_OVERDUE = "answer_overdue"
    ANSWER_MANAGER = "answer_manager"
    STILL_ON_IT = "still_on_it"
    GIVE_BACK = "give_back"


class Audience(StrEnum):
    """Whom a step is for."""

    TEAM = "team"  # one line in the channel
    OWNER = "owner"  # one direct message for everything they owe
    MANAGERS = "managers"
    NOBODY = "nobody"  # done without asking anyone: the claim is given back


AUDIENCE = {
    Step.CLAIM_WARN: Audience.TEAM,
    Step.CLAIM_OVERDUE: Audience.TEAM,
    Step.CLAIM_MANAGER: Audience.MANAGERS,
    Step.ANSWER_WARN: Audience.OWNER,
    Step.ANSWER_OVERDUE: Audience.OWNER,
    Step.ANSWER_MANAGER: Audience.MANAGERS,
    Step.STILL_ON_IT: Audience.OWNER,
    Step.GIVE_BACK: Audience.NOBODY,
}
# A step says all that the steps before it would have said.
_BEFORE = {
    Step.CLAIM_OVERDUE: (Step.CLAIM_WARN,),
    Step.CLAIM_MANAGER: (),
    Step.ANSWER_OVERDUE: (Step.ANSWER_WARN,),
}


def step_times(team: Team, hours: Hours, mention: Mention) -> dict[Step, datetime]:
    """When each step of the clock that runs now is due (UTC); empty where none runs.

    Unclaimed: shares of the claim target. Claimed: shares of the answer target, and a claim
    without any act. Time in which the patron was waited for does not count. A snooze puts steps
    off; it stops no clock.
    """
    if (
        not mention.expects_answer
        or mention.status is Status.CLOSED
        or mention.waiting_since is not None
        or mention.answered_at is not None
    ):
        return {}
    times = _clock_times(team, hours, mention)
    if mention.status is Status.CLAIMED:
        times |= _stale_times(hours, mention)
    if mention.snoozed_until is None:
        return times
    return {step: max(at, mention.snoozed_until) for step, at in times.items()}


def _clock_times(team: Team, hours: Hours, mention: Mention) -> dict[Step, datetime]:
    target = team.target(mention.source, mention.kind)
    nagging = team.nagging
    if mention.status is Status.OPEN:
        owed = target.claim_within
        steps = (Step.CLAIM_WARN, Step.CLAIM_OVERDUE, Step.CLAIM_MANAGER)
    else:
        owed = target.answer_within
        steps = (Step.ANSWER_WARN, Step.ANSWER_OVERDUE, Step.ANSWER_MANAGER)
    shares = (nagging.warn_at, nagging.overdue_at, nagging.manager_at)
    waited = timedelta(seconds=mention.waited_seconds)
    found = {
        step: hours.add_open_time(mention.clock_from, owed * share + waited)
        for step, share in zip(steps, shares, strict=True)
    }
    return {step: at for step, at in found.items() if at is not None}


def _stale_times(hours: Hours, mention: Mention) -> dict[Step, datetime]:
    """A claim without any act for one opening day is asked about, and after another given back."""
    since = silent_since(mention)
    if mention.still_asked_at is not None and mention.still_asked_at >= since:
        at = next_open_day(hours, mention.still_asked_at)
        return {} if at is None else {Step.GIVE_BACK: at}
    at = next_open_day(hours, since)
    return {} if at is None else {Step.STILL_ON_IT: at}


def silent_since(mention: Mention) -> datetime:
    """The last act on a claim, or the claim itself."""
    known = [at for at in (mention.acted_at, mention.claimed_at) if at is not None]
    return max(known, default=mention.came_at)


def next_open_day(hours: Hours, start: datetime) -> datetime | None:
    """One opening day on: the same time of the next day that opens, or its nearest open moment.

    What was done while closed counts from the next opening: by then nobody has been at work since.
    """
    local = hours.local(hours.next_opening(start) or start)
    for days in range(1, 60):
        day = local.date() + timedelta(days=days)
        periods = hours.periods(day)
        if periods:
            same = first_shown(datetime.combine(day, local.time()), hours.zone)
            last = periods[-1][1]
            return max(periods[0][0], min(hours.next_opening(same) or last, last))
    return None


def next_step_at(
    team: Team,
    hours: Hours,
    mention: Mention,
    values: Mapping[str, Any] | None = None,
    told: Set[str] = frozenset(),
) -> datetime | None:
    """When policy next has something to look at for a mention as it will be with `values`.

    `told` are the steps that need no second telling. A moment in the past means: look at once.
    """
    after = replace(mention, **(values or {}))
    times = step_times(team, hours, after)
    return min((at for step, at in times.items() if step not in told), default=None)


def look_again_at(
    times: Mapping[Step, datetime], told: Set[str], put_off: datetime | None, now: datetime
) -> datetime | None:
    """When to look at a mention next: what could not be told now is put off, the rest comes due."""
    return min(
        (
            at if at > now or put_off is None else put_off
            for step, at in times.items()
            if step not in told
        ),
        default=None,
    )


def due_steps(times: Mapping[Step, datetime], told: Set[str], now: datetime) -> list[Step]:
    """The steps to tell now, without those that a later one says as well."""
    due = [step for step, at in times.items() if at <= now and step not in told]
    said = {before for step in due for before in _BEFORE.get(step, ())}
    return [step for step in due if step not in said]


def still_matters(step: str, mention: Mention, now: datetime) -> bool:
    """Whether a step that was due is still worth saying, at the moment when it is said."""
    if (
        mention.status is Status.CLOSED
        or not mention.expects_answer
        or mention.answered_at is not None
        or mention.waiting_since is not None
        or (mention.snoozed_until is not None and mention.snoozed_until > now)
    ):
        return False
    return step != Step.CLAIM_MANAGER or mention.status is Status.OPEN


def superseded(step: Step) -> tuple[Step, ...]:
    """The steps that need not be told any more once this one was."""
    return _BEFORE.get(step, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is known of a person when somebody wants to nag them.

    `quiet` is whether it is their quiet time now; `today` how many nags they had this local day.
    """

    person: Person
    acted_at: datetime | None
    quiet: bool
    today: int

    def away(self, now: datetime) -> bool:
        until = self.person.away_until
        return until is not None and until > now


def may_be_told(reach: Reach, team: Team, now: datetime) -> bool:
    """Whether a person may be nagged at this moment; if not, the step waits and does not count."""
    enough = reach.today >= team.nagging.most_a_day
    return not (enough or is_disturbed(reach, team, now))


def is_disturbed(reach: Reach, team: Team, now: datetime) -> bool:
    """Whether a reminder would disturb: away, in their quiet hours, or they just did something."""
    return (
        reach.away(now)
        or reach.quiet
        or is_fresh(reach.acted_at, team.nagging.quiet_after_act, now)
    )


def is_fresh(at: datetime | None, span: timedelta, now: datetime) -> bool:
    """Whether that was within the last `span`; also where the clock was set back a little since."""
    return at is not None and abs(now - at) < span


def managers(team: Team, people: Sequence[Person], now: datetime) -> list[Person]:
    """Who hears of the manager step: the team's managers who are not away, else its deputies, else
    any manager. Shared logins never do. Nobody, where all of them are away."""

    def of_team(person: Person) -> bool:
        return not person.teams or team.key in person.teams

    able = [
        person
        for person in people
        if not person.shared and (person.away_until is None or person.away_until <= now)
    ]
    for role in (Role.MANAGER, Role.DEPUTY):
        found = [person for person in able if person.role is role and of_team(person)]
        if found:
            return found
    return [person for person in able if person.role is Role.MANAGER]

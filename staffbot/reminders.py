"""Pure decisions about reminding: which step of a mention is due when. Tells nobody anything itself."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from staffbot.hours import Hours
from staffbot.model import Mention, Status
from staffbot.settings import Team


class Step(StrEnum):
    """The steps of a clock, in order; after the last one only the digest speaks of the mention."""

    WARN = "warn"
    OVERDUE = "overdue"
    MANAGER = "manager"


def step_times(team: Team, hours: Hours, mention: Mention) -> dict[Step, datetime]:
    """When each step of the clock that runs now is due (UTC); empty where none runs.

    Unclaimed: shares of the claim target. Claimed: shares of the answer target, without the open
    time in which the patron was waited for. A snooze puts steps off, it stops no clock.
    """
    if (
        not mention.expects_answer
        or mention.status is Status.CLOSED
        or mention.waiting_since is not None
        or mention.answered_at is not None
    ):
        return {}
    target = team.target(mention.source, mention.kind)
    owed = target.claim_within if mention.status is Status.OPEN else target.answer_within
    waited = timedelta(seconds=mention.waited_seconds)
    shares = {
        Step.WARN: team.nagging.warn_at,
        Step.OVERDUE: team.nagging.overdue_at,
        Step.MANAGER: team.nagging.manager_at,
    }
    times: dict[Step, datetime] = {}
    for step, share in shares.items():
        at = hours.add_open_time(mention.clock_from, owed * share + waited)
        if at is not None:
            times[step] = max(at, mention.snoozed_until) if mention.snoozed_until else at
    return times


def next_step_at(
    team: Team,
    hours: Hours,
    mention: Mention,
    values: Mapping[str, Any] | None = None,
    told: Set[Step] = frozenset(),
) -> datetime | None:
    """When policy next has something to look at for a mention as it will be with `values`.

    `told` are the steps that need no second telling. A moment in the past means: look at once.
    """
    after = replace(mention, **(values or {}))
    times = step_times(team, hours, after)
    return min((at for step, at in times.items() if step not in told), default=None)

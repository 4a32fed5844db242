"""Pure decisions about a mention: its clocks, what a follow-up does, when a storm begins.

Functions of (state, settings, now) only: no database, no platform, no loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from staffbot.hours import Hours
from staffbot.model import Mention, Outcome, Status
from staffbot.settings import Nagging, Settings, Storm, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The moments that matter for a mention. All but `starts_at` are None where no clock runs."""

    starts_at: datetime
    claim_due_at: datetime | None
    answer_due_at: datetime | None
    next_step_at: datetime | None


def clocks(
    came_at: datetime, *, expects_answer: bool, target: Target, nagging: Nagging, hours: Hours
) -> Clocks:
    """The clocks of a mention that came in (or was reopened) at `came_at`.

    What comes in while the library is closed starts its clock at the next opening.
    """
    starts_at = hours.next_opening(came_at) or came_at
    if not expects_answer:
        return Clocks(starts_at=starts_at, claim_due_at=None, answer_due_at=None, next_step_at=None)
    claim_due_at = hours.add_open_time(starts_at, target.claim_within)
    return Clocks(
        starts_at=starts_at,
        claim_due_at=claim_due_at,
        answer_due_at=hours.add_open_time(starts_at, target.answer_within),
        next_step_at=hours.add_open_time(starts_at, target.claim_within * nagging.warn_at),
    )


class FollowUp(StrEnum):
    """What becomes of a further post by the same patron in the same conversation."""

    JOIN = "join"  # shown on the card that is there; its owner is told
    REOPEN = "reopen"  # a new cycle begins; the last owner is told
    ASK_AGAIN = "ask_again"  # answered and still open: a new cycle, for whoever has it
    KEEP_CLOSED = "keep_closed"  # kept with the mention, nobody is disturbed
    FRESH = "fresh"  # a mention of its own


def follow_up(
    before: Mention, *, expects_answer: bool, settings: Settings, now: datetime
) -> FollowUp:
    """What a follow-up does to the mention that its conversation already has."""
    if before.status is not Status.CLOSED:
        asked_again = expects_answer and before.answered_at is not None
        return FollowUp.ASK_AGAIN if asked_again else FollowUp.JOIN
    if before.outcome is Outcome.SPAM:
        return FollowUp.KEEP_CLOSED
    closed_for = now - (before.closed_at or now)
    if closed_for > settings.reopen_within:
        return FollowUp.FRESH
    return FollowUp.REOPEN if expects_answer else FollowUp.KEEP_CLOSED


def storm_begins(recent: int, storm: Storm) -> bool:
    """Whether so many mentions of one team within `storm.within` are shown as one live card."""
    return recent > storm.mentions


def storm_is_over(last_at: datetime, storm: Storm, now: datetime) -> bool:
    return now - last_at >= storm.calm_after


def worked_seconds(mention: Mention, hours: Hours, at: datetime) -> int:
    """Open time that the library took from the mention's clock to `at`, in whole seconds.

    Time in which the patron was waited for does not count; an answer while closed counts zero.
    """
    if at <= mention.clock_from:
        return 0
    taken = hours.open_time_between(mention.clock_from, at)
    return max(0, int(taken.total_seconds()) - waited_seconds(mention, hours, at))


def waited_seconds(mention: Mention, hours: Hours, at: datetime) -> int:
    """Open time up to `at` in which the patron was waited for, in whole seconds."""
    if mention.waiting_since is None or at <= mention.waiting_since:
        return mention.waited_seconds
    running = hours.open_time_between(max(mention.waiting_since, mention.clock_from), at)
    return mention.waited_seconds + int(running.total_seconds())


def answered_within(mention: Mention, target: Target, open_seconds: int) -> bool | None:
    """Whether an answer was within target; None where no answer is owed."""
    if not mention.expects_answer:
        return None
    return timedelta(seconds=open_seconds) <= target.answer_within


def claimed_within(mention: Mention, target: Target, open_seconds: int) -> bool | None:
    """Whether a claim was within target; None where no answer is owed."""
    if not mention.expects_answer:
        return None
    return timedelta(seconds=open_seconds) <= target.claim_within


# What a person did longer ago than this is heard late: slower than any platform delivers again.
LATE_AFTER = timedelta(minutes=10)
# So far back a door may read what is left on messages, and for longer the desk remembers acts, so
# that nothing old which is read again is new to it.
MARKS_READ_BACK = timedelta(days=14)
ACTS_KEPT = MARKS_READ_BACK + timedelta(days=1)


def lateness(done_at: datetime | None, now: datetime) -> timedelta | None:
    """How long ago an act was done, where that is so long that it may mean something else by now, and
    whoever did it has gone on to something else."""
    ago = now - done_at if done_at is not None else timedelta()
    return ago if ago > LATE_AFTER else None


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# Looking again at the network: up to this age, how long until the next look. An answer comes soon
# or not at all, while an edit or a deletion may come late.
_PACE = (
    (_HOUR, timedelta(minutes=2)),
    (6 * _HOUR, timedelta(minutes=5)),
    (_DAY, timedelta(minutes=15)),
    (3 * _DAY, _HOUR),
    (7 * _DAY, 3 * _HOUR),
    (30 * _DAY, 12 * _HOUR),
)
FIRST_LOOK = _PACE[0][1]
LOOKED_FOR = _PACE[-1][0]


def look_pause(age: timedelta) -> timedelta | None:
    """How long a mention of this age (since it came or was reopened) is left alone on its network;
    None where nobody looks at it any more."""
    return next((pause for until, pause in _PACE if age < until), None)

"""Which days' digests are due: once each local open day, a while after its first opening. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from staffbot.hours import Hours, first_shown
from staffbot.settings import DigestSettings

# A day so short that its digest is due at its end has it all the same.
_LEAST = timedelta(minutes=30)


def days_due(
    hours: Hours, digest: DigestSettings, known: Mapping[date, bool], now: datetime
) -> list[tuple[date, datetime, bool]]:
    """The local open days whose digest is due by now, with the moment, and whether it is too late.

    `known` are the days that were seen to and whether each was missed: one that is still on time, as
    the clock was set back, is due again. Too late is past the last closing of its day, or
    `too_late_after`. Days before the first known one are no business of ours. Pure.
    """
    today = hours.local(now).date()
    # An opening shortly before midnight is told of after it, by the day that it belongs to.
    day = min((today - timedelta(days=1), *known))
    found = []
    while day <= today:
        opening = hours.first_opening(day)
        if opening is not None and (at := opening + digest.after_opening) <= now:
            missed = is_too_late(hours, digest, day, at, now)
            ours = day == today or not missed or any(other < day for other in known)
            if ours and (day not in known or (known[day] and not missed)):
                found.append((day, at, missed))
        day += timedelta(days=1)
    return found


def is_too_late(
    hours: Hours, digest: DigestSettings, day: date, at: datetime, now: datetime
) -> bool:
    """Whether a digest of that day, due at `at`, is missed: the day is over, or it is long ago."""
    periods = hours.periods(day)
    over = not periods or now >= max(periods[-1][1], at + _LEAST)
    return over or now - at > digest.too_late_after


def day_before(hours: Hours, digest: DigestSettings, day: date) -> datetime:
    """When the digest of the open day before this one would have been due: the first one ever begins
    there, so that on a Monday it tells of the weekend. A day back, where all were closed for weeks."""
    for back in range(1, 15):
        opening = hours.first_opening(day - timedelta(days=back))
        if opening is not None:
            return opening + digest.after_opening
    midnight = first_shown(datetime.combine(day, time()), hours.zone)
    return midnight - timedelta(days=1)

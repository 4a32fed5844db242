"""What people type as a moment, read in the library's own zone. Pure.

A wall time means the first moment at which the library's clock shows it: after now for what is to
come, the last one up to now for what is past. In autumn an hour is shown twice, so both count; a
time that spring leaves out is the moment of the change.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from staffbot.errors import Refused
from staffbot.hours import Hours, first_shown
from staffbot.times.clock import parse_clock, parse_clocks, parse_hour
from staffbot.times.days import days_later, parse_day, quoted, weekday_of

FARTHEST = timedelta(days=400)
EXAMPLES = "2h, 90m, 3d, 16:30, 4pm, tomorrow, mon 9am, 2026-12-24 15:00 or opening"
PAST_EXAMPLES = "14:30, 2pm, 20m ago, yesterday 17:45 or 2026-12-24 15:00"

_PART = re.compile(
    r"(\d{1,5})\s*(w|d|h|m|weeks?|days?|hours?|hrs?|minutes?|mins?)(?![a-z])\s*", re.IGNORECASE
)
_SPAN = re.compile(r"(?:.* )?\d{1,2}(?:[:.]\d\d)? ?[-\u2013] ?(\d{1,2})(?:[:.]\d\d)?")
_EVENING = ("tonight", "this evening")
_NEAR_DAYS = ("today", "tomorrow", "yesterday")


def parse_moment(text: str, *, now: datetime, hours: Hours, past: bool = False) -> datetime:
    """The moment meant: after `now`, or with `past` the last one that is not in the future.

    A day without a time is that day's first opening (the next one, where it has none); `today`
    lasts until midnight, `tonight` begins when the doors shut. Refused with a sentence that shows
    what works.
    """
    plain = _plain(text)
    found = _past(plain, now, hours) if past else _future(plain, now, hours)
    if found is None:
        if _SPAN.fullmatch(plain):
            raise Refused(f"{quoted(text)} is from when until when. Write one moment, like 14:00.")
        works = PAST_EXAMPLES if past else EXAMPLES
        raise Refused(f"{quoted(text)} is no time that I know. Write for instance {works}.")
    if past and found > now:
        raise Refused(f"{quoted(text)} is still to come. Write for instance {PAST_EXAMPLES}.")
    if not past and found <= now:
        raise Refused(f"{quoted(text)} is over already. Write for instance {EXAMPLES}.")
    if abs(found - now) > FARTHEST:
        raise _too_far(text)
    return found


def shown_at(day: date, minute: int, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The moments, one or two, at which the zone's clock shows that minute of that day."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    first = first_shown(wall, zone)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return (first, second) if second > first else (first,)


def _future(plain: str, now: datetime, hours: Hours) -> datetime | None:
    today = hours.local(now).date()
    if plain == "today":
        return first_shown(datetime.combine(today + timedelta(days=1), time()), hours.zone)
    if plain == "opening":
        shut = hours.next_closing(now) if hours.is_open(now) else now
        return _or_never(hours.next_opening(shut) if shut else None)
    if plain == "closing":
        return _or_never(hours.next_closing(now))
    if plain == "next week":
        monday = today + timedelta(days=7 - today.weekday())
        return _first_opening(monday, hours)
    after = _after(plain, now, hours.zone, 1)
    if after is not None:
        return after
    minute = parse_clock(plain)
    if minute is not None:
        days = (today + timedelta(days=ahead) for ahead in range(-1, 3))
        return min(at for day in days for at in shown_at(day, minute, hours.zone) if at > now)
    return _future_day(plain, now, hours, today)


def _future_day(plain: str, now: datetime, hours: Hours, today: date) -> datetime | None:
    if plain in _EVENING:
        return _evening(today, now, hours)
    words, minute = _split_clock(plain)
    day = parse_day(words, today)
    if day is None:
        return None
    if today - day > FARTHEST:
        raise Refused(f"{quoted(plain)} is over already. Write for instance {EXAMPLES}.")
    _refuse_far(day, today, plain)
    # A weekday that is today's own and over is the one of next week; a date stays what it is.
    week = timedelta(days=7 if weekday_of(words) is not None and day == today else 0)
    if minute is None:
        return _first_opening(day + week, hours)
    coming = [at for at in shown_at(day, minute, hours.zone) if at > now]
    return coming[0] if coming else shown_at(day + week, minute, hours.zone)[0]


def _past(plain: str, now: datetime, hours: Hours) -> datetime | None:
    if plain in ("now", "just now"):
        return now
    after = _after(plain.removesuffix("ago").strip(), now, hours.zone, -1)
    if after is not None:
        return after
    today = hours.local(now).date()
    minute = parse_clock(plain)
    if minute is not None:
        days = (today + timedelta(days=ahead) for ahead in range(-2, 2))
        return max(at for day in days for at in shown_at(day, minute, hours.zone) if at <= now)
    words, minute = _split_clock(plain)
    day = parse_day(words, today, past=True)
    if day is None:
        return None
    if day > today:
        raise Refused(f"{quoted(plain)} is still to come. Write for instance {PAST_EXAMPLES}.")
    _refuse_far(day, today, plain)
    if minute is None:
        raise Refused(f"At what time was it? Write for instance {PAST_EXAMPLES}.")
    gone = [at for at in shown_at(day, minute, hours.zone) if at <= now]
    week = timedelta(days=7 if weekday_of(words, past=True) is not None and day == today else 0)
    return gone[-1] if gone else shown_at(day - week, minute, hours.zone)[-1]


def _after(plain: str, now: datetime, zone: ZoneInfo, sign: int) -> datetime | None:
    """`1h 30m` from now. Days and weeks are those of the calendar: the same time on the wall."""
    days, minutes, rest = 0, 0, plain
    while rest:
        part = _PART.match(rest)
        if not part:
            return None
        amount, unit = int(part[1]), part[2][0].lower()
        days += amount * {"w": 7, "d": 1}.get(unit, 0)
        minutes += amount * {"h": 60, "m": 1}.get(unit, 0)
        rest = rest[part.end() :]
    if not plain or not (days or minutes):
        return None
    if days > FARTHEST.days or minutes > FARTHEST.days * 24 * 60:
        raise _too_far(plain)
    start = days_later(now, sign * days, zone) if days else now.astimezone(UTC)
    return start + timedelta(minutes=sign * minutes)


def _refuse_far(day: date, today: date, plain: str) -> None:
    if abs(day - today) > FARTHEST:
        raise _too_far(plain)


def _too_far(text: str) -> Refused:
    return Refused(f"{quoted(text)} is more than {FARTHEST.days} days away: write a nearer day.")


def _first_opening(day: date, hours: Hours) -> datetime:
    start = first_shown(datetime.combine(day, time()), hours.zone)
    return _or_never(hours.first_opening(day) or hours.next_opening(start))


def _or_never(found: datetime | None) -> datetime:
    if found is None:
        raise Refused("The doors do not open or shut within 400 days; write a date and a time.")
    return found


# --- words --------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    plain = " ".join(text.lower().replace(",", " ").split())
    hour = parse_hour(plain[3:]) if plain.startswith("at ") else None
    if hour is not None:
        return f"{hour // 60}:00"
    return re.sub(r"^(at|until|till|on|in|for|from|since|by) ", "", plain)


def _split_clock(plain: str) -> tuple[str, int | None]:
    """`mon at 9am` is the words `mon` and a minute of the day; without a time all is words."""
    words = re.sub(r"(\d)t(\d)", r"\1 \2", plain).split(" ")
    for taken in (-2, -1, 2, 1):  # the time last, or first: `9am tomorrow`
        before, after = words[:taken], words[taken:]
        days, clock = (before, after) if taken < 0 else (after, before)
        day = " ".join(word for word in days if word != "at")
        minute = _clock_of(day, " ".join(clock), said_at="at" in days) if day else None
        if minute is not None:
            return ("today" if day in _EVENING else day), minute
    day = " ".join(word for word in words if word != "at")
    return ("today" if day in _EVENING else day), None


def _clock_of(day: str, clock: str, *, said_at: bool) -> int | None:
    """A time of that day; an hour alone where `at` stands before it, or a day that has no number."""
    if day in _EVENING:
        found = parse_clocks("0:00", clock)
        return None if found is None else _late(found[1])
    minute = parse_clock(clock)
    if minute is None and (said_at or day in _NEAR_DAYS):
        return parse_hour(clock)
    return minute


def _late(minute: int) -> int:
    """Of the clock's two eights the later one; its one is that of the night."""
    if minute < 5 * 60:
        return minute + 24 * 60
    return minute + 12 * 60 if minute <= 12 * 60 else minute


def _evening(today: date, now: datetime, hours: Hours) -> datetime:
    """When the doors shut for the day; once they are shut, or on a day without them, midnight."""
    shuts = [end for _, end in hours.periods(today) if end > now]
    midnight = first_shown(datetime.combine(today + timedelta(days=1), time()), hours.zone)
    return min(shuts[-1], midnight) if shuts else midnight

"""Reads a moment as a person says it: 14:30, 2h, yesterday 16:00, mon 9am, opening. Pure.

Times of day are in the zone that is given. A time that a clock change skips is read as the moment
after it; one that it doubles as the first of the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from staffbot.errors import Refused

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s*(?P<half>am|pm)?")
_SPAN = re.compile(
    r"(?P<amount>\d{1,4})\s*(?P<unit>m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)"
)
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# What a person may say in front of it: "for 2h", "until 16:30", "in 3 days", "at noon".
_INTRO = re.compile(r"^(?:at|for|in|until|till|on)\s+")
_NAMED = {"noon": time(12), "midday": time(12), "midnight": time(0)}


def past(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """A moment that has been: `14:30`, `yesterday 14:30`, `mon 9am`, `20 min ago`, `2026-03-02 9:00`.

    Raises Refused where it cannot be read, or has not come yet.
    """
    said = _tidy(text)
    if said in ("now", "just now"):
        return now
    ago = _SPAN.fullmatch(said.removesuffix("ago").strip())
    if ago is not None:
        return now - _span(ago)
    day, clock = _day_and_clock(said, now, zone, towards=-1)
    if clock is None:
        raise _unread(text, "14:30, yesterday 16:00, or 20 min ago")
    at = _moment(day, clock, zone)
    if at > now:
        raise Refused(
            f"{clock:%H:%M} has not come yet today: give a time that has been, such as "
            "yesterday 16:00, or leave the time out."
        )
    return at


def future(
    text: str,
    now: datetime,
    zone: ZoneInfo,
    opening: Callable[[datetime], datetime | None],
    first_opening: Callable[[date], datetime | None],
) -> datetime:
    """A moment to come: `2h`, `16:30`, `tomorrow`, `mon 9am`, `3 days`, `opening`.

    A day without a time means its first opening (09:00 where it has none). `opening` is
    `Hours.next_opening`, `first_opening` that of a day. Raises Refused where it cannot be read.
    """
    said = _tidy(text)
    if said in ("opening", "next opening", "open"):
        at = opening(now + timedelta(minutes=1))
        if at is None:
            raise Refused("No opening is known in the coming months: give a day and a time.")
        if at > now + timedelta(minutes=1):
            return at
        # Open now: the opening after this one is what is meant.
        return _next_morning(now, zone, first_opening)
    span = _SPAN.fullmatch(said)
    if span is not None:
        return now + _span(span)
    day, clock = _day_and_clock(said, now, zone, towards=1)
    if clock is None:
        return first_opening(day) or _moment(day, time(9), zone)
    at = _moment(day, clock, zone)
    if at <= now and day == now.astimezone(zone).date() and not said.startswith("today"):
        at = _moment(day + timedelta(days=1), clock, zone)
    if at <= now:
        raise Refused(f"{text.strip()} has passed: give a time to come, such as 2h or tomorrow.")
    return at


def _next_morning(
    now: datetime, zone: ZoneInfo, first_opening: Callable[[date], datetime | None]
) -> datetime:
    today = now.astimezone(zone).date()
    for ahead in range(1, 60):
        at = first_opening(today + timedelta(days=ahead))
        if at is not None:
            return at
    raise Refused("No opening is known in the coming months: give a day and a time.")


def _tidy(text: str) -> str:
    said = " ".join(text.lower().replace(",", " ").split())
    return _INTRO.sub("", said)


def _day_and_clock(
    said: str, now: datetime, zone: ZoneInfo, *, towards: int
) -> tuple[date, time | None]:
    """The day and the time of day in words; the nearest such day in the direction `towards`."""
    today = now.astimezone(zone).date()
    first, _, rest = said.partition(" ")
    day = _day(first, today, towards)
    if day is None:
        return today, _clock(said, said)
    rest = _INTRO.sub("", rest)
    return day, _clock(rest, said) if rest else None


def _day(word: str, today: date, towards: int) -> date | None:
    if word in ("today", "tomorrow", "yesterday"):
        return today + timedelta(days={"today": 0, "tomorrow": 1, "yesterday": -1}[word])
    if len(word) >= 3 and word.isalpha() and word[:3] in _DAYS:
        ahead = (_DAYS.index(word[:3]) - today.weekday()) % 7
        if towards > 0:
            return today + timedelta(days=ahead or 7)
        return today - timedelta(days=(7 - ahead) % 7)
    if _ISO_DAY.fullmatch(word):
        try:
            return date.fromisoformat(word)
        except ValueError:
            raise _unread(word, "2026-03-02") from None
    return None


def _clock(said: str, whole: str) -> time:
    if said in _NAMED:
        return _NAMED[said]
    found = _CLOCK.fullmatch(said)
    # A bare "9" could be anything; "9:00" and "9am" are times.
    if found is None or not (found["minute"] or found["half"]):
        raise _unread(whole, "14:30, 2h, tomorrow, mon 9am")
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), found["half"]
    if half and not 1 <= hour <= 12:
        raise _unread(whole, "2pm")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        raise _unread(whole, "14:30")
    return time(hour, minute)


def _span(found: re.Match[str]) -> timedelta:
    return timedelta(seconds=int(found["amount"]) * _UNITS[found["unit"][0]])


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _unread(text: str, example: str) -> Refused:
    return Refused(f"I cannot read “{text.strip()}” as a time. It can be: {example}.")

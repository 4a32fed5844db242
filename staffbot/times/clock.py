"""What people type as a time of day, in minutes since midnight. Pure; knows no day and no zone."""

from __future__ import annotations

import re

from staffbot.errors import Refused

_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d\d))?\s*([ap])\.?m\.?|(\d{1,2})[:.](\d\d)", re.IGNORECASE)
_HOUR = re.compile(r"\d{1,2}")
_HALF_A_DAY = 12 * 60
# Said without am or pm, of a day: these are as well hours of the afternoon.
_UNSURE = range(1, 7)


def parse_clock(text: str) -> int | None:
    """A time of day in minutes since midnight: `16:30`, `4pm`, `4:30 pm`, `noon`, `24:00`."""
    plain = text.strip().lower()
    if plain in ("noon", "midnight"):
        return _HALF_A_DAY if plain == "noon" else 0
    found = _CLOCK.fullmatch(plain)
    if not found:
        return None
    if found[3]:
        hour, minute = int(found[1]), int(found[2] or 0)
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[3] == "p" else 0)
    else:
        hour, minute = int(found[4]), int(found[5])
    if minute > 59 or hour * 60 + minute > 24 * 60:
        return None
    return hour * 60 + minute


def parse_hour(text: str) -> int | None:
    """A full hour without its minutes, `9` or `14`, where it is clear that an hour is meant.

    Refused for one that may as well be meant in the afternoon.
    """
    if not _HOUR.fullmatch(text) or int(text) > 24:
        return None
    hour = int(text)
    if hour in _UNSURE:
        raise Refused(f"Is that {hour}am or {hour}pm? Write {hour}am or {hour + 12}:00.")
    return hour * 60


def parse_clocks(start: str, end: str) -> tuple[int, int] | None:
    """From when until when: `10:00` and `14:00`, `10` and `14`, `9` and `5`, `9am` and `5`.

    An hour alone that would lie before the start is meant in the afternoon, where that fits.
    """
    first, last = _clock_or_hour(start), _clock_or_hour(end)
    if first is None or last is None:
        return None
    later = last + _HALF_A_DAY
    if _HOUR.fullmatch(end) and last <= first < later and last <= _HALF_A_DAY:
        last = later
    return first, last


def _clock_or_hour(text: str) -> int | None:
    minute = parse_clock(text)
    if minute is None and _HOUR.fullmatch(text) and int(text) <= 24:
        return int(text) * 60
    return minute

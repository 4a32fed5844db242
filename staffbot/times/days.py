"""What people type as a day: by its name, its date, or both in words. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from staffbot.errors import Refused
from staffbot.hours import first_shown

_MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def parse_day(text: str, today: date, *, past: bool = False) -> date | None:
    """A day: `today`, `tomorrow`, `mon`, `2026-12-24`, `24 dec`. Names mean the nearest one.

    Today's own weekday is today: whoever needs the next one adds a week.
    """
    plain = text.strip().lower()
    near = {"today": 0, "tomorrow": 1, "yesterday": -1}
    if plain in near:
        return today + timedelta(days=near[plain])
    numbers = re.fullmatch(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", plain)
    if numbers:
        return _date(int(numbers[1]), int(numbers[3]), int(numbers[4]))
    if re.fullmatch(r"\d{1,2}\.\d{1,2}\.(\d{4})?|\d{1,2}/\d{1,2}/\d{4}", plain):
        return _in_numbers(plain, today, past)
    weekday = weekday_of(plain, past)
    if weekday is not None:
        ahead = (weekday - today.weekday()) % 7
        return today + timedelta(days=ahead - (7 if past and ahead else 0))
    return _day_and_month(plain, today, past)


def days_later(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same time on that zone's wall, so many days on."""
    wall = (now.astimezone(zone) + timedelta(days=days)).replace(tzinfo=None, fold=0)
    return first_shown(wall, zone)


def quoted(text: str) -> str:
    plain = " ".join(text.split())
    return f'"{plain[:39] + "…" if len(plain) > 40 else plain}"'


# --- words --------------------------------------------------------------------------------------


def _named(word: str, names: tuple[str, ...]) -> int | None:
    """Which of the names a word of three letters or more begins."""
    if len(word) < 3:
        return None
    return next((index for index, name in enumerate(names) if name.startswith(word)), None)


def weekday_of(words: str, past: bool = False) -> int | None:
    """0 to 6, from Monday on, for a weekday's name or its first three letters or more."""
    return _named(words.removeprefix("last " if past else "next "), _WEEKDAY_NAMES)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _in_numbers(plain: str, today: date, past: bool) -> date | None:
    """`24.12.2026`, `24.12.`; with slashes only where it is clear which number is the month."""
    first, second, year = (int(part) if part else None for part in re.split(r"[./]", plain))
    assert first is not None
    assert second is not None
    if "/" in plain and first != second and max(first, second) <= 12:
        raise Refused(
            f"{quoted(plain)} may be two days. Write {year}-{second:02}-{first:02} "
            f"or {year}-{first:02}-{second:02}."
        )
    day, month = (second, first) if "/" in plain and second > 12 else (first, second)
    if not 1 <= month <= 12:
        return None
    return _day_and_month(f"{day} {_MONTH_NAMES[month - 1]} {year or ''}".strip(), today, past)


def month_of(word: str) -> int | None:
    """1 to 12 for a month's name, or its first three letters or more."""
    found = _named("september" if word == "sept" else word, _MONTH_NAMES)
    return None if found is None else found + 1


def _day_and_month(plain: str, today: date, past: bool) -> date | None:
    found = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th|\.)? (?:of )?([a-z]+)\.?(?: (\d{4}))?", plain)
    if found:
        number, name, year = int(found[1]), found[2], found[3]
    else:
        found = re.fullmatch(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?", plain)
        if not found:
            return None
        number, name, year = int(found[2]), found[1], found[3]
    month = _named(name, _MONTH_NAMES)
    if month is None:
        return None
    if year:
        return _date(int(year), month + 1, number)
    years = (today.year, today.year - 1) if past else (today.year, today.year + 1)
    days = [day for day in (_date(year, month + 1, number) for year in years) if day]
    fits = [day for day in days if (day <= today if past else day >= today)]
    return next(iter(fits or days), None)

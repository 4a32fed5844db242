"""Stretches of the calendar by their names: last month, november, q3 2025, week 46, a day. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta

from staffbot.times.days import month_of, parse_day

ONE_DAY = timedelta(days=1)
# The longest stretch, and how far back one may begin: about ten years.
LONGEST = 3_660
# First and last day, and a name where the days alone do not say what was asked for.
Period = tuple[date, date, str]


def counted_back(plain: str, today: date) -> Period | None:
    """`7d`, `last 3 months`, `past year`: up to today, and today included."""
    found = re.fullmatch(r"(?:last |past |previous )?(\d{1,6}) ?(d|w|m|y|[a-z]{3,8})", plain)
    if not found:
        found = re.fullmatch(r"past ()(day|week|month|quarter|year)", plain)
    if not found:
        return None
    number, unit = int(found[1] or 1), found[2].rstrip("s")
    if not number:
        return None
    days = {"d": 1, "day": 1, "w": 7, "week": 7}.get(unit)
    if days:
        number = min(number * days, 10 * LONGEST)
        return _back(today, number), today, f"last {number} days" if number > 1 else "today"
    months = {"m": 1, "mo": 1, "month": 1, "quarter": 3, "y": 12, "year": 12}.get(unit)
    if not months:
        return None
    number = min(number * months, LONGEST)
    said = f"last {number} months" if number > 1 else "the past month"
    return _months_before(today, number), today, said


def named(plain: str, today: date) -> Period | None:
    """`month` is this one so far; `last month` is the whole one before."""
    if plain in ("today", "yesterday", "now"):
        day = today - ONE_DAY if plain == "yesterday" else today
        return day, day, "yesterday" if plain == "yesterday" else "today"
    if plain in ("ever", "always"):
        return _back(today, LONGEST - 1), today, "the last ten years"
    short = {"wtd": "week", "mtd": "month", "qtd": "quarter", "ytd": "year"}
    name = re.sub(r"^(this|last|previous) | (so far|to date)$", "", short.get(plain, plain))
    starts = {
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "quarter": date(today.year, (today.month - 1) // 3 * 3 + 1, 1),
        "year": date(today.year, 1, 1),
    }
    if name not in starts:
        return None
    start = starts[name]
    if not plain.startswith(("last ", "previous ")):
        return start, today, f"this {name} so far"
    last = start - ONE_DAY
    before = {
        "week": start - timedelta(days=7),
        "month": last.replace(day=1),
        "quarter": date(last.year, (last.month - 1) // 3 * 3 + 1, 1),
        "year": date(last.year, 1, 1),
    }
    return before[name], last, f"last {name}"


def written(plain: str, today: date) -> Period | None:
    """`2026`, `2026-03`, `q1 2026`, `november`, `week 46`; without a year the last one begun."""
    found = re.fullmatch(r"(?:year )?(\d{4})", plain)
    if found:
        return _months(int(found[1]), 1, 12)
    found = re.fullmatch(r"(\d{4})[-/](\d{1,2})|(\d{1,2})[./](\d{4})", plain)
    if found:
        return _months(int(found[1] or found[4]), int(found[2] or found[3]), 1)
    found = re.fullmatch(r"(?:last |this )?(?:(\d{4})[- ]?)?q([1-4])(?:[- /]?(\d{4}))?", plain)
    if found:
        return _of_year(found[1] or found[3], today, int(found[2]) * 3 - 2, 3)
    found = re.fullmatch(r"(?:last |this )?([a-z]+)\.?(?: (\d{4}))?", plain)
    month = month_of(found[1]) if found else None
    if found and month is not None:
        # Said in November, last november is that of last year.
        before = today - timedelta(days=31) if plain.startswith("last ") else today
        return _of_year(found[2], before, month, 1)
    found = re.fullmatch(r"(?:(\d{4})[- ]?w|week |wk |kw )(\d{1,2})(?:[ /](\d{4}))?", plain)
    return _week(found[1] or found[3], int(found[2]), today) if found else None


def one_day(plain: str, today: date) -> Period | None:
    day = parse_day(plain, today, past=True)
    if day == today and plain.startswith("last "):  # said on a Monday, last monday is a week ago
        day = today - timedelta(days=7)
    return (day, day, "") if day else None


def _of_year(year: str | None, today: date, first: int, months: int) -> Period | None:
    if year:
        return _months(int(year), first, months)
    return _months(today.year if first <= today.month else today.year - 1, first, months)


def _months(year: int, first: int, months: int) -> Period | None:
    if not 1 < year < 9999 or not 1 <= first <= 12:
        return None
    after = first + months
    end = date(year + after // 13, after if after <= 12 else 1, 1)
    return date(year, first, 1), end - ONE_DAY, ""


def _week(year: str | None, number: int, today: date) -> Period | None:
    """A week by its ISO number."""
    try:
        monday = date.fromisocalendar(int(year or today.isocalendar().year), number, 1)
        if year is None and monday > today:
            monday = date.fromisocalendar(today.isocalendar().year - 1, number, 1)
    except ValueError:
        return None
    return monday, monday + timedelta(days=6), ""


def _back(today: date, days: int) -> date:
    return today - timedelta(days=min(days - 1, today.toordinal() - 1))


def _months_before(today: date, months: int) -> date:
    """The day after the same day that many months ago, so that the stretch is so many months long."""
    years, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    if years < 1:
        return date.min
    after = date(years + (month == 11), month % 12 + 2 if month < 11 else 1, 1)
    return min(date(years, month + 1, 1) + timedelta(days=today.day - 1), after - ONE_DAY) + ONE_DAY

"""What people type as a stretch of whole days, for figures; read in the library's own zone. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from staffbot.errors import Refused
from staffbot.hours import first_shown
from staffbot.times.moments import parse_day, quoted

LONGEST = 3_660
USUAL = "30d"
EXAMPLES = "7d, 30d, week, month, quarter, last month, 2026-03 or 2026-01-01..2026-03-31"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ONE_DAY = timedelta(days=1)


class Stretch(NamedTuple):
    """From `start` up to, not including, `end`; the label says its first and its last day."""

    start: datetime
    end: datetime
    label: str


def parse_span_of_days(text: str, *, now: datetime, zone: ZoneInfo) -> Stretch:
    """The days meant, today included where they reach it; nothing typed is the last 30 days."""
    plain = " ".join(text.lower().split()) or USUAL
    today = now.astimezone(zone).date()
    days = _days(plain, today)
    if days is None:
        raise Refused(f"{quoted(text)} is no period that I know. Write for instance {EXAMPLES}.")
    first, last, name = days
    if last < first:
        raise Refused(f"{quoted(text)} ends before it begins. Write for instance {EXAMPLES}.")
    if first > today:
        raise Refused(f"{quoted(text)} is still to come. Write for instance {EXAMPLES}.")
    if max(last - first, today - first).days >= LONGEST:
        raise Refused(
            f"{quoted(text)} reaches back more than ten years. Write for instance {EXAMPLES}."
        )
    return Stretch(
        start=_midnight(first, zone),
        end=_midnight(last + _ONE_DAY, zone),
        label=f"{name} ({_said(first, last)})" if name else _said(first, last),
    )


def _days(plain: str, today: date) -> tuple[date, date, str] | None:
    """First and last day, and a name where the days alone do not say what was asked for."""
    count = re.fullmatch(r"(?:last )?(\d{1,6}) ?(d|w|days?|weeks?)", plain)
    if count:
        number = min(int(count[1]) * (7 if count[2].startswith("w") else 1), 10 * LONGEST)
        if not number:
            return None
        first = today - timedelta(days=min(number - 1, today.toordinal() - 1))
        return first, today, f"last {number} days" if number > 1 else "today"
    if ".." in plain or " to " in plain:
        return _from_to(plain, today)
    named = _named(plain, today)
    if named:
        return named
    written = _written(plain)
    if written:
        return *written, ""
    day = parse_day(plain, today, past=True)
    return (day, day, "") if day else None


def _named(plain: str, today: date) -> tuple[date, date, str] | None:
    """`month` is this one so far; `last month` is the whole one before."""
    if plain in ("today", "yesterday"):
        day = today if plain == "today" else today - _ONE_DAY
        return day, day, plain
    name = plain.removeprefix("this ").removeprefix("last ")
    starts = {
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "quarter": date(today.year, (today.month - 1) // 3 * 3 + 1, 1),
        "year": date(today.year, 1, 1),
    }
    if name not in starts:
        return None
    start = starts[name]
    if not plain.startswith("last "):
        return start, today, f"this {name} so far"
    last = start - _ONE_DAY
    before = {
        "week": start - timedelta(days=7),
        "month": last.replace(day=1),
        "quarter": date(last.year, (last.month - 1) // 3 * 3 + 1, 1),
        "year": date(last.year, 1, 1),
    }
    return before[name], last, plain


def _written(plain: str) -> tuple[date, date] | None:
    """`2026`, `2026-03` or `2026-q1`."""
    found = re.fullmatch(r"(\d{4})(?:-(?:q([1-4])|(\d{1,2})))?", plain)
    if not found or not 1 < int(found[1]) < 9999:
        return None
    year, quarter, month = int(found[1]), found[2], found[3]
    if quarter:
        first, months = int(quarter) * 3 - 2, 3
    elif month:
        first, months = int(month), 1
    else:
        first, months = 1, 12
    if not 1 <= first <= 12:
        return None
    after = first + months
    end = date(year + after // 13, after if after <= 12 else 1, 1)
    return date(year, first, 1), end - _ONE_DAY


def _from_to(plain: str, today: date) -> tuple[date, date, str] | None:
    """Both days are in it; an end left out is today."""
    start, _, end = (part.strip() for part in re.sub(r" to ", "..", plain, count=1).partition(".."))
    whole_start = _written(start)
    first = whole_start[0] if whole_start else parse_day(start, today, past=True)
    whole_end = _written(end)
    last = whole_end[1] if whole_end else parse_day(end or "today", today, past=True)
    return (first, last, "") if first and last else None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return first_shown(datetime.combine(day, time()), zone)


def _said(first: date, last: date) -> str:
    """`1 to 30 Nov 2026`, as short as it stays clear."""
    end = f"{last.day} {_MONTHS[last.month - 1]} {last.year}"
    if first == last:
        return end
    start = f"{first.day}"
    if (first.year, first.month) != (last.year, last.month):
        start += f" {_MONTHS[first.month - 1]}"
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start} to {end}"

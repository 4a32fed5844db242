"""What people type as a stretch of whole days, for figures; read in the library's own zone. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from staffbot.errors import Refused
from staffbot.hours import first_shown
from staffbot.times.days import parse_day, quoted
from staffbot.times.periods import LONGEST, ONE_DAY, Period, counted_back, named, one_day, written

USUAL = "30d"
EXAMPLES = (
    "7d, yesterday, week, last month, november, q3 2025, since monday, 1 Nov to 15 Nov, "
    "or 2026-01-01..2026-03-31"
)
_LEAD = re.compile(r"^(?:in|for|during|of|on|over|the|within) (?:the )?")
_BETWEEN = (
    re.compile(r"between (?P<start>.+?) and (?P<end>.+)"),
    re.compile(r"(?:from )?(?P<start>.+?) ?\.\. ?(?P<end>.+)"),
    re.compile(r"(?:from )?(?P<start>.+?) (?:to|until|till|through|thru|and) (?P<end>.+)"),
    re.compile(r"(?:from )?(?P<start>.+?) ?[–—] ?(?P<end>.+)"),  # noqa: RUF001
    re.compile(r"(?:from )?(?P<start>.+?) - (?P<end>.+)"),
    re.compile(r"(?:from )?(?P<start>[^-]+)-(?P<end>[^-]+)"),
)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Stretch(NamedTuple):
    """From `start` up to, not including, `end`; the label says its first and its last day."""

    start: datetime
    end: datetime
    label: str


def parse_span_of_days(text: str, *, now: datetime, zone: ZoneInfo) -> Stretch:
    """The days meant, today included where they reach it; nothing typed is the last 30 days."""
    plain = _LEAD.sub("", " ".join(text.lower().replace(",", " ").split())) or USUAL
    today = now.astimezone(zone).date()
    period = _period(plain, today)
    if period is None:
        raise Refused(f"{quoted(text)} is no period that I know. Write for instance {EXAMPLES}.")
    first, last, name = period
    if first > today:
        raise Refused(f"{quoted(text)} is still to come. Write for instance {EXAMPLES}.")
    if last < first:
        raise Refused(f"{quoted(text)} ends before it begins. Write for instance {EXAMPLES}.")
    if max(last - first, today - first).days >= LONGEST:
        raise Refused(
            f"{quoted(text)} reaches back more than ten years. Write for instance {EXAMPLES}."
        )
    said = f"{name} ({_said(first, last)})" if name else _said(first, last)
    return Stretch(
        start=_midnight(first, zone),
        end=_midnight(last + ONE_DAY, zone),
        label=f"{said}, so far" if last > today else said,
    )


def _period(plain: str, today: date) -> Period | None:
    return (
        counted_back(plain, today)
        or _piece(plain, today)
        or _since(plain, today)
        or _from_to(plain, today)
    )


def _piece(plain: str, today: date) -> Period | None:
    """What has one name: a day, a month, a quarter, a week, a year."""
    return named(plain, today) or written(plain, today) or one_day(plain, today)


def _since(plain: str, today: date) -> Period | None:
    """`since monday`, `from 1 nov on`, `2026-11-01..`: up to today."""
    found = re.fullmatch(r"(?:since|from) (.+?)(?: on| onwards?)?|(.+) ?\.\.", plain)
    piece = _piece((found[1] or found[2]).strip(), today) if found else None
    return (piece[0], today, "") if piece else None


def _from_to(plain: str, today: date) -> Period | None:
    """Both days are in it. A day without a year is the last one, and the end comes after the start."""
    for between in _BETWEEN:
        found = between.fullmatch(plain)
        pair = _pair(found["start"], found["end"], today) if found else None
        if pair:
            return *pair, ""
    return None


def _pair(start: str, end: str, today: date) -> tuple[date, date] | None:
    first, last = _piece(start, today), _piece(end, today)
    if first and last is None and first[0] == first[1] and re.fullmatch(r"\d{1,2}\.?", end):
        return _same_month(first[0], first[0], end)  # nov 1 to 15
    if last and first is None and last[0] == last[1] and re.fullmatch(r"\d{1,2}\.?", start):
        days = _same_month(last[1], last[1], start)  # 1 to 15 nov
        return (days[1], last[1]) if days else None
    if first is None or last is None:
        return None
    if last[1] < first[0] <= today and last[1].year > 1900:
        # 1 to 30 nov, asked for in november: the end is the one after the start.
        later = parse_day(end, first[0]) or _next(end, first[0])
        if later and later >= first[0]:
            return first[0], later
        first = _piece(start, last[1]) or first  # 1 nov to 15 nov 2025
    return first[0], last[1]


def _next(end: str, first: date) -> date | None:
    """The end of the next month or quarter of that name from `first` on."""
    for year in (first.year, first.year + 1):
        piece = written(f"{end} {year}", first)
        if piece and piece[1] >= first:
            return piece[1]
    return None


def _same_month(first: date, month: date, number: str) -> tuple[date, date] | None:
    try:
        return first, month.replace(day=int(number.rstrip(".")))
    except ValueError:
        return None


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

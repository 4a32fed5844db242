"""The sign on the door: what it says of the next days. Pure; knows no database and no chat."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise

from staffbot.hours import Closure, Hours

_NIGHT_ENDS = 8  # up to here `22:00-2:00` is read as one night without a word about the next day

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def door_lines(hours: Hours, *, now: datetime, days: int = 8) -> tuple[str, ...]:
    """One line a day, from today on: `Today 9:00-18:00, closed 15:00-18:00 (burst pipe)`."""
    today = hours.local(now).date()
    usual = Hours.of(hours.settings, ())
    return tuple(
        f"{_day_said(day, today)} {_hours_said(day, hours, usual)}"
        for day in (today + timedelta(days=ahead) for ahead in range(days))
    )


def said_of(closure: Closure, hours: Hours, *, now: datetime) -> str:
    """The closure in words: `closed Thu 24 Dec (stocktaking)`, `open today 18:00-20:00`."""
    today = hours.local(now).date()
    start, end = hours.local(closure.starts_at), hours.local(closure.ends_at)
    last = hours.local(closure.ends_at - timedelta(microseconds=1)).date()
    first_said = _in_sentence(start.date(), today)
    if start.time() == time() == end.time():
        text = first_said
        if last != start.date():
            text += f" to {_in_sentence(last, today)}"
    elif last == start.date() or _is_one_night(start, end):
        text = f"{first_said} {_span_said(start, end, start.date())}"
    else:
        text = f"from {first_said} {_clock(start)} until {_in_sentence(end.date(), today)} {_clock(end)}"
    verb = "open" if closure.opens else "closed"
    return f"{verb} {text}" + (f" ({closure.reason})" if closure.reason else "")


def _is_one_night(start: datetime, end: datetime) -> bool:
    return (end.date() - start.date()).days == 1 and end.hour < _NIGHT_ENDS < start.hour


def _in_sentence(day: date, today: date) -> str:
    said = _day_said(day, today)
    return said.lower() if said.endswith("day") or said == "Tomorrow" else said


def _hours_said(day: date, hours: Hours, usual: Hours) -> str:
    planned, actual = usual.periods(day), hours.periods(day)
    if not planned and not actual:
        name = hours.holiday(day)
        return f"closed ({name})" if name else "closed"
    shut = _differences(planned, actual, hours.closures, opens=False)
    extra = _differences(actual, planned, hours.closures, opens=True)
    if not actual:
        reasons = list(dict.fromkeys(reason for _, _, reason in shut if reason))
        return "closed" + (f" ({'; '.join(reasons)})" if reasons else "")
    parts = [_span_said(hours.local(start), hours.local(end), day) for start, end in planned]
    for word, pieces in (("closed", shut), ("also open" if planned else "open", extra)):
        for start, end, reason in pieces:
            said = f"{word} {_span_said(hours.local(start), hours.local(end), day)}"
            parts.append(f"{said} ({reason})" if reason else said)
    return ", ".join(parts)


_Periods = tuple[tuple[datetime, datetime], ...]


def _differences(
    these: _Periods, those: _Periods, closures: tuple[Closure, ...], *, opens: bool
) -> list[tuple[datetime, datetime, str]]:
    """The time of these that those have not, with the reason of the closure that decides it."""
    edges = {at for period in (*these, *those) for at in period}
    edges |= {at for closure in closures for at in (closure.starts_at, closure.ends_at)}
    pieces: list[tuple[datetime, datetime, str]] = []
    for start, end in pairwise(sorted(edges)):
        if not _inside(start, these) or _inside(start, those):
            continue
        deciding = (
            closure.reason
            for closure in reversed(closures)
            if closure.opens is opens and closure.starts_at <= start < closure.ends_at
        )
        reason = next(deciding, "")
        if pieces and pieces[-1][1:] == (start, reason):
            pieces[-1] = (pieces[-1][0], end, reason)
        else:
            pieces.append((start, end, reason))
    return pieces


def _inside(at: datetime, periods: _Periods) -> bool:
    return any(start <= at < end for start, end in periods)


def _day_said(day: date, today: date) -> str:
    near = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}.get((day - today).days)
    if near:
        return near
    year = f" {day.year}" if day.year != today.year else ""
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}{year}"


def _clock(at: datetime) -> str:
    return f"{at.hour}:{at.minute:02}"


def _span_said(start: datetime, end: datetime, day: date) -> str:
    whole_day = end.date() > day and end.time() == time()
    return f"{_clock(start)}-{'24:00' if whole_day else _clock(end)}"

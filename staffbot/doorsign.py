"""The sign on the door: what it says of the next days, and what people type to change it. Pure.

Knows no database and no chat: a change is a value that the desk stores as a closure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from staffbot.errors import Refused
from staffbot.hours import Closure, Hours, first_shown
from staffbot.times import parse_clock, parse_day, parse_moment

LONGEST = timedelta(days=400)
REASON_LENGTH = 200
_NIGHT_ENDS = 8  # up to here `22:00-2:00` is read as one night without a word about the next day

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_QUOTED = re.compile(
    r"[\"“”„«»](.*)[\"“”„«»]\s*$|(?:^|(?<=\s))['‘‚](.*)['’‘]\s*$",  # noqa: RUF001
    re.DOTALL,
)
_RANGE = re.compile(r"(?:from )?(\S+ ?[ap]?m?) ?(?:-|–|to|until) ?(\S+ ?[ap]?m?)", re.IGNORECASE)  # noqa: RUF001
_DAYS = re.compile(r"(.+?) ?(?:\.\.| to ) ?(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorChange:
    """An announced closure, or with `opens` an extra opening. `team` None: none was named."""

    team: str | None
    starts_at: datetime
    ends_at: datetime
    opens: bool
    reason: str = ""

    @property
    def closure(self) -> Closure:
        return Closure(self.starts_at, self.ends_at, self.opens, self.reason)


# --- what the sign says -------------------------------------------------------------------------


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


# --- what people type ---------------------------------------------------------------------------


def parse_door_change(
    text: str,
    *,
    opens: bool,
    now: datetime,
    teams: Mapping[str, str],
    hours: Callable[[str | None], Hours],
) -> DoorChange:
    """What follows `close` or `open`: `[team] [when] ["reason"]`.

    `teams` maps keys to names; `hours` gives the hours of the team that is named, or of None.
    When: nothing (from now to the end of the day), `until 15:00`, a day, a day with times, days.
    """
    when, reason = _without_reason(text)
    team, when = _without_team(when, teams)
    start, end = _span(when, opens, now, hours(team))
    if end <= now:
        raise Refused(f'"{when}" is over already. {_examples(opens)}')
    if end <= start:
        raise Refused(f'"{when}" ends before it begins. {_examples(opens)}')
    if end - start > LONGEST or start - now > LONGEST:
        raise Refused(f'"{when}" is more than {LONGEST.days} days. {_examples(opens)}')
    return DoorChange(team=team, starts_at=start, ends_at=end, opens=opens, reason=reason)


def _examples(opens: bool) -> str:
    if opens:
        return 'Write for instance open until 20:00, or open sun 10:00-14:00 "author evening".'
    return (
        'Write for instance close today "burst pipe", close until 15:00, '
        "or close 2026-12-24 12:00-18:00."
    )


def _without_reason(text: str) -> tuple[str, str]:
    found = _QUOTED.search(text)
    if not found:
        return " ".join(text.split()), ""
    reason = " ".join((found[1] or found[2] or "").split())
    if len(reason) > REASON_LENGTH:
        raise Refused(f"The reason is longer than {REASON_LENGTH} characters; make it shorter.")
    return " ".join(text[: found.start()].split()).rstrip(","), reason


def _without_team(when: str, teams: Mapping[str, str]) -> tuple[str | None, str]:
    """The longest key or name of a team that `when` begins with, and what follows it."""
    names = [(name, key) for key, label in teams.items() for name in (key, label) if name]
    for name, key in sorted(names, reverse=True, key=lambda pair: len(pair[0])):
        if re.match(rf"{re.escape(name)}(?:\s|$)", when, re.IGNORECASE):
            return key, when[len(name) :].strip()
    return None, when


def _span(when: str, opens: bool, now: datetime, hours: Hours) -> tuple[datetime, datetime]:
    today = hours.local(now).date()
    plain = when.lower()
    if not plain or plain in ("now", "today"):
        return _whole_days(today, today, opens, now, hours)
    if re.match(r"(until|till|for) ", plain):
        return now.astimezone(UTC), parse_moment(plain, now=now, hours=hours)
    times = _RANGE.search(plain)
    minutes = (parse_clock(times[1]), parse_clock(times[2])) if times else (None, None)
    if times and minutes[0] is not None and minutes[1] is not None and not plain[times.end() :]:
        day = _day(plain[: times.start()].strip() or "today", when, opens, today)
        return _between(day, minutes[0], minutes[1], hours)
    half = re.fullmatch(r"(.*?) ?(until|from) (.+)", plain)
    minute = parse_clock(half[3]) if half else None
    if half and minute is not None:
        day = _day(half[1] or "today", when, opens, today)
        start, end = _whole_days(day, day, opens, now, hours)
        wall = _at(day, minute, hours)
        return (start, wall) if half[2] == "until" else (wall, end)
    days = _DAYS.fullmatch(plain)
    if days:
        first = _day(days[1], when, opens, today)
        return _whole_days(first, _day(days[2], when, opens, first), opens, now, hours)
    day = _day(plain, when, opens, today)
    return _whole_days(day, day, opens, now, hours)


def _day(text: str, when: str, opens: bool, today: date) -> date:
    day = parse_day(text.removeprefix("on "), today)
    if day is None:
        hint = " A reason goes in quotes." if " " in when else ""
        raise Refused(f'I do not understand "{when[:60]}".{hint} {_examples(opens)}')
    if abs(day - today) > LONGEST:
        raise Refused(f'"{when[:60]}" is more than {LONGEST.days} days away. {_examples(opens)}')
    return day


def _at(day: date, minute: int, hours: Hours) -> datetime:
    return first_shown(datetime.combine(day, time()) + timedelta(minutes=minute), hours.zone)


def _between(day: date, start: int, end: int, hours: Hours) -> tuple[datetime, datetime]:
    """Times of a day; an end at or before the start is one of the next day."""
    return _at(day, start, hours), _at(day, end + (24 * 60 if end <= start else 0), hours)


def _whole_days(
    first: date, last: date, opens: bool, now: datetime, hours: Hours
) -> tuple[datetime, datetime]:
    """Closing takes the days with their nights, today from now on; opening needs hours to keep."""
    if opens:
        return _usual_opening(first, last, hours)
    end = _at(last + timedelta(days=1), 0, hours)
    night = hours.periods(last)
    end = max(end, night[-1][1]) if night else end
    if first == hours.local(now).date():
        return now.astimezone(UTC), end
    start = _at(first, 0, hours)
    night = hours.periods(first - timedelta(days=1))
    return max(start, night[-1][1]) if night else start, end


def _usual_opening(first: date, last: date, hours: Hours) -> tuple[datetime, datetime]:
    """`open today` takes a closure back: the usual hours of one day, if they are one opening."""
    usual = Hours.of(hours.settings, ()).periods(first)
    if first == last and len(usual) == 1:
        return usual[0]
    why = "has no usual hours" if not usual else "has several openings"
    if first != last:
        raise Refused(f"Open one day at a time, with its times. {_examples(True)}")
    raise Refused(f"{first.isoformat()} {why}: say from when until when. {_examples(True)}")

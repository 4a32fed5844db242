"""What people type to change the sign on the door: announced closures and extra openings. Pure.

Knows no database and no chat: a change is a value that the desk stores as a closure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from staffbot.errors import Refused
from staffbot.hours import Closure, Hours, first_shown
from staffbot.times import parse_clock, parse_clocks, parse_day, parse_moment

LONGEST = timedelta(days=400)
REASON_LENGTH = 200

_QUOTED = re.compile(
    r"[\"“”„«»](.*)[\"“”„«»]\s*$|(?:^|(?<=\s))['‘‚](.*)['’‘]\s*$",  # noqa: RUF001
    re.DOTALL,
)
# Two times at the end; neither holds a hyphen, as a date before them does.
_RANGE = re.compile(
    r"(?:^|(?<=\s))(?:from )?([^\s–-]+(?: ?[ap]m)?) ?(?:-|–|to|until) ?([^\s–-]+(?: ?[ap]m)?)$",  # noqa: RUF001
    re.IGNORECASE,
)
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
    try:
        start, end = _span(when, opens, now, hours(team))
    except _NotUnderstood as problem:
        if team is not None:
            raise
        raise Refused(_no_team(when, teams, opens, now, hours(None)) or str(problem)) from None
    if end <= now:
        raise Refused(f'"{when}" is over already. {_examples(opens)}')
    if end <= start:
        raise Refused(f'"{when}" ends before it begins. {_examples(opens)}')
    if end - start > LONGEST or start - now > LONGEST:
        raise Refused(f'"{when}" is more than {LONGEST.days} days. {_examples(opens)}')
    return DoorChange(team=team, starts_at=start, ends_at=end, opens=opens, reason=reason)


class _NotUnderstood(Refused):
    """A day that is none: its words may name a team that is not there."""


def _no_team(
    when: str, teams: Mapping[str, str], opens: bool, now: datetime, hours: Hours
) -> str | None:
    """What to say where the first words would be a team and the rest is understood, or nothing is."""
    words = when.split(" ")
    understood = (
        amount
        for amount in range(1, len(words))
        if _is_span(words[amount:], opens, now, hours)
        and not _is_span(words[:1], opens, now, hours)
    )
    amount = next(understood, 0)
    if not amount and (len(words) > 1 or len(teams) == 1):
        return None
    called = " ".join(words[:amount] or words)[:60]
    if len(teams) == 1:
        leave = "there is one only, so leave it out. A reason goes last, in quotes."
        return f'"{called}" is no team: {leave}'
    which = "no team" if amount else "no team, no day and no time"
    known = ", ".join(sorted(teams.values()))
    all_ = "Without a team, all of them are meant."
    return f'"{called}" is {which} that I know. The teams are: {known}. {all_} {_examples(opens)}'


def _is_span(words: Sequence[str], opens: bool, now: datetime, hours: Hours) -> bool:
    try:
        _span(" ".join(words), opens, now, hours)
    except Refused:
        return False
    return True


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
    minutes = parse_clocks(times[1], times[2]) if times else None
    if times and minutes:
        day = _day(plain[: times.start()].strip() or "today", when, opens, today)
        return _between(day, *minutes, hours)
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
        raise _NotUnderstood(f'I do not understand "{when[:60]}".{hint} {_examples(opens)}')
    if today - day > LONGEST:
        raise Refused(f'"{when[:60]}" is over already. {_examples(opens)}')
    if day - today > LONGEST:
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
    if first != last:
        raise Refused(f"Open one day at a time, with its times. {_examples(True)}")
    day = f"{first:%a} {first.day} {first:%b}"
    if not usual:
        raise Refused(f"{day} has no usual hours: say from when until when. {_examples(True)}")
    ways = [
        f"open {first} {hours.local(opens):%H:%M}-{hours.local(shuts):%H:%M}"
        for opens, shuts in usual
    ]
    raise Refused(
        f"{day} has several openings, so say which: {', or '.join(ways)}. To take a closure back, "
        "press Undo where it was announced."
    )

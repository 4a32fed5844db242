"""Local hours, days, weeks and months: which one a quarter of an hour lies in. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from staffbot.stats.counting import QUARTER_SECONDS, By

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_A_DAY = 24 * 3600 // QUARTER_SECONDS
_LONGEST = 4_000  # stretches that are listed although nothing happened in them


class Calendar:
    """Tells the local hour, day, week or month of a quarter of an hour since 1970; remembers days."""

    def __init__(self, zone: ZoneInfo, by: By) -> None:
        self._zone = zone
        self._by = by
        self._shifts: dict[int, int | None] = {}
        self._keys: dict[int, str] = {}

    def key(self, quarter: int) -> str:
        """The key of what that quarter lies in."""
        shift = self._shift(quarter // _A_DAY)
        local = quarter + (self._shift_at(quarter) if shift is None else shift)
        place = local % _A_DAY // 4 if self._by is By.HOUR else local // _A_DAY
        known = self._keys.get(place)
        if known is None:
            known = f"{place:02}" if self._by is By.HOUR else key_of_day(_day(place), self._by)
            self._keys[place] = known
        return known

    def _shift(self, day: int) -> int | None:
        """How far local time is ahead on that day of UTC, in quarters; None where it changes."""
        if day not in self._shifts:
            ends = {self._shift_at(day * _A_DAY), self._shift_at((day + 1) * _A_DAY - 1)}
            self._shifts[day] = ends.pop() if len(ends) == 1 else None
        return self._shifts[day]

    def _shift_at(self, quarter: int) -> int:
        at = datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(self._zone)
        ahead = at.utcoffset()
        return 0 if ahead is None else int(ahead.total_seconds()) // QUARTER_SECONDS


def _day(since_1970: int) -> date:
    return date(1970, 1, 1) + timedelta(days=since_1970)


def key_of_day(day: date, by: By) -> str:
    """The key of the day, week or month that a local day lies in; keys sort as time goes."""
    match by:
        case By.WEEK:
            return (day - timedelta(days=day.weekday())).isoformat()
        case By.MONTH:
            return f"{day:%Y-%m}"
        case _:
            return day.isoformat()


def label_of(key: str, by: By) -> str:
    """The key as people say it."""
    match by:
        case By.HOUR:
            return f"{key}:00"
        case By.MONTH:
            year, month = key.split("-")
            return f"{_MONTHS[int(month) - 1]} {year}"
        case _:
            day = date.fromisoformat(key)
            said = f"{day.day} {_MONTHS[day.month - 1]}"
            return f"week of {said}" if by is By.WEEK else f"{_DAYS[day.weekday()]} {said}"


def every_key(start: datetime, end: datetime, zone: ZoneInfo, by: By) -> list[str]:
    """Each key from `start` up to, not including, `end`, so that quiet days are seen as such."""
    if by is By.HOUR:
        return [f"{hour:02}" for hour in range(24)]
    first = start.astimezone(zone).date()
    last = (end - timedelta(microseconds=1)).astimezone(zone).date()
    days = range(min((last - first).days + 1, _LONGEST))
    return list(dict.fromkeys(key_of_day(first + timedelta(days=n), by) for n in days))

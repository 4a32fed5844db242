"""Local hours, days, weeks and months: which one a quarter of an hour lies in. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from staffbot.stats.counting import QUARTER_SECONDS, By

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST = 4_000  # stretches that are listed although nothing happened in them


def key_of(quarter: int, zone: ZoneInfo, by: By) -> str:
    """The key of the local hour, day, week or month that a quarter of an hour since 1970 lies in."""
    local = datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(zone)
    return f"{local.hour:02}" if by is By.HOUR else key_of_day(local.date(), by)


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

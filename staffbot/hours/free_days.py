"""Public holidays of a country or a part of it, with the library's own days. Knows no hours.

python-holidays has what the calendar inside opening-hours-py lacks: 4 July on a Saturday, 1 January
in Great Britain, India, and the parts of countries.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays as public

from staffbot.settings import OpeningHours


def check_holidays(country: str, subdivision: str) -> str | None:
    """Why these codes name no calendar, with an example; None if they do (or none is wanted)."""
    if not country:
        return "a part of a country needs its country, for instance DE" if subdivision else None
    parts = public.list_supported_countries(include_aliases=True).get(country)
    if parts is None:
        return f"there is no holiday calendar for {country!r}; codes look like US, GB, DE or IN"
    if subdivision and subdivision not in parts:
        if not parts:
            return f"{country} has one calendar for the whole country; leave the subdivision out"
        some = ", ".join(sorted(parts)[:8])
        return f"{country} has no part {subdivision!r}; it has for instance {some}"
    return None


def is_free(day: date, hours: OpeningHours) -> bool:
    """Whether the day is a public holiday, or one of the library's own."""
    if day in hours.not_holidays:
        return False
    return day in hours.holidays or bool(holiday_name(day, hours))


def holiday_name(day: date, hours: OpeningHours) -> str:
    """What the country calls the public holiday, in its own language; empty on any other day."""
    if not hours.country or day in hours.not_holidays:
        return ""
    return _days(hours.country, hours.subdivision, day.year).get(day, "")


@lru_cache(maxsize=512)
def _days(country: str, subdivision: str, year: int) -> dict[date, str]:
    # A year at a time: the object of python-holidays grows while it is asked, which is not safe
    # with several threads.
    return dict(public.country_holidays(country, subdiv=subdivision or None, years=year))

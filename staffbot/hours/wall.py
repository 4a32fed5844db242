"""From the clock on the wall to the moment it means; knows zones, nothing of opening hours.

One law decides both changes of the clocks: a wall time means **the first moment at which the clock
on the wall shows it or a later time**. So a door that opens at 02:30 opens once in autumn, when the
clock shows 02:30 for the first time, and in spring, where 02:30 is left out, at the moment of the
change.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000


def micros(at: datetime) -> int:
    """Whole microseconds since 1970, so that sums are exact."""
    return (at - EPOCH) // MICROSECOND


def moment(at_micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=at_micros)


def first_shown(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which the zone's clock shows the naive `wall` or later."""
    found = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
        return found
    return _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment of the change that leaves `wall` out: the first one that shows a later time."""
    before = micros(wall.replace(tzinfo=zone, fold=1).astimezone(UTC)) // SECOND
    after = micros(wall.replace(tzinfo=zone, fold=0).astimezone(UTC)) // SECOND + 1
    while after - before > 1:
        middle = (before + after) // 2
        if moment(middle * SECOND).astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return moment(after * SECOND)

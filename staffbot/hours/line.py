"""The time line of a team's opening time, and the sums over it. Pure: moments in, moments out.

An opening belongs to the local day on which it begins, its night included: so a holiday on Saturday
does not end Friday's late night, and a digest is not sent at midnight. Closures are spans of time
and cut wherever they lie; of two that overlap the later one in the list wins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from staffbot.errors import ConfigError
from staffbot.hours.expression import EXAMPLE, Expression, Span, joined, read, without
from staffbot.hours.free_days import check_holidays, holiday_name, is_free
from staffbot.hours.wall import EPOCH, MICROSECOND, first_shown, micros, moment
from staffbot.settings import OpeningHours

LOOK_AHEAD = timedelta(days=400)
_LOOK_AHEAD = LOOK_AHEAD // MICROSECOND
_DAY = timedelta(days=1) // MICROSECOND
_BLOCK_DAYS = 32
_BLOCK = _BLOCK_DAYS * _DAY


@dataclass(frozen=True, slots=True)
class Closure:
    """A span in which the doors are shut although the hours say open; `opens`: the reverse."""

    starts_at: datetime
    ends_at: datetime
    opens: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Block:
    """A stretch of the line: its openings cut at its edges, and the open time before each."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]  # one more than openings: the last is the whole

    @classmethod
    def of(cls, spans: tuple[Span, ...]) -> _Block:
        lengths = [end - start for start, end in spans]
        return cls(
            tuple(start for start, _ in spans),
            tuple(end for _, end in spans),
            tuple(accumulate(lengths, initial=0)),
        )

    def open_before(self, at: int) -> int:
        """Open time of this block up to `at`."""
        index = bisect_right(self.starts, at)
        if index == 0:
            return 0
        return self.before[index - 1] + min(at, self.ends[index - 1]) - self.starts[index - 1]

    def after_open_time(self, wanted: int) -> int:
        """The first moment by which the block was open for `wanted`, 0 < wanted <= whole."""
        index = bisect_right(self.before, wanted - 1) - 1
        return self.starts[index] + wanted - self.before[index]


class _Week:
    """The hours of settings without closures: the spans of each day, remembered."""

    def __init__(self, settings: OpeningHours) -> None:
        reason = check_holidays(settings.country, settings.subdivision)
        if reason:
            raise ConfigError.at("hours.country", reason, "DE")
        try:
            self.expression: Expression = read(settings.weekly)
        except ValueError as error:
            raise ConfigError.at("hours.weekly", str(error), EXAMPLE) from None
        self.settings = settings
        self._days: dict[date, tuple[Span, ...]] = {}

    def spans(self, day: date) -> tuple[Span, ...]:
        """The openings that begin on that day, in microseconds."""
        spans = self._days.get(day)
        if spans is None:
            holiday = is_free(day, self.settings)
            zone = self.settings.zone
            spans = joined(
                (_at_minute(day, start, zone), _at_minute(day, end, zone))
                for start, end in self.expression.spans(day, holiday=holiday)
            )
            self._days[day] = spans
        return spans


def _at_minute(day: date, minute: int, zone: ZoneInfo) -> int:
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    return micros(first_shown(wall, zone))


@lru_cache(maxsize=256)
def _week(settings: OpeningHours) -> _Week:
    return _Week(settings)


@lru_cache(maxsize=256)
def _hours(settings: OpeningHours, closures: tuple[Closure, ...]) -> Hours:
    return Hours(settings, closures)


class Hours:
    """When a team is open. Every moment is aware; answers are in UTC, but for `local`."""

    def __init__(self, settings: OpeningHours, closures: Sequence[Closure] = ()) -> None:
        self.settings = settings
        self.closures = tuple(closures)
        self.zone = settings.zone
        self._week = _week(settings)
        self._cuts = [
            (micros(closure.starts_at), micros(closure.ends_at), closure.opens)
            for closure in self.closures
            if closure.starts_at < closure.ends_at
        ]
        self._blocks: dict[int, _Block] = {}

    @classmethod
    def of(cls, settings: OpeningHours, closures: Sequence[Closure] = ()) -> Hours:
        """The hours for these settings and closures, made once. A bad setting is a ConfigError."""
        return _hours(settings, tuple(closures))

    def local(self, at: datetime) -> datetime:
        """The moment as the library's own clock shows it."""
        return at.astimezone(self.zone)

    def is_open(self, at: datetime) -> bool:
        when = micros(at)
        block = self._block(when // _BLOCK)
        index = bisect_right(block.starts, when)
        return index > 0 and when < block.ends[index - 1]

    def add_open_time(self, start: datetime, wanted: timedelta) -> datetime | None:
        """The first moment by which `wanted` of opening time has gone by since `start`.

        None where that is never within 400 days. Nothing to wait for is over at once.
        """
        if wanted <= timedelta():
            return start.astimezone(UTC)
        at, left = micros(start), wanted // MICROSECOND
        limit = at + _LOOK_AHEAD
        for number in range(at // _BLOCK, limit // _BLOCK + 1):
            block = self._block(number)
            gone = block.open_before(at)
            if block.before[-1] - gone >= left:
                found = block.after_open_time(gone + left)
                return moment(found) if found <= limit else None
            left -= block.before[-1] - gone
        return None

    def open_time_between(self, start: datetime, end: datetime) -> timedelta:
        """The opening time from `start` to `end`; none where the end comes first."""
        first, last = micros(start), micros(end)
        if last <= first:
            return timedelta()
        total = -self._block(first // _BLOCK).open_before(first)
        for number in range(first // _BLOCK, last // _BLOCK):
            total += self._block(number).before[-1]
        return timedelta(microseconds=total + self._block(last // _BLOCK).open_before(last))

    def next_opening(self, at: datetime) -> datetime | None:
        """When the doors open next: `at` itself while open; None if never within 400 days."""
        when = micros(at)
        for start, end in self._openings(when):
            if end > when:
                return moment(max(start, when))
        return None

    def next_closing(self, at: datetime) -> datetime | None:
        """When the doors shut next: of this opening, or of the next one while closed."""
        when = micros(at)
        closing: int | None = None
        for start, end in self._openings(when):
            if end <= when:
                continue
            if closing is not None and start > closing:
                return moment(closing)
            closing = end
        # still open at the end of the search: these doors do not shut
        return moment(closing) if closing is not None and closing < when + _LOOK_AHEAD else None

    def periods(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The openings that begin on that local day; one may run past midnight."""
        return tuple((moment(start), moment(end)) for start, end in self._spans(day))

    def first_opening(self, day: date) -> datetime | None:
        """When the doors open first on that local day; None where they stay shut."""
        spans = self._spans(day)
        return moment(spans[0][0]) if spans else None

    def holiday(self, day: date) -> str:
        """The name of the free day on which the doors stay shut or keep other hours, else empty."""
        return holiday_name(day, self.settings) or (
            "holiday" if is_free(day, self.settings) else ""
        )

    def _openings(self, when: int) -> Iterator[Span]:
        """Openings from the block of `when` on, cut where blocks meet."""
        limit = when + _LOOK_AHEAD
        for number in range(when // _BLOCK, limit // _BLOCK + 1):
            block = self._block(number)
            for start, end in zip(block.starts, block.ends, strict=True):
                if start > limit:
                    return
                yield start, min(end, limit)

    def _spans(self, day: date) -> tuple[Span, ...]:
        spans = self._week.spans(day)
        if not self._cuts:
            return spans
        starts, ends = _at_minute(day, 0, self.zone), _at_minute(day, 24 * 60, self.zone)
        for cut_start, cut_end, opens in self._cuts:
            if not opens:
                spans = without(spans, ((cut_start, cut_end),))
            elif cut_end - cut_start > _DAY:
                spans = joined((*spans, (max(cut_start, starts), min(cut_end, ends))))
            elif starts <= cut_start < ends:
                spans = joined((*spans, (cut_start, cut_end)))
        return spans

    def _block(self, number: int) -> _Block:
        block = self._blocks.get(number)
        if block is None:
            block = self._blocks[number] = self._make_block(number)
        return block

    def _make_block(self, number: int) -> _Block:
        start, end = number * _BLOCK, (number + 1) * _BLOCK
        # Local days begin up to 14 h before UTC's, and an opening lasts up to two days.
        first = (EPOCH + timedelta(days=number * _BLOCK_DAYS)).date() - timedelta(days=3)
        days = (first + timedelta(days=ahead) for ahead in range(_BLOCK_DAYS + 5))
        spans = joined(span for day in days for span in self._spans(day))
        return _Block.of(joined((max(first, start), min(last, end)) for first, last in spans))

"""The weekly hours as text, checked and taken apart into rules; knows no zone, no holiday calendar.

The text is OpenStreetMap's opening_hours. opening-hours-py reads it and says which days a rule is
for. The times of a day are kept here, by the day on which the doors open, because opening-hours-py
cuts a night at midnight where another rule is for the next day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache

from opening_hours import OpeningHours as Reader
from opening_hours import ParserError  # type: ignore[attr-defined]  # its stub forgets it

LONGEST = 1_000
EXAMPLE = "Mo-Fr 09:00-18:00; Sa 10:00-14:00"
DAY = 24 * 60

Span = tuple[int, int]  # in minutes of the wall clock since the day began; a night goes past DAY

_TIMES = re.compile(r"(?:^|\s)((?:\d\d:\d\d-\d\d:\d\d)(?:,\d\d:\d\d-\d\d:\d\d)*)$")
_BETWEEN = re.compile(r"(; |, )")

# What reads well but means something that staffbot cannot know: (pattern, reason, what to write).
_REFUSED: tuple[tuple[str, str, str], ...] = (
    (r"\"", "a comment in quotes would count as open", EXAMPLE),
    (r"\|\|", '"||" (otherwise) is not understood', EXAMPLE),
    (r"\bSH\b", "SH (school holidays) has no calendar here; name the dates", "Jul 20-Aug 31 off"),
    (r"\bPH [+-]", "days before or after PH are not understood; name the dates", "Dec 24 off"),
    (r"\b(sunrise|sunset|dawn|dusk)\b", "the sun's times are not understood", EXAMPLE),
    (r"\bunknown\b", '"unknown" is neither open nor closed', "Mo-Fr 09:00-18:00; We off"),
    (r"\d\+", "an open end needs the time at which the doors close", "Mo-Fr 09:00-18:00"),
    (r"\d\d:\d\d/", "a time that repeats is not understood", "Mo-Fr 09:00-12:00,13:00-18:00"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its days (two readers: on a holiday PH is true), its times, and what they do."""

    days: Reader | None
    days_if_holiday: Reader | None
    spans: tuple[Span, ...]
    closes: bool
    adds: bool
    selector: str

    def is_for(self, day: date, holiday: bool) -> bool:
        reader = self.days_if_holiday if holiday else self.days
        return reader is not None and reader.is_open(datetime.combine(day, time(12)))


@dataclass(frozen=True, slots=True)
class Expression:
    """Weekly hours that can be asked for any day."""

    rules: tuple[Rule, ...]
    says_holidays: bool

    def spans(self, day: date, *, holiday: bool) -> tuple[Span, ...]:
        """The times at which doors open and close, of the openings that begin on that day.

        On a holiday the doors are shut, unless the text itself says what to do on PH.
        """
        if holiday and not self.says_holidays:
            return ()
        spans: tuple[Span, ...] = ()
        for rule in self.rules:
            if not rule.is_for(day, holiday):
                continue
            if rule.closes:
                spans = without(spans, rule.spans)
            elif rule.adds:
                spans = (*spans, *rule.spans)
            else:
                spans = rule.spans
        return joined(spans)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time in order, each piece once."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return tuple(result)


def without(spans: Iterable[Span], cuts: Iterable[Span]) -> tuple[Span, ...]:
    """`spans` with the time of every cut taken out."""
    left = tuple(spans)
    for cut_start, cut_end in cuts:
        pieces: list[Span] = []
        for start, end in left:
            pieces += [(start, min(end, cut_start)), (max(start, cut_end), end)]
        left = tuple((start, end) for start, end in pieces if start < end)
    return left


def check_expression(text: str) -> str | None:
    """Why the text cannot be used, in plain words and with an example; None if it can."""
    try:
        read(text)
    except ValueError as error:
        return str(error)
    return None


@lru_cache(maxsize=256)
def read(text: str) -> Expression:
    """The expression; ValueError with a sentence for the person who wrote it."""
    if not text.strip():
        raise _refusal("there are no opening hours; for doors that never shut write 24/7")
    if len(text) > LONGEST:
        raise _refusal(f"the opening hours are longer than {LONGEST} characters")
    _refuse_what_misleads(text)
    plain = str(_parsed(text))
    pieces = _BETWEEN.split(plain)
    rules = tuple(
        _rule(piece, adds=separator == ", ")
        for separator, piece in zip(["; ", *pieces[1::2]], pieces[::2], strict=True)
    )
    if all(rule.closes for rule in rules):
        raise _refusal(f'"{text}" never opens the doors')
    _refuse_replaced(rules)
    return Expression(rules, says_holidays=re.search(r"\bPH\b", plain) is not None)


def _refusal(reason: str, example: str = EXAMPLE) -> ValueError:
    return ValueError(f"{reason}. Write for instance: {example}")


def _refuse_what_misleads(text: str) -> None:
    for pattern, reason, example in _REFUSED:
        if re.search(pattern, text, re.IGNORECASE):
            raise _refusal(f'"{text}": {reason}', example)


def _parsed(text: str) -> Reader:
    try:
        return Reader(text, auto_country=False, auto_timezone=False)
    except ParserError as error:
        where = re.search(r"--> \d+:(\d+)", str(error))
        rest = text[int(where[1]) - 1 :].strip() if where else ""
        at = f', from "{rest}" on' if rest and rest != text.strip() else ""
        raise _refusal(f'"{text}" is not understood{at}: {_hint(text)}') from None


def _hint(text: str) -> str:
    if re.search(r"\b\d{1,2}\s*[ap]m\b", text, re.IGNORECASE):
        return "write times of 24 hours, 17:00 and not 5pm"
    if re.search(r"\b(mon|tue|wed|thu|fri|sat|sun)", text, re.IGNORECASE):
        return "write days with two letters, Mo Tu We Th Fr Sa Su"
    if re.search(r"(?<![:\d])\d{1,2}\s*-\s*\d{1,2}(?![:\d])", text):
        return "write times with minutes, 09:00-18:00 and not 9-18"
    return "days come first, then times, and a semicolon before the next rule"


def _rule(text: str, *, adds: bool) -> Rule:
    closes = text.endswith(" closed") or text == "closed"
    rest = text.removesuffix("closed").strip()
    found = _TIMES.search(rest)
    selector = rest[: found.start()].strip() if found else rest
    spans = tuple(map(_span, found[1].split(","))) if found else ((0, DAY),)
    if closes and not found:
        spans = ((0, 2 * DAY),)  # the whole opening, and its night
    if re.search(r"\d\d:\d\d", selector):
        raise _refusal(f'"{text}" is not understood: its times come last')
    return Rule(
        days=_days(selector, holiday=False),
        days_if_holiday=_days(selector, holiday=True),
        spans=joined(spans),
        closes=closes,
        adds=adds,
        selector=selector,
    )


def _span(text: str) -> Span:
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    if start == end:
        raise _refusal(f'"{text}" opens and closes at the same time; a whole day is 00:00-24:00')
    return start, end if end > start else end + DAY


def _days(selector: str, *, holiday: bool) -> Reader | None:
    """Which days the selector is for, where PH is every day (a holiday) or no day (any other)."""
    words = []
    for word in selector.split(" "):
        days = word.split(",")
        if "PH" in days:
            days = [day for day in days if day != "PH"] + (["Mo-Su"] if holiday else [])
            if not days:
                return None
        words.append(",".join(days))
    return Reader(" ".join(words) or "24/7", auto_country=False, auto_timezone=False)


def _refuse_replaced(rules: tuple[Rule, ...]) -> None:
    """Two rules for the same days: the second replaces the first, which nobody means to write."""
    seen: set[str] = set()
    for rule in rules:
        if rule.closes or rule.adds:
            continue
        if rule.selector in seen:
            days = rule.selector or "every day"
            raise _refusal(
                f'the hours for "{days}" are given twice, and the later ones would replace the '
                "earlier; several openings a day are joined by a comma",
                "Mo-Fr 09:00-12:00,14:00-18:00",
            )
        seen.add(rule.selector)

"""What somebody asks for, as they type it: `month by source chart`. Pure; knows no database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from staffbot.errors import Refused
from staffbot.settings import Settings
from staffbot.stats.counting import By
from staffbot.times import Stretch, parse_span_of_days

EXAMPLE = "month by source"
_ALL = ("all", "all teams", "everything")
_TEAM = re.compile(r"\b(?:for|team)\s+(?P<team>.+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`span` is a stretch of days as typed, `teams` the keys that are meant, `whose` them as typed."""

    span: str
    stretch: Stretch
    teams: tuple[str, ...]
    zone: ZoneInfo
    whose: str = ""
    by: By | None = None
    me: bool = False
    chart: bool = False
    csv: bool = False

    @property
    def text(self) -> str:
        """It as somebody would type it, for a control: what is chosen of it can be changed."""
        return self.typed(self.span)

    def typed(self, span: str) -> str:
        """It with another stretch of days."""
        words = (
            span, "me" if self.me else "", f"by {self.by}" if self.by else "",
            "chart" if self.chart else "", self.whose,
        )  # fmt: skip
        return " ".join(word for word in words if word)

    def fixed(self) -> str:
        """It with its days written out, so that it means the same tomorrow."""
        first = self.stretch.start.astimezone(self.zone).date()
        last = (self.stretch.end - timedelta(microseconds=1)).astimezone(self.zone).date()
        return self.typed(f"{first}..{last}")


def parse(text: str, *, settings: Settings, teams: tuple[str, ...], now: datetime) -> Question:
    """Read a question. `teams` are meant where none is named. Raises Refused, saying what works."""
    # "all" alone is about teams.
    rest = re.sub(r"\ball time\b", "ever", " ".join(text.split()), flags=re.IGNORECASE)
    # First, so that `by team` names no team.
    rest, by = _by(rest)
    rest, named = _teams(rest, settings, now)
    rest, chart = _without(rest, "chart")
    rest, csv = _without(rest, "csv")
    rest, me = _without(rest, "me")
    every = tuple(team.key for team in settings.teams)
    chosen = named or (() if by is By.TEAM else teams) or every
    zone = settings.team(chosen[0]).hours.zone
    stretch = parse_span_of_days(rest, now=now, zone=zone)
    if me and by is By.PERSON:
        by = None
    return Question(
        span=rest or "30d", stretch=stretch, teams=chosen, zone=zone, by=by, me=me,
        chart=chart, csv=csv, whose=_whose(chosen, settings),
    )  # fmt: skip


def _whose(teams: tuple[str, ...], settings: Settings) -> str:
    if len(settings.teams) == 1:
        return ""
    if len(teams) == len(settings.teams):
        return "all"
    return f"for {teams[0]}" if len(teams) == 1 else ""


def _teams(rest: str, settings: Settings, now: datetime) -> tuple[str, tuple[str, ...]]:
    for word in _ALL:
        rest, found = _without(rest, word)
        if found:
            return rest, tuple(team.key for team in settings.teams)
    named = _TEAM.search(rest)
    if named is None:
        return rest, ()
    wanted = named["team"].strip(" \"'“”").casefold()
    for team in settings.teams:
        if wanted in (team.key.casefold(), team.name.casefold()):
            return rest[: named.start()].strip(), (team.key,)
    # A wish may follow the team: `for children chart`.
    for team in settings.teams:
        for called in (team.name, team.key):
            if wanted.startswith(f"{called.casefold()} "):
                after = named["team"].strip()[len(called) :]
                return f"{rest[: named.start()]} {after}".strip(), (team.key,)
    if named[0].startswith("for") and _is_stretch(named["team"], settings, now):
        return f"{rest[: named.start()]} {named['team']}".strip(), ()
    names = ", ".join(team.name for team in settings.teams)
    raise Refused(f"There is no team called “{named['team'][:60]}”. The teams are: {names}.")


def _is_stretch(text: str, settings: Settings, now: datetime) -> bool:
    """Whether it is days, as in `for november`."""
    try:
        parse_span_of_days(text, now=now, zone=settings.teams[0].hours.zone)
    except Refused:
        return False
    return True


def _by(rest: str) -> tuple[str, By | None]:
    found = re.search(r"\bby\s+(\w+)", rest, re.IGNORECASE)
    if found is None:
        return rest, None
    word = found[1].lower()
    for by in By:
        if word in (by.value, f"{by.value}s"):
            return f"{rest[: found.start()]} {rest[found.end() :]}".strip(), by
    kinds = ", ".join(by.value for by in By)
    raise Refused(f"Figures cannot be grouped by “{found[1][:40]}”. They can by: {kinds}.")


def _without(rest: str, word: str) -> tuple[str, bool]:
    """`rest` without that word, and whether it stood there."""
    left, times = re.subn(rf"(?<!\S){word}(?!\S)", " ", rest, flags=re.IGNORECASE)
    return " ".join(left.split()), times > 0

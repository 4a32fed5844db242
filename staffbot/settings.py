"""Frozen settings, as the house sees them; knows nothing of files, TOML or the environment.

`config` makes them; everything else is handed them as an argument. Durations are timedeltas,
times of day are local to the team's zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from staffbot.model import EXPECTS_ANSWER, Kind, Role, Room
from staffbot.network import ReplyLimit
from staffbot.secret import Secret


class WhenClosed(StrEnum):
    """What becomes of a post that comes in while the library is closed."""

    AT_ONCE = "at_once"
    SILENTLY = "silently"
    AT_OPENING = "at_opening"


class PerPerson(StrEnum):
    """Who may ask for figures by person."""

    NOBODY = "nobody"
    MANAGERS = "managers"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """When a team's doors are open: an opening_hours expression and the days that are shut.

    `country` and `subdivision` name the public holidays (python-holidays' codes); `holidays` adds
    the library's own free days, `not_holidays` takes dates out again.
    """

    weekly: str = "Mo-Fr 09:00-18:00; Sa 10:00-14:00"
    zone: ZoneInfo = ZoneInfo("UTC")
    country: str = ""
    subdivision: str = ""
    holidays: frozenset[date] = frozenset()
    not_holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A response target in opening time. A rule with `source` or `kind` beats one without."""

    claim_within: timedelta = timedelta(hours=2)
    answer_within: timedelta = timedelta(hours=4)
    source: str = ""
    kind: Kind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nagging:
    """The steps of reminding, as shares of a target, and the other limits of nagging."""

    warn_at: float = 0.75
    overdue_at: float = 1.0
    manager_at: float = 1.5
    quiet_after_act: timedelta = timedelta(minutes=10)
    most_a_day: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings:
    """The daily digest: `after_opening` the first opening of the local day."""

    enabled: bool = True
    after_opening: timedelta = timedelta(minutes=10)
    when_nothing: str = "one_line"  # or "none"
    too_late_after: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRoom:
    """A channel of a team. `private` may show private words; `figures_only` gets no cards."""

    room: Room
    private: bool = False
    figures_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """One team: its rooms, hours, targets and limits."""

    key: str
    name: str
    rooms: tuple[TeamRoom, ...] = ()
    hours: OpeningHours = OpeningHours()
    targets: tuple[Target, ...] = (Target(),)
    nagging: Nagging = Nagging()
    digest: DigestSettings = DigestSettings()
    when_closed: WhenClosed = WhenClosed.SILENTLY

    def target(self, source: str, kind: Kind) -> Target:
        """The most particular target: source and kind, source, kind, the team's own."""

        def fits(target: Target) -> bool:
            return target.source in ("", source) and target.kind in (None, kind)

        def rank(target: Target) -> tuple[bool, bool]:
            return (bool(target.source), target.kind is not None)

        fitting = [target for target in self.targets if fits(target)]
        return max(fitting, key=rank, default=Target())


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A routing rule: every condition that is given has to hold; the first rule that fits wins.

    `keyword` is looked for in the words and the title, whole words, letters' case ignored.
    """

    team: str
    source: str = ""
    kind: Kind | None = None
    keyword: str = ""
    language: str = ""

    def fits(self, *, source: str, kind: Kind, text: str, language: str) -> bool:
        return (
            self.source in ("", source)
            and self.kind in (None, kind)
            and self.language.lower() in ("", language.lower().split("-")[0], language.lower())
            and (not self.keyword or _says(self.keyword, text))
        )


def _says(keyword: str, text: str) -> bool:
    return _pattern(keyword).search(text) is not None


@cache
def _pattern(keyword: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(keyword)}(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """One `[[staff]]` entry: joins a person's ids on several platforms."""

    key: str
    name: str
    role: Role = Role.STAFF
    shared: bool = False
    sensitive: bool = False
    teams: tuple[str, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)
    preferred_platform: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """What the house has to know of a source; `options` is the source's own settings model.

    `limit` is how long an answer from chat may be; None where none can be given. It is not
    configured: whoever opens the sources asks them.
    """

    name: str
    type: str
    label: str = ""
    every: timedelta = timedelta(minutes=2)
    look_back: timedelta = timedelta(hours=24)
    expects_answer: bool | None = None
    kind: Kind | None = None
    language: str = ""
    private: bool = False
    close_on_answer: bool = False
    options: Any = None
    limit: ReplyLimit | None = None

    def expects(self, kind: Kind, said: bool | None) -> bool:
        """Whether a mention has a clock: its own word, else the setting's, else its kind's."""
        if said is not None:
            return said
        if self.expects_answer is not None:
            return self.expects_answer
        return kind in EXPECTS_ANSWER

    @property
    def shown_as(self) -> str:
        return self.label or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorSettings:
    """A chat platform that the configuration names; `options` is the door's own settings model."""

    platform: str
    options: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How this machine reaches the world; `timeout` is that of one request as a whole."""

    proxy: str = field(default="", repr=False)  # it may hold a password
    ca_file: Path | None = None
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`url` is a SQLAlchemy URL; `identity_key` keys the hash of native ids."""

    url: Secret
    identity_key: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where an HTTP listener binds."""

    host: str = "127.0.0.1"
    port: int = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How posts are carried. `request_life`: how long a request can still arrive once sent."""

    request_life: timedelta = timedelta(seconds=30)
    tries: int = 5
    edit_every: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Over `mentions` new ones of a team within `within` are one live card until it calms."""

    mentions: int = 10
    within: timedelta = timedelta(minutes=15)
    calm_after: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`heartbeat_url` is called each minute while all is well."""

    heartbeat_url: Secret | None = None
    post_stuck_after: timedelta = timedelta(minutes=10)
    source_failing_after: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySettings:
    """Answers from chat. What could not be sent for so long is given back to its author."""

    enabled: bool = False
    give_up_after: timedelta = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service of the library that staff point patrons to.

    `text` is what is said, by language; one text alone has none ("").
    """

    name: str
    link: str = ""
    text: Mapping[str, str] = field(default_factory=dict)

    def said(self, language: str = "") -> str:
        """The text in that language, else in English, else the first; with the link at its end."""
        wanted = (language.lower(), language.lower().split("-")[0], "en", *self.text)
        text = next((self.text[one] for one in wanted if one in self.text), self.name)
        return text if not self.link or self.link in text else f"{text} {self.link}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole house."""

    library: str
    teams: tuple[Team, ...]
    routes: tuple[Route, ...] = ()
    staff: tuple[StaffMember, ...] = ()
    sources: tuple[SourceSettings, ...] = ()
    doors: tuple[DoorSettings, ...] = ()
    store: StoreSettings
    network: Network = Network()
    public: Listener = Listener()
    metrics: Listener = Listener(port=8081)
    delivery: Delivery = Delivery()
    storm: Storm = Storm()
    health: Health = Health()
    replies: ReplySettings = ReplySettings()
    services: tuple[Service, ...] = ()
    root: str = "lib"
    topics: tuple[str, ...] = ("idea", "thanks", "complaint", "question", "service", "event")
    reopen_within: timedelta = timedelta(days=14)
    undo_within: timedelta = timedelta(minutes=10)
    figures_by_person: PerPerson = PerPerson.NOBODY
    data: Path = Path("data")

    def team(self, key: str) -> Team:
        """The team of that key; the first one where a team was taken out of the configuration."""
        return next((team for team in self.teams if team.key == key), self.teams[0])

    def source(self, name: str) -> SourceSettings:
        """The source of that name; a bare one where it was taken out of the configuration."""
        found = (source for source in self.sources if source.name == name)
        return next(found, SourceSettings(name=name, type="gone"))

    def team_of_room(self, room: Room) -> Team | None:
        """The team whose room this is, or None."""
        for team in self.teams:
            if any(team_room.room == room for team_room in team.rooms):
                return team
        return None

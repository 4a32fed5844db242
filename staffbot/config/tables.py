"""What may stand in the configuration file, table by table; every default comes from settings.py.

Checks that need more than one value are in `teams.py` and `load.py`. Knows no file.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, field_validator

from staffbot import settings
from staffbot.config.environment import IDENTITY_KEY, variable_name
from staffbot.config.values import (
    Command,
    Count,
    Duration,
    Flag,
    Host,
    Key,
    Language,
    LoopbackHost,
    OptionalText,
    PlatformId,
    Port,
    PositiveDuration,
    Proxy,
    Share,
    Text,
    Topic,
    Weekly,
    Zone,
)  # fmt: skip
from staffbot.model import Kind, Role
from staffbot.secret import FromEnvironment, Secret

_HOURS = settings.OpeningHours()
_TARGET = settings.Target()
_NAGGING = settings.Nagging()
_DIGEST = settings.DigestSettings()
_NETWORK = settings.Network()
_DELIVERY = settings.Delivery()
_STORM = settings.Storm()
_HEALTH = settings.Health()
_REPLIES = settings.ReplySettings()
_TOP: dict[str, Any] = {field.name: field.default for field in fields(settings.Settings)}
_SOURCE = settings.SourceSettings(name="", type="")


class Table(BaseModel):
    """A table of the file. A key that is not known is a problem, not a guess."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    def values(self) -> dict[str, Any]:
        """Every value by its name, as the settings of the same names take them."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class HoursTable(Table):
    weekly: Weekly = _HOURS.weekly
    zone: Zone = _HOURS.zone
    country: Annotated[OptionalText, Field(examples=["IE"])] = ""
    subdivision: Annotated[OptionalText, Field(examples=["CA"])] = ""
    holidays: frozenset[date] = Field(default=frozenset(), examples=[[date(2026, 12, 24)]])
    not_holidays: frozenset[date] = Field(default=frozenset(), examples=[[date(2026, 5, 1)]])


class TargetTable(Table):
    claim_within: PositiveDuration = _TARGET.claim_within
    answer_within: PositiveDuration = _TARGET.answer_within
    source: OptionalText = ""
    kind: Kind | None = Field(default=None, examples=["review"])


class NaggingTable(Table):
    warn_at: Annotated[Share, Field(examples=[0.75])] = _NAGGING.warn_at
    overdue_at: Annotated[Share, Field(examples=[1.0])] = _NAGGING.overdue_at
    manager_at: Annotated[Share, Field(examples=[1.5])] = _NAGGING.manager_at
    quiet_after_act: Annotated[Duration, Field(examples=["10m"])] = _NAGGING.quiet_after_act
    most_a_day: Annotated[Count, Field(examples=[6])] = _NAGGING.most_a_day


class DigestTable(Table):
    enabled: Flag = Field(default=_DIGEST.enabled, examples=[True])
    after_opening: Annotated[Duration, Field(examples=["10m"])] = _DIGEST.after_opening
    when_nothing: Literal["one_line", "none"] = Field(default="one_line", examples=["one_line"])
    too_late_after: PositiveDuration = _DIGEST.too_late_after


class RoomTable(Table):
    platform: Annotated[Text, Field(examples=["slack"])]
    id: Annotated[PlatformId, Field(examples=["C0123456789"])]
    private: Flag = Field(default=False, examples=[True])
    figures_only: Flag = Field(default=False, examples=[True])


class TeamTable(Table):
    """What a team says outside its tables; at the top of the file it is said for all teams."""

    when_closed: settings.WhenClosed = Field(
        default=settings.WhenClosed.SILENTLY, examples=["silently"]
    )


class NamedTeamTable(TeamTable):
    name: OptionalText = Field(default="", examples=["Adult services"])


# The tables of a team, and its lists of tables.
TEAM_TABLES = ("hours", "nagging", "digest")
TEAM_LISTS = ("targets", "rooms")


class RouteTable(Table):
    team: Annotated[str, Field(examples=["adult"])]
    source: OptionalText = ""
    kind: Kind | None = Field(default=None, examples=["review"])
    keyword: OptionalText = ""
    language: Language = ""


class StaffTable(Table):
    key: Annotated[Key, Field(examples=["ana"])]
    name: Annotated[Text, Field(examples=["Ana Silva"])]
    role: Role = Field(default=Role.STAFF, examples=["manager"])
    shared: Flag = Field(default=False, examples=[True])
    sensitive: Flag = Field(default=False, examples=[True])
    teams: tuple[str, ...] = Field(default=(), examples=[["adult"]])
    ids: dict[str, PlatformId] = Field(default={}, examples=[{"slack": "U0123456789"}])
    preferred_platform: OptionalText = Field(default="", examples=["slack"])


class SourceTable(Table):
    """What every source has; the keys of its own type stand beside these."""

    name: Annotated[Key, Field(examples=["website"])]
    type: Annotated[Text, Field(examples=["feed"])]
    label: OptionalText = ""
    every: PositiveDuration = _SOURCE.every
    look_back: Annotated[Duration, Field(examples=["24h"])] = _SOURCE.look_back
    expects_answer: Flag | None = Field(default=None, examples=[True])
    kind: Kind | None = Field(default=None, examples=["comment"])
    language: Language = ""
    private: Flag = Field(default=False, examples=[True])
    close_on_answer: Flag = Field(default=False, examples=[True])


class NetworkTable(Table):
    proxy: Annotated[Proxy, Field(examples=["http://proxy.example.org:3128"])] = ""
    ca_file: OptionalText = Field(default="", examples=["our-ca.pem"])
    timeout: Annotated[PositiveDuration, Field(examples=["30s"])] = _NETWORK.timeout


class StoreTable(Table):
    url: OptionalText = Field(default="", examples=["sqlite:///data/staffbot.db"])
    identity_key: Annotated[str, PlainValidator(variable_name)] = Field(
        default=IDENTITY_KEY, examples=[IDENTITY_KEY]
    )


class PublicTable(Table):
    host: Host = _TOP["public"].host
    port: Port = _TOP["public"].port


class MetricsTable(Table):
    host: LoopbackHost = _TOP["metrics"].host
    port: Annotated[Port, Field(examples=[8081])] = _TOP["metrics"].port


class DeliveryTable(Table):
    request_life: Annotated[PositiveDuration, Field(examples=["30s"])] = _DELIVERY.request_life
    tries: Annotated[Count, Field(examples=[5])] = _DELIVERY.tries
    edit_every: Annotated[Duration, Field(examples=["1s"])] = _DELIVERY.edit_every


class StormTable(Table):
    mentions: Annotated[Count, Field(ge=2, examples=[10])] = _STORM.mentions
    within: Annotated[PositiveDuration, Field(examples=["15m"])] = _STORM.within
    calm_after: Annotated[PositiveDuration, Field(examples=["15m"])] = _STORM.calm_after


class HealthTable(Table):
    heartbeat_url: FromEnvironment | None = Field(default=None, examples=["STAFFBOT_HEARTBEAT_URL"])
    post_stuck_after: PositiveDuration = _HEALTH.post_stuck_after
    source_failing_after: PositiveDuration = _HEALTH.source_failing_after

    @field_validator("heartbeat_url")
    @classmethod
    def _is_address(cls, url: Secret | None) -> Secret | None:
        if url is not None and not url.value.startswith(("https://", "http://")):
            raise ValueError("names a variable that holds no web address, beginning with https://.")
        return url


class RepliesTable(Table):
    enabled: Flag = Field(default=_REPLIES.enabled, examples=[True])
    give_up_after: PositiveDuration = _REPLIES.give_up_after


class ServiceTable(Table):
    name: Annotated[Text, Field(max_length=60, examples=["Home delivery"])]
    link: OptionalText = Field(default="", examples=["https://library.example.org/delivery"])
    text: dict[Language, Text] = Field(default={}, examples=["We bring books to you:"])

    @field_validator("text", mode="before")
    @classmethod
    def _in_one_language(cls, text: object) -> object:
        """A text alone is in the language of the library, whichever that is."""
        return {"": text} if isinstance(text, str) else text

    @field_validator("link")
    @classmethod
    def _is_address(cls, link: str) -> str:
        if link and not link.startswith(("https://", "http://")):
            raise ValueError("is not a web address: it begins with https://.")
        return link


def _topics(topics: tuple[str, ...]) -> tuple[str, ...]:
    missing = [topic for topic in ("idea", "thanks", "complaint") if topic not in topics]
    if missing:
        raise ValueError(f"lacks {' and '.join(missing)}, which the digest counts.")
    if len(set(topics)) < len(topics):
        raise ValueError("names a topic twice.")
    return topics


class TopTable(Table):
    """The single values at the top of the file."""

    library: Annotated[Text, Field(max_length=80, examples=["Riverside Library"])]
    data: Annotated[Text, Field(examples=["data"])] = str(_TOP["data"])
    root: Annotated[Command, Field(examples=["lib"])] = _TOP["root"]
    topics: Annotated[tuple[Topic, ...], AfterValidator(_topics)] = Field(
        default=_TOP["topics"], examples=[["idea", "thanks", "complaint", "question"]]
    )
    reopen_within: Annotated[Duration, Field(examples=["14d"])] = _TOP["reopen_within"]
    undo_within: Annotated[Duration, Field(examples=["10m"])] = _TOP["undo_within"]
    figures_by_person: settings.PerPerson = Field(
        default=_TOP["figures_by_person"], examples=["nobody"]
    )

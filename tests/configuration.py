"""Writes configuration files for tests, with a network and two platforms that need no SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from staffbot.config import load
from staffbot.errors import ConfigError, Problem
from staffbot.model import Clock
from staffbot.network import Batch, Route, Source
from staffbot.seams import Chat, Desk, Door, Finding, Network
from staffbot.secret import FromEnvironment, Secret, environment
from staffbot.settings import DoorSettings, Settings, SourceSettings
from staffbot.settings import Network as NetworkSettings


class PostcardOptions(BaseModel):
    """A network of the tests: postcards. One field of every kind that options have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    box: str = Field(examples=["4711"])
    stamps: int = Field(default=1, ge=1)
    secrets: tuple[FromEnvironment, ...] = ()
    password: FromEnvironment | None = None
    hidden: int = Field(default=0, exclude=True)

    @field_validator("secrets")
    @classmethod
    def _long(cls, secrets: tuple[Secret, ...]) -> tuple[Secret, ...]:
        if any(len(secret.value) < 8 for secret in secrets):
            raise ValueError("a secret has to have at least 8 letters")
        return secrets


class PigeonOptions(BaseModel):
    """A platform of the tests whose token has a variable of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: FromEnvironment = environment("PIGEON_TOKEN")
    loft: str = "north"


class TalkOptions(BaseModel):
    """A platform of the tests with nothing to set; it does not forbid unknown keys by itself."""

    port: int = 1


class Postcards:
    """A source that is never read."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def fetch(self, cursor: str | None) -> Batch:
        return Batch(cursor=cursor)


def _open_source(source: SourceSettings, network: NetworkSettings, clock: Clock) -> Source:
    return Postcards(source.name)


async def _check_source(source: SourceSettings, network: NetworkSettings) -> Sequence[Finding]:
    return ()


def _open_door(door: DoorSettings, settings: Settings, desk: Desk, clock: Clock) -> Chat:
    raise NotImplementedError


async def _check_door(door: DoorSettings, settings: Settings) -> Sequence[Finding]:
    return ()


def _routes(chat: Chat) -> Sequence[Route]:
    return ()


postcards = Network(
    type="postcards", options=PostcardOptions, open=_open_source, check=_check_source
)
talk = Door(
    platform="talk", options=TalkOptions, open=_open_door, check=_check_door, routes=_routes
)
pigeon = Door(
    platform="pigeon", options=PigeonOptions, open=_open_door, check=_check_door, routes=_routes
)

NETWORKS: Mapping[str, Network] = {"postcards": postcards}
DOORS: Mapping[str, Door] = {"talk": talk, "pigeon": pigeon}

SMALLEST = """
library = "Riverside Library"
[talk]
[[rooms]]
platform = "talk"
id = "front"
"""


def loaded(
    folder: Path, text: str = SMALLEST, environ: Mapping[str, str] | None = None
) -> Settings:
    """The settings of a file with that text."""
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ or {}, NETWORKS, DOORS)


def refused(
    folder: Path, text: str, environ: Mapping[str, str] | None = None
) -> dict[str, Problem]:
    """The problems for which a file with that text is refused, by path."""
    try:
        loaded(folder, text, environ)
    except ConfigError as error:
        return {problem.path: problem for problem in error.problems}
    return {}

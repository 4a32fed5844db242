"""The witness as a door of its own package, as others may bring one: found by its entry point."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from staffbot.model import Clock
from staffbot.network import Route
from staffbot.seams import Chat, Desk, Door, Finding
from staffbot.settings import DoorSettings, Settings
from tests.faults.chat import WitnessChat


class WitnessOptions(BaseModel):
    """What stands in [witness]."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str


def _open(door: DoorSettings, settings: Settings, desk: Desk, clock: Clock) -> Chat:
    return WitnessChat(door.options.url, "witness")


async def _check(door: DoorSettings, settings: Settings) -> Sequence[Finding]:
    return ()


def _routes(chat: Chat) -> Sequence[Route]:
    return ()


door = Door(platform="witness", options=WitnessOptions, open=_open, check=_check, routes=_routes)

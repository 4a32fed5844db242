"""What the contract needs of a source that is read; each network adds how a patron writes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from staffbot.errors import SourceError
from staffbot.model import IncomingMention, Source
from staffbot.seams import Finding, Network
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from tests.library import HandClock
from tests.source_contract import NOW, Unheard, Written

PATIENT = NetworkSettings(timeout=timedelta(seconds=50))


@dataclass(kw_only=True)
class ReadRig:
    """A source that is read, and a network that `write` puts posts on and `breaks` can break."""

    settings: SourceSettings
    network: Network
    write: Callable[[Written], None]
    breaks: Callable[[bool], None]
    name: str = ""
    cursor: str | None = None
    source: Source = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.settings.name
        self.restart()

    def restart(self) -> None:
        found = self.network.open(self.settings, PATIENT, HandClock(NOW))
        assert isinstance(found, Source)
        self.source = found

    async def writes(self, *posts: Written) -> None:
        for post in posts:
            self.write(post)

    async def hear(self) -> list[IncomingMention]:
        try:
            batch = await self.source.fetch(self.cursor)
        except SourceError as problem:
            raise Unheard from problem
        self.cursor = batch.cursor
        return list(batch.mentions)

    async def hear_again(self) -> list[IncomingMention]:
        self.cursor = None
        return await self.hear()

    def cut(self) -> None:
        self.breaks(True)

    def mend(self) -> None:
        self.breaks(False)

    async def check(self) -> Sequence[Finding]:
        return await self.network.check(self.settings, PATIENT)

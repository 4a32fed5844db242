"""What the contract needs of a source that is read; each network adds how a patron writes there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from staffbot.errors import SourceError
from staffbot.model import IncomingMention
from staffbot.network import Source
from staffbot.seams import Finding, Network
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from tests.library import HandClock
from tests.source_contract import NOW, SourceContract, Unheard, Written

PATIENT = NetworkSettings(timeout=timedelta(seconds=50))


@dataclass(kw_only=True)
class ReadRig:
    """A source that is read, and a network that `write` puts posts on and `breaks` can break."""

    settings: SourceSettings
    network: Network
    write: Callable[[Written], None]
    breaks: Callable[[bool], None]
    hangs: Callable[[bool], None]
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


class ReadContract(SourceContract):
    """What every source that is read has to keep besides."""

    async def test_a_reading_cut_off_in_the_middle_loses_nothing(self, rig: ReadRig) -> None:
        await rig.writes(Written(id="1", text="First"))
        await rig.hear()
        await rig.writes(Written(id="2", text="Second"))
        rig.hangs(True)
        reading = asyncio.create_task(rig.hear())
        await asyncio.sleep(0.1)
        assert not reading.done()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        rig.hangs(False)
        rig.restart()
        assert [mention.text for mention in await rig.hear()] == ["Second"]

    async def test_a_megabyte_of_text_is_cut_and_costs_its_neighbour_nothing(
        self, rig: ReadRig
    ) -> None:
        await rig.writes(
            Written(id="1", text="<p>" + "lorem & ipsum " * 75_000), Written(id="2", text="Skis?")
        )
        long, short = sorted(await rig.hear(), key=lambda mention: -len(mention.text))
        assert short.text == "Skis?"
        assert 10_000 < len(long.text) <= 50_000

    async def test_what_it_says_of_trouble_has_no_secret_and_no_patrons_word(
        self, rig: ReadRig
    ) -> None:
        await rig.writes(Written(id="1", text="Secret words"))
        rig.cut()
        with pytest.raises(Unheard) as unheard:
            await rig.hear()
        said = str(unheard.value.__cause__)
        assert "Secret" not in said
        assert said[0].islower() or said[0].isdigit(), "it goes on after the source's name"
        [finding] = await rig.check()
        assert not finding.ok
        assert finding.said == said

"""What every source has to keep, whichever its network: one suite, run against a real or a working
stand-in network by each source's own rig.

A source joins by a test class that inherits SourceContract and gives a `rig` fixture.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points
from typing import Protocol

import pytest
from pydantic import ValidationError

from staffbot.model import IncomingMention, Visibility
from staffbot.seams import Finding, Network

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Something that a patron wrote on the network."""

    id: str
    text: str
    at: datetime = NOW - timedelta(hours=1)
    author: str = "Lena P."


class Unheard(Exception):
    """The source said that it could not do its work: nothing was taken, nothing acknowledged."""


class SourceRig(Protocol):
    """A network with one source at it, whose clock stands at NOW and who looks back 24 hours."""

    name: str
    network: Network

    async def writes(self, *posts: Written) -> None:
        """From now on these are on the network."""
        ...

    async def hear(self) -> list[IncomingMention]:
        """What the source brings now, going on from last time. Raises Unheard."""
        ...

    async def hear_again(self) -> list[IncomingMention]:
        """The same from the beginning, as where a backup without the latest cursor was restored."""
        ...

    def restart(self) -> None:
        """The program starts anew; only what the database keeps is left."""
        ...

    def cut(self) -> None:
        """The network, or the way of the mentions into the database, is broken from now on."""
        ...

    def mend(self) -> None: ...

    async def check(self) -> Sequence[Finding]:
        """What `staffbot check` finds."""
        ...


class SourceContract:
    """Inherit from this."""

    async def test_a_post_comes_in_once(self, rig: SourceRig) -> None:
        await rig.writes(Written(id="1", text="Do you lend skis?"))
        [mention] = await rig.hear()
        assert mention.text == "Do you lend skis?"
        assert mention.patron.name == "Lena P."
        assert await rig.hear() == []

    async def test_what_a_mention_has_to_be(self, rig: SourceRig) -> None:
        await rig.writes(*(Written(id=str(n), text=f"Question {n}") for n in range(3)))
        heard = await rig.hear()
        assert len({mention.native_id for mention in heard}) == 3
        for mention in heard:
            assert mention.source == rig.name
            assert mention.native_id
            assert mention.posted_at.utcoffset() == timedelta(0)
            assert mention.posted_at == NOW - timedelta(hours=1)
            assert mention.permalink == "" or mention.permalink.startswith("http")
            assert mention.visibility in Visibility
            assert mention.patron.name

    async def test_after_a_restart_only_what_is_new(self, rig: SourceRig) -> None:
        await rig.writes(Written(id="1", text="First"))
        await rig.hear()
        rig.restart()
        await rig.writes(Written(id="2", text="Second"), Written(id="3", text="Third"))
        assert sorted(mention.text for mention in await rig.hear()) == ["Second", "Third"]

    async def test_a_post_keeps_its_id_whenever_it_is_heard(self, rig: SourceRig) -> None:
        await rig.writes(*(Written(id=str(n), text=f"Question {n}") for n in range(3)))
        before = {mention.text: mention.native_id for mention in await rig.hear()}
        rig.restart()
        again = {mention.text: mention.native_id for mention in await rig.hear_again()}
        assert again == before

    async def test_a_broken_way_loses_nothing(self, rig: SourceRig) -> None:
        await rig.writes(Written(id="1", text="First"))
        await rig.hear()
        rig.cut()
        await rig.writes(Written(id="2", text="Second"))
        for _ in range(3):
            with pytest.raises(Unheard):
                await rig.hear()
        rig.restart()
        rig.mend()
        await rig.writes(Written(id="3", text="Third"))
        assert sorted(mention.text for mention in await rig.hear()) == ["Second", "Third"]

    async def test_a_moment_to_come_is_now(self, rig: SourceRig) -> None:
        await rig.writes(Written(id="1", text="Hello", at=NOW + timedelta(days=2)))
        [mention] = await rig.hear()
        assert mention.posted_at == NOW

    async def test_hostile_text_comes_clean(self, rig: SourceRig) -> None:
        await rig.writes(
            Written(
                id="1",
                text="\u202eSee\u200b this\u2066 cafe\u0301 متى \U0001f600",
                author="Le\u202ena <lena@mail.test>",
            )
        )
        [mention] = await rig.hear()
        assert mention.text == "See this café متى \U0001f600"
        assert mention.patron.name == "Lena"
        for text in (mention.text, mention.title, mention.patron.name, mention.native_id):
            assert not {unicodedata.category(char) for char in text} & {"Cc", "Cf", "Cs"}
            text.encode()

    async def test_forty_kilobytes_are_kept_whole(self, rig: SourceRig) -> None:
        long = "A long complaint. " * 2_300
        await rig.writes(Written(id="1", text=long))
        [mention] = await rig.hear()
        assert mention.text == long.strip()

    async def test_check_tells_well_from_ill(self, rig: SourceRig) -> None:
        await rig.writes(Written(id="1", text="Hello"))
        for finding in await rig.check():
            assert finding.ok
            assert rig.name in finding.subject
            assert "Hello" not in finding.said

    async def test_an_unknown_setting_is_refused(self, rig: SourceRig) -> None:
        with pytest.raises(ValidationError, match="unheard_of"):
            rig.network.options.model_validate({"unheard_of": 1})

    async def test_it_is_found_by_its_entry_point(self, rig: SourceRig) -> None:
        [found] = entry_points(group="staffbot.sources", name=rig.network.type)
        assert found.load() is rig.network

"""What every network that can be answered has to hold: one answer, found again, told in plain words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from staffbot.errors import DeliveryError
from staffbot.model import Patron, Visibility
from staffbot.network import Answering, Replied, Replies
from tests.source_contract import NOW

KEY, OTHER = "0123456789abcdef" * 2, "fedcba9876543210" * 2
WORDS = "Yes, from ten to four. See https://library.example/hours"
WOMAN_AT_WORK = "\U0001f469\u200d\U0001f4bb"


def answering(native_id: str) -> Answering:
    """What is answered: a public post of Lena's."""
    return Answering(
        native_id=native_id, conversation=native_id, permalink="", title="",
        patron=Patron(name="Lena P.", handle="@lena@elsewhere.example"),
        visibility=Visibility.PUBLIC, written_at=NOW,
    )  # fmt: skip


@dataclass(kw_only=True)
class ReplyRig:
    """A network on loopback with one post of a patron's, `native_id`.

    standing   the texts of the library's answers there, oldest first
    cuts       from now on answers to writes are lost although they were taken
    down       from now on every request is answered with that status; 0: well again
    deletes    the patron takes the post back
    opening    what every answer begins with there
    """

    source: Replies
    wrong: Replies
    native_id: str
    standing: Callable[[], list[str]]
    cuts: Callable[[bool], None]
    down: Callable[[int], None]
    deletes: Callable[[], None]
    restarted: Callable[[], Replies]
    opening: str = ""

    @property
    def to(self) -> Answering:
        return answering(self.native_id)


class ReplyContract:
    """Inherit and give a fixture `rig`."""

    async def test_an_answer_stands_and_is_found(self, rig: ReplyRig) -> None:
        text = rig.opening + WORDS
        assert await rig.source.find_reply(rig.to, text, KEY) is None
        replied = await rig.source.reply(rig.to, text, KEY)
        assert len(rig.standing()) == 1
        assert "from ten to four" in rig.standing()[0]
        assert replied.native_id
        assert abs(replied.at - NOW) < timedelta(days=2_000)
        assert replied.at.tzinfo is not None
        found = await rig.restarted().find_reply(rig.to, text, KEY)
        assert found is not None
        assert (found.native_id, found.permalink) == (replied.native_id, replied.permalink)
        assert len(rig.standing()) == 1

    async def test_another_answer_is_not_taken_for_it(self, rig: ReplyRig) -> None:
        await rig.source.reply(rig.to, rig.opening + "No, never on Sundays.", OTHER)
        assert await rig.source.find_reply(rig.to, rig.opening + WORDS, KEY) is None

    async def test_a_cut_after_it_was_taken_is_ambiguous_and_found(self, rig: ReplyRig) -> None:
        rig.cuts(True)
        with pytest.raises(DeliveryError) as lost:
            await rig.source.reply(rig.to, rig.opening + WORDS, KEY)
        rig.cuts(False)
        assert (lost.value.ambiguous, lost.value.permanent) == (True, False)
        assert isinstance(
            await rig.restarted().find_reply(rig.to, rig.opening + WORDS, KEY), Replied
        )
        assert len(rig.standing()) == 1

    @pytest.mark.parametrize("status", [500, 503, 429])
    async def test_a_network_in_trouble_is_no_end(self, rig: ReplyRig, status: int) -> None:
        rig.down(status)
        for call in (rig.source.reply, rig.source.find_reply):
            with pytest.raises(DeliveryError) as trouble:
                await call(rig.to, rig.opening + WORDS, KEY)
            assert not trouble.value.permanent
            if status == 429:
                assert not trouble.value.ambiguous
                assert trouble.value.retry_after == 17
        rig.down(0)
        await rig.source.reply(rig.to, rig.opening + WORDS, KEY)
        assert len(rig.standing()) == 1

    async def test_what_is_gone_cannot_be_answered(self, rig: ReplyRig) -> None:
        rig.deletes()
        with pytest.raises(DeliveryError, match=r"not (there|on the site)") as gone:
            await rig.source.reply(rig.to, rig.opening + WORDS, KEY)
        assert gone.value.permanent
        assert rig.standing() == []

    async def test_a_wrong_password_is_said_in_plain_words(self, rig: ReplyRig) -> None:
        with pytest.raises(DeliveryError, match=r"new one|Passwords|token") as refused:
            await rig.wrong.reply(rig.to, rig.opening + WORDS, KEY)
        assert "ten to four" not in str(refused.value)
        assert rig.standing() == []

    @pytest.mark.parametrize("unit", ["x", WOMAN_AT_WORK, "e\u0301"])
    async def test_exactly_the_limit_is_taken(self, rig: ReplyRig, unit: str) -> None:
        limit = rig.source.limit
        assert limit is not None
        most = next(
            count
            for count in range(limit.most, 0, -1)
            if limit.measure(rig.opening + unit * count) <= limit.most
        )
        assert limit.measure(rig.opening + unit * (most + 1)) > limit.most
        for place, count in enumerate((most - 1, most)):
            await rig.source.reply(rig.to, rig.opening + unit * count, f"{KEY[:7]}{place}{KEY[8:]}")
        assert len(rig.standing()) == 2

    async def test_hostile_ids_are_refused(self, rig: ReplyRig) -> None:
        for hostile in ("", "../../etc", "1 OR 1", "http://x.example/", "\u0000"):
            with pytest.raises(DeliveryError) as refused:
                await rig.source.reply(replace(rig.to, native_id=hostile), WORDS, KEY)
            assert refused.value.permanent
        assert rig.standing() == []

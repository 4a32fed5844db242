"""What every chat platform has to keep to: one suite for all, doors and fakes alike.

A door's tests subclass ChatContract (`class TestSlackKeepsTheContract(ChatContract)`) and override
the fixture `stage` with their chat and a way to see what stands on the platform.

find: the room of a direct message is Room(platform, "direct:" + user_id), although the ref that
`direct` returns may name the platform's own room for it.
DeliveryError.permanent is about this message in this room; a refused token is not permanent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from staffbot.errors import DeliveryError, MessageGone
from staffbot.messages import Button, Heading, Message, Paragraph, Quote
from staffbot.model import MessageRef, Room
from staffbot.seams import Chat
from tests.fakes import Fault


@dataclass(slots=True, kw_only=True)
class Stage:
    """A chat on a platform that can be looked into.

    seen      the sentences (Message.text) that stand in a room, oldest first; for a direct
              message the room is `direct:<user_id>`
    delete    somebody deletes a message by hand; None where the platform has no such thing
    again     the program was started again: a new Chat on the same platform
    faults    makes the next call meet a fault, for each one that this platform can have
    """

    chat: Chat
    room: Room
    other: Room
    user_id: str
    seen: Callable[[Room], Awaitable[Sequence[str]]]
    delete: Callable[[MessageRef], Awaitable[None]] | None = None
    again: Callable[[], Awaitable[Chat]] | None = None
    faults: Mapping[Fault, Callable[[], None]] = field(default_factory=dict)

    @property
    def letters(self) -> Room:
        return Room(platform=self.chat.platform, id=f"direct:{self.user_id}")


def message(text: str = "A mention waits: number 7.") -> Message:
    """A small card."""
    return Message(
        text=text,
        parts=(
            Heading(text="#7"),
            Paragraph(line=("From the test",)),
            Quote(text="When do you open? <!channel> @everyone *now*"),
        ),
        controls=(Button(name="claim", label="Claim", mention=7, primary=True),),
        mention=7,
    )


class ChatContract:
    """Subclass it with a fixture `stage`."""

    @pytest.fixture
    def stage(self) -> Stage:
        raise NotImplementedError("a subclass gives the stage")

    async def test_a_post_stands_in_its_room_alone(self, stage: Stage) -> None:
        ref = await stage.chat.post(stage.room, message("First."), "card:7:room:1")
        assert ref.room.platform == stage.chat.platform
        assert ref.id
        assert list(await stage.seen(stage.room)) == ["First."]
        assert list(await stage.seen(stage.other)) == []

    async def test_posts_stand_in_the_order_they_were_sent(self, stage: Stage) -> None:
        for number in range(3):
            await stage.chat.post(stage.room, message(f"Number {number}."), f"card:{number}:room:1")
        assert list(await stage.seen(stage.room)) == ["Number 0.", "Number 1.", "Number 2."]

    async def test_an_edit_replaces_and_adds_nothing(self, stage: Stage) -> None:
        ref = await stage.chat.post(stage.room, message("Before."), "card:7:room:1")
        await stage.chat.edit(ref, message("After."))
        await stage.chat.edit(ref, message("After."))
        assert list(await stage.seen(stage.room)) == ["After."]

    async def test_a_post_is_found_by_its_key(self, stage: Stage) -> None:
        ref = await stage.chat.post(stage.room, message(), "card:7:room:1")
        await stage.chat.post(stage.room, message(), "card:8:room:1")
        assert await stage.chat.find(stage.room, "card:7:room:1") == ref

    async def test_an_edited_post_keeps_its_key(self, stage: Stage) -> None:
        ref = await stage.chat.post(stage.room, message(), "card:7:room:1")
        await stage.chat.edit(ref, message("After."))
        assert await stage.chat.find(stage.room, "card:7:room:1") == ref

    async def test_a_key_is_found_whole_and_in_its_room_alone(self, stage: Stage) -> None:
        await stage.chat.post(stage.room, message(), "card:7:room:10")
        assert await stage.chat.find(stage.room, "card:7:room:1") is None
        assert await stage.chat.find(stage.other, "card:7:room:10") is None
        assert await stage.chat.find(stage.room, "card:9:room:1") is None

    async def test_long_keys_that_differ_at_the_end_are_told_apart(self, stage: Stage) -> None:
        long = f"digest:{'the-team-of-the-central-library' * 2}:2026-11-25:{stage.room}:"
        first = await stage.chat.post(stage.room, message("One."), long + "1")
        second = await stage.chat.post(stage.room, message("Two."), long + "2")
        assert await stage.chat.find(stage.room, long + "1") == first
        assert await stage.chat.find(stage.room, long + "2") == second
        assert await stage.chat.find(stage.room, long + "3") is None

    async def test_an_old_post_is_found_behind_newer_ones(self, stage: Stage) -> None:
        ref = await stage.chat.post(stage.room, message(), "card:7:room:1")
        for number in range(25):
            await stage.chat.post(stage.room, message(), f"card:{100 + number}:room:1")
        assert await stage.chat.find(stage.room, "card:7:room:1") == ref

    async def test_a_direct_message_goes_to_one_person_and_is_found(self, stage: Stage) -> None:
        ref = await stage.chat.direct(stage.user_id, message("For you."), "told:5:ada")
        assert list(await stage.seen(stage.letters)) == ["For you."]
        assert list(await stage.seen(stage.room)) == []
        assert await stage.chat.find(stage.letters, "told:5:ada") == ref
        assert await stage.chat.find(stage.letters, "told:6:ada") is None
        await stage.chat.edit(ref, message("For you, again."))
        assert list(await stage.seen(stage.letters)) == ["For you, again."]

    async def test_it_is_found_after_a_new_start(self, stage: Stage) -> None:
        if stage.again is None:
            pytest.skip("this platform lives in the program")
        ref = await stage.chat.post(stage.room, message(), "card:7:room:1")
        chat = await stage.again()
        assert await chat.find(stage.room, "card:7:room:1") == ref
        await chat.edit(ref, message("After the start."))
        assert list(await stage.seen(stage.room)) == ["After the start."]

    async def test_what_was_deleted_by_hand_is_gone(self, stage: Stage) -> None:
        if stage.delete is None:
            pytest.skip("nobody can delete a message here")
        ref = await stage.chat.post(stage.room, message(), "card:7:room:1")
        await stage.delete(ref)
        with pytest.raises(MessageGone):
            await stage.chat.edit(ref, message("After."))
        assert await stage.chat.find(stage.room, "card:7:room:1") is None

    @pytest.mark.parametrize("fault", list(Fault))
    async def test_a_fault_says_what_can_be_known(self, stage: Stage, fault: Fault) -> None:
        if fault not in stage.faults or fault is Fault.RAISES:
            pytest.skip("this platform cannot meet that")
        stage.faults[fault]()
        hangs = fault in (Fault.HANGS_BEFORE, Fault.HANGS_AFTER)
        accepted = fault in (Fault.CUT_AFTER, Fault.HANGS_AFTER)
        with pytest.raises((DeliveryError, TimeoutError)) as raised:
            async with asyncio.timeout(2 if hangs else 30):
                await stage.chat.post(stage.room, message("Once."), "card:7:room:1")
        if isinstance(raised.value, DeliveryError):
            unknown = fault in (Fault.CUT_BEFORE, Fault.CUT_AFTER) or hangs
            # Not knowing may be said where it is known; knowing may not be said where it is not.
            assert raised.value.ambiguous or not unknown
            assert raised.value.permanent == (fault is Fault.REFUSED)
            assert (raised.value.retry_after is not None) == (fault is Fault.LIMITED)
        assert list(await stage.seen(stage.room)) == (["Once."] if accepted else [])
        found = await stage.chat.find(stage.room, "card:7:room:1")
        assert (found is not None) == accepted

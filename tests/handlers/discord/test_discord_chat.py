"""Discord as a platform: the contract of every chat, on a real discord.py and a loopback Discord."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from handlers.discord.chat import DiscordChat
from staffbot.errors import DeliveryError, MessageGone
from staffbot.messages import Message
from staffbot.model import MessageRef, Room
from tests.chat_contract import ChatContract, Stage, message
from tests.fakes import Fault
from tests.handlers.discord.loopback import Loopback, loopback
from tests.handlers.discord.stage import CHILDREN, MENTIONS, discord_settings, running
from tests.handlers.discord.world import ANA, BEN, CHANNEL
from tests.handlers.fake_desk import FakeDesk

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def discord() -> AsyncIterator[Loopback]:
    async with loopback() as made:
        yield made


@pytest.fixture
async def chat(discord: Loopback, tmp_path: Path) -> AsyncIterator[DiscordChat]:
    async with running(discord, FakeDesk(), discord_settings(tmp_path)) as opened:
        yield opened


class TestDiscordKeepsTheContract(ChatContract):
    @pytest.fixture
    async def stage(self, discord: Loopback, tmp_path: Path) -> AsyncIterator[Stage]:
        house = discord_settings(tmp_path)
        async with AsyncExitStack() as stack:
            chat = await stack.enter_async_context(running(discord, FakeDesk(), house))

            async def seen(room: Room) -> list[str]:
                id = room.id
                if id.startswith("direct:"):
                    id = discord.world.letters.get(id.removeprefix("direct:"), "")
                return discord.world.contents(id)

            async def delete(ref: MessageRef) -> None:
                discord.world.delete(ref.room.id, ref.id)

            async def again() -> DiscordChat:
                discord.world.nonces.clear()
                return await stack.enter_async_context(running(discord, FakeDesk(), house))

            def fails(fault: Fault) -> Callable[[], None]:
                return lambda: discord.fail_posts(fault)

            yield Stage(
                chat=chat,
                room=MENTIONS,
                other=CHILDREN,
                user_id=ANA,
                seen=seen,
                delete=delete,
                again=again,
                faults={fault: fails(fault) for fault in Fault if fault is not Fault.RAISES},
            )


# --- exactly one message ------------------------------------------------------------------------


async def test_a_key_is_posted_once_while_discord_remembers_its_nonce(
    chat: DiscordChat, discord: Loopback
) -> None:
    first = await chat.post(MENTIONS, message("Once."), "card:7:room:1")
    assert await chat.post(MENTIONS, message("Once."), "card:7:room:1") == first
    assert discord.world.contents(CHANNEL) == ["Once."]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_no_failed_post_is_tried_again_by_the_sdk(
    chat: DiscordChat, discord: Loopback, status: int
) -> None:
    discord.fail_posts((status, 0.0))
    with pytest.raises(DeliveryError) as raised:
        await chat.post(MENTIONS, message(), "card:7:room:1")
    assert discord.posted() == 1
    assert raised.value.ambiguous == (status != 503)
    assert not raised.value.permanent


@pytest.mark.parametrize("wait", [0.3, 3600.0])
async def test_a_limit_goes_to_the_outbox_with_its_wait(
    chat: DiscordChat, discord: Loopback, wait: float
) -> None:
    discord.fail_posts((429, wait))
    with pytest.raises(DeliveryError) as raised:
        await chat.post(MENTIONS, message(), "card:7:room:1")
    assert raised.value.retry_after == wait
    assert not raised.value.ambiguous
    assert discord.posted() == 1


async def test_a_message_without_any_control_is_found_too(
    chat: DiscordChat, discord: Loopback
) -> None:
    ref = await chat.post(MENTIONS, Message(text="Everything is taken."), "line:adult:1")
    assert await chat.find(MENTIONS, "line:adult:1") == ref
    await chat.edit(ref, Message(text="Something waits."))
    assert await chat.find(MENTIONS, "line:adult:1") == ref


# --- what is lost -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said"), [(10003, "no longer there"), (50001, "View Channel"), (50013, "permission")]
)
async def test_a_lost_channel_or_permission_is_said_with_what_to_do(
    chat: DiscordChat, discord: Loopback, code: int, said: str
) -> None:
    ref = await chat.post(MENTIONS, message(), "card:7:room:1")
    discord.missing[CHANNEL] = code
    for call in (chat.post(MENTIONS, message(), "card:8:room:1"), chat.edit(ref, message())):
        with pytest.raises(DeliveryError, match=said) as raised:
            await call
        assert raised.value.permanent
        assert not isinstance(raised.value, MessageGone)


async def test_an_id_of_another_platform_is_refused(chat: DiscordChat) -> None:
    with pytest.raises(DeliveryError, match="digits") as raised:
        await chat.post(Room(platform="discord", id="team"), message(), "card:7:room:1")
    assert raised.value.permanent


# --- direct messages ----------------------------------------------------------------------------


async def test_where_direct_messages_are_closed_the_channel_is_told_once(
    chat: DiscordChat, discord: Loopback
) -> None:
    discord.world.shut.add(ANA)
    told = Message(text="You have 2 mentions to answer.")
    ref = await chat.direct(ANA, told, "nag:ana:1")
    assert ref.room == MENTIONS
    assert await chat.find(Room(platform="discord", id=f"direct:{ANA}"), "nag:ana:1") == ref
    assert discord.world.contents(CHANNEL) == [f"<@{ANA}> You have 2 mentions to answer."]
    (*_, (_, _, body)) = [one for one in discord.requests if one[0] == "POST"]
    assert [str(one) for one in body["allowed_mentions"]["users"]] == [ANA]
    assert body["allowed_mentions"]["parse"] == []


async def test_a_stranger_to_the_staff_list_is_told_in_the_first_channel(
    chat: DiscordChat, discord: Loopback
) -> None:
    discord.world.shut.add(BEN)
    assert (await chat.direct(BEN, Message(text="For you."), "told:1:ben")).room == MENTIONS


async def test_every_message_may_ping_nobody(chat: DiscordChat, discord: Loopback) -> None:
    await chat.post(MENTIONS, message("@everyone <@1> <@&2>"), "card:7:room:1")
    (body,) = [body for method, _, body in discord.requests if method == "POST"]
    assert body["allowed_mentions"] == {"parse": []}
    assert body["enforce_nonce"] is True
    assert len(body["nonce"]) <= 25

"""The Chat of Slack keeps to the contract of all platforms, and says what Slack's refusals mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from handlers.slack.chat import SlackChat
from handlers.slack.history import opaque
from staffbot.errors import DeliveryError, MessageGone
from staffbot.messages import Chart, Message, Paragraph
from staffbot.model import MessageRef, Room
from staffbot.seams import Chat
from tests.chat_contract import ChatContract, Stage, message
from tests.fakes import Fault
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.slack.loopback import Loopback, Trouble
from tests.handlers.slack.stage import ADULT, CHILDREN, opened, settings
from tests.handlers.slack.workspace import BOT

TROUBLES = {
    Fault.SERVER_ERROR: Trouble.ERROR_500,
    Fault.LIMITED: Trouble.LIMITED,
    Fault.CUT_BEFORE: Trouble.DROP_BEFORE,
    Fault.CUT_AFTER: Trouble.DROP_AFTER,
    Fault.HANGS_BEFORE: Trouble.SLOW_BEFORE,
    Fault.HANGS_AFTER: Trouble.SLOW_AFTER,
}


@pytest.fixture
async def chat(slack: Loopback, tmp_path: Path) -> AsyncIterator[SlackChat]:
    chat = opened(slack, settings(tmp_path), FakeDesk())
    yield chat
    await chat.api.close()


class TestSlackKeepsTheContract(ChatContract):
    @pytest.fixture
    async def stage(self, slack: Loopback, tmp_path: Path) -> AsyncIterator[Stage]:
        opened_chats: list[SlackChat] = []

        def start() -> SlackChat:
            opened_chats.append(opened(slack, settings(tmp_path), FakeDesk()))
            return opened_chats[-1]

        async def seen(room: Room) -> Sequence[str]:
            return slack.texts(room.id.replace("direct:", "D"))

        async def delete(ref: MessageRef) -> None:
            del slack.channels[ref.room.id].messages[ref.id]

        async def again() -> Chat:
            return start()

        def meets(trouble: Trouble) -> Callable[[], None]:
            return lambda: slack.troubles["chat.postMessage"].append(trouble)

        def refused() -> None:
            slack.refuse["chat.postMessage"] = "is_archived"

        yield Stage(
            chat=start(),
            room=ADULT,
            other=CHILDREN,
            user_id="U1",
            seen=seen,
            delete=delete,
            again=again,
            faults={
                **{fault: meets(trouble) for fault, trouble in TROUBLES.items()},
                Fault.REFUSED: refused,
            },
        )
        for chat in opened_chats:
            await chat.api.close()


async def test_a_post_unfurls_nothing_and_its_key_is_opaque(
    slack: Loopback, chat: SlackChat
) -> None:
    await chat.post(ADULT, message(), "card:7:slack:C01:1")
    posted = slack.newest("C01")
    assert posted["unfurl"] is False
    assert posted["metadata"]["event_payload"] == {"key": opaque("card:7:slack:C01:1")}
    assert "card" not in str(posted["metadata"]["event_payload"])


async def test_one_reading_of_a_channel_serves_all_open_posts(
    slack: Loopback, tmp_path: Path, chat: SlackChat
) -> None:
    """As after a crash: a new process asks for posts that another one may have sent."""
    for number in range(5):
        await chat.post(ADULT, message(), f"card:{number}:slack:C01:1")
    later = opened(slack, settings(tmp_path), FakeDesk())
    try:
        found = [await later.find(ADULT, f"card:{number}:slack:C01:1") for number in range(8)]
    finally:
        await later.api.close()
    assert [ref is not None for ref in found] == [True] * 5 + [False] * 3
    assert len(slack.called("conversations.history")) == 1


async def test_a_message_of_another_app_with_our_key_is_not_ours(
    slack: Loopback, chat: SlackChat
) -> None:
    ref = await chat.post(ADULT, message(), "card:7:slack:C01:1")
    slack.channels["C01"].messages[ref.id]["bot_id"] = "B0OTHER"
    assert await chat.find(ADULT, "card:7:slack:C01:1") is None


async def test_refused_blocks_are_left_out_once_and_never_posted_twice(
    slack: Loopback, chat: SlackChat
) -> None:
    ref = await chat.post(ADULT, message("Before."), "card:7:slack:C01:1")
    slack.wont_show("C01")
    await chat.edit(ref, message("After."))
    assert slack.newest("C01")["text"] == "After."
    assert slack.newest("C01")["blocks"] == []
    await chat.post(ADULT, message("Another."), "card:8:slack:C01:1")
    assert slack.texts("C01") == ["After.", "Another."]


@pytest.mark.parametrize(
    "error", ["message_not_found", "cant_update_message", "edit_window_closed"]
)
async def test_a_message_that_cannot_be_edited_is_gone(
    slack: Loopback, chat: SlackChat, error: str
) -> None:
    ref = await chat.post(ADULT, message(), "card:7:slack:C01:1")
    slack.refuse["chat.update"] = error
    with pytest.raises(MessageGone):
        await chat.edit(ref, message("After."))


async def test_a_closed_channel_is_for_good_and_says_why(slack: Loopback, chat: SlackChat) -> None:
    slack.channels["C01"].archived = True
    slack.channels["C02"].members.discard(BOT)
    with pytest.raises(DeliveryError, match="archived") as archived:
        await chat.post(ADULT, message(), "card:7:slack:C01:1")
    with pytest.raises(DeliveryError, match="/invite") as left:
        await chat.post(CHILDREN, message(), "card:7:slack:C02:1")
    assert archived.value.permanent
    assert left.value.permanent


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "missing_scope"])
async def test_a_refused_token_is_no_fault_of_the_message(
    slack: Loopback, chat: SlackChat, error: str
) -> None:
    slack.refuse["chat.postMessage"] = error
    with pytest.raises(DeliveryError, match=error) as refused:
        await chat.post(ADULT, message(), "card:7:slack:C01:1")
    assert not refused.value.permanent
    assert not refused.value.ambiguous


async def test_a_channel_that_is_limited_waits_alone(slack: Loopback, chat: SlackChat) -> None:
    slack.retry_after = 3600.0
    slack.troubles["chat.postMessage"].append(Trouble.LIMITED)
    for _ in range(2):
        with pytest.raises(DeliveryError) as limited:
            await chat.post(ADULT, message(), "card:7:slack:C01:1")
        assert limited.value.retry_after is not None
        assert 0 < limited.value.retry_after <= 3600
    await chat.post(CHILDREN, message("Elsewhere."), "card:7:slack:C02:1")
    assert slack.texts("C02") == ["Elsewhere."]
    assert len(slack.called("chat.postMessage")) == 1


async def test_an_unclear_fault_of_slacks_own_is_looked_up(
    slack: Loopback, chat: SlackChat
) -> None:
    slack.troubles["chat.postMessage"].append(Trouble.ERROR_500_AFTER)
    with pytest.raises(DeliveryError) as unclear:
        await chat.post(ADULT, message(), "card:7:slack:C01:1")
    assert unclear.value.ambiguous
    assert await chat.find(ADULT, "card:7:slack:C01:1") is not None


async def test_nobody_listening_is_known_not_to_have_arrived(
    slack: Loopback, tmp_path: Path
) -> None:
    chat = opened(slack, settings(tmp_path), FakeDesk(), api_url="http://127.0.0.1:9/api/")
    with pytest.raises(DeliveryError, match="cannot be reached") as refused:
        await chat.post(ADULT, message(), "card:7:slack:C01:1")
    await chat.api.close()
    assert not refused.value.ambiguous


async def test_a_chart_stands_in_the_message_with_its_alt_text(
    slack: Loopback, chat: SlackChat
) -> None:
    chart = Message(text="The week.", parts=(Chart(png=b"\x89PNG", alt="Nine came in."),))
    await chat.post(ADULT, chart, "stats:1")
    (image,) = [block for block in slack.newest("C01")["blocks"] if block["type"] == "image"]
    assert image["alt_text"] == "Nine came in."
    assert slack.files[image["slack_file"]["id"]]["content"] == b"\x89PNG"


async def test_a_picture_that_slack_will_not_show_is_said_in_words(
    slack: Loopback, chat: SlackChat
) -> None:
    slack.channels["C01"].refuses_images = float("inf")
    chart = Message(
        text="The week.",
        parts=(Chart(png=b"\x89PNG", alt="Nine came in."), Paragraph(line=("Nine & more.",))),
    )
    await chat.post(ADULT, chart, "stats:1")
    (posted,) = slack.channels["C01"].messages.values()
    assert "Nine came in." in str(posted["blocks"])
    assert "Nine & more." in str(posted["blocks"])


async def test_a_picture_is_shown_that_slack_has_ready_some_moments_later(
    slack: Loopback, tmp_path: Path
) -> None:
    chat = opened(slack, settings(tmp_path), FakeDesk(), post_every=0.1)
    slack.channels["C01"].refuses_images = 3
    chart = Message(text="The week.", parts=(Chart(png=b"\x89PNG", alt="Nine came in."),))
    began = asyncio.get_running_loop().time()
    await chat.post(ADULT, chart, "stats:1")
    took = asyncio.get_running_loop().time() - began
    await chat.api.close()
    assert any(block["type"] == "image" for block in slack.newest("C01")["blocks"])
    assert took >= 0.6  # each time a little longer, within the channel's pace
    assert len(slack.files) == 1  # it is uploaded once


async def test_a_chart_that_cannot_be_uploaded_is_still_said(
    slack: Loopback, chat: SlackChat
) -> None:
    slack.refuse["files.getUploadURLExternal"] = "missing_scope"
    chart = Message(text="The week.", parts=(Chart(png=b"\x89PNG", alt="Nine came in."),))
    await chat.post(ADULT, chart, "stats:1")
    assert "Nine came in." in str(slack.newest("C01")["blocks"])


async def test_a_channel_keeps_its_pace_and_delays_no_other(
    slack: Loopback, tmp_path: Path
) -> None:
    """A few at once, then about one in each `post_every`; here six, so three have to wait."""
    chat = opened(slack, settings(tmp_path), FakeDesk(), post_every=0.3)
    began = asyncio.get_running_loop().time()
    posts = [chat.post(ADULT, message(), f"card:{n}:slack:C01:1") for n in range(6)]
    await asyncio.gather(*posts, chat.post(CHILDREN, message(), "card:7:slack:C02:1"))
    took = asyncio.get_running_loop().time() - began
    order = [arguments["channel"] for arguments in slack.called("chat.postMessage")]
    await chat.api.close()
    assert took >= 0.3 * 3
    assert order.index("C02") < len(order) - 1
    assert len(order) == 7

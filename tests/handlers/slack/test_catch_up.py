"""After every gap, whoever made the connection anew: what was said and left meanwhile has its effect.

Here on a fake desk, for how it is read; test_missed.py has the whole house.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handlers.slack.api import Api
from handlers.slack.catch_up import LIMIT_SECONDS, OVERLAP_SECONDS, TRIES, CatchUp
from handlers.slack.chat import SlackChat
from handlers.slack.ears import Socket
from handlers.slack.listeners import Listeners
from handlers.slack.missed import Missed
from handlers.slack.people import People
from handlers.slack.replies import Replies
from staffbot.errors import DeliveryError
from staffbot.messages import Message, Reply
from staffbot.model import Actor, Person
from staffbot.secret import Secret
from staffbot.settings import Network
from tests.handlers.fake_desk import PEOPLE, FakeDesk
from tests.handlers.slack.loopback import Loopback, Trouble
from tests.handlers.slack.stage import ADULT, opened, running, settings, until
from tests.handlers.slack.workspace import BOT, BOT_ID, BOT_TOKEN, PAGE

CLAIM = f"<@{BOT}> claim 1"
QUICK = 0.2  # seconds between pings; a stalled test machine may then lose a connection


class Failing(FakeDesk):
    """A desk that fails so often before it does what it is asked for."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.failed = 0

    async def command(self, actor: Actor, text: str) -> Reply:
        if self.failed < self.times:
            self.failed += 1
            return Message(text="That did not work.", failed=True)
        return await super().command(actor, text)


@pytest.fixture
async def chat(slack: Loopback, tmp_path: Path, desk: FakeDesk) -> AsyncIterator[SlackChat]:
    chat = opened(slack, settings(tmp_path), desk, mode="socket", ping_every=QUICK, rest=0.0)
    async with running(chat):
        await caught_up(slack, desk)
        slack.calls.clear()
        yield chat


async def caught_up(slack: Loopback, desk: FakeDesk) -> None:
    """Wait until it listens and there is no gap left."""
    await until(lambda: slack.sockets and "slack" in desk.kept)


async def kept_after(desk: FakeDesk, before: datetime) -> None:
    """Wait until all that was missed is read."""
    await until(lambda: desk.kept["slack"] > before)


def commands(desk: FakeDesk) -> list[tuple[str, ...]]:
    return [asked[1:] for asked in desk.asked if asked[0] == "command"]


async def goodbye(slack: Loopback) -> None:
    """Slack asks for another connection, as it does every few hours."""
    await slack.sockets[-1].send_json({"type": "disconnect", "reason": "refresh_requested"})


async def another(slack: Loopback, than: object) -> None:
    """Wait for another connection."""
    await until(lambda: slack.sockets and slack.sockets[-1] is not than)


async def cut(slack: Loopback) -> None:
    await slack.sockets[-1].close()


async def half_open(slack: Loopback) -> None:
    """Nothing arrives any more, until it is noticed."""
    slack.silent = True
    before = len(slack.called("apps.connections.open"))
    await until(lambda: len(slack.called("apps.connections.open")) > before)
    slack.silent = False


@pytest.mark.parametrize("gap", [goodbye, cut, half_open])
async def test_what_was_said_in_any_gap_is_heard_afterwards(
    slack: Loopback, chat: SlackChat, desk: FakeDesk, gap: object
) -> None:
    slack.says("C01", "U1", CLAIM)
    slack.says("C01", "U2", "hello everybody")
    assert callable(gap)
    await gap(slack)
    await until(lambda: desk.mentions[1].owner)
    await until(lambda: slack.channels["C01"].ephemeral)
    await cut(slack)
    await until(lambda: len(slack.called("conversations.history")) >= 4)
    assert commands(desk) == [("U1", "claim 1")]
    assert len(slack.channels["C01"].ephemeral) == 1


async def test_a_reaction_of_a_gap_is_heard_afterwards_and_once(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    ref = await chat.post(ADULT, desk.card(1), "card:1:slack:C01:1")
    slack.reacts("C01", ref.id, "raised_hand::skin-tone-4", "U2")
    slack.reacts("C01", ref.id, "eyes", "U3")
    await goodbye(slack)
    await until(lambda: commands(desk))
    await cut(slack)
    await until(lambda: len(slack.called("conversations.history")) >= 4)
    assert commands(desk) == [("U2", "claim")]


async def test_a_hand_raised_on_somebody_elses_message_says_nothing(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    theirs = slack.says("C01", "U1", "Who takes the lift?")
    slack.reacts("C01", theirs, "raised_hand", "U2")
    slack.says("C01", "U1", CLAIM)
    await goodbye(slack)
    await until(lambda: commands(desk))
    assert commands(desk) == [("U1", "claim 1")]


async def test_a_refresh_costs_one_call_a_channel(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    channel = slack.channels["C01"]
    for number in range(PAGE * 5):  # a long past, with old threads
        slack.says("C01", "U1", "talk", ago=7200 - number)
    old = slack.says("C01", "U1", "a thread", ago=3600)
    channel.messages[old]["latest_reply"] = f"{time.time() - 1800:.6f}"
    chat = opened(slack, settings(tmp_path), desk, mode="socket", rest=0.0)
    async with running(chat):
        await caught_up(slack, desk)
        slack.calls.clear()
        kept = desk.kept["slack"]
        await goodbye(slack)
        await kept_after(desk, kept)
    calls = [method for method, _ in slack.calls if method.startswith("conversations.")]
    assert calls == ["conversations.history"] * 2


async def test_a_connection_that_breaks_all_the_time_is_no_storm_of_calls(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    chat = opened(slack, settings(tmp_path), desk, mode="socket", ping_every=QUICK, rest=30.0)
    async with running(chat):
        await caught_up(slack, desk)
        slack.calls.clear()
        for _ in range(5):
            before = slack.sockets[-1]
            await goodbye(slack)
            await another(slack, before)
        assert slack.called("conversations.history") == []


async def test_threads_are_read_where_they_went_on(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    for place in range(PAGE * 2):
        slack.says("C01", "U1", "an old one", ago=5000 - place)
    parent = slack.says("C01", "U1", "another one", ago=4000)
    slack.says("C01", "U1", CLAIM, ago=3, thread_ts=parent, subtype="thread_broadcast")
    for place in range(PAGE * 2):  # a long talk, page by page
        slack.says("C01", "U1", "talk", ago=2 - place / 1000, thread_ts=parent)
    await goodbye(slack)
    await until(lambda: commands(desk))
    assert commands(desk) == [("U1", "claim 1")]
    assert slack.called("conversations.replies")[0]["ts"] == parent


async def test_a_busy_gap_is_read_page_by_page_in_its_order(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    slack.says("C01", "U1", CLAIM, ago=30)
    slack.says("C01", "U2", f"<@{BOT}> queue", ago=29)
    for number in range(PAGE * 3):
        slack.says("C01", "U1", "hello", ago=28 - number / 100)
    await goodbye(slack)
    await until(lambda: len(commands(desk)) == 2)
    assert commands(desk) == [("U1", "claim 1"), ("U2", "queue")]


@pytest.mark.parametrize("trouble", [Trouble.LIMITED, Trouble.ERROR_500, Trouble.DROP_AFTER])
async def test_a_gap_stays_open_until_it_is_read(
    slack: Loopback, chat: SlackChat, desk: FakeDesk, trouble: Trouble
) -> None:
    kept = desk.kept["slack"]
    slack.troubles["conversations.history"].extend([trouble] * 2)
    slack.says("C01", "U1", CLAIM)
    await goodbye(slack)
    await until(lambda: len(slack.called("conversations.history")) or not _left(slack))
    assert desk.kept["slack"] == kept  # a program that ended now would read it again
    await until(lambda: desk.mentions[1].owner)
    await until(lambda: desk.kept["slack"] > kept)


def _left(slack: Loopback) -> int:
    return len(slack.troubles["conversations.history"])


@pytest.mark.parametrize("fails", [1, 99])
async def test_what_the_desk_fails_over_is_tried_again_and_not_for_ever(
    slack: Loopback, tmp_path: Path, fails: int
) -> None:
    desk = Failing(fails)
    desk.tell("When do you open?")
    desk.kept["slack"] = kept = datetime.now(UTC) - timedelta(seconds=30)
    slack.says("C01", "U1", CLAIM)
    async with running(opened(slack, settings(tmp_path), desk, rest=0.0)):
        await until(lambda: desk.mentions[1].owner or desk.failed == TRIES)
        if fails == 1:
            await kept_after(desk, kept)
    assert bool(desk.mentions[1].owner) is (fails == 1)
    assert desk.failed == min(fails, TRIES)


async def test_a_closed_channel_keeps_no_other_one_waiting(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    slack.channels["C01"].members.discard(BOT)
    slack.says("C02", "U1", CLAIM)
    await goodbye(slack)
    await until(lambda: desk.mentions[1].owner)


async def test_the_bot_answers_no_bot(slack: Loopback, chat: SlackChat, desk: FakeDesk) -> None:
    slack.says("C01", BOT, CLAIM, bot_id=BOT_ID)
    slack.says("C01", "U1", CLAIM, subtype="channel_topic")
    slack.says("C02", "U1", f"<@{BOT}> queue")
    await goodbye(slack)
    await until(lambda: commands(desk))
    assert commands(desk) == [("U1", "queue")]


# --- across a restart ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_what_was_said_while_the_program_did_not_run_is_heard(
    slack: Loopback, tmp_path: Path, desk: FakeDesk, mode: str
) -> None:
    async with running(opened(slack, settings(tmp_path), desk, mode=mode)):
        await until(lambda: "slack" in desk.kept)
    slack.says("C01", "U1", CLAIM)
    for _ in range(2):
        desk.kept["slack"] -= timedelta(hours=1)
        before = desk.kept["slack"]
        async with running(opened(slack, settings(tmp_path), desk, mode=mode)):
            await kept_after(desk, before)
    assert commands(desk) == [("U1", "claim 1")]


async def test_a_long_gap_is_read_deep_enough_for_reactions_on_old_cards(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    for number in range(2):
        desk.kept["slack"] = datetime.now(UTC) - timedelta(hours=number)  # a short gap, a long one
        chat = opened(slack, settings(tmp_path), desk)
        async with running(chat):
            if number == 0:
                ref = await chat.post(ADULT, desk.card(1), "card:1:slack:C01:1")
                old = f"{time.time() - 10 * 24 * 3600:.6f}"
                message = slack.channels["C01"].messages.pop(ref.id)
                slack.channels["C01"].messages[old] = {**message, "ts": old}
                for place in range(PAGE * 2):
                    slack.says("C01", "U1", "talk", ago=86400 - place)
                slack.reacts("C01", old, "raised_hand", "U1")
                await kept_after(desk, desk.kept["slack"])
                assert commands(desk) == []
            else:
                await until(lambda: commands(desk))
    assert commands(desk) == [("U1", "claim")]


async def test_the_first_start_of_all_does_nothing_of_what_stands_there(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    chat = opened(slack, settings(tmp_path), desk, rest=0.0)
    async with running(chat):
        ref = await chat.post(ADULT, desk.card(1), "card:1:slack:C01:1")
        slack.reacts("C01", ref.id, "raised_hand", "U1")
        slack.says("C01", "U1", CLAIM)
        await until(lambda: "slack" in desk.kept)
    assert commands(desk) == []
    assert len(desk.known) == 1
    slack.reacts("C01", ref.id, "raised_hand", "U1", "U2")
    async with running(opened(slack, settings(tmp_path), desk)):
        await until(lambda: ("U2", "claim") in commands(desk))
    assert ("U1", "claim") not in commands(desk)


async def test_there_is_an_end_to_how_far_back_is_read(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    desk.kept["slack"] = datetime.now(UTC) - timedelta(days=30)
    slack.says("C01", "U1", CLAIM, ago=LIMIT_SECONDS + OVERLAP_SECONDS + 60)
    slack.says("C01", "U2", CLAIM, ago=LIMIT_SECONDS - 60)
    async with running(opened(slack, settings(tmp_path), desk)):
        await until(lambda: desk.mentions[1].owner)
    assert commands(desk) == [("U2", "claim 1")]
    # Whoever wrote it two days ago is written to: nothing private stays in a channel so long.
    assert "You have 1." in slack.texts("DU2")


async def test_what_is_not_read_yet_is_read_by_the_next_run(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    desk.kept["slack"] = kept = datetime.now(UTC) - timedelta(hours=1)
    slack.says("C01", "U1", CLAIM, ago=600)
    slack.refuse["conversations.history"] = "internal_error"
    async with running(opened(slack, settings(tmp_path), desk)):
        await until(lambda: slack.called("conversations.history"))
    assert desk.kept["slack"] == kept
    del slack.refuse["conversations.history"]
    async with running(opened(slack, settings(tmp_path), desk)):
        await until(lambda: desk.mentions[1].owner)


async def test_direct_messages_are_read_after_a_long_gap_and_left_alone_after_a_short_one(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    slack.channel("DU1", "direct").members.add("U1")
    desk.people = (*PEOPLE, Person(key="old", name="Gone", ids={"slack": "U404"}))
    async with running(opened(slack, settings(tmp_path), desk)):
        await until(lambda: "slack" in desk.kept)
    slack.says("DU1", "U1", "claim 1", ago=1000)
    slack.says("DU1", BOT, "An answer of the bot's", ago=999, bot_id=BOT_ID)
    before = desk.kept["slack"]
    async with running(opened(slack, settings(tmp_path), desk)):
        await kept_after(desk, before)
    assert slack.called("conversations.open") == []
    desk.kept["slack"] -= timedelta(hours=1)
    async with running(opened(slack, settings(tmp_path), desk)):
        await until(lambda: "You have 1." in slack.texts("DU1"))
    assert commands(desk) == [("U1", "claim 1")]


async def test_a_machine_that_slept_has_missed_something(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    """Called by Slack, it has no connection that could break."""
    house = settings(tmp_path)
    api = Api(Secret(value=BOT_TOKEN), url=slack.api, network=Network(), timeout=5.0)
    people, replies = People(api, house), Replies(api)
    listeners = Listeners(api=api, desk=desk, people=people, replies=replies)
    gaps = CatchUp(
        desk=desk, typed=listeners.typed, reactions=listeners.reactions,
        missed=Missed(api, listeners.reactions), channels=["C01"], rest=0.0, every=0.01,
    )  # fmt: skip
    heard = time.time() - 7200
    gaps.missed(heard)
    task = asyncio.create_task(gaps.run(lambda: heard))
    await until(lambda: desk.kept.get("slack"))
    slack.says("C01", "U1", CLAIM, ago=60)
    heard += 1.0  # all is well
    await kept_after(desk, desk.kept["slack"])
    assert desk.asked == []
    heard = time.time()
    await until(lambda: desk.mentions[1].owner)
    task.cancel()
    await replies.drain()
    await people.end()
    await api.close()


async def test_while_it_is_silent_nothing_counts_as_heard(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    chat = opened(slack, settings(tmp_path), desk, mode="socket", ping_every=QUICK)
    ears = chat.ears
    assert isinstance(ears, Socket)
    task = asyncio.create_task(chat.run())
    await caught_up(slack, desk)
    slack.refuse["apps.connections.open"] = "internal_error"  # the way is cut altogether
    await cut(slack)
    await until(lambda: not slack.sockets)
    heard = ears.heard_at
    with pytest.raises(DeliveryError):
        await task
    assert ears.heard_at == heard

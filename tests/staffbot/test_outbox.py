"""The outbox carries posts to a chat that misbehaves: nothing lost, nothing doubled, no room waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from staffbot.desk import carriage, mailroom, posted, resending, troubles
from staffbot.desk.carriage import Taken
from staffbot.desk.ledger import Tx
from staffbot.messages import Message
from staffbot.model import Room
from staffbot.outbox import Outbox, Render
from staffbot.settings import Delivery, Team, TeamRoom
from staffbot.tables import posts
from tests.fakes import FakeChat, Fault
from tests.library import CHANNEL, HOURS, Library

CHILDREN = Room(platform="local", id="children")
SHORT = timedelta(seconds=0.6)


def plain(tx: Tx, post: Taken) -> Message | None:
    return Message(text=f"{post.kind} {post.mention} at {carriage.wanted_now(tx, post)}")


@pytest.fixture
def chat() -> FakeChat:
    return FakeChat(platform="local")


@pytest.fixture
def quick(sqlite_library: Library) -> Library:
    """A library whose requests live for 0.6 s only, so that doubts are over soon."""
    sqlite_library.reconfigure(
        delivery=Delivery(request_life=SHORT, tries=2, edit_every=timedelta(milliseconds=10))
    )
    return sqlite_library


@asynccontextmanager
async def carrying(
    library: Library, chat: FakeChat, render: Render = plain
) -> AsyncIterator[Outbox]:
    outbox = Outbox(library.desk, {"local": chat}, render)
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox
    finally:
        outbox.stop()
        await task


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something to become true; a slow machine may take half a minute."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, f"it never came to it: {what}"
        await asyncio.sleep(0.01)


def states(library: Library) -> list[str]:
    return [row.state for row in library.rows(posts)]


def still(library: Library) -> bool:
    """Nothing is left to carry."""
    return all(row.pending == 0 for row in library.rows(posts))


def want(library: Library, key: str, kind: str = "notice", **more: Any) -> int:
    where = {"room": CHANNEL} if "person" not in more else {}
    post = library.desk.act(
        mailroom.want, **({"key": key, "kind": kind, "platform": "local", "detail": {}}
                          | where | more),
    )  # fmt: skip
    assert post is not None
    return post


async def test_a_mention_becomes_one_card_that_is_redrawn(library: Library, chat: FakeChat) -> None:
    async with carrying(library, chat):
        number = library.arrives()
        await until(lambda: len(chat.history) == 1, "a card")
        library.claim(number)
        revision = library.mention(number).revision
        await until(lambda: chat.texts(CHANNEL) == [f"card {number} at {revision}"], "an edit")
        await until(lambda: still(library), "rest")
    assert chat.keys() == [f"card:{number}:local:desk:1"]


async def test_many_changes_are_few_edits_and_the_last_is_shown(
    quick: Library, chat: FakeChat
) -> None:
    every = 0.5
    quick.reconfigure(delivery=Delivery(edit_every=timedelta(seconds=every)))
    post = want(quick, "line:desk", "line")
    async with carrying(quick, chat):
        await until(lambda: still(quick), "the line stands")
        began = time.monotonic()
        for _ in range(20):
            quick.desk.act(mailroom.restate, post)
            await asyncio.sleep(0.02)
        await until(lambda: chat.texts(CHANNEL) == ["line None at 21"], "the newest")
        lasted = time.monotonic() - began
    [standing] = chat.in_room(CHANNEL)
    assert standing.edits <= lasted / every + 1


@pytest.mark.parametrize("fault", [f for f in Fault if f is not Fault.REFUSED])
async def test_a_card_meets_a_fault_and_stands_once(
    quick: Library, chat: FakeChat, fault: Fault
) -> None:
    chat.faults["post"].append(fault)
    number = quick.arrives()
    async with carrying(quick, chat):
        await until(lambda: states(quick) == ["sent"] and still(quick), "sent")
    assert chat.keys() == [f"card:{number}:local:desk:1"]
    assert quick.desk.look(troubles.current) == []


@pytest.mark.parametrize("fault", [f for f in Fault if f is not Fault.REFUSED])
async def test_an_edit_meets_a_fault_and_is_tried_again(
    quick: Library, chat: FakeChat, fault: Fault
) -> None:
    number = quick.arrives()
    async with carrying(quick, chat):
        await until(lambda: still(quick), "sent")
        chat.faults["edit"].append(fault)
        quick.claim(number)
        revision = quick.mention(number).revision
        await until(lambda: chat.texts(CHANNEL) == [f"card {number} at {revision}"], "an edit")
        await until(lambda: still(quick), "rest")
    assert not chat.faults["edit"]


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.LIMITED, Fault.RAISES])
async def test_a_failing_look_up_is_tried_again_before_anything_is_sent(
    quick: Library, chat: FakeChat, fault: Fault
) -> None:
    chat.faults["post"].append(Fault.CUT_AFTER)
    chat.faults["find"].append(fault)
    quick.arrives()
    async with carrying(quick, chat):
        await until(lambda: states(quick) == ["sent"], "sent")
    assert len(chat.history) == 1
    assert [what for what, _ in chat.calls if what != "edit"] == ["post", "find", "find"]


async def test_a_reminder_that_arrived_unheard_is_sent(quick: Library, chat: FakeChat) -> None:
    chat.faults["direct"].append(Fault.CUT_AFTER)
    want(quick, "nag:ana:1", "nag", person="ana")
    async with carrying(quick, chat):
        await until(lambda: states(quick) == ["sent"], "sent")
    assert chat.keys() == ["nag:ana:1"]
    assert still(quick)


@pytest.mark.parametrize("kind", ["nag", "digest"])
async def test_a_reminder_that_did_not_arrive_is_sent(
    quick: Library, chat: FakeChat, kind: str
) -> None:
    chat.faults["post"].append(Fault.CUT_BEFORE)
    want(quick, f"{kind}:1", kind)
    async with carrying(quick, chat):
        await until(lambda: states(quick) == ["sent"], "sent")
    assert chat.keys() == [f"{kind}:1"]


@pytest.mark.parametrize("kind", ["told", "notice"])
async def test_what_may_have_arrived_is_not_sent_again_where_it_was_for_its_moment(
    quick: Library, chat: FakeChat, kind: str
) -> None:
    chat.faults["post"].append(Fault.CUT_BEFORE)
    want(quick, f"{kind}:1", kind)
    async with carrying(quick, chat):
        await until(lambda: states(quick) == ["unknown"], "unknown")
    assert chat.history == {}
    assert quick.desk.look(posted.counts)["unknown"] == 1


async def test_what_the_platform_refuses_is_shown_to_a_person_and_delays_nothing(
    quick: Library, chat: FakeChat
) -> None:
    chat.faults["post"].append(Fault.REFUSED)
    want(quick, "notice:1")
    want(quick, "notice:2")
    async with carrying(quick, chat):
        await until(lambda: states(quick) == ["parked", "sent"], "parked")
    [trouble] = quick.desk.look(troubles.current)
    assert trouble.said.startswith("The notice in local:desk is not delivered: invalid blocks.")


async def test_a_poison_post_is_parked_and_delays_nothing(quick: Library, chat: FakeChat) -> None:
    def poison(tx: Tx, post: Taken) -> Message | None:
        if post.key == "notice:1":
            raise ValueError("the patron's secret words")
        return plain(tx, post)

    want(quick, "notice:1")
    want(quick, "notice:2")
    with capture_logs() as logs:
        async with carrying(quick, chat, poison):
            await until(lambda: chat.keys() == ["notice:2"], "the other one")
            await until(lambda: states(quick) == ["parked", "sent"], "parked")
    [trouble] = quick.desk.look(troubles.current)
    assert "it cannot be drawn (ValueError)" in trouble.said
    assert "secret" not in str(logs) + trouble.said + str(quick.rows(posts))


async def test_a_platform_that_is_down_for_long_loses_nothing(
    quick: Library, chat: FakeChat
) -> None:
    chat.down.add(CHANNEL)
    want(quick, "notice:1")
    async with carrying(quick, chat):
        await until(lambda: len(chat.calls) > 2, "more tries than a poison post gets")
        assert states(quick) != ["parked"]
        chat.down.clear()
        await until(lambda: states(quick) == ["sent"], "sent")
    assert chat.keys() == ["notice:1"]


async def test_retry_after_is_kept_by_the_whole_room_and_by_no_other(
    quick: Library, chat: FakeChat
) -> None:
    chat.retry_after = 1.0
    chat.faults["post"].append(Fault.LIMITED)
    want(quick, "first")
    want(quick, "second")
    async with carrying(quick, chat):
        await until(lambda: len(chat.calls) == 1, "the first call")
        want(quick, "elsewhere", room=CHILDREN)
        await until(lambda: len(chat.history) == 3, "all")
    assert [key for _, key in chat.calls if key != "elsewhere"] == ["first", "first", "second"]


async def test_a_room_that_hangs_delays_no_other(quick: Library, chat: FakeChat) -> None:
    chat.slow[CHANNEL] = asyncio.Event()
    want(quick, "hangs")
    async with carrying(quick, chat):
        await until(lambda: bool(chat.calls), "the call that hangs")
        for number in range(5):
            want(quick, f"passes:{number}", room=CHILDREN)
        await until(lambda: len(chat.in_room(CHILDREN)) == 5, "the other room")
        assert chat.in_room(CHANNEL) == []
        chat.slow[CHANNEL].set()


async def test_a_post_for_opening_waits_until_the_desk_opens(
    quick: Library, chat: FakeChat
) -> None:
    want(quick, "later", not_before=quick.clock.now + timedelta(hours=2))
    want(quick, "now", room=CHILDREN)
    async with carrying(quick, chat):
        await until(lambda: chat.keys() == ["now"], "the other one")
        quick.clock.forward(hours=2)
        await until(lambda: chat.keys() == ["now", "later"], "opening")


async def test_a_card_deleted_by_hand_comes_back_once(quick: Library, chat: FakeChat) -> None:
    number = quick.arrives()
    async with carrying(quick, chat):
        for generation in (1, 2):
            await until(lambda: still(quick) and len(chat.history) == 1, "a card")
            [standing] = chat.in_room(CHANNEL)
            assert standing.key == f"card:{number}:local:desk:{generation}"
            chat.delete(standing.ref)
            quick.desk.act(mailroom.restate, standing.key)
        await until(lambda: states(quick) == ["parked"], "given up")
        assert chat.history == {}
        [trouble] = quick.desk.look(troubles.current)
        assert trouble.said == (
            "The card of #1 in local:desk is not delivered: its message was deleted on the platform. "
            "Once that is mended, /lib resend 1 tries it again."
        )
        quick.desk.act(resending.resend, number, quick.person("mia"))
        await until(lambda: still(quick) and len(chat.history) == 1, "a card, as it was asked for")
    assert chat.keys() == [f"card:{number}:local:desk:3"]
    assert quick.desk.look(troubles.current) == []


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "lost"])
async def test_after_a_crash_in_mid_call_there_is_one_card(
    library: Library, chat: FakeChat, arrived: bool
) -> None:
    library.reconfigure(delivery=Delivery(request_life=SHORT))
    number = library.arrives()
    [dead] = library.desk.act(carriage.take_due, "dead", ["local"], 1, SHORT)
    if arrived:
        await chat.post(CHANNEL, Message(text="from the one that died"), dead.key)
    async with carrying(library, chat):
        await until(lambda: states(library) == ["sent"] and still(library), "sent")
    assert chat.keys() == [f"card:{number}:local:desk:1"]
    # What an earlier process showed is not known, so it is brought to the newest.
    assert chat.texts(CHANNEL) == [f"card {number} at 1"]


async def test_a_direct_message_goes_to_the_persons_id(quick: Library, chat: FakeChat) -> None:
    want(quick, "told:1:ana", "told", person="ana")
    async with carrying(quick, chat):
        await until(lambda: states(quick) == ["sent"], "sent")
    assert [standing.key for standing in chat.in_room(chat.letters("ana"))] == ["told:1:ana"]


async def test_who_has_no_id_on_the_platform_is_a_trouble_for_a_person(
    quick: Library, chat: FakeChat
) -> None:
    chat.platform = "elsewhere"
    quick.desk.act(
        mailroom.want, key="told:1:ana", kind="told", platform="elsewhere", person="ana", detail={}
    )
    outbox = Outbox(quick.desk, {"elsewhere": chat}, plain)
    task = asyncio.create_task(outbox.run())
    await until(lambda: states(quick) == ["parked"], "parked")
    outbox.stop()
    await task
    [trouble] = quick.desk.look(troubles.current)
    assert "ana has no id on elsewhere" in trouble.said


async def test_what_has_nothing_to_say_any_more_is_dropped(quick: Library, chat: FakeChat) -> None:
    want(quick, "notice:1")
    async with carrying(quick, chat, lambda tx, post: None):
        await until(lambda: states(quick) == ["dropped"], "dropped")
    assert chat.calls == []


async def test_stopping_finishes_the_step_in_hand(quick: Library, chat: FakeChat) -> None:
    quick.reconfigure(delivery=Delivery())
    chat.slow[CHANNEL] = asyncio.Event()
    want(quick, "first")
    want(quick, "second")
    outbox = Outbox(quick.desk, {"local": chat}, plain)
    task = asyncio.create_task(outbox.run())
    await until(lambda: bool(chat.calls), "a call")
    outbox.stop()
    chat.slow[CHANNEL].set()
    await task
    assert states(quick) == ["sent", "waiting"]


async def test_a_cancelled_outbox_leaves_nothing_running(quick: Library, chat: FakeChat) -> None:
    want(quick, "first")
    task = asyncio.create_task(Outbox(quick.desk, {"local": chat}, plain).run())
    await until(lambda: states(quick) == ["sent"], "sent")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert quick.desk.on_commit == []


async def test_a_busy_room_with_many_posts_keeps_their_order(
    library: Library, chat: FakeChat
) -> None:
    library.reconfigure(
        teams=(Team(key="adult", name="Adult services", hours=HOURS,
                    rooms=(TeamRoom(room=CHANNEL), TeamRoom(room=CHILDREN))),)
    )  # fmt: skip
    numbers = [library.arrives() for _ in range(6)]
    async with carrying(library, chat):
        await until(lambda: len(chat.history) == 12 and still(library), "all cards")
    for room in (CHANNEL, CHILDREN):
        assert [s.key for s in chat.in_room(room)] == [f"card:{n}:{room}:1" for n in numbers]

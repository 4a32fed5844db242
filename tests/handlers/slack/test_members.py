"""Who is staff on Slack: every full member of a team's channel, wherever they act, and nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from handlers.slack.api import Api
from handlers.slack.chat import SlackChat
from handlers.slack.members import AGAIN_SECONDS, KEPT_SECONDS, Belongs, Members
from staffbot.model import Room
from staffbot.secret import Secret
from staffbot.settings import Network, StaffMember
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.slack.loopback import Loopback, Trouble
from tests.handlers.slack.stage import (
    ADULT,
    CHILDREN,
    Person,
    actions,
    opened,
    running,
    settings,
    stamp,
    until,
)
from tests.handlers.slack.street import Street
from tests.handlers.slack.workspace import BOT, BOT_TOKEN, PAGE

OUTSIDE = "U5"


@pytest.fixture
async def chat(slack: Loopback, tmp_path: Path, desk: FakeDesk) -> AsyncIterator[SlackChat]:
    slack.user(OUTSIDE, "Otto Outside")
    slack.channel("C77", "kitchen")
    house = settings(tmp_path, staff=(StaffMember(key="ida", name="Ida IT", ids={"slack": "U6"}),))
    slack.user("U6", "Ida IT")
    async with running(opened(slack, house, desk)) as chat:
        yield chat


@pytest.mark.parametrize("channel", ["C77", "C01"])
async def test_who_is_in_no_channel_of_a_teams_is_told_which_to_join(
    slack: Loopback, chat: SlackChat, desk: FakeDesk, channel: str
) -> None:
    """Also in the channel itself: a public one can be looked into without being in it."""
    answer = await Person(slack, chat, OUTSIDE).command("claim 1", channel=channel)
    assert "Join #adult or #children" in answer["text"]
    assert desk.asked == []


async def test_a_private_channel_is_not_named_to_others(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    slack.user(OUTSIDE, "Otto Outside")
    slack.channels["C02"].private = True
    async with running(opened(slack, settings(tmp_path), desk)) as chat:
        answer = await Person(slack, chat, OUTSIDE).command("queue")
    assert "Join #adult or the channel of Children" in answer["text"]


async def test_a_member_is_staff_everywhere(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    slack.channels["C01"].members.discard("U2")  # of one team's channel is enough
    await Person(slack, chat, "U2").command("claim 1", channel="C77")
    assert desk.mentions[1].owner == "Ben Okafor"


async def test_who_is_listed_is_staff_without_being_in_a_channel(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    await Person(slack, chat, "U6").command("claim 1", channel="C77")
    assert desk.mentions[1].owner == "Ida IT"


async def test_who_joins_is_staff_at_once_and_who_leaves_is_not(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    otto, ana = Person(slack, chat, OUTSIDE), Person(slack, chat)
    assert "Join" in (await otto.command("queue"))["text"]
    slack.channels["C01"].members.add(OUTSIDE)
    await ana.event(_moved(OUTSIDE, "C01", "joined"), id="Ev1")
    assert (await otto.command("queue"))["text"] == "1 wait."
    slack.channels["C01"].members.discard(OUTSIDE)
    await ana.event(_moved(OUTSIDE, "C01", "left"), id="Ev2")
    assert "Join" in (await otto.command("queue"))["text"]
    await ana.event(_moved(OUTSIDE, "C77", "joined"), id="Ev3")
    assert "Join" in (await otto.command("queue"))["text"]


@pytest.mark.parametrize("trouble", [Trouble.LIMITED, Trouble.ERROR_500, Trouble.SLOW_BEFORE])
async def test_nobody_is_locked_out_where_slack_does_not_tell(
    slack: Loopback, tmp_path: Path, desk: FakeDesk, trouble: Trouble
) -> None:
    slack.troubles["conversations.members"].extend([trouble] * 20)
    slack.user(OUTSIDE, "Otto Outside")
    async with running(opened(slack, settings(tmp_path), desk)) as chat:
        began = time.monotonic()
        await Person(slack, chat, OUTSIDE).command("claim 1")
        assert time.monotonic() - began < 3.0  # all that Slack gives
    assert desk.mentions[1].owner == "Otto Outside"


async def test_everything_about_a_person_is_asked_within_the_three_seconds(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    """Who they are, where they belong and the managers' group, all of them slow."""
    for method in ("conversations.members", "users.info", "usergroups.users.list"):
        slack.troubles[method].extend([Trouble.SLOW_BEFORE] * 20)
    async with running(opened(slack, settings(tmp_path), desk, managers_group="S1")) as chat:
        began = time.monotonic()
        answer = await Person(slack, chat).command("claim 1")
        assert time.monotonic() - began < 3.0
    assert "try again" in answer["text"]


async def test_a_press_by_who_is_not_in_the_channel_is_answered_privately(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    await chat.post(ADULT, desk.card(1), "card:1:slack:C01:1")
    await Person(slack, chat, OUTSIDE).press(actions(slack.newest("C01"))["claim"])
    await until(lambda: slack.answers)
    assert "Join #adult" in slack.answers[0]["text"]
    assert desk.mentions[1].owner == ""


# --- how often Slack is asked -------------------------------------------------------------------


class Hand:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def members(slack: Loopback, tmp_path: Path) -> AsyncIterator[tuple[Members, Hand]]:
    api = Api(Secret(value=BOT_TOKEN), url=slack.api, network=Network(), timeout=5.0)
    hand = Hand()
    found = Members(api, settings(tmp_path), now=hand)
    yield found, hand
    await found.end()
    await api.close()


def asked(slack: Loopback) -> int:
    return len(slack.called("conversations.members"))


async def test_a_long_list_is_read_page_by_page(
    slack: Loopback, members: tuple[Members, Hand]
) -> None:
    found, _ = members
    slack.channels["C02"].members |= {f"U9{number:03}" for number in range(PAGE * 2)}
    assert await found.home("U9039", 5.0) == CHILDREN
    assert asked(slack) == 4


async def test_lists_are_kept_and_made_anew_for_the_next_time(
    slack: Loopback, members: tuple[Members, Hand]
) -> None:
    found, hand = members
    for _ in range(3):
        assert isinstance(await found.home("U1", 5.0), Room)
    assert asked(slack) == 2  # one a channel
    hand.now += KEPT_SECONDS
    assert isinstance(await found.home("U1", 5.0), Room)
    await until(lambda: asked(slack) == 4)


async def test_a_stranger_is_looked_for_again_and_not_at_every_press(
    slack: Loopback, members: tuple[Members, Hand]
) -> None:
    found, hand = members
    for _ in range(3):
        assert await found.home(OUTSIDE, 5.0) is Belongs.NOWHERE
    assert asked(slack) == 2
    hand.now += AGAIN_SECONDS
    slack.channels["C01"].members.add(OUTSIDE)  # and Slack told us nothing
    assert await found.home(OUTSIDE, 5.0) == ADULT


async def test_twenty_at_once_ask_once(slack: Loopback, members: tuple[Members, Hand]) -> None:
    found, _ = members
    homes = await asyncio.gather(*(found.home("U1", 5.0) for _ in range(20)))
    assert set(homes) == {ADULT}
    assert asked(slack) == 2


async def test_an_old_list_locks_nobody_out(slack: Loopback, members: tuple[Members, Hand]) -> None:
    found, hand = members
    assert await found.home(OUTSIDE, 5.0) is Belongs.NOWHERE
    hand.now += KEPT_SECONDS
    slack.channels["C01"].members.discard(BOT)  # not told any more
    assert await found.home(OUTSIDE, 5.0) is Belongs.UNKNOWN


# --- with the whole house -----------------------------------------------------------------------


async def test_a_member_who_never_acted_may_write_to_the_bot_and_nobody_else(
    slack: Loopback, tmp_path: Path
) -> None:
    street = Street(slack, tmp_path, "http")
    slack.user(OUTSIDE, "Otto Outside")

    async def writes(user: str) -> str:
        """Somebody writes to the bot alone; what it says."""
        room = f"D{user}"
        before = len(slack.texts(room))
        event = {
            "type": "message", "channel_type": "im", "user": user, "channel": room,
            "ts": stamp(), "text": "queue",
        }  # fmt: skip
        await street.event(event, f"Ev{user}")
        await until(lambda: len(slack.texts(room)) > before)
        return slack.texts(room)[-1]

    async with street.open():
        assert "Join #adult" in await writes(OUTSIDE)
        assert "Nothing waits" in await writes("U2")
        slack.channels["C01"].members.discard("U2")
        await street.event(_moved("U2", "C01", "left"), "EvLeft")
        assert "Join #adult" in await writes("U2")


async def test_what_waited_for_the_app_goes_out_once_it_is_invited_again(
    slack: Loopback, tmp_path: Path
) -> None:
    street = Street(slack, tmp_path, "http")
    channel = slack.channels["C01"]
    async with street.open() as up:
        channel.members.discard(BOT)
        await up.send("Do you open on Sunday?")
        async with asyncio.timeout(30):
            while "/invite" not in await street.everything("health"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await street.event(_moved("U2", "C01", "joined"), "Ev1")  # somebody else is no news of it
        await street.event(_moved(BOT, "C02", "joined"), "Ev2")
        assert "/invite" in await street.everything("health")
        channel.members.add(BOT)
        await street.event(_moved(BOT, "C01", "joined"), "Ev3")
        await street.shows("Mention 1")
        assert "/invite" not in await street.everything("health")
    assert len(channel.messages) == 1


def _moved(user: str, channel: str, how: str) -> dict[str, Any]:
    return {"type": f"member_{how}_channel", "user": user, "channel": channel}

"""Socket Mode on a loopback Slack: it reconnects, and notices silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from handlers.slack.chat import SlackChat
from handlers.slack.ears import TRIES, Socket
from staffbot.errors import DeliveryError
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.slack.loopback import Loopback
from tests.handlers.slack.stage import Person, opened, running, settings, stamp, until
from tests.handlers.slack.workspace import BOT, TEAM

QUICK = 0.2  # seconds between pings; a stalled test machine may then lose a connection


@pytest.fixture
async def chat(slack: Loopback, tmp_path: Path, desk: FakeDesk) -> AsyncIterator[SlackChat]:
    chat = opened(slack, settings(tmp_path), desk, mode="socket")
    async with running(chat):
        await slack.connected()
        yield chat


@pytest.fixture
async def quick(slack: Loopback, tmp_path: Path, desk: FakeDesk) -> AsyncIterator[SlackChat]:
    """As `chat`, but what is dead is noticed within a second."""
    chat = opened(slack, settings(tmp_path), desk, mode="socket", ping_every=QUICK)
    async with running(chat):
        await slack.connected()
        yield chat


def socket(chat: SlackChat) -> Socket:
    assert isinstance(chat.ears, Socket)
    return chat.ears


def command(slack: Loopback, text: str) -> dict[str, Any]:
    return {
        "command": "/lib", "text": text, "user_id": "U1", "channel_id": "C01", "team_id": TEAM,
        "trigger_id": slack.trigger(), "response_url": slack.answer_url(),
    }  # fmt: skip


def mention(text: str, id: str = "Ev1") -> dict[str, Any]:
    event = {"type": "app_mention", "user": "U1", "channel": "C01", "ts": stamp(), "text": text}
    return {"type": "event_callback", "team_id": TEAM, "event_id": id, "event": event}


async def test_an_envelope_is_acknowledged_with_the_answer(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    answer = await slack.told("slash_commands", command(slack, "claim 1"))
    assert answer["text"] == "You have 1."
    assert desk.mentions[1].owner == "Ana Silva"


async def test_a_press_and_a_retried_event_are_heard(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    person = Person(slack, chat)
    await slack.told("interactive", person.pressing({"action_id": "claim:1:0"}))
    await slack.told(
        "events_api", mention(f"<@{BOT}> queue"), retry_attempt=3, retry_reason="timeout"
    )
    assert [asked[0] for asked in desk.asked] == ["press", "command"]


async def test_one_envelope_twice_has_one_effect(
    slack: Loopback, chat: SlackChat, desk: FakeDesk
) -> None:
    payload = mention(f"<@{BOT}> queue")
    first = await slack.send("events_api", payload, envelope_id="E-same")
    await slack.send("events_api", payload, envelope_id="E-same")
    await slack.send("events_api", {**payload, "event_id": "Ev2"}, envelope_id="E-other")
    await slack.ack(first)
    await slack.ack("E-other")
    assert len(desk.asked) == 1


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "too_many_websockets"])
async def test_it_comes_back_when_slack_says_goodbye(
    slack: Loopback, chat: SlackChat, desk: FakeDesk, reason: str
) -> None:
    old = slack.sockets[-1]
    await old.send_json({"type": "disconnect", "reason": reason})
    await until(lambda: slack.sockets and slack.sockets[-1] is not old)
    assert await slack.told("slash_commands", command(slack, "claim 1"))
    assert len(slack.sockets) == 1  # the old one was let go


async def test_it_comes_back_when_the_connection_is_cut(
    slack: Loopback, quick: SlackChat, desk: FakeDesk
) -> None:
    await slack.sockets[-1].close()
    assert await _answered(slack)
    assert desk.mentions[1].owner == "Ana Silva"


async def test_a_half_open_connection_is_made_anew(
    slack: Loopback, quick: SlackChat, desk: FakeDesk
) -> None:
    """The socket is open and nothing ever arrives: neither messages nor answers to pings."""
    slack.silent = True
    before = len(slack.called("apps.connections.open"))
    await until(lambda: len(slack.called("apps.connections.open")) > before)
    slack.silent = False
    assert await _answered(slack)
    assert desk.mentions[1].owner == "Ana Silva"


async def test_silence_of_the_desk_is_no_silence_of_slack(
    slack: Loopback, quick: SlackChat
) -> None:
    """Pings are answered and nobody says anything: nothing is made anew."""
    heard = socket(quick).heard_at
    await until(lambda: socket(quick).heard_at > heard + QUICK * 4)
    assert socket(quick).connections == 1


async def test_a_refused_token_is_tried_again_and_never_in_a_rush(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    slack.refuse["apps.connections.open"] = "invalid_auth"
    chat = opened(slack, settings(tmp_path), desk, mode="socket", ping_every=QUICK)
    async with running(chat):
        await until(lambda: slack.called("apps.connections.open"))
        del slack.refuse["apps.connections.open"]
        assert await _answered(slack)


async def test_a_token_that_stays_refused_is_no_secret_of_the_doors(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    """It ends, so that the supervisor says so in health and begins it again."""
    slack.refuse["apps.connections.open"] = "invalid_auth"
    chat = opened(slack, settings(tmp_path), desk, mode="socket", ping_every=QUICK)
    with pytest.raises(DeliveryError, match="invalid_auth"):
        await chat.run()
    assert len(slack.called("apps.connections.open")) == TRIES


async def test_nothing_stays_open_at_the_end(
    slack: Loopback, tmp_path: Path, desk: FakeDesk
) -> None:
    chat = opened(slack, settings(tmp_path), desk, mode="socket")
    async with running(chat):
        await slack.connected()
    await until(lambda: not slack.sockets)


async def _answered(slack: Loopback) -> bool:
    """Say it until a connection that stands heard it, as a person would press again."""
    async with asyncio.timeout(30):
        while True:
            if slack.sockets:
                envelope = await slack.send("slash_commands", command(slack, "claim 1"))
                for _ in range(200):
                    if envelope in slack.acks:
                        return True
                    await asyncio.sleep(0.005)
            await asyncio.sleep(0.01)

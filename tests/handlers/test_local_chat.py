"""The local channel as a platform: the contract of every chat, and what is particular to this one."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.local import LocalOptions, door
from handlers.local import channel as channels
from handlers.local.chat import LocalChat
from handlers.local.references import KEPT_FOR, References
from staffbot.errors import ConfigError, DeliveryError, MessageGone, StoreError
from staffbot.model import MessageRef, Room
from staffbot.settings import DoorSettings, Team, TeamRoom
from tests.chat_contract import ChatContract, Stage, message
from tests.handlers.fake_desk import NOON, FakeDesk
from tests.handlers.local_stage import OTHER, PLACES, TEAM, local_chat, served
from tests.library import settings


class TestTheLocalChannelKeepsTheContract(ChatContract):
    @pytest.fixture
    def stage(self, tmp_path: Path) -> Iterator[Stage]:
        desk = FakeDesk()
        chats = [local_chat(tmp_path, desk)]

        async def seen(room: Room) -> list[str]:
            return [shown["text"] for shown in await chats[-1].channel.history(room)]

        async def delete(ref: MessageRef) -> None:
            assert await chats[-1].channel.delete(ref.id)

        async def again() -> LocalChat:
            chats[-1].channel.close()
            chats.append(local_chat(tmp_path, desk))
            return chats[-1]

        yield Stage(
            chat=chats[0],
            room=TEAM,
            other=OTHER,
            user_id="ana",
            seen=seen,
            delete=delete,
            again=again,
        )
        for chat in chats:
            chat.channel.close()


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def chat(tmp_path: Path, desk: FakeDesk) -> Iterator[LocalChat]:
    made = local_chat(tmp_path, desk)
    yield made
    made.channel.close()


async def test_a_key_is_posted_once(chat: LocalChat) -> None:
    refs = [chat.post(TEAM, message(f"Try {number}."), "card:7:room:1") for number in range(8)]
    assert len(set(await asyncio.gather(*refs))) == 1
    assert len(await chat.channel.history(TEAM)) == 1


async def test_after_a_restart_a_message_is_rendered_by_its_key(
    tmp_path: Path, desk: FakeDesk
) -> None:
    number = desk.tell("Is the café open?")
    before = local_chat(tmp_path, desk)
    ref = await before.post(TEAM, desk.card(number), f"card:{number}:adult:1")
    await before.post(TEAM, message("No longer known to the desk."), "told:99:ana")
    before.channel.close()
    desk.mentions[number].owner = "Ana Silva"

    after = local_chat(tmp_path, desk)
    (shown,) = await after.channel.history(TEAM)
    assert shown["id"] == ref.id
    assert shown["text"] == "Mention 1 is claimed by ana silva."
    after.channel.close()


async def test_the_file_holds_references_and_no_word_of_a_patron(
    tmp_path: Path, chat: LocalChat, desk: FakeDesk
) -> None:
    number = desk.tell("My card number is 4711-0815", name="Wilhelmina Unusual")
    await chat.post(TEAM, desk.card(number), "card:1:adult:1")
    await chat.direct("ana", desk.card(number), "told:1:ana")
    chat.channel.close()
    content = (tmp_path / "local.db").read_bytes()
    assert b"card:1:adult:1" in content
    for word in (b"4711", b"Wilhelmina", b"Mention", b"lena"):
        assert word not in content


async def test_what_is_too_old_is_let_go_of_and_is_not_shown_anew(
    chat: LocalChat, desk: FakeDesk
) -> None:
    number = desk.tell("Is the café open?")
    card = desk.card(number)
    now = NOON
    chat.channel.clock = lambda: now
    old = await chat.post(TEAM, card, "card:1:adult:1")
    newer = await chat.post(TEAM, card, "card:2:adult:1")
    now += KEPT_FOR + timedelta(minutes=1)
    chat.channel._references._until_prune = 0
    newest = await chat.post(TEAM, card, "card:3:adult:1")
    shown = await chat.channel.history(TEAM)
    assert [one["id"] for one in shown] == [newest.id]
    assert await chat.find(TEAM, "card:1:adult:1") is None
    await chat.edit(old, replace(card, collapsed=True))
    await chat.edit(newer, replace(card, collapsed=True))
    with pytest.raises(MessageGone):
        await chat.edit(old, card)  # it is open again: the desk posts it once more
    with pytest.raises(MessageGone):
        await chat.edit(replace(old, id="999"), replace(card, collapsed=True))
    await chat.edit(newest, card)


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "local.db"
    References(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_broken_file_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "local.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="move it away"):
        References(tmp_path / "local.db")


async def test_a_file_that_cannot_be_written_is_a_delivery_error(
    tmp_path: Path, chat: LocalChat
) -> None:
    await chat.post(TEAM, message(), "card:1:adult:1")
    with sqlite3.connect(tmp_path / "local.db") as conn:
        conn.execute("DROP TABLE messages")
    conn.close()
    with pytest.raises(DeliveryError) as refused:
        await chat.post(TEAM, message(), "card:2:adult:1")
    assert not refused.value.permanent


async def test_only_the_newest_messages_are_kept_in_memory(chat: LocalChat, desk: FakeDesk) -> None:
    number = desk.tell("The first of many")
    await chat.post(TEAM, desk.card(number), "card:1:adult:1")
    for other in range(channels.IN_MEMORY):
        await chat.post(OTHER, message(), f"card:{other + 2}:children:1")
    assert len(chat.channel._messages) == channels.IN_MEMORY
    (shown,) = await chat.channel.history(TEAM)
    assert shown["mention"] == 1  # asked of the desk again


async def test_history_comes_in_pages(chat: LocalChat) -> None:
    many = channels.PAGE + 5
    for number in range(many):
        await chat.post(TEAM, message(f"Number {number}."), f"card:{number}:adult:1")
    newest = await chat.channel.history(TEAM)
    older = await chat.channel.history(TEAM, newest[0]["id"])
    assert [shown["text"] for shown in older + newest] == [f"Number {n}." for n in range(many)]


# --- the door ------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "library.example", ""])
def test_it_is_served_to_this_machine_alone(host: str) -> None:
    with pytest.raises(ValueError, match="no login"):
        LocalOptions(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_loopback_is_taken(host: str) -> None:
    assert LocalOptions(host=host).host in ("127.0.0.1", "::1", "127.0.0.2")


async def test_the_door_opens_a_chat_with_the_rooms_of_every_team(
    tmp_path: Path, desk: FakeDesk
) -> None:
    rooms = (
        TeamRoom(room=Room(platform="local", id="kids")),
        TeamRoom(room=Room(platform="local", id="kids-private"), private=True),
        TeamRoom(room=Room(platform="slack", id="C1")),
    )
    house = settings(data=tmp_path)
    house = settings(
        data=tmp_path, teams=(*house.teams, Team(key="kids", name="Children", rooms=rooms))
    )
    chat = door.open(DoorSettings(platform="local"), house, desk, lambda: NOON)
    assert isinstance(chat, LocalChat)
    named = [(place.name, place.private) for place in chat.channel.places]
    assert named == [
        ("Adult services", False),
        ("Children: kids", False),
        ("Children: kids-private", True),
    ]
    assert list(door.routes(chat)) == []
    chat.channel.close()


async def test_a_taken_port_is_refused_in_words(tmp_path: Path, desk: FakeDesk) -> None:
    async with served(tmp_path, desk) as first:
        found = re.search(r":(\d+)/", first.address)
        assert found
        port = int(found[1])
        second = LocalChat(first.chat.channel, port=port)
        with pytest.raises(ConfigError, match="port = 0"):
            await second.run()
        local = DoorSettings(platform="local", options=LocalOptions(port=port))
        for library, ours in (("Elsewhere Library", False), ("Riverside Library", True)):
            # A check beside the bot that runs finds the bot's own page, which is as it should be.
            house = settings(data=tmp_path, library=library)
            findings = await door.check(local, house)
            assert [finding.ok for finding in findings] == [ours, True], findings


async def test_the_page_is_served_again_after_an_end(chat: LocalChat) -> None:
    for _ in range(2):
        running = asyncio.create_task(chat.run())
        async with asyncio.timeout(30):
            await chat.opened()
        await chat.post(TEAM, message(), "card:7:adult:1")
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()
    assert len(await chat.channel.history(TEAM)) == 1


def test_the_places_of_the_tests_are_rooms_of_this_platform() -> None:
    assert {place.room.platform for place in PLACES} == {door.platform}

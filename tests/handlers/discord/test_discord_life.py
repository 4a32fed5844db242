"""The life of the connection: refused, dropped, resumed, misled, begun again. And what is checked."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from handlers.discord import door
from handlers.discord.chat import DiscordChat
from handlers.discord.identifies import Identifies, NoGreetingsLeft
from staffbot.cli import app
from staffbot.errors import ConfigError
from staffbot.model import Room
from staffbot.seams import Finding
from staffbot.secret import Secret
from staffbot.settings import DoorSettings, Team, TeamRoom
from staffbot.supervisor import Patience, Supervisor
from tests.handlers.discord import rules
from tests.handlers.discord.loopback import TOKEN, WAIT, Loopback, loopback
from tests.handlers.discord.stage import (
    Evening,
    discord_settings,
    evening,
    opened,
    pointed,
    running,
    until,
)
from tests.handlers.discord.world import BEN, BOT, CHANNEL, SERVER
from tests.handlers.fake_desk import FakeDesk
from tests.library import Library

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def discord() -> AsyncIterator[Loopback]:
    async with loopback() as made:
        yield made


@pytest.fixture
async def day(discord: Loopback, sqlite_library: Library, tmp_path: Path) -> AsyncIterator[Evening]:
    async with evening(discord, sqlite_library, tmp_path) as begun:
        yield begun


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


# --- it cannot begin ----------------------------------------------------------------------------


async def test_a_wrong_token_is_one_sentence_and_ends_it(discord: Loopback, tmp_path: Path) -> None:
    with pointed(discord, token=Secret(value="wrong")) as options:
        chat = opened(options, FakeDesk(), discord_settings(tmp_path))
        with pytest.raises(ConfigError, match="Discord does not know this token") as raised:
            await chat.run()
    assert "\n" not in str(raised.value)
    assert discord.identified == 0


@pytest.mark.parametrize(("code", "said"), [(4004, "does not know this token"), (4014, "4014")])
async def test_a_refusal_at_the_gateway_is_a_sentence_too(
    discord: Loopback, tmp_path: Path, code: int, said: str
) -> None:
    discord.close_with.append(code)
    with pointed(discord) as options:
        chat = opened(options, FakeDesk(), discord_settings(tmp_path))
        with pytest.raises(ConfigError, match=said):
            await chat.run()


async def test_what_cannot_be_reached_is_tried_again_with_a_new_client(
    discord: Loopback, tmp_path: Path
) -> None:
    told: list[str] = []
    heard = asyncio.Event()

    async def tell(_name: str, problem: Exception | None) -> None:
        told.append(str(problem))
        heard.set()

    supervisor = Supervisor(tell, Patience(first=0.01, longest=0.05, settled=60.0))
    nowhere = f"ws://127.0.0.1:{closed_port()}/"
    with pointed(discord, gateway=nowhere) as options:
        chat = opened(options, FakeDesk(), discord_settings(tmp_path))
        kept = asyncio.create_task(supervisor.keep("discord", chat.run))
        async with asyncio.timeout(WAIT):
            await heard.wait()
        with pointed(discord):
            await discord.connected()
            assert discord.identified == 1
            kept.cancel()
            with suppress(asyncio.CancelledError):
                await kept
    assert set(told) == {"Discord's gateway could not be reached"}


async def test_where_rest_cannot_be_reached_the_supervisor_hears_of_it(
    discord: Loopback, tmp_path: Path
) -> None:
    with pointed(discord, api=f"http://127.0.0.1:{closed_port()}/api/v10") as options:
        chat = opened(options, FakeDesk(), discord_settings(tmp_path))
        with pytest.raises(OSError, match="Cannot connect"):
            await chat.run()


async def test_where_discord_has_few_greetings_left_it_is_not_greeted_and_says_so(
    discord: Loopback, tmp_path: Path
) -> None:
    """As after a loop of crashes: what this process counts knows nothing of them."""
    discord.greetings_left = 50
    with pointed(discord):
        chat = DiscordChat(
            desk=(desk := FakeDesk()), settings=discord_settings(tmp_path), token=TOKEN,
            identifies=Identifies(linger=3.0),
        )  # fmt: skip
        life = asyncio.create_task(chat.run())
        await chat.opened()
        number = desk.tell("When do you open?")
        await chat.post(Room(platform="discord", id=CHANNEL), desk.card(number), "card:1:room:1")
        async with asyncio.timeout(WAIT):
            with pytest.raises(NoGreetingsLeft, match=r"only 50 more .* again in 3 h 0 min"):
                await life
    assert discord.identified == 0
    assert discord.posted() == 1, "what needs no greeting goes on"
    assert not [one for one in threading.enumerate() if one.name.startswith("keep-alive")]
    discord.greetings_left = 51
    async with running(discord, FakeDesk(), discord_settings(tmp_path)):
        assert discord.identified == 1


async def test_who_cannot_be_asked_about_greetings_is_greeted(
    discord: Loopback, tmp_path: Path
) -> None:
    discord.fail("GET", "/gateway/bot", (500, 0.0))
    async with running(discord, FakeDesk(), discord_settings(tmp_path)):
        assert discord.identified == 1


# --- it is interrupted --------------------------------------------------------------------------


async def test_a_malformed_frame_ends_one_client_and_the_next_goes_on(
    discord: Loopback, tmp_path: Path
) -> None:
    async with running(discord, FakeDesk(), discord_settings(tmp_path)) as chat:
        assert chat.client is not None
        await chat.client.registered()
    with pointed(discord) as options:
        chat = opened(options, FakeDesk(), discord_settings(tmp_path))
        life = asyncio.create_task(chat.run())
        await discord.connected()
        await discord.raw({"op": 0, "t": "CHANNEL_CREATE", "s": 3, "d": {"guild_id": SERVER}})
        async with asyncio.timeout(WAIT):
            with pytest.raises(KeyError):
                await life
    async with running(discord, FakeDesk(), discord_settings(tmp_path)):
        assert discord.identified == 3
        assert discord.registered() == 1


async def test_what_happened_while_the_line_was_down_is_heard_once(day: Evening) -> None:
    card = await day.arrives()
    await day.discord.drop()
    asked = await day.discord.click(card, "Claim")
    await asked.answer()
    assert day.library.mention(1).owner == "ana"
    assert day.discord.resumed == 1
    assert day.discord.identified == 1
    await day.card(1, "claimed by Ana Silva")
    assert day.discord.posted() == 1


async def test_a_gateway_that_stays_away_is_a_trouble(discord: Loopback, tmp_path: Path) -> None:
    with pointed(discord):
        chat = DiscordChat(
            desk=FakeDesk(), settings=discord_settings(tmp_path), token=TOKEN, patience=0.2
        )
        life = asyncio.create_task(chat.run())
        await discord.connected()
        discord.away = True
        await discord.drop()
        async with asyncio.timeout(WAIT):
            with pytest.raises(ConnectionError, match="gateway is away"):
                await life


async def test_a_gateway_that_falls_silent_is_left_and_nothing_is_lost(
    discord: Loopback, tmp_path: Path
) -> None:
    desk = FakeDesk()
    number = desk.tell("When do you open?")
    discord.heartbeat_ms = 200
    house = discord_settings(tmp_path)
    with pointed(discord):
        chat = DiscordChat(desk=desk, settings=house, token=TOKEN, silence=2.0)
        life = asyncio.create_task(chat.run())
        await discord.connected()
        await chat.post(Room(platform="discord", id=CHANNEL), desk.card(number), "card:1:room:1")
        (card,) = discord.world.messages[CHANNEL]
        discord.silent = True
        asked = await discord.click(card, "Claim")
        await asked.answer()
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life
    assert desk.mentions[number].owner == "Ana Silva"
    assert discord.resumed
    assert discord.posted() == 1


async def test_a_new_session_repeats_nothing(day: Evening) -> None:
    card = await day.arrives()
    await day.until(lambda: day.discord.world.commands)
    await day.discord.invalidate()
    await day.discord.connected()
    assert day.discord.identified == 2
    await (await day.discord.click(card, "Claim")).answer()
    await day.card(1, "claimed by Ana Silva")
    assert day.discord.posted() == 1
    assert day.discord.registered() == 1


async def test_commands_are_sent_again_only_where_they_changed(
    discord: Loopback, tmp_path: Path
) -> None:
    async def begin(root: str) -> int:
        before = discord.count("GET", "/users/@me")
        house = discord_settings(tmp_path, root=root)
        async with running(discord, FakeDesk(), house) as chat:
            assert chat.client is not None
            await chat.client.registered()
        assert discord.count("GET", "/users/@me") == before + 1
        return discord.registered()

    assert [await begin(root) for root in ("lib", "lib", "bib", "bib", "lib")] == [1, 1, 2, 2, 3]


async def test_the_server_is_found_by_its_channels(discord: Loopback, tmp_path: Path) -> None:
    async with running(discord, FakeDesk(), discord_settings(tmp_path), server=None) as chat:
        assert chat.client is not None
        await chat.client.registered()
    assert discord.registered() == 1
    kept = json.loads((tmp_path / "discord-commands.json").read_text(encoding="utf-8"))
    assert list(kept) == [f"{BOT}:{SERVER}"]


# --- what Discord shows as examples -------------------------------------------------------------

SAMPLES = sorted((rules.DOCUMENTS / "samples").glob("*_*.json"))
SPOKEN = [one for one in SAMPLES if one.name.startswith(("auto", "comp", "modal", "slash"))]


@pytest.mark.skipif(rules.ABSENT, reason=rules.WHY_ABSENT)
async def test_discords_own_examples_are_heard_without_harm(day: Evening) -> None:
    card = await day.arrives()
    assert len(SPOKEN) == 20
    for number, sample in enumerate(SPOKEN):
        frame = day.discord.envelope(json.loads(sample.read_text(encoding="utf-8"))["payload"])
        frame["id"] = str(int(frame["id"]) + number)
        await day.discord.raw({"op": 0, "t": "INTERACTION_CREATE", "s": 100 + number, "d": frame})
    await (await day.discord.click(card, "Claim")).answer()
    assert day.library.mention(1).owner == "ana"
    assert day.discord.identified == 1


# --- the check ----------------------------------------------------------------------------------


async def check(discord: Loopback, folder: Path, **options: Any) -> list[Finding]:
    with pointed(discord, **options) as made:
        settings = DoorSettings(platform="discord", options=made)
        return list(await door.check(settings, discord_settings(folder)))


async def test_all_is_well(discord: Loopback, tmp_path: Path) -> None:
    found = await check(discord, tmp_path)
    assert [one.ok for one in found] == [True, True, True]
    assert found[-1].said == "#mentions, with all permissions"
    assert discord.posted() == 0


async def test_a_wrong_token_is_found(discord: Loopback, tmp_path: Path) -> None:
    (found,) = await check(discord, tmp_path, token=Secret(value="wrong"))
    assert not found.ok
    assert "DISCORD_TOKEN" in found.said


async def test_a_permission_denied_in_the_channel_is_named(
    discord: Loopback, tmp_path: Path
) -> None:
    discord.world.channels[CHANNEL]["permission_overwrites"] = [
        {"id": SERVER, "type": 0, "allow": "0", "deny": str(1 << 14)}
    ]
    found = (await check(discord, tmp_path))[-1]
    assert not found.ok
    assert found.said == "staffbot lacks there: Embed Links (a card is an embed)"


async def test_a_channel_that_is_gone_or_no_id_is_found(discord: Loopback, tmp_path: Path) -> None:
    discord.missing[CHANNEL] = 10003
    assert (await check(discord, tmp_path))[-1].said == "the channel is no longer there on Discord"
    house = discord_settings(tmp_path)
    rooms = (TeamRoom(room=Room(platform="discord", id="mentions")),)
    house = discord_settings(tmp_path)
    named = Team(key="adult", name="Adult services", rooms=rooms, hours=house.teams[0].hours)
    with pointed(discord) as made:
        settings = DoorSettings(platform="discord", options=made)
        other = discord_settings(tmp_path, teams=(named,))
        found = (await door.check(settings, other))[-1]
    assert "Copy Channel ID" in found.said


async def test_where_discord_is_away_that_is_said(discord: Loopback, tmp_path: Path) -> None:
    discord.fail("GET", "/users/@me", (503, 0.0))
    (found,) = await check(discord, tmp_path)
    assert (found.ok, found.said) == (False, "Discord has a problem (503)")


def test_an_unknown_setting_and_a_token_with_a_word_before_are_refused() -> None:
    with pytest.raises(ValueError, match="token alone"):
        door.options(token=Secret(value="Bot abc"))
    with pytest.raises(ValueError, match="colour"):
        door.options(token=Secret(value="abc"), colour="red")
    with pytest.raises(ValueError, match=r"server\n.*15 to 21 digits: in Discord's settings"):
        door.options(token=Secret(value="abc"), server="our library")
    found = door.options(token=Secret(value="abc"), server=290926798626357999)
    assert "abc" not in repr(found)


async def pinged(discord: Loopback, folder: Path, user: str) -> Finding:
    """`staffbot check --ping`."""
    assert door.ping is not None
    with pointed(discord) as made:
        settings = DoorSettings(platform="discord", options=made)
        return await door.ping(settings, discord_settings(folder), user)


async def test_a_ping_comes_back(discord: Loopback, tmp_path: Path) -> None:
    asking = asyncio.create_task(pinged(discord, tmp_path, BEN))
    letters = await until(lambda: discord.letters_to(BEN))
    await discord.click(letters[0], "Press me", user=BEN)
    async with asyncio.timeout(WAIT):
        assert (await asking).ok


async def test_a_ping_that_cannot_arrive_says_why(discord: Loopback, tmp_path: Path) -> None:
    discord.world.shut.add(BEN)
    found = await pinged(discord, tmp_path, BEN)
    assert not found.ok
    assert "direct messages open" in found.said
    assert "Copy User ID" in (await pinged(discord, tmp_path, "ben")).said


def test_check_says_where_it_can_ping(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'library = "x"\n[local]\n[[rooms]]\nplatform = "local"\nid = "team"\n'
    )
    said = CliRunner().invoke(
        app, ["check", "-c", f"{tmp_path}/config.toml", "--ping", "discord:1"]
    )
    assert said.exit_code == 1
    assert "say on which configured platform" in said.stdout

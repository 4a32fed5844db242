"""The whole program in one process: a mention's way end to end, its loops, its ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

from staffbot import plugins
from staffbot.desk import laws
from staffbot.desk.ledger import Desk
from staffbot.errors import AlreadyRunning, ConfigError, DeliveryError, StoreError
from staffbot.model import Room, system_clock
from staffbot.seams import Chat, Door, Finding
from staffbot.secret import Secret
from staffbot.settings import DoorSettings, Settings, TeamRoom
from staffbot.store import Store
from tests.databases import postgres_url
from tests.disks import fill, small_disk
from tests.fakes import FakeChat
from tests.staffbot.house import running, settings_in


def broken_laws(settings: Settings) -> tuple[laws.Broken, ...]:
    store = Store.open(settings.store.url.value)
    try:
        return Desk(store, settings, system_clock).look(laws.broken)
    finally:
        store.close()


async def test_a_mention_comes_in_is_claimed_by_one_and_closed(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    async with running(settings) as house:
        assert await house.send("Do you have a 3D printer?") == 200
        [card] = await house.cards(1)
        assert "3D printer" in str(card)
        await house.command("ana", "claim 1")
        assert "Ana Silva" in await house.command("ben", "claim 1"), "the loser is told who has it"
        await house.shows("Ana Silva")
        await house.command("ana", "done 1")
        [closed] = await house.until(lambda found: found[0]["collapsed"])
        assert closed["id"] == card["id"]
    assert broken_laws(settings) == ()


async def test_what_came_in_is_there_after_a_restart(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    async with running(settings) as house:
        await house.send("First")
        await house.cards(1)
    async with running(settings) as house:
        await house.send("Second")
        cards = await house.cards(2)
    assert len(cards) == 2
    assert broken_laws(settings) == ()


async def test_a_second_one_on_the_same_database_is_refused_in_words(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    async with running(settings):
        with pytest.raises(AlreadyRunning, match="another `staffbot run`"):
            async with running(settings):
                pass


async def test_health_and_metrics(tmp_path: Path) -> None:
    async with running(settings_in(tmp_path)) as house:
        await house.send("Hello")
        await house.cards(1)
        status, said = await house.health()
        assert status == 200
        assert said["ok"]
        assert said["database"]
        assert {"outbox", "pulse", "troubles", "storms"} <= set(said["loops"])
        assert (said["oldest_unsent_post_seconds"] or 0) < 600
        async with house.session.get(f"{house.metrics}/metrics") as answer:
            text = await answer.text()
        assert answer.status == 200
        assert "staffbot_mentions_total 1.0" in text
        assert 'staffbot_mentions_in_hand{status="open",team="team"} 1.0' in text
        async with house.session.get(f"{house.public}/metrics") as answer:
            assert answer.status == 404, "figures are for loopback only"


async def test_it_ends_well_within_five_seconds_though_a_request_hangs(tmp_path: Path) -> None:
    async with running(settings_in(tmp_path)) as house:
        port = int(house.public.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /hooks/form HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1")
        await writer.drain()
        began = time.monotonic()
        house.stop.set()
        await asyncio.wait({house.task}, timeout=30)
        assert house.task.done()
        assert time.monotonic() - began < 5
        writer.close()


async def test_the_process_reckons_in_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    assert time.tzname[0] == "CET"
    async with running(settings_in(tmp_path)):
        assert time.tzname == ("UTC", "UTC")
    assert ZoneInfo("Europe/Berlin")


async def test_postgresql_is_migrated_on_purpose_only(tmp_path: Path) -> None:
    with postgres_url() as url:
        plain = settings_in(tmp_path)
        settings = replace(plain, store=replace(plain.store, url=Secret(value=url)))
        with pytest.raises(StoreError, match="run `staffbot migrate`"):
            async with running(settings):
                pass
        store = Store.open(url)
        store.migrate()
        store.close()
        async with running(settings) as house:
            await house.send("Do you have a 3D printer?")
            await house.cards(1)
            await house.command("ana", "claim 1")
            await house.shows("Ana Silva")
        assert broken_laws(settings) == ()


class NoOptions(BaseModel):
    pass


class Moody(FakeChat):
    """A platform that is away at first."""

    def __init__(self, tries: int) -> None:
        super().__init__(platform="moody")
        self.tries = tries
        self.up = asyncio.Event()

    async def run(self) -> None:
        self.tries -= 1
        if self.tries >= 0:
            raise DeliveryError("the platform is away")
        self.up.set()
        await asyncio.Event().wait()


def moody_house(folder: Path, chat: Chat) -> tuple[Settings, dict[str, Door]]:
    plain = settings_in(folder)
    room = TeamRoom(room=Room(platform="moody", id="m"))
    team = replace(plain.teams[0], rooms=(*plain.teams[0].rooms, room))
    settings = replace(plain, teams=(team,), doors=(*plain.doors, DoorSettings(platform="moody")))

    async def check(*_: object) -> Sequence[Finding]:
        return ()

    door = Door(
        platform="moody", options=NoOptions, open=lambda *_: chat, check=check, routes=lambda _: ()
    )
    return settings, {**plugins.doors(), "moody": door}


async def test_one_platform_that_is_away_delays_no_other(tmp_path: Path) -> None:
    chat = Moody(tries=2)
    settings, doors = moody_house(tmp_path, chat)
    async with running(settings, doors=doors) as house:
        await house.send("Hello")
        await house.cards(1)
        async with asyncio.timeout(30):
            await chat.up.wait()
        status, said = await house.health()
        assert status == 200
        assert said["troubles"] == ["loop:door moody"]


class Refusing(FakeChat):
    async def run(self) -> None:
        raise ConfigError.at("moody.token", "was refused by the platform")


async def test_a_token_that_is_refused_at_the_start_ends_it_with_that_reason(
    tmp_path: Path,
) -> None:
    settings, doors = moody_house(tmp_path, Refusing(platform="moody"))
    with pytest.raises(ConfigError, match=r"moody\.token: was refused"):
        async with running(settings, doors=doors) as house:
            await asyncio.wait({house.task}, timeout=30)
    async with running(settings_in(tmp_path)):
        pass  # the database was let go


async def test_a_full_disk_is_told_to_a_monitor_within_seconds_and_people_too(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", "8m") as disk:
        async with running(settings_in(disk)) as house:
            await house.send("Do you have a 3D printer?")
            await house.cards(1)
            assert (await house.health())[0] == 200
            fill(disk)
            full_at = time.monotonic()
            async with asyncio.timeout(15):
                while (await house.health())[0] == 200:  # noqa: ASYNC110 - another process, in effect
                    await asyncio.sleep(0.2)
            assert time.monotonic() - full_at < 10
            _, said = await house.health()
            assert (said["ok"], said["database"]) == (False, False)
            assert said["database_error"] == "the disk is full; make room"
            assert str(disk) not in str(said), "the public listener tells no path"
            shown = await house.command("ana", "health")
            assert "Nothing can be stored just now: the disk is full; make room." in shown
            (disk / "ballast").unlink()

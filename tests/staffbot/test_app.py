"""The whole program in one process: a mention's way end to end, its loops, its ends."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from staffbot.desk import laws
from staffbot.desk.ledger import Desk
from staffbot.errors import AlreadyRunning
from staffbot.model import system_clock
from staffbot.settings import Settings
from staffbot.store import Store
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
        assert "You have 1" in await house.command("ana", "claim 1")
        assert "Ana Silva" in await house.command("ben", "claim 1")
        await house.shows("Ana Silva")
        assert "done" in await house.command("ana", "done 1")
        assert len(await house.channel()) == 1
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

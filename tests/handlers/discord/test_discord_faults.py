"""Faults of Discord and of the way to it, met by the real outbox: in the end exactly one message.

And `kill -9` of the real program, with Discord as its platform.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from handlers.discord.controls import mark_of
from handlers.discord.naming import mark
from handlers.local.chat import LocalChat
from staffbot.desk import claims
from staffbot.desk.rendering import render
from staffbot.dispatch import Dispatch
from staffbot.model import Actor, Room
from staffbot.outbox import Outbox
from staffbot.settings import Delivery, StaffMember, Team, TeamRoom
from staffbot.tables import arrivals, events, posts, troubles
from tests.fakes import Fault
from tests.faults.ground import ask
from tests.faults.runs import Patrons, Program, Report
from tests.handlers.discord.loopback import TOKEN, Loopback, Met, loopback
from tests.handlers.discord.stage import MENTIONS, Evening, evening, until
from tests.handlers.discord.world import ANA, CHANNEL, SERVER
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.local_stage import local_chat
from tests.handlers.slack import stage as slacks
from tests.handlers.slack.loopback import Loopback as Slack
from tests.library import HOURS, Library

pytestmark = pytest.mark.timeout(600)

# Long enough for a slow machine to begin and end a call within it.
QUICK = Delivery(request_life=timedelta(seconds=1.5), edit_every=timedelta(milliseconds=20))
FAULTS: tuple[Met, ...] = (
    Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.HANGS_AFTER, (500, 0.0), (502, 0.0), (503, 0.0),
    (429, 0.05), (429, 0.05, True),
)  # fmt: skip


@pytest.fixture
async def discord() -> AsyncIterator[Loopback]:
    async with loopback() as made:
        yield made


@pytest.fixture
async def day(discord: Loopback, sqlite_library: Library, tmp_path: Path) -> AsyncIterator[Evening]:
    async with evening(discord, sqlite_library, tmp_path, delivery=QUICK) as begun:
        yield begun


def marks(discord: Loopback) -> Counter[str]:
    """How often each post stands in the channel."""
    return Counter(mark_of(message["components"]) for message in discord.world.messages[CHANNEL])


def state(day: Evening, number: int) -> str:
    (found,) = [row for row in day.library.rows(posts) if row.mention == number]
    return str(found.state)


def _is(day: Evening, number: int, wanted: str) -> bool:
    return state(day, number) == wanted


async def test_each_fault_ends_in_exactly_one_card(day: Evening) -> None:
    for number, fault in enumerate(FAULTS, 1):
        day.discord.fail_posts(fault)
        await asyncio.to_thread(day.library.arrives, f"Question {number}?")
        await day.until(partial(_is, day, number, "sent"))
    keys = [row.key for row in day.library.rows(posts)]
    assert marks(day.discord) == Counter(mark(key) for key in keys)
    assert len(keys) == len(FAULTS)


async def test_what_arrived_is_found_when_discord_has_forgotten_its_nonce(day: Evening) -> None:
    day.discord.fail_posts(Fault.CUT_AFTER)
    await asyncio.to_thread(day.library.arrives)
    await day.until(lambda: day.discord.world.messages[CHANNEL])
    day.discord.world.nonces.clear()
    await day.until(lambda: state(day, 1) == "sent")
    assert day.discord.posted() == 1
    await (await day.discord.click(await day.card(1), "Claim")).answer()
    await day.card(1, "claimed by Ana Silva")
    assert sum(marks(day.discord).values()) == 1


async def test_a_failed_edit_is_made_good(day: Evening) -> None:
    card = await day.arrives()
    template = "/channels/{channel_id}/messages/{message_id}"
    day.discord.fail("PATCH", template, (429, 0.05), Fault.CUT_AFTER)
    await (await day.discord.click(card, "Claim")).answer()
    await day.card(1, "claimed by Ana Silva")
    await day.until(lambda: not any(row.pending for row in day.library.rows(posts)))
    assert sum(marks(day.discord).values()) == 1


@pytest.mark.parametrize("code", [10003, 50001, 50013])
async def test_a_lost_channel_is_said_once_and_never_a_loop(day: Evening, code: int) -> None:
    day.discord.missing[CHANNEL] = code
    for number in (1, 2, 3):
        await asyncio.to_thread(day.library.arrives)
        await day.until(partial(_is, day, number, "parked"))
    assert day.discord.posted() == 3
    (said,) = day.library.rows(troubles)
    assert str(MENTIONS) in said.said


async def test_a_room_that_is_back_gets_what_waited_for_it(day: Evening) -> None:
    first = await day.arrives()
    day.discord.missing[CHANNEL] = 50013
    await (await day.discord.click(first, "Claim")).answer()
    await asyncio.to_thread(day.library.arrives)
    await day.until(lambda: state(day, 1) == state(day, 2) == "parked")
    day.discord.missing.clear()
    await day.arrives()
    await day.card(1, "claimed by Ana Silva")
    await day.card(2)
    assert all(row.ended_at is not None for row in day.library.rows(troubles))
    assert set(marks(day.discord).values()) == {1}


async def test_a_card_deleted_by_hand_is_posted_once_more_and_then_let_be(day: Evening) -> None:
    card = await day.arrives()
    day.discord.world.delete(CHANNEL, card["id"])
    await asyncio.to_thread(day.library.claim, 1)
    again = await day.card(1, "claimed by Ana Silva")
    assert again["id"] != card["id"]
    await day.until(lambda: state(day, 1) == "sent")
    day.discord.world.delete(CHANNEL, again["id"])
    ana = day.library.person("ana")
    await day.library.desk.acting(claims.release, 1, ana)
    await day.until(lambda: state(day, 1) == "parked")
    assert day.discord.posted() == 2
    assert day.discord.world.messages[CHANNEL] == []


async def test_two_platforms_at_once_have_one_winner_and_both_cards_are_redrawn(
    discord: Loopback, sqlite_library: Library, tmp_path: Path
) -> None:
    here = Room(platform="local", id="adult")
    rooms = (TeamRoom(room=MENTIONS), TeamRoom(room=here))
    team = Team(key="adult", name="Adult services", rooms=rooms, hours=HOURS)
    staff = (
        StaffMember(key="ana", name="Ana Silva", ids={"discord": ANA}),
        StaffMember(key="ben", name="Ben Okafor", ids={"local": "ben"}),
    )
    local: LocalChat = local_chat(tmp_path, FakeDesk())
    async with evening(
        discord, sqlite_library, tmp_path, delivery=QUICK, teams=(team,), staff=staff
    ) as day:
        other = Outbox(sqlite_library.desk, {"local": local}, render)
        carrying = asyncio.create_task(other.run())
        card = await day.arrives()
        ben = Actor(platform="local", user_id="ben", name="Ben Okafor", room=here)
        asked, _ = await asyncio.gather(
            discord.click(card, "Claim"), Dispatch(sqlite_library.desk).press(ben, "claim", 1)
        )
        await asked.answer()
        owner = sqlite_library.mention(1).owner
        name = {"ana": "Ana Silva", "ben": "Ben Okafor"}[str(owner)]
        await day.card(1, f"claimed by {name}")

        async def redrawn() -> bool:
            return name in str(await local.channel.history(here))

        await until(redrawn)
        other.stop()
        await carrying
    local.channel.close()


async def test_slack_and_discord_at_once_have_one_winner_and_both_cards_are_redrawn(
    discord: Loopback, sqlite_library: Library, tmp_path: Path
) -> None:
    rooms = (TeamRoom(room=MENTIONS), TeamRoom(room=slacks.ADULT))
    team = Team(key="adult", name="Adult services", rooms=rooms, hours=HOURS)
    staff = (
        StaffMember(key="ana", name="Ana Silva", ids={"discord": ANA}),
        StaffMember(key="ben", name="Ben Okafor", ids={"slack": "U2"}),
    )
    async with (
        Slack() as slack,
        evening(
            discord, sqlite_library, tmp_path, delivery=QUICK, teams=(team,), staff=staff
        ) as day,
    ):
        desk = sqlite_library.desk
        chat = slacks.opened(slack, desk.settings, Dispatch(desk))
        other = Outbox(desk, {"slack": chat}, render)
        async with slacks.running(chat):
            carrying = asyncio.create_task(other.run())
            card = await day.arrives()
            await until(lambda: slack.texts("C01"))
            theirs = slack.newest("C01")
            asked, answered = await asyncio.gather(
                discord.click(card, "Claim"),
                slacks.Person(slack, chat, "U2").press(
                    slacks.actions(theirs)["claim"], ts=theirs["ts"]
                ),
            )
            assert answered.status == 200
            await asked.answer()
            owner = sqlite_library.mention(1).owner
            name = {"ana": "Ana Silva", "ben": "Ben Okafor"}[str(owner)]
            await day.card(1, f"claimed by {name}")
            await until(lambda: f"claimed by {name}" in str(slack.newest("C01")))
            other.stop()
            await carrying
        assert (discord.posted(), len(slack.called("chat.postMessage"))) == (1, 1)
        assert slack.violations == []
    assert sum(row.what == "claimed" for row in sqlite_library.rows(events)) == 1


# --- kill -9 ------------------------------------------------------------------------------------

CONFIG = """
library = "Riverside Library"
when_closed = "at_once"
[discord]
server = "{server}"
api = "{api}"
gateway = "{gateway}"
[[rooms]]
platform = "discord"
id = "{channel}"
[[sources]]
name = "hook"
type = "webhook"
secrets = ["FAULTS_SECRET"]
[public]
port = 0
[metrics]
port = 0
[delivery]
request_life = "2s"
[storm]
mentions = 100000
"""
KILLS = 2


def _has_posted(discord: Loopback, times: int) -> bool:
    return discord.posted() >= times


async def test_kill_9_of_the_real_program_loses_and_doubles_nothing(
    discord: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    (tmp_path / "config.toml").write_text(
        CONFIG.format(server=SERVER, channel=CHANNEL, api=discord.base, gateway=discord.gateway)
    )
    report = Report()
    patrons = Patrons(report)
    for life in range(KILLS):
        # Each life ends within a post: before Discord took it, or after.
        discord.fail_posts(Fault.HANGS_AFTER if life % 2 else Fault.HANGS_BEFORE)
        after = discord.posted() + 1
        program = await asyncio.to_thread(Program, tmp_path)
        try:
            port = await asyncio.to_thread(program.port)
            await asyncio.to_thread(patrons.write, port)
            await until(partial(_has_posted, discord, after))
        finally:
            await asyncio.to_thread(program.kill)
    program = await asyncio.to_thread(Program, tmp_path)
    url = f"sqlite:///{tmp_path}/data/staffbot.db"
    left = select(func.count()).where(posts.c.pending == 1)
    try:
        await asyncio.to_thread(patrons.repeat, await asyncio.to_thread(program.port))

        async def carried() -> bool:
            return not (await asyncio.to_thread(ask, url, left))[0][0]

        await until(carried)
        await asyncio.to_thread(program.end)
    finally:
        await asyncio.to_thread(program.kill)
    keys = [row.key for row in ask(url, select(posts.c.key).where(posts.c.kind == "card"))]
    assert marks(discord) == Counter(mark(key) for key in keys)
    assert len(keys) == report.mentions == KILLS
    assert ask(url, select(func.count()).select_from(arrivals))[0][0] == KILLS

"""A claim by a press on Discord, from the frame that tells of it to the answer, on a long history.

Both sides speak through discord.py to a Discord of our own on this machine, in turns. The floor is
a client that only answers, and between its deferral and its answer runs the very statements of one
claim by the bare driver, with one commit.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord

from benchmarks import history
from benchmarks.claims import Bare, captured
from benchmarks.ground import Ground
from benchmarks.rows import Row
from handlers.discord.client import connector
from handlers.discord.controls import PRESSED, rows_of
from handlers.discord.problems import no_second_try
from staffbot.desk.ledger import Desk
from staffbot.dispatch import Dispatch
from staffbot.messages import Button, Message
from staffbot.settings import Network, Settings, TeamRoom
from staffbot.store import Store
from tests.handlers.discord.loopback import TOKEN, Loopback, loopback
from tests.handlers.discord.stage import MENTIONS, pointed, running
from tests.handlers.discord.world import BOT, CHANNEL

LIMIT = 3.0
_TURNS = 200

Press = Callable[[int], Awaitable[None]]


def run(ground: Ground) -> list[Row]:
    """Measure presses in turns with the floor."""
    path = ground.history()
    store = Store.open(f"sqlite:///{path}")
    try:
        return asyncio.run(_measured(ground, path, store))
    finally:
        store.close()


async def _measured(ground: Ground, path: Path, store: Store) -> list[Row]:
    house = _at_home_on_discord(history.settings(path), ground.folder)
    desk = Desk(store, house, lambda: history.NOW)
    numbers = ground.unclaimed
    async with (
        loopback(judging=False) as ours,
        loopback(judging=False) as theirs,
        running(ours, Dispatch(desk), house),
    ):
        await _press(ours, next(numbers))
        with captured() as statements:
            await _press(ours, model := next(numbers))
        bare = Bare(path, statements, model)
        try:
            async with _only_answering(theirs, bare):
                taken = await _in_turns(ours, theirs, numbers, ground.turns(_TURNS))
        finally:
            await bare.close()
    measured, floor = map(statistics.median, taken)
    against = f"a client that only answers, and the same {len(statements)} statements with a commit"
    return [
        Row(
            name="claim by a press on Discord, frame to answer", measured=measured, floor=floor,
            limit=LIMIT, means="What staffbot adds to Discord's own way is hardly felt.",
            against=against,
        )
    ]  # fmt: skip


def _at_home_on_discord(house: Settings, folder: Path) -> Settings:
    first, *others = house.teams
    here = replace(first, rooms=(*first.rooms, TeamRoom(room=MENTIONS)))
    return replace(house, teams=(here, *others), data=folder)


async def _in_turns(
    ours: Loopback, theirs: Loopback, numbers: Iterator[int], turns: int
) -> tuple[list[float], list[float]]:
    """The milliseconds of each press; every one takes a fresh mention."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        for side, times in zip((ours, theirs), taken, strict=True):
            with pointed(side):
                began_at = time.perf_counter()
                await _press(side, next(numbers))
                times.append((time.perf_counter() - began_at) * 1000)
    return taken


async def _press(side: Loopback, number: int) -> None:
    claim = Button(name="claim", label="Claim", mention=number, primary=True)
    rows = rows_of(Message(text="A card.", controls=(claim,)))
    card = side.world.message(CHANNEL, BOT, {"content": "A card.", "components": rows})
    answer = await (await side.click(card, "Claim")).answer()
    assert str(number) in answer["content"], answer
    # Only what happened can be undone; the floor says less.
    assert answer["components"] or "You have" in answer["content"], answer


@asynccontextmanager
async def _only_answering(side: Loopback, bare: Bare) -> AsyncIterator[None]:
    with pointed(side):
        client = _Answering(bare)
        life = asyncio.create_task(client.start(TOKEN))
        await side.connected()
        try:
            yield
        finally:
            await client.close()
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life


class _Answering(discord.Client):
    def __init__(self, bare: Bare) -> None:
        super().__init__(
            intents=discord.Intents.none(),
            connector=connector(Network()),
            http_trace=no_second_try(),
        )
        self._bare = bare

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        data: Any = interaction.data
        found = PRESSED.fullmatch(data["custom_id"])
        assert found is not None
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._bare.claim(int(found["mention"]))
        await interaction.edit_original_response(content=f"You have {found['mention']}.")

"""A claim by its button, through dispatch and desk, on a long history; alone and twenty at a time.

The floor is the very statements that one such claim runs, for another mention of the same
database, by the bare driver in a writer thread: begin, the statements with their rows fetched, one
commit. So it has the same indexes, pragmas and disk, and nothing of the program around it.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from benchmarks import history
from benchmarks.beside import connect
from benchmarks.ground import Ground
from benchmarks.rows import Row
from benchmarks.timing import percentile
from staffbot.desk.ledger import Desk
from staffbot.dispatch import Dispatch
from staffbot.messages import Button, Message
from staffbot.store import Store

AT_A_TIME = 20
LIMIT = 3.0
_ALONE = 200
_ROUNDS = 20

Statement = tuple[str, tuple[Any, ...]]
Claim = Callable[[int], Awaitable[None]]


def run(ground: Ground) -> list[Row]:
    """Measure both ways, in turns with the floor."""
    path = ground.history()
    store = Store.open(f"sqlite:///{path}")
    try:
        return asyncio.run(
            _measured(ground, Desk(store, history.settings(path), lambda: history.NOW))
        )
    finally:
        store.close()


async def _measured(ground: Ground, desk: Desk) -> list[Row]:
    claim = _by_button(Dispatch(desk))
    numbers = ground.unclaimed
    with captured() as statements:
        await claim(model := next(numbers))
    bare = Bare(ground.history(), statements, model)
    try:
        alone = await in_turns(claim, bare.claim, numbers, ground.turns(_ALONE), 1)
        many = await in_turns(claim, bare.claim, numbers, ground.turns(_ROUNDS), AT_A_TIME)
    finally:
        await bare.close()
    against = f"the same {len(statements)} statements by the bare driver, and one commit"
    return [
        _row("claim by its button", alone, against, "Whoever presses Claim sees it at once."),
        _row(
            f"claim, {AT_A_TIME} at a time", many, against,
            "Also in a storm, when everybody presses in the same second.",
        ),
        Row(
            name=f"claim, {AT_A_TIME} at a time, 99th percentile",
            measured=percentile(many[0], 0.99), floor=percentile(many[1], 0.99),
            means="The unluckiest of a hundred waits no longer than this.", against=against,
        ),
    ]  # fmt: skip


def _row(name: str, taken: tuple[list[float], list[float]], against: str, means: str) -> Row:
    ours, floor = map(statistics.median, taken)
    return Row(name=name, measured=ours, floor=floor, limit=LIMIT, means=means, against=against)


def _by_button(dispatch: Dispatch) -> Claim:
    async def claim(number: int) -> None:
        person = number % (history.TEAMS * history.STAFF_OF_A_TEAM)
        reply = await dispatch.press(history.actor(person), "claim", number)
        # Only what happened can be undone.
        assert isinstance(reply, Message), reply
        assert any(isinstance(c, Button) and c.name == "undo" for c in reply.controls), reply

    return claim


async def in_turns(
    ours: Claim, floor: Claim, numbers: Iterator[int], turns: int, at_a_time: int
) -> tuple[list[float], list[float]]:
    """The milliseconds of each claim, ours and the floor's; every claim takes a fresh mention."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        for claim, times in zip((ours, floor), taken, strict=True):
            claims = [_timed(claim, next(numbers)) for _ in range(at_a_time)]
            times += await asyncio.gather(*claims)
    return taken


async def _timed(claim: Claim, number: int) -> float:
    began_at = time.perf_counter()
    await claim(number)
    return (time.perf_counter() - began_at) * 1000


class Bare:
    """The statements of one claim, run again for other mentions in a thread of its own."""

    def __init__(self, path: Path, statements: Sequence[Statement], model: int) -> None:
        self._statements, self._model = statements, model
        self._writer = ThreadPoolExecutor(1)
        self._conn = self._writer.submit(connect, path).result()

    async def claim(self, number: int) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writer, self._claim, number)

    def _claim(self, number: int) -> None:
        run = self._conn.execute
        run("BEGIN IMMEDIATE")
        for statement, values in self._statements:
            # A mention's number is far larger than any other number of a claim but its moments.
            run(statement, self.values(statement, values, number)).fetchall()
        run("COMMIT")

    def values(self, statement: str, values: Sequence[Any], number: int) -> list[Any]:
        """What stands in a statement for another mention."""
        return [number if v == self._model else v for v in values]

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writer, self._conn.close)
        self._writer.shutdown()


@contextmanager
def captured() -> Iterator[list[Statement]]:
    """Every statement that runs within the block, but for BEGIN."""
    found: list[Statement] = []

    def note(_conn: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            found.append((statement, tuple(values)))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)

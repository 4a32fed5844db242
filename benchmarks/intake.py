"""Taking mentions in, in batches, as a busy source brings them; and whether memory stays flat.

The floor is bare inserts of the very rows that the desk left: the same tables with the same
indexes in a database beside it, one statement a table and one commit a batch.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks import history
from benchmarks.beside import Beside
from benchmarks.ground import Ground
from benchmarks.rows import Row
from benchmarks.timing import milliseconds
from staffbot.desk.arrivals import take_in
from staffbot.desk.ledger import Desk
from staffbot.model import IncomingMention, Kind, Patron
from staffbot.network import Batch
from staffbot.settings import Route, Settings, Storm
from staffbot.store import Store

BATCH = 100
LIMIT = 3.0
FLAT = 1.1
# Longer than a storm takes to calm, so that each mention gets a card of its own: the dearer way.
_APART = timedelta(minutes=16)
# What tells that a row is new. A patron who writes again is renewed.
_TABLES = {
    "patrons": "seen_at", "mentions": "number", "words": "id", "arrivals": "rowid", "events": "id",
    "posts": "id",
}  # fmt: skip
_PATRONS = 20_000


def run(ground: Ground) -> list[Row]:
    """Measure each batch, in turns with the floor; then memory, in a process of its own."""
    ours, beside = ground.folder / "intake.db", ground.folder / "intake_floor.db"
    history.empty(ours)
    history.empty(beside)
    floor = Beside(ours, beside, _TABLES)
    batches = ground.turns(1_000)
    taken = least = 0.0
    try:
        for take in taking(ours, batches):
            taken += milliseconds(take)
            floor.learn()
            least += milliseconds(lambda: _insert(floor))
    finally:
        floor.close()
    count = batches * BATCH
    return [
        Row(
            name=f"take in {count:,} mentions in batches of {BATCH}", measured=taken, floor=least,
            limit=None if ground.quick else LIMIT,
            against="bare inserts of the same rows, one commit a batch",
            means=f"{count / taken * 1000:,.0f} mentions a second, far more than any network sends.",
        ),
        _memory(ground, batches),
    ]  # fmt: skip


def _insert(floor: Beside) -> None:
    floor.target.execute("BEGIN IMMEDIATE")
    floor.insert()
    floor.target.execute("COMMIT")


def _memory(ground: Ground, batches: int) -> Row:
    path = ground.folder / "growth.db"
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", str(path), str(batches)],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    early, late = map(float, said)
    return Row(
        name="memory at its end", measured=late, floor=early,
        limit=None if ground.quick else FLAT, unit="MiB",
        against="memory after the first tenth of it",
        means=f"Whatever comes in, the bot does not grow (here by {late - early:.1f} MiB).",
    )  # fmt: skip


def taking(path: Path, batches: int) -> Iterator[Callable[[], None]]:
    """One call for each batch that the desk is to take in."""
    clock = [history.NOW]
    store = Store.open(f"sqlite:///{path}")
    desk = Desk(store, _settings(path), lambda: clock[0])
    try:
        for batch in range(batches):
            clock[0] += _APART
            mentions = tuple(_mentions(batch, clock[0]))
            yield partial(_take, desk, Batch(mentions=mentions, cursor=str(batch)))
    finally:
        store.close()


def _take(desk: Desk, batch: Batch) -> None:
    came = desk.act(take_in, source="source0", batch=batch)
    assert came.new == BATCH, came


def _settings(path: Path) -> Settings:
    """Each mention gets its card, and goes to one of the teams by a word in it."""
    plain = history.settings(path)
    routes = tuple(Route(team=history.team_key(n), keyword=f"branch {n}") for n in range(4))
    return replace(plain, routes=routes, storm=Storm(mentions=BATCH))


def _mentions(batch: int, now: datetime) -> Iterator[IncomingMention]:
    for place in range(BATCH):
        number = batch * BATCH + place
        who = number * 7919 % _PATRONS
        yield IncomingMention(
            source="source0", native_id=f"post-{number}", kind=Kind.MENTION,
            text=f"Is the reading room of branch {place % 5} open on Sunday, and may I bring my "
            "own laptop and a coffee? I could not find it on your page. Thank you for all you do!",
            patron=Patron(
                name=f"Patron {who}", handle=f"@patron{who}",
                url=f"https://social.example/@patron{who}",
            ),
            posted_at=now - timedelta(minutes=1), language="en", conversation=f"talk-{number}",
            permalink=f"https://social.example/posts/{number}",
        )  # fmt: skip

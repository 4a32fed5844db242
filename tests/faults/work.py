"""What a forked worker does: takes mentions in, claims some, and carries their cards to the witness."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
from collections.abc import Sequence

import structlog
from sqlalchemy import func, select

from staffbot.desk.arrivals import take_in
from staffbot.desk.claims import claim
from staffbot.desk.ledger import Desk, Tx
from staffbot.desk.people import get_person
from staffbot.model import IncomingMention, Kind, Patron, Room, system_clock
from staffbot.network import Batch
from staffbot.outbox import Outbox
from staffbot.tables import posts, sources
from tests.faults.chat import WitnessChat
from tests.faults.ground import render

# A room's unsent posts that a worker leaves before it takes more in.
_BACKLOG = 2


def incoming(source: str, number: int) -> IncomingMention:
    """The mention of that number of a source that counts."""
    return IncomingMention(
        source=source, native_id=str(number), kind=Kind.MENTION, text=f"Question {number}?",
        patron=Patron(name=f"Patron {number}", handle=f"@{source}{number}"),
        posted_at=system_clock(), permalink=f"https://{source}.example/{number}",
    )  # fmt: skip


def work_until_killed(desk: Desk, witness: str, rooms: Sequence[Room]) -> None:
    """Take in and carry, for ever, in rooms of one platform."""
    asyncio.run(_live(desk, witness, rooms))


def carry_all(desk: Desk, witness: str, platform: str) -> None:
    """Carry until nothing is left to carry."""
    asyncio.run(_carry_all(desk, WitnessChat(witness, platform)))


def warm_up(desk: Desk, witness: str, rooms: Sequence[Room]) -> None:
    """Do everything once before forking, so that a worker is at work within milliseconds.

    SQLAlchemy compiles each statement once.
    """
    for room in rooms[:2]:
        _one_step(desk, room.id, claims=1.0)
        _one_step(desk, room.id, claims=1.0)
    carry_all(desk, witness, rooms[0].platform)
    ready_to_fork(desk)


def ready_to_fork(desk: Desk) -> None:
    """Close its connections, which survive no fork; workers open their own."""
    desk.store.close()
    gc.collect()
    gc.freeze()  # or the first collection of each worker copies the whole heap


async def _live(desk: Desk, witness: str, rooms: Sequence[Room]) -> None:
    chat = WitnessChat(witness, rooms[0].platform)
    outbox = asyncio.create_task(Outbox(desk, {chat.platform: chat}, render).run())
    while not outbox.done():
        await asyncio.to_thread(_one_step, desk, random.choice(rooms).id)
        await asyncio.sleep(random.uniform(0, 0.004))
    outbox.result()


async def _carry_all(desk: Desk, chat: WitnessChat) -> None:
    outbox = Outbox(desk, {chat.platform: chat}, render)
    task = asyncio.create_task(outbox.run())
    while await desk.looking(pending):  # noqa: ASYNC110 # another process may be the one to end it
        await asyncio.sleep(0.02)
    outbox.stop()
    await task
    await chat.close()


def quiet() -> None:
    """Say nothing below an error, as thousands of kills would say much."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def pending(tx: Tx, room: str | None = None) -> int:
    """How many posts there are to carry."""
    query = select(func.count()).where(posts.c.pending == 1)
    if room is not None:
        query = query.where(posts.c.room == room)
    number: int = tx.conn.execute(query).scalar_one()
    return number


def _one_step(desk: Desk, source: str, claims: float = 0.3) -> None:
    if desk.look(pending, source) >= _BACKLOG:
        return
    cursor = int(desk.look(_cursor, source) or 0)
    # At least once, as networks are: the one before comes again.
    batch = Batch(
        mentions=tuple(incoming(source, n) for n in (cursor, cursor + 1) if n),
        cursor=str(cursor + 1),
    )
    desk.act(take_in, source=source, batch=batch)
    if random.random() < claims:
        desk.act(_claim_newest, source)


def _cursor(tx: Tx, source: str) -> str | None:
    return tx.conn.scalar(select(sources.c.cursor).where(sources.c.name == source))


def _claim_newest(tx: Tx, source: str) -> None:
    newest = tx.conn.scalar(select(func.max(posts.c.mention)).where(posts.c.room == source))
    person = get_person(tx, "p0")
    if newest is not None and person is not None:
        claim(tx, newest, person)

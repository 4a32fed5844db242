"""The intake: carries what sources bring to the desk. One task a source, so none delays another.

When a source is due, and what became of the last try, stands in the database (`desk.rounds`).
Knows no network and no rule; what a patron wrote passes through it and is never logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import structlog

from staffbot import language
from staffbot.desk import arrivals, rounds
from staffbot.desk.ledger import Desk
from staffbot.errors import SourceError
from staffbot.model import IncomingMention
from staffbot.network import Batch, Pushes, Route, Source, TakeIn, TakenIn

T = TypeVar("T")

# One transaction takes at most this many, so that a claim never waits long for the writer.
PIECE = 100
# The desk may be out of order (a full disk): nothing is lost by waiting, so wait and try again.
_DESK_WAITS = (1.0, 5.0, 30.0, 60.0, 300.0)
# Waits are cut into these, so that a next moment which was changed in the database is noticed.
_LONGEST_SLEEP = 60.0

_log = structlog.get_logger(__name__)


class Intake:
    """Reads every source that is read, and gives every source that is called its routes.

    `fetch_within` bounds one fetch as a whole; `alive(name)` hears of each round of the loop that
    came to an end, well or not.
    """

    def __init__(
        self,
        desk: Desk,
        sources: Sequence[Source | Pushes],
        *,
        fetch_within: timedelta | None = None,
        alive: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._desk = desk
        self._read = tuple(source for source in sources if isinstance(source, Source))
        self._called = tuple(source for source in sources if not isinstance(source, Source))
        self._within = fetch_within or 3 * desk.settings.network.timeout
        self._alive = alive
        self._wake = {source.name: asyncio.Event() for source in self._read}

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the sources that have a loop here."""
        return tuple(source.name for source in self._read)

    def routes(self) -> tuple[Route, ...]:
        """The paths of the sources that are called, for the public listener."""
        return tuple(
            route for source in self._called for route in source.routes(self._taker(source.name))
        )

    def look_now(self, source: str) -> None:
        """Look at once whether this source is due, as after its next moment was changed."""
        self._wake[source].set()

    async def run(self) -> None:
        """Read until cancelled. A transaction in hand is finished first."""
        await self._desk.acting(rounds.hurry, sources_here=self.reads)
        async with asyncio.TaskGroup() as loops:
            for source in self._read:
                loops.create_task(self._follow(source), name=f"intake:{source.name}")

    async def _follow(self, source: Source) -> None:
        desk_failures = 0
        while True:
            try:
                wait = await self._round(source)
                desk_failures = 0
            except Exception as problem:
                # A source's own failure is handled within; what comes here is the desk's.
                wait = _DESK_WAITS[min(desk_failures, len(_DESK_WAITS) - 1)]
                desk_failures += 1
                _log.error("intake cannot store", source=source.name, **_place(problem))
                await self._not_stored(source.name, problem, wait)
            self._alive(f"intake:{source.name}")
            await self._sleep(source.name, wait)

    async def _round(self, source: Source) -> float:
        """One round, if it is due. Returns the seconds to wait for the next one."""
        name = source.name
        lease = self._within + timedelta(seconds=30)
        round_ = await self._stored(self._desk.acting(rounds.begin, source=name, lease=lease))
        if not round_.due:
            return round_.wait_seconds
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._within.total_seconds()):
                batch = await source.fetch(round_.cursor)
        except SourceError as problem:
            return await self._failed(name, str(problem), problem.retry_after)
        except TimeoutError:
            seconds = self._within.total_seconds()
            return await self._failed(name, f"it did not answer within {seconds:.0f} seconds")
        except asyncio.CancelledError:
            await self._stored(self._desk.acting(rounds.given_back, source=name))
            raise
        except Exception as problem:
            _log.error("source failed", source=name, **_place(problem))
            kind = type(problem).__name__
            return await self._failed(name, f"its reader failed ({kind}); the log has the place")
        taken = await self._take_in(name, batch)
        wait = await self._stored(
            self._desk.acting(
                rounds.went_well, source=name, wish_seconds=batch.next_in_seconds,
                jitter=random.uniform(-1, 1),
            )
        )  # fmt: skip
        if taken.new or taken.followed_up or taken.changed or taken.parked:
            _log.info(
                "taken in", source=name, new=taken.new, followed_up=taken.followed_up,
                changed=taken.changed, parked=taken.parked, ms=_ms_since(began),
            )  # fmt: skip
        return wait

    async def _failed(self, source: str, reason: str, retry_after: float | None = None) -> float:
        wait = await self._stored(
            self._desk.acting(
                rounds.failed, source=source, reason=reason, retry_after=retry_after,
                jitter=random.uniform(-1, 1),
            )
        )  # fmt: skip
        _log.warning("source cannot be read", source=source, reason=reason, again_in=round(wait))
        return wait

    async def _not_stored(self, source: str, problem: Exception, wait: float) -> None:
        """Say where a person looks that nothing comes in, if the database takes at least that."""
        reason = f"what it brought could not be stored ({type(problem).__name__})"
        with contextlib.suppress(Exception):
            await self._stored(
                self._desk.acting(
                    rounds.not_stored, source=source, reason=reason, again_in_seconds=wait
                )
            )

    def _taker(self, source: str) -> TakeIn:
        async def take_in(batch: Batch, delivery: str | None = None) -> TakenIn:
            return await self._take_in(source, batch, delivery)

        return take_in

    async def _take_in(self, source: str, batch: Batch, delivery: str | None = None) -> TakenIn:
        """Store a batch, in pieces where it is long. Returns once all of it is committed.

        The cursor, and the delivery's own id, go with the last piece: after a crash in between the
        whole comes again, and what is there already is known.
        """
        said = self._desk.settings.source(source).language
        mentions = await asyncio.to_thread(_in_languages, batch.mentions, said)
        taken: list[TakenIn] = []
        pieces = list(_pieces(replace(batch, mentions=mentions)))
        for number, piece in enumerate(pieces, start=1):
            key = delivery
            if delivery is not None and number < len(pieces):
                key = f"{delivery}#{number}"
            taken.append(
                await self._stored(
                    self._desk.acting(arrivals.take_in, source=source, batch=piece, delivery=key)
                )
            )
        return _sum(taken)

    async def _stored(self, step: Awaitable[T]) -> T:
        """Wait for a transaction to its end, also where this task is cancelled meanwhile."""
        task = asyncio.ensure_future(step)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            if not task.cancelled() and task.exception() is not None:
                _log.error("intake cannot store")
            raise

    async def _sleep(self, source: str, seconds: float) -> None:
        wake = self._wake[source]
        try:
            async with asyncio.timeout(min(max(seconds, 0.01), _LONGEST_SLEEP)):
                await wake.wait()
        except TimeoutError:
            pass
        wake.clear()


def _pieces(batch: Batch) -> Iterator[Batch]:
    last = max(0, len(batch.mentions) - 1) // PIECE
    for number in range(last + 1):
        part = batch.mentions[number * PIECE : (number + 1) * PIECE]
        if number < last:
            yield Batch(mentions=part)
        else:
            yield replace(batch, mentions=part)


def _sum(taken: Sequence[TakenIn]) -> TakenIn:
    return TakenIn(
        new=sum(one.new for one in taken),
        followed_up=sum(one.followed_up for one in taken),
        repeated=sum(one.repeated for one in taken),
        too_old=sum(one.too_old for one in taken),
        changed=sum(one.changed for one in taken),
        parked=sum(one.parked for one in taken),
        replay=all(one.replay for one in taken),
    )


def _in_languages(
    mentions: Sequence[IncomingMention], of_source: str
) -> tuple[IncomingMention, ...]:
    return tuple(
        replace(mention, language=language.of(mention.text, mention.language or of_source))
        for mention in mentions
    )


def _place(problem: BaseException) -> dict[str, str]:
    """Where and what, for the log. Never the message, which may quote a patron."""
    frames = traceback.extract_tb(problem.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return {"error": type(problem).__name__, "where": where}


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)

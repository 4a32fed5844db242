"""The waking loop under whatever is carried to a network: posts, answers. Sends nothing itself.

What is due stands in the database and is taken under a lease; each thing is carried in a task of its
own, one a lane at a time. A call has to be cut off well before its lease is over.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

import structlog

from staffbot.desk.ledger import Desk, Tx

# Of a lease: when the call is cut off, and what has to be left for it to be begun.
_CUT_OFF_AT = 0.6
_WORTH_BEGINNING = 0.2
# How often to look although nobody rang: another process may have written, the desk's clock moves.
_POLL_SECONDS = 1.0
# A step in hand is given this long when the program ends; what is cut off is looked up next time.
_GRACE_SECONDS = 4.0


class Takeable(Protocol):
    """What can be in hand: its own name, and the lane in which one at a time is carried."""

    @property
    def key(self) -> str: ...
    @property
    def lane(self) -> str: ...


T = TypeVar("T", bound=Takeable)


class DueIn(Protocol):
    """How long until something is due at these places: zero for now, None while nothing waits."""

    def __call__(
        self, tx: Tx, places: Collection[str], busy: Collection[str], /
    ) -> timedelta | None: ...


class TakeDue(Protocol[T]):
    """Take what is due at these places for a life from now; lanes that are busy are left alone."""

    def __call__(
        self, tx: Tx, holder: str, places: Collection[str], limit: int, life: timedelta,
        busy: Collection[str], /,
    ) -> list[T]: ...  # fmt: skip


class Carrier(Generic[T]):
    """Carries until `stop` is called or its task is cancelled.

    `carry(thing, began)` carries one; what it raises leaves the thing in hand until its lease is over,
    and then in doubt. `alive()` is called after each look that the database answered.
    """

    def __init__(
        self,
        desk: Desk,
        places: Collection[str],
        *,
        due_in: DueIn,
        take_due: TakeDue[T],
        carry: Callable[[T, float], Awaitable[None]],
        at_once: int,
        name: str,
        alive: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._places = places
        self._due_in = due_in
        self._take_due = take_due
        self._carry = carry
        self._at_once = at_once
        self._name = name
        self._alive = alive
        self._log = structlog.get_logger(f"staffbot.{name}")
        self._holder = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._life = desk.settings.delivery.request_life
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._stopping = False

    def stop(self) -> None:
        """Take nothing more; `run` returns once the steps in hand are done."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Carry. Woken by each commit of this process, and looks each second besides."""
        loop = asyncio.get_running_loop()

        def ring() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to wake
                loop.call_soon_threadsafe(self._wake.set)

        self._desk.on_commit.append(ring)
        try:
            while not self._stopping:
                self._wake.clear()
                pause = await self._take_up()
                # Not wait_for: before Python 3.12 it can lose a cancellation.
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        finally:
            self._desk.on_commit.remove(ring)
            await self._finish()

    def left(self, began: float) -> float | None:
        """Seconds for a call that has to end well within the lease; None where it is too late."""
        life = self._life.total_seconds()
        left = began + life * _CUT_OFF_AT - time.monotonic()
        return left if left >= life * _WORTH_BEGINNING else None

    async def _take_up(self) -> float:
        """Take what is due, each in a task of its own. Returns for how long to rest."""
        try:
            places, busy = tuple(self._places), tuple(self._in_hand)
            rest = await self._desk.looking(self._due_in, places, busy)
            self._alive()
            if rest is None or rest:
                seconds = _POLL_SECONDS if rest is None else rest.total_seconds()
                return min(max(seconds, 0.01), _POLL_SECONDS)
            began = time.monotonic()
            taken = await self._desk.acting(
                self._take_due, self._holder, places, self._at_once, self._life, busy
            )
        except Exception as fault:  # the database is away: nothing is lost, look again
            self._log.error(f"{self._name}.cannot_look", fault=type(fault).__name__)
            return _POLL_SECONDS
        for one in taken:
            task = asyncio.create_task(self._one(one, began), name=f"{self._name} {one.lane}")
            self._in_hand[one.lane] = task
        return _POLL_SECONDS

    async def _one(self, one: T, began: float) -> None:
        try:
            await self._carry(one, began)
        except Exception as fault:
            self._log.error(f"{self._name}.fault", key=one.key, fault=type(fault).__name__)
        finally:
            del self._in_hand[one.lane]
            self._wake.set()

    async def _finish(self) -> None:
        tasks = list(self._in_hand.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

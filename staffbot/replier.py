"""The loop that carries answers from chat: stored ones -> the network's source. Decides nothing.

As the outbox does: an answer is marked `sending` with a deadline, committed, and only then handed to
the network; the call is cut off well before the deadline. After a crash or an ambiguous error nothing
is sent until the deadline is over, and then the network is asked for the answer first.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog

from staffbot.desk import reply_carriage
from staffbot.desk.ledger import Desk
from staffbot.desk.reply_carriage import Taken
from staffbot.errors import DeliveryError
from staffbot.network import Answering, Replies

# As in the outbox: when the call is cut off, and what has to be left for it to be begun.
_CUT_OFF_AT = 0.6
_WORTH_BEGINNING = 0.2
_AT_ONCE = 10
_POLL_SECONDS = 1.0
_GRACE_SECONDS = 4.0

_log = structlog.get_logger("staffbot.replier")


class Replier:
    """Carries answers until `stop` is called or its task is cancelled.

    `alive()` is called after each look that the database answered.
    """

    def __init__(
        self,
        desk: Desk,
        networks: Mapping[str, Replies],
        *,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._alive = alive
        self._desk = desk
        self._networks = networks
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
        """Carry answers. Woken by each commit of this process, and looks each second besides."""
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

    async def _take_up(self) -> float:
        """Take what is due, each answer in a task of its own. Returns for how long to rest."""
        try:
            mine, busy = tuple(self._networks), tuple(self._in_hand)
            rest = await self._desk.looking(reply_carriage.due_in, mine, busy)
            self._alive()
            if rest is None or rest:
                seconds = _POLL_SECONDS if rest is None else rest.total_seconds()
                return min(max(seconds, 0.01), _POLL_SECONDS)
            began = time.monotonic()
            taken = await self._desk.acting(
                reply_carriage.take_due, self._holder, mine, _AT_ONCE, self._life, busy
            )
        except Exception as fault:  # the database is away: nothing is lost, look again
            _log.error("replier.cannot_look", fault=type(fault).__name__)
            return _POLL_SECONDS
        for reply in taken:
            task = asyncio.create_task(self._carry(reply, began), name=f"reply {reply.mention}")
            self._in_hand[reply.key] = task
        return _POLL_SECONDS

    async def _finish(self) -> None:
        tasks = list(self._in_hand.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _carry(self, reply: Taken, began: float) -> None:
        network = self._networks[reply.source]
        try:
            if reply.to is None or reply.text is None:
                state = await self._desk.acting(reply_carriage.overtaken, reply)
                _log.info("reply.overtaken", mention=reply.mention, state=state)
            elif reply.doubt:
                await self._look_up(network, reply, reply.to, reply.text, began)
            else:
                await self._send(network, reply, reply.to, reply.text, began)
        except Exception as fault:  # it stays in hand until its deadline and is looked up then
            _log.error("reply.fault", mention=reply.mention, fault=type(fault).__name__)
        finally:
            del self._in_hand[reply.key]
            self._wake.set()

    def _left(self, began: float) -> float | None:
        """Seconds for a call that has to end well within the life; None where it is too late."""
        life = self._life.total_seconds()
        left = began + life * _CUT_OFF_AT - time.monotonic()
        return left if left >= life * _WORTH_BEGINNING else None

    async def _send(
        self, network: Replies, reply: Taken, to: Answering, text: str, began: float
    ) -> None:
        left = self._left(began)
        if left is None:
            await self._desk.acting(reply_carriage.put_back, reply)
            return
        try:
            async with asyncio.timeout(left):
                replied = await network.reply(to, text, reply.key)
        except Exception as fault:
            problem = _problem(fault)
            state = await self._desk.acting(reply_carriage.failed, reply, problem)
            _log.warning(
                "reply.failed", mention=reply.mention, source=reply.source, state=state,
                reason=str(problem), ambiguous=problem.ambiguous,
            )  # fmt: skip
            return
        mine = await self._desk.acting(reply_carriage.sent, reply, replied)
        _log.info("reply.sent" if mine else "reply.overtaken", mention=reply.mention)

    async def _look_up(
        self, network: Replies, reply: Taken, to: Answering, text: str, began: float
    ) -> None:
        left = self._left(began)
        if left is None:
            await self._desk.acting(reply_carriage.put_back, reply)
            return
        try:
            async with asyncio.timeout(left):
                found = await network.find_reply(to, text, reply.key)
        except Exception as fault:
            problem = _problem(fault)
            state = await self._desk.acting(reply_carriage.unseen, reply, problem)
            _log.warning(
                "reply.not_looked_up", mention=reply.mention, state=state, reason=str(problem)
            )
            return
        if found is not None:
            await self._desk.acting(reply_carriage.sent, reply, found)
            _log.info("reply.found", mention=reply.mention)
            return
        state = await self._desk.acting(reply_carriage.absent, reply)
        _log.info("reply.not_found", mention=reply.mention, state=state)


def _problem(fault: Exception) -> DeliveryError:
    """What went wrong, without the text of a fault that is not ours: it may quote somebody."""
    match fault:
        case DeliveryError():
            return fault
        case TimeoutError():
            return DeliveryError("no answer in time", ambiguous=True)
        case _:
            reason = f"the source failed ({type(fault).__name__})"
            return DeliveryError(reason, ambiguous=True)

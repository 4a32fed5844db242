"""The loop that carries answers from chat: stored ones -> the network's source. Decides nothing.

As the outbox does: an answer is marked `sending` with a deadline, committed, and only then handed to
the network; the call is cut off well before the deadline. After a crash or an ambiguous error nothing
is sent until the deadline is over, and then the network is asked for the answer first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from staffbot.carrier import Carrier
from staffbot.desk import reply_carriage
from staffbot.desk.ledger import Desk
from staffbot.desk.reply_carriage import Taken
from staffbot.errors import DeliveryError
from staffbot.network import Answering, Replies

_AT_ONCE = 10

_log = structlog.get_logger("staffbot.replier")


class Replier:
    """Carries answers until `stop` is called or its task is cancelled; `alive()` as in the carrier."""

    def __init__(
        self,
        desk: Desk,
        networks: Mapping[str, Replies],
        *,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._desk = desk
        self._networks = networks
        self._carrier = Carrier(
            desk, networks, due_in=reply_carriage.due_in, take_due=reply_carriage.take_due,
            carry=self._carry, at_once=_AT_ONCE, name="replier", alive=alive,
        )  # fmt: skip

    def stop(self) -> None:
        """Take nothing more; `run` returns once the steps in hand are done."""
        self._carrier.stop()

    async def run(self) -> None:
        """Carry answers."""
        await self._carrier.run()

    async def _carry(self, reply: Taken, began: float) -> None:
        network = self._networks[reply.source]
        if reply.to is None or reply.text is None:
            state = await self._desk.acting(reply_carriage.overtaken, reply)
            _log.info("reply.overtaken", mention=reply.mention, state=state)
        elif (left := self._carrier.left(began)) is None:
            await self._desk.acting(reply_carriage.put_back, reply)
        elif reply.doubt:
            await self._look_up(network, reply, reply.to, reply.text, left)
        else:
            await self._send(network, reply, reply.to, reply.text, left)

    async def _send(
        self, network: Replies, reply: Taken, to: Answering, text: str, left: float
    ) -> None:
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
        self, network: Replies, reply: Taken, to: Answering, text: str, left: float
    ) -> None:
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

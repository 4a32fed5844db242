"""The loop that carries posts: unsent ones and stale cards -> Chat. Decides nothing about content.

A post is marked `sending` with a deadline, committed, and only then handed to the platform; the
call is cut off well before the deadline. After a crash or an ambiguous error nothing is sent until
the deadline is over, as the request may still be on its way, and then the platform is asked for the
post's key first. Each room is carried by a task of its own, so that no room waits for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from staffbot.carrier import Carrier
from staffbot.desk import carriage, delivery
from staffbot.desk.carriage import Taken
from staffbot.desk.ledger import Desk, Tx
from staffbot.errors import DeliveryError, MessageGone
from staffbot.messages import Message
from staffbot.model import MessageRef, Room
from staffbot.seams import Chat

Render = Callable[[Tx, Taken], Message | None]

# Posts taken in one transaction, each of another room.
_AT_ONCE = 20

_log = structlog.get_logger("staffbot.outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    message: Message | None
    shown: int


class _Poison(Exception):
    """Rendering failed; carries the fault's type alone, as its text may quote a patron."""


class Outbox:
    """Carries posts until `stop` is called or its task is cancelled; `alive()` as in the carrier."""

    def __init__(
        self,
        desk: Desk,
        chats: Mapping[str, Chat],
        render: Render,
        *,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._desk = desk
        self._chats = chats
        self._render = render
        self._carrier = Carrier(
            desk, chats, due_in=carriage.due_in, take_due=carriage.take_due, carry=self._carry,
            at_once=_AT_ONCE, name="outbox", alive=alive,
        )  # fmt: skip

    def stop(self) -> None:
        """Take nothing more; `run` returns once the steps in hand are done."""
        self._carrier.stop()

    async def run(self) -> None:
        """Carry posts."""
        await self._carrier.run()

    async def _carry(self, post: Taken, began: float) -> None:
        chat = self._chats[post.platform]
        if post.doubt:
            await self._look_up(chat, post, began)
        else:
            await self._deliver(chat, post, began)

    async def _deliver(self, chat: Chat, post: Taken, began: float) -> None:
        try:
            drawn = await self._desk.looking(_draw, post, self._render)
        except _Poison as fault:
            state = await self._desk.acting(delivery.poisoned, post, str(fault))
            _log.error("post.not_drawn", post=post.key, state=state, fault=str(fault))
            return
        if drawn.message is None:
            await self._desk.acting(delivery.dropped, post, drawn.shown)
            _log.info("post.nothing_to_say", post=post.key)
            return
        left = self._carrier.left(began)
        if left is None:
            await self._desk.acting(delivery.put_back, post)
            _log.warning("post.put_back", post=post.key)
            return
        try:
            async with asyncio.timeout(left):
                ref = await _call(chat, post, drawn.message)
        except MessageGone as problem:
            await self._message_gone(post, problem)
        except DeliveryError as problem:
            await self._failed(post, problem)
        except TimeoutError:
            await self._failed(post, DeliveryError("no answer in time", ambiguous=True))
        except Exception as fault:  # a fault of the door's own: it may have happened after sending
            reason = f"the door failed ({type(fault).__name__})"
            await self._failed(post, DeliveryError(reason, ambiguous=True))
        else:
            await self._arrived(post, ref, drawn.shown)

    async def _arrived(self, post: Taken, ref: MessageRef | None, shown: int) -> None:
        if ref is None:
            mine = await self._desk.acting(delivery.edited, post, shown)
        else:
            mine = await self._desk.acting(delivery.sent, post, ref, shown)
        said = "post.edited" if ref is None else "post.sent"
        _log.info(said if mine else "post.overtaken", post=post.key, shown=shown)

    async def _message_gone(self, post: Taken, problem: MessageGone) -> None:
        if post.state != "sent":  # no message of ours yet: what is gone is the room
            await self._failed(post, problem)
            return
        await self._desk.acting(delivery.gone, post)
        _log.warning("post.gone", post=post.key)

    async def _failed(self, post: Taken, problem: DeliveryError) -> None:
        state = await self._desk.acting(delivery.failed, post, problem)
        _log.warning(
            "post.failed", post=post.key, state=state, reason=str(problem),
            ambiguous=problem.ambiguous, retry_after=problem.retry_after,
        )  # fmt: skip

    async def _look_up(self, chat: Chat, post: Taken, began: float) -> None:
        left = self._carrier.left(began)
        if left is None:
            await self._desk.acting(delivery.put_back, post)
            return
        room = post.room or Room(platform=post.platform, id=f"direct:{post.user_id}")
        try:
            async with asyncio.timeout(left):
                ref = await chat.find(room, post.key)
        except Exception as fault:
            problem = fault if isinstance(fault, DeliveryError) else None
            if problem is None:
                problem = DeliveryError(f"the look-up failed ({type(fault).__name__})")
            state = await self._desk.acting(delivery.unseen, post, problem)
            _log.warning("post.not_looked_up", post=post.key, state=state, reason=str(problem))
            return
        if ref is not None:
            # Which revision it shows is not known, so a live one is edited to the newest at once.
            await self._desk.acting(delivery.sent, post, ref, 0)
            _log.info("post.found", post=post.key)
            return
        state = await self._desk.acting(delivery.absent, post)
        _log.info("post.not_found", post=post.key, state=state)


def _draw(tx: Tx, post: Taken, render: Render) -> _Drawn:
    shown = carriage.wanted_now(tx, post)
    try:
        return _Drawn(message=render(tx, post), shown=shown)
    except Exception as fault:
        raise _Poison(type(fault).__name__) from None


async def _call(chat: Chat, post: Taken, message: Message) -> MessageRef | None:
    """The one call to the platform. None where an existing message was edited."""
    if post.state == "sent" and post.ref is not None:
        await chat.edit(post.ref, message)
        return None
    if post.room is not None:
        return await chat.post(post.room, message, post.key)
    if not post.user_id:
        raise DeliveryError(f"{post.person} has no id on {post.platform}", permanent=True)
    return await chat.direct(post.user_id, message, post.key)

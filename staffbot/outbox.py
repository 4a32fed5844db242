"""The loop that carries posts: unsent ones and stale cards -> Chat. Decides nothing about content.

A post is marked `sending` with a deadline, committed, and only then handed to the platform; the
call is cut off well before the deadline. After a crash or an ambiguous error nothing is sent until
the deadline is over, as the request may still be on its way, and then the platform is asked for the
post's key first. Each room is carried by a task of its own, so that no room waits for another.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from staffbot.desk import carriage, delivery
from staffbot.desk.carriage import Taken
from staffbot.desk.ledger import Desk, Tx
from staffbot.errors import DeliveryError, MessageGone
from staffbot.messages import Message
from staffbot.model import MessageRef, Room
from staffbot.seams import Chat

Render = Callable[[Tx, Taken], Message | None]

# Of a request's life: when the call is cut off, and what has to be left for it to be begun.
_CUT_OFF_AT = 0.6
_WORTH_BEGINNING = 0.2
# Posts taken in one transaction, each of another room.
_AT_ONCE = 20
# How often to look although nobody rang: another process may have written, the desk's clock moves.
_POLL_SECONDS = 1.0
# A step in hand is given this long when the program ends; what is cut off is looked up next time.
_GRACE_SECONDS = 4.0

_log = structlog.get_logger("staffbot.outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    message: Message | None
    shown: int


class _Poison(Exception):
    """Rendering failed; carries the fault's type alone, as its text may quote a patron."""


class Outbox:
    """Carries posts until `stop` is called or its task is cancelled.

    `alive()` is called after each look that the database answered.
    """

    def __init__(
        self,
        desk: Desk,
        chats: Mapping[str, Chat],
        render: Render,
        *,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._alive = alive
        self._desk = desk
        self._chats = chats
        self._render = render
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
        """Carry posts. Woken by each commit of this process, and looks each second besides."""
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
        """Take what is due, each room in a task of its own. Returns for how long to rest."""
        try:
            busy = tuple(self._in_hand)
            rest = await self._desk.looking(carriage.due_in, tuple(self._chats), busy)
            self._alive()
            if rest is None or rest:
                seconds = _POLL_SECONDS if rest is None else rest.total_seconds()
                return min(max(seconds, 0.01), _POLL_SECONDS)
            began = time.monotonic()
            taken = await self._desk.acting(
                carriage.take_due, self._holder, tuple(self._chats), _AT_ONCE, self._life, busy
            )
        except Exception as fault:  # the database is away: nothing is lost, look again
            _log.error("outbox.cannot_look", fault=type(fault).__name__)
            return _POLL_SECONDS
        for post in taken:
            task = asyncio.create_task(self._carry(post, began), name=f"outbox {post.lane}")
            self._in_hand[post.lane] = task
        return _POLL_SECONDS

    async def _finish(self) -> None:
        tasks = list(self._in_hand.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _carry(self, post: Taken, began: float) -> None:
        chat = self._chats[post.platform]
        try:
            if post.doubt:
                await self._look_up(chat, post, began)
            else:
                await self._deliver(chat, post, began)
        except Exception as fault:  # it stays in hand until its deadline and is looked up then
            _log.error("outbox.fault", post=post.key, fault=type(fault).__name__)
        finally:
            del self._in_hand[post.lane]
            self._wake.set()

    def _left(self, began: float) -> float | None:
        """Seconds for a call that has to end well within the life; None where it is too late."""
        life = self._life.total_seconds()
        left = began + life * _CUT_OFF_AT - time.monotonic()
        return left if left >= life * _WORTH_BEGINNING else None

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
        left = self._left(began)
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
        left = self._left(began)
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

"""The outbox's own steps one after the other, without its loop: take, draw, call, write back."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from staffbot.desk import carriage, delivery
from staffbot.desk.carriage import Taken
from staffbot.desk.ledger import Desk, Tx
from staffbot.desk.rendering import render
from staffbot.messages import Message
from tests.fakes import FakeChat

_LIFE = timedelta(seconds=600)


def carry(desk: Desk, chat: FakeChat) -> int:
    """Carry everything that is due now to a chat that misbehaves never. Returns how many calls."""
    calls = 0
    while taken := desk.act(carriage.take_due, "test", (chat.platform,), 50, _LIFE):
        for post in taken:
            calls += _carry_one(desk, chat, post)
    return calls


def _carry_one(desk: Desk, chat: FakeChat, post: Taken) -> bool:
    shown, message = desk.look(_draw, post)
    if message is None:
        desk.act(delivery.dropped, post, shown)
        return False
    if post.ref is not None and post.state == "sent":
        done(chat.edit(post.ref, message))
        desk.act(delivery.edited, post, shown)
    elif post.room is not None:
        desk.act(delivery.sent, post, done(chat.post(post.room, message, post.key)), shown)
    else:
        ref = done(chat.direct(post.user_id, message, post.key))
        desk.act(delivery.sent, post, ref, shown)
    return True


def _draw(tx: Tx, post: Taken) -> tuple[int, Message | None]:
    return carriage.wanted_now(tx, post), render(tx, post)


def done(call: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the chat waits for something")

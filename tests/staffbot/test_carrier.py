"""The loop under posts and answers: a call that could not end within its lease is not begun."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Concatenate, ParamSpec, TypeVar

from staffbot.desk import mailroom
from staffbot.desk.ledger import Desk, Tx
from staffbot.messages import Message
from staffbot.outbox import Outbox
from staffbot.replier import Replier
from staffbot.tables import posts
from tests.fakes import FakeChat
from tests.library import CHANNEL, Library
from tests.staffbot.answered import Answered, until

P = ParamSpec("P")
R = TypeVar("R")
LIFE = timedelta(seconds=1)


class Slow(Desk):
    """A desk whose database takes most of a lease to say what is due, for as long as it is slow."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            desk.store,
            replace(desk.settings, delivery=replace(desk.settings.delivery, request_life=LIFE)),
            desk.clock,
        )
        self.slow = True
        self.taken = 0

    def act(
        self, use_case: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        found = super().act(use_case, *args, **kwargs)
        if getattr(use_case, "__name__", "") == "take_due":
            self.taken += bool(found)
            if self.slow:
                time.sleep(0.5 * LIFE.total_seconds())
        return found


async def test_an_answer_is_put_back_where_its_lease_is_nearly_over(
    sqlite_library: Library,
) -> None:
    answered = Answered(sqlite_library)
    number = sqlite_library.arrives(native_id="n")
    await answered.send(await answered.form(number), "We do.")
    desk = Slow(sqlite_library.desk)
    replier = Replier(desk, {"social": answered.network})
    task = asyncio.create_task(replier.run())
    await until(lambda: desk.taken > 2)
    assert answered.network.calls == []
    desk.slow = False
    await until(lambda: not answered.on_the_way())
    replier.stop()
    await task
    assert answered.network.calls == ["reply"]


async def test_a_post_is_put_back_where_its_lease_is_nearly_over(sqlite_library: Library) -> None:
    library, chat = sqlite_library, FakeChat(platform="local")
    library.desk.act(
        mailroom.want, key="told:1", kind="notice", platform="local", room=CHANNEL, detail={}
    )
    desk = Slow(library.desk)
    outbox = Outbox(desk, {"local": chat}, lambda _tx, post: Message(text=post.key))
    task = asyncio.create_task(outbox.run())
    await until(lambda: desk.taken > 2)
    assert chat.calls == []
    desk.slow = False
    await until(lambda: [row.state for row in library.rows(posts)] == ["sent"])
    outbox.stop()
    await task
    assert [key for _, key in chat.calls] == ["told:1"]

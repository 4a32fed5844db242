"""What people do: through the commands that they would type. Some forget, until they are reminded."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from staffbot.desk.ledger import Desk, Tx, mention_of
from staffbot.model import Mention, Status
from staffbot.tables import mentions
from tests.month.world import DEPUTY, MANAGER, STAFF

Say = Callable[[str, str], Awaitable[str]]

_TOPICS = ("", "", "", " idea", " thanks", " question", " complaint, service")


def unfinished(tx: Tx) -> list[Mention]:
    """Every open and claimed mention, oldest first."""
    rows = tx.conn.execute(
        select(mentions).where(mentions.c.status != Status.CLOSED).order_by(mentions.c.number)
    )
    return [mention_of(row) for row in rows]


@dataclass(slots=True)
class Staff:
    """`say(person, command)` types a command; `forgotten` are claims that their owner thinks done."""

    chance: random.Random
    say: Say
    forgotten: set[int] = field(default_factory=set)
    waiting: dict[int, datetime] = field(default_factory=dict)

    async def work(self, desk: Desk, now: datetime) -> None:
        """A stretch of an open day: everyone who is here does a thing or two."""
        todo = desk.look(unfinished)
        for person in (*STAFF, *STAFF):
            if self.chance.random() < 0.15:
                continue
            mine = [m for m in todo if m.owner == person and m.number not in self.forgotten]
            mine = [m for m in mine if m.waiting_since is None and m.snoozed_until is None]
            free = [m for m in todo if m.owner is None and m.waiting_since is None]
            if mine and self.chance.random() < 0.75:
                chosen = self.chance.choice(mine[:4])
                await self.finish(person, chosen, now)
            elif free and self.chance.random() < 0.8:
                chosen = self.chance.choice(free[:6])
                await self.take(person, chosen)
            else:
                continue
            todo.remove(chosen)

    async def take(self, person: str, mention: Mention) -> None:
        number = mention.number
        if not mention.expects_answer and self.chance.random() < 0.7:
            await self.say(person, f"close {number} as no answer needed")
            return
        if self.chance.random() < 0.25:
            await self.say(person, f"done {number}{self.chance.choice(_TOPICS)}")
            return
        await self.say(person, f"claim {number}")
        if self.chance.random() < 0.06:
            self.forgotten.add(number)

    async def finish(self, person: str, mention: Mention, now: datetime) -> None:
        number, dice = mention.number, self.chance.random()
        if dice < 0.62:
            await self.say(person, f"done {number}{self.chance.choice(_TOPICS)}")
            if self.chance.random() < 0.03:
                await self.say(person, "undo")
        elif dice < 0.70:
            outcome = self.chance.choice(("no answer needed", "spam", "not for us", "passed on"))
            await self.say(person, f"close {number} as {outcome}")
        elif dice < 0.78 and mention.expects_answer:
            await self.say(person, f"wait {number}")
            self.waiting[number] = now + timedelta(hours=self.chance.randrange(1, 60))
        elif dice < 0.83:
            await self.say(
                person, f"snooze {number} {self.chance.choice(('1h', '3h', 'tomorrow'))}"
            )
        elif dice < 0.87:
            await self.say(person, f"release {number}")
        elif dice < 0.90:
            other = self.chance.choice([key for key in STAFF if key != person])
            await self.say(person, f"assign {number} to {other}")
        elif dice < 0.93:
            await self.say(person, f"note {number} called back, nobody was there")
        elif dice < 0.95:
            await self.say(person, f"private {number}")
        elif dice < 0.96:
            await self.say(person, f"thanks {number}")
        else:
            self.forgotten.add(number)

    async def reminded(self, person: str, numbers: list[int], now: datetime) -> None:
        """Somebody reads a reminder: does something about it, or nothing at all."""
        for number in numbers:
            dice = self.chance.random()
            if dice < 0.45:
                self.forgotten.discard(number)
            elif dice < 0.60:
                await self.say(person, f"done {number}")
            elif dice < 0.70:
                await self.say(person, f"still {number}")
            elif dice < 0.78:
                await self.say(person, f"snooze {number} opening")

    async def escalated(self, person: str, numbers: list[int]) -> None:
        """A manager gives what waited too long to somebody who is here."""
        for number in numbers[:5]:
            if self.chance.random() < 0.5:
                await self.say(person, f"assign {number} to {self.chance.choice(STAFF)}")
                self.forgotten.discard(number)

    async def calendar(self, day: int, at: str) -> None:
        """What is known beforehand: absences, closures, wishes. `day` counts from 0, `at` is HH:MM."""
        for person, command in _CALENDAR.get((day, at), ()):
            await self.say(person, command)


_CALENDAR: dict[tuple[int, str], tuple[tuple[str, str], ...]] = {
    (0, "09:00"): (
        ("ben", "settings nags channel"),
        ("cleo", "settings quiet 12:00-14:30"),
    ),
    (2, "16:00"): (("dev", "away until fri 9am"),),
    (3, "10:30"): (("eva", "hand over"),),
    (7, "11:00"): (("finn", 'hours close today "burst pipe"'),),
    (9, "10:00"): ((MANAGER, "away until 2026-03-16"),),
    (10, "09:30"): (("ana", "hours close 2026-03-18 14:00-18:00"),),
    (11, "15:00"): (("ana", "away until mon 9am"),),
    (14, "10:00"): (("ana", "back"), (DEPUTY, "away until 2026-03-20")),
    (15, "12:00"): (("ben", "hand over to cleo"),),
    (18, "17:30"): (("eva", "hours close until 11:00"),),
    (21, "09:30"): (("finn", "away until thu 9am"), ("cleo", "settings quiet off")),
    (22, "14:30"): (("dev", "hours open sun 13:00-16:00"),),
    (24, "10:00"): (("ben", "settings nags direct"),),
}

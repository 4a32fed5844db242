"""Steps the clock of a month through the whole program, and lets everyone watch after each step."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from staffbot.desk import digests, pausing, pulse, reminding, storms
from staffbot.desk.arrivals import take_in
from staffbot.desk.ledger import Desk
from staffbot.desk.people import sync_staff
from staffbot.dispatch import Dispatch
from staffbot.messages import Message
from staffbot.model import Actor, IncomingMention, MessageRef, Room
from staffbot.network import Batch
from staffbot.store import Store
from tests.carrying import carry
from tests.fakes import FakeChat
from tests.library import HandClock
from tests.month.staff import Staff
from tests.month.watching import Seen, Watch
from tests.month.world import (
    CHANNEL,
    DAYS,
    DOWN,
    FIRST_DAY,
    OUTAGES,
    ZONE,
    World,
    local,
    settings,
    within,
)


@dataclass(slots=True)
class WatchedChat(FakeChat):
    """Remembers everything that was ever shown, with the time of the library's clock."""

    platform: str = "fake"
    clock: HandClock = field(default_factory=HandClock)
    seen: list[Seen] = field(default_factory=list)

    async def post(self, room: Room, message: Message, key: str) -> MessageRef:
        self.seen.append(Seen(at=self.clock.now, room=room, key=key, message=message))
        # Not super(): a dataclass with slots is made anew, and its methods know the old one.
        return await FakeChat.post(self, room, message, key)

    async def direct(self, user_id: str, message: Message, key: str) -> MessageRef:
        room = self.letters(user_id)
        self.seen.append(Seen(at=self.clock.now, room=room, key=key, message=message))
        return await FakeChat.direct(self, user_id, message, key)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        key = self.history[ref.id].key
        seen = Seen(at=self.clock.now, room=ref.room, key=key, message=message, edit=True)
        self.seen.append(seen)
        await FakeChat.edit(self, ref, message)


def moments() -> Iterator[datetime]:
    """Each quarter of an hour while staff may be there, less often before and after, seldom by night."""
    at, end = local(FIRST_DAY, 7), local(FIRST_DAY + timedelta(days=DAYS), 0)
    while at < end:
        yield at
        wall = at.astimezone(ZONE)
        there = wall.weekday() < 6 and 8 <= wall.hour < 19
        at += timedelta(minutes=15 if there else 60 if 6 <= wall.hour < 22 else 180)


class Month:
    """A library, its patrons and its staff for a month, by the seed."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.seed = seed
        self.clock = HandClock(local(FIRST_DAY, 6))
        self.steps = 0
        self.chance = random.Random(self.seed)
        self.world = World(random.Random(self.seed + 1000))
        self.posts = self.world.month()
        self.first = {post.conversation: post for post in self.posts}
        self.desk = Desk(Store.open(self.url), settings(self.url), self.clock)
        self.dispatch = Dispatch(self.desk)
        self.chat = WatchedChat(clock=self.clock)
        self.watch = Watch(self.desk, self.chat)
        self.staff = Staff(self.chance, self.say)
        self.unread: dict[str, list[list[int]]] = defaultdict(list)
        self.was_down = False
        self.read_to = 0

    async def say(self, person: str, command: str) -> str:
        """Type a command in the channel; what it says back, in one line."""
        actor = Actor(platform="fake", user_id=person, name=person.capitalize(), room=CHANNEL)
        reply = await self.dispatch.command(actor, command)
        assert isinstance(reply, Message), (command, reply)
        assert "our fault" not in reply.text, (command, reply.text)
        return reply.text

    def report(self) -> str:
        """What the month was, in figures."""
        posts = sum(not seen.edit for seen in self.chat.seen)
        kinds = Counter(seen.kind for seen in self.chat.seen if not seen.edit)
        return (
            f"seed {self.seed}: {self.steps} steps, {posts} posts and "
            f"{len(self.chat.seen) - posts} edits, {dict(sorted(kinds.items()))}, "
            f"most reminders of a person and day {max(self.watch.a_day.values(), default=0)}"
        )

    async def run(self) -> None:
        self.desk.act(sync_staff)
        for now in moments():
            self.clock.now = now
            if within(DOWN, now):
                self.was_down = True
                continue
            await self.step(now)
            self.steps += 1

    async def step(self, now: datetime) -> None:
        """Patrons post, the bells ring, the outbox carries; then people read and do things."""
        self.desk.act(pulse.started if self.was_down or not self.steps else pulse.beat)
        self.was_down = False
        self._take_in(now)
        for look in (storms.calm, pausing.end_snoozes, digests.ring):
            self.desk.act(look)
        while self.desk.act(reminding.sweep).full:
            pass
        late = within(OUTAGES, now)
        if not late:
            carry(self.desk, self.chat)
        new = self.chat.seen[self.read_to :]
        self.read_to = len(self.chat.seen)
        self.watch.look(new, now, late=late)
        await self._people(new, now)

    async def _people(self, new: list[Seen], now: datetime) -> None:
        hours = self.desk.look(lambda tx: tx.hours("adult"))
        at = hours.local(now)
        await self.staff.calendar((at.date() - FIRST_DAY).days, f"{at:%H:%M}")
        if hours.is_open(now):
            await self._read_reminders(now)
            await self.staff.work(self.desk, now)
        self._keep_for_reading(new)

    def _take_in(self, now: datetime) -> None:
        """What patrons posted since the last look, and those write again who were waited for."""
        due: list[IncomingMention] = []
        while self.posts and self.posts[0].posted_at <= now:
            due.append(self.posts.pop(0))
        for number, at in sorted(self.staff.waiting.items()):
            if at <= now:
                del self.staff.waiting[number]
                first = self.watch.posted_as(number, self.first)
                if first is not None and self.chance.random() < 0.7:
                    due.append(self.world.follow_up(first, now))
        for source in sorted({post.source for post in due}):
            ours = tuple(post for post in due if post.source == source)
            self.desk.act(take_in, source=source, batch=Batch(mentions=ours, cursor=str(now)))

    def _keep_for_reading(self, new: list[Seen]) -> None:
        for seen in new:
            if seen.key.startswith("nag:") and not seen.edit:
                self.unread[seen.key].append(self.watch.numbers_of(seen))

    async def _read_reminders(self, now: datetime) -> None:
        for key in sorted(self.unread):
            about, person = key.split(":")[1:3]
            for numbers in self.unread[key]:
                if about == "manager":
                    await self.staff.escalated(person, numbers)
                else:
                    await self.staff.reminded(person, numbers, now)
        self.unread.clear()

"""Working fakes of the two seams: a chat platform and a network, kept in memory. No mocks.

Both can be told to misbehave, one call at a time, as real ones do.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import count

from staffbot.errors import DeliveryError, MessageGone, SourceError
from staffbot.messages import Message
from staffbot.model import Clock, MessageRef, Room, system_clock
from staffbot.network import Answering, Batch, Change, Conversation, Replied, ReplyLimit


class Fault(Enum):
    """What a call to a chat platform can meet."""

    SERVER_ERROR = auto()  # 500: not taken
    LIMITED = auto()  # 429 with Retry-After: not taken
    REFUSED = auto()  # the platform will never take this one
    CUT_BEFORE = auto()  # the connection broke before the platform read it: nobody knows
    CUT_AFTER = auto()  # the platform took it, the answer was lost: nobody knows
    HANGS_BEFORE = auto()  # no answer, and not taken
    HANGS_AFTER = auto()  # no answer, although taken
    RAISES = auto()  # a fault of the door's own, not a DeliveryError


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A message as the platform shows it."""

    ref: MessageRef
    key: str
    message: Message
    edits: int = 0


@dataclass(slots=True)
class FakeChat:
    """A chat platform in memory: rooms, history, look-up by key.

    `faults[operation]` (post, edit, find, direct) are met one by one, then all is well again;
    `down` rooms answer with a server error until taken out; `slow` rooms wait for their event.
    """

    platform: str = "fake"
    retry_after: float = 0.05
    history: dict[str, Standing] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    down: set[Room] = field(default_factory=set)
    slow: dict[Room, asyncio.Event] = field(default_factory=dict)
    _ids: count[int] = field(init=False)

    def __post_init__(self) -> None:
        self._ids = count(max((int(id_) for id_ in self.history), default=0) + 1)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def post(self, room: Room, message: Message, key: str) -> MessageRef:
        return await self._new("post", room, message, key)

    async def direct(self, user_id: str, message: Message, key: str) -> MessageRef:
        return await self._new("direct", self.letters(user_id), message, key)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        fault = await self._meet("edit", ref.room, ref.id)
        if ref.id not in self.history:
            raise MessageGone(f"the message {ref.id} is no longer there")
        standing = self.history[ref.id]
        self.history[ref.id] = replace(standing, message=message, edits=standing.edits + 1)
        await _lose_answer(fault)

    async def find(self, room: Room, key: str) -> MessageRef | None:
        await self._meet("find", room, key)
        found = (s.ref for s in self.history.values() if s.ref.room == room and s.key == key)
        return next(found, None)

    def letters(self, user_id: str) -> Room:
        """Where a person's direct messages stand."""
        return Room(platform=self.platform, id=f"direct:{user_id}")

    def in_room(self, room: Room) -> list[Standing]:
        """What stands in a room, oldest first."""
        return [standing for standing in self.history.values() if standing.ref.room == room]

    def texts(self, room: Room) -> list[str]:
        return [standing.message.text for standing in self.in_room(room)]

    def keys(self) -> list[str]:
        """The key of every message that stands anywhere, oldest first."""
        return [standing.key for standing in self.history.values()]

    def delete(self, ref: MessageRef) -> None:
        """Somebody deletes a message by hand."""
        del self.history[ref.id]

    async def _new(self, operation: str, room: Room, message: Message, key: str) -> MessageRef:
        fault = await self._meet(operation, room, key)
        ref = MessageRef(room=room, id=str(next(self._ids)))
        self.history[ref.id] = Standing(ref=ref, key=key, message=message)
        await _lose_answer(fault)
        return ref

    async def _meet(self, operation: str, room: Room, about: str) -> Fault | None:
        self.calls.append((operation, about))
        if room in self.slow:
            await self.slow[room].wait()
        if room in self.down:
            raise DeliveryError("the platform has an internal error (500)")
        waiting = self.faults[operation]
        fault = waiting.popleft() if waiting else None
        return await _meet(fault, self.retry_after)


async def _meet(fault: Fault | None, retry_after: float) -> Fault | None:
    """Fail before anything is taken; a fault that comes after it is handed on."""
    match fault:
        case Fault.SERVER_ERROR:
            raise DeliveryError("the platform has an internal error (500)")
        case Fault.LIMITED:
            raise DeliveryError("too many requests (429)", retry_after=retry_after)
        case Fault.REFUSED:
            raise DeliveryError("invalid blocks", permanent=True)
        case Fault.CUT_BEFORE:
            raise DeliveryError("the connection broke", ambiguous=True)
        case Fault.HANGS_BEFORE:
            await asyncio.Event().wait()
        case Fault.RAISES:
            raise RuntimeError("a fault of the door's own")
        case Fault.CUT_AFTER | Fault.HANGS_AFTER | None:
            pass
    return fault


async def _lose_answer(fault: Fault | None) -> None:
    if fault is Fault.CUT_AFTER:
        raise DeliveryError("the connection broke", ambiguous=True)
    if fault is Fault.HANGS_AFTER:
        await asyncio.Event().wait()


@dataclass(slots=True)
class FakeSource:
    """A network in memory. Yields the batches it is given, one a fetch, then empty ones.

    A batch's cursor is handed back at the next fetch, as `cursors` shows. An exception among the
    batches is raised instead. `hangs` makes a fetch wait for the event.
    """

    name: str = "fake"
    batches: deque[Batch | SourceError | Exception] = field(default_factory=deque)
    changes: deque[Change] = field(default_factory=deque)
    cursors: list[str | None] = field(default_factory=list)
    looked_at: list[Conversation] = field(default_factory=list)
    hangs: asyncio.Event | None = None

    def give(self, *batches: Batch | Exception) -> None:
        self.batches.extend(batches)

    async def fetch(self, cursor: str | None) -> Batch:
        self.cursors.append(cursor)
        if self.hangs is not None:
            await self.hangs.wait()
        if not self.batches:
            return Batch(cursor=cursor)
        batch = self.batches.popleft()
        if isinstance(batch, Exception):
            raise batch
        return batch

    async def look(self, conversations: Iterable[Conversation]) -> tuple[Change, ...]:
        self.looked_at.extend(conversations)
        noticed = tuple(self.changes)
        self.changes.clear()
        return noticed


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingReply:
    """An answer of the library's as a network shows it."""

    key: str
    to: Answering
    text: str
    replied: Replied


@dataclass(slots=True)
class FakeNetwork(FakeSource):
    """A network that can be answered, in memory. Takes whatever it is given, as often as it is.

    `faults[operation]` (reply, find) are met one by one, as with FakeChat.
    """

    limit: ReplyLimit | None = field(default_factory=lambda: ReplyLimit(most=300, private=True))
    clock: Clock = system_clock
    replies: list[StandingReply] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    retry_after: float = 0.05

    async def reply(self, to: Answering, text: str, key: str) -> Replied:
        fault = await self._meet("reply")
        place = len(self.replies) + 1
        replied = Replied(
            at=self.clock(),
            native_id=f"ours{place}",
            permalink=f"https://social.example/ours{place}",
        )
        self.replies.append(StandingReply(key=key, to=to, text=text, replied=replied))
        await _lose_answer(fault)
        return replied

    async def find_reply(self, to: Answering, text: str, key: str) -> Replied | None:
        fault = await self._meet("find")
        found = next((one.replied for one in self.replies if one.key == key), None)
        await _lose_answer(fault)
        return found

    async def _meet(self, operation: str) -> Fault | None:
        self.calls.append(operation)
        waiting = self.faults[operation]
        return await _meet(waiting.popleft() if waiting else None, self.retry_after)

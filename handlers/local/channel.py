"""The channel itself: rooms, messages and open pages, as a chat server would keep them.

A message's reference is on disk; what it says is in memory for the newest ones, and otherwise asked
of the desk by the outbox key. Knows no HTTP and decides nothing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from handlers.local.patron import PatronBox
from handlers.local.references import Reference, References
from handlers.local.view import Json, message_json
from staffbot.errors import DeliveryError, MessageGone, StoreError
from staffbot.messages import Message
from staffbot.model import Actor, Clock, MessageRef, Person, Room
from staffbot.seams import Desk

P = ParamSpec("P")
T = TypeVar("T")

PLATFORM = "local"
DIRECT = "direct:"  # begins the room of a person's direct messages
PAGE = 60  # messages of a room that are sent to a page at once
IN_MEMORY = 500  # messages whose contents are kept; older ones are asked of the desk
BEHIND = 200  # events that a page may be behind before it has to load the channel anew

# Where the configuration names nobody, the one who sits at this machine.
SOMEONE = Person(key="local", name="You, at this desk", ids={PLATFORM: "local"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A room as the page shows it."""

    room: Room
    name: str
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something for open pages: posted, edited, direct, deleted. `user` where it is for one alone."""

    name: str
    data: Json
    user: str = ""


class Listener:
    """One open page. `None` in its queue ends the stream."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue()

    def hear(self, event: Event) -> None:
        if self.queue.qsize() >= BEHIND:
            self.end()
        else:
            self.queue.put_nowait(event)

    def end(self) -> None:
        self.queue.put_nowait(None)


class Channel:
    def __init__(
        self,
        *,
        desk: Desk,
        clock: Clock,
        references: References,
        library: str,
        places: Sequence[Place],
        root: str = "lib",
        patron: PatronBox | None = None,
    ) -> None:
        self.desk = desk
        self.clock = clock
        self.library = library
        self.root = root
        self.places = tuple(places)
        self.patron = patron
        self._references = references
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self._listeners: set[Listener] = set()

    # --- messages ---------------------------------------------------------------------------

    async def post(self, room: Room, message: Message, key: str) -> MessageRef:
        """The message of that key: posted now, or the one that was posted before."""
        remember, at = self._references.remember, self.clock()
        found, new = await _stored(remember, room, key, message.mention, at)
        if found.id not in self._messages and not found.deleted:
            self._keep(found.id, message)
        if new:
            user = _person_of(room)
            data = message_json(message, found)
            self._tell(Event(name="direct" if user else "posted", data=data, user=user))
        return MessageRef(room=room, id=found.id)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        found = await self.reference(ref.id)
        if found is None and message.collapsed and await _stored(self._references.let_go, ref.id):
            return  # a closed card that scrolled out of memory is not shown anew
        if found is None or found.deleted:
            raise MessageGone(f"Message {ref.id} of the local page is no longer there.")
        self._keep(found.id, message)
        user = _person_of(found.room)
        self._tell(Event(name="edited", data=message_json(message, found), user=user))

    async def find(self, room: Room, key: str) -> MessageRef | None:
        found = await _stored(self._references.by_key, room, key)
        if found is None or found.deleted:
            return None
        return MessageRef(room=found.room, id=found.id)

    async def delete(self, id: str) -> bool:
        """Somebody removes a message by hand, as they can on any platform."""
        found = await self.reference(id)
        if found is None or found.deleted:
            return False
        await _stored(self._references.delete, id)
        self._messages.pop(id, None)
        data = {"id": id, "room": found.room.id}
        self._tell(Event(name="deleted", data=data, user=_person_of(found.room)))
        return True

    async def history(self, room: Room, before: str = "") -> list[Json]:
        """The newest messages of a room as they read now, oldest first."""
        found = await _stored(self._references.latest, room, PAGE, before)
        rendered = [(reference, await self._says(reference)) for reference in found]
        return [message_json(message, ref) for ref, message in rendered if message is not None]

    async def reference(self, id: str) -> Reference | None:
        return await _stored(self._references.by_id, id)

    # --- people and rooms -------------------------------------------------------------------

    async def people(self) -> list[Person]:
        """Whom one can act as here."""
        staff = [person for person in await self.desk.staff() if PLATFORM in person.ids]
        return staff or [SOMEONE]

    async def actor(self, user: str, room: str = "") -> Actor | None:
        """The acting person as this platform shows them; None where nobody has that id."""
        for person in await self.people():
            if person.ids[PLATFORM] == user:
                place = self.room(room)
                return Actor(platform=PLATFORM, user_id=user, name=person.name, room=place)
        return None

    def room(self, id: str) -> Room | None:
        """The room of that id, else the first one."""
        rooms = [place.room for place in self.places]
        return next((room for room in rooms if room.id == id), rooms[0] if rooms else None)

    def room_of(self, user: str) -> Room:
        """Where the direct messages to a person stand."""
        return Room(platform=PLATFORM, id=f"{DIRECT}{user}")

    # --- open pages -------------------------------------------------------------------------

    def listen(self, user: str) -> Listener:
        listener = Listener(user)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def end(self) -> None:
        """Let every open page go; they come back by themselves."""
        for listener in self._listeners:
            listener.end()

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            if event.user in ("", listener.user):
                listener.hear(event)

    def close(self) -> None:
        """Let go of the file; it is opened again where it is needed after all."""
        self._references.close()

    # --- contents ---------------------------------------------------------------------------

    async def _says(self, reference: Reference) -> Message | None:
        if reference.id not in self._messages:
            message = await self.desk.shown(reference.key)
            # An edit that came in while the desk was asked is the newer word.
            if message is not None and reference.id not in self._messages:
                self._keep(reference.id, message)
                return message
        return self._messages.get(reference.id)

    def _keep(self, id: str, message: Message) -> None:
        self._messages[id] = message
        self._messages.move_to_end(id)
        while len(self._messages) > IN_MEMORY:
            self._messages.popitem(last=False)


def _person_of(room: Room) -> str:
    """Whose direct messages these are; empty for a team's room."""
    return room.id.removeprefix(DIRECT) if room.id.startswith(DIRECT) else ""


async def _stored(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run in a thread: the file is on a disk that may be slow."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except StoreError as error:
        raise DeliveryError(str(error)) from error

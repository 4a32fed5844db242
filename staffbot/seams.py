"""What a door and a network bring along, and what a door is given. Knows no implementation of either.

Doors and networks are found through entry points (groups `staffbot.handlers`, `staffbot.sources`),
each of which names a `Door` or a `Network` value.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from staffbot.messages import Message, Reply
from staffbot.model import Actor, Clock, MessageRef, Person, Room
from staffbot.network import Pushes, Route, Source
from staffbot.settings import DoorSettings, Settings, SourceSettings
from staffbot.settings import Network as NetworkSettings

# Named here because `Network.type` hides the builtin from the fields behind it.
Options = type[BaseModel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `staffbot check`: whether it is well, what was looked at, what to do."""

    ok: bool
    subject: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A way to go on with a command line that is being typed."""

    text: str
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What somebody left on a message and what can be read there afterwards, as a reaction can.

    verb  what it asks for
    act   its name: the same one, whether it was heard as it was left or read later
    """

    user_id: str
    on: MessageRef
    verb: str
    act: str


@runtime_checkable
class Chat(Protocol):
    """A chat platform, written to.

    `post`, `edit`, `find` and `direct` raise DeliveryError; `key` is the outbox key, under which
    `find` recognises a post that arrived although nobody was told.
    """

    platform: str

    async def run(self) -> None: ...

    async def post(self, room: Room, message: Message, key: str) -> MessageRef: ...

    async def edit(self, ref: MessageRef, message: Message) -> None: ...

    async def find(self, room: Room, key: str) -> MessageRef | None: ...

    async def direct(self, user_id: str, message: Message, key: str) -> MessageRef: ...


class Desk(Protocol):
    """What every door calls, and nothing else: `dispatch.Dispatch` is the one real one.

    None of these raises for what a person did: a refusal is a Message for the person who asked.
    A returned answer means that its effect is stored.
    """

    async def command(self, actor: Actor, text: str) -> Reply:
        """A typed command without its root: `claim 42`."""
        ...

    async def press(
        self, actor: Actor, control: str, mention: int | None = None, value: str = ""
    ) -> Reply:
        """A button or choice of a message was used."""
        ...

    async def submit(
        self, actor: Actor, form: str, mention: int | None, values: Mapping[str, str | list[str]]
    ) -> Reply:
        """A form was filled in."""
        ...

    async def complete(self, actor: Actor, text: str) -> Sequence[Completion]:
        """How the command line `text` can go on."""
        ...

    async def shown(self, key: str) -> Message | None:
        """What the post of that outbox key says now; None where it says nothing any more."""
        ...

    async def staff(self) -> Sequence[Person]:
        """Everyone known to work here."""
        ...

    async def last_heard(self, platform: str) -> datetime | None:
        """Until when that platform was heard, before this run too; None where it never was."""
        ...

    async def heard(self, platform: str, at: datetime) -> None:
        """That platform was heard until then: nothing before it has to be read afterwards."""
        ...

    async def unheard(self, marks: Sequence[Mark]) -> Sequence[Mark]:
        """Of marks read afterwards, those that nobody told of before and that still ask for
        something. The others on cards count as heard from now on.
        """
        ...

    async def noted(self, marks: Sequence[Mark]) -> None:
        """These count as heard, whatever came of them."""
        ...

    async def opened(self, room: Room) -> None:
        """That room may be written to again: what waits for it is tried once more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A kind of source. `options` validates what stands under its `[[sources]]` entry.

    `open` makes one source of it; `check` looks whether it can be reached, for `staffbot check`.
    """

    type: str
    options: Options
    open: Callable[[SourceSettings, NetworkSettings, Clock], Source | Pushes]
    check: Callable[[SourceSettings, NetworkSettings], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A kind of chat platform. `options` validates its `[platform]` table.

    `open` makes the Chat, which is given the desk; `routes` are its paths on the public listener;
    `commands` is a typer app that the command line shows under the platform's name, or None;
    `ping` sends the person of that id a button and waits for their press, or is None.
    """

    platform: str
    options: Options
    open: Callable[[DoorSettings, Settings, Desk, Clock], Chat]
    check: Callable[[DoorSettings, Settings], Awaitable[Sequence[Finding]]]
    routes: Callable[[Chat], Sequence[Route]]
    commands: Any = None
    ping: Callable[[DoorSettings, Settings, str], Awaitable[Finding]] | None = None

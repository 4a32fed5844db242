"""For tests of the clock: a library whose posts are carried at once to a chat in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from staffbot.desk import digests, pausing, pulse, reminding
from staffbot.desk.reminding import Swept
from staffbot.messages import Button, Message, Row
from staffbot.settings import Delivery
from tests.carrying import carry
from tests.fakes import FakeChat, Standing
from tests.library import CHANNEL, Library

BERLIN = ZoneInfo("Europe/Berlin")


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026 on the library's clock. The 3rd is a Tuesday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


@dataclass(slots=True)
class Clockwork:
    """`at` moves the clock and rings: sweep, digests, outbox, as the program does."""

    library: Library
    chat: FakeChat = field(default_factory=lambda: FakeChat(platform="local"))
    outbox_is_late: bool = False

    def __post_init__(self) -> None:
        self.library.reconfigure(delivery=Delivery(edit_every=timedelta(0)))

    def do(self, use_case: Any, *args: Any, **kwargs: Any) -> Any:
        return self.library.desk.act(use_case, *args, **kwargs)

    def person(self, key: str) -> Any:
        return self.library.person(key)

    def at(self, moment: datetime) -> Swept:
        self.library.clock.now = moment
        return self.ring()

    def ring(self) -> Swept:
        self.do(pulse.beat)
        self.do(pausing.end_snoozes)
        self.do(digests.ring)
        swept: Swept = self.do(reminding.sweep)
        self.carry()
        return swept

    def carry(self) -> None:
        if not self.outbox_is_late:
            carry(self.library.desk, self.chat)

    def kind(self, kind: str) -> list[Standing]:
        return [one for one in self.chat.history.values() if one.key.startswith(f"{kind}:")]

    def letters(self, person: str) -> list[Message]:
        """The reminders that a person got directly, oldest first."""
        mine = self.chat.in_room(self.chat.letters(person))
        return [one.message for one in mine if one.key.startswith("nag:")]

    def lines(self) -> list[str]:
        return [one.message.text for one in self.kind("line")]

    def notices(self) -> list[Message]:
        return [one.message for one in self.kind("notice")]

    def offers(self) -> list[Message]:
        return [one.message for one in self.kind("offer")]

    def digests(self) -> list[Message]:
        return [one.message for one in self.kind("digest") if one.ref.room == CHANNEL]


def named(message: Message) -> list[int]:
    """The mentions of a list."""
    return [part.mention for part in message.parts if isinstance(part, Row)]


def buttons(message: Message) -> list[str]:
    """The names of the controls below a message and in its rows."""
    of_rows = [
        control for part in message.parts if isinstance(part, Row) for control in part.controls
    ]
    return [c.name for c in (*of_rows, *message.controls) if isinstance(c, Button)]

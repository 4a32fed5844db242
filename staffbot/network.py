"""The seam to networks: what a source hands over, is asked, and answers through.

Knows no network in particular, no database and no chat platform. Moments are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from staffbot.model import IncomingMention, Patron, Visibility

# --- what it hands over -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The words as they are at the source now, which a patron may have changed.

    held  whether they wait for moderation there; None where the source does not tell
    """

    native_id: str
    text: str
    at: datetime
    held: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """The patron took their words back at the source."""

    native_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredAtSource:
    """One of the library's own accounts answered on the network itself."""

    native_id: str
    at: datetime
    account: str
    permalink: str = ""


Change = Edited | Deleted | AnsweredAtSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One answer of a source: what is new, what changed, and where to go on next time.

    `next_in_seconds` is the network's own wish for the next look, or None.
    """

    mentions: tuple[IncomingMention, ...] = ()
    changes: tuple[Change, ...] = ()
    cursor: str | None = None
    next_in_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A mention that a source is asked to look at again."""

    native_id: str
    conversation: str
    permalink: str


# --- what it can do -----------------------------------------------------------------------------


@runtime_checkable
class Source(Protocol):
    """A network, read. One `fetch` has to end by itself; it raises SourceError."""

    name: str

    async def fetch(self, cursor: str | None) -> Batch: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What became of a batch.

    new        mentions of their own        followed_up   further posts to one that was there
    repeated   known already, no effect     too_old       from before the first run's look-back
    changed    edits and deletions          parked        could not be stored; said in health
    replay     the whole signed delivery was stored before; nothing was done
    """

    new: int = 0
    followed_up: int = 0
    repeated: int = 0
    too_old: int = 0
    changed: int = 0
    parked: int = 0
    replay: bool = False


class TakeIn(Protocol):
    """Stores a batch; returns only once it is committed. `delivery` names it, to be had once."""

    async def __call__(self, batch: Batch, delivery: str | None = None) -> TakenIn: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a route is given: an HTTP request without the web framework."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A path on the public listener. `limit` is the largest body in bytes; over it is 413."""

    method: str
    path: str
    handle: Callable[[Request], Awaitable[Response]]
    limit: int = 256 * 1024


class Pushes(Protocol):
    """A source that is called by its network: it hands batches on and answers once stored."""

    name: str

    def routes(self, take_in: TakeIn) -> Sequence[Route]: ...


@runtime_checkable
class Looks(Protocol):
    """A source that can look again at conversations: answers, edits, deletions noticed."""

    name: str

    async def look(self, conversations: Sequence[Conversation]) -> Sequence[Change]: ...


def _none(_: str) -> int:
    return 0


def _nothing(_: Patron) -> str:
    return ""


def _unsaid() -> int | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLimit:
    """How long an answer may be on a network, counted as that network counts.

    told     what the network itself says of `most`, once it was asked; it counts then
    measure  the length of a whole text in `unit`; by code points where nothing else is known
    opening  what every answer begins with there ("@lena "), part of the text and of its length
    beside   the length of what goes along without being text, by the title of what is answered
    private  whether what is kept private is answered to the patron alone there
    """

    most: int
    unit: str = "characters"
    measure: Callable[[str], int] = len
    opening: Callable[[Patron], str] = _nothing
    beside: Callable[[str], int] = _none
    private: bool = False
    told: Callable[[], int | None] = _unsaid

    @property
    def longest(self) -> int:
        """How long a whole text may be, as far as is known now."""
        return self.told() or self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What is answered, as its network knows it; the answer keeps its visibility.

    `written_at` is when the answer was stored: the same at each try. `language` is the patron's,
    and by what everybody does that of the answer too; "" where nobody knows.
    """

    native_id: str
    conversation: str
    permalink: str
    title: str
    patron: Patron
    visibility: Visibility
    written_at: datetime
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """An answer as it stands on the network: when by the network's own clock, and where."""

    at: datetime
    native_id: str = ""
    permalink: str = ""


@runtime_checkable
class Replies(Protocol):
    """A source through which the library can answer. `limit` is None where, as it is set up, it can
    only be read.

    `key` is 32 hex digits, the same at each try of one answer and of no other. Both raise
    DeliveryError: `permanent` where the network will never take this text, `ambiguous` where it may
    have taken it; the core then asks `find_reply` before it sends again. A network that says itself
    "you sent that already" (WordPress: 409 comment_duplicate) is no error: look it up and return it,
    or raise an ambiguous one. `find_reply` finds an answer by key where the network keeps one, else
    by the library's own account, what it answers, and the text; its `permanent` error means that it
    cannot ever be looked up.
    """

    name: str

    @property
    def limit(self) -> ReplyLimit | None: ...

    async def reply(self, to: Answering, text: str, key: str) -> Replied: ...

    async def find_reply(self, to: Answering, text: str, key: str) -> Replied | None: ...

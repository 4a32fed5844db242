"""The nouns of the house: frozen values, enums and the seams' protocols.

Knows no database, no network, no chat platform, no settings. Every moment is an aware datetime
in UTC; every duration is a timedelta unless its name ends in `_seconds`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from staffbot.messages import Message

# Governs due times, hours and digests only; transport uses real time.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The machine's clock, aware, UTC."""
    return datetime.now(UTC)


class Kind(StrEnum):
    """What a patron did. The last four are usually *heard*: about the library, not said to it."""

    MENTION = "mention"
    COMMENT = "comment"
    REPLY = "reply"
    REVIEW = "review"
    MESSAGE = "message"
    QUOTE = "quote"
    HASHTAG = "hashtag"
    SEARCH = "search"
    ENTRY = "entry"


EXPECTS_ANSWER = frozenset({Kind.MENTION, Kind.COMMENT, Kind.REPLY, Kind.REVIEW, Kind.MESSAGE})


class Status(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    CLOSED = "closed"


class Outcome(StrEnum):
    ANSWERED = "answered"
    NO_ANSWER_NEEDED = "no_answer_needed"
    SPAM = "spam"
    NOT_FOR_US = "not_for_us"
    PASSED_ON = "passed_on"


class Visibility(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


class Role(StrEnum):
    """Ordered by what they may do: staff < deputy < manager."""

    STAFF = "staff"
    DEPUTY = "deputy"
    MANAGER = "manager"


class Happened(StrEnum):
    """What an event says happened. State is the fold of these, every figure is counted from them."""

    RECEIVED = "received"
    FOLLOWED_UP = "followed_up"
    CLAIMED = "claimed"
    RELEASED = "released"
    HANDED_OVER = "handed_over"
    ASSIGNED = "assigned"
    MOVED = "moved"
    SNOOZED = "snoozed"
    WAITING = "waiting"
    WOKEN = "woken"
    NAGGED = "nagged"
    ANSWERED = "answered"
    CLOSED = "closed"
    REOPENED = "reopened"
    NOTED = "noted"
    KEPT_PRIVATE = "kept_private"
    MADE_PUBLIC = "made_public"
    READ = "read"
    LINKED = "linked"
    UNLINKED = "unlinked"
    CLOCK_SET = "clock_set"
    RETIMED = "retimed"
    STILL_ON_IT = "still_on_it"
    UNDONE = "undone"
    EDITED = "edited"
    DELETED = "deleted"
    # An answer from chat: written and stored, gone out (beside the first, which is ANSWERED), or not.
    REPLY_WRITTEN = "reply_written"
    REPLIED = "replied"
    REPLY_FAILED = "reply_failed"
    MUTED = "muted"
    UNMUTED = "unmuted"
    CLOSURE_ADDED = "closure_added"
    CLOSURE_ENDED = "closure_ended"
    AWAY = "away"
    BACK = "back"
    DIGESTED = "digested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture or file that a patron attached; linked, never fetched."""

    url: str
    kind: str = "image"
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patron:
    """Who wrote, as the network shows them. Text, so never trusted."""

    name: str
    handle: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMention:
    """A mention as a source yields it. Identity is source + native_id."""

    source: str
    native_id: str
    kind: Kind
    text: str
    patron: Patron
    posted_at: datetime
    permalink: str = ""
    title: str = ""
    conversation: str = ""
    in_reply_to: str = ""
    language: str = ""
    media: tuple[Media, ...] = ()
    visibility: Visibility = Visibility.PUBLIC
    expects_answer: bool | None = None
    held: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A channel of a platform."""

    platform: str
    id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Room:
        platform, _, room = text.partition(":")
        return cls(platform=platform, id=room)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person as one platform shows them; `room` is where they acted, if in a team's channel.

    `role` is what the platform's own roles make of somebody who has no [[staff]] entry; None where
    the configuration does not go by them, or the platform did not tell. Who has an entry keeps its
    role, unless the platform's is more.

    home     a team's channel that they belong to, wherever they act
    thread   the message whose thread they wrote in
    on       the message that they acted on (a reaction): no other mention may be meant
    act      names this one act however often the platform delivers it; it has one effect
    lasting  the act can be read again in the room afterwards, so it is heard once, whatever came of it
    at       when they did it, by the platform's clock, where it may be heard late
    """

    platform: str
    user_id: str
    name: str
    room: Room | None = None
    thread: str = ""
    role: Role | None = None
    home: Room | None = None
    on: str = ""
    act: str = ""
    lasting: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A staff member. `key` is stable and unique; `ids` maps a platform to their id there."""

    key: str
    name: str
    role: Role = Role.STAFF
    shared: bool = False
    sensitive: bool = False
    teams: tuple[str, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)
    preferred_platform: str = ""
    away_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Ours: a row of the ledger, without the patron's words or identity.

    number        short, gapless, spoken aloud
    cycle         grows each time it is reopened
    revision      grows with every change that a card could show
    came_at       when this cycle began: received, reopened, or given a clock
    clock_from    the moment from which open time is counted: came_at, or the next opening
    acted_at      the last act of a person on it
    claim_due_at, answer_due_at   None where there is no clock (or it is stopped)
    """

    number: int
    team: str
    source: str
    kind: Kind
    expects_answer: bool
    private: bool
    status: Status
    outcome: Outcome | None
    topics: tuple[str, ...]
    owner: str | None
    last_owner: str | None
    language: str
    cycle: int
    revision: int
    posted_at: datetime
    received_at: datetime
    came_at: datetime
    clock_from: datetime
    claim_due_at: datetime | None
    answer_due_at: datetime | None
    claimed_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    snoozed_until: datetime | None
    waiting_since: datetime | None
    waited_seconds: int
    next_step_at: datetime | None
    still_asked_at: datetime | None
    acted_at: datetime | None
    touched_at: datetime
    storm: int | None
    linked: int | None
    edited_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the patron wrote, for rendering only. Never logged, never put in an event or a post."""

    text: str
    patron: Patron
    title: str = ""
    permalink: str = ""
    in_reply_to: str = ""
    media: tuple[Media, ...] = ()
    follow_ups: tuple[tuple[datetime, str], ...] = ()
    notes: tuple[tuple[datetime, str, str], ...] = ()
    replies: tuple[tuple[datetime, str, str], ...] = ()
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """Which message of a platform something became."""

    room: Room
    id: str


# --- answers of use cases: values to match on ---------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It happened and is stored. `event` names it for Undo; `said` is the confirming sentence."""

    mention: int | None
    said: str
    event: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyClaimed:
    """Somebody else has it."""

    mention: int
    by: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """Nothing to do: it is as asked already. `said` tells why, in one sentence."""

    mention: int | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """There is no such mention, or it is closed. `said` tells which and what helps."""

    mention: int
    said: str


Answer = Done | AlreadyClaimed | Unchanged | Gone


# --- the seams ----------------------------------------------------------------------------------


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
    private  whether what is kept private is answered to the patron alone there
    """

    most: int
    unit: str = "characters"
    measure: Callable[[str], int] = len
    opening: Callable[[Patron], str] = _nothing
    private: bool = False
    told: Callable[[], int | None] = _unsaid

    @property
    def longest(self) -> int:
        """How long a whole text may be, as far as is known now."""
        return self.told() or self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What is answered, as its network knows it; the answer keeps its visibility.

    `written_at` is when the answer was stored: the same at each try.
    """

    native_id: str
    conversation: str
    permalink: str
    title: str
    patron: Patron
    visibility: Visibility
    written_at: datetime


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

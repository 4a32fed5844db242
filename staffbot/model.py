"""The nouns of the house: frozen values and enums, and what a use case answers.

Knows no database, no network, no chat platform, no settings. Every moment is an aware datetime
in UTC; every duration is a timedelta unless its name ends in `_seconds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

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
    RESTORED = "restored"  # there again at the source, as a comment that was no spam after all
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
    """Who wrote, as the network shows them. Text, so never trusted.

    `nameless`: the network told of nobody, and `name` is a word of ours that stands for them; two
    such are not one author.
    """

    name: str
    handle: str = ""
    url: str = ""
    nameless: bool = False


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
    named    colleagues whom they name in it: the platform knows them as staff, we may not yet
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
    named: tuple[Actor, ...] = ()


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

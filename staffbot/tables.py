"""The typed tables (docs/schema.md explains each); no queries, no rules.

The patron's words and identity stand in `words` and `patrons` only. Moments are whole microseconds
since 1970 in UTC, so that both databases compare and keep them alike.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware datetime kept as microseconds; a naive one is refused, as it names no moment."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite makes a rowid only of INTEGER PRIMARY KEY, PostgreSQL wants BIGINT for long lives.
_Id = BigInteger().with_variant(Integer, "sqlite")

counters = Table(
    "counters",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("key", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("shared", Boolean, nullable=False, default=False),
    Column("sensitive", Boolean, nullable=False, default=False),
    Column("teams", JSON, nullable=False, default=list),
    Column("configured", Boolean, nullable=False, default=False),
    Column("preferred_platform", String, nullable=False, default=""),
    Column("nags_by", String, nullable=False, default="direct"),
    Column("quiet_from", String, nullable=False, default=""),
    Column("quiet_until", String, nullable=False, default=""),
    Column("signature", String, nullable=False, default=""),
    Column("language", String, nullable=False, default=""),
    Column("away_until", Moment),
    Column("acted_at", Moment),
)

actors = Table(
    "actors",
    metadata,
    Column("platform", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("person", ForeignKey("people.key", ondelete="CASCADE"), nullable=False, index=True),
)

sources = Table(
    "sources",
    metadata,
    Column("name", String, primary_key=True),
    Column("cursor", Text),
    Column("first_run_at", Moment),
    Column("next_fetch_at", Moment),
    Column("tried_at", Moment),
    Column("ok_at", Moment),
    Column("failing_since", Moment),
    Column("failures", Integer, nullable=False, default=0),
    Column("error", Text, nullable=False, default=""),
    Column("mention_at", Moment),
    Column("usual_gap_seconds", BigInteger),
)

mentions = Table(
    "mentions",
    metadata,
    Column("number", _Id, primary_key=True, autoincrement=False),
    Column("team", String, nullable=False),
    Column("source", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("conversation_hash", String),
    Column("patron_hash", String),
    Column("expects_answer", Boolean, nullable=False),
    Column("private", Boolean, nullable=False, default=False),
    Column("status", String, nullable=False),
    Column("outcome", String),
    Column("topics", JSON, nullable=False, default=list),
    Column("owner", ForeignKey("people.key")),
    Column("last_owner", ForeignKey("people.key")),
    Column("language", String, nullable=False, default=""),
    Column("cycle", Integer, nullable=False, default=1),
    Column("revision", Integer, nullable=False, default=1),
    Column("posted_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    # When the present cycle began, and the opening time from which its clock runs.
    Column("came_at", Moment, nullable=False),
    Column("clock_from", Moment, nullable=False),
    Column("claim_due_at", Moment),
    Column("answer_due_at", Moment),
    # When policy next has something to look at for this mention; None: nothing is due.
    Column("next_step_at", Moment),
    Column("claimed_at", Moment),
    Column("answered_at", Moment),
    Column("closed_at", Moment),
    Column("snoozed_until", Moment),
    Column("waiting_since", Moment),
    # Open time in which the patron was waited for; it does not count against the answer target.
    Column("waited_seconds", BigInteger, nullable=False, default=0),
    Column("touched_at", Moment, nullable=False),
    # The last act of a person on it, and when its owner was asked whether they are still on it.
    Column("acted_at", Moment),
    Column("still_asked_at", Moment),
    Column("storm", ForeignKey("storms.id")),
    # Its author was muted when it came in, so it has no card.
    Column("muted", Boolean, nullable=False, default=False),
    Column("linked", BigInteger),
    Column("edited_at", Moment),
    Column("deleted_at", Moment),
    Column("next_look_at", Moment),
    Index("ix_mentions_due", "next_step_at"),
    Index("ix_mentions_snoozed", "snoozed_until"),
    Index("ix_mentions_look", "next_look_at"),
    Index("ix_mentions_queue", "team", "status", "answer_due_at"),
    Index("ix_mentions_owner", "owner", "status"),
    Index("ix_mentions_conversation", "conversation_hash", "patron_hash"),
    Index("ix_mentions_patron", "patron_hash"),
    Index("ix_mentions_linked", "linked"),
    Index("ix_mentions_storm", "storm"),
    Index("ix_mentions_arrival", "team", "received_at"),
)

# Which native id became which mention; part 0 began it, later parts are follow-ups.
arrivals = Table(
    "arrivals",
    metadata,
    Column("identity_hash", String, primary_key=True),
    Column("mention", ForeignKey("mentions.number", ondelete="CASCADE"), nullable=False),
    Column("part", Integer, nullable=False, default=0),
    Index("ix_arrivals_mention", "mention", "part"),
)

patrons = Table(
    "patrons",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("patron_hash", String, nullable=False, unique=True),
    Column("source", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("handle", Text, nullable=False, default=""),
    Column("url", Text, nullable=False, default=""),
    Column("seen_at", Moment, nullable=False),
)

# role: "mention" (part 0), "follow_up", "note" or "reply". A note's or reply's `person` is the staff
# member. `alike_hash` is that of the words alone: the same ones on several networks have it in common.
words = Table(
    "words",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("mention", ForeignKey("mentions.number", ondelete="CASCADE"), nullable=False),
    Column("part", Integer, nullable=False),
    Column("role", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("patron", ForeignKey("patrons.id")),
    Column("person", ForeignKey("people.key")),
    Column("text", Text, nullable=False, default=""),
    Column("title", Text, nullable=False, default=""),
    Column("native_id", Text, nullable=False, default=""),
    Column("conversation", Text, nullable=False, default=""),
    Column("permalink", Text, nullable=False, default=""),
    Column("in_reply_to", Text, nullable=False, default=""),
    Column("media", JSON, nullable=False, default=list),
    Column("held", Boolean, nullable=False, default=False),
    Column("alike_hash", String),
    UniqueConstraint("mention", "part"),
    Index("ix_words_patron", "patron"),
    Index("ix_words_permalink", "permalink"),
    Index("ix_words_alike", "alike_hash", "at"),
)

# Answers from chat: what was said stands in `words` (mention, part).
# state: waiting, sending, sent, failed, unknown, withdrawn
replies = Table(
    "replies",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    # What a network that keeps one knows it by; nothing can be told from it.
    Column("key", String, nullable=False, unique=True),
    Column("mention", ForeignKey("mentions.number"), nullable=False),
    # The first, second ... answer to this mention: of two written at once, one gets it.
    Column("place", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("source", String, nullable=False),
    Column("person", ForeignKey("people.key"), nullable=False),
    # The event of its writing; what the network told of the mention later is newer.
    Column("event", ForeignKey("events.id"), nullable=False),
    Column("written_at", Moment, nullable=False),
    Column("state", String, nullable=False, default="waiting"),
    Column("pending", Integer, nullable=False, default=1),
    # Real time, by the database's clock, as in `posts`.
    Column("retry_at", Moment),
    Column("deadline", Moment),
    Column("holder", String, nullable=False, default=""),
    Column("tries", Integer, nullable=False, default=0),
    Column("failing_since", Moment),
    Column("error", Text, nullable=False, default=""),
    # By the network's clock.
    Column("sent_at", Moment),
    UniqueConstraint("mention", "place"),
    Index("ix_replies_pending", "pending", "retry_at"),
)

# Patrons whose new mentions come without a card and without a clock until then.
mutes = Table(
    "mutes",
    metadata,
    Column("patron_hash", String, primary_key=True),
    Column("until", Moment, nullable=False),
    Column("person", ForeignKey("people.key")),
    Column("made_at", Moment, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    # When it happened (an answer given elsewhere has its own time), and when it was written down.
    Column("at", Moment, nullable=False),
    Column("done_at", Moment, nullable=False),
    Column("what", String, nullable=False),
    Column("mention", ForeignKey("mentions.number")),
    Column("cycle", Integer, nullable=False, default=1),
    Column("team", String, nullable=False),
    Column("source", String, nullable=False, default=""),
    Column("person", ForeignKey("people.key")),
    # Opening time from the mention's clock to this event; None where there is no clock.
    Column("open_seconds", BigInteger),
    Column("within_target", Boolean),
    # What it was before, for Undo and audit: keys, enums, moments. Never a patron's word.
    Column("detail", JSON, nullable=False, default=dict),
    # The first event of the same act of a person; None on that one itself.
    Column("act", BigInteger, index=True),
    Column("undone_by", BigInteger),
    Index("ix_events_mention", "mention", "id"),
    Index("ix_events_figures", "team", "at", "what"),
    Index("ix_events_person", "person", "done_at"),
)

# The outbox. A card is a post of kind "card" whose `wanted` revision may run ahead of `shown`.
# state: waiting, sending, sent, parked, unknown, dropped
posts = Table(
    "posts",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("platform", String, nullable=False),
    Column("room", String, nullable=False, default=""),
    Column("person", ForeignKey("people.key")),
    # Where it goes, as a word: `platform:room`, or `platform:@person` for a direct message.
    Column("lane", String, nullable=False),
    Column("team", String, nullable=False, default=""),
    Column("mention", ForeignKey("mentions.number")),
    Column("detail", JSON, nullable=False, default=dict),
    Column("wanted", Integer, nullable=False, default=1),
    Column("shown", Integer, nullable=False, default=0),
    Column("generation", Integer, nullable=False, default=1),
    Column("state", String, nullable=False, default="waiting"),
    # 1 while there is something to carry: waiting, sending, or sent and stale.
    Column("pending", Integer, nullable=False, default=1),
    Column("silent", Boolean, nullable=False, default=False),
    Column("made_at", Moment, nullable=False),
    # Desk time: a post that waits for opening. All below is real time, by the database's clock.
    Column("not_before", Moment, nullable=False),
    Column("retry_at", Moment),
    # The platform asked the whole room to wait until `retry_at`.
    Column("holds_lane", Boolean, nullable=False, default=False),
    # Until when the call in hand can still arrive; None where none is in hand.
    Column("deadline", Moment),
    # Who has the call in hand, new at each take: what an earlier holder writes back is refused.
    Column("holder", String, nullable=False, default=""),
    Column("tries", Integer, nullable=False, default=0),
    Column("failing_since", Moment),
    Column("sent_at", Moment),
    Column("ref_room", String, nullable=False, default=""),
    Column("ref_id", String, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Index("ix_posts_pending", "pending", "not_before"),
    Index("ix_posts_mention", "mention", "kind"),
    Index("ix_posts_ref", "platform", "ref_room", "ref_id"),
    Index("ix_posts_state", "state"),
    Index("ix_posts_lane", "lane", "sent_at"),
)

# One step of reminding, told once to each recipient in each cycle.
nags = Table(
    "nags",
    metadata,
    Column("mention", ForeignKey("mentions.number"), primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("step", String, primary_key=True),
    Column("recipient", String, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("post", ForeignKey("posts.id")),
    Index("ix_nags_recipient", "recipient", "at"),
    Index("ix_nags_post", "post"),
)

storms = Table(
    "storms",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("team", String, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("calmed_at", Moment),
    Column("mentions", Integer, nullable=False, default=0),
    Column("revision", Integer, nullable=False, default=1),
    Index("ix_storms_team", "team", "calmed_at"),
)

# Announced closures (opens = false) and extra openings (opens = true).
closures = Table(
    "closures",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("team", String),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("opens", Boolean, nullable=False, default=False),
    Column("reason", Text, nullable=False, default=""),
    Column("person", ForeignKey("people.key")),
    Column("made_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Index("ix_closures_end", "ends_at"),
)

digests = Table(
    "digests",
    metadata,
    Column("team", String, primary_key=True),
    Column("room", String, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("missed", Boolean, nullable=False, default=False),
    Column("post", ForeignKey("posts.id")),
)

# Signed requests and acts of people seen, so that one that comes again has no effect.
deliveries = Table(
    "deliveries",
    metadata,
    Column("source", String, primary_key=True),
    Column("id_hash", String, primary_key=True),
    Column("at", Moment, nullable=False),
    Index("ix_deliveries_at", "at"),
)

# Facts about the running program: last_alive_at, started_at, last_said trouble and the like.
facts = Table(
    "facts",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

# Troubles said once: a source that fails, a post stuck, a token refused, a clock that jumped.
troubles = Table(
    "troubles",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("subject", String, nullable=False),
    Column("said", Text, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Index("ix_troubles_open", "ended_at", "subject"),
)

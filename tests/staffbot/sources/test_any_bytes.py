"""Laws for what strangers send: any bytes end in mentions that can be stored or in a clear error."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from staffbot.errors import SourceError
from staffbot.model import IncomingMention, Kind
from staffbot.sources import (
    bluesky_posts,
    mastodon_statuses,
    webhook_payload,
    wordpress_comments,
)
from staffbot.sources.feed_entries import read
from tests.staffbot.sources.feeds import Item, atom, rss

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
ITEM = Item(id="1", title="Skis", html="<p>Do you lend <b>skis</b>?</p>", at=NOW, author="Lena")
DOCUMENTS = [rss(ITEM).encode(), atom(ITEM).encode(), rss(ITEM, ITEM).encode("utf-16")]

quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
slow = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def storable(mention: IncomingMention) -> None:
    """As the database and every door need it."""
    assert mention.native_id
    assert mention.posted_at <= NOW
    assert mention.patron.name
    words = [mention.native_id, mention.text, mention.title, mention.patron.name]
    for text in [*words, mention.permalink, mention.patron.url, mention.conversation]:
        text.encode()
        assert "\x00" not in text
    for url in (mention.permalink, mention.patron.url, *(part.url for part in mention.media)):
        assert url == "" or url.lower().startswith(("http://", "https://"))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A feed with some of its bytes replaced."""
    document = draw(st.sampled_from(DOCUMENTS))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(document)))
        end = draw(st.integers(start, min(len(document), start + 40)))
        document = document[:start] + draw(st.binary(max_size=20)) + document[end:]
    return document


@slow
@given(damaged())
@example(b"")
@example(b"<!DOCTYPE")
@example(b"<?xml version='1.0' encoding='utf-7'?><rss/>")
@example(b"<rss><channel><item><guid></guid><pubDate>0</pubDate></item></channel></rss>")
@example(
    b"<feed xmlns='http://www.w3.org/2005/Atom'><entry><updated>99999</updated></entry></feed>"
)
def test_a_damaged_feed(body: bytes) -> None:
    try:
        entries = read(body, source="blog", kind=Kind.ENTRY, host="library.example", now=NOW)
    except SourceError:
        return
    for entry in entries:
        storable(entry.mention)
    assert len({entry.mention.native_id for entry in entries}) == len(entries) or len(entries) == 2


any_text = st.text(st.characters(), max_size=30)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)
near_mention = st.fixed_dictionaries(
    {"id": any_text | any_json, "text": any_text},
    optional=dict.fromkeys(
        ("kind", "author", "posted_at", "title", "permalink", "media", "conversation"),
        any_text | any_json,
    ),
)


@slow
@given(any_json | near_mention | st.lists(near_mention, max_size=2))
@example({"id": "\x00", "text": "\x00"})
@example({"id": "\u202e", "text": "", "posted_at": "0001-01-01T00:00:00+23:59"})
@example({"id": "1", "text": "", "posted_at": 10**20})
def test_a_body_of_any_json(body: object) -> None:
    raw = json.dumps(body).encode("utf-8", "surrogatepass")
    try:
        posted = webhook_payload.read(raw)
        mentions = webhook_payload.incoming(posted, source="form", kind=Kind.MESSAGE, now=NOW)
    except webhook_payload.Unreadable as problem:
        (str(problem) + problem.path).encode()
        return
    for mention in mentions:
        storable(mention)


# The names under which networks send what is read, so that odd things land where they are looked for.
KEYS = st.sampled_from(
    [
        "id",
        "uri",
        "cid",
        "type",
        "status",
        "author",
        "account",
        "parent",
        "post",
        "content",
        "rendered",
        "record",
        "text",
        "facets",
        "index",
        "byteStart",
        "byteEnd",
        "features",
        "embed",
        "images",
        "alt",
        "reply",
        "root",
        "langs",
        "createdAt",
        "indexedAt",
        "created_at",
        "edited_at",
        "date_gmt",
        "link",
        "url",
        "did",
        "handle",
        "acct",
        "display_name",
        "displayName",
        "author_name",
        "emojis",
        "shortcode",
        "spoiler_text",
        "visibility",
        "language",
        "media_attachments",
        "description",
        "in_reply_to_id",
    ]
)
TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        "at://did:x/app.bsky.feed.post/1", "2026-03-03T08:00:00Z", "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59", "javascript:alert(1)", "https://x.example/\x00", "<p>Hi",
        "1" * 40, "../..", "\ud800", "public", "comment",
    ]
)  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)
RECORDS = st.dictionaries(KEYS, ODD, max_size=12)


@quick
@given(RECORDS)
def test_a_comment_of_any_shape(record: dict[str, Any]) -> None:
    comment = wordpress_comments.read(record)
    if comment is not None:
        storable(
            wordpress_comments.mention(
                comment, source="blog", kind=Kind.COMMENT, title="", above={comment.id: comment},
                own=frozenset(), now=NOW,
            )
        )  # fmt: skip


@quick
@given(RECORDS)
def test_a_bluesky_post_of_any_shape(record: dict[str, Any]) -> None:
    post = {**record, "uri": "at://did:x/app.bsky.feed.post/1"}
    mention = bluesky_posts.mention(
        post, source="sky", kind=Kind.MENTION, web="https://bsky.app", above={}, now=NOW
    )
    storable(mention)
    assert bluesky_posts.uri(record) in ("", record.get("uri"))


@quick
@given(RECORDS)
def test_a_status_of_any_shape(record: dict[str, Any]) -> None:
    status = {**record, "id": "1"}
    mention = mastodon_statuses.mention(
        status, source="social", kind=Kind.MENTION, root="1", answered={}, now=NOW
    )
    storable(mention)
    edit = mastodon_statuses.edited(record, NOW)
    assert edit is None or edit.at <= NOW

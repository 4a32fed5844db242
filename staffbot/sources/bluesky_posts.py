"""Bluesky's posts as mentions. Knows records of its interface only: no network, no session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from staffbot.model import IncomingMention, Kind, Media, Patron
from staffbot.sources import payload, plain_text

KINDS = {"mention": Kind.MENTION, "reply": Kind.REPLY, "quote": Kind.QUOTE}
_POST = "app.bsky.feed.post"
_QUOTED = 300
_MOST_MEDIA = 8
# A post's own date is whatever its author's app says; further off, the network's is taken.
_CREDIBLE = timedelta(days=1)


def uri(post: Mapping[str, Any]) -> str:
    """The address of a post within the network; "" where it is none, or of something else."""
    found = payload.native_id(post, "uri")
    parts = found.split("/")
    return found if found.startswith("at://") and len(parts) == 5 and parts[3] == _POST else ""


def indexed_at(post: Mapping[str, Any]) -> datetime | None:
    """When the network took it in."""
    return payload.moment(post, "indexedAt")


def answers(post: Mapping[str, Any]) -> str:
    """The post that this one replies to; "" where it is none."""
    return payload.native_id(post, "record", "reply", "parent", "uri")


def posted_at(post: Mapping[str, Any], now: datetime) -> datetime:
    """When it was written, as far as that can be believed."""
    created, indexed = payload.moment(post, "record", "createdAt"), indexed_at(post)
    if created is None or (indexed is not None and abs(created - indexed) > _CREDIBLE):
        created = indexed
    return min(created or now, now)


def mention(
    post: Mapping[str, Any],
    *,
    source: str,
    kind: Kind,
    web: str,
    above: Mapping[str, str],
    now: datetime,
) -> IncomingMention:
    """A post as a mention. `above` holds the words of the library's posts that were answered."""
    author = post.get("author")
    handle = plain_text.line(payload.text(author, "handle"), 253)
    did = payload.native_id(author, "did")
    link = permalink(uri(post), web)
    languages = payload.inner(post, "record", "langs")
    return IncomingMention(
        source=source,
        native_id=uri(post),
        kind=kind,
        text=words(post),
        patron=Patron(
            name=plain_text.name(payload.text(author, "displayName")) or handle or "Somebody",
            handle=f"@{handle}" if handle else "",
            url=plain_text.web_address(f"{web}/profile/{did}") if did else "",
        ),
        posted_at=posted_at(post, now),
        permalink=link,
        conversation=payload.native_id(post, "record", "reply", "root", "uri") or uri(post),
        in_reply_to=plain_text.line(above.get(answers(post), ""), _QUOTED),
        language=_language(languages),
        media=_media(post, link),
    )


def _language(said: object) -> str:
    first = said[0] if isinstance(said, list) and said else ""
    return first if isinstance(first, str) and first.isascii() and len(first) <= 35 else ""


def words(post: Mapping[str, Any]) -> str:
    """The text, with links in full: apps show them cut, and keep the whole beside the text."""
    text = payload.text(post, "record", "text")
    raw = text.encode(errors="replace")
    links = []
    for facet in payload.records(post, "record", "facets"):
        start = payload.number(facet, "index", "byteStart")
        end = payload.number(facet, "index", "byteEnd")
        for feature in payload.records(facet, "features"):
            whole = plain_text.web_address(payload.text(feature, "uri"))
            if whole and 0 <= start < end <= len(raw):
                links.append((start, end, whole))
    before = len(raw)
    for start, end, whole in sorted(links, reverse=True):
        shown = raw[start:end].decode(errors="replace")
        if end <= before and shown.endswith(("...", "…")):
            raw = raw[:start] + whole.encode() + raw[end:]
            before = start
    return plain_text.clean(raw.decode(errors="replace"))


def _media(post: Mapping[str, Any], link: str) -> tuple[Media, ...]:
    """Pictures are seen at the post itself; what their author says of them is told here."""
    embed = payload.inner(post, "record", "embed")
    inner = payload.inner(embed, "media") or embed
    found = [("image", picture) for picture in payload.records(inner, "images")]
    if payload.text(inner, "$type").endswith("embed.video"):
        found.append(("video", inner))
    return tuple(
        Media(url=link, kind=kind, alt=plain_text.line(payload.text(one, "alt"), 1_000))
        for kind, one in found[:_MOST_MEDIA]
        if link
    )


def permalink(address: str, web: str) -> str:
    """Where a person can see the post of that address."""
    parts = address.split("/")
    return plain_text.web_address(f"{web}/profile/{parts[2]}/post/{parts[4]}") if address else ""

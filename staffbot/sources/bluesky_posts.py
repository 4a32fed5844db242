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
# What the network shows for an account whose handle leads nowhere.
_NO_HANDLE = "handle.invalid"
_MOST_LABELS = 3
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


def about(post: Mapping[str, Any]) -> list[str]:
    """The posts that this one replies to and quotes."""
    embed = payload.inner(post, "record", "embed")
    # A quote with pictures holds both, one level down.
    quoted = [payload.native_id(embed, "record", *more, "uri") for more in ((), ("record",))]
    return [found for found in (answers(post), *quoted) if found]


def author(post: Mapping[str, Any]) -> set[str]:
    """The two names of who wrote it."""
    said = payload.inner(post, "author")
    return {payload.text(said, "did"), payload.text(said, "handle")}


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
    writer = post.get("author")
    handle = plain_text.line(payload.text(writer, "handle"), 253)
    handle = "" if handle == _NO_HANDLE else handle
    did = payload.native_id(writer, "did")
    talked_of = next((above[one] for one in about(post) if one in above), "")
    link = permalink(uri(post), web)
    languages = payload.inner(post, "record", "langs")
    return IncomingMention(
        source=source,
        native_id=uri(post),
        kind=kind,
        text=words(post),
        patron=Patron(
            name=plain_text.name(payload.text(writer, "displayName")) or handle or "Somebody",
            handle=f"@{handle}" if handle else "",
            url=plain_text.web_address(f"{web}/profile/{did}") if did else "",
        ),
        posted_at=posted_at(post, now),
        permalink=link,
        title=_warning(post),
        conversation=payload.native_id(post, "record", "reply", "root", "uri") or uri(post),
        in_reply_to=plain_text.line(talked_of, _QUOTED),
        language=_language(languages),
        media=_media(post, link),
    )


def _language(said: object) -> str:
    first = said[0] if isinstance(said, list) and said else ""
    return first if isinstance(first, str) and first.isascii() and len(first) <= 35 else ""


def _warning(post: Mapping[str, Any]) -> str:
    """What the post is labelled as, by its author or by the network, such as graphic pictures."""
    own = payload.records(post, "record", "labels", "values")
    labels = [payload.text(one, "val") for one in (*own, *payload.records(post, "labels"))]
    # Those with a mark are rules for apps ("!no-unauthenticated"), but for the plain warning.
    said = [one.removeprefix("!") for one in labels if one[:1] != "!" or one == "!warn"]
    named = dict.fromkeys(plain_text.line(one, 60) for one in said if one)
    return f"Content warning: {', '.join([*named][:_MOST_LABELS])}" if named else ""


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
    text = raw.decode(errors="replace")
    card = _card(post)
    return plain_text.clean(text if card in text else f"{text}\n{card}")


def _card(post: Mapping[str, Any]) -> str:
    """The link of a preview below the text: apps let people take it out of the text itself."""
    embed = payload.inner(post, "record", "embed")
    links = [
        payload.text(part, "external", "uri") for part in (embed, payload.inner(embed, "media"))
    ]
    return next((found for found in map(plain_text.web_address, links) if found), "")


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

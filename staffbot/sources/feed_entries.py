"""The entries of an RSS or Atom document as mentions. Knows bytes only: no network, no file.

feedparser is given bytes and never a string, because a string may be a path or an address to it.
Blocks for up to a few seconds on a document of the largest size: call it in a thread.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import feedparser

from staffbot.errors import SourceError
from staffbot.model import IncomingMention, Kind, Media, Patron
from staffbot.sources import plain_text

MOST_MEDIA = 8
_HTML = frozenset({"text/html", "application/xhtml+xml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. `dated` says whether the feed told when it was posted."""

    mention: IncomingMention
    dated: bool


def read(body: bytes, *, source: str, kind: Kind, host: str, now: datetime) -> tuple[Entry, ...]:
    """Every entry of the document, oldest first. Raises SourceError where it is no feed."""
    if _declares_entities(body):
        raise SourceError(f"{host} sent XML that declares entities, which feeds do not need")
    try:
        found = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    except Exception as problem:  # a parser of strangers' bytes may fail in any way
        raise SourceError(f"the feed of {host} cannot be read ({type(problem).__name__})") from None
    if not found.entries and (found.bozo or not found.get("version")):
        if re.search(rb"<html[\s>]", body[:4_000], re.IGNORECASE):
            raise SourceError(
                f"{host} sent a web page and not a feed: look on that page for its RSS address"
            )
        raise SourceError(f"{host} sent something that is neither RSS nor Atom")
    patron = plain_text.name(_text(found.feed, "title")) or host
    ids = _ids(found.entries)
    entries = [
        _entry(entry, native_id, source=source, kind=kind, feed_name=patron, now=now)
        for entry, native_id in zip(found.entries, ids, strict=True)
    ]
    return tuple(sorted(entries, key=lambda entry: entry.mention.posted_at))


def _declares_entities(body: bytes) -> bool:
    """Whether the document's prolog has a DOCTYPE with entities of its own."""
    # Without its NULs, UTF-16 reads as ASCII here.
    head = body.replace(b"\0", b"") if b"\0" in body[:64] else body
    at = 0
    while (at := head.find(b"<", at)) >= 0:
        if head.startswith(b"<?", at):
            end = head.find(b"?>", at)
        elif head.startswith(b"<!--", at):
            end = head.find(b"-->", at)
        elif head[at : at + 9].upper() == b"<!DOCTYPE":
            subset = re.compile(rb"[^>\[]*\[").match(head, at)
            return subset is not None and b"<!ENTITY" in head[subset.end() :].upper()
        else:
            return False
        if end < 0:
            return False
        at = end
    return False


def _entry(
    entry: dict[str, Any], native_id: str, *, source: str, kind: Kind, feed_name: str,
    now: datetime,
) -> Entry:  # fmt: skip
    posted_at = _posted_at(entry)
    author = entry.get("author_detail") or {}
    name, url = plain_text.name(_text(author, "name")), plain_text.web_address(author.get("href"))
    mention = IncomingMention(
        source=source,
        native_id=native_id,
        kind=kind,
        text=_words(entry),
        patron=Patron(name=name or feed_name, url=url, nameless=not (name or url)),
        posted_at=min(posted_at or now, now),
        permalink=plain_text.web_address(entry.get("link")),
        title=_title(entry),
        media=_media(entry),
    )
    return Entry(mention=mention, dated=posted_at is not None)


def _text(part: Mapping[str, Any], key: str) -> str:
    value = part.get(key)
    return value if isinstance(value, str) else ""


def _shown(part: Mapping[str, Any]) -> str:
    """A text construct as plain words: HTML only where the feed says so."""
    value = _text(part, "value")
    return plain_text.of_html(value) if part.get("type") in _HTML else plain_text.clean(value)


def _words(entry: Mapping[str, Any]) -> str:
    """The fullest text of the entry: its content where it has one, else its summary."""
    contents = [part for part in entry.get("content", ()) if isinstance(part, Mapping)]
    told = [_shown(part) for part in (*contents, entry.get("summary_detail") or {})]
    return next((text for text in told if text), "")


def _title(entry: Mapping[str, Any]) -> str:
    return plain_text.line(_shown(entry.get("title_detail") or {}))


def _posted_at(entry: dict[str, Any]) -> datetime | None:
    for key in ("published_parsed", "updated_parsed", "created_parsed"):
        parsed = dict.get(entry, key)  # its own `get` warns of keys it maps
        if parsed is not None:
            try:
                year, month, day, hour, minute, second = parsed[:6]
                found = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            except (TypeError, ValueError):
                continue
            if found.year >= 1990:
                return found
    return None


def _media(entry: Mapping[str, Any]) -> tuple[Media, ...]:
    found: dict[str, Media] = {}
    for part in (*entry.get("enclosures", ()), *entry.get("media_content", ())):
        url = plain_text.web_address(part.get("href") or part.get("url"))
        if url:
            kind = (_text(part, "type") or _text(part, "medium")).partition("/")[0]
            kind = kind if kind in ("image", "video", "audio") else "file"
            found.setdefault(url, Media(url=url, kind=kind))
    return tuple(found.values())[:MOST_MEDIA]


def _ids(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """A stable id for each: the feed's own where it is unique, else made of what does not move."""
    own = [(_text(entry, "id") or _text(entry, "link")).strip()[:1_000] for entry in entries]
    own = [plain_text.line(id_, 1_000) for id_ in own]
    count = Counter(own)
    return [
        id_ if id_ and count[id_] == 1 else _made_id(id_, entry)
        for id_, entry in zip(own, entries, strict=True)
    ]


def _made_id(own: str, entry: Mapping[str, Any]) -> str:
    parts = [own, *(_text(entry, key) for key in ("link", "title", "published", "summary"))]
    text = "\0".join(parts).encode(errors="replace")
    return f"made:{hashlib.sha256(text).hexdigest()[:32]}"

"""RSS and Atom feeds: comment feeds, news, alerts. Knows the seams; stores nothing itself.

The cursor is one JSON string: what the server needs to say "not changed", and a short hash of each
entry that was seen, so that an unchanged one is not handed on again and a changed one is noticed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from yarl import URL

from staffbot.errors import SourceError
from staffbot.model import Clock, IncomingMention, Kind, system_clock
from staffbot.network import Batch, Edited
from staffbot.seams import Finding, Network
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from staffbot.sources.download import MOST_BYTES, Page, download
from staffbot.sources.feed_entries import Entry, read

# Entries that left the document are remembered a while, as feeds put old ones back.
REMEMBERED = 500
_ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"


def _is_web_address(text: str) -> str:
    try:
        url = URL(text)
    except ValueError as broken:
        raise ValueError("is not an address; example: https://library.example/feed/") from broken
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("has to begin with https://; example: https://library.example/feed/")
    return text


class Options(BaseModel):
    """What stands under a `[[sources]]` entry of type "feed", beside what every source has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_is_web_address)] = Field(
        examples=["https://library.example.org/comments/feed/"]
    )
    allow_private: bool = False
    most_bytes: int = Field(default=MOST_BYTES, ge=1_024, le=64 * 1_048_576)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """Where the reading stands. `seen` maps an entry's short hash to that of its words."""

    url: str = ""
    etag: str = ""
    modified: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, url: str) -> _Cursor:
        """A cursor of another address or an unreadable one starts anew, with nothing doubled:
        the desk knows every mention that it has."""
        try:
            kept = json.loads(text)
            found = cls(
                url=str(kept["url"]), etag=str(kept["etag"]), modified=str(kept["modified"]),
                seen={str(key): str(value) for key, value in kept["seen"].items()},
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()
        return found if found.url == url else cls(seen=found.seen)

    def dump(self) -> str:
        return json.dumps(
            {"url": self.url, "etag": self.etag, "modified": self.modified, "seen": self.seen},
            separators=(",", ":"),
        )


class Feed:
    """One feed, as a Source."""

    def __init__(
        self, settings: SourceSettings, network: NetworkSettings, clock: Clock = system_clock
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._options: Options = settings.options
        self._network = network
        self._clock = clock

    async def fetch(self, cursor: str | None) -> Batch:
        """What is new since `cursor`; without one, what was posted within the look-back."""
        options = self._options
        before = _Cursor() if cursor is None else _Cursor.parse(cursor, options.url)
        page = await download(
            options.url, network=self._network, allow_private=options.allow_private,
            most_bytes=options.most_bytes, etag=before.etag, modified=before.modified,
            accept=_ACCEPT,
        )  # fmt: skip
        if page.body is None:
            return Batch(cursor=cursor)
        now = self._clock()
        entries = await asyncio.to_thread(
            read, page.body, source=self.name, kind=self._settings.kind or Kind.ENTRY,
            host=URL(options.url).host or self.name, now=now,
        )  # fmt: skip
        since = now - self._settings.look_back if cursor is None else None
        return Batch(
            mentions=_new(entries, before.seen, since),
            changes=_edited(entries, before.seen, now),
            cursor=_after(page, options.url, entries, before.seen).dump(),
        )


def _new(
    entries: Sequence[Entry], seen: Mapping[str, str], since: datetime | None
) -> tuple[IncomingMention, ...]:
    """What was not seen. On the first run what has no date counts as old: nobody waits for it."""
    return tuple(
        entry.mention
        for entry in entries
        if _key(entry.mention) not in seen
        and (since is None or (entry.dated and entry.mention.posted_at >= since))
    )


def _edited(entries: Sequence[Entry], seen: Mapping[str, str], now: datetime) -> tuple[Edited, ...]:
    return tuple(
        Edited(native_id=entry.mention.native_id, text=entry.mention.text, at=now)
        for entry in entries
        if seen.get(_key(entry.mention), _print(entry.mention)) != _print(entry.mention)
    )


def _after(page: Page, url: str, entries: Sequence[Entry], seen: Mapping[str, str]) -> _Cursor:
    here = {_key(entry.mention): _print(entry.mention) for entry in entries}
    gone = [(key, value) for key, value in seen.items() if key not in here]
    settled = _settled(page)
    return _Cursor(
        url=url,
        etag=page.etag if settled else "",
        modified=page.modified if settled else "",
        seen={**dict(gone[-REMEMBERED:]), **here},
    )


def _settled(page: Page) -> bool:
    """Whether "not changed since" can be trusted from here on.

    WordPress makes both ETag and Last-Modified of the second of the last change, so what comes in
    later within that same second would stay hidden behind a 304.
    """
    if not page.modified:
        return True
    try:
        modified = parsedate_to_datetime(page.modified)
    except (TypeError, ValueError):
        return False
    if modified.tzinfo is None:
        return False
    return page.at - modified >= timedelta(seconds=2)


def _key(mention: IncomingMention) -> str:
    return hashlib.sha256(mention.native_id.encode()).hexdigest()[:16]


def _print(mention: IncomingMention) -> str:
    return hashlib.sha256(mention.text.encode()).hexdigest()[:8]


def _open(settings: SourceSettings, network: NetworkSettings, clock: Clock) -> Feed:
    return Feed(settings, network, clock)


async def _check(settings: SourceSettings, network: NetworkSettings) -> Sequence[Finding]:
    subject = f"source {settings.name}"
    options: Options = settings.options
    try:
        page = await download(
            options.url, network=network, allow_private=options.allow_private,
            most_bytes=options.most_bytes, accept=_ACCEPT,
        )  # fmt: skip
        entries = await asyncio.to_thread(
            read, page.body or b"", source=settings.name, kind=Kind.ENTRY,
            host=URL(options.url).host or settings.name, now=system_clock(),
        )  # fmt: skip
    except SourceError as problem:
        return (Finding(ok=False, subject=subject, said=str(problem)),)
    if not entries:
        return (Finding(ok=True, subject=subject, said="the feed can be read and is empty"),)
    newest = entries[-1].mention.posted_at
    many = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    said = f"the feed can be read: {many}, the newest of {newest:%Y-%m-%d}"
    return (Finding(ok=True, subject=subject, said=said),)


network: Network = Network(type="feed", options=Options, open=_open, check=_check)

"""Bluesky: mentions, replies, quotes, and searches. Stores nothing itself.

The cursor is one JSON string: where the reading began, the newest moment that was read, a short
hash of each post of late, and when was last searched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from staffbot.errors import SourceError
from staffbot.model import Clock, IncomingMention, Kind, system_clock
from staffbot.network import Answering, Batch, Change, Conversation, Replied, ReplyLimit
from staffbot.seams import Finding, Network
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from staffbot.sources import (
    bluesky_looks,
    bluesky_posts,
    bluesky_reading,
    bluesky_replies,
    payload,
)
from staffbot.sources.api import Api
from staffbot.sources.bluesky_reading import Post
from staffbot.sources.bluesky_session import Options, Session

# A notification stands where its post's own date puts it, and that is by the clock of the patron's
# app: one that is hours behind (a wrong zone) comes in below what was read already.
_OVERLAP = timedelta(days=1)
_REMEMBERED = 1_000
# Search is not meant as a way to follow a word: it is asked sparingly.
_SEARCH_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """Nothing from before `start` is ever shown."""

    start: datetime | None = None
    newest: datetime | None = None
    searched: datetime | None = None
    seen: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> _Cursor:
        """An unreadable cursor starts anew: the desk knows every mention that it has."""
        try:
            kept = json.loads(text or "")
            seen = tuple(str(one) for one in kept["seen"])
        except (ValueError, KeyError, TypeError):
            return cls()
        start, newest = payload.moment(kept, "start"), payload.moment(kept, "newest")
        return cls(
            start=start or newest, newest=newest, searched=payload.moment(kept, "searched"),
            seen=seen,
        )  # fmt: skip

    def dump(self) -> str:
        moments = {"start": self.start, "newest": self.newest, "searched": self.searched}
        told: dict[str, object] = {k: at.isoformat() if at else "" for k, at in moments.items()}
        return json.dumps({**told, "seen": self.seen}, separators=(",", ":"))


class Bluesky:
    """One account, as a Source that can look again."""

    def __init__(
        self, settings: SourceSettings, network: NetworkSettings, clock: Clock = system_clock
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._options: Options = settings.options
        self._session = Session(self._options, network)
        self._clock = clock
        self._search_tried: datetime | None = None

    async def fetch(self, cursor: str | None) -> Batch:
        """What is new since `cursor`; without one, what came within the look-back."""
        before = _Cursor.parse(cursor)
        now = self._clock()
        start = before.start or now - self._settings.look_back
        since = max(start, (before.newest or start) - _OVERLAP)
        refused: SourceError | None = None
        searched = before.searched
        async with self._session.api() as api:
            told = await bluesky_reading.notifications(self._session, api, since)
            found = {bluesky_posts.uri(post): (kind, post) for kind, post in told}
            if self._searches(searched, now):
                try:
                    for post in await self._searched(api, start, searched):
                        found.setdefault(bluesky_posts.uri(post), (Kind.SEARCH, post))
                    searched = now
                except SourceError as problem:
                    refused = problem
            fresh = [
                (kind, post)
                for uri, (kind, post) in found.items()
                if _key(uri) not in before.seen and not bluesky_posts.author(post) & self._own()
            ]
            answers = await bluesky_looks.answers_of_late(self._session, api, self._options, now)
            above = await self._above(api, [post for _, post in fresh])
        if refused is not None and not fresh:
            raise refused  # said once nothing else has to be brought first; searched again later
        # The newest stand last, where they are remembered longest.
        keys = [*map(_key, reversed(answers)), *map(_key, reversed(found))]
        remembered = [key for key in before.seen if key not in set(keys)] + keys
        moments = [bluesky_posts.indexed_at(post) for _, post in found.values()]
        newest = max([before.newest or start, *(at for at in moments if at is not None)])
        return Batch(
            mentions=self._mentions(fresh, above, now),
            changes=tuple(one for uri, one in answers.items() if _key(uri) not in before.seen),
            cursor=_Cursor(
                start=start, newest=min(now, newest), searched=searched,
                seen=tuple(remembered[-_REMEMBERED:]),
            ).dump(),
        )  # fmt: skip

    def _own(self) -> set[str]:
        # Not the name that is signed in with: once it was changed, anybody may have it.
        return {self._session.did, *self._options.accounts}

    def _mentions(
        self, fresh: Iterable[tuple[Kind, Post]], above: Mapping[str, str], now: datetime
    ) -> tuple[IncomingMention, ...]:
        mentions = (
            bluesky_posts.mention(
                post, source=self.name, kind=self._settings.kind or kind, web=self._options.web,
                above=above, now=now,
            )
            for kind, post in fresh
        )  # fmt: skip
        return tuple(sorted(mentions, key=lambda mention: mention.posted_at))

    def _searches(self, searched: datetime | None, now: datetime) -> bool:
        """Whether it is time to search, also where the last try was refused."""
        tries = [at for at in (searched, self._search_tried) if at is not None]
        due = bool(self._options.search) and (not tries or now - max(tries) >= _SEARCH_EVERY)
        self._search_tried = now if due else self._search_tried
        return due

    async def _searched(self, api: Api, start: datetime, last: datetime | None) -> list[Post]:
        since = start if last is None else max(start, last - _OVERLAP)
        terms = self._options.search
        found = [await bluesky_reading.searched(self._session, api, one, since) for one in terms]
        return [post for posts in found for post in posts]

    async def _above(self, api: Api, posts: Iterable[Post]) -> dict[str, str]:
        """The words of the library's own posts that these answer or quote; nobody else's."""
        ours = f"at://{self._session.did}/"
        wanted = {uri for post in posts for uri in bluesky_posts.about(post)}
        asked = sorted(uri for uri in wanted if uri.startswith(ours))
        found = await bluesky_reading.posts(self._session, api, asked) if asked else {}
        return {uri: bluesky_posts.words(post) for uri, post in found.items()}

    @property
    def limit(self) -> ReplyLimit | None:
        """300 graphemes, as the network counts."""
        return bluesky_replies.LIMIT

    async def reply(self, to: Answering, text: str, key: str) -> Replied:
        """Answer the post under a name that is made from the key."""
        return await bluesky_replies.reply(self._session, self._options, to, text, key)

    async def find_reply(self, to: Answering, text: str, key: str) -> Replied | None:
        """The answer of that key, if it is there."""
        return await bluesky_replies.find(self._session, self._options, to, key)

    async def look(self, conversations: Sequence[Conversation]) -> Sequence[Change]:
        """Answers by the library's accounts to these posts, and which of them are gone."""
        asked = [one.native_id for one in conversations if one.native_id.startswith("at://")]
        return await bluesky_looks.look(self._session, self._options, asked, self._clock())


def _key(uri: str) -> str:
    return hashlib.sha256(uri.encode(errors="replace")).hexdigest()[:16]


def _open(settings: SourceSettings, network: NetworkSettings, clock: Clock) -> Bluesky:
    return Bluesky(settings, network, clock)


async def _check(settings: SourceSettings, network: NetworkSettings) -> Sequence[Finding]:
    subject = f"source {settings.name}"
    options: Options = settings.options
    session = Session(options, network)
    try:
        async with session.api() as api:
            await session.get(api, "app.bsky.notification.getUnreadCount")
            for term in options.search[:1]:
                await session.get(api, "app.bsky.feed.searchPosts", [("q", term), ("limit", "1")])
            for account in options.accounts:
                params = [("actor", account)]
                if not (await session.ask(api, "app.bsky.actor.getProfile", params)).ok:
                    said = f"{api.host} knows no account {account}: correct `accounts`"
                    return (Finding(ok=False, subject=subject, said=said),)
    except SourceError as problem:
        return (Finding(ok=False, subject=subject, said=str(problem)),)
    said = f"signed in as {options.handle}; mentions, replies and quotes can be read"
    return (Finding(ok=True, subject=subject, said=said),)


network: Network = Network(type="bluesky", options=Options, open=_open, check=_check)

"""Bluesky: mentions, replies, quotes, and searches. Stores nothing itself.

The cursor is one JSON string: the newest moment that was read, a short hash of each post of late,
and when was last searched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from staffbot.errors import SourceError
from staffbot.model import Clock, IncomingMention, Kind, system_clock
from staffbot.network import (
    AnsweredAtSource,
    Answering,
    Batch,
    Change,
    Conversation,
    Deleted,
    Replied,
    ReplyLimit,
)
from staffbot.seams import Finding, Network
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from staffbot.sources import bluesky_posts, bluesky_replies, payload
from staffbot.sources.api import Api
from staffbot.sources.bluesky_session import Options, Session

# The network indexes late and out of order now and then.
_OVERLAP = timedelta(hours=1)
_REMEMBERED = 1_000
_MOST_PAGES = 50
_MOST_OWN_PAGES = 10
# Search is not meant as a way to follow a word: it is asked sparingly.
_SEARCH_EVERY = timedelta(minutes=10)
_POSTS = 25

Post = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
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
        return cls(
            newest=payload.moment(kept, "newest"), searched=payload.moment(kept, "searched"),
            seen=seen,
        )  # fmt: skip

    def dump(self) -> str:
        moments = {"newest": self.newest, "searched": self.searched}
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

    async def fetch(self, cursor: str | None) -> Batch:
        """What is new since `cursor`; without one, what came within the look-back."""
        before = _Cursor.parse(cursor)
        now = self._clock()
        first = before.newest is None
        oldest = now - self._settings.look_back if before.newest is None else before.newest
        since = oldest if first else oldest - _OVERLAP
        async with self._session.api() as api:
            told = await self._notifications(api, since)
            found = {bluesky_posts.uri(post): (kind, post) for kind, post in told}
            searched = before.searched
            if self._options.search and (searched is None or now - searched >= _SEARCH_EVERY):
                searched = now
                for post in await self._searched(api, since):
                    found.setdefault(bluesky_posts.uri(post), (Kind.SEARCH, post))
            own = {self._session.did, self._options.handle, *self._options.accounts}
            fresh = [
                (kind, post)
                for uri, (kind, post) in found.items()
                if _key(uri) not in before.seen and not _author(post) & own
            ]
            above = await self._answered(api, [post for _, post in fresh])
        keys = [_key(uri) for uri in found]
        remembered = [key for key in before.seen if key not in set(keys)] + keys
        moments = [bluesky_posts.indexed_at(post) for _, post in found.values()]
        newest = min(now, max([oldest, *(at for at in moments if at is not None)]))
        return Batch(
            mentions=self._mentions(fresh, above, now),
            cursor=_Cursor(
                newest=newest, searched=searched, seen=tuple(remembered[-_REMEMBERED:])
            ).dump(),
        )

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

    async def _notifications(self, api: Api, since: datetime) -> list[tuple[Kind, Post]]:
        """Who mentioned, answered or quoted the library, back to `since`; likes never come here."""
        reasons = [("reasons", reason) for reason in bluesky_posts.KINDS]
        found: list[tuple[Kind, Post]] = []
        page = ""
        for _ in range(_MOST_PAGES):
            params = [*reasons, ("limit", "100"), *([("cursor", page)] if page else [])]
            told = await self._session.get(api, "app.bsky.notification.listNotifications", params)
            listed = _list(api, told, "notifications")
            for post in listed:
                at, kind = bluesky_posts.indexed_at(post), payload.text(post, "reason")
                if kind not in bluesky_posts.KINDS or not bluesky_posts.uri(post):
                    continue
                if at is None or at >= since:
                    found.append((bluesky_posts.KINDS[kind], post))
            page = payload.text(told, "cursor")
            moments = [at for at in map(bluesky_posts.indexed_at, listed) if at is not None]
            if not listed or not page or (moments and max(moments) < since):
                break
        return found

    async def _searched(self, api: Api, since: datetime) -> list[Post]:
        found: list[Post] = []
        for term in self._options.search:
            params = [("q", term), ("sort", "latest"), ("limit", "50")]
            told = await self._session.get(api, "app.bsky.feed.searchPosts", params)
            for post in _list(api, told, "posts"):
                at = bluesky_posts.indexed_at(post)
                if bluesky_posts.uri(post) and at is not None and at >= since:
                    found.append(post)
        return found

    async def _answered(self, api: Api, posts: Iterable[Post]) -> dict[str, str]:
        """The words of the library's own posts that these answer; nobody else's."""
        ours = f"at://{self._session.did}/"
        wanted = {uri for uri in map(bluesky_posts.answers, posts) if uri.startswith(ours)}
        found = await self._posts(api, sorted(wanted)) if wanted else {}
        return {uri: bluesky_posts.words(post) for uri, post in found.items()}

    async def _posts(self, api: Api, uris: Sequence[str]) -> dict[str, Post]:
        found: dict[str, Post] = {}
        for at in range(0, len(uris), _POSTS):
            params = [("uris", uri) for uri in uris[at : at + _POSTS]]
            told = await self._session.get(api, "app.bsky.feed.getPosts", params)
            found |= {bluesky_posts.uri(post): post for post in _list(api, told, "posts")}
        return found

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
        """Answers by the library's accounts to these posts, and which of them are gone.

        Posts cannot be edited there.
        """
        asked = [one.native_id for one in conversations if one.native_id.startswith("at://")]
        now = self._clock()
        async with self._session.api() as api:
            there = await self._posts(api, asked)
            gone = [uri for uri in asked if uri not in there and await self._is_gone(api, uri)]
            answers = await self._own_answers(api, set(asked), now)
        return [*(Deleted(native_id=uri, at=now) for uri in gone), *answers]

    async def _is_gone(self, api: Api, uri: str) -> bool:
        """Asked once more by another way: a list that came short is no reason to blank words."""
        params = [("uri", uri), ("depth", "0"), ("parentHeight", "0")]
        answer = await self._session.ask(api, "app.bsky.feed.getPostThread", params)
        if answer.status in (400, 404):
            return payload.text(answer.body, "error") == "NotFound"
        return payload.text(answer.body, "thread", "$type").endswith("#notFoundPost")

    async def _own_answers(
        self, api: Api, asked: set[str], now: datetime
    ) -> list[AnsweredAtSource]:
        """One list an account tells of all answers at once, however many conversations there are."""
        found: list[AnsweredAtSource] = []
        for account in (self._session.did or self._options.handle, *self._options.accounts):
            page = ""
            for _ in range(_MOST_OWN_PAGES):
                params = [("actor", account), ("filter", "posts_with_replies"), ("limit", "100")]
                params += [("cursor", page)] if page else []
                told = await self._session.get(api, "app.bsky.feed.getAuthorFeed", params)
                listed = [payload.inner(one, "post") for one in _list(api, told, "feed")]
                posts = [one for one in listed if isinstance(one, Mapping)]
                found += [self._answer(one, now) for one in posts if _by(one, account, asked)]
                page = payload.text(told, "cursor")
                moments = [at for at in map(bluesky_posts.indexed_at, posts) if at is not None]
                if not page or not moments or now - min(moments) > timedelta(days=30):
                    break
        return found

    def _answer(self, post: Post, now: datetime) -> AnsweredAtSource:
        return AnsweredAtSource(
            native_id=bluesky_posts.answers(post),
            at=bluesky_posts.posted_at(post, now),
            account=payload.text(post, "author", "handle"),
            permalink=bluesky_posts.permalink(bluesky_posts.uri(post), self._options.web),
        )


def _by(post: Post, account: str, asked: set[str]) -> bool:
    """Whether this is an answer of that account to one of the posts; a feed has reposts in it too."""
    return account in _author(post) and bluesky_posts.answers(post) in asked


def _author(post: Post) -> set[str]:
    """The two names of who wrote it."""
    author = payload.inner(post, "author")
    return {payload.text(author, "did"), payload.text(author, "handle")}


def _list(api: Api, told: object, name: str) -> list[Post]:
    if not isinstance(payload.inner(told, name), list):
        raise SourceError(f"{api.host} answered without a list of {name}: is it a Bluesky server?")
    return payload.records(told, name)


def _key(uri: str) -> str:
    return hashlib.sha256(uri.encode(errors="replace")).hexdigest()[:16]


def _open(settings: SourceSettings, network: NetworkSettings, clock: Clock) -> Bluesky:
    return Bluesky(settings, network, clock)


async def _check(settings: SourceSettings, network: NetworkSettings) -> Sequence[Finding]:
    subject = f"source {settings.name}"
    session = Session(settings.options, network)
    try:
        async with session.api() as api:
            method = "app.bsky.notification.getUnreadCount"
            await session.get(api, method)
    except SourceError as problem:
        return (Finding(ok=False, subject=subject, said=str(problem)),)
    said = f"signed in as {settings.options.handle}; mentions, replies and quotes can be read"
    return (Finding(ok=True, subject=subject, said=said),)


network: Network = Network(type="bluesky", options=Options, open=_open, check=_check)

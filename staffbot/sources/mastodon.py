"""Mastodon and its kin: mentions, replies, edits, hashtags. Stores nothing itself.

Polling is the base: not every server streams, and a stream can fall silent without an error. The
cursor is one JSON string of the newest notification, what was seen, and how many replies the
library's own statuses had: a reply that does not name the library makes no notification.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    Edited,
    Replied,
    ReplyLimit,
)
from staffbot.seams import Finding, Network
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from staffbot.sources import mastodon_replies, mastodon_statuses, payload
from staffbot.sources.api import Api
from staffbot.sources.mastodon_account import Account, Options, Status
from staffbot.sources.mastodon_statuses import id_of

_PAGE = 40
_MOST_PAGES = 50
_MOST_OWN_PAGES = 10
_REMEMBERED = 1_500
# Replies to the library's own statuses are looked for under those of this age.
_OWN_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """`seen` are ids of statuses and of notifications; `replies` counts those of own statuses."""

    begun: bool = False
    seen: tuple[str, ...] = ()
    replies: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> _Cursor:
        """An unreadable cursor starts anew: the desk knows every mention that it has."""
        try:
            kept = json.loads(text or "")
            replies = {str(key): int(value) for key, value in kept["replies"].items()}
            return cls(begun=True, seen=tuple(map(str, kept["seen"])), replies=replies)
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def dump(self) -> str:
        return json.dumps({"seen": self.seen, "replies": self.replies}, separators=(",", ":"))


@dataclass(slots=True)
class _Haul:
    """What one reading found: statuses by id, edits, and ids to remember."""

    statuses: dict[str, tuple[Kind, Status]] = field(default_factory=dict)
    edits: list[Edited] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    replies: dict[str, int] = field(default_factory=dict)
    own: dict[str, Status] = field(default_factory=dict)


class Mastodon:
    """One account, as a Source that can look again."""

    def __init__(
        self, settings: SourceSettings, network: NetworkSettings, clock: Clock = system_clock
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._options: Options = settings.options
        self._account = Account(self._options, network)
        self._clock = clock

    async def fetch(self, cursor: str | None) -> Batch:
        """What is new since `cursor`; without one, what came within the look-back."""
        before = _Cursor.parse(cursor)
        now = self._clock()
        oldest = now - self._settings.look_back
        haul = _Haul()
        async with self._account.api() as api:
            await self._account.know_itself(api)
            await self._notified(api, before, oldest, now, haul)
            await self._below_own(api, before, now, haul)
            await self._heard(api, haul)
            fresh = {
                id_: (kind, status)
                for id_, (kind, status) in haul.statuses.items()
                if id_ not in before.seen
                and not self._account.is_own(status)
                and (before.begun or mastodon_statuses.posted_at(status, now) >= oldest)
            }
            mentions = [
                await self._mention(api, kind, status, haul, now) for kind, status in fresh.values()
            ]
        # The newest stand last, where they are remembered longest.
        here = dict.fromkeys([*reversed(haul.statuses), *reversed(haul.seen)])
        seen = [*(id_ for id_ in before.seen if id_ not in here), *here]
        return Batch(
            mentions=tuple(sorted(mentions, key=lambda mention: mention.posted_at)),
            changes=tuple(haul.edits),
            cursor=_Cursor(seen=tuple(seen[-_REMEMBERED:]), replies=haul.replies).dump(),
        )

    async def _mention(
        self, api: Api, kind: Kind, status: Status, haul: _Haul, now: datetime
    ) -> IncomingMention:
        answered = {id_: mastodon_statuses.words(own) for id_, own in haul.own.items()}
        return mastodon_statuses.mention(
            status, source=self.name, kind=self._settings.kind or kind,
            root=await self._root(api, status), answered=answered, now=now,
        )  # fmt: skip

    async def _root(self, api: Api, status: Status) -> str:
        """Where its conversation began, as far as this server knows."""
        if not mastodon_statuses.above(status):
            return id_of(status)
        context = await self._context(api, id_of(status))
        ancestors = payload.records(context, "ancestors")
        return (id_of(ancestors[0]) if ancestors else "") or mastodon_statuses.above(status)

    async def _context(self, api: Api, id_: str) -> Any:
        return (await self._account.ask(api, f"/api/v1/statuses/{id_}/context")).body

    async def _notified(
        self, api: Api, before: _Cursor, oldest: datetime, now: datetime, haul: _Haul
    ) -> None:
        """Mentions and edits, newest first, back to what is known. The first page is read whole each
        time: an id may be given out before one that is lower is to be seen."""
        page = ""
        for _ in range(_MOST_PAGES):
            params = [("types[]", "mention"), ("types[]", "update"), ("limit", str(_PAGE))]
            params += [("max_id", page)] if page else []
            told = await self._account.get(api, "/api/v1/notifications", params)
            if not isinstance(told, list):
                raise SourceError(f"{api.host} answered without a list of notifications")
            listed = [one for one in payload.records(told) if id_of(one)]
            for one in listed:
                _take(one, before, now, haul)
            known = any(f"n{id_of(one)}" in before.seen for one in listed)
            moments = [payload.moment(one, "created_at") for one in listed]
            old = any(at is not None and at < oldest for at in moments)
            if not listed or known or (old and not before.begun):
                break
            page = id_of(listed[-1])

    async def _below_own(self, api: Api, before: _Cursor, now: datetime, haul: _Haul) -> None:
        """Replies to what the library wrote of late, also those that do not name it."""
        for own in await self._account.own_statuses(api):
            id_, count = id_of(own), payload.number(own, "replies_count")
            haul.own[id_] = own
            if now - mastodon_statuses.posted_at(own, now) > _OWN_FOR:
                continue
            if count and count != before.replies.get(id_):
                context = await self._context(api, id_)
                for status in payload.records(context, "descendants"):
                    if id_of(status):
                        haul.statuses.setdefault(id_of(status), (Kind.REPLY, status))
            haul.replies[id_] = count

    async def _heard(self, api: Api, haul: _Haul) -> None:
        """What is said about the library without being said to it."""
        timelines = [(Kind.HASHTAG, f"tag/{tag}") for tag in self._options.hashtags]
        if self._options.list:
            timelines.append((Kind.SEARCH, f"list/{self._options.list}"))
        for kind, path in timelines:
            params = [("limit", str(_PAGE))]
            for status in await self._account.statuses(api, f"/api/v1/timelines/{path}", params):
                if not status.get("reblog"):
                    haul.statuses.setdefault(id_of(status), (kind, status))

    @property
    def limit(self) -> ReplyLimit | None:
        """How long an answer may be, counted as the server counts."""
        return mastodon_replies.limit(self._account)

    async def reply(self, to: Answering, text: str, key: str) -> Replied:
        """Answer the status, to no more people than can see it."""
        return await mastodon_replies.reply(self._account, to, text, key)

    async def find_reply(self, to: Answering, text: str, key: str) -> Replied | None:
        """The account's own answer with these words, if it is there."""
        return await mastodon_replies.find(self._account, to, text)

    async def look(self, conversations: Sequence[Conversation]) -> Sequence[Change]:
        """Answers by the library to these statuses, their words as they are, and which are gone."""
        asked = [one.native_id for one in conversations if id_of({"id": one.native_id})]
        now = self._clock()
        changes: list[Change] = []
        async with self._account.api() as api:
            await self._account.know_itself(api)
            for id_ in asked:
                answer = await self._account.ask(api, f"/api/v1/statuses/{id_}")
                edit = mastodon_statuses.edited(answer.body, now) if answer.ok else None
                if not answer.ok:
                    changes.append(Deleted(native_id=id_, at=now))
                elif edit is not None:
                    changes.append(edit)
                if (
                    answer.ok
                    and self._options.accounts
                    and payload.number(answer.body, "replies_count")
                ):
                    below = payload.records(await self._context(api, id_), "descendants")
                    changes += self._answers(below, {id_}, now)
            changes += await self._own_answers(api, set(asked), now)
        return list(dict.fromkeys(changes))

    async def _own_answers(
        self, api: Api, asked: set[str], now: datetime
    ) -> list[AnsweredAtSource]:
        """The account's own list tells of all its answers at once, whatever the conversations."""
        found: list[AnsweredAtSource] = []
        page = ""
        for _ in range(_MOST_OWN_PAGES):
            listed = await self._account.own_statuses(api, page)
            found += self._answers(listed, asked, now)
            if not listed or now - mastodon_statuses.posted_at(listed[-1], now) > timedelta(
                days=30
            ):
                break
            page = id_of(listed[-1])
        return found

    def _answers(
        self, statuses: Sequence[Status], asked: set[str], now: datetime
    ) -> list[AnsweredAtSource]:
        return [
            AnsweredAtSource(
                native_id=mastodon_statuses.above(one),
                at=mastodon_statuses.posted_at(one, now),
                account=payload.text(one, "account", "acct"),
                permalink=mastodon_statuses.permalink(one),
            )
            for one in statuses
            if self._account.is_own(one) and mastodon_statuses.above(one) in asked
        ]


def _take(notification: Mapping[str, Any], before: _Cursor, now: datetime, haul: _Haul) -> None:
    """One notification: a mention, or the edit of one."""
    key = f"n{id_of(notification)}"
    haul.seen.append(key)
    status = payload.inner(notification, "status")
    if key in before.seen or not isinstance(status, Mapping) or not id_of(status):
        return
    if payload.text(notification, "type") == "mention":
        reply = bool(mastodon_statuses.above(status))
        haul.statuses[id_of(status)] = (Kind.REPLY if reply else Kind.MENTION, status)
    elif (edit := mastodon_statuses.edited(status, now)) is not None:
        haul.edits.append(edit)


def _open(settings: SourceSettings, network: NetworkSettings, clock: Clock) -> Mastodon:
    return Mastodon(settings, network, clock)


async def _check(settings: SourceSettings, network: NetworkSettings) -> Sequence[Finding]:
    subject = f"source {settings.name}"
    account = Account(settings.options, network)
    try:
        async with account.api() as api:
            await account.know_itself(api)
            await account.get(api, "/api/v1/notifications", [("limit", "1")])
    except SourceError as problem:
        return (Finding(ok=False, subject=subject, said=str(problem)),)
    said = f"signed in as @{account.name}; mentions and replies can be read"
    return (Finding(ok=True, subject=subject, said=said),)


network: Network = Network(type="mastodon", options=Options, open=_open, check=_check)

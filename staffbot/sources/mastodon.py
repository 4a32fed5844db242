"""Mastodon and its kin: mentions, replies, edits, hashtags. Stores nothing itself.

Polling is the base: not every server streams, and a stream can fall silent without an error. The
cursor is one JSON string of the newest notification, what was seen, and how many replies the
library's own statuses had: a reply that does not name the library makes no notification.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from staffbot.errors import SourceError
from staffbot.model import Clock, IncomingMention, Kind, system_clock
from staffbot.network import Answering, Batch, Change, Conversation, Replied, ReplyLimit
from staffbot.seams import Finding, Network
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from staffbot.sources import mastodon_looks, mastodon_replies, mastodon_statuses, payload
from staffbot.sources.api import Api
from staffbot.sources.mastodon_account import PAGE, Account, Options, Status
from staffbot.sources.mastodon_statuses import id_of

_MOST_PAGES = 50
_REMEMBERED = 1_500
# Roots of conversations that are asked for in one reading.
_MOST_ASKED = 40
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
    """What one reading found: statuses by id, changes, and ids to remember."""

    statuses: dict[str, tuple[Kind, Status]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    replies: dict[str, int] = field(default_factory=dict)
    own: dict[str, Status] = field(default_factory=dict)
    above: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def learns(self, statuses: Iterable[Status]) -> None:
        """What each of these replies to."""
        self.above |= {id_of(one): mastodon_statuses.above(one) for one in statuses}

    def top(self, id_: str) -> str:
        """The uppermost that is known to stand above it, or itself."""
        passed = {id_}
        while (higher := self.above.get(id_, "")) and higher not in passed:
            passed.add(higher)
            id_ = higher
        return id_


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
            haul.learns([*haul.own.values(), *(status for _, status in haul.statuses.values())])
            mentions = [
                await self._mention(api, kind, status, haul, now) for kind, status in fresh.values()
            ]
        # The newest stand last, where they are remembered longest.
        here = dict.fromkeys([*reversed(haul.statuses), *reversed(haul.seen)])
        seen = [*(id_ for id_ in before.seen if id_ not in here), *here]
        return Batch(
            mentions=tuple(sorted(mentions, key=lambda mention: mention.posted_at)),
            changes=tuple(haul.changes),
            cursor=_Cursor(seen=tuple(seen[-_REMEMBERED:]), replies=haul.replies).dump(),
        )

    async def _mention(
        self, api: Api, kind: Kind, status: Status, haul: _Haul, now: datetime
    ) -> IncomingMention:
        answered = {id_: mastodon_statuses.words(own) for id_, own in haul.own.items()}
        return mastodon_statuses.mention(
            status, source=self.name, kind=self._settings.kind or kind,
            root=await self._root(api, status, haul), answered=answered, now=now,
        )  # fmt: skip

    async def _root(self, api: Api, status: Status, haul: _Haul) -> str:
        """Where its conversation began, as far as this server knows; asked for only where what was
        read does not tell, and not too often: a server allows 300 requests in five minutes."""
        top = haul.top(id_of(status))
        if top not in haul.above and haul.asked < _MOST_ASKED:
            haul.asked += 1
            haul.learns(
                payload.records(await self._account.context(api, id_of(status)), "ancestors")
            )
            top = haul.top(id_of(status))
        return top

    async def _notified(
        self, api: Api, before: _Cursor, oldest: datetime, now: datetime, haul: _Haul
    ) -> None:
        """Mentions and edits, newest first, back to what is known. The first page is read whole each
        time: an id may be given out before one that is lower is to be seen."""
        page = ""
        for _ in range(_MOST_PAGES):
            told = await self._account.notifications(api, page)
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
        """Replies to what the library wrote of late, also those that do not name it, and which
        statuses that answers."""
        listed = await self._account.own_statuses(api)
        fresh = [own for own in listed if id_of(own) not in before.seen]
        haul.changes += mastodon_looks.answers(self._account, fresh, now)
        for own in listed:
            haul.seen.append(id_of(own))
            id_, count = id_of(own), payload.number(own, "replies_count")
            haul.own[id_] = own
            if now - mastodon_statuses.posted_at(own, now) > _OWN_FOR:
                continue
            if count and count != before.replies.get(id_):
                context = await self._account.context(api, id_)
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
            params = [("limit", str(PAGE))]
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
        return await mastodon_looks.look(self._account, asked, self._clock())


def _take(notification: Mapping[str, Any], before: _Cursor, now: datetime, haul: _Haul) -> None:
    """One notification: a mention, or the edit of one."""
    key = f"n{id_of(notification)}"
    haul.seen.append(key)
    status = payload.inner(notification, "status")
    if key in before.seen or not isinstance(status, Mapping) or not id_of(status):
        return
    kind = payload.text(notification, "type")
    if kind in ("mention", "pending.reply"):
        reply = bool(mastodon_statuses.above(status))
        haul.statuses[id_of(status)] = (Kind.REPLY if reply else Kind.MENTION, status)
    elif kind == "quote":
        # One that names the library as well comes as a mention too, and that weighs more.
        haul.statuses.setdefault(id_of(status), (Kind.QUOTE, status))
    elif kind == "update" and (edit := mastodon_statuses.edited(status, now)) is not None:
        haul.changes.append(edit)


def _open(settings: SourceSettings, network: NetworkSettings, clock: Clock) -> Mastodon:
    return Mastodon(settings, network, clock)


async def _check(settings: SourceSettings, network: NetworkSettings) -> Sequence[Finding]:
    subject = f"source {settings.name}"
    options: Options = settings.options
    account = Account(options, network)
    try:
        async with account.api() as api:
            await account.know_itself(api)
            await account.notifications(api)
            params = [("limit", "1")]
            await account.get(api, f"/api/v1/accounts/{account.id}/statuses", params)
            if options.list:
                await account.get(api, f"/api/v1/timelines/list/{options.list}", params)
            dropped = await account.dropped(api)
    except SourceError as problem:
        return (Finding(ok=False, subject=subject, said=str(problem)),)
    if dropped:
        said = (
            f"@{account.name} has Mastodon drop mentions {dropped}: choose Accept or Filter there, "
            "under Notifications, or they are missed"
        )
        return (Finding(ok=False, subject=subject, said=said),)
    said = f"signed in as @{account.name}; mentions and replies can be read"
    return (Finding(ok=True, subject=subject, said=said),)


network: Network = Network(type="mastodon", options=Options, open=_open, check=_check)

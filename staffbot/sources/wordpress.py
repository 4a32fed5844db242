"""Comments of a WordPress site, held ones too where it may see them. Stores nothing itself.

What is asked for overlaps with what was read, and comments are told apart by number: WordPress
keeps whole seconds, and a comment that is let through late comes with its old date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

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
from staffbot.sources import payload, wordpress_comments, wordpress_replies
from staffbot.sources.api import Api
from staffbot.sources.wordpress_comments import GONE, HELD, PUBLIC, Comment
from staffbot.sources.wordpress_site import ALL, OLDEST_FIRST, Options, Site, pieces, refusal

# With a password a comment is seen from its first second. Without one it is seen once it is let
# through, which may be days after its date.
_OVERLAP = timedelta(hours=1)
_OVERLAP_PUBLIC = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """Where the reading stands: the newest date, and a print of each comment of the overlap."""

    url: str = ""
    newest: datetime | None = None
    seen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None, url: str) -> _Cursor:
        """A cursor of another site, or an unreadable one, starts anew."""
        try:
            kept = json.loads(text or "")
            seen = {str(key): str(value) for key, value in kept["seen"].items()}
            found = cls(url=str(kept["url"]), newest=payload.moment(kept, "newest"), seen=seen)
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()
        return found if found.url == url else cls()

    def dump(self) -> str:
        newest = self.newest.isoformat() if self.newest else ""
        return json.dumps(
            {"url": self.url, "newest": newest, "seen": self.seen}, separators=(",", ":")
        )


class WordPress:
    """One site, as a Source that can look again."""

    def __init__(
        self, settings: SourceSettings, network: NetworkSettings, clock: Clock = system_clock
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._options: Options = settings.options
        self._site = Site(self._options, network)
        self._clock = clock

    async def fetch(self, cursor: str | None) -> Batch:
        """What is new since `cursor`; without one, what was posted within the look-back."""
        before = _Cursor.parse(cursor, self._options.url)
        now = self._clock()
        overlap = _OVERLAP if self._options.password else _OVERLAP_PUBLIC
        # The first reading remembers what lies before the look-back, and shows nothing of it.
        oldest = now - self._settings.look_back if before.newest is None else None
        since = (before.newest or oldest or now) - overlap
        async with self._site.api() as api:
            own = await self._site.own(api)
            found = await self._site.comments(api, [("after", _iso(since)), *OLDEST_FIRST])
            fresh = [
                one
                for one in found
                if _is_new(one, before.seen, own)
                and (oldest is None or (one.at is not None and one.at >= oldest))
            ]
            mentions = await self._mentions(api, fresh, found, own, now)
        return Batch(
            mentions=mentions,
            changes=_changes(found, before.seen, own, now),
            cursor=_after(
                before, found, url=self._options.url, start=since + overlap, now=now
            ).dump(),
        )

    async def _mentions(
        self,
        api: Api,
        fresh: Sequence[Comment],
        found: Sequence[Comment],
        own: frozenset[int],
        now: datetime,
    ) -> tuple[IncomingMention, ...]:
        if not fresh:
            return ()
        above = await self._site.above(api, fresh, found)
        titles = await self._site.titles(api, {one.post for one in fresh})
        return tuple(
            wordpress_comments.mention(
                one, source=self.name, kind=self._settings.kind or Kind.COMMENT,
                title=titles.get(one.post, ""), above=above, own=own, now=now,
            )
            for one in fresh
        )  # fmt: skip

    @property
    def limit(self) -> ReplyLimit | None:
        """How long an answer may be; None without a password, when nothing can be written."""
        return wordpress_replies.limit(self._options)

    async def reply(self, to: Answering, text: str, key: str) -> Replied:
        """Answer under the comment. The site keeps no key, but refuses the same words twice."""
        return await wordpress_replies.reply(self._site, to, text)

    async def find_reply(self, to: Answering, text: str, key: str) -> Replied | None:
        """The answer with these words under the comment, if it is there."""
        return await wordpress_replies.find(self._site, to, text)

    async def look(self, conversations: Sequence[Conversation]) -> Sequence[Change]:
        """Answers under these comments, their words as they are now, and which are gone."""
        asked = [one.native_id for one in conversations if one.native_id.isdigit()]
        now = self._clock()
        changes: list[Change] = []
        async with self._site.api() as api:
            own = await self._site.own(api)
            for ids in pieces(asked):
                listed = await self._site.comments(api, [("include", ",".join(ids))])
                there = {str(one.id): one for one in listed}
                for id_ in ids:
                    if id_ in there and there[id_].status not in GONE:
                        changes.append(_edited(there[id_], now))
                    elif id_ in there or await self._site.is_gone(api, id_):
                        changes.append(Deleted(native_id=id_, at=now))
                below = await self._site.comments(
                    api, [("parent", ",".join(ids)), *OLDEST_FIRST], public=True
                )
                changes += [_answer(one, now) for one in below if _answers(one, own)]
        return changes


def _is_new(comment: Comment, seen: Mapping[str, str], own: frozenset[int]) -> bool:
    return (
        str(comment.id) not in seen
        and comment.status in (PUBLIC, HELD)
        and comment.author not in own
    )


def _answers(comment: Comment, own: frozenset[int]) -> bool:
    return comment.author in own and comment.parent > 0 and comment.status == PUBLIC


def _edited(comment: Comment, now: datetime) -> Edited:
    return Edited(
        native_id=str(comment.id), text=comment.text, at=now, held=comment.status == HELD
    )  # fmt: skip


def _answer(comment: Comment, now: datetime) -> AnsweredAtSource:
    return AnsweredAtSource(
        native_id=str(comment.parent), at=min(comment.at or now, now),
        account=str(comment.author), permalink=comment.link,
    )  # fmt: skip


def _changes(
    found: Sequence[Comment], seen: Mapping[str, str], own: frozenset[int], now: datetime
) -> tuple[Change, ...]:
    changes: list[Change] = []
    for one in found:
        before = seen.get(str(one.id))
        if one.author in own:
            if _answers(one, own) and before != one.print:
                changes.append(_answer(one, now))
        elif before is None or before == _print(one):
            continue
        elif one.status in GONE:
            changes.append(Deleted(native_id=str(one.id), at=now))
        else:
            changes.append(_edited(one, now))
    return tuple(changes)


def _print(comment: Comment) -> str:
    return "gone" if comment.status in GONE else comment.print


def _after(
    before: _Cursor, found: Sequence[Comment], *, url: str, start: datetime, now: datetime
) -> _Cursor:
    """The overlap moves along with the newest date, and what lies before it is forgotten.

    Never past our own clock: a date to come would hide what is written until then.
    """
    newest = max([before.newest or start, *(one.at for one in found if one.at is not None)])
    # What came as spam and is let through later is new then.
    prints = {
        str(one.id): _print(one)
        for one in found
        if one.status not in GONE or str(one.id) in before.seen
    }
    return _Cursor(url=url, newest=min(newest, now), seen=prints)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _open(settings: SourceSettings, network: NetworkSettings, clock: Clock) -> WordPress:
    return WordPress(settings, network, clock)


async def _check(settings: SourceSettings, network: NetworkSettings) -> Sequence[Finding]:
    subject = f"source {settings.name}"
    options: Options = settings.options
    site = Site(options, network)
    try:
        async with site.api() as api:
            own = await site.own(api)
            params = [("per_page", "1"), ("_fields", "id"), *(ALL if options.password else [])]
            answer = await site.ask(api, "/wp/v2/comments", params)
            if not answer.ok:
                raise SourceError(refusal(api.host, answer, options))
    except SourceError as problem:
        return (Finding(ok=False, subject=subject, said=str(problem)),)
    number = answer.headers.get("X-WP-Total", "")
    told = f"its {int(number)} comments" if number.isdigit() else "its comments"
    ours = f"{len(own)} users count as the library's own"
    if options.password:
        said = f"{told} can be read, also those held for moderation; {ours}"
    else:
        said = (
            f"{told} can be read, but none while it is held for moderation, and those are often the "
            f"ones that want a person (one let through after {_OVERLAP_PUBLIC.days} days is missed): "
            f"set username and an application password; {ours}"
        )
    return (Finding(ok=True, subject=subject, said=said),)


network: Network = Network(type="wordpress", options=Options, open=_open, check=_check)

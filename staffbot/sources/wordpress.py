"""Comments of a WordPress site, held ones too where it may see them. Stores nothing itself.

What is asked for overlaps with what was read, and comments are told apart by number: WordPress
keeps whole seconds, and a comment that is let through late comes with its old date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
from staffbot.sources.wordpress_late import BACK, Late, Walk, iso
from staffbot.sources.wordpress_site import ALL, OLDEST_FIRST, Options, Site, pieces, refusal

# With a password a comment is seen from its first second. Without one it is seen once it is let
# through, which may be days after its date. Sites compare by their own clock on the wall, which
# has one hour twice in autumn.
_OVERLAP = timedelta(hours=2)
_OVERLAP_PUBLIC = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """Where the reading stands: the newest date, and a print of each comment of the overlap.

    `oldest` is how far back the first reading showed what was there, and `walk` that of wordpress_late.
    """

    url: str = ""
    newest: datetime | None = None
    oldest: datetime | None = None
    seen: Mapping[str, str] = field(default_factory=dict)
    walk: Walk

    @classmethod
    def parse(cls, text: str | None, url: str, now: datetime) -> _Cursor:
        """A cursor of another site, or an unreadable one, starts anew."""
        anew = cls(walk=Walk(began=now))
        try:
            kept = json.loads(text or "")
            seen = {str(key): str(value) for key, value in kept["seen"].items()}
            found = cls(
                url=str(kept["url"]), newest=payload.moment(kept, "newest"),
                oldest=payload.moment(kept, "oldest"), seen=seen, walk=Walk.parse(kept, now),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError):
            return anew
        return found if found.url == url else anew

    def dump(self) -> str:
        kept = {
            "url": self.url, "newest": _told(self.newest), "oldest": _told(self.oldest),
            "walk": self.walk.dump(), "seen": self.seen,
        }  # fmt: skip
        return json.dumps(kept, separators=(",", ":"))


def _told(at: datetime | None) -> str:
    return at.isoformat() if at else ""


class WordPress:
    """One site, as a Source that can look again."""

    def __init__(
        self, settings: SourceSettings, network: NetworkSettings, clock: Clock = system_clock
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._options: Options = settings.options
        self._site = Site(self._options, network)
        self._late = Late(self._site, signed_in=self._options.password is not None)
        self._clock = clock

    async def fetch(self, cursor: str | None) -> Batch:
        """What is new since `cursor`; without one, what was posted within the look-back."""
        now = self._clock()
        before = _Cursor.parse(cursor, self._options.url, now)
        self._late.stored(cursor)
        overlap = _OVERLAP if self._options.password else _OVERLAP_PUBLIC
        # The first reading remembers what lies before the look-back, and shows nothing of it.
        oldest = before.oldest or now - self._settings.look_back
        since = (before.newest or oldest) - overlap
        async with self._site.api() as api:
            own = await self._site.own(api)
            found = await self._site.comments(api, [("after", iso(since)), *OLDEST_FIRST])
            late, walk = await self._late.step(
                api, before.walk, oldest=oldest, until=since, now=now
            )
            known = {one.id for one in found}
            everything = [*found, *(one for one in late if one.id not in known)]
            fresh = [one for one in everything if _is_new(one, before.seen, own, oldest)]
            mentions = await self._mentions(api, fresh, everything, own, now)
        after = _Cursor(
            url=self._options.url, newest=_newest(before, found, oldest, now), oldest=oldest,
            seen=_prints(before, found), walk=walk,
        ).dump()  # fmt: skip
        self._late.gave(after, late)
        changes = _changes(found, before.seen, own, now)
        return Batch(mentions=mentions, changes=changes, cursor=after)

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
                    api, [("parent", ",".join(ids)), *OLDEST_FIRST], wide=()
                )
                changes += [_answer(one, now) for one in below if _answers(one, own)]
        return changes


def _is_new(
    comment: Comment, seen: Mapping[str, str], own: frozenset[int], oldest: datetime
) -> bool:
    return (
        str(comment.id) not in seen
        and comment.status in (PUBLIC, HELD)
        and comment.author not in own
        and (comment.at is None or comment.at >= oldest)
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


def _newest(before: _Cursor, found: Sequence[Comment], oldest: datetime, now: datetime) -> datetime:
    """Never past our own clock: a date to come would hide what is written until then."""
    dates = (one.at for one in found if one.at is not None)
    return min(max([before.newest or oldest, *dates]), now)


def _prints(before: _Cursor, found: Sequence[Comment]) -> Mapping[str, str]:
    """What lies before the overlap is forgotten. What came as spam and is let through is new then."""
    return {
        str(one.id): _print(one)
        for one in found
        if one.status not in GONE or str(one.id) in before.seen
    }


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
            f"ones that want a person (one let through after {_OVERLAP_PUBLIC.days} days comes up to a "
            f"day late, after {BACK.days} days never): set username and an application password; {ours}"
        )
    return (Finding(ok=True, subject=subject, said=said),)


network: Network = Network(type="wordpress", options=Options, open=_open, check=_check)

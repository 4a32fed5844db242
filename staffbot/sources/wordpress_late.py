"""Comments that are let through long after they were written: the last year, gone through once a day.

Their dates lie before all that is asked for otherwise. One page goes with each reading, so that a
large site delays no new comment; what the desk has already it leaves out. Knows no mention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from staffbot.sources import payload
from staffbot.sources.api import Api
from staffbot.sources.wordpress_comments import Comment
from staffbot.sources.wordpress_site import HELD_ONLY, OLDEST_FIRST, Site

BACK = timedelta(days=365)
_EVERY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The walk under way: when it began, the date that it has come to, and the page from there.

    `at` is None once it is over. The first begins a day after the site was first read.
    """

    began: datetime
    at: datetime | None = None
    page: int = 1

    @classmethod
    def parse(cls, kept: Mapping[str, Any], now: datetime) -> Walk:
        return cls(
            began=payload.moment(kept, "walk", "began") or now,
            at=payload.moment(kept, "walk", "at"),
            page=max(payload.number(kept, "walk", "page"), 1),
        )

    def dump(self) -> dict[str, Any]:
        at = self.at.isoformat() if self.at else ""
        return {"began": self.began.isoformat(), "at": at, "page": self.page}


class Late:
    """Walks through one site. Remembers, while the program runs, what it has handed over."""

    def __init__(self, site: Site, *, signed_in: bool) -> None:
        self._site = site
        self._signed_in = signed_in
        self._known: set[int] = set()
        self._given: tuple[str, frozenset[int]] = ("", frozenset())

    async def step(
        self, api: Api, walk: Walk, *, oldest: datetime, until: datetime, now: datetime
    ) -> tuple[tuple[Comment, ...], Walk]:
        """The comments of the next page, if a walk is due, and how far it has come then.

        `until` is from where on the site is read at every turn.
        """
        found: dict[int, Comment] = {}
        if walk.at is None:
            if abs(now - walk.began) < _EVERY:
                return (), walk
            walk = Walk(began=now, at=max(oldest, now - BACK))
            if self._signed_in:
                # What was taken for spam and is none may come back to those that are held.
                params = [("after", iso(walk.at or now)), *OLDEST_FIRST]
                held = await self._site.comments(api, params, wide=HELD_ONLY)
                found |= {one.id: one for one in held}
        at = walk.at or now
        params = [("after", iso(at)), *OLDEST_FIRST]
        listed, last = await self._site.page(api, params, walk.page, wide=())
        found |= {one.id: one for one in listed}
        dates = [one.at for one in listed if one.at is not None]
        # A second less, as others may be of that very second.
        reached = max(dates, default=at) - _SECOND
        if last or reached >= until:
            walk = Walk(began=walk.began)
        elif reached > at:
            walk = Walk(began=walk.began, at=reached)
        else:
            walk = Walk(began=walk.began, at=at, page=walk.page + 1)
        return tuple(one for one in found.values() if one.id not in self._known), walk

    def gave(self, cursor: str, comments: tuple[Comment, ...]) -> None:
        """These go with that cursor."""
        self._given = (cursor, frozenset(one.id for one in comments))

    def stored(self, cursor: str | None) -> None:
        """Reading goes on from this cursor, so what went with it is stored."""
        if cursor == self._given[0]:
            self._known |= self._given[1]


def iso(at: datetime) -> str:
    """A moment as WordPress takes it in a request."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""What a Bluesky server lists: notifications, searches, posts by name. Stores nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from staffbot.errors import SourceError
from staffbot.model import Kind
from staffbot.sources import bluesky_posts, payload
from staffbot.sources.api import Api
from staffbot.sources.bluesky_session import Session

_MOST_PAGES = 50
_MOST_SEARCHED = 5
_POSTS = 25

Post = Mapping[str, Any]


async def notifications(session: Session, api: Api, since: datetime) -> list[tuple[Kind, Post]]:
    """Who mentioned, answered or quoted the library, back to `since`; likes never come here."""
    # What the account set for its own app ("only people I follow") is no rule for the library.
    asked = [*(("reasons", reason) for reason in bluesky_posts.KINDS), ("priority", "false")]
    found: list[tuple[Kind, Post]] = []
    page = ""
    for _ in range(_MOST_PAGES):
        params = [*asked, ("limit", "100"), *([("cursor", page)] if page else [])]
        told = await session.get(api, "app.bsky.notification.listNotifications", params)
        page_of = listed(api, told, "notifications")
        for post in page_of:
            at, kind = bluesky_posts.indexed_at(post), payload.text(post, "reason")
            if kind not in bluesky_posts.KINDS or not bluesky_posts.uri(post):
                continue
            if at is None or at >= since:
                found.append((bluesky_posts.KINDS[kind], post))
        after = payload.text(told, "cursor")
        if not after or _is_past(page_of, after, since):
            break
        page = _overlapping(after, page)
    return found


def _overlapping(cursor: str, asked: str) -> str:
    """The server goes on strictly below the moment of the last one, and so leaves out others of that
    very moment: the next page begins a little above it, unless that was what `asked` for."""
    at = payload.moment({"at": cursor}, "at")
    if at is None:
        return cursor
    above = (at + timedelta(milliseconds=1)).isoformat(timespec="milliseconds")
    above = above.replace("+00:00", "Z")
    return cursor if above == asked else above


def _is_past(posts: Sequence[Post], cursor: str, since: datetime) -> bool:
    """Whether whatever follows is older. A page may be empty and yet not be the last: the server
    looks through a thousand likes at a time, and its cursor is a moment then."""
    moments = [at for at in map(bluesky_posts.indexed_at, posts) if at is not None]
    reached = payload.moment({"at": cursor}, "at")
    if reached is not None:
        return reached < since
    return bool(moments) and max(moments) < since


async def searched(session: Session, api: Api, term: str, since: datetime) -> list[Post]:
    """What was posted with that term, back to `since`, as far as a few pages reach."""
    found: list[Post] = []
    page = ""
    for _ in range(_MOST_SEARCHED):
        params = [("q", term), ("sort", "latest"), ("limit", "100")]
        params += [("cursor", page)] if page else []
        told = await session.get(api, "app.bsky.feed.searchPosts", params)
        moments = []
        for post in listed(api, told, "posts"):
            at = bluesky_posts.indexed_at(post)
            if bluesky_posts.uri(post) and at is not None:
                moments.append(at)
                found += [post] if at >= since else []
        page = payload.text(told, "cursor")
        if not page or not moments or min(moments) < since:
            break
    return found


async def posts(session: Session, api: Api, uris: Sequence[str]) -> dict[str, Post]:
    """Those of these posts that the account may see, by name."""
    found: dict[str, Post] = {}
    for at in range(0, len(uris), _POSTS):
        params = [("uris", uri) for uri in uris[at : at + _POSTS]]
        told = await session.get(api, "app.bsky.feed.getPosts", params)
        found |= {bluesky_posts.uri(post): post for post in listed(api, told, "posts")}
    return found


async def state(session: Session, api: Api, uri: str) -> str:
    """What became of a post that no list has: "gone", "blocked", or "there" for all we know."""
    params = [("uri", uri), ("depth", "0"), ("parentHeight", "0")]
    answer = await session.ask(api, "app.bsky.feed.getPostThread", params)
    if answer.status in (400, 404):
        return "gone" if payload.text(answer.body, "error") == "NotFound" else "there"
    kind = payload.text(answer.body, "thread", "$type")
    if kind.endswith("#notFoundPost"):
        return "gone"
    return "blocked" if kind.endswith("#blockedPost") else "there"


def listed(api: Api, told: object, name: str) -> list[Post]:
    """The list of that name. Raises SourceError where there is none."""
    if not isinstance(payload.inner(told, name), list):
        raise SourceError(f"{api.host} answered without a list of {name}: is it a Bluesky server?")
    return payload.records(told, name)

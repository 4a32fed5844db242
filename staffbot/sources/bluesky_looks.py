"""A second look at posts on Bluesky: answers by the library's accounts, and what is gone.

Posts cannot be edited there. Keeps no cursor, stores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from staffbot.errors import SourceError
from staffbot.network import AnsweredAtSource, Change, Deleted
from staffbot.sources import bluesky_posts, bluesky_reading, payload
from staffbot.sources.api import Api
from staffbot.sources.bluesky_reading import Post
from staffbot.sources.bluesky_session import Options, Session, refusal

_MOST_PAGES = 10
_LOOKED_FOR = timedelta(days=30)


async def look(
    session: Session, options: Options, uris: Sequence[str], now: datetime
) -> list[Change]:
    """What changed of these posts since they were read."""
    async with session.api() as api:
        there = await bluesky_reading.posts(session, api, uris)
        # Asked once more by another way: a list that came short is no reason to blank words, nor
        # is a patron who blocked the library.
        gone = [
            uri
            for uri in uris
            if uri not in there and await bluesky_reading.state(session, api, uri) == "gone"
        ]
        answers = await _answers(session, api, options, set(uris), now)
    return [*(Deleted(native_id=uri, at=now) for uri in gone), *answers]


async def answers_of_late(
    session: Session, api: Api, options: Options, now: datetime
) -> dict[str, AnsweredAtSource]:
    """What the account that signs in answered last, by the name of the answer. None where it cannot
    be told just now: a later look tells it."""
    try:
        posts, _ = await _written(session, api, session.did, "")
    except SourceError:
        return {}
    return {
        bluesky_posts.uri(one): _answer(one, options, now)
        for one in posts or ()
        if session.did in bluesky_posts.author(one) and bluesky_posts.answers(one)
    }


async def _answers(
    session: Session, api: Api, options: Options, asked: set[str], now: datetime
) -> list[AnsweredAtSource]:
    """One list an account tells of all answers at once, however many conversations there are."""
    found: list[AnsweredAtSource] = []
    for account in (session.did or options.handle, *options.accounts):
        page = ""
        for _ in range(_MOST_PAGES):
            posts, page = await _written(session, api, account, page)
            if posts is None:
                break  # one that is gone or misspelt: `check` says so, the others go on
            found += [
                _answer(one, options, now)
                for one in posts
                if account in bluesky_posts.author(one) and bluesky_posts.answers(one) in asked
            ]
            moments = [at for at in map(bluesky_posts.indexed_at, posts) if at is not None]
            if not page or not moments or now - min(moments) > _LOOKED_FOR:
                break
    return found


async def _written(
    session: Session, api: Api, account: str, page: str
) -> tuple[list[Post] | None, str]:
    """A page of what an account wrote and shared, newest first, and the name of the next page; None
    where the network does not know the account."""
    params = [("actor", account), ("filter", "posts_with_replies"), ("limit", "100")]
    params += [("cursor", page)] if page else []
    answer = await session.ask(api, "app.bsky.feed.getAuthorFeed", params)
    if answer.status in (400, 404):
        return None, ""
    if not answer.ok:
        raise SourceError(refusal(api.host, answer, session.options))
    feed = bluesky_reading.listed(api, answer.body, "feed")
    posts = [one for one in (payload.inner(one, "post") for one in feed) if _is(one)]
    return posts, payload.text(answer.body, "cursor")


def _is(post: object) -> bool:
    return isinstance(post, Mapping)


def _answer(post: Post, options: Options, now: datetime) -> AnsweredAtSource:
    return AnsweredAtSource(
        native_id=bluesky_posts.answers(post),
        at=bluesky_posts.posted_at(post, now),
        account=payload.text(post, "author", "handle"),
        permalink=bluesky_posts.permalink(bluesky_posts.uri(post), options.web),
    )

"""Answers under a patron's comment on a WordPress site. Knows its REST interface, stores nothing.

The site itself refuses the same words by the same user twice; it keeps no key of ours, so an answer
is found by its author, its place and its words.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from staffbot.errors import DeliveryError
from staffbot.network import Answering, Replied, ReplyLimit
from staffbot.sources import payload, wordpress_comments
from staffbot.sources.answering import asking, refused, same, writing
from staffbot.sources.api import Answer, Api
from staffbot.sources.wordpress_comments import HELD, PUBLIC, Comment
from staffbot.sources.wordpress_site import Options, Site

# The column takes 65,525 bytes, and one character has up to four, some of them escaped.
LIMIT = ReplyLimit(most=10_000)


def limit(options: Options) -> ReplyLimit | None:
    """Only who is signed in can answer in the library's name."""
    return LIMIT if options.password else None


async def reply(site: Site, to: Answering, text: str) -> Replied:
    """Put an answer under the comment. What the site has already is found and handed back."""
    async with site.api() as api:
        with asking():
            post = await _post_of(site, api, to)
        # The site reads HTML, and our words are none.
        content = escape(text, quote=False)
        body = {"post": post, "parent": int(to.native_id), "content": content}
        with writing():
            answer = await site.write(api, "/wp/v2/comments", body)
        if answer.ok:
            return _replied(wordpress_comments.read(answer.body or {}), answer.at)
        if answer.status == 409:
            return await _there_already(site, api, to, text)
        raise _refusal(api.host, answer)


async def find(site: Site, to: Answering, text: str) -> Replied | None:
    """The answer with these words by the user who signs in, wherever it was filed."""
    async with site.api() as api:
        with asking():
            return await _find(site, api, to, text)


async def _there_already(site: Site, api: Api, to: Answering, text: str) -> Replied:
    with writing():  # what a failed look-up here leaves open is looked up again
        found = await _find(site, api, to, text)
    if found is None:
        raise DeliveryError(
            f"{api.host} says that it has this answer, but does not show it", ambiguous=True
        )
    return found


async def _find(site: Site, api: Api, to: Answering, text: str) -> Replied | None:
    if not to.native_id.isdigit():
        return None
    mine = await site.mine(api)
    authors = ",".join(str(one) for one in sorted(mine))
    below = await site.comments(api, [("parent", to.native_id), ("author", authors)])
    fitting = (one for one in below if one.author in mine and same(text, one.text))
    found = next(fitting, None)
    return None if found is None else _replied(found, datetime.now(UTC))


async def _post_of(site: Site, api: Api, to: Answering) -> int:
    """The post under which the comment stands. Refused where an answer would be seen by nobody."""
    if not to.native_id.isdigit():
        raise refused("this is no comment of that site")
    shown = await site.comments(api, [("include", to.native_id)])
    comment = next((one for one in shown if str(one.id) == to.native_id), None)
    if comment is not None and comment.status == HELD:
        raise refused("the comment is held for moderation: let it through in WordPress first")
    if comment is None or comment.status != PUBLIC:
        raise refused("the comment is not on the site any more")
    return comment.post


def _replied(comment: Comment | None, now: datetime) -> Replied:
    if comment is None:
        return Replied(at=now)
    return Replied(at=comment.at or now, native_id=str(comment.id), permalink=comment.link)


def _refusal(host: str, answer: Answer) -> DeliveryError:
    """Why the site does not take it, and what helps. Never what it said itself."""
    code = payload.text(answer.body, "code")
    code = code if code.isascii() and len(code) <= 60 else ""
    match answer.status:
        case 401 | 403:
            helps = (
                "the user may not answer there: make it an editor, and look whether the post "
                "takes comments"
            )
        case 404 | 410:
            helps = "the comment is not there any more"
        case _:
            helps = f"it does not take the answer ({code or 'no reason given'})"
    return refused(f"{host} answered {answer.status}: {helps}")

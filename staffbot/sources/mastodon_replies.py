"""Answers to statuses on a Mastodon server and its kin. Knows its API, stores nothing.

An `Idempotency-Key` goes along, but is not leaned on: not every server keeps it. An answer is found
among the account's own statuses by what it answers and its words.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from staffbot.errors import DeliveryError
from staffbot.model import Patron, Visibility
from staffbot.network import Answering, Replied, ReplyLimit
from staffbot.sources import mastodon_statuses, payload
from staffbot.sources.answering import asking, refused, same, writing
from staffbot.sources.api import Answer, Api
from staffbot.sources.mastodon_account import Account, Status, is_gone, lacks_scope
from staffbot.sources.mastodon_statuses import id_of

# As the server counts: each link the same however long, and of @user@server only @user. Where a link
# ends is seen narrowly, as what stands behind it counts by itself: never fewer than the server does.
_LINK = re.compile(r"https?://[!-;=?-~]*[\w/=#+&@~$-]", re.IGNORECASE | re.ASCII)
# What nearly every server takes; one that says otherwise is heeded.
MOST, OF_LINK = 500, 23
_REMOTE = re.compile(r"(?<![\w/])@(\w+(?:[\w.-]+\w+)?)@[\w.-]+\w")
_MOST_PAGES = 3
_SAME_DAY = timedelta(days=1)
_VISIBILITIES = frozenset({"public", "unlisted", "private", "direct"})


def measure(text: str, of_link: int = OF_LINK) -> int:
    """The length of a status as its server counts it."""
    return len(_REMOTE.sub(r"@\1", _LINK.sub("x" * of_link, text)))


def _to(patron: Patron) -> str:
    return f"{patron.handle} " if patron.handle else ""


def limit(account: Account) -> ReplyLimit:
    """What the server says is heeded from the moment that it was asked."""
    return ReplyLimit(
        most=MOST, told=lambda: account.most_characters, opening=_to, private=True,
        measure=lambda text: measure(text, account.characters_of_link or OF_LINK),
        beside=lambda title: len(mastodon_statuses.warning_of(title)),
    )  # fmt: skip


async def reply(account: Account, to: Answering, text: str, key: str) -> Replied:
    """Answer the status, with the visibility that it has, or to the patron alone."""
    async with account.api() as api:
        with asking():
            status = await _status(account, api, to)
        # As its own app does: behind the same warning, in the same language. The kind of text is
        # named, as an account may have another by default, and what is shown would be other words.
        content: dict[str, Any] = {
            "status": _addressed(text, status), "in_reply_to_id": to.native_id,
            "visibility": _visibility(status, to), "content_type": "text/plain",
        }  # fmt: skip
        if warning := mastodon_statuses.warning(status):
            content |= {"spoiler_text": warning, "sensitive": True}
        if to.language:
            content["language"] = to.language
        with writing():
            answer = await api.ask(
                "/api/v1/statuses", method="POST", content=content,
                headers={"Idempotency-Key": key},
            )  # fmt: skip
        if answer.ok:
            return _replied(answer.body, answer.at)
        raise _refusal(api.host, answer)


async def find(account: Account, to: Answering, text: str) -> Replied | None:
    """The account's own status with these words in answer to that one.

    Looked for below that one first: not every server lists what an account said in private.
    """
    async with account.api() as api:
        with asking():
            await account.know_itself(api)
            asked = id_of({"id": to.native_id})
            context = await account.context(api, asked)
            for one in payload.records(context, "descendants"):
                if account.is_own(one) and _is_it(one, to, text):
                    return _replied(one, datetime.now(UTC))
            page = ""
            for _ in range(_MOST_PAGES):
                listed = await account.own_statuses(api, page)
                for one in listed:
                    if _is_it(one, to, text):
                        return _replied(one, datetime.now(UTC))
                if not listed:
                    break
                page = id_of(listed[-1])
    return None


def _is_it(own: Status, to: Answering, text: str) -> bool:
    return _may_answer(own, to) and same(text, mastodon_statuses.words(own))


def _may_answer(own: Status, to: Answering) -> bool:
    """Whether it stands below what is answered, or below what is gone and may have been that."""
    if mastodon_statuses.above(own):
        return mastodon_statuses.above(own) == to.native_id
    at = payload.moment(own, "created_at")
    return at is None or at > to.written_at - _SAME_DAY


def _addressed(text: str, status: Status) -> str:
    """With the patron's name in it: without that they are not told, and see no direct one at all."""
    name = payload.text(status, "account", "acct")
    plain = re.escape(name.partition("@")[0])
    if not name or re.search(rf"(?<![\w@])@{plain}(?![\w-])", text, re.IGNORECASE):
        return text
    return f"@{name} {text}"


async def _status(account: Account, api: Api, to: Answering) -> Status:
    if not id_of({"id": to.native_id}):
        raise refused("this is no status of that server")
    answer = await account.ask(api, f"/api/v1/statuses/{to.native_id}")
    if is_gone(answer):
        raise refused("the status is not there any more")
    if not answer.ok or not isinstance(answer.body, dict):
        raise DeliveryError(f"{api.host} does not show the status just now ({answer.status})")
    return answer.body


def _visibility(status: Status, to: Answering) -> str:
    """Never wider than what is answered; what staff keep private is answered to the patron alone."""
    shown = payload.text(status, "visibility")
    if to.visibility is Visibility.PRIVATE and shown != "private":
        return "direct"
    return shown if shown in _VISIBILITIES else "direct"


def _replied(status: object, now: datetime) -> Replied:
    return Replied(
        at=payload.moment(status, "created_at") or now, native_id=id_of(status),
        permalink=mastodon_statuses.permalink(status),
    )  # fmt: skip


def _refusal(host: str, answer: Answer) -> DeliveryError:
    """Why the server does not take it, and what helps. Never what it said itself."""
    match answer.status:
        case 401:
            helps = "it does not take this access token: make a new one"
        case 403 if lacks_scope(answer):
            helps = (
                "the access token may not write: give its application the scope write:statuses, "
                "and make a new token"
            )
        case 403:
            helps = (
                "the account may not answer this status: the patron may have limited who can, or "
                "blocked it"
            )
        case 404 | 410:
            helps = "the status is not there any more"
        case 400 | 422:
            helps = (
                "it does not take the answer: it may be too long for this server (most_characters)"
            )
        case _:
            helps = "it does not understand the request"
    return refused(f"{host} answered {answer.status}: {helps}")

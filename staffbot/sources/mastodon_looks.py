"""A second look at statuses: answers by the library's accounts, edits, and what is gone.

Keeps no cursor, stores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from staffbot.errors import SourceError
from staffbot.network import AnsweredAtSource, Change, Deleted
from staffbot.sources import mastodon_statuses, payload
from staffbot.sources.api import Api
from staffbot.sources.mastodon_account import Account, Status, is_gone
from staffbot.sources.mastodon_statuses import id_of

_MOST_PAGES = 10
_LOOKED_FOR = timedelta(days=30)


async def look(account: Account, ids: Sequence[str], now: datetime) -> list[Change]:
    """What changed of these statuses since they were read."""
    changes: list[Change] = []
    async with account.api() as api:
        await account.know_itself(api)
        for id_ in ids:
            changes += await _one(account, api, id_, now)
        changes += await _own_answers(account, api, set(ids), now)
    return list(dict.fromkeys(changes))


async def _one(account: Account, api: Api, id_: str, now: datetime) -> list[Change]:
    answer = await account.ask(api, f"/api/v1/statuses/{id_}")
    if is_gone(answer):
        return [Deleted(native_id=id_, at=now)]
    if not answer.ok:
        raise SourceError(
            f"{api.host} answered {answer.status} with a page of its own instead of a status"
        )
    edit = mastodon_statuses.edited(answer.body, now)
    found: list[Change] = [] if edit is None else [edit]
    if account.has_more and payload.number(answer.body, "replies_count"):
        context = await account.context(api, id_)
        below = answers(account, payload.records(context, "descendants"), now)
        found += [one for one in below if one.native_id == id_]
    return found


async def _own_answers(
    account: Account, api: Api, asked: set[str], now: datetime
) -> list[AnsweredAtSource]:
    """The account's own list tells of all its answers at once, whatever the conversations."""
    found: list[AnsweredAtSource] = []
    page = ""
    for _ in range(_MOST_PAGES):
        listed = await account.own_statuses(api, page)
        found += [one for one in answers(account, listed, now) if one.native_id in asked]
        if not listed or now - mastodon_statuses.posted_at(listed[-1], now) > _LOOKED_FOR:
            break
        page = id_of(listed[-1])
    return found


def answers(account: Account, statuses: Sequence[Status], now: datetime) -> list[AnsweredAtSource]:
    """What of these statuses the library wrote, and which other each answers."""
    return [
        AnsweredAtSource(
            native_id=mastodon_statuses.above(one),
            at=mastodon_statuses.posted_at(one, now),
            account=payload.text(one, "account", "acct"),
            permalink=mastodon_statuses.permalink(one),
        )
        for one in statuses
        if account.is_own(one) and mastodon_statuses.above(one)
    ]

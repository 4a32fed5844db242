"""Answers to posts on Bluesky. Knows its interface, stores nothing.

The record's own name is made from the answer's key, so the network itself cannot hold it twice and
is asked for exactly it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from staffbot.errors import DeliveryError, SourceError
from staffbot.network import Answering, Replied, ReplyLimit
from staffbot.sources import bluesky_facets, bluesky_posts, bluesky_reading, payload
from staffbot.sources.answering import asking, graphemes, refused, writing
from staffbot.sources.api import Answer, Api
from staffbot.sources.bluesky_session import Options, Session, refusal

_COLLECTION = "app.bsky.feed.post"
_MOST_GRAPHEMES = 300
_MOST_BYTES = 3000
_NAMED_WITHIN_SECONDS = 3.0
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_RECORD = frozenset({"RecordNotFound", "NotFound"})


def measure(text: str) -> int:
    """Graphemes; a text of very many bytes counts by these, as the network holds both limits."""
    by_bytes = -(-len(text.encode(errors="replace")) * _MOST_GRAPHEMES // _MOST_BYTES)
    return max(graphemes(text), by_bytes)


LIMIT = ReplyLimit(most=_MOST_GRAPHEMES, unit="graphemes", measure=measure)


def record_key(written_at: datetime, key: str) -> str:
    """The name of the record: a moment in microseconds, and ten bits more; here out of the key."""
    microseconds = (written_at - _EPOCH) // (datetime.resolution) & ((1 << 53) - 1)
    number = microseconds << 10 | int(key[:8], 16) & 0x3FF
    letters = []
    for _ in range(13):
        number, last = divmod(number, 32)
        letters.append(_ALPHABET[last])
    return "".join(reversed(letters))


async def reply(session: Session, options: Options, to: Answering, text: str, key: str) -> Replied:
    """Answer the post, within its thread."""
    name = record_key(to.written_at, key)
    async with session.api() as api:
        with asking():
            thread = await _thread(session, api, to)
            record = _record(to, text, thread, await _named(session, api, text))
            repo = session.did
        content = {"repo": repo, "collection": _COLLECTION, "rkey": name, "record": record}
        with writing():
            answer = await session.ask(api, "com.atproto.repo.createRecord", content=content)
        if answer.ok:
            return _replied(repo, name, options, to.written_at)
        if answer.status in (401, 403):
            raise refused(refusal(api.host, answer, options))
        with writing():  # it may be refused because it is there already
            found = await _find(session, api, options, to, name)
        if found is not None:
            return found
        raise _refusal(api.host, answer)


async def find(session: Session, options: Options, to: Answering, key: str) -> Replied | None:
    """The answer of that key, if it is there."""
    async with session.api() as api:
        with asking():
            return await _find(session, api, options, to, record_key(to.written_at, key))


async def _find(
    session: Session, api: Api, options: Options, to: Answering, name: str
) -> Replied | None:
    await session.know_itself(api)
    params = [("repo", session.did), ("collection", _COLLECTION), ("rkey", name)]
    answer = await session.ask(api, "com.atproto.repo.getRecord", params)
    if answer.ok:
        return _replied(session.did, name, options, to.written_at)
    if payload.text(answer.body, "error") in _NO_RECORD:
        return None
    raise DeliveryError(f"{api.host} answered {answer.status} when it was asked for the answer")


async def _thread(session: Session, api: Api, to: Answering) -> dict[str, Any]:
    """What is answered and where its thread began, as the network wants both named."""
    if not to.native_id.startswith("at://"):
        raise refused("this is no post of that network")
    found = await bluesky_reading.posts(session, api, [to.native_id])
    post = found.get(to.native_id, {})
    cid = payload.text(post, "cid")
    if not cid:
        raise await _unseen(session, api, to)
    # The network takes an answer that nobody may give, and shows it to no one.
    if payload.inner(post, "viewer", "replyDisabled") is True:
        raise refused("the patron lets only some people reply to this post")
    parent = {"uri": to.native_id, "cid": cid}
    root = payload.inner(post, "record", "reply", "root")
    if isinstance(root, Mapping) and payload.text(root, "cid"):
        return {
            "root": {"uri": payload.native_id(root, "uri"), "cid": payload.text(root, "cid")},
            "parent": parent,
        }
    return {"root": parent, "parent": parent}


async def _unseen(session: Session, api: Api, to: Answering) -> DeliveryError:
    """Why a post is not to be had."""
    match await bluesky_reading.state(session, api, to.native_id):
        case "gone":
            return refused("the post is not there any more")
        case "blocked":
            return refused("the patron blocked this account, or this account the patron")
        case _:
            return DeliveryError(f"{api.host} does not show the post just now")


async def _named(session: Session, api: Api, text: str) -> dict[str, str]:
    """Who the names in the text belong to; what is nobody's name stays mere text.

    Servers look far for a name that they do not know. No answer waits for that.
    """
    found: dict[str, str] = {}
    with suppress(SourceError, TimeoutError):
        async with asyncio.timeout(_NAMED_WITHIN_SECONDS):
            for name in bluesky_facets.names(text):
                method = "com.atproto.identity.resolveHandle"
                answer = await session.ask(api, method, [("handle", name)])
                if did := payload.native_id(answer.body, "did"):
                    found[name] = did
    return found


def _record(
    to: Answering, text: str, thread: dict[str, Any], named: Mapping[str, str]
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "$type": _COLLECTION, "text": text, "reply": thread,
        "createdAt": to.written_at.astimezone(UTC).isoformat(timespec="milliseconds").replace(
            "+00:00", "Z"
        ),
    }  # fmt: skip
    if to.language:
        record["langs"] = [to.language]
    if found := bluesky_facets.facets(text, named):
        record["facets"] = found
    return record


def _replied(repo: str, name: str, options: Options, at: datetime) -> Replied:
    uri = f"at://{repo}/{_COLLECTION}/{name}"
    return Replied(at=at, native_id=uri, permalink=bluesky_posts.permalink(uri, options.web))


def _refusal(host: str, answer: Answer) -> DeliveryError:
    """Why the network does not take it, and what helps. Never what it said itself."""
    code = payload.text(answer.body, "error")
    code = code if code.isascii() and code.isalnum() else ""
    match answer.status:
        case 400:
            helps = (
                f"it does not take the answer ({code[:60] or 'no reason given'}): is it too long?"
            )
        case _:
            helps = f"it does not understand the request ({code[:60] or 'no reason given'})"
    return refused(f"{host} answered {answer.status}: {helps}")

"""What a channel's history tells of a gap: messages that call us, and marks on messages of ours.

One page tells of the newest messages, of threads that went on, and of all reactions on both; more
pages are read where the gap was longer, or where older cards may have been reacted to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.slack.api import Api, Call
from handlers.slack.reactions import Reactions
from staffbot.errors import DeliveryError
from staffbot.policy import MARKS_READ_BACK
from staffbot.seams import Mark

PAGE = 200
PAGES = 10  # of a channel, at most: some weeks of a busy one
PAUSES = 3  # of Slack's that are waited for within one reading
LONGEST_PAUSE = 60.0
HEARD = ("", "thread_broadcast", "file_share")  # the kinds of message in which a person speaks

Json = Mapping[str, Any]


@dataclass(slots=True)
class Found:
    """`calls` are oldest first, each with its channel."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)


class Missed:
    def __init__(self, api: Api, reactions: Reactions) -> None:
        self._api = api
        self._reactions = reactions

    async def since(self, channel: str, oldest: float, *, deep: bool) -> Found:
        """What is to be known of a gap. `deep`: also what older cards were given in it."""
        us = await self._api.identity()
        floor = min(oldest, time.time() - MARKS_READ_BACK.total_seconds()) if deep else oldest
        recent = await self._recent(channel, floor)
        spoken = [message for message in recent if _at(message) >= oldest]
        for parent in recent:
            if float(parent.get("latest_reply") or 0) >= oldest:
                spoken += await self._replies(channel, str(parent["ts"]), oldest)
        called = f"<@{us.user_id}>"
        found = Found()
        # A reply that was sent to the channel too stands in both.
        for message in sorted({m["ts"]: m for m in spoken}.values(), key=_at):
            if called in str(message.get("text", "")) and (message.get("subtype") or "") in HEARD:
                found.calls.append({**message, "channel": channel})
        for message in sorted(recent, key=_at):
            found.marks += self._reactions.marks(us, channel, message)
        return found

    async def letters(self, user_id: str, oldest: float) -> Found:
        """What somebody wrote to the bot alone: all of it is meant for us."""
        opened = await self._ask(user_id, lambda client: client.conversations_open(users=user_id))
        channel = str(opened["channel"]["id"])
        answer = await self._ask(channel, _page_of(channel, None, oldest))
        written = sorted(answer.get("messages", ()), key=_at)
        calls = [{**m, "channel": channel} for m in written if not m.get("subtype")]
        return Found(calls=calls)

    async def _recent(self, channel: str, floor: float) -> list[Json]:
        """The newest messages, at least one page: a thread that goes on began earlier."""
        found: list[Json] = []
        cursor: str | None = None
        for _ in range(PAGES):
            answer = await self._ask(channel, _page_of(channel, cursor))
            page = list(answer.get("messages", ()))
            found += page
            cursor = _next(answer)
            if cursor is None or (page and _at(page[-1]) < floor):
                break
        return found

    async def _replies(self, channel: str, ts: str, oldest: float) -> list[Json]:
        found: list[Json] = []
        cursor: str | None = None
        for _ in range(PAGES):
            answer = await self._ask(channel, _replies_to(channel, ts, oldest, cursor))
            found += answer.get("messages", ())
            cursor = _next(answer)
            if cursor is None:
                break
        return [m for m in found if m.get("ts") != ts and _at(m) >= oldest]

    async def _ask(self, where: str, call: Call) -> Json:
        """A short pause that Slack asks for is kept, and nothing that was read is lost."""
        for pause in range(PAUSES + 1):
            try:
                return await self._api.ask(call, f"read what was missed in {where}")
            except DeliveryError as problem:
                wait = problem.retry_after
                if wait is None or wait > LONGEST_PAUSE or pause == PAUSES:
                    raise
            await asyncio.sleep(wait)
        raise AssertionError("the last try raises")


def _page_of(channel: str, cursor: str | None, oldest: float = 0.0) -> Call:
    after = f"{oldest:.6f}" if oldest else None
    return lambda client: client.conversations_history(
        channel=channel, limit=PAGE, cursor=cursor, oldest=after
    )


def _replies_to(channel: str, ts: str, oldest: float, cursor: str | None) -> Call:
    return lambda client: client.conversations_replies(
        channel=channel, ts=ts, oldest=f"{oldest:.6f}", limit=PAGE, cursor=cursor
    )


def _at(message: Json) -> float:
    return float(message["ts"])


def _next(answer: Json) -> str | None:
    return (answer.get("response_metadata") or {}).get("next_cursor") or None

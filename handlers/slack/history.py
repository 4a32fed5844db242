"""Looks up a post of ours by its key in a channel's history: one reading serves all open posts.

The key stands in the message's metadata as a hash, since anybody in the workspace may read that.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.slack.api import Api

EVENT_TYPE = "staffbot_post"
PAGE = 200
LOOK_BACK_SECONDS = 14 * 24 * 3600  # no post is in doubt for longer
FRESH_SECONDS = 20.0  # a reading serves other look-ups for so long


def opaque(key: str) -> str:
    """What stands in the metadata for an outbox key."""
    return hashlib.sha256(f"staffbot:{key}".encode()).hexdigest()[:40]


def metadata(key: str) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"key": opaque(key)}}


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What a channel held: the message of each key."""

    began: float
    found: dict[str, str] = field(default_factory=dict)


class History:
    """`tried` has to be told of each post before it is sent, so that no older reading answers for it."""

    def __init__(self, api: Api, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._readings: dict[str, _Reading] = {}
        self._tried: dict[str, float] = {}

    def tried(self, key: str) -> None:
        self._tried[opaque(key)] = self._clock()
        if len(self._tried) > 10_000:
            for old in sorted(self._tried, key=self._tried.__getitem__)[:5_000]:
                del self._tried[old]

    def forget(self, channel: str) -> None:
        """Something in that channel is not as it was read."""
        self._readings.pop(channel, None)

    async def find(self, channel: str, key: str) -> str | None:
        """The message of that key, or None where the channel has none."""
        wanted = opaque(key)
        reading = self._readings.get(channel)
        if reading is None or not self._serves(reading, wanted):
            reading = await self._read(channel)
            self._readings[channel] = reading
        return reading.found.get(wanted)

    def _serves(self, reading: _Reading, wanted: str) -> bool:
        young = self._clock() - reading.began < FRESH_SECONDS
        # A moment apart does not tell which came first, so the two may not be the same either.
        return young and self._tried.get(wanted, float("-inf")) < reading.began - 5.0

    async def _read(self, channel: str) -> _Reading:
        reading = _Reading(began=self._clock())
        us = await self._api.identity()
        oldest = f"{time.time() - LOOK_BACK_SECONDS:.6f}"
        cursor: str | None = None
        while True:
            page = await self._page(channel, oldest, cursor)
            for message in page.get("messages", ()):
                key = _key(message)
                if key and message.get("bot_id") == us.bot_id:
                    reading.found.setdefault(key, str(message["ts"]))
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return reading

    async def _page(self, channel: str, oldest: str, cursor: str | None) -> Mapping[str, Any]:
        return await self._api.ask(
            lambda client: client.conversations_history(
                channel=channel,
                oldest=oldest,
                limit=PAGE,
                cursor=cursor,
                include_all_metadata=True,
            ),
            f"read the history of {channel}",
        )


def _key(message: Mapping[str, Any]) -> str:
    known = message.get("metadata") or {}
    if known.get("event_type") != EVENT_TYPE:
        return ""
    return str((known.get("event_payload") or {}).get("key", ""))

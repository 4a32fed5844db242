"""Which message shows a mention: remembered from what the outbox posts and edits. Asks nobody."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

REMEMBERED = 5000
# A card is drawn anew within seconds after whatever was done to its mention.
REDRAWN_WITHIN_SECONDS = 10.0


class Cards:
    """By mention and channel. After a restart it fills as cards are drawn anew."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, dict[int, int]] = OrderedDict()
        self._more = asyncio.Event()

    def stands(self, mention: int | None, channel: str, message: str) -> None:
        """That message is the card of that mention; None: it is no card."""
        if mention is None or not channel.isdigit() or not message.isdigit():
            return
        self._known.setdefault(mention, {})[int(channel)] = int(message)
        self._known.move_to_end(mention)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        self._more.set()

    async def of(self, mention: int, channel: int | None) -> tuple[int, int] | None:
        """Channel and message of its card, that of this channel first; None where none is drawn."""
        try:
            async with asyncio.timeout(REDRAWN_WITHIN_SECONDS):
                while mention not in self._known:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            return None
        known = self._known[mention]
        where = channel if channel in known else next(iter(known))
        assert where is not None
        return where, known[where]

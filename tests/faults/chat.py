"""The Chat of these tests: posts to the witness over HTTP, as a door would to its platform."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from staffbot.errors import DeliveryError
from staffbot.messages import Message
from staffbot.model import MessageRef, Room


class WitnessChat:
    """Posts to a witness. A room's name there is the room's id."""

    def __init__(self, url: str, platform: str = "local") -> None:
        self.platform = platform
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, room: Room, message: Message, key: str) -> MessageRef:
        taken = await self._call(
            "POST", "/post", {"room": room.id, "key": key, "text": message.text}
        )
        return MessageRef(room=room, id=taken["id"])

    async def direct(self, user_id: str, message: Message, key: str) -> MessageRef:
        return await self.post(Room(platform=self.platform, id=f"direct:{user_id}"), message, key)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        await self._call("POST", "/edit", {"id": ref.id, "text": message.text})

    async def find(self, room: Room, key: str) -> MessageRef | None:
        found = await self._call("GET", "/find", {"room": room.id, "key": key})
        return None if found["id"] is None else MessageRef(room=room, id=found["id"])

    async def _call(self, method: str, path: str, said: dict[str, str]) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(self._url)
        how = {"params": said} if method == "GET" else {"json": said}
        try:
            async with self._session.request(method, path, **how) as answer:  # type: ignore[arg-type]
                if answer.status == 429:
                    wait = float(answer.headers["Retry-After"])
                    raise DeliveryError("too many requests", retry_after=wait)
                if answer.status >= 500:
                    raise DeliveryError("the witness has an internal error")
                return await answer.json()
        except aiohttp.ClientError as broken:
            raise DeliveryError("the connection broke", ambiguous=True) from broken

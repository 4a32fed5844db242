"""The demo's patrons: a client of the library's webhooks like any other, over HTTP and signed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import aiohttp

from staffbot.demo.keeping import Kept
from staffbot.demo.story import NETWORKS, STORY, Scene
from staffbot.errors import SourceError
from staffbot.model import Clock

TRIES = 5
WAIT_SECONDS = 1.0


class Patrons:
    """Post to the webhooks: the story by itself, and what is written in the page's box."""

    def __init__(
        self, kept: Kept, clock: Clock, opened: Callable[[str], None], pace: float = 1.0
    ) -> None:
        self._kept = kept
        self._clock = clock
        self._opened = opened
        self._pace = pace
        self._hooks: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def listening(self, port: int) -> None:
        """The library's public listener is up."""
        if not self._hooks.done():
            self._hooks.set_result(f"http://127.0.0.1:{port}/hooks/")

    # --- what the page's box asks for (handlers.local.patron.PatronBox) ----------------------

    def opened(self, address: str) -> None:
        self._opened(address)

    def networks(self) -> Sequence[tuple[str, str]]:
        return tuple(NETWORKS.items())

    async def write(self, *, network: str, name: str, text: str, private: bool) -> str:
        kind = "message" if private or network == "form" else "mention"
        scene = Scene(
            wait=0,
            network=network if network in NETWORKS else "form",
            kind=kind,
            name=name.strip() or "Somebody",
            text=text,
            ago=timedelta(0),
            more={"private": private},
        )
        await self.post(scene, f"box-{uuid.uuid4().hex}")
        return f"It is on its way from {NETWORKS[scene.network]}."

    # --- the story --------------------------------------------------------------------------

    async def tell(self) -> None:
        """Post the story from where it was left off; each post once, however often it begins."""
        while self._kept.told < len(STORY):
            scene = STORY[self._kept.told]
            await asyncio.sleep(scene.wait * self._pace)
            await self.post(scene, f"demo-{self._kept.told + 1}")
            self._kept.told += 1
            await self.keep()

    async def keep(self) -> None:
        """Note how far the story and the clock are."""
        self._kept.clock_at = self._clock().isoformat()
        await asyncio.to_thread(self._kept.save)

    async def post(self, scene: Scene, id: str) -> None:
        """Until the library has it: the id stays the same, so a second try is no second post."""
        body = json.dumps(scene.body(id, self._clock())).encode()
        address = await self._hooks + scene.network
        said = ""
        for _ in range(TRIES):
            try:
                status, said = await _send(address, body, signed(self._kept.hook_secret, id, body))
            except (aiohttp.ClientError, TimeoutError) as problem:
                status, said = 0, type(problem).__name__
            if status == 200:
                return
            if 400 <= status < 500 and status != 429:
                break
            await asyncio.sleep(WAIT_SECONDS)
        raise SourceError(f"The library's webhook did not take it: {said}")


async def _send(address: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    limit = aiohttp.ClientTimeout(total=30)
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.post(address, data=body, headers=headers) as answer,
    ):
        said = await answer.text()
        return answer.status, said[:300]


def signed(secret: str, id: str, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks, made by hand as a client in any language would."""
    at = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }

"""A chat server in a process of its own: the witness of what was posted, however the bot dies.

It prints a word for each post that it is given (`in KEY`) and has taken (`taken KEY`), so that a
killer can time its blow. Rooms can be told to misbehave, one call at a time.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import subprocess
import sys
import urllib.request
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class Platform:
    """Rooms and what stands in them.

    A call takes up to `slow` seconds before it is taken and again after; one post in five is taken
    up to `late` seconds after it came in, whether its sender is still there or not.
    """

    slow: float = 0.0
    late: float = 0.0
    posts: dict[str, dict[str, str]] = field(default_factory=dict)
    armed: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    met: Counter[str] = field(default_factory=Counter)

    async def post(self, request: web.Request) -> web.StreamResponse:
        call = await request.json()
        say("in", call["key"])
        await self._dawdle()
        if self.late and random.random() < 0.2:
            await asyncio.sleep(random.uniform(0, self.late))
        fault = self._fault(call["room"])
        if fault in ("429", "500"):
            return refusal(fault)
        if fault == "cut-before":
            return cut(request)
        id_ = str(len(self.posts) + 1)
        self.posts[id_] = {name: call[name] for name in ("room", "key", "text")}
        say("taken", call["key"])
        await self._dawdle()
        return await answer(request, fault, {"id": id_})

    async def edit(self, request: web.Request) -> web.StreamResponse:
        call = await request.json()
        await self._dawdle()
        standing = self.posts[call["id"]]
        fault = self._fault(standing["room"])
        if fault in ("429", "500"):
            return refusal(fault)
        if fault == "cut-before":
            return cut(request)
        standing["text"] = call["text"]
        return await answer(request, fault, {})

    async def find(self, request: web.Request) -> web.StreamResponse:
        room, key = request.query["room"], request.query["key"]
        fault = self._fault(room)
        if fault in ("429", "500"):
            return refusal(fault)
        found = (i for i, p in self.posts.items() if p["room"] == room and p["key"] == key)
        return await answer(request, fault, {"id": next(found, None)})

    async def arm(self, request: web.Request) -> web.Response:
        call = await request.json()
        self.armed[call["room"]].append(call["fault"])
        return web.json_response({})

    async def set_slow(self, request: web.Request) -> web.Response:
        call = await request.json()
        self.slow, self.late = call["seconds"], call["late"]
        return web.json_response({})

    async def has_met(self, request: web.Request) -> web.Response:
        return web.json_response(self.met[f"{request.query['room']} {request.query['fault']}"])

    async def seen(self, request: web.Request) -> web.Response:
        return web.json_response({"posts": list(self.posts.values()), "met": self.met})

    def _fault(self, room: str) -> str | None:
        if not self.armed[room]:
            return None
        fault = self.armed[room].popleft()
        self.met[f"{room} {fault}"] += 1
        # A fault that only leads to a fail point is counted apart.
        return fault.removeprefix("lead ")

    async def _dawdle(self) -> None:
        if self.slow:
            await asyncio.sleep(random.uniform(0, self.slow))


def say(word: str, key: str) -> None:
    print(word, key, flush=True)


def refusal(fault: str) -> web.Response:
    """Not taken. A 500 of this witness is one that took nothing."""
    headers = {"Retry-After": "0.05"} if fault == "429" else {}
    return web.Response(status=int(fault), headers=headers)


def cut(request: web.Request) -> web.Response:
    """The connection breaks without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def answer(request: web.Request, fault: str | None, said: dict[str, Any]) -> web.Response:
    """The answer, unless it is cut off or never comes although the call was taken."""
    if fault == "timeout":
        await asyncio.sleep(3600)
    return cut(request) if fault == "cut" else web.json_response(said)


async def serve() -> None:
    platform = Platform()
    app = web.Application()
    app.router.add_post("/post", platform.post)
    app.router.add_post("/edit", platform.edit)
    app.router.add_get("/find", platform.find)
    app.router.add_post("/arm", platform.arm)
    app.router.add_post("/slow", platform.set_slow)
    app.router.add_get("/met", platform.has_met)
    app.router.add_get("/seen", platform.seen)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    # Ends with whoever started it: then its standard input is closed.
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


class Witness:
    """The witness, seen from whoever started it. Blocking; begun by `start`, ended by `close`."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url
        # The keys that it said it has taken, as far as `hear` was called.
        self.taken: set[str] = set()
        self._rest = b""

    @classmethod
    def start(cls) -> Witness:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.witness"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        return cls(process, process.stdout.readline().decode().strip())

    def hear(self, seconds: float) -> bool:
        """Read what it says; with a time, wait for its next word so long. Whether it said any."""
        assert self.process.stdout is not None
        words = self.process.stdout.fileno()
        heard = False
        while select.select([words], [], [], 0 if heard else seconds)[0]:
            heard = True
            *lines, self._rest = (self._rest + os.read(words, 65536)).split(b"\n")
            said = (line.decode().split(" ", 1) for line in lines)
            self.taken.update(key for word, key in said if word == "taken")
        return heard

    def arm(self, room: str, fault: str) -> None:
        """The next call about this room meets this fault."""
        self._send("/arm", {"room": room, "fault": fault})

    def dawdle(self, seconds: float, late: float = 0.0) -> None:
        """Each call takes up to so long before it is taken and again after, some posts longer."""
        self._send("/slow", {"seconds": seconds, "late": late})

    def has_met(self, room: str, fault: str) -> bool:
        """Whether a call about this room met this fault."""
        return bool(self._send(f"/met?room={room}&fault={fault}"))

    def seen(self) -> Any:
        """Every post that was taken, and how often each room met each fault."""
        return self._send("/seen")

    def counts(self) -> Counter[str]:
        """How often each key was posted."""
        return Counter(post["key"] for post in self.seen()["posts"])

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=30)

    def _send(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)


if __name__ == "__main__":
    asyncio.run(serve())

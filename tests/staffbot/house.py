"""A whole staffbot for tests: a configuration on disk, run in this process on free ports."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from standardwebhooks import Webhook

from handlers.local.chat import LocalChat
from staffbot import app, plugins
from staffbot.config import load
from staffbot.model import Clock, system_clock
from staffbot.seams import Door, Network
from staffbot.settings import Settings

SECRET = "whsec_" + "A" * 43 + "="
ENVIRONMENT = {"STAFFBOT_WEBHOOK_SECRET": SECRET}
PATIENCE = 30.0

CONFIG = """\
library = "Riverside Library"

[hours]
weekly = "24/7"

[digest]
# Its day begins at midnight here, and a run at night would find it in the channel.
enabled = false

[local]
port = 0

[public]
port = 0

[metrics]
port = 0

[[rooms]]
platform = "local"
id = "desk"

[[staff]]
key = "ana"
name = "Ana Silva"
role = "manager"
ids = { local = "ana" }

[[staff]]
key = "ben"
name = "Ben Okafor"
ids = { local = "ben" }

[[sources]]
name = "form"
type = "webhook"
kind = "message"
secrets = ["STAFFBOT_WEBHOOK_SECRET"]
"""


def settings_in(folder: Path, config: str = CONFIG) -> Settings:
    """The settings of a configuration that is written into `folder`."""
    file = folder / "config.toml"
    file.write_text(config)
    return load(file, ENVIRONMENT, plugins.networks(), plugins.doors())


@dataclass(slots=True, kw_only=True)
class Running:
    """A staffbot that runs. `page` is the local door, `public` the listener for webhooks."""

    page: str
    public: str
    metrics: str
    session: aiohttp.ClientSession
    stop: asyncio.Event
    task: asyncio.Task[None]

    async def send(self, text: str, **said: Any) -> int:
        """A patron writes; the answer's status."""
        mention = {"id": uuid.uuid4().hex, "text": text, "author": {"name": "Lena P."}, **said}
        body = json.dumps(mention)
        id_, now = f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
        headers = {
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(id_, now, body),
            "content-type": "application/json",
        }
        url = f"{self.public}/hooks/form"
        async with self.session.post(url, data=body, headers=headers) as answer:
            return answer.status

    async def channel(self) -> list[dict[str, Any]]:
        """The messages of the team's channel."""
        async with self.session.get(f"{self.page}api/channel?user=ana") as answer:
            found: list[dict[str, Any]] = (await answer.json())["messages"]
            return found

    async def until(self, met: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The messages of the channel, once they are so."""
        async with asyncio.timeout(PATIENCE):
            while not met(found := await self.channel()):  # noqa: ASYNC110 - another process, in effect
                await asyncio.sleep(0.05)
        return found

    async def cards(self, count: int) -> list[dict[str, Any]]:
        """The messages of the channel, once there are that many."""
        return await self.until(lambda found: len(found) >= count)

    async def shows(self, text: str) -> None:
        """Wait until the channel says so."""
        await self.until(lambda found: text in json.dumps(found))

    async def command(self, user: str, text: str) -> str:
        body = {"user": user, "text": text}
        async with self.session.post(f"{self.page}api/command", json=body) as answer:
            return json.dumps(await answer.json())

    async def press(self, user: str, message: str, control: str) -> dict[str, Any]:
        body = {"user": user, "message": message, "control": control}
        async with self.session.post(f"{self.page}api/press", json=body) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def submit(
        self, user: str, form: Mapping[str, Any], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Send a form off that `press` showed."""
        body = {
            "user": user, "form": form["name"], "mention": form["mention"], "values": dict(values),
        }  # fmt: skip
        async with self.session.post(f"{self.page}api/submit", json=body) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def health(self) -> tuple[int, dict[str, Any]]:
        async with self.session.get(f"{self.public}/healthz") as answer:
            return answer.status, await answer.json()


async def _page(local: LocalChat, house: asyncio.Task[None]) -> str:
    """The address of the page; empty where the house ended before it was open."""
    opening = asyncio.ensure_future(local.opened())
    await asyncio.wait({opening, house}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    if opening.done():
        return opening.result()
    opening.cancel()
    return ""


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    doors: Mapping[str, Door] | None = None,
    networks: Mapping[str, Network] | None = None,
) -> AsyncIterator[Running]:
    """Run staffbot until the end of the block, where it is stopped as by a signal."""
    opened: asyncio.Future[app.Open] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(
        app.run(
            settings,
            doors=plugins.doors() if doors is None else doors,
            networks=plugins.networks() if networks is None else networks,
            clock=clock, ready=opened.set_result, stop=stop,
        )
    )  # fmt: skip
    # What it raises before it is up is the test's to see.
    task.add_done_callback(lambda _: opened.done() or opened.cancel())
    try:
        async with asyncio.timeout(PATIENCE):
            up = await opened
    except asyncio.CancelledError:
        await task
        raise
    local = up.chats.get("local")
    try:
        async with aiohttp.ClientSession() as session:
            page = await _page(local, task) if isinstance(local, LocalChat) else ""
            yield Running(
                page=page,
                public=f"http://127.0.0.1:{up.public_port}",
                metrics=f"http://127.0.0.1:{up.metrics_port}",
                session=session,
                stop=stop,
                task=task,
            )
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await task

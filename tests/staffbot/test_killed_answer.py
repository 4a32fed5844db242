"""An answer to a WordPress, killed with -9 between its steps: one stands there, and is counted there."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from staffbot import app, plugins
from staffbot.config import load
from staffbot.desk.arrivals import take_in
from staffbot.desk.ledger import Desk, Tx
from staffbot.desk.people import get_person, sync_staff
from staffbot.desk.replying import write
from staffbot.model import system_clock
from staffbot.network import Replies, Source
from staffbot.settings import Settings
from tests.staffbot.house import CONFIG, ENVIRONMENT
from tests.staffbot.sources.wordpresses import PASSWORD, SOURCE, STAFF, Blog
from tests.website import Website, website

STAFFBOT = (sys.executable, "-c", "from staffbot.cli import main; main()", "run")
SECRETS = {**ENVIRONMENT, "BLOG_PASSWORD": PASSWORD}
ANSWERED = """
[replies]
enabled = true

[delivery]
request_life = "2s"
"""
# In this order, each in a life of its own: at the request before the answer, at the look-up of one in
# doubt, with the answer sent and not taken, and with it taken and nobody told.
STEPS = ("ask", "find", "before", "after")


class Killing:
    """Kills the process whose request it is at the next step, and answers everything else."""

    def __init__(self, site: Website, blog: Blog) -> None:
        self.steps = deque(STEPS)
        self.taken = 0
        self.process: asyncio.subprocess.Process | None = None
        assert site.answer_all is not None
        self._blog, self._answer = blog, site.answer_all
        site.answer_all = self.answer

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.steps and self._is_at(self.steps[0], request):
            if self.steps.popleft() == "after":
                await self._take(request)
            assert self.process is not None
            self.process.kill()
            return web.Response(status=500)
        return await self._take(request)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.taken += request.method == "POST"
        return await self._answer(request)

    @staticmethod
    def _is_at(step: str, request: web.Request) -> bool:
        match step:
            case "ask":
                return "include" in request.query
            case "find":
                return "parent" in request.query and "author" in request.query
            case _:
                return request.method == "POST"


async def with_an_answer_written(settings: Settings) -> None:
    """What a house knows that was asked, and was stopped once somebody had answered."""
    [blog] = [one for one in settings.sources if one.name == "blog"]
    source = plugins.networks()["wordpress"].open(blog, settings.network, system_clock)
    assert isinstance(source, Source)
    assert isinstance(source, Replies)
    batch = await source.fetch(None)
    store = await asyncio.to_thread(app.open_store, settings)
    try:
        desk = Desk(store, app.limited(settings, [source]), system_clock)
        await desk.acting(sync_staff)
        await desk.acting(take_in, source="blog", batch=batch)
        await desk.acting(_write)
    finally:
        await asyncio.to_thread(store.close)


def _write(tx: Tx) -> None:
    ana = get_person(tx, "ana")
    assert ana is not None
    write(tx, 1, ana, "Yes: beans & peas.")


@asynccontextmanager
async def process(folder: Path, killing: Killing) -> AsyncIterator[asyncio.subprocess.Process]:
    with (folder / "staffbot.log").open("ab") as log:
        made = await asyncio.create_subprocess_exec(
            *STAFFBOT, cwd=folder, env={**os.environ, **SECRETS}, stderr=log, stdout=log
        )
    killing.process = made
    try:
        async with asyncio.timeout(120):
            yield made
    finally:
        if made.returncode is None:
            made.kill()
        await made.wait()


def states(database: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return [state for (state,) in connection.execute("select state from replies")]


@pytest.mark.timeout(300)
async def test_killed_between_any_two_steps_one_answer_stands_on_the_blog(tmp_path: Path) -> None:
    async with website() as site:
        now = datetime.now(UTC)
        blog = Blog(site, now)
        asked = blog.post("Do you lend seeds?", at=now - timedelta(minutes=20))
        file = tmp_path / "config.toml"
        # It is read at each start and then no more, so that every request here is the answer's.
        file.write_text(CONFIG + SOURCE.format(url=site.url).replace('"1s"', '"1h"') + ANSWERED)
        settings = load(file, SECRETS, plugins.networks(), plugins.doors())
        await with_an_answer_written(settings)
        database = Path(settings.store.url.value.removeprefix("sqlite:///"))
        assert states(database) == ["waiting"]
        killing = Killing(site, blog)
        for left in range(len(STEPS) - 1, -1, -1):
            async with process(tmp_path, killing) as running:
                assert await running.wait() == -9, (tmp_path / "staffbot.log").read_text()
            assert len(killing.steps) == left
            assert states(database) == ["sending"]
        async with process(tmp_path, killing) as running:
            while states(database) != ["sent"]:
                assert running.returncode is None, (tmp_path / "staffbot.log").read_text()
                await asyncio.sleep(0.05)
        ours = [one for one in blog.comments.values() if one["author"] == STAFF]
        assert [one["parent"] for one in ours] == [asked]
        assert killing.taken == 1

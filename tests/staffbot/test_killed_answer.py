"""An answer to a WordPress, killed with -9 between its steps: one stands there, and is counted there."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

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
from tests.cutting import Way, a_way_to
from tests.staffbot.house import CONFIG, ENVIRONMENT
from tests.staffbot.sources.wordpresses import PASSWORD, SOURCE, STAFF, USER, Blog
from tests.website import website
from tests.wordpress_server import wordpress

STAFFBOT = (sys.executable, "-c", "from staffbot.cli import main; main()", "run")
ANSWERED = """
[replies]
enabled = true

[delivery]
request_life = "2s"
"""
# In this order, each in a life of its own: at the request before the answer, at the look-up of one in
# doubt, with the answer sent and not taken, and with it taken and nobody told.
STEPS = ("ask", "find", "before", "after")


class Kills(Protocol):
    process: asyncio.subprocess.Process | None


class Killing:
    """On the way to the site: kills the process whose request it is at the next step."""

    def __init__(self, way: Way) -> None:
        self.steps = deque(STEPS)
        self.process: asyncio.subprocess.Process | None = None
        way.before, way.after = self._before, self._after

    def _before(self, request: web.Request) -> str:
        if not self.steps or not self._is_at(self.steps[0], request):
            return ""
        self._kill()
        return "500"

    def _after(self, request: web.Request) -> None:
        if request.method == "POST" and self.steps and self.steps[0] == "after":
            self._kill()

    def _kill(self) -> None:
        self.steps.popleft()
        assert self.process is not None
        self.process.kill()

    @staticmethod
    def _is_at(step: str, request: web.Request) -> bool:
        match step:
            case "ask":
                return "include" in request.query
            case "find":
                return "parent" in request.query and "author" in request.query
            case "before":
                return request.method == "POST"
            case _:
                return False


@dataclass(frozen=True, slots=True)
class Asked:
    """A site on which a patron has asked one thing. `answers` are the parents of what we wrote there."""

    url: str
    username: str
    password: str
    comment: int
    answers: Callable[[], list[int]]


@asynccontextmanager
async def on_loopback() -> AsyncIterator[Asked]:
    async with website() as site:
        now = datetime.now(UTC)
        blog = Blog(site, now)
        comment = blog.post("Do you lend seeds?", at=now - timedelta(minutes=20))

        def answers() -> list[int]:
            return [one["parent"] for one in blog.comments.values() if one["author"] == STAFF]

        yield Asked(site.url, USER, PASSWORD, comment, answers)


@asynccontextmanager
async def on_a_real_one() -> AsyncIterator[Asked]:
    with wordpress() as site:
        site.sql("delete from wp_comments")
        await asyncio.to_thread(site.comments, "Ada Reader", "Do you lend seeds?")
        comment = int(site.sql("select comment_id from wp_comments"))

        def answers() -> list[int]:
            ours = f"select comment_parent from wp_comments where user_id = {site.editor}"
            return [int(one) for one in site.sql(ours).split()]

        yield Asked(site.url, site.username, site.password, comment, answers)


async def with_an_answer_written(settings: Settings, name: str = "blog") -> None:
    """What a house knows that was asked, and was stopped once somebody had answered."""
    [named] = [one for one in settings.sources if one.name == name]
    source = plugins.networks()[named.type].open(named, settings.network, system_clock)
    assert isinstance(source, Source)
    assert isinstance(source, Replies)
    batch = await source.fetch(None)
    store = await asyncio.to_thread(app.open_store, settings)
    try:
        desk = Desk(store, app.limited(settings, [source]), system_clock)
        await desk.acting(sync_staff)
        await desk.acting(take_in, source=name, batch=batch)
        await desk.acting(_write)
    finally:
        await asyncio.to_thread(store.close)


def _write(tx: Tx) -> None:
    ana = get_person(tx, "ana")
    assert ana is not None
    write(tx, 1, ana, "Yes: beans & peas.")


@asynccontextmanager
async def process(
    folder: Path, killing: Kills, secrets: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    with (folder / "staffbot.log").open("ab") as log:
        made = await asyncio.create_subprocess_exec(
            *STAFFBOT, cwd=folder, env={**os.environ, **secrets}, stderr=log, stdout=log
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
@pytest.mark.parametrize("a_site", [on_loopback, on_a_real_one])
async def test_killed_between_any_two_steps_one_answer_stands_on_the_blog(
    a_site: Callable[[], AbstractAsyncContextManager[Asked]], tmp_path: Path
) -> None:
    async with a_site() as site, a_way_to(site.url) as way:
        file = tmp_path / "config.toml"
        source = SOURCE.format(url=way.url).replace(USER, site.username)
        # It is read at each start and then no more, so that every request here is the answer's.
        file.write_text(CONFIG + source.replace('"1s"', '"1h"') + ANSWERED)
        secrets = {**ENVIRONMENT, "BLOG_PASSWORD": site.password}
        settings = load(file, secrets, plugins.networks(), plugins.doors())
        await with_an_answer_written(settings)
        database = Path(settings.store.url.value.removeprefix("sqlite:///"))
        assert states(database) == ["waiting"]
        killing = Killing(way)
        for left in range(len(STEPS) - 1, -1, -1):
            async with process(tmp_path, killing, secrets) as running:
                assert await running.wait() == -9, (tmp_path / "staffbot.log").read_text()
            assert len(killing.steps) == left
            assert states(database) == ["sending"]
        async with process(tmp_path, killing, secrets) as running:
            while states(database) != ["sent"]:
                assert running.returncode is None, (tmp_path / "staffbot.log").read_text()
                await asyncio.sleep(0.05)
        assert await asyncio.to_thread(site.answers) == [site.comment]
        assert way.posted == [201]

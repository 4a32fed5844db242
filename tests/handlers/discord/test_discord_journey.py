"""From a blog to the digest, on Discord: the whole house, a loopback Discord, and a WordPress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from staffbot import plugins
from staffbot.config import load
from staffbot.settings import Settings
from tests.handlers.discord.loopback import TOKEN, Loopback, loopback
from tests.handlers.discord.stage import until
from tests.handlers.discord.world import ANA, CHANNEL, SERVER, Json
from tests.library import TUESDAY, HandClock
from tests.staffbot.house import running
from tests.staffbot.sources.wordpresses import PASSWORD, SOURCE, STAFF, UNSURE, Blog
from tests.website import website

pytestmark = pytest.mark.timeout(180)

CONFIG = """\
library = "Riverside Library"
hours.weekly = "24/7"
replies.enabled = true
public.port = 0
metrics.port = 0
rooms = [{{ platform = "discord", id = "{room}" }}]
staff = [{{ key = "ana", name = "Ana Silva", ids = {{ discord = "{ana}" }} }}]
[discord]
server = "{server}"
api = "{api}"
gateway = "{gateway}"
"""


def house(folder: Path, discord: Loopback, blog: str, more: str = "") -> Settings:
    file = folder / "config.toml"
    config = CONFIG.format(
        room=CHANNEL, ana=ANA, server=SERVER, api=discord.base, gateway=discord.gateway
    )
    if more:
        config = config.replace("replies.enabled = true\n", "")
    file.write_text(config + more + SOURCE.format(url=blog))
    secrets = {"DISCORD_TOKEN": TOKEN, "BLOG_PASSWORD": PASSWORD}
    return load(file, secrets, plugins.networks(), plugins.doors())


@contextmanager
def addresses_kept() -> Iterator[None]:
    """discord.py keeps its addresses in its classes."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


def standing(discord: Loopback, says: str) -> Json | None:
    """The newest message in the channel, if it says so."""
    messages = discord.world.messages[CHANNEL]
    return messages[-1] if messages and says in str(messages[-1]) else None


async def test_a_comment_is_answered_from_discord_and_the_digest_agrees(tmp_path: Path) -> None:
    with addresses_kept():
        async with website() as site, loopback() as discord:
            clock = HandClock(TUESDAY)
            blog = Blog(site, clock.now)
            settings = house(tmp_path, discord, site.url)

            async def shown(says: str) -> Json:
                found: Json = await until(lambda: standing(discord, says))
                return found

            async with running(settings, clock=clock):
                await discord.connected()
                asked = blog.post("Do you lend seeds?", at=clock.now - timedelta(minutes=20))
                card = await shown("is unclaimed")
                await (await discord.click(card, "Claim")).answer()
                card = await shown("claimed by Ana Silva")
                blog.now = clock.forward(minutes=10)
                form = await discord.click(card, "Reply…")
                assert "Do you lend seeds?" in str(await form.modal())
                said = await (await discord.submit(form, {"text": "Yes: beans."})).answer()
                assert "stored" in said["content"]
                card = await shown("Answered on the blog ")
                ours = blog.comments[asked + 1]
                assert (ours["author"], ours["parent"]) == (STAFF, asked)
                clock.forward(minutes=10)
                # Answered already, so one tap closes it.
                await (await discord.click(card, "Done")).answer()
                await shown("closed: answered, by Ana Silva")
                figures = await (await discord.command("lib stats", what="7d")).answer()
                assert "1 claimed, 1 answered, 1 closed" in str(figures)
                assert discord.posted() == 1
            await discord.drop()  # so that the next one to be connected is the new one
            clock.forward(hours=20)
            async with running(settings, clock=clock):  # what is due is looked at at once
                await discord.connected()
                digest = await shown("Good morning")
                told = {one["name"]: one["value"] for one in digest["embeds"][0]["fields"]}
                assert told["Came in"] == "1"
                assert told["Answered"].startswith("1 ")
                assert told["Closed"] == "1"
                figures = await (await discord.command("lib stats", what="7d")).answer()
                assert "1 claimed, 1 answered, 1 closed" in str(figures)
            assert len(blog.comments) == 2
            assert discord.wrong == []


async def test_an_answer_of_which_nobody_can_tell_is_settled_on_its_card(tmp_path: Path) -> None:
    with addresses_kept():
        async with website() as site, loopback() as discord:
            clock = HandClock(TUESDAY)
            blog = Blog(site, clock.now, cutting=True)

            async def shown(says: str) -> Json:
                found: Json = await until(lambda: standing(discord, says))
                return found

            async with running(house(tmp_path, discord, site.url, UNSURE), clock=clock):
                await discord.connected()
                blog.post("Do you lend seeds?", at=clock.now - timedelta(minutes=20))
                form = await discord.click(await shown("is unclaimed"), "Reply…")
                await form.modal()
                await (await discord.submit(form, {"text": "Yes: beans."})).answer()
                await until(lambda: len(blog.comments) == 2)
                blog.down = 503
                card = await shown("Nobody can tell")
                blog.down = 0
                await (await discord.click(card, "It was sent")).answer()
                await shown("Answered on the blog ")
            assert len(blog.comments) == 2
            assert discord.wrong == []

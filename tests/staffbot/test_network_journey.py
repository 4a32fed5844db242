"""From a network to the digest: the whole house, and servers on loopback for the networks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from staffbot import plugins
from staffbot.config import load
from staffbot.settings import Settings
from tests.dovecots import PASSWORD as MAIL_PASSWORD
from tests.dovecots import dovecot
from tests.library import TUESDAY, HandClock
from tests.staffbot.house import CONFIG, ENVIRONMENT, running
from tests.staffbot.sources.wordpresses import PASSWORD, SOURCE, STAFF, UNSURE, Blog
from tests.website import website

MAIL = """
[[sources]]
name = "mail"
type = "email"
host = "127.0.0.1"
port = {port}
security = "none"
username = "info"
password = "MAIL_PASSWORD"
every = "1s"
idle = false
"""


ANSWERED = CONFIG.replace("enabled = false", "enabled = true") + "[replies]\nenabled = true\n"


def settings_in(folder: Path, source: str, config: str = CONFIG) -> Settings:
    file = folder / "config.toml"
    file.write_text(config + source)
    secrets = {"BLOG_PASSWORD": PASSWORD, "MAIL_PASSWORD": MAIL_PASSWORD}
    return load(file, {**ENVIRONMENT, **secrets}, plugins.networks(), plugins.doors())


async def test_a_comment_is_claimed_answered_there_and_closed(tmp_path: Path) -> None:
    async with website() as site:
        now = datetime.now(UTC)
        blog = Blog(site, now)
        settings = settings_in(tmp_path, SOURCE.format(url=site.url))
        async with running(settings) as house:
            asked = blog.post("Do you lend seeds?", at=now - timedelta(minutes=20), status="hold")
            await house.shows("Do you lend seeds?")
            await house.shows("Held for moderation")
            await house.command("ana", "claim 1")
            await house.shows("Claimed")
            answered = now - timedelta(minutes=5)
            blog.post("Yes, we do.", at=answered, author=STAFF, parent=asked)
            await house.shows("Answered on the blog ")
            # It is an answer, not a mention.
            assert len(await house.channel()) == 1
            await house.command("ana", "done 1")
            await house.until(lambda found: found[0]["collapsed"])
            told = await house.command("ana", "stats")
            assert "1" in told
            blog.comments[asked]["status"] = "trash"
            await house.shows("withdrawn by the patron")
            assert "lend seeds" not in str(await house.channel())


async def test_a_comment_is_answered_from_chat_and_the_digest_agrees(tmp_path: Path) -> None:
    async with website() as site:
        clock = HandClock(TUESDAY)
        blog = Blog(site, clock.now)
        settings = settings_in(tmp_path, SOURCE.format(url=site.url), ANSWERED)
        async with running(settings, clock=clock) as house:
            asked = blog.post("Do you lend seeds?", at=clock.now - timedelta(minutes=20))
            [card] = await house.cards(1)
            await house.command("ana", "claim 1")
            await house.shows("Claimed")
            blog.now = clock.forward(minutes=10)
            form = await house.press("ana", card["id"], "reply")
            assert form["quote"]["text"] == "Do you lend seeds?"
            values = {field["name"]: field["value"] for field in form["fields"]}
            said = await house.submit("ana", form, values | {"text": "Yes: beans & peas."})
            assert "stored" in json.dumps(said)
            await house.shows("Answered on the blog ")
            [ours] = [one for one in blog.comments.values() if one["author"] == STAFF]
            assert (ours["parent"], ours["content"]["rendered"]) == (
                asked, "<p>Yes: beans &amp; peas.</p>\n",
            )  # fmt: skip
            # Twice, as the first reading may have begun before the answer was there.
            reads = sum("after" in one.query for one in site.asked) + 2
            await house.until(lambda _: sum("after" in one.query for one in site.asked) >= reads)
            assert len(await house.channel()) == 1
            clock.forward(minutes=10)
            closing = await house.press("ana", card["id"], "close")
            values = {field["name"]: field["value"] for field in closing["fields"]}
            await house.submit("ana", closing, values | {"topics": ["thanks"]})
            await house.until(lambda found: found[0]["collapsed"])
            for person in ("ana", "ben"):
                told = await house.command(person, "stats 7d")
                assert "1 came in, 1 expecting an answer; 1 answered" in told
                assert "1 claimed, 1 answered, 1 closed" in told
        clock.forward(hours=20)
        async with running(settings, clock=clock) as house:  # what is due is looked at at once
            [card, digest] = await house.cards(2)
            assert card["mention"] == 1
            figures = {
                pair["label"]: pair["line"][0]["text"]
                for part in digest["parts"] if part["type"] == "facts" for pair in part["pairs"]
            }  # fmt: skip
            assert figures["Came in"] == "1"
            assert figures["Answered"].startswith("1 ")
            assert figures["Closed"] == "1"
            assert "1 claimed, 1 answered, 1 closed" in await house.command("ana", "stats 7d")


async def test_an_answer_of_which_nobody_can_tell_is_settled_on_its_card(tmp_path: Path) -> None:
    async with website() as site:
        clock = HandClock(TUESDAY)
        blog = Blog(site, clock.now, cutting=True)
        settings = settings_in(tmp_path, SOURCE.format(url=site.url), CONFIG + UNSURE)
        async with running(settings, clock=clock) as house:
            blog.post("Do you lend seeds?", at=clock.now - timedelta(minutes=20))
            [card] = await house.cards(1)
            form = await house.press("ana", card["id"], "reply")
            values = {field["name"]: field["value"] for field in form["fields"]}
            await house.submit("ana", form, values | {"text": "Yes: beans & peas."})
            await house.until(lambda _: len(blog.comments) == 2)
            blog.down = 503
            await house.shows("Nobody can tell")
            # What the person finds there is that it is missing.
            blog.down, blog.cutting = 0, False
            del blog.comments[max(blog.comments)]
            said = await house.press("ana", card["id"], "send_it_again")
            assert "sent again now" in json.dumps(said)
            await house.shows("Answered on the blog ")
        assert len(blog.comments) == 2


async def test_a_mail_shows_no_word_in_an_open_room(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Lena P. <lena@mail.test>", "Stolen card"
    mail["Message-ID"] = "<1@mail.test>"
    mail.set_content("My card was stolen.")
    with dovecot() as server:
        server.put("info", mail.as_bytes(), datetime.now(UTC))
        async with running(settings_in(tmp_path, MAIL.format(port=server.port))) as house:
            [card] = await house.cards(1)
            assert "tolen" not in str(card)
            assert "Lena" not in str(card)
            assert "Read privately" in str(card)
            assert "My card was stolen." in await house.command("ana", "read 1")

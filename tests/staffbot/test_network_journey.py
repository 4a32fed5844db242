"""From a network to the digest: the whole house, and servers on loopback for the networks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from staffbot import plugins
from staffbot.config import load
from staffbot.settings import Settings
from tests.dovecots import PASSWORD as MAIL_PASSWORD
from tests.dovecots import dovecot
from tests.staffbot.house import CONFIG, ENVIRONMENT, running
from tests.staffbot.sources.wordpresses import PASSWORD, STAFF, USER, Blog
from tests.website import website

BLOG = """
[[sources]]
name = "blog"
type = "wordpress"
label = "the blog"
url = "{url}"
username = "{user}"
password = "BLOG_PASSWORD"
allow_private = true
every = "1s"
"""
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


def settings_in(folder: Path, source: str) -> Settings:
    file = folder / "config.toml"
    file.write_text(CONFIG + source)
    secrets = {"BLOG_PASSWORD": PASSWORD, "MAIL_PASSWORD": MAIL_PASSWORD}
    return load(file, {**ENVIRONMENT, **secrets}, plugins.networks(), plugins.doors())


async def test_a_comment_is_claimed_answered_there_and_closed(tmp_path: Path) -> None:
    async with website() as site:
        now = datetime.now(UTC)
        blog = Blog(site, now)
        settings = settings_in(tmp_path, BLOG.format(url=site.url, user=USER))
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

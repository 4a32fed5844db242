"""An answer by e-mail, killed with -9 between its steps: never two mails, and doubt is said as doubt."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from staffbot import plugins
from staffbot.config import load
from tests.dovecots import PASSWORD, dovecot
from tests.smtp import PostOffice, post_office
from tests.staffbot.house import CONFIG, ENVIRONMENT
from tests.staffbot.test_killed_answer import ANSWERED, process, states, with_an_answer_written

SOURCE = """
[[sources]]
name = "mail"
type = "email"
host = "127.0.0.1"
port = {imap}
security = "none"
username = "info"
password = "MAIL_PASSWORD"
addresses = ["info@library.example"]
smtp_host = "127.0.0.1"
smtp_port = {smtp}
smtp_security = "none"
idle = false
every = "1h"
"""
SECRETS = {**ENVIRONMENT, "MAIL_PASSWORD": PASSWORD}


class Killing:
    """At the post office: kills the process whose command it is at the next step."""

    def __init__(self, office: PostOffice, steps: tuple[str, ...]) -> None:
        self.steps = deque(steps)
        self.process: asyncio.subprocess.Process | None = None
        office.hears = self._hears

    def _hears(self, said: str) -> None:
        if self.steps and said == self.steps[0]:
            self.steps.popleft()
            assert self.process is not None
            self.process.kill()


def asks() -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Lena P. <lena@mail.test>", "Looms"
    mail["Message-ID"], mail["Date"] = "<1@mail.test>", datetime.now(UTC) - timedelta(minutes=20)
    mail.set_content("Do you lend looms?")
    return mail.as_bytes()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("steps", "state", "mails"),
    [
        # Before it was handed over it is surely not sent, so it is sent once all is well again.
        (("EHLO", "MAIL", "RCPT"), "sent", 1),
        # From then on nobody can tell, whether it was taken or not.
        (("MAIL", "DATA"), "unknown", 0),
        (("RCPT", "taken"), "unknown", 1),
    ],
)
async def test_killed_between_its_steps_a_mail_goes_out_once_or_is_in_doubt(
    steps: tuple[str, ...], state: str, mails: int, tmp_path: Path
) -> None:
    with dovecot() as server:
        async with post_office() as office:
            await asyncio.to_thread(server.put, "info", asks(), datetime.now(UTC))
            file = tmp_path / "config.toml"
            file.write_text(CONFIG + SOURCE.format(imap=server.port, smtp=office.port) + ANSWERED)
            settings = load(file, SECRETS, plugins.networks(), plugins.doors())
            await with_an_answer_written(settings, "mail")
            database = Path(settings.store.url.value.removeprefix("sqlite:///"))
            killing = Killing(office, steps)
            log = tmp_path / "staffbot.log"
            for left in range(len(steps) - 1, -1, -1):
                async with process(tmp_path, killing, SECRETS) as running:
                    assert await running.wait() == -9, log.read_text()
                assert len(killing.steps) == left
                assert states(database) == ["sending"]
            async with process(tmp_path, killing, SECRETS) as running:
                while states(database) != [state]:
                    assert running.returncode is None, log.read_text()
                    await asyncio.sleep(0.05)
            assert len(office.mails) == mails
            for word in ("lena", "Lena", "loom", "beans", PASSWORD):
                assert word not in log.read_text()

"""`staffbot run` before a loopback Slack, killed with -9 at the moments that could lose or double."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.handlers.slack.loopback import Loopback, Trouble
from tests.handlers.slack.stage import actions, until
from tests.handlers.slack.street import CONFIG, VARIABLES, Street

# Within it a request that was sent can still arrive; what was in flight is left alone until then.
LIFE = '[delivery]\nrequest_life = "6s"\n'
STAFFBOT = (sys.executable, "-c", "from staffbot.cli import main; main()", "run")


@pytest.fixture
def street(slack: Loopback, tmp_path: Path) -> Street:
    (tmp_path / "config.toml").write_text(CONFIG.format(mode="socket", url=slack.api) + LIFE)
    return Street(slack, tmp_path, "socket")


@asynccontextmanager
async def process(street: Street) -> AsyncIterator[None]:
    """A `staffbot run` of its own, connected; at the end it is killed, whatever it is doing."""
    with (street.folder / "staffbot.log").open("ab") as log:
        made = await asyncio.create_subprocess_exec(
            *STAFFBOT, cwd=street.folder, env={**os.environ, **VARIABLES}, stderr=log
        )
    try:
        async with asyncio.timeout(120):
            while not street.slack.sockets:
                assert made.returncode is None, (street.folder / "staffbot.log").read_text()
                await asyncio.sleep(0.02)
        yield
        assert made.returncode is None, (street.folder / "staffbot.log").read_text()
    finally:
        if made.returncode is None:
            made.kill()
        await made.wait()
    await until(lambda: not street.slack.sockets)  # Slack notices that the connection is gone


@pytest.mark.timeout(300)
async def test_kill_9_loses_and_doubles_nothing_that_slack_was_told(street: Street) -> None:
    slack = street.slack
    # Killed after Slack took a post and before it said so.
    slack.troubles["chat.postMessage"].append(Trouble.SLOW_AFTER)
    async with process(street):
        await street.command("log Is the lift working?", "U3")
        await street.shows("is unclaimed")
    async with process(street):
        # Killed with a claim acknowledged, and the edit that shows it not taken.
        slack.troubles["chat.update"].append(Trouble.SLOW_BEFORE)
        claim = street.pressing(actions(street.card())["claim"], at="5.1")
        await street.body("interactive", claim)
        await until(lambda: not slack.troubles["chat.update"])
        assert "is unclaimed" in street.card()["text"]
    async with process(street):
        await street.shows("claimed by Ana Silva")
        # Slack delivers the press again, as it never learned what became of it.
        await street.body("interactive", claim)
        assert "0 mentions unclaimed" in await street.command("queue")
    assert len(slack.called("chat.postMessage")) == 1  # found by its key, not sent again
    assert len(slack.channels["C01"].messages) == 1
    assert set(slack.copies().values()) == {1}

"""`staffbot run` with Slack and Discord both on: from the command to being ready, and its memory.

Both are stand-ins of our own on this machine, in this process. Ready is: its health is asked and is
well, Slack's socket is open and Discord's gateway has greeted it. The floor is Python with the
libraries that such a program imports.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.ground import Ground
from benchmarks.rows import Row
from benchmarks.starting import running
from benchmarks.timing import milliseconds, resident
from tests.handlers.discord import loopback as discords
from tests.handlers.discord.world import CHANNEL, SERVER
from tests.handlers.slack.loopback import Loopback as Slack
from tests.handlers.slack.workspace import APP_TOKEN, BOT_TOKEN

_BARE = (
    sys.executable, "-c",
    "import aiohttp.web, discord, pydantic, slack_bolt.async_app, sqlalchemy, structlog, typer",
)  # fmt: skip
_CONFIG = """\
library = "Benchmark"

[store]
url = "sqlite:///{folder}/staffbot.db"

[public]
port = 0

[metrics]
port = 0

[slack]
api_url = "{slack}"

[discord]
server = "{server}"
api = "{api}"
gateway = "{gateway}"

[[rooms]]
platform = "slack"
id = "C01"

[[rooms]]
platform = "discord"
id = "{channel}"

[[sources]]
name = "form"
type = "webhook"
secrets = ["STAFFBOT_WEBHOOK_SECRET"]
"""
_TOKENS: Mapping[str, str] = {
    "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN, "DISCORD_TOKEN": discords.TOKEN,
}  # fmt: skip


def run(ground: Ground) -> list[Row]:
    """Start it several times, in turns with the floor."""
    taken = [
        (
            milliseconds(lambda: subprocess.run(_BARE, check=True)),
            *asyncio.run(_started(_made(ground.folder / f"together{turn}"))),
        )
        for turn in range(max(2, ground.turns(9)))
    ]
    bare, ready, memory = (statistics.median(values) for values in zip(*taken, strict=True))
    return [
        Row(
            name="staffbot run with Slack and Discord, to connected to both", measured=ready,
            floor=bare, against="a start of Python that imports the libraries",
            means="A library may have both without waiting for either.",
        ),
        Row(
            name="memory of staffbot run with Slack and Discord, connected", measured=memory,
            unit="MiB", means="It fits on the smallest server there is.",
        ),
    ]  # fmt: skip


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def _started(folder: Path) -> tuple[float, float]:
    """The milliseconds until it was connected to both, and the MiB that it takes then."""
    async with Slack() as slack, discords.loopback(judging=False) as discord:
        config = _CONFIG.format(
            folder=folder, slack=slack.api, server=SERVER, channel=CHANNEL,
            api=discord.base, gateway=discord.gateway,
        )  # fmt: skip
        program = running(folder, config, _TOKENS)
        began_at = time.perf_counter()
        process, _, _ = await asyncio.to_thread(program.__enter__)
        try:
            await slack.connected()
            await discord.connected()
            return (time.perf_counter() - began_at) * 1000, resident(process)
        finally:
            await asyncio.to_thread(program.__exit__, None, None, None)

"""`staffbot run` and `staffbot demo`: the whole program, until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import structlog
import typer

from staffbot import app, plugins
from staffbot import log as logs
from staffbot.cli.settings import DEFAULT, Config, settings_of
from staffbot.demo import DATA, run_demo

# `app` ends in good order well before; this is for a step that hangs.
HARD_LIMIT_SECONDS = 4.7

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Where the page is served.")]
Data = Annotated[Path, typer.Option(help="The folder in which the demo keeps everything.")]
Speed = Annotated[
    float, typer.Option(min=0.1, max=10_000, help="How much faster due times and hours run.")
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Only print the address.")]

log = structlog.get_logger(__name__)


def run(config: Config = DEFAULT) -> None:
    """Run the bot until it is told to stop (Ctrl-C, or SIGTERM from a service manager)."""
    settings = settings_of(config)

    async def running(stop: asyncio.Event) -> None:
        await app.run(settings, doors=plugins.doors(), networks=plugins.networks(), stop=stop)

    until_told(running)


def demo(
    port: Port = None, data: Data = DATA, speed: Speed = 1.0, no_browser: NoBrowser = False
) -> None:
    """Show it all on this machine: made-up patrons post, you answer in the browser."""
    # What goes well is to be seen on the page, not in the terminal.
    logs.set_up()
    for ours in ("staffbot", "handlers"):
        logging.getLogger(ours).setLevel(logging.WARNING)

    async def running(stop: asyncio.Event) -> None:
        await run_demo(stop, port=port, data=data, speed=speed, browser=not no_browser)

    until_told(running)


def until_told(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `work` and set its event at SIGINT or SIGTERM; then it has five seconds to end."""

    async def told() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def end() -> None:
            if not stop.is_set():
                stop.set()
                limit = threading.Timer(HARD_LIMIT_SECONDS, _end_hard)
                limit.daemon = True
                limit.start()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end)
        await work(stop)

    asyncio.run(told())


def _end_hard() -> None:
    # What was in hand is in the database with its state, and is looked up at the next start.
    log.warning("ended in the middle of a step")
    os._exit(1)

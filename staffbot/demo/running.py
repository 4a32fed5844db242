"""Starts the demo: the real program, its patrons beside it, and a browser where there is one."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import typer

from staffbot import app, plugins
from staffbot.demo.house import settings
from staffbot.demo.keeping import FastClock, Kept
from staffbot.demo.patrons import Patrons
from staffbot.errors import SourceError

PORT = 8082
DATA = Path("data/demo")
# How often the clock is noted: a demo that is killed goes back by no more than that.
KEEP_SECONDS = 5.0

Say = Callable[[str], None]


async def run_demo(
    stop: asyncio.Event,
    *,
    port: int | None = None,
    data: Path = DATA,
    speed: float = 1.0,
    browser: bool = True,
    say: Say = typer.echo,
    pace: float = 1.0,
) -> None:
    """Run until `stop` is set. Raises StaffbotError where it cannot begin.

    `speed` is that of due times and hours; `pace` stretches the waits between the story's posts.
    """
    kept = await asyncio.to_thread(Kept.open, data)
    clock = FastClock(speed, kept.clock_at)

    def opened(address: str) -> None:
        say(_welcome(address, data, speed))
        if browser and _has_screen():
            asyncio.get_running_loop().run_in_executor(None, webbrowser.open, address)

    patrons = Patrons(kept, clock, opened, pace)
    doors, networks = plugins.doors(), plugins.networks()
    house = settings(
        data,
        hook_secret=kept.hook_secret,
        identity_key=kept.identity_key,
        door=doors["local"],
        network=networks["webhook"],
        page={"port": _free_port() if port is None else port, "patron": patrons},
    )
    beside = asyncio.create_task(_beside(patrons, say))
    try:
        await app.run(
            house,
            doors=doors,
            networks=networks,
            clock=clock,
            ready=lambda up: patrons.listening(up.public_port),
            stop=stop,
        )
    finally:
        beside.cancel()
        with suppress(asyncio.CancelledError):
            await beside
        await patrons.keep()


async def _beside(patrons: Patrons, say: Say) -> None:
    """The story, and the notes of where the clock stands. A story that fails ends no demo."""
    try:
        await patrons.tell()
    except SourceError as problem:
        say(f"A patron of the demo could not post. {problem}")
    while True:
        await asyncio.sleep(KEEP_SECONDS)
        await patrons.keep()


def _welcome(address: str, data: Path, speed: float) -> str:
    faster = f" Due times run {speed:g} times as fast." if speed != 1 else ""
    return (
        f"\n  The team channel of Riverside Library: {address}\n\n"
        "  Posts of made-up patrons come in over the next minutes. Press Claim on one, or type\n"
        f"  help. On the right you can write as a patron yourself.{faster}\n"
        f"  Everything is kept in {data}; remove that folder to begin again. Ctrl-C ends it.\n"
    )


def _has_screen() -> bool:
    """Whether a browser would open in a window; one in the terminal would only be in the way."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _free_port() -> int:
    """The usual port, so that the address stays the same; any free one where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT

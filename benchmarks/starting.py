"""From the command to being ready, and what the running bot takes of memory.

The floor of a start is one of Python with the libraries that every staffbot imports.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from standardwebhooks import Webhook

from benchmarks.ground import Ground
from benchmarks.rows import Row
from benchmarks.timing import milliseconds, resident

_PROGRAM = Path(sys.executable).with_name("staffbot")
_BARE = (sys.executable, "-c", "import aiohttp.web, pydantic, sqlalchemy, structlog, typer")
_AGAINST = "a start of Python that imports the libraries"
_PATIENCE_SECONDS = 60.0
_SECRET = "whsec_" + "A" * 43 + "="
_CONFIG = """\
library = "Benchmark"

[store]
url = "sqlite:///{folder}/staffbot.db"

[local]
port = 0

[public]
port = 0

[metrics]
port = 0

[[rooms]]
platform = "local"
id = "desk"

[[sources]]
name = "form"
type = "webhook"
secrets = ["STAFFBOT_WEBHOOK_SECRET"]
"""


def run(ground: Ground) -> list[Row]:
    """Start each several times, in turns with the floor."""
    turns = max(2, ground.turns(9))
    taken: dict[str, list[float]] = {"bare": [], "first": [], "again": [], "demo": []}
    ready, guessing = 0.0, 0.0
    for turn in range(turns):
        taken["bare"].append(milliseconds(lambda: subprocess.run(_BARE, check=True)))
        folder = ground.folder / f"start{turn}"
        folder.mkdir()
        with running(folder, _CONFIG.format(folder=folder)) as (process, _, ms):
            taken["first"].append(ms)
        with running(folder, _CONFIG.format(folder=folder)) as (process, port, ms):
            taken["again"].append(ms)
            ready = resident(process)
            _write(port)
            guessing = resident(process)
        taken["demo"].append(_demo(folder))
        shutil.rmtree(folder)
    middle = {name: statistics.median(times) for name, times in taken.items()}
    return [*_starts(middle), *_memory(ready, guessing)]


def _starts(middle: Mapping[str, float]) -> Iterator[Row]:
    for name, which, means in (
        ("staffbot run, to ready", "again", "So long is a restart, after an update say."),
        ("staffbot run, the very first time", "first", "That also makes the database."),
        ("staffbot demo, to its first card", "demo", "Who tries it out sees something so soon."),
    ):
        yield Row(
            name=name, measured=middle[which], floor=middle["bare"], against=_AGAINST, means=means
        )


def _memory(ready: float, guessing: float) -> Iterator[Row]:
    yield Row(
        name="memory of staffbot run, ready", measured=ready, unit="MiB",
        means="It fits on the smallest server there is.",
    )  # fmt: skip
    yield Row(
        name="memory once it had to guess a language", measured=guessing, unit="MiB",
        means="Only where a network does not say which language a post is in.",
    )  # fmt: skip


@contextmanager
def running(
    folder: Path, text: str, tokens: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[int, int, float]]:
    """`staffbot run`: its process, its public port, and the milliseconds until it was ready."""
    config = folder / "config.toml"
    config.write_text(text)
    started = _started(folder, "run", "--config", str(config), tokens=tokens)
    with started as (process, began_at):
        found = _said(process, r'"public_port": (\d+)')
        port = int(found)
        _until(lambda: _get(f"http://127.0.0.1:{port}/healthz"))
        yield process.pid, port, (time.perf_counter() - began_at) * 1000


def _demo(folder: Path) -> float:
    data = folder / "demo"
    words = ("demo", "--no-browser", "--port", "0", "--data", str(data))
    with _started(folder, *words) as (process, began_at):
        page = _said(process, r"(http://127\.0\.0\.1:\d+/)")
        _until(lambda: json.loads(_get(f"{page}api/channel?user=ana"))["messages"])
        return (time.perf_counter() - began_at) * 1000


@contextmanager
def _started(
    folder: Path, *words: str, tokens: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[subprocess.Popen[str], float]]:
    began_at = time.perf_counter()
    process = subprocess.Popen(
        [_PROGRAM, *words], cwd=folder, text=True,
        env={
            **os.environ, **tokens, "STAFFBOT_WEBHOOK_SECRET": _SECRET, "PYTHONUNBUFFERED": "1"
        },
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process, began_at
    finally:
        process.terminate()
        process.communicate(timeout=_PATIENCE_SECONDS)


def _said(process: subprocess.Popen[str], pattern: str) -> str:
    """What the program says that looks like this."""
    assert process.stdout is not None
    heard = ""
    for line in process.stdout:
        heard += line
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"the program ended and had said only: {heard}")


def _until(well: Callable[[], object]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            if well():
                return
        except OSError:
            pass  # not listening yet, or not ready to say so
        time.sleep(0.005)
    raise AssertionError(f"not ready within {_PATIENCE_SECONDS:.0f} seconds")


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own address
        said: bytes = answer.read()
        return said


def _write(port: int) -> None:
    """A post of which nobody says in which language it is."""
    body = json.dumps(
        {
            "id": "1",
            "text": "Wann ist der Lesesaal am Sonntag geöffnet?",
            "author": {"name": "Lena"},
        }
    )
    now = datetime.now(UTC)
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/hooks/form",
        data=body.encode(),
        headers={
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(_SECRET).sign("msg_1", now, body),
            "content-type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        pass  # answered only once it is stored, and so after the language was guessed

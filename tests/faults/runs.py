"""kill -9 of the real `staffbot run`: signed webhooks come in, cards go out, and it dies between.

A patron's network sends each mention until it is acknowledged, as networks do. An acknowledged
mention has exactly one card in the end, and so has every other one.
"""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select
from standardwebhooks import Webhook

from staffbot.tables import arrivals, posts
from tests.faults.ground import LIMIT_SECONDS, ask
from tests.faults.witness import Witness

_SECRET = "whsec_" + base64.b64encode(b"a secret of the fault tests only").decode()
_ROOT = Path(__file__).parents[2]
# A call takes up to twice so long at the witness: well within the request's life of two seconds.
_DAWDLE = 0.2
_CONFIG = """
library = "Riverside Library"
when_closed = "at_once"
[witness]
url = "{url}"
[[rooms]]
platform = "witness"
id = "desk"
[[sources]]
name = "hook"
type = "webhook"
secrets = ["FAULTS_SECRET"]
[public]
port = 0
[metrics]
port = 0
[delivery]
request_life = "2s"
[storm]
mentions = 100000
"""
_POINTS = "[staffbot.handlers]\nwitness = tests.faults.door:door\n"
_METADATA = "Metadata-Version: 2.1\nName: staffbot-witness\nVersion: 1.0\n"


@dataclass(slots=True)
class Report:
    kills: int = 0
    mentions: int = 0
    met: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        return not self.wrong and self.met * 3 >= self.kills and self.mentions > 0

    def problems(self) -> list[str]:
        return self.wrong

    def __str__(self) -> str:
        return (
            f"kills of a real `staffbot run`: {self.kills} kills, {self.mentions} mentions, "
            f"each sent until acknowledged, {len(self.wrong)} lost or doubled; "
            f"{self.met} recoveries met a post in flight ({self.seconds:.0f} s)"
        )


class Program:
    """A `staffbot run`: the port that it listens on, once it says so."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / f"log-{time.monotonic_ns()}"
        plugin = folder / "plugin"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).parent / "staffbot", "run", "--config", "config.toml"],
                cwd=folder,
                env={
                    **os.environ,
                    "PYTHONPATH": f"{plugin}{os.pathsep}{_ROOT}",
                    "FAULTS_SECRET": _SECRET,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def said(self) -> str:
        return self._log.read_text()

    def port(self) -> int:
        """Wait until it runs."""
        end = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            for line in self.said().splitlines():
                if line.startswith("{") and line.endswith("}") and "public_port" in line:
                    return int(json.loads(line)["public_port"])
            time.sleep(0.02)
        raise AssertionError(f"`staffbot run` does not run: {self.said()[-2000:]}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> float:
        """Ask it to end, as a service manager does. How long that took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=LIMIT_SECONDS)
        assert code == 0, f"`staffbot run` ended with {code}: {self.said()[-2000:]}"
        return time.monotonic() - began


class Patrons:
    """Send mentions, each until it is acknowledged."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._unheard: list[int] = []

    def write(self, port: int) -> None:
        """A new mention, and those before it that nobody acknowledged."""
        self._report.mentions += 1
        self._unheard.append(self._report.mentions)
        self.repeat(port)

    def repeat(self, port: int) -> None:
        self._unheard = [number for number in self._unheard if not self._send(number, port)]

    def _send(self, number: int, port: int) -> bool:
        body = json.dumps(
            {"id": f"m{number}", "text": f"Question {number}?", "author": {"name": "Pat"}}
        )
        at = datetime.now(UTC)
        headers = {
            "webhook-id": f"msg_{number}",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(_SECRET).sign(f"msg_{number}", at, body),
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/hooks/hook", data=body.encode(), headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=10):
                return True
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"refused: {refused.code} {refused.read()!r}") from refused
        except OSError:
            return False


def run(kills: int) -> Report:
    """Kill a real program that often."""
    report = Report()
    began = time.monotonic()
    witness = Witness.start()
    try:
        with TemporaryDirectory() as name:
            folder = Path(name)
            _furnish(folder, witness)
            witness.dawdle(_DAWDLE)
            patrons = Patrons(report)
            for _ in range(kills):
                _one_life(folder, witness, patrons, report)
            witness.dawdle(0)
            _last_life(folder, patrons, report)
            _judge(_url(folder), witness, report)
    finally:
        witness.close()
    report.seconds = time.monotonic() - began
    return report


def _furnish(folder: Path, witness: Witness) -> None:
    (folder / "config.toml").write_text(_CONFIG.format(url=witness.url))
    package = folder / "plugin" / "staffbot_witness-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text(_METADATA)
    (package / "entry_points.txt").write_text(_POINTS)


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}/data/staffbot.db"


def _one_life(folder: Path, witness: Witness, patrons: Patrons, report: Report) -> None:
    witness.hear(0)
    program = Program(folder)
    try:
        if random.random() < 0.1 and report.kills:
            # While it starts, migrates and recovers.
            time.sleep(random.uniform(0, 1.5))
        else:
            port = program.port()
            for _ in range(random.randint(1, 3)):
                patrons.write(port)
            if random.random() < 0.9:
                witness.hear(LIMIT_SECONDS)
                time.sleep(random.uniform(0, _DAWDLE / 2))
            else:
                time.sleep(random.uniform(0, 0.5))
    finally:
        program.kill()
    report.kills += 1
    sending = select(func.count()).where(posts.c.state == "sending", posts.c.holder != "")
    report.met += ask(_url(folder), sending)[0][0] > 0


def _last_life(folder: Path, patrons: Patrons, report: Report) -> None:
    program = Program(folder)
    try:
        port = program.port()
        patrons.repeat(port)
        end = time.monotonic() + LIMIT_SECONDS
        carried = select(func.count()).where(posts.c.pending == 1)
        while ask(_url(folder), carried)[0][0]:
            if time.monotonic() > end:
                report.wrong.append(f"posts are left after {LIMIT_SECONDS:.0f} s")
                break
            time.sleep(0.1)
        program.end()
    finally:
        program.kill()


def _judge(url: str, witness: Witness, report: Report) -> None:
    stored = ask(url, select(func.count()).select_from(arrivals))[0][0]
    if stored != report.mentions:
        report.wrong.append(f"{stored} mentions are stored of {report.mentions} that were sent")
    counts = witness.counts()
    cards = [row.key for row in ask(url, select(posts.c.key).where(posts.c.kind == "card"))]
    if len(cards) != stored:
        report.wrong.append(f"{len(cards)} cards are wanted for {stored} mentions")
    report.wrong += [f"{key}: posted {counts[key]} times" for key in cards if counts[key] != 1]
    report.wrong += [f"{key}: posted {times} times" for key, times in counts.items() if times > 1]

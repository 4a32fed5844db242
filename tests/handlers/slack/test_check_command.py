"""`staffbot check` with Slack in the configuration, as a person runs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from staffbot.cli import app
from tests.handlers.slack.street import CONFIG, VARIABLES


@pytest.fixture
def slack() -> Iterator[str]:
    """The address of a loopback Slack in a process of its own, as the command has a loop of its own."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.handlers.slack.loopback", "0", "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield server.stdout.readline().decode().strip()
    finally:
        server.stdin.close()
        server.stdout.close()
        server.wait(timeout=30)


def test_check_says_what_is_well_and_that_nobody_can_be_pinged(
    slack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.format(mode="socket", url=f"{slack}/api/"))
    found = CliRunner().invoke(app, ["check", "--config", str(file), "--ping", "slack:U404"])
    lines = found.output.splitlines()
    assert any(line.startswith("ok") and "workspace Library" in line for line in lines), lines
    assert any(line.startswith("ok") and "#adult" in line for line in lines), lines
    assert any(line.startswith("ok") and "Slack takes a full card" in line for line in lines)
    (wrong,) = [line for line in lines if line.startswith("PROBLEM") and "test button" in line]
    assert "no such person" in wrong
    assert found.exit_code == 1
    assert "xoxb" not in found.output


def test_a_platform_without_test_buttons_says_so(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('library = "x"\n[local]\nport = 0\n[[rooms]]\nplatform = "local"\nid = "t"\n')
    found = CliRunner().invoke(app, ["check", "--config", str(file), "--ping", "U1"])
    assert "say on which configured platform" in found.output
    assert found.exit_code == 1

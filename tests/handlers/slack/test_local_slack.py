"""The journeys before local-slack, an emulator of Slack that this project did not write.

`npm install --prefix .npm local-slack-linux-x64@0.1.8` brings it; without it this is skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
INSTALLED = ROOT / ".npm/node_modules/local-slack-linux-x64/bin/local-slack"


def binary() -> Path:
    """The emulator. Skips where there is none, or where it cannot be kept off the network."""
    found = Path(os.environ.get("STAFFBOT_LOCAL_SLACK", INSTALLED))
    if not found.exists():
        pytest.skip("local-slack is not installed here (see this file's first lines)")
    alone = shutil.which("unshare")
    if alone is None or subprocess.run([alone, "-rn", "true"], check=False).returncode != 0:
        pytest.skip("this machine makes no network namespaces, and local-slack listens everywhere")
    return found


@pytest.mark.timeout(900)
def test_every_journey_before_a_slack_that_others_wrote() -> None:
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-m", "tests.handlers.slack.emulated", str(binary())],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-4000:]
    steps = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert len(steps) == 22, steps

"""The fault runs before Slack in the size of `make test`; in a process of their own, as they fork."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(900)


def run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.handlers.slack.faults", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]


def test_160_posts_under_random_faults_have_one_copy_each() -> None:
    run("--posts=160")


def test_16_kills_lose_and_double_nothing() -> None:
    run("--kills=16")

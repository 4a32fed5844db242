"""What this machine lacks: a test is skipped with a word, but never in CI (STAFFBOT_CI)."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def not_here(said: str) -> NoReturn:
    """Skip the test, or fail it in CI, where .ci/run installs what it needs."""
    if os.environ.get("STAFFBOT_CI"):
        pytest.fail(said)
    pytest.skip(said)

"""A loopback Slack for each test; whatever a test sends has to be what Slack takes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.handlers.slack.loopback import Loopback


@pytest.fixture
async def slack() -> AsyncIterator[Loopback]:
    async with Loopback() as slack:
        yield slack
    assert slack.violations == []

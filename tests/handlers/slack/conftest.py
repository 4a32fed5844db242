"""A loopback Slack for each test; whatever a test sends has to be what Slack takes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.handlers.fake_desk import FakeDesk
from tests.handlers.slack.loopback import Loopback


@pytest.fixture
async def slack() -> AsyncIterator[Loopback]:
    async with Loopback() as slack:
        yield slack
    assert slack.violations == []


@pytest.fixture
def desk() -> FakeDesk:
    """A desk that one patron has asked something."""
    desk = FakeDesk()
    desk.tell("When do you open?")
    return desk

"""What the tests of all networks are given."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.website import Website, website


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    """A web site on loopback that knows no path yet."""
    async with website() as found:
        yield found

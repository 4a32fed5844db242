"""Fixtures for every test; the parts themselves stand in library.py, fakes.py and databases.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import postgres_url
from tests.library import Library, opened, sqlite_url

# No test is timed: how quick the machine is says nothing about whether a law holds.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(params=["sqlite", "postgres"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """A library on each of the two databases."""
    if request.param == "sqlite":
        with opened(sqlite_url(tmp_path)) as found:
            yield found
    else:
        with postgres_url() as url, opened(url) as found:
            yield found


@pytest.fixture
def sqlite_library(tmp_path: Path) -> Iterator[Library]:
    """A library on SQLite only, where the database makes no difference."""
    with opened(sqlite_url(tmp_path)) as found:
        yield found

"""Fixtures for every test; the parts themselves stand in library.py, fakes.py and databases.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import postgres_url
from tests.library import Library, opened, sqlite_url


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

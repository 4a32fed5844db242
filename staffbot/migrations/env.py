"""How Alembic runs the versions: all in one transaction, so that a kill leaves none half done.

Knows the database's address and the tables, and nothing else of the house.
"""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool
from sqlalchemy.types import BigInteger

from staffbot.tables import Moment, metadata

# Any number that no other program on the same PostgreSQL is likely to use.
_ADVISORY_LOCK = 7_823_365_262


def engine_for(url: str) -> Engine:
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA synchronous=FULL")
    # Batch mode drops and remakes tables, which would cascade into their children. This has no
    # effect inside a transaction, so it has to stand before BEGIN.
    connection.execute("PRAGMA foreign_keys=OFF")


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = {row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
    if broken:
        raise CommandError(f"rows without their parent in {', '.join(sorted(broken))}")


def _render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    # A version has to mean the same when tables.py has moved on, so it names plain types only.
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Moment) else False


def _same_type(_: Any, column: Any, found: Any, kept: Any, wanted: Any) -> bool | None:
    # False: no difference; None: let Alembic decide.
    return False if isinstance(wanted, Moment) and isinstance(found, BigInteger) else None


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,
        compare_type=_same_type,
        render_item=_render,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK}
            )
        context.run_migrations()
        _check_foreign_keys(connection)


def run() -> None:
    engine = engine_for(context.config.attributes["url"])
    try:
        with engine.connect() as connection:
            migrate(connection)
    finally:
        engine.dispose()


run()

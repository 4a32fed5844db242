"""How every command finds its settings: the --config option and what it is read into."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from staffbot import log, plugins
from staffbot.config import load
from staffbot.desk.ledger import Desk
from staffbot.errors import NothingStored
from staffbot.model import system_clock
from staffbot.settings import Settings
from staffbot.store import Store

Config = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="STAFFBOT_CONFIG", metavar="FILE",
        help="The configuration file.",
    ),
]  # fmt: skip
DEFAULT = Path("config.toml")
# What a command says that looks at figures, before there are any.
NOTHING_YET = "Nothing is stored yet: the bot did not run on this database so far."


def settings_of(config: Path) -> Settings:
    """The settings of a file, with logging set up so that none of its secrets shows.

    Raises ConfigError with everything that is wrong.
    """
    log.set_up()
    settings = load(config, os.environ, plugins.networks(), plugins.doors())
    log.set_up(secrets=log.secrets_of(settings))
    return settings


def holds_anything(store: Store) -> bool:
    """False before the first run. Raises StoreError for another version's database."""
    try:
        store.check_version()
    except NothingStored:
        return False
    return True


@contextmanager
def looking(config: Path) -> Iterator[Desk | None]:
    """The desk, to be asked while the bot may be running; None where the bot never did.

    Raises StoreError for an old database.
    """
    settings = settings_of(config)
    store = Store.open(settings.store.url.value)
    try:
        yield Desk(store, settings, system_clock) if holds_anything(store) else None
    finally:
        store.close()

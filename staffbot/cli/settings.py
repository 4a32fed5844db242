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


def settings_of(config: Path) -> Settings:
    """The settings of a file, with logging set up so that none of its secrets shows.

    Raises ConfigError with everything that is wrong.
    """
    log.set_up()
    settings = load(config, os.environ, plugins.networks(), plugins.doors())
    log.set_up(secrets=log.secrets_of(settings))
    return settings


@contextmanager
def looking(config: Path) -> Iterator[Desk]:
    """The desk, to be asked while the bot may be running. Raises StoreError for an old database."""
    settings = settings_of(config)
    store = Store.open(settings.store.url.value)
    try:
        store.check_version()
        yield Desk(store, settings, system_clock)
    finally:
        store.close()

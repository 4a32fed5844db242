"""How every command finds its settings: the --config option and what it is read into."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from staffbot import log, plugins
from staffbot.config import load
from staffbot.settings import Settings

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

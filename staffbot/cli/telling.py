"""`staffbot digest --dry-run`: what the chat would be told, on the terminal. Writes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from staffbot.cli.settings import DEFAULT, NOTHING_YET, Config, looking
from staffbot.desk import digests
from staffbot.errors import ConfigError


def digest(
    config: Config = DEFAULT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show it. The bot itself sends the real one.")
    ] = False,
    team: Annotated[str, typer.Option(help="Only of this team.")] = "",
) -> None:
    """Show what the daily digest would say now."""
    if not dry_run:
        raise ConfigError.at(
            "staffbot digest", "the bot sends the digest by itself; this only shows it.",
            "staffbot digest --dry-run",
        )  # fmt: skip
    with looking(config) as desk:
        if desk is None:
            typer.echo(NOTHING_YET)
            return
        keys = [known.key for known in desk.settings.teams]
        if team and team not in keys:
            raise ConfigError.at("--team", f"there is no team {team}.", ", ".join(keys))
        for known in desk.settings.teams:
            if team in ("", known.key):
                typer.echo(desk.look(digests.preview, known).plain())
                typer.echo()

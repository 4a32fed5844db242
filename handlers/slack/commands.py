"""`staffbot slack ...`: the manifest of the app. Reads of the configuration what a manifest needs,
since the tokens that a whole configuration needs come only from an app that was made with it.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from handlers.slack.manifest import Wanted, manifest
from staffbot.errors import ConfigError

COMMAND = re.compile(r"[a-z0-9_-]{1,31}")  # Slack counts the slash too

app = typer.Typer(help="Slack: make the app.", no_args_is_help=True)


@app.callback()
def _slack() -> None:
    """Slack: make the app."""


@app.command("manifest")
def print_manifest(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration, if there is one yet.")
    ] = Path("config.toml"),
    http: Annotated[
        str,
        typer.Option(metavar="URL", help="Your public address, for HTTP mode; else Socket Mode."),
    ] = "",
    name: Annotated[str, typer.Option(help="How the app is called in Slack.")] = "staffbot",
) -> None:
    """Print the manifest to paste at api.slack.com/apps, Create New App, From a manifest."""
    if http and not http.startswith("https://"):
        raise ConfigError.at("--http", "has to begin with https://.", "https://bot.example.org")
    found = _read(config)
    table = found.get("slack")
    group = bool(table.get("managers_group")) if isinstance(table, dict) else False
    root = found.get("root", "lib")
    if not isinstance(root, str) or not COMMAND.fullmatch(root):
        said = "has to be up to 31 small letters, digits, dashes or underscores, as Slack's commands are."
        raise ConfigError.at("root", said, 'root = "lib"')
    wanted = Wanted(
        name=name,
        root=root,
        http=http,
        managers_group=group,
    )
    typer.echo(json.dumps(manifest(wanted), indent=2, ensure_ascii=False))


def _read(config: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ConfigError.at(str(config), f"cannot be read ({problem}).") from problem

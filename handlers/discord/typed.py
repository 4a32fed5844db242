"""`staffbot discord invite`: the address that adds staffbot to a server. Asks nobody anything."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from handlers.discord.permissions import NEEDED, invite_url

app = typer.Typer(help="Discord: add staffbot to a server.")


@app.callback()
def _named() -> None:
    """With one command only, typer would take its name away."""


@app.command()
def invite(
    application: Annotated[
        str, typer.Argument(help="The application's id; left out, it is read from DISCORD_TOKEN.")
    ] = "",
    server: Annotated[str, typer.Option(help="The id of the server to add it to.")] = "",
) -> None:
    """Print the address that adds staffbot to a server, and why it needs each permission."""
    application = application or application_of(token_of(os.environ))
    if not application.isdigit():
        typer.echo(
            "Which application? Give its id (General Information page), or set DISCORD_TOKEN.",
            err=True,
        )
        raise typer.Exit(2)
    typer.echo(invite_url(application, server))
    typer.echo("\nOpen it as somebody who may manage the server. It asks for:")
    for one in NEEDED:
        typer.echo(f"  {one.name}: {one.why}")
    typer.echo("It asks for no privileged intent: leave those switches off.")


def token_of(environ: Any) -> str:
    """The token from the environment, or from the file that it names."""
    named = environ.get("DISCORD_TOKEN_FILE", "")
    if named and not environ.get("DISCORD_TOKEN"):
        try:
            return Path(named).read_text(encoding="utf-8").strip()
        except OSError:
            return ""
    return str(environ.get("DISCORD_TOKEN", "")).strip()


def application_of(token: str) -> str:
    """A token begins with the application's id."""
    first = token.split(".")[0]
    try:
        id = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
    return id if id.isdigit() else ""

"""`staffbot discord ...`: the invite address, and a round trip of one button. Knows no desk."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
from pathlib import Path
from typing import Annotated, Any

import discord
import typer

from handlers.discord.answering import PING
from handlers.discord.controls import custom_id
from handlers.discord.permissions import NEEDED, invite_url

app = typer.Typer(help="Discord: add staffbot to a server, and try whether it hears you.")

_WITHIN_SECONDS = 120.0
NO_TOKEN = "Set DISCORD_TOKEN (or DISCORD_TOKEN_FILE) to the bot's token first."


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


@app.command()
def ping(
    user: Annotated[str, typer.Argument(help="Your own id: Developer Mode, Copy User ID.")],
) -> None:
    """Send one person a button and wait until they press it."""
    token = token_of(os.environ)
    if not token or not user.isdigit():
        typer.echo(NO_TOKEN if not token else f"“{user}” is no id of Discord's.", err=True)
        raise typer.Exit(2)
    said = asyncio.run(round_trip(token, int(user)))
    typer.echo(said or "The press came back: Discord and staffbot hear each other.")
    if said:
        raise typer.Exit(1)


async def round_trip(token: str, user: int, within: float = _WITHIN_SECONDS) -> str:
    """Nothing where the press came back, else what went wrong."""
    client = _Pinging(user)
    try:
        async with asyncio.timeout(within):
            life = asyncio.create_task(client.start(token))
            pressed = asyncio.create_task(client.pressed.wait())
            await asyncio.wait({life, pressed}, return_when=asyncio.FIRST_COMPLETED)
            pressed.cancel()
            if life.done():
                life.result()
            life.cancel()
            return client.problem
    except TimeoutError:
        return f"Nobody pressed the button within {within:.0f} seconds, or Discord did not say so."
    except discord.LoginFailure:
        return "Discord does not know the token: make a new one on the Bot page."
    except (discord.DiscordException, OSError) as problem:
        return f"Discord cannot be used ({type(problem).__name__})."
    finally:
        await client.close()


class _Pinging(discord.Client):
    def __init__(self, person: int) -> None:
        super().__init__(
            intents=discord.Intents.none(),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.1,
        )
        self._person = person
        self.pressed = asyncio.Event()
        self.problem = ""

    async def on_ready(self) -> None:
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            label="Press me", custom_id=custom_id("b1", PING, None, "")
        )
        view = discord.ui.View(timeout=None)
        view.add_item(button)
        view.stop()
        try:
            person = await self.create_dm(discord.Object(self._person))
            await person.send("staffbot asks: does this button come back?", view=view)
        except discord.HTTPException as problem:
            self.problem = (
                "Discord did not deliver the message "
                f"({problem.code}): do you share a server, and are your direct messages open?"
            )
            self.pressed.set()

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.edit_message(content="Thank you: it came back.", view=None)
        self.pressed.set()


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

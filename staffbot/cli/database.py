"""`staffbot migrate`, `backup` and `resend`: what is done to the database from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from staffbot.cli.settings import DEFAULT, Config, looking, settings_of
from staffbot.desk import posted, resending
from staffbot.errors import StoreError
from staffbot.settings import Settings
from staffbot.store import HEAD, Store
from staffbot.words import count


def migrate(config: Config = DEFAULT) -> None:
    """Bring the database to the form that this version of staffbot needs."""
    settings = settings_of(config)
    store = Store.open(settings.store.url.value)
    try:
        store.hold()
        done = store.migrate()
    finally:
        store.close()
    said = f"The database is at version {HEAD} now." if done else "The database needs nothing."
    typer.echo(said)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")],
    config: Config = DEFAULT,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Copy the database while the bot runs, and the identity key beside it."""
    settings = settings_of(config)
    key = key_beside(file)
    for target in (file, key):
        if target.exists() and not overwrite:
            raise StoreError(f"{target} is there already; name another file or add --overwrite")
    store = Store.open(settings.store.url.value)
    try:
        store.check_version()
        _copy(store, file)
        copy_key(settings, key)
    except OSError as problem:
        raise StoreError(f"cannot write {file}: {problem.strerror}") from problem
    finally:
        store.close()
    typer.echo(
        f"Copied to {file}, and the identity key to {key}. Keep both, and keep them private."
    )


def resend(
    mention: Annotated[
        int | None, typer.Argument(metavar="[MENTION]", help="Only the posts about this mention.")
    ] = None,
    config: Config = DEFAULT,
) -> None:
    """Let the bot try again what it gave up to deliver, once the cause is mended."""
    with looking(config) as desk:
        given_up = desk.look(posted.parked, mention) if desk is not None else ()
        if desk is not None and given_up:
            desk.act(resending.again, mention)
    if desk is None or not given_up:
        typer.echo("Nothing was given up, so nothing is sent again.")
        return
    # The bot that runs looks each second, so nothing has to be told to it.
    root = desk.settings.root
    typer.echo(
        f"{count(len(given_up), 'post')} tried again. /{root} health names what fails again."
    )


def _copy(store: Store, file: Path) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Copying the database", total=None)
        store.backup(file, lambda done, all_: progress.update(task, completed=done, total=all_))


def key_beside(file: Path) -> Path:
    """Where the identity key of a backup lies: without it every mention would come in again."""
    return file.with_name(f"{file.name}.identity.key")


def copy_key(settings: Settings, target: Path) -> None:
    """Write the key that the settings use, wherever it came from."""
    target.touch(mode=0o600)
    target.write_text(settings.store.identity_key.value + "\n", encoding="ascii")

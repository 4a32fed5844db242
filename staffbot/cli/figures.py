"""`staffbot stats` and `staffbot export`: figures and events at a terminal or in a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from staffbot.cli.settings import DEFAULT, NOTHING_YET, Config, holds_anything, settings_of
from staffbot.errors import StaffbotError, StoreError
from staffbot.messages import Chart, File, Message
from staffbot.model import system_clock
from staffbot.settings import PerPerson, Settings
from staffbot.stats import By, asked
from staffbot.stats.export import HEADER, amount, exported
from staffbot.stats.question import EXAMPLE, Question, parse
from staffbot.stats.table import BOM, Cell, written
from staffbot.store import Store

_PIECE = 2_000
What = Annotated[
    list[str] | None,
    typer.Argument(metavar="WHAT", help=f"Days and groups as in chat: {EXAMPLE}."),
]
To = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Instead of the terminal.")
]
Bom = Annotated[
    bool,
    typer.Option(help="Begin with the mark by which spreadsheets know UTF-8."),
]


def stats(
    what: What = None,
    config: Config = DEFAULT,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the figures as CSV as well.")
    ] = None,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw a chart (PNG) as well.")
    ] = None,
    bom: Bom = True,
) -> None:
    """Print the figures that /lib stats shows."""
    settings = settings_of(config)
    text = " ".join([*(what or []), "csv" if csv else "", "chart" if chart else ""])
    question = _question(text, settings)
    if question.me:
        raise StaffbotError("`me` is for chat, where it is known who asks; leave it out here")
    if question.by is By.PERSON and settings.figures_by_person is PerPerson.NOBODY:
        raise StaffbotError('figures by person are off: figures_by_person = "nobody"')
    now = system_clock()
    with _opened(settings) as store:
        if store is None:
            typer.echo(NOTHING_YET)
            return
        message = store.read(lambda conn: asked.message(conn, settings, question, now=now, bom=bom))
    typer.echo(message.plain())
    _keep(message, csv, chart)


def export(
    what: What = None,
    config: Config = DEFAULT,
    output: To = None,
    bom: Bom = True,
) -> None:
    """Write every event of some days as CSV, without a patron's words: `staffbot export 2026`."""
    settings = settings_of(config)
    question = _question(" ".join(what or ["3650d"]), settings)
    start, end = question.stretch.start, question.stretch.end
    # All of them also means a team that is no longer configured.
    teams = () if set(question.teams) == {team.key for team in settings.teams} else question.teams
    head = (BOM if bom else "") + written([HEADER])
    with _opened(settings) as store, _target(output) as out, _progress() as progress:
        out.write(head)
        if store is None:
            typer.echo(NOTHING_YET, err=True)
            return
        total = store.read(lambda conn: amount(conn, start, end, teams))
        task = progress.add_task("Events", total=total)

        def said(lines: int) -> None:
            progress.advance(task, lines)

        store.read(lambda conn: _copy(exported(conn, settings, start, end, teams), out, said))


def _copy(lines: Iterator[tuple[Cell, ...]], out: IO[str], said: Callable[[int], None]) -> None:
    while piece := list(islice(lines, _PIECE)):
        out.write(written(piece))
        said(len(piece))


def _question(text: str, settings: Settings) -> Question:
    teams = tuple(team.key for team in settings.teams)
    return parse(text, settings=settings, teams=teams, now=system_clock())


@contextmanager
def _opened(settings: Settings) -> Iterator[Store | None]:
    """The database, also while the bot runs; None where the bot never did."""
    store = Store.open(settings.store.url.value)
    try:
        yield store if holds_anything(store) else None
    finally:
        store.close()


@contextmanager
def _target(output: str | None) -> Iterator[IO[str]]:
    """The terminal, or a file that only its owner may read."""
    if output in (None, "-"):
        yield sys.stdout
        return
    path = Path(output or "")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as problem:
        raise StoreError(f"cannot write {path}: {problem.strerror}") from problem


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _keep(message: Message, csv: Path | None, chart: Path | None) -> None:
    for part in message.parts:
        match part:
            case File() if csv:
                _write(csv, part.content)
            case Chart() if chart:
                _write(chart, part.png)
            case _:
                pass


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as problem:
        raise StoreError(f"cannot write {path}: {problem.strerror}") from problem
    typer.echo(f"Written: {path}", err=True)

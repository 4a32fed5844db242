"""The command line: every command of `staffbot`, and how its errors are said. Decides nothing.

running    run and demo              checking     check, with --data
database   migrate, backup, resend   foretelling  check --route
beginning  init                      links        check's look at the services' links
telling    digest                    figures      stats and export
settings   how every command finds its settings
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from staffbot import log, plugins
from staffbot.cli import beginning, checking, database, figures, running, telling
from staffbot.errors import ConfigError, StaffbotError

# A usage error, a wrong configuration and a database that cannot be used: a person has to act.
FAILED = 2
# Nothing that a person at the library could put right.
FAULT = 70

app = typer.Typer(
    help="A chat bot for library staff: every mention of the library becomes one card.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("run")(running.run)
app.command("demo")(running.demo)
app.command("init")(beginning.init)
app.command("check")(checking.check)
app.command("migrate")(database.migrate)
app.command("backup")(database.backup)
app.command("resend")(database.resend)
app.command("stats")(figures.stats)
app.command("export")(figures.export)
app.command("digest")(telling.digest)


def main(arguments: Sequence[str] | None = None) -> None:
    """What the `staffbot` command starts."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _add_door(given[:1])
        app(given, prog_name="staffbot")
    except StaffbotError as problem:
        for line in said(problem):
            typer.echo(line, err=True)
        sys.exit(FAILED)
    except Exception as problem:
        # Its own text may hold what it was reading, so only its kind and place are told.
        where = " > ".join(log.places(problem)[-3:])
        typer.echo(f"staffbot: a fault of staffbot's own: {log.kind_of(problem)}", err=True)
        typer.echo(f"  at {where}", err=True)
        typer.echo(
            "  Please report it with these three lines; they hold no private words.", err=True
        )
        sys.exit(FAULT)


def said(problem: StaffbotError) -> list[str]:
    """An error as lines for a person: one sentence, or everything that is wrong in the settings."""
    if not isinstance(problem, ConfigError) or len(problem.problems) == 1:
        return [f"staffbot: {problem}"]
    heading = f"staffbot: {len(problem.problems)} things in the configuration are not right:"
    return [heading, *(f"  - {one}" for one in problem.problems)]


def _add_door(first: Sequence[str]) -> None:
    """A platform's own commands, loaded only where its name is the first word."""
    doors = plugins.doors()
    for name in first:
        if name in doors and doors[name].commands is not None:
            app.add_typer(doors[name].commands, name=name)

"""`staffbot init`: asks a few questions, or takes flags, and writes a first config.toml."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from staffbot.errors import ConfigError, Problem
from staffbot.starter import config_text, next_question, variables, wrong_answers


def _flag(help_: str) -> Any:
    return typer.Option(help=help_, show_default=False)


Answer = str | None


def init(
    file: Annotated[Path, typer.Option("--config", "-c", metavar="FILE")] = Path("config.toml"),
    library: Annotated[Answer, _flag("What the library is called.")] = None,
    zone: Annotated[Answer, _flag("Its time zone, as Europe/Berlin.")] = None,
    hours: Annotated[Answer, _flag("When the doors are open, as Mo-Fr 09:00-18:00.")] = None,
    country: Annotated[Answer, _flag("Whose public holidays count, as US or DE.")] = None,
    teams: Annotated[Answer, _flag("Names with commas between; nothing for one team.")] = None,
    platform: Annotated[Answer, _flag("Where the staff chat: local, slack or discord.")] = None,
    room: Annotated[list[str] | None, _flag("The channel's id; TEAM=ID for each team.")] = None,
    feeds: Annotated[Answer, _flag("Addresses of feeds, with spaces between.")] = None,
    webhook: Annotated[bool | None, _flag("Whether something sends to a webhook.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, take defaults.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented config.toml for your library. Asks for what no flag says."""
    if file.exists() and not overwrite:
        raise ConfigError.at(str(file), "is there already.", "staffbot init --overwrite")
    given = {
        "library": library, "zone": zone, "hours": hours, "country": country, "teams": teams,
        "platform": platform, "feeds": feeds,
        "webhook": None if webhook is None else "yes" if webhook else "no",
    }  # fmt: skip
    answers = {name: answer for name, answer in given.items() if answer is not None}
    answers |= _rooms(room or [])
    _refuse(wrong_answers(answers))
    if not yes and sys.stdin.isatty():
        _ask(answers)
    _write(file, config_text(answers))
    typer.echo(f"Wrote {file}.")
    for name in variables(answers):
        typer.echo(f"It needs the environment variable {name}; the file says how to make one.")
    typer.echo(f"Next: staffbot check --config {file}, then staffbot run --config {file}")


def _rooms(said: list[str]) -> dict[str, str]:
    pairs = (room.partition("=") for room in said)
    return {f"room-{key}" if is_ else "room": id_ if is_ else key for key, is_, id_ in pairs}


def _refuse(wrong: dict[str, str]) -> None:
    if wrong:
        raise ConfigError([Problem(path=f"--{name}", reason=said) for name, said in wrong.items()])


def _ask(answers: dict[str, str]) -> None:
    while question := next_question(answers):
        options = f" ({'/'.join(question.options)})" if question.options else ""
        answer = question.meant(typer.prompt(question.asks + options, default=question.default))
        if reason := question.wrong(answer):
            typer.echo(f"That {reason}" if reason[:1].islower() else reason, err=True)
        else:
            answers[question.name] = answer


def _write(file: Path, text: str) -> None:
    half = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(file)
    except OSError as problem:
        half.unlink(missing_ok=True)
        raise ConfigError.at(str(file), f"cannot be written: {problem.strerror}.") from problem

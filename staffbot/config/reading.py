"""Reads a TOML file; knows nothing of what should stand in it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from staffbot.errors import ConfigError


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file, or a ConfigError that says where it cannot be read."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError.at(str(path), "There is no such file.", "staffbot init") from None
    except IsADirectoryError:
        raise ConfigError.at(
            str(path), "is a folder; the configuration is a file.", f"--config {path}/config.toml"
        ) from None
    except OSError as problem:
        reason = (problem.strerror or "unknown reason").lower()
        raise ConfigError.at(str(path), f"cannot be read: {reason}.") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError.at(str(path), "is saved as UTF-16. Save it as UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise ConfigError.at(
            f"{path}, line {line}", "has a letter that is not UTF-8. Save the file as UTF-8."
        ) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise _broken(path, text, str(problem)) from None
    except RecursionError:
        raise ConfigError.at(str(path), "has lists or tables nested too deeply.") from None


def _broken(path: Path, text: str, said: str) -> ConfigError:
    at = re.search(r"\(at line (\d+), column (\d+)\)$", said)
    reason = re.sub(r" \(at [^()]*\)$", "", said)
    if at:
        line, column = int(at[1]), int(at[2])
    else:
        lines = text.split("\n")
        line, column = len(lines), len(lines[-1]) + 1
    lines = text.split("\n")
    said = _plainer(reason, lines[line - 1] if line <= len(lines) else "")
    return ConfigError.at(
        f"{path}, line {line}, column {column}",
        f"The file is broken here: {said or reason[:1].lower() + reason[1:]}.",
        'library = "Riverside Library"',
    )


# Of “smart” quotation marks.
_CURLY = re.compile("[=\\[,]\\s*[\u201c\u201d\u201e\u201f\u2018\u2019\u00ab\u00bb]")
_BARE_WORD = re.compile(r"[=\[,]\s*[^\W\d_]")


def _plainer(reason: str, line: str) -> str:
    """The slips of who writes no TOML every day, in plainer words than the parser's own."""
    said = reason.lower()
    if said.startswith("illegal character '\\"):
        return "a quotation mark is missing at the end of this line"
    if said.startswith("cannot declare"):
        return "this heading is in the file twice; write its settings under one of them"
    if said.startswith(("cannot overwrite a value", "duplicate")):
        return "this setting is given twice"
    if said.startswith("invalid value"):
        if _CURLY.search(line):
            return "its quotation marks are curly; it needs straight ones"
        if _BARE_WORD.search(line):
            return "text needs quotation marks around it"
    return ""

"""Values and paths as TOML writes them, for examples and for the file that `init` makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from staffbot.config.values import show_duration


def toml(value: object) -> str:
    """A value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case date():
            return value.isoformat()
        case timedelta():
            return f'"{show_duration(value)}"'
        case Mapping():
            pairs = ", ".join(f"{toml_key(key)} = {toml(item)}" for key, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case str():
            return '"' + "".join(_escaped(letter) for letter in value) + '"'
        case Iterable():
            return "[" + ", ".join(toml(item) for item in value) + "]"
        case _:
            return toml(str(value))


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"


def toml_key(key: str) -> str:
    """A key as TOML writes it: bare where it can be."""
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else toml(key)


def joined(path: str, *steps: str | int) -> str:
    """`teams.adult` and `rooms`, 0, `id` as `teams.adult.rooms[0].id`."""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else ("." if path else "") + toml_key(step)
    return path

"""Sources and doors in the file: what all of them have, and what each type adds of its own.

Knows no type by itself: a network or door is taken out of its mapping where the file names it,
and only then, since taking it out imports its SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from staffbot import settings
from staffbot.config.problems import Problems, keys_of
from staffbot.config.tables import SourceTable
from staffbot.config.values import suggestion
from staffbot.config.writing import joined
from staffbot.errors import ConfigError
from staffbot.seams import Door, Network

P = TypeVar("P")

_COMMON = tuple(SourceTable.model_fields)


def source_names(raw: object) -> tuple[str, ...]:
    """What sources are called in the file, right or wrong in all else: a route may name them."""
    tables = raw if isinstance(raw, list) else []
    names = (table.get("name") for table in tables if isinstance(table, dict))
    return tuple(name for name in names if isinstance(name, str))


def sources(
    raw: object, networks: Mapping[str, Network], problems: Problems
) -> tuple[settings.SourceSettings, ...]:
    """Every `[[sources]]` entry, with the options of its own type at the same level."""
    found = []
    seen: dict[str, str] = {}
    for path, table in problems.tables(raw, "sources"):
        source = _source(table, path, networks, problems)
        name = table.get("name")
        before = seen.setdefault(name, path) if isinstance(name, str) and name else path
        if before != path:
            problems.add(joined(path, "name"), f"is the name of {before} too.")
        if source is not None:
            found.append(source)
    return tuple(found)


def _source(
    raw: Mapping[str, Any], path: str, networks: Mapping[str, Network], problems: Problems
) -> settings.SourceSettings | None:
    kind = raw.get("type")
    network: Network | None = None
    if isinstance(kind, str) and kind:
        network = _plugin(networks, kind, joined(path, "type"), "type of source", problems)
    if network is None:
        # Whatever is not common may be an option of the type that is not known.
        known = {key: value for key, value in raw.items() if key in _COMMON}
        problems.read(SourceTable, known, path)
        return None
    own = [name for name in keys_of(network.options) if name not in _COMMON]
    common = problems.read(SourceTable, raw, path, beside=own)
    rest = {key: value for key, value in raw.items() if key in own}
    options = problems.read(network.options, rest, path)
    if common is None or options is None:
        return None
    return settings.SourceSettings(**common.values(), options=options)


def door(
    name: str, raw: object, doors: Mapping[str, Door], problems: Problems
) -> settings.DoorSettings | None:
    """The table of a chat platform, in the door's own options."""
    table = problems.table(raw, name)
    found = _plugin(doors, name, name, "chat platform", problems)
    if found is None:
        return None
    options = problems.read(found.options, table, name)
    return None if options is None else settings.DoorSettings(platform=name, options=options)


def _plugin(
    plugins: Mapping[str, P], name: str, path: str, what: str, problems: Problems
) -> P | None:
    if name not in plugins:
        hint = suggestion(name, plugins) or f" Installed: {', '.join(sorted(plugins)) or 'none'}."
        problems.add(path, f"is not a {what} that is installed.{hint}")
        return None
    try:
        return plugins[name]
    except ConfigError as broken:
        for problem in broken.problems:
            problems.add(path, problem.reason, problem.example)
        return None

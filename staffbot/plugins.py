"""Finds doors and networks by entry point, and loads one when the configuration names it.

Knows no door and no network by itself. A mapping's keys are what is installed; taking a value out
imports it, so a library on Slack alone never imports discord.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from staffbot.errors import ConfigError
from staffbot.seams import Door, Network

P = TypeVar("P", bound=Door | Network)

DOORS = "staffbot.handlers"
NETWORKS = "staffbot.sources"


class Plugins(Mapping[str, P], Generic[P]):
    """What is installed under one group, by name; each is loaded once, when it is taken out.

    Taking one out raises ConfigError where it cannot be loaded or is not of the right kind.
    """

    def __init__(self, points: Iterable[EntryPoint], kind: type[P]) -> None:
        self._kind: type[P] = kind
        self._points: dict[str, list[EntryPoint]] = {}
        for point in points:
            same = self._points.setdefault(point.name, [])
            if point.value not in (other.value for other in same):
                same.append(point)
        self._loaded: dict[str, P] = {}

    def __getitem__(self, name: str) -> P:
        if name not in self._loaded:
            self._loaded[name] = self._load(name, self._points[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._points

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)

    def _load(self, name: str, points: list[EntryPoint]) -> P:
        point = points[0]
        if len(points) > 1:
            both = " and ".join(sorted(point.value for point in points))
            raise ConfigError.at(name, f"is brought by two packages ({both}); uninstall one.")
        try:
            found = point.load()
        except ModuleNotFoundError as missing:
            raise ConfigError.at(
                name,
                f"needs the Python module {missing.name}, which is not installed.",
                f"pip install 'staffbot[{name}]'",
            ) from missing
        except Exception as broken:
            raise ConfigError.at(
                name, f"cannot be loaded from {point.value} ({type(broken).__name__}: {broken})."
            ) from broken
        if not isinstance(found, self._kind):
            raise ConfigError.at(
                name, f"cannot be used: {point.value} is no {self._kind.__name__}."
            )
        called = found.platform if isinstance(found, Door) else found.type
        if called != name:
            raise ConfigError.at(name, f"cannot be used: {point.value} calls itself {called}.")
        return found


def doors(points: Iterable[EntryPoint] | None = None) -> Plugins[Door]:
    """Every chat platform that is installed; `points` are those of the machine if not given."""
    return Plugins(entry_points(group=DOORS) if points is None else points, Door)


def networks(points: Iterable[EntryPoint] | None = None) -> Plugins[Network]:
    """Every kind of source that is installed; `points` are those of the machine if not given."""
    return Plugins(entry_points(group=NETWORKS) if points is None else points, Network)

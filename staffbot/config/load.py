"""One TOML file and the environment -> Settings, or a refusal that names everything wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from staffbot import settings
from staffbot.config.environment import secret
from staffbot.config.machine import Machine
from staffbot.config.plugged import door, source_names, sources
from staffbot.config.problems import Problems
from staffbot.config.reading import read_toml
from staffbot.config.references import routes, services, staff
from staffbot.config.tables import (
    TEAM_LISTS,
    TEAM_TABLES,
    DeliveryTable,
    HealthTable,
    MetricsTable,
    NetworkTable,
    PublicTable,
    RepliesTable,
    StoreTable,
    StormTable,
    Table,
    TeamTable,
    TopTable,
)
from staffbot.config.teams import ONE_TEAM, teams
from staffbot.seams import Door, Network

T = TypeVar("T", bound=Table)

SECTIONS: Mapping[str, type[Table]] = {
    "network": NetworkTable,
    "store": StoreTable,
    "public": PublicTable,
    "metrics": MetricsTable,
    "delivery": DeliveryTable,
    "storm": StormTable,
    "health": HealthTable,
    "replies": RepliesTable,
}
KNOWN = (
    *TopTable.model_fields,
    *TeamTable.model_fields,
    *TEAM_TABLES,
    *TEAM_LISTS,
    *SECTIONS,
    "teams",
    "routes",
    "staff",
    "sources",
    "services",
)


def load(
    path: Path,
    environ: Mapping[str, str],
    networks: Mapping[str, Network],
    doors: Mapping[str, Door],
) -> settings.Settings:
    """The settings of the file at `path`. Raises ConfigError with every problem found.

    A network or door is taken out of its mapping only where the file names it. Relative paths in
    the file are relative to the file. For SQLite, a missing `identity.key` is made in `data`.
    """
    raw = read_toml(path)
    folder = path.absolute().parent
    problems = Problems(secret(environ, folder))
    plugged = [key for key in raw if key in doors and key not in KNOWN]
    # A platform that is not installed is told apart from a wrong key, and may be named by rooms.
    problems.unknown(raw, [*KNOWN, *sorted(doors)], "")

    top = problems.read(TopTable, _only(raw, TopTable), "")
    names = source_names(raw.get("sources"))
    keys = _team_keys(raw)
    made: dict[str, Any] = {
        "teams": teams(raw, top.library if top else "", names, plugged, problems),
        "routes": routes(raw.get("routes", []), keys, names, problems),
        "staff": staff(raw.get("staff", []), keys, plugged, names, problems),
        "services": services(raw.get("services", []), problems),
        "replies": settings.ReplySettings(**_section(raw, "replies", RepliesTable, problems)),
        "sources": sources(raw.get("sources", []), networks, problems),
        "doors": tuple(door(name, raw[name], doors, problems) for name in plugged),
        "public": settings.Listener(**_section(raw, "public", PublicTable, problems)),
        "metrics": settings.Listener(**_section(raw, "metrics", MetricsTable, problems)),
        "delivery": settings.Delivery(**_section(raw, "delivery", DeliveryTable, problems)),
        "storm": settings.Storm(**_section(raw, "storm", StormTable, problems)),
        "health": settings.Health(**_section(raw, "health", HealthTable, problems)),
    }
    _check_ports(made["public"], made["metrics"], problems)
    machine = Machine(folder, environ, problems)
    data = folder / (top.data if top else "data")
    made["network"] = machine.network(_table(raw, "network", NetworkTable, problems))
    store = _table(raw, "store", StoreTable, problems)
    url, database = machine.store(store, data)
    key = machine.identity_key(store.identity_key, data, database)
    if problems or top is None or key is None:
        raise problems.error()
    made["store"] = settings.StoreSettings(url=url, identity_key=key)
    return settings.Settings(**{**top.values(), "data": data}, **made)


def _only(raw: Mapping[str, Any], model: type[Table]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key in model.model_fields}


def _table(raw: Mapping[str, Any], name: str, model: type[T], problems: Problems) -> T:
    """The table of that name; one of defaults where it is left out or wrong."""
    table = problems.read(model, problems.table(raw.get(name, {}), name), name)
    return model() if table is None else table


def _section(
    raw: Mapping[str, Any], name: str, model: type[Table], problems: Problems
) -> dict[str, Any]:
    return _table(raw, name, model, problems).values()


def _team_keys(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """The teams that routes and staff may name, right or wrong in all else."""
    named = raw.get("teams")
    if named is None:
        return (ONE_TEAM,)
    return tuple(named) if isinstance(named, dict) else ()


def _check_ports(public: settings.Listener, metrics: settings.Listener, problems: Problems) -> None:
    # Port 0 is a free port of the system's choice, so two of them never meet.
    told = problems.under("public.port") or problems.under("metrics.port")
    if public.port and public.port == metrics.port and not told:
        problems.add("metrics.port", "is the port of [public] too.", f"port = {public.port + 1}")

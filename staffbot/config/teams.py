"""Teams: the one at the top of the file, or several that inherit what stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from staffbot import settings
from staffbot.config.problems import Problems
from staffbot.config.references import check_named, check_platform
from staffbot.config.tables import (
    TEAM_LISTS,
    TEAM_TABLES,
    DigestTable,
    HoursTable,
    NaggingTable,
    NamedTeamTable,
    RoomTable,
    TargetTable,
    TeamTable,
)  # fmt: skip
from staffbot.config.values import Key
from staffbot.config.writing import joined
from staffbot.hours import check_holidays
from staffbot.model import Room

# The key of the one team of a file without [teams].
ONE_TEAM = "team"

T = TypeVar("T", HoursTable, NaggingTable, DigestTable)
_KEY: TypeAdapter[str] = TypeAdapter(Key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What the file says at one place about a team; lists are None where they are left out."""

    path: str
    top: TeamTable
    hours: HoursTable
    nagging: NaggingTable
    digest: DigestTable
    targets: list[tuple[str, TargetTable]] | None
    rooms: list[tuple[str, RoomTable]]


def teams(
    raw: Mapping[str, Any],
    library: str,
    sources: Sequence[str],
    platforms: Sequence[str],
    problems: Problems,
) -> tuple[settings.Team, ...]:
    """Every team of the file, checked against its sources and platforms."""
    at_top = (*TeamTable.model_fields, *TEAM_TABLES, *TEAM_LISTS)
    shared = _said({key: raw[key] for key in at_top if key in raw}, "", TeamTable, problems)
    _check(shared, sources, problems)
    taken: dict[Room, str] = {}
    if "teams" not in raw:
        _check_rooms(shared, platforms, taken, problems)
        return (_team(ONE_TEAM, library, shared),)
    if raw.get("rooms"):
        problems.add(
            "rooms",
            "cannot stand at the top of a file with several teams: each team has rooms of its own.",
            "[[teams.adult.rooms]]",
        )
    named = problems.table(raw["teams"], "teams")
    if not named:
        problems.add("teams", "names no team.", "[teams.adult]")
    found = []
    for key, team_raw in named.items():
        path = joined("teams", key)
        _check_key(key, path, problems)
        own = _said(problems.table(team_raw, path), path, NamedTeamTable, problems)
        whole = _inherited(shared, own)
        _check(whole, sources, problems)
        _check_rooms(whole, platforms, taken, problems)
        name = getattr(own.top, "name", "")
        found.append(_team(key, name or _spoken(key), whole))
    return tuple(found)


def _said(raw: Mapping[str, Any], path: str, model: type[TeamTable], problems: Problems) -> _Said:
    def table(name: str, kind: type[T]) -> T:
        here = joined(path, name)
        return problems.read(kind, problems.table(raw.get(name, {}), here), here) or kind()

    targets = None
    if "targets" in raw:
        targets = problems.items(TargetTable, raw["targets"], joined(path, "targets"))
    return _Said(
        path=path,
        top=problems.read(model, raw, path, beside=(*TEAM_TABLES, *TEAM_LISTS)) or model(),
        hours=table("hours", HoursTable),
        nagging=table("nagging", NaggingTable),
        digest=table("digest", DigestTable),
        targets=targets,
        rooms=problems.items(RoomTable, raw.get("rooms", []), joined(path, "rooms")),
    )


def _inherited(shared: _Said, own: _Said) -> _Said:
    """What a team says, and for all else what is said above: tables key by key, lists as a whole."""

    def over(above: T, below: T) -> T:
        return above.model_copy(
            update={name: getattr(below, name) for name in below.model_fields_set}
        )

    return _Said(
        path=own.path,
        top=own.top if "when_closed" in own.top.model_fields_set else shared.top,
        hours=over(shared.hours, own.hours),
        nagging=over(shared.nagging, own.nagging),
        digest=over(shared.digest, own.digest),
        targets=shared.targets if own.targets is None else own.targets,
        rooms=own.rooms,
    )


def _team(key: str, name: str, said: _Said) -> settings.Team:
    targets = [target for _, target in said.targets or []]
    return settings.Team(
        key=key,
        name=name,
        rooms=tuple(
            settings.TeamRoom(
                room=_room(room), private=room.private, figures_only=room.figures_only
            )
            for _, room in said.rooms
        ),
        hours=settings.OpeningHours(**said.hours.values()),
        targets=tuple(settings.Target(**target.values()) for target in targets)
        or (settings.Target(),),
        nagging=settings.Nagging(**said.nagging.values()),
        digest=settings.DigestSettings(**said.digest.values()),
        when_closed=said.top.when_closed,
    )


def _room(table: RoomTable) -> Room:
    return Room(platform=table.platform, id=table.id)


def _spoken(key: str) -> str:
    return key.replace("_", " ").replace("-", " ").capitalize()


def _check_key(key: str, path: str, problems: Problems) -> None:
    try:
        _KEY.validate_python(key)
    except ValidationError as wrong:
        problems.add(path, f"The key {wrong.errors()[0]['ctx']['error']}", "[teams.adult]")


def _check(said: _Said, sources: Sequence[str], problems: Problems) -> None:
    """What has to fit together within one team."""
    nagging = said.nagging
    in_order = nagging.warn_at < nagging.overdue_at < nagging.manager_at
    if not in_order and not _is_told(
        said, "nagging", ("warn_at", "overdue_at", "manager_at"), problems
    ):
        problems.add(
            joined(said.path, "nagging"),
            "has steps out of order: warn_at comes before overdue_at, and that before manager_at.",
            "warn_at = 0.75, overdue_at = 1.0, manager_at = 1.5",
        )
    wrong = check_holidays(said.hours.country, said.hours.subdivision)
    if wrong and not _is_told(said, "hours", ("country", "subdivision"), problems):
        problems.add(joined(said.path, "hours", "country"), f"{wrong}.", 'country = "IE"')
    seen: dict[tuple[str, object], str] = {}
    for path, target in said.targets or []:
        if target.source:
            check_named(target.source, sources, joined(path, "source"), "source", problems)
        same = seen.setdefault((target.source, target.kind), path)
        if same != path:
            problems.add(
                path,
                f"is for the same source and kind as {same}; only one can count.",
                'kind = "review"',
            )


def _is_told(said: _Said, table: str, names: Sequence[str], problems: Problems) -> bool:
    """Whether one of these settings was found wrong already, here or where it is inherited from."""
    tables = [joined(path, table) for path in ("", said.path)]
    return any(problems.has(path) for path in tables) or any(
        problems.under(joined(path, name)) for path in tables for name in names
    )


def _check_rooms(
    said: _Said, platforms: Sequence[str], taken: dict[Room, str], problems: Problems
) -> None:
    """A team needs a room for its cards, on a platform that is set up, and shares it with none."""
    for path, room in said.rooms:
        if room.platform:
            check_platform(room.platform, platforms, joined(path, "platform"), problems)
        before = taken.setdefault(_room(room), path)
        if before != path and room.platform and room.id:
            problems.add(
                path,
                f"is the same room as {before}; a room belongs to one team, so that everyone in "
                "it knows whose it is.",
                'id = "C0123456789"',
            )
    rooms = joined(said.path, "rooms")
    if all(room.figures_only for _, room in said.rooms) and not problems.under(rooms):
        only = "only rooms for figures" if said.rooms else "no room"
        problems.add(
            rooms,
            f"The team has {only}, so nobody would see what patrons write.",
            f'[[{rooms}]] platform = "slack", id = "C0123456789"',
        )

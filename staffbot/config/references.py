"""Lists whose entries name each other or something else: routes, staff, services."""

from __future__ import annotations

from collections.abc import Sequence

from staffbot import settings
from staffbot.config.problems import Problems
from staffbot.config.tables import RouteTable, ServiceTable, StaffTable
from staffbot.config.values import suggestion
from staffbot.config.writing import joined


def check_platform(name: str, platforms: Sequence[str], path: str, problems: Problems) -> None:
    """A platform that something names has a table of its own."""
    if name not in platforms:
        hint = suggestion(name, platforms) or _there(platforms)
        problems.add(
            path, f"names a platform that has no table in this file.{hint}", f"[{name or 'slack'}]"
        )


def _there(platforms: Sequence[str]) -> str:
    return f" It has {', '.join(f'[{name}]' for name in platforms)}." if platforms else ""


def check_named(name: str, known: Sequence[str], path: str, what: str, problems: Problems) -> None:
    """A team or source that something names is in the file."""
    if name not in known:
        hint = suggestion(name, known)
        example = f'{what} = "{known[0]}"' if known else ""
        problems.add(path, f"names a {what} that is not in this file.{hint}", example)


def routes(
    raw: object, teams: Sequence[str], sources: Sequence[str], problems: Problems
) -> tuple[settings.Route, ...]:
    """The routing rules in order; a rule behind one that takes everything is a problem."""
    found: list[settings.Route] = []
    takes_all = ""
    for path, route in problems.items(RouteTable, raw, "routes"):
        if route.team:
            check_named(route.team, teams, joined(path, "team"), "team", problems)
        if route.source:
            check_named(route.source, sources, joined(path, "source"), "source", problems)
        if takes_all:
            problems.add(
                path,
                f"is never reached: {takes_all} has no condition and takes everything.",
                'keyword = "homework"',
            )
        elif route.model_fields_set <= {"team"} and not problems.under(path):
            takes_all = path
        found.append(settings.Route(**route.values()))
    return tuple(found)


def services(raw: object, problems: Problems) -> tuple[settings.Service, ...]:
    """The services that staff point patrons to, each with a name of its own."""
    found: list[settings.Service] = []
    by_name: dict[str, str] = {}
    for path, service in problems.items(ServiceTable, raw, "services"):
        before = by_name.setdefault(service.name.casefold() or path, path)
        if before != path:
            problems.add(joined(path, "name"), f"is the name of {before} too.")
        wrong = problems.under(joined(path, "link")) or problems.under(joined(path, "text"))
        if not service.link and not service.text and not wrong:
            problems.add(path, "has neither a link nor a text, so there is nothing to say of it.",
                         'link = "https://library.example.org/delivery"')  # fmt: skip
        found.append(settings.Service(**service.values()))
    return tuple(found)


def staff(
    raw: object,
    teams: Sequence[str],
    platforms: Sequence[str],
    sources: Sequence[str],
    problems: Problems,
) -> tuple[settings.StaffMember, ...]:
    """Who works here: keys are unique, and so is each id on its platform.

    An id may also be that of an account on a source's network: its answers are that person's then.
    """
    found: list[settings.StaffMember] = []
    by_key: dict[str, str] = {}
    by_id: dict[tuple[str, str], str] = {}
    for path, member in problems.items(StaffTable, raw, "staff"):
        before = by_key.setdefault(member.key or path, path)
        if before != path:
            problems.add(joined(path, "key"), f"is the key of {before} too.", 'key = "ana-silva"')
        for index, team in enumerate(member.teams):
            check_named(team, teams, joined(path, "teams", index), "team", problems)
        for platform, user in member.ids.items():
            here = joined(path, "ids", platform)
            if platform not in sources:
                check_platform(platform, platforms, here, problems)
            before = by_id.setdefault((platform, user), path)
            if before != path:
                problems.add(here, f"is the id of {before} too; one person is one [[staff]] entry.")
        chosen = member.preferred_platform
        known = chosen in member.ids or problems.under(joined(path, "ids"))
        if chosen and not (known and chosen in platforms):
            problems.add(
                joined(path, "preferred_platform"),
                "is a platform on which this person has no id under `ids`.",
                'ids = { slack = "U0123456789" }',
            )
        found.append(settings.StaffMember(**member.values()))
    return tuple(found)

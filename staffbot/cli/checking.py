"""`staffbot check`: says what would stop the bot, before it runs; --data holds the data to its laws."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from staffbot import plugins
from staffbot.cli.foretelling import foretell
from staffbot.cli.links import check_links
from staffbot.cli.settings import DEFAULT, Config, settings_of
from staffbot.desk import laws
from staffbot.desk.ledger import Desk
from staffbot.errors import StaffbotError, StoreError
from staffbot.model import Role, system_clock
from staffbot.seams import Finding
from staffbot.settings import Settings, StaffMember, Team
from staffbot.store import HEAD, Store, sqlite_file

NOT_WELL = 1
_WITHIN_SECONDS = 40.0


def check(
    config: Config = DEFAULT,
    data: Annotated[bool, typer.Option("--data", help="Also hold the data to its laws.")] = False,
    route: Annotated[
        str | None,
        typer.Option(
            metavar="URL-OR-TEXT", help="Only say where such a mention would go, and why."
        ),
    ] = None,
    source: Annotated[str, typer.Option(help="With --route: from which source.")] = "",
    kind: Annotated[str, typer.Option(help="With --route: of which kind, as comment.")] = "",
    ping: Annotated[
        str,
        typer.Option(
            metavar="USER",
            help="Also send this person a button and wait for their press: their id on the chat "
            "platform, as in discord:290926798626357999.",
        ),
    ] = "",
) -> None:
    """Look at configuration, database, chat platforms and sources, and say what is not well."""
    settings = settings_of(config)
    if route is not None:
        for line in foretell(settings, system_clock(), route, source=source, kind=kind):
            typer.echo(line)
        return
    findings = [_loaded(config, settings), *_database(settings, data)]
    findings += asyncio.run(_far(settings))
    if ping:
        typer.echo("waiting for the press of a button ...", err=True)
        findings.append(asyncio.run(_pinged(settings, ping)))
    for subject, said in _unreachable(settings):
        typer.echo(f"note     {subject}: {said}")
    for finding in findings:
        typer.echo(f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.subject}: {finding.said}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(NOT_WELL)


def _loaded(config: Path, settings: Settings) -> Finding:
    parts = [
        f"{len(settings.teams)} team{'s' * (len(settings.teams) != 1)}",
        f"{len(settings.doors)} chat platform{'s' * (len(settings.doors) != 1)}",
        f"{len(settings.sources)} source{'s' * (len(settings.sources) != 1)}",
    ]
    return Finding(ok=True, subject=str(config), said=f"can be used: {', '.join(parts)}")


# --- the database -------------------------------------------------------------------------------


def _database(settings: Settings, data: bool) -> Iterator[Finding]:
    file = sqlite_file(settings.store.url.value)
    subject = f"database {file}" if file else "database"
    if file is not None and not file.exists():
        yield Finding(ok=True, subject=subject, said="is made at the first run")
        return
    try:
        store = Store.open(settings.store.url.value)
        try:
            yield from _opened(settings, store, subject, data)
        finally:
            store.close()
    except StoreError as problem:
        yield Finding(ok=False, subject=subject, said=str(problem))


def _opened(settings: Settings, store: Store, subject: str, data: bool) -> Iterator[Finding]:
    with Console(stderr=True).status("Reading the database ..."):
        damage = store.damage()
    if damage:
        said = f"is damaged ({damage}): restore a backup"
        yield Finding(ok=False, subject=subject, said=said)
        return
    found = store.version()
    if store.sqlite and found is not None and found < HEAD:
        yield Finding(ok=True, subject=subject, said=f"is brought from {found} to {HEAD} at start")
        return
    if found is not None or not store.sqlite:
        store.check_version()
    yield Finding(ok=True, subject=subject, said=f"whole, version {found or 'none yet'}")
    if data and found == HEAD:
        yield from _lawful(settings, store)


def _lawful(settings: Settings, store: Store) -> Iterator[Finding]:
    with Console(stderr=True).status("Holding the data to its laws ..."):
        broken = Desk(store, settings, system_clock).look(laws.broken)
    for law in broken:
        where = "; ".join(law.where)
        yield Finding(ok=False, subject="data", said=f"it does not hold that {law.law}: {where}")
    if not broken:
        said = f"{len(laws.LAWS)} laws hold"
        yield Finding(ok=True, subject="data", said=said)


# --- people -------------------------------------------------------------------------------------


def _unreachable(settings: Settings) -> Iterator[tuple[str, str]]:
    """Where the manager step of a reminder could reach nobody: worth knowing, no reason to stop."""
    for team in settings.teams:
        if not any(_can_be_told(settings, team, member) for member in settings.staff):
            yield (
                f"team {team.name}",
                "nobody could be told when a mention stays overdue: give a [[staff]] entry "
                'the role "manager" or "deputy", and an id on a platform that is configured',
            )


def _can_be_told(settings: Settings, team: Team, member: StaffMember) -> bool:
    platforms = {door.platform for door in settings.doors}
    leads = member.role is Role.MANAGER or (
        member.role is Role.DEPUTY and team.key in (member.teams or (team.key,))
    )
    return leads and not member.shared and bool(platforms & set(member.ids))


# --- doors and sources --------------------------------------------------------------------------


async def _far(settings: Settings) -> list[Finding]:
    """Every door and source is asked at once; one that hangs is given up."""
    doors, networks = plugins.doors(), plugins.networks()
    asked = [
        (f"door {one.platform}", doors[one.platform].check(one, settings)) for one in settings.doors
    ] + [
        (f"source {one.name}", networks[one.type].check(one, settings.network))
        for one in settings.sources
    ]
    asked.append(("services", check_links(settings.services, settings.network)))
    answers = await asyncio.gather(*(_asked(subject, look) for subject, look in asked))
    return [finding for findings in answers for finding in findings]


async def _pinged(settings: Settings, ping: str) -> Finding:
    """A button to one person and back, on the platform that is named or the only one that can."""
    platform, _, user = ping.rpartition(":")
    doors = plugins.doors()
    can = [
        (one, look)
        for one in settings.doors
        if (look := doors[one.platform].ping) and platform in ("", one.platform)
    ]
    if len(can) != 1:
        said = "say on which configured platform, as in --ping discord:290926798626357999"
        return Finding(ok=False, subject="ping", said=said)
    door, look = can[0]
    return await look(door, settings, user)


async def _asked(subject: str, look: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(_WITHIN_SECONDS):
            return await look
    except TimeoutError:
        said = f"did not answer within {_WITHIN_SECONDS:.0f} seconds"
    except StaffbotError as problem:
        said = str(problem)
    except Exception as problem:
        said = f"could not be looked at ({type(problem).__name__})"
    return [Finding(ok=False, subject=subject, said=said)]

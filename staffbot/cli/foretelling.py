"""`staffbot check --route`: where a mention would go, with which clock, and why. Stores nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from pydantic import BaseModel

from staffbot import language
from staffbot.desk.newcomers import Way, way
from staffbot.errors import ConfigError
from staffbot.hours import Hours
from staffbot.model import IncomingMention, Kind, Patron
from staffbot.policy import clocks
from staffbot.settings import Route, Settings, SourceSettings, Team, WhenClosed
from staffbot.words import moment


def foretell(
    settings: Settings, now: datetime, said: str, *, source: str = "", kind: str = ""
) -> Iterator[str]:
    """Sentences about a mention with these words, or at this address, if it came in now.

    Raises ConfigError for a source or kind that there is not. Closures that were announced by chat
    are not known here.
    """
    is_url = urlsplit(said).scheme in ("http", "https") and " " not in said.strip()
    of = _source(settings, source) if source else _by_host(settings, said) if is_url else None
    mention = IncomingMention(
        source=of.name if of else "",
        native_id="",
        kind=(of.kind if of and of.kind else _kind(kind)),
        text="" if is_url else said,
        patron=Patron(name=""),
        posted_at=now,
        permalink=said if is_url else "",
        language=(of.language if of and of.language else language.of("" if is_url else said)),
    )
    if is_url and of is None:
        yield "No source reads that address, so a mention there would not come in."
        return
    found = way(settings, mention)
    team = settings.team(found.team)
    yield f"It would go to {team.name}, {_because(settings, found)}."
    yield _read_as(mention, of)
    yield from _clock(team, mention, of, now)
    yield _shown(team, now)


def _because(settings: Settings, found: Way) -> str:
    if found.rule is None:
        only = "as the only team" if len(settings.teams) == 1 else "as no route fits"
        return only if len(settings.teams) == 1 else f"the first team, {only}"
    return f"by route {found.rule + 1}: {_conditions(settings.routes[found.rule])}"


def _conditions(route: Route) -> str:
    said = {
        "source": route.source, "kind": route.kind, "keyword": route.keyword,
        "language": route.language,
    }  # fmt: skip
    return ", ".join(f'{name} "{value}"' for name, value in said.items() if value) or "always"


def _read_as(mention: IncomingMention, of: SourceSettings | None) -> str:
    where = f"from {of.shown_as}" if of else "from any source"
    tongue = f"language {mention.language}" if mention.language else "no certain language"
    return f"Read as a {mention.kind} {where}, {tongue}."


def _clock(
    team: Team, mention: IncomingMention, of: SourceSettings | None, now: datetime
) -> Iterator[str]:
    settings = of or SourceSettings(name="", type="")
    if not settings.expects(mention.kind, None):
        yield "It expects no answer, so it has no clock and nobody is reminded."
        return
    hours = Hours.of(team.hours, ())
    target = team.target(mention.source, mention.kind)
    clock = clocks(now, expects_answer=True, target=target, nagging=team.nagging, hours=hours)

    def local(at: datetime | None) -> str:
        return moment(at, hours.zone) if at else "never, as the doors never open"

    if not hours.is_open(now):
        yield f"The library is closed now; the clock starts at {local(clock.starts_at)}."
    yield f"To be claimed by {local(clock.claim_due_at)}, answered by {local(clock.answer_due_at)}."


def _shown(team: Team, now: datetime) -> str:
    rooms = " and ".join(str(room.room) for room in team.rooms if not room.figures_only)
    if not rooms:
        return "It would be shown nowhere, as the team has no room."
    closed = not Hours.of(team.hours, ()).is_open(now)
    manner = {
        WhenClosed.AT_ONCE: "at once",
        WhenClosed.SILENTLY: "at once and silently",
        WhenClosed.AT_OPENING: "at opening",
    }[team.when_closed]
    return f"Shown in {rooms} {manner if closed else 'at once'}."


def _source(settings: Settings, name: str) -> SourceSettings:
    for source in settings.sources:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in settings.sources) or "none"
    raise ConfigError.at("--source", f"there is no source {name}. The sources are: {known}.")


def _kind(said: str) -> Kind:
    try:
        return Kind(said or Kind.MENTION)
    except ValueError:
        raise ConfigError.at("--kind", f"is one of: {', '.join(Kind)}.") from None


def _by_host(settings: Settings, url: str) -> SourceSettings | None:
    host = urlsplit(url).hostname
    for source in settings.sources:
        addresses = (value for value in _texts(source.options) if "://" in value)
        if any(urlsplit(address).hostname == host for address in addresses):
            return source
    return None


def _texts(options: object) -> list[str]:
    """A source's own settings that are plain text: a secret is none."""
    names = type(options).model_fields if isinstance(options, BaseModel) else ()
    values = [getattr(options, name) for name in names]
    return [value for value in values if isinstance(value, str)]

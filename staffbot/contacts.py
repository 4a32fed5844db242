"""Private answers about patrons: services to point them to, earlier contact, who is muted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from staffbot.messages import (
    Bullets,
    Button,
    Byline,
    Control,
    Heading,
    Line,
    Link,
    Message,
    Paragraph,
    Part,
    Row,
    Span,
    When,
    Who,
    say,
)
from staffbot.model import Kind, Outcome, Patron, Status
from staffbot.settings import Service
from staffbot.words import OUTCOMES, STATES, count, kind_on, language, moment, number


class Contact(Protocol):
    """An earlier mention, as `desk.contact` finds it."""

    @property
    def number(self) -> int: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def network(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def status(self) -> Status: ...
    @property
    def outcome(self) -> Outcome | None: ...
    @property
    def who(self) -> Who | None: ...


class Earlier(Protocol):
    """What else there is of an author."""

    @property
    def number(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def answered(self) -> int: ...
    @property
    def by_name(self) -> bool: ...
    @property
    def newest(self) -> Sequence[Contact]: ...


class Muted(Protocol):
    """An author who is muted, as `desk.muting` finds them."""

    @property
    def patron(self) -> Patron: ...
    @property
    def network(self) -> str: ...
    @property
    def until(self) -> datetime: ...
    @property
    def by(self) -> str: ...
    @property
    def since(self) -> int: ...


def services(listed: Sequence[Service], *, texts: bool = False) -> Message:
    """Each with its link; `texts`: with what is said of it, in each language, to copy."""
    parts: list[Part] = []
    for service in listed:
        name: Line = (service.name,)
        if service.link:
            name = (Link(label=service.name, url=service.link),)
        parts.append(Paragraph(line=name))
        if texts:
            parts.append(
                Bullets(lines=tuple((_in_language(service, one),) for one in service.text))
            )
    return Message(text=f"{count(len(listed), 'service')} of the library.", parts=tuple(parts))


def _in_language(service: Service, code: str) -> str:
    spoken = language(code) or code
    return f"{spoken}: {service.said(code)}" if spoken else service.said(code)


def earlier(found: Earlier, *, zone: ZoneInfo) -> Message:
    """How often, when last, how it ended, with whom. Not a word of theirs."""
    mute = Button(name="mute", label="Mute…", mention=found.number)
    if not found.total:
        return say(f"Nothing else is known of the author of {found.number}.", controls=[mute])
    others = count(found.total, "other mention")
    parts: list[Part] = []
    if found.since is not None:
        began = When(at=found.since, plain=moment(found.since, zone))
        parts.append(
            Paragraph(line=("Since ", began, f". {found.answered} of them were answered."))
        )
    if found.by_name:
        told = "Their network gives no more than a name, so it may be several people."
        parts.append(Paragraph(line=(told,), quiet=True))
    parts.append(Heading(text="The newest"))
    parts += [_row(one, zone) for one in found.newest]
    if found.total > len(found.newest):
        more = f"{found.total - len(found.newest)} earlier ones are not shown."
        parts.append(Paragraph(line=(more,), quiet=True))
    text = f"{others} of the author of {found.number}."
    return Message(text=text, parts=tuple(parts), controls=(mute,))


def _row(one: Contact, zone: ZoneInfo) -> Row:
    at = When(at=one.at, plain=moment(one.at, zone))
    ended = OUTCOMES[one.outcome] if one.outcome else STATES[one.status].lower()
    line: list[Span] = [f"{number(one.number)} · {kind_on(one.kind, one.network)}, ", at]
    line.append(f": {ended}")
    if one.who is not None:
        line += [", ", one.who]
    controls: tuple[Control, ...] = (Button(name="show", label="Show", mention=one.number),)
    return Row(line=tuple(line), mention=one.number, controls=controls)


def muted(found: Sequence[Muted], *, zone: ZoneInfo) -> Message:
    """Who is muted, until when, and how much of theirs came since."""
    if not found:
        return say("Nobody is muted.")
    parts: list[Part] = []
    for one in found:
        until = When(at=one.until, plain=moment(one.until, zone))
        parts.append(Byline(patron=one.patron, network=one.network))
        since = f", by {one.by}. {count(one.since, 'post')} since."
        parts.append(Paragraph(line=("Muted until ", until, since)))
    several = "author is" if len(found) == 1 else "authors are"
    return Message(text=f"{len(found)} {several} muted.", parts=tuple(parts))

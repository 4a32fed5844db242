"""The questions of `staffbot init`, and what is wrong with an answer. Asks nobody itself. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from staffbot.config.values import Text, Weekly, Zone
from staffbot.hours import check_holidays

_ROOM_IDS = {"slack": "C0123456789", "discord": "1098765432109876543"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of `init`. `wrong` says why an answer cannot be used, or nothing.

    `name` is what answers are kept under, and the flag that gives one on the command line.
    """

    name: str
    asks: str
    default: str
    wrong: Callable[[str], str]
    options: tuple[str, ...] = ()

    def meant(self, typed: str) -> str:
        """What was typed, made whole: `y` is the one option that begins so."""
        begun = [option for option in self.options if option.startswith(typed.strip().casefold())]
        return begun[0] if typed.strip() and len(begun) == 1 else typed.strip()


def next_question(answers: Mapping[str, str]) -> Question | None:
    """The first question that has no answer yet; which ones there are depends on the answers."""
    return next((asked for asked in _questions(answers) if asked.name not in answers), None)


def defaulted(answers: Mapping[str, str]) -> dict[str, str]:
    """The answers, with the default for each question that was not asked."""
    whole = dict(answers)
    while question := next_question(whole):
        whole[question.name] = question.default
    return whole


def wrong_answers(answers: Mapping[str, str]) -> dict[str, str]:
    """What cannot be used, by question, with the reason; an unknown name is wrong too."""
    asked = {question.name: question for question in _questions(answers)}
    found = {
        name: asked[name].wrong(answer.strip()) if name in asked else "is not asked here."
        for name, answer in answers.items()
    }
    return {name: reason for name, reason in found.items() if reason}


def _questions(answers: Mapping[str, str]) -> list[Question]:
    platform = answers.get("platform", "local").strip()
    teams = teams_said(answers.get("teams", ""))
    channels = [_channel(platform, key, name) for key, name in teams]
    return [*_LIBRARY, *_STAFF, *(channels if platform in _ROOM_IDS else ()), *_SOURCES]


def _channel(platform: str, key: str, name: str) -> Question:
    of = f" of {name}" if name else ""
    return Question(
        name="room" if key == "team" else f"room-{key}",
        asks=f"What is the id of the channel{of}? It looks like {_ROOM_IDS.get(platform, '')}",
        default="",
        wrong=_by_type(Text),
    )


_PLATFORMS = ("local", "slack", "discord")
_LISTED = "local, slack and discord"


def _by_type(kind: Any) -> Callable[[str], str]:
    adapter: TypeAdapter[object] = TypeAdapter(kind)

    def wrong(answer: str) -> str:
        try:
            adapter.validate_python(answer)
        except ValidationError as refused:
            return str(refused.errors()[0]["ctx"]["error"])
        return ""

    return wrong


def _wrong_teams(answer: str) -> str:
    teams = teams_said(answer)
    for _, name in teams:
        if name and (wrong := _by_type(Text)(name)):
            return f"A team's name {wrong}"
    if len({key for key, _ in teams}) < len(teams):
        return "Two teams have nearly the same name."
    return ""


def _wrong_feeds(answer: str) -> str:
    for address in addresses(answer):
        try:
            url = urlsplit(address)
        except ValueError:
            return f"{address} is not a web address."
        if url.scheme not in ("http", "https") or not url.hostname:
            return f"{address} has to begin with https://"
    return ""


def addresses(answer: str) -> list[str]:
    """With spaces between, or with commas as people type them; one inside an address stays."""
    found = re.split(r"\s+|,(?=https?:)", answer)
    return [address for piece in found if (address := piece.strip(","))]


def _split(answer: str) -> list[str]:
    return [name.strip() for name in answer.split(",") if name.strip()]


def key_of(name: str) -> str:
    """A name as a key: small plain letters; nothing where it has none of them."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:32].strip("-")


def teams_said(answer: str) -> list[tuple[str, str]]:
    """Key and name of each team; the one team has no name of its own."""
    numbered = enumerate(_split(answer), start=1)
    return [(key_of(name) or f"team-{number}", name) for number, name in numbered] or [("team", "")]


_LIBRARY = (
    Question(
        name="library",
        asks="What is the library called?",
        default="Our Library",
        wrong=_by_type(Text),
    ),
    Question(
        name="zone",
        asks="In which time zone is it?",
        default="UTC",
        wrong=_by_type(Zone),
    ),
    Question(
        name="hours",
        asks="When are the doors open?",
        default="Mo-Fr 09:00-18:00; Sa 10:00-14:00",
        wrong=_by_type(Weekly),
    ),
    Question(
        name="country",
        asks="Whose public holidays are you closed on? A country such as US, GB, IE or DE, or nothing",
        default="",
        wrong=lambda answer: check_holidays(answer.upper(), "") or "",
    ),
)
_STAFF = (
    Question(
        name="teams",
        asks="Which teams share the work? Names with commas between, or nothing for one team",
        default="",
        wrong=_wrong_teams,
    ),
    Question(
        name="platform",
        asks="Where does the staff chat? (local: a page on this machine)",
        default="local",
        wrong=lambda answer: "" if answer in _PLATFORMS else f"is none of {_LISTED}.",
        options=_PLATFORMS,
    ),
)
_SOURCES = (
    Question(
        name="feeds",
        asks="Which feeds (RSS or Atom) shall be read? Addresses with spaces between, or nothing",
        default="",
        wrong=_wrong_feeds,
    ),
    Question(
        name="webhook",
        asks="Will something of yours, such as a contact form, send to a webhook?",
        default="no",
        wrong=lambda answer: "" if answer in ("yes", "no") else "is neither yes nor no.",
        options=("yes", "no"),
    ),
)

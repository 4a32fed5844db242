"""What `staffbot init` asks, and the config.toml it writes: answers in, text out.

Pure: the command line asks and writes. What it makes of answers without a `wrong` word is a file
that `staffbot check` accepts, once the variables of `variables` are set.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from staffbot.config.values import Text, Weekly, Zone
from staffbot.config.writing import toml
from staffbot.hours import check_holidays

WEBHOOK_SECRET = "STAFFBOT_WEBHOOK_SECRET"

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
    asked = [
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
            asks="Whose public holidays are you closed on? A country such as US, GB, IE or DE, "
            "or nothing",
            default="",
            wrong=lambda answer: check_holidays(answer.upper(), "") or "",
        ),
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
    ]
    if platform in _ROOM_IDS:
        asked += [
            Question(
                name="room" if key == "team" else f"room-{key}",
                asks=f"What is the id of the channel{f' of {name}' if name else ''}? It looks like "
                f"{_ROOM_IDS[platform]}",
                default="",
                wrong=_by_type(Text),
            )
            for key, name in _teams(answers.get("teams", ""))
        ]
    asked += [
        Question(
            name="feeds",
            asks="Which feeds (RSS or Atom) shall be read? Addresses with spaces between, or "
            "nothing",
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
    ]
    return asked


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
    teams = _teams(answer)
    for _, name in teams:
        if name and (wrong := _by_type(Text)(name)):
            return f"A team's name {wrong}"
    if len({key for key, _ in teams}) < len(teams):
        return "Two teams have nearly the same name."
    return ""


def _wrong_feeds(answer: str) -> str:
    for address in _addresses(answer):
        try:
            url = urlsplit(address)
        except ValueError:
            return f"{address} is not a web address."
        if url.scheme not in ("http", "https") or not url.hostname:
            return f"{address} has to begin with https://"
    return ""


def _addresses(answer: str) -> list[str]:
    """With spaces between, or with commas as people type them; one inside an address stays."""
    found = re.split(r"\s+|,(?=https?:)", answer)
    return [address for piece in found if (address := piece.strip(","))]


def _split(answer: str) -> list[str]:
    return [name.strip() for name in answer.split(",") if name.strip()]


def _key(name: str) -> str:
    """A name as a key: small plain letters; nothing where it has none of them."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:32].strip("-")


def _teams(answer: str) -> list[tuple[str, str]]:
    """Key and name of each team; the one team has no name of its own."""
    numbered = enumerate(_split(answer), start=1)
    return [(_key(name) or f"team-{number}", name) for number, name in numbered] or [("team", "")]


def variables(answers: Mapping[str, str]) -> tuple[str, ...]:
    """The environment variables that the file needs, for the command line to tell."""
    return (WEBHOOK_SECRET,) if defaulted(answers)["webhook"].strip() == "yes" else ()


def config_text(answers: Mapping[str, str]) -> str:
    """The config.toml for these answers; questions that were not asked have their defaults."""
    said = {name: answer.strip() for name, answer in defaulted(answers).items()}
    parts = [_head(said), _hours(said), _TARGETS, _platform(said["platform"])]
    teams = _teams(said["teams"])
    if teams == [("team", "")]:
        parts.append(_room("[[rooms]]", said, "team"))
    else:
        parts.append(_several(said, teams))
    parts.append(_staff(said["platform"]))
    parts += _feeds(said["feeds"])
    if said["webhook"] == "yes":
        parts.append(_WEBHOOK)
    if not said["feeds"] and said["webhook"] == "no":
        parts.append(_NO_SOURCE)
    return "\n".join(parts)


def _head(said: Mapping[str, str]) -> str:
    return f"""\
# Settings of staffbot, written by `staffbot init`. What is not here has its default: all settings
# with their defaults stand in config.example.toml. After a change, run `staffbot check`.

library = {toml(said["library"])}
"""


def _hours(said: Mapping[str, str]) -> str:
    country = said["country"].upper()
    holidays = f"country = {toml(country)}" if country else '#country = "US"'
    return f"""\
# When the doors are open. Clocks and reminders rest while they are closed.
[hours]
weekly = {toml(said["hours"])}
zone = {toml(said["zone"])}
# Public holidays on which you are closed; further days of your own under `holidays`.
{holidays}
#holidays = [2026-12-24, 2026-12-31]
"""


_TARGETS = """\
# How soon somebody takes a mention, and how soon it is answered, in opening time.
[[targets]]
claim_within = "2h"
answer_within = "4h"
"""

_WEBHOOK = f"""\
# POST /hooks/contact-form, signed (Standard Webhooks). The secret is in the environment variable;
# make one with: echo whsec_$(openssl rand -base64 32)
[[sources]]
name = "contact-form"
label = "the contact form"
type = "webhook"
kind = "message"
secrets = ["{WEBHOOK_SECRET}"]
"""

_NO_SOURCE = """\
# Where patrons write. Nothing comes in before there is a source.
#[[sources]]
#name = "website"
#type = "feed"
#url = "https://library.example.org/comments/feed/"
"""


def _platform(platform: str) -> str:
    if platform == "local":
        return "# The team channel is a page on this machine: http://127.0.0.1:8082\n[local]\n"
    name = platform.capitalize()
    return f"# The team channel is on {name}. Its tokens stay in the environment.\n[{platform}]\n"


def _room(heading: str, said: Mapping[str, str], key: str) -> str:
    platform = said["platform"]
    room = key
    if platform != "local":
        room = said["room" if key == "team" else f"room-{key}"]
    return f"{heading}\nplatform = {toml(platform)}\nid = {toml(room)}\n"


def _staff(platform: str) -> str:
    here = "Who can be chosen on the page" if platform == "local" else "Who has a role"
    key = "ana" if platform == "local" else "U0123456789"
    return f"""\
# {here}; a manager or deputy is told when a mention waits far too long.
#[[staff]]
#key = "ana"
#name = "Ana Silva"
#role = "manager"
#ids = {{ {platform} = "{key}" }}
"""


def _several(said: Mapping[str, str], teams: list[tuple[str, str]]) -> str:
    """The teams, and a rule for each as an example; what fits no rule goes to the first team."""
    parts = ["# A team can have `hours`, `targets`, `nagging` and `digest` of its own."]
    for key, name in teams:
        parts.append(f"[teams.{key}]\nname = {toml(name)}\n")
        parts.append(_room(f"[[teams.{key}.rooms]]", said, key))
    parts.append("# Which mentions go where; the first rule that fits wins, else the first team.")
    parts += [f'#[[routes]]\n#team = "{key}"\n#keyword = "a word"\n' for key, _ in teams[1:]]
    return "\n".join(parts)


def _feeds(answer: str) -> list[str]:
    parts = []
    taken = {"contact-form"}  # the webhook's name
    for address in _addresses(answer):
        host = (urlsplit(address).hostname or "").removeprefix("www.")
        key = name = _key(host) or "feed"
        number = 1
        while name in taken:
            number += 1
            name = f"{key}-{number}"
        taken.add(name)
        # WordPress and most blogs call the feed of their comments so.
        comments = "comment" in urlsplit(address).path.lower()
        parts.append(
            f"{_COMMENTS if comments else _ENTRIES}[[sources]]\nname = {toml(name)}\n"
            f'label = {toml(host)}\ntype = "feed"\nurl = {toml(address)}\n'
            + ("" if comments else "#")
            + 'kind = "comment"\n'
        )
    return parts


_COMMENTS = "# Comments expect an answer, so each has a clock.\n"
_ENTRIES = "# What stands in a feed is only heard of, without a clock, unless it is of comments.\n"

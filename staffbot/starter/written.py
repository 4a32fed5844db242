"""The config.toml that `staffbot init` writes: answers in, text out. Pure; writes no file itself."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from staffbot.config.writing import toml
from staffbot.starter.questions import addresses, defaulted, key_of, teams_said

WEBHOOK_SECRET = "STAFFBOT_WEBHOOK_SECRET"


def variables(answers: Mapping[str, str]) -> tuple[str, ...]:
    """The environment variables that the file needs, for the command line to tell."""
    return (WEBHOOK_SECRET,) if defaulted(answers)["webhook"].strip() == "yes" else ()


def config_text(answers: Mapping[str, str]) -> str:
    """The config.toml for these answers; questions that were not asked have their defaults."""
    said = {name: answer.strip() for name, answer in defaulted(answers).items()}
    parts = [_head(said), _hours(said), _TARGETS, _platform(said["platform"])]
    teams = teams_said(said["teams"])
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
    for address in addresses(answer):
        host = (urlsplit(address).hostname or "").removeprefix("www.")
        key = name = key_of(host) or "feed"
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

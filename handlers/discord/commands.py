"""The registry's verbs as Discord's application commands, and a used command as values. Pure.

Discord takes 25 subcommands under one root. Where the registry holds more, whole headings become
groups (`/lib clock snooze`), those first that are typed least.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlers.discord.text import cut, one_line
from staffbot.commands import VERBS, Group, Slot, Takes, Verb
from staffbot.seams import Completion

Json = dict[str, Any]

MOST = 25
DESCRIPTION = 100
CHOICE = 100

SUBCOMMAND, SUBCOMMAND_GROUP, STRING = 1, 2, 3
TYPED, ON_MESSAGE = 1, 3
IN_A_SERVER = 0
# Whoever may write in a channel sees the commands; what they may do is asked at each of them.
SEND_MESSAGES = 1 << 11

TRACK = "Track this message"
# What is folded first when there are too many verbs for one root.
_FOLDED_FIRST = (Group.CLOCK, Group.MORE, Group.HAND, Group.PATRON, Group.SEE)
_FOLDERS = {
    Group.CLOCK: "clock",
    Group.MORE: "more",
    Group.HAND: "give",
    Group.PATRON: "patron",
    Group.SEE: "see",
}
_COMPLETED = frozenset(
    {Takes.MENTION, Takes.PERSON, Takes.TEAM, Takes.OUTCOME, Takes.TOPICS, Takes.VERB}
)
_NUMBER = re.compile(r"#?\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A command that was used. `focused` is the option being typed, for completion."""

    verb: Verb
    said: Mapping[str, str] = field(default_factory=dict)
    focused: str = ""

    @property
    def control(self) -> str:
        return self.verb.name.replace(" ", "_")


def command_list(root: str, verbs: Sequence[Verb] = VERBS) -> list[Json]:
    """Everything that is registered in a server."""
    shown = [verb for verb in verbs if not verb.hidden]
    claim = next((verb for verb in shown if verb.name == "claim"), None)
    commands = [_command(root, "The library's mentions: claim, answer, close", _tree(shown))]
    if claim is not None and root != "claim":
        commands.append(_command("claim", claim.does, _options(claim)))
    commands.append(
        {
            "type": ON_MESSAGE,
            "name": TRACK,
            "default_member_permissions": SEND_MESSAGES,
            "contexts": [IN_A_SERVER],
        }
    )
    return commands


def fingerprint(commands: Sequence[Json]) -> str:
    """The same for the same commands: they are sent to Discord only where it changed."""
    return hashlib.sha256(json.dumps(commands, sort_keys=True).encode()).hexdigest()


def used(data: Mapping[str, Any], root: str, verbs: Sequence[Verb] = VERBS) -> Used | None:
    """The verb and what was said for its slots; None for a command that is none of ours."""
    options: Sequence[Mapping[str, Any]] = data.get("options") or ()
    name = str(data.get("name", ""))
    if name == root:
        while options and options[0].get("type") in (SUBCOMMAND, SUBCOMMAND_GROUP):
            name, options = str(options[0]["name"]), options[0].get("options") or ()
    elif name != "claim":
        return None
    found = next((verb for verb in verbs if _name(verb) == name and not verb.hidden), None)
    if found is None:
        return None
    said = {str(one["name"]): str(one.get("value", "")) for one in options}
    focused = next((str(one["name"]) for one in options if one.get("focused")), "")
    return Used(verb=found, said=_as_said(found, said), focused=focused)


def line_of(asked: Used) -> tuple[str, str]:
    """The command line up to the option that is being typed, and what of it is typed.

    A mention that was not named is filled with a number that is nobody's, so that the desk goes on
    with the option that is meant.
    """
    pieces = [asked.verb.name]
    for slot in asked.verb.slots:
        if slot.name == asked.focused:
            return " ".join(pieces) + " ", asked.said.get(slot.name, "")
        value = asked.said.get(slot.name) or ("#0" if slot.takes is Takes.MENTION else "")
        if value:
            pieces += [*slot.led_by[:1], value]
    return " ".join(pieces) + " ", ""


def choices(asked: Used, found: Iterable[Completion]) -> list[Json]:
    """What Discord offers for the option that is being typed."""
    before, _ = line_of(asked)
    slot = next((one for one in asked.verb.slots if one.name == asked.focused), None)
    offered: dict[str, Json] = {}
    for one in found:
        if not one.text.startswith(before):
            continue
        value = one.text[len(before) :].strip()
        number = _NUMBER.fullmatch(value) is not None
        if slot is None or number != (slot.takes is Takes.MENTION) or not value:
            continue
        label = f"{value} · {one.help}" if one.help else value
        if len(value) <= CHOICE:
            offered[value] = {"name": cut(one_line(label), CHOICE) or "…", "value": value}
    return list(offered.values())[:MOST]


# --- making them ----------------------------------------------------------------------------


def _command(name: str, does: str, options: Sequence[Json]) -> Json:
    return {
        "type": TYPED,
        "name": name,
        "description": cut(does, DESCRIPTION),
        "options": list(options),
        "default_member_permissions": SEND_MESSAGES,
        "contexts": [IN_A_SERVER],
    }


def _tree(verbs: Sequence[Verb]) -> list[Json]:
    folded: list[Group] = []
    for group in _FOLDED_FIRST:
        if len(folded) + sum(verb.group not in folded for verb in verbs) <= MOST:
            break
        folded.append(group)
    tree = [_subcommand(verb) for verb in verbs if verb.group not in folded]
    for group in folded:
        held = [_subcommand(verb) for verb in verbs if verb.group is group]
        tree.append(
            {
                "type": SUBCOMMAND_GROUP,
                "name": _FOLDERS[group],
                "description": cut(group.value, DESCRIPTION),
                "options": held,
            }
        )
    return tree


def _subcommand(verb: Verb) -> Json:
    return {
        "type": SUBCOMMAND,
        "name": _name(verb),
        "description": cut(verb.does, DESCRIPTION),
        "options": _options(verb),
    }


def _options(verb: Verb) -> list[Json]:
    """What must be said comes first, as Discord wants it; what a form asks need not be said."""
    options = [
        {
            "type": STRING,
            "name": slot.name,
            "description": cut(_describes(slot), DESCRIPTION),
            "required": slot.required and not verb.form and slot.takes is not Takes.MENTION,
            "autocomplete": slot.takes in _COMPLETED,
        }
        for slot in verb.slots
    ]
    return sorted(options, key=lambda option: not option["required"])


def _describes(slot: Slot) -> str:
    like = f"as {slot.like}" if slot.like else ""
    return ", ".join(filter(None, (slot.help, like))) or slot.name.capitalize()


def _name(verb: Verb) -> str:
    return verb.name.replace(" ", "-")


def _as_said(verb: Verb, said: Mapping[str, str]) -> dict[str, str]:
    topics = {slot.name for slot in verb.slots if slot.takes is Takes.TOPICS}
    return {
        name: ",".join(re.findall(r"[^\s,;#]+", value.lower())) if name in topics else value
        for name, value in said.items()
        if value.strip()
    }

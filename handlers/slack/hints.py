"""What help says of Slack itself, below the commands that every platform has. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from staffbot.messages import Bullets, Heading, Line, Message, Reply


class Hints:
    def __init__(self, claims: Sequence[str], dones: Sequence[str]) -> None:
        self._lines = (*_reacting(claims, dones), _THREADS, _SHORTCUTS)

    def added(self, reply: Reply, asked: str) -> Reply:
        """The answer; where all the commands were asked for, with what else Slack has."""
        if asked.split() != ["help"] or not isinstance(reply, Message):
            return reply
        if reply.refused or reply.failed:
            return reply
        more = (Heading(text="In Slack"), Bullets(lines=self._lines))
        return replace(reply, parts=(*reply.parts, *more))


_THREADS: Line = ("In a thread Slack has no commands: mention me instead, as in @staffbot claim.",)
_SHORTCUTS: Line = (
    "Track this message, under a message's More actions, makes a mention of it; the shortcut Log a "
    "mention is for a phone call or a note on paper.",
)


def _reacting(claims: Sequence[str], dones: Sequence[str]) -> list[Line]:
    said = [
        *([f"{_named(claims)} on a card claims it"] if claims else []),
        *([f"{_named(dones)} closes it as answered"] if dones else []),
    ]
    if not said:
        return []
    kept = "Taking a reaction back undoes nothing: use Undo."
    return [(f"The reaction {', '.join(said)}. {kept}",)]


def _named(names: Sequence[str]) -> str:
    return " or ".join(f":{name}:" for name in names)

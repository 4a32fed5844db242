"""How much stands in a message, and what is left out so that Slack takes it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handlers.slack import lines
from handlers.slack.cutting import size
from staffbot.messages import Paragraph, Part, Picture

Json = dict[str, Any]

MOST_TEXT = 11_000  # of a message; Slack refuses at about 13,000


def fewer_pictures(parts: Sequence[Part], kept: int) -> tuple[Part, ...]:
    """The first pictures only, and how many there are besides."""
    found: list[Part] = []
    left = 0
    at = len(parts)
    for part in parts:
        if isinstance(part, Picture):
            kept -= 1
            if kept < 0:
                at, left = (len(found) if not left else at), left + 1
                continue
        found.append(part)
    more = Paragraph(line=(f"{left} more attached to the post itself.",), quiet=True)
    return (*found[:at], more, *found[at:])


def fitting(found: list[Json], most: int, text: int = MOST_TEXT) -> list[Json]:
    """As many blocks, from the first on, as Slack takes; a line says that more was left out."""
    used = 0
    kept: list[Json] = []
    for block in found:
        used += written(block)
        if used > text or len(kept) == most:
            kept = kept[: most - 1]
            while kept and kept[-1]["type"] == "header":
                kept.pop()
            return [*kept, lines.context("More than fits here was left out.")]
        kept.append(block)
    return kept


def written(block: Any) -> int:
    """How much text stands in a block."""
    match block:
        case dict():
            own = sum(
                size(value)
                for key, value in block.items()
                if isinstance(value, str) and key in ("text", "alt_text", "fallback", "url")
            )
            return own + sum(written(value) for value in block.values())
        case list():
            return sum(written(item) for item in block)
        case _:
            return 0

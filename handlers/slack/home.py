"""The Home tab: mine, what waits for someone, and how I am reminded. Pure."""

from __future__ import annotations

from typing import Any

from handlers.slack.fitting import fitting
from handlers.slack.view import HOME_BLOCKS, WHOLE, blocks
from staffbot.messages import Button, Message, Row

Json = dict[str, Any]

BUTTONS = (
    Button(name="log", label="Log a mention…"),
    Button(name="stats", label="Figures"),
    Button(name="away", label="Be away…"),
    Button(name="help", label="Help"),
)
DIVIDER: Json = {"type": "divider"}


def home(mine: Message, queue: Message, settings: Message) -> Json:
    """The most important stands first; every part is an answer of the desk's own."""
    shown = [
        *blocks(Message(text="What would you like to do?", controls=BUTTONS), WHOLE),
        DIVIDER,
        *_part(mine, 30),
        DIVIDER,
        *_part(queue, 45),
        DIVIDER,
        *_part(settings, 15),
    ]
    return {"type": "home", "blocks": shown[:HOME_BLOCKS]}


def closed(said: str) -> Json:
    """For who is none of the staff."""
    return {"type": "home", "blocks": blocks(Message(text=said), WHOLE)}


def _part(message: Message, most: int) -> list[Json]:
    """A long list keeps its first rows."""
    rows = [part for part in message.parts if isinstance(part, Row)]
    shown = blocks(message, WHOLE)
    return fitting(shown, most) if rows or len(shown) > most else shown

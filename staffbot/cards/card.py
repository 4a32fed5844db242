"""The card of a mention: open, claimed, or closed and collapsed. Pure."""

from __future__ import annotations

from staffbot.cards.body import body, closing, heard, said, title
from staffbot.cards.controls import controls
from staffbot.cards.facts import CardFacts
from staffbot.messages import (
    Message,
    Paragraph,
)
from staffbot.model import Status
from staffbot.words import (
    capital,
    number,
)


def card(facts: CardFacts) -> Message:
    """What a room shows of a mention: open, only heard, claimed, or closed and collapsed."""
    if facts.mention.status is Status.CLOSED:
        return _collapsed(facts)
    return Message(
        text=said(facts),
        parts=heard(facts) if facts.only_heard else body(facts),
        controls=controls(facts),
        mention=facts.mention.number,
        compact=facts.only_heard,
    )


def moved_card(facts: CardFacts) -> Message:
    """What is left in the room of a team that moved the mention on."""
    title = f"{number(facts.mention.number)} · {capital(facts.kind)}"
    where = f"Moved to {facts.team or 'another team'}."
    return Message(
        text=f"Mention {facts.mention.number} was moved to {facts.team or 'another team'}.",
        parts=(Paragraph(line=(title,)), Paragraph(line=(where,), quiet=True)),
        mention=facts.mention.number,
        collapsed=True,
    )


def _collapsed(facts: CardFacts) -> Message:
    mention = facts.mention
    return Message(
        text=said(facts),
        parts=(
            Paragraph(line=(title(facts),)),
            Paragraph(line=closing(facts), quiet=True),
        ),
        controls=controls(facts),
        mention=mention.number,
        collapsed=True,
    )

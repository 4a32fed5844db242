"""The buttons of a card, which change with its state. Pure."""

from __future__ import annotations

from staffbot.cards.facts import CardFacts
from staffbot.messages import (
    Button,
    Control,
    OpenLink,
)
from staffbot.model import Status


def controls(facts: CardFacts) -> tuple[Control, ...]:
    """At most four in sight, and the others under the overflow menu."""
    mention = facts.mention

    def button(name: str, label: str, *, primary: bool = False) -> Button:
        return Button(name=name, label=label, mention=mention.number, primary=primary)

    if mention.status is Status.CLOSED:
        return (button("reopen", "Reopen"),)
    first: list[Control] = []
    if mention.status is Status.OPEN:
        first.append(button("claim", "Claim", primary=True))
        if facts.permalink:
            first.append(OpenLink(label="Open post", url=facts.permalink))
        first.append(button("close", "Done…"))
    else:
        first.append(button("done", "Done", primary=True))
        first.append(button("answered", "Answered there"))
        first.append(button("release", "Release"))
    if facts.withheld:
        first.append(button("read", "Read privately"))
    return (*first, *_more(facts))


def _more(facts: CardFacts) -> list[Control]:
    mention = facts.mention
    claimed = mention.status is Status.CLAIMED
    private = ("public", "Show words again") if mention.private else ("private", "Keep private")
    clock = (
        ("heard", "No answer expected")
        if mention.expects_answer
        else ("expects", "Needs an answer")
    )
    choices = [
        ("close", "Done with outcome…") if claimed else None,
        ("assign", "Assign…"),
        ("move", "Move…") if facts.several_teams else None,
        ("note", "Note…"),
        private,
        ("thanks", "Just thanks"),
        ("not_for_us", "Not for us"),
        clock,
        ("link", "Link…"),
        ("why", "Why here?"),
        ("show", "Notes and history"),
    ]
    return [
        Button(name=choice[0], label=choice[1], mention=mention.number, more=True)
        for choice in choices
        if choice is not None
    ]

"""The buttons of a card, which change with its state. Pure."""

from __future__ import annotations

from staffbot.answering import IT_WAS_SENT, SEND_AGAIN, State
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
    if mention.status is Status.CLOSED:
        return (_button(facts, "reopen", "Reopen"),)
    if facts.only_heard:
        return _heard(facts)
    pause, waits = ("snooze", "Snooze…"), mention.waiting_since or mention.snoozed_until
    if waits is not None:
        pause = ("wake", "Wake")
    first: list[Control] = []
    more = [pause] if facts.withheld else []
    if facts.reply is not None and facts.reply.state is State.UNKNOWN:
        first += _unsure(facts)
        more += _rest(facts)
    elif mention.status is Status.OPEN:
        first.append(_button(facts, "claim", "Claim", primary=True))
        if facts.can_reply:
            first.append(_button(facts, "reply", "Reply…"))
        elif facts.permalink:
            first.append(OpenLink(label="Open post", url=facts.permalink))
        first.append(_button(facts, "close", "Done…"))
    else:
        first.append(_button(facts, "done", "Done", primary=True))
        answer: Control = _button(facts, "answered", "Answered there")
        if facts.can_reply:
            first.append(_button(facts, "reply", "Reply…"))
            first.append(_button(facts, "release", "Release"))
            more.append(("answered", "Answered there"))
        elif facts.answers_there and facts.permalink:
            first.append(OpenLink(label="Answer there", url=facts.permalink))
            first.append(answer)
            more.append(("release", "Release"))
        else:
            first.append(answer)
            first.append(_button(facts, "release", "Release"))
        more.append(("close", "Done with outcome…"))
    first.append(
        _button(facts, "read", "Read privately") if facts.withheld else _button(facts, *pause)
    )
    rest = [_button(facts, *choice, more=True) for choice in (*more, *_choices(facts))]
    return (*first, *_patron(facts), *rest)


def _heard(facts: CardFacts) -> tuple[Control, ...]:
    """Nobody has to do anything about it: claim it or look, all else is in the menu."""
    first: list[Control] = [_button(facts, "claim", "Claim")]
    if facts.withheld:
        first.append(_button(facts, "read", "Read privately"))
    elif facts.permalink:
        first.append(OpenLink(label="Open post", url=facts.permalink))
    more = [("reply", "Reply…")] if facts.can_reply else []
    more.append(("close", "Done…"))
    *others, (show, _) = _choices(facts)
    whole = "Notes and history" if facts.withheld else "Read all, notes and history"
    rest = [_button(facts, *one, more=True) for one in (*more, *others, (show, whole))]
    return (*first, *_patron(facts), *rest)


def _unsure(facts: CardFacts) -> list[Control]:
    """What became of an answer comes first, as nobody may answer before they have looked."""
    return [
        _button(facts, "it_was_sent", IT_WAS_SENT, primary=True),
        _button(facts, "send_it_again", SEND_AGAIN),
        _button(facts, "close", "Done…"),
    ]


def _rest(facts: CardFacts) -> list[tuple[str, str]]:
    found = [("reply", "Reply…")] if facts.can_reply else []
    has = ("claim", "Claim") if facts.mention.status is Status.OPEN else ("release", "Release")
    return [*found, has]


def _patron(facts: CardFacts) -> list[Button]:
    """What there is of the author besides."""
    number = facts.mention.number
    found = [
        Button(name="link", label=f"Link with {other}", mention=number, value=str(other), more=True)
        for other in facts.twins[:2]
    ]
    if facts.earlier:
        label = f"Earlier contact ({facts.earlier})"
        found.append(Button(name="history", label=label, mention=number, more=True))
    return found


def _button(
    facts: CardFacts, name: str, label: str, *, primary: bool = False, more: bool = False
) -> Button:
    number = facts.mention.number
    return Button(name=name, label=label, mention=number, primary=primary, more=more)


def _choices(facts: CardFacts) -> list[tuple[str, str]]:
    """What stands under the overflow menu of every card that is not closed."""
    mention = facts.mention
    choices = [("assign", "Assign…")]
    if facts.several_teams:
        choices.append(("move", "Move…"))
    choices.append(("note", "Note…"))
    if not mention.private:
        choices.append(("private", "Keep private"))
    elif facts.kept_by_us:
        choices.append(("public", "Show words again"))
    choices += [("thanks", "Just thanks"), ("not_for_us", "Not for us")]
    choices.append(
        ("heard", "No answer expected")
        if mention.expects_answer
        else ("expects", "Needs an answer")
    )
    return [*choices, ("link", "Link…"), ("why", "Why here?"), ("show", "Notes and history")]

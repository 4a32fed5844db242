"""Private answers to whoever asked: one mention, help, confirmations. Pure Messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from staffbot.cards import CardFacts, body, controls, said
from staffbot.commands import VERBS, Group, Verb
from staffbot.messages import (
    Bullets,
    Button,
    Heading,
    Line,
    Message,
    Paragraph,
    Part,
    Quote,
    When,
    say,
)
from staffbot.model import AlreadyClaimed, Done, Gone, Happened, Unchanged
from staffbot.words import a, count, duration, moment, sentence


class Happening(Protocol):
    """A line of a mention's history."""

    @property
    def what(self) -> Happened: ...
    @property
    def at(self) -> datetime: ...
    @property
    def who(self) -> str: ...
    @property
    def detail(self) -> Mapping[str, Any]: ...
    @property
    def undone(self) -> bool: ...


def of(answer: Done | Unchanged | Gone) -> Message:
    """The short confirmation of a use case, or why nothing happened."""
    if isinstance(answer, Done):
        return replace(confirm(answer.said, answer.event), about=answer.mention)
    return replace(say(answer.said), about=answer.mention)


def taken(answer: AlreadyClaimed, *, now: datetime, zone: ZoneInfo) -> Message:
    """For the loser of a race: who has it, and since when."""
    since = f"since {moment(answer.since, zone)} ({duration(now - answer.since)} ago)"
    show = Button(name="show", label="Show", mention=answer.mention)
    return say(f"{answer.by} has {answer.mention} {since}.", controls=[show])


def confirm(text: str, event: int | None = None) -> Message:
    """A confirmation; with an event it offers Undo."""
    undo = Button(name="undo", label="Undo", value=str(event))
    return say(text, controls=[undo] if event is not None else [])


# --- one mention --------------------------------------------------------------------------------


def show(facts: CardFacts, history: Sequence[Happening]) -> Message:
    """The whole of a mention, for the asker alone: the card, every note, what happened."""
    parts: list[Part] = list(body(facts))
    notes = facts.words.notes if facts.words and not facts.withheld else ()
    if notes:
        parts.append(Heading(text="Notes"))
        # A note may repeat what the patron wrote, so it is shown like the patron's words.
        parts += [
            Quote(text=text, label=f"{who}, {moment(at, facts.zone)}") for at, who, text in notes
        ]
    replies = facts.words.replies if facts.words and not facts.withheld else ()
    if replies:
        parts.append(Heading(text="Answers from here"))
        parts += [
            Quote(text=text, label=f"{who}, {moment(at, facts.zone)}") for at, who, text in replies
        ]
    if history:
        parts.append(Heading(text="History"))
        parts.append(Bullets(lines=tuple(_past(past, facts) for past in history)))
    return Message(text=said(facts), parts=tuple(parts), controls=controls(facts))


_PAST = {
    Happened.RECEIVED: "came in",
    Happened.FOLLOWED_UP: "the patron wrote again",
    Happened.CLAIMED: "claimed",
    Happened.RELEASED: "released",
    Happened.HANDED_OVER: "handed over",
    Happened.ASSIGNED: "assigned",
    Happened.MOVED: "moved to another team",
    Happened.SNOOZED: "snoozed",
    Happened.WAITING: "waits for the patron",
    Happened.WOKEN: "woken",
    Happened.NAGGED: "a reminder was sent",
    Happened.ANSWERED: "answered",
    Happened.CLOSED: "closed",
    Happened.REOPENED: "opened again",
    Happened.NOTED: "a note was left",
    Happened.KEPT_PRIVATE: "kept private",
    Happened.MADE_PUBLIC: "shown in the channel again",
    Happened.READ: "read privately",
    Happened.LINKED: "linked with another",
    Happened.UNLINKED: "unlinked",
    Happened.CLOCK_SET: "the clock was changed",
    Happened.RETIMED: "the due time moved with the opening hours",
    Happened.STILL_ON_IT: "still on it",
    Happened.UNDONE: "undone",
    Happened.EDITED: "edited by the patron",
    Happened.DELETED: "withdrawn by the patron",
    Happened.REPLY_WRITTEN: "an answer was written",
    Happened.REPLIED: "answered again",
    Happened.REPLY_FAILED: "an answer was not sent",
    Happened.MUTED: "its author was muted",
    Happened.UNMUTED: "its author is not muted any more",
}


def _past(past: Happening, facts: CardFacts) -> Line:
    what = _PAST.get(past.what, past.what.replace("_", " "))
    line: list[str | When] = [facts.when(past.at), f": {what}"]
    if past.who:
        line.append(f", {past.who}")
    if past.undone:
        line.append(" (undone)")
    return tuple(line)


# --- help ---------------------------------------------------------------------------------------


def help_all(root: str) -> Message:
    """Every verb, under its heading."""
    parts: list[Part] = []
    for group in Group:
        lines = [
            (f"/{root} {verb.usage}: {verb.does}",)
            for verb in VERBS
            if verb.group is group and not verb.hidden
        ]
        if lines:
            parts += [Heading(text=group.value), Bullets(lines=tuple(lines))]
    parts.append(
        Paragraph(
            line=(
                "A mention is named by its number, by the address of its post, or not at all "
                "where it is clear: in its thread, or when you have only one.",
            )
        )
    )
    return Message(
        text=f"These are the commands. `/{root}` alone shows your own.", parts=tuple(parts)
    )


def help_one(verb: Verb, root: str) -> Message:
    """One verb: what it does, how it is typed, who may."""
    lines = [f"Typed: /{root} {verb.usage}"]
    if verb.example:
        lines.append(f"For example: /{root} {verb.example}")
    if verb.aliases:
        lines.append(f"Also: {', '.join(verb.aliases)}")
    lines.append(f"Who may: {WHO_MAY[verb.may]}")
    if verb.more:
        lines.append(verb.more)
    return say(sentence(verb.does), *lines)


WHO_MAY = {
    "staff": "everyone who works here",
    "owner": "its owner, deputies and managers; anyone where nobody has it",
    "trusted": "its owner, deputies, managers, and people named for private messages",
    "lead": "deputies and managers",
}


def sorry(incident: str) -> Message:
    """Something broke on our side. The number finds it in the log."""
    return say(
        "That did not work, and nothing was changed. It is our fault, not yours: "
        f"if it happens again, give this number to whoever looks after staffbot: {incident}."
    )


def not_stored(incident: str) -> Message:
    """The database cannot be written: a person has to see to it, and the log says to what."""
    return say(
        "Nothing was changed: staffbot cannot write to its database just now. Try it again in a "
        f"while, and give this number to whoever looks after staffbot: {incident}."
    )


def why(facts: CardFacts, lines: Sequence[str]) -> Message:
    """Why a mention is here: where it came from, which rule, which clock."""
    return say(f"Mention {facts.mention.number} is {a(facts.kind)}.", *lines)


def troubles(lines: Sequence[str]) -> Message:
    """What does not work, one line each."""
    return Message(
        text=f"{count(len(lines), 'thing')} to look at.",
        parts=(Bullets(lines=tuple((line,) for line in lines)),),
    )

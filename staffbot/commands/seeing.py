"""The verbs that only look."""

from __future__ import annotations

from staffbot.commands.registry import MENTION, Clear, Group, Slot, Takes, Verb

SEE_VERBS: tuple[Verb, ...] = (
    Verb(
        name="mine",
        does="Show what you have claimed",
        group=Group.SEE,
        aliases=("my", "my queue"),
        changes=False,
        clear=Clear.NONE,
    ),
    Verb(
        name="queue",
        does="Show what waits for someone",
        group=Group.SEE,
        slots=(Slot(name="team", takes=Takes.TEAM, required=False),),
        aliases=("list", "open"),
        changes=False,
        clear=Clear.NONE,
    ),
    Verb(
        name="show",
        does="Show one mention with its notes and its history",
        group=Group.SEE,
        slots=(MENTION,),
        aliases=("view", "look"),
        changes=False,
        example="show 42",
    ),
    Verb(
        name="why",
        does="Say why a mention is here, and why it has a clock or none",
        group=Group.SEE,
        slots=(MENTION,),
        aliases=("why here",),
        changes=False,
        example="why 42",
    ),
    Verb(
        name="help",
        does="Show the commands, or one of them",
        group=Group.SEE,
        slots=(Slot(name="verb", takes=Takes.VERB, required=False),),
        aliases=("?", "commands"),
        changes=False,
        clear=Clear.NONE,
        example="help done",
    ),
)

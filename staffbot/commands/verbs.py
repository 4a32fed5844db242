"""The one registry of verbs. A new verb is one entry here and one function in `dispatch`.

Help, completion, Slack's manifest and Discord's command tree are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from staffbot.commands.clock import CLOCK_VERBS
from staffbot.commands.contact import CONTACT_VERBS
from staffbot.commands.figures import FIGURE_BUTTONS, FIGURE_VERBS
from staffbot.commands.registry import Clear, Group, May, Slot, Takes, Verb
from staffbot.model import Outcome

_MENTION = Slot(
    name="mention",
    takes=Takes.MENTION,
    required=False,
    help="its number or address",
    like="42",
)
_TOPICS = Slot(name="topics", takes=Takes.TOPICS, required=False, help="idea, thanks, ...")
_AT = Slot(
    name="at",
    takes=Takes.MOMENT,
    required=False,
    led_by=("at",),
    help="when it was answered",
    like="14:30",
)

VERBS: tuple[Verb, ...] = (
    # --- see ---
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
        slots=(_MENTION,),
        aliases=("view", "look"),
        changes=False,
        example="show 42",
    ),
    Verb(
        name="why",
        does="Say why a mention is here, and why it has a clock or none",
        group=Group.SEE,
        slots=(_MENTION,),
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
    # --- take and finish ---
    Verb(
        name="claim",
        does="Take a mention: you will answer it",
        group=Group.WORK,
        slots=(_MENTION,),
        aliases=("take",),
        clear=Clear.UNCLAIMED,
        example="claim 42",
        more="In chat, a raised hand on the card does the same; taking it back undoes nothing.",
    ),
    Verb(
        name="release",
        does="Give back a mention that you claimed",
        group=Group.WORK,
        slots=(_MENTION,),
        aliases=("unclaim", "give back", "drop"),
        may=May.OWNER,
        example="release 42",
    ),
    Verb(
        name="done",
        does="Close a mention as answered",
        group=Group.WORK,
        slots=(_MENTION, _TOPICS, _AT),
        aliases=("answered",),
        example="done 42 at 14:30",
        more=(
            "With a time it counts as answered then, for an answer given in the network's own app. "
            "In chat, a white check mark on the card does the same; taking it back undoes nothing."
        ),
    ),
    Verb(
        name="close",
        does="Close a mention with an outcome and topics",
        group=Group.WORK,
        slots=(
            _MENTION,
            Slot(name="outcome", takes=Takes.OUTCOME, led_by=("as",)),
            _TOPICS,
            _AT,
        ),
        form="close",
        example="close 42 as passed on, complaint",
    ),
    Verb(
        name="thanks",
        does="Close a mention that is just thanks, without a clock",
        group=Group.WORK,
        slots=(_MENTION,),
        aliases=("just thanks",),
        example="thanks 42",
    ),
    Verb(
        name="reopen",
        does="Open a closed mention again",
        group=Group.WORK,
        slots=(_MENTION,),
        clear=Clear.NONE,
        example="reopen 42",
    ),
    Verb(
        name="undo",
        does="Take back what you did last",
        group=Group.WORK,
        slots=(_MENTION,),
        clear=Clear.UNASKED,
        example="undo",
        more="For a few minutes, and only while nobody has acted since.",
    ),
    # --- give to somebody else ---
    Verb(
        name="hand over",
        does="Give everything that you claimed, or one mention, to the team or to one person",
        group=Group.HAND,
        slots=(_MENTION, Slot(name="person", takes=Takes.PERSON, required=False, led_by=("to",))),
        aliases=("handover", "hand-over"),
        clear=Clear.UNASKED,
        example="hand over to Ana",
    ),
    Verb(
        name="assign",
        does="Give a mention to a person",
        group=Group.HAND,
        slots=(_MENTION, Slot(name="person", takes=Takes.PERSON, led_by=("to",))),
        aliases=("give",),
        may=May.OWNER,
        form="assign",
        example="assign 42 to Ana",
    ),
    Verb(
        name="move",
        does="Move a mention to another team",
        group=Group.HAND,
        slots=(_MENTION, Slot(name="team", takes=Takes.TEAM, led_by=("to",))),
        form="move",
        example="move 42 to children",
    ),
    # --- more ---
    Verb(
        name="note",
        does="Leave a note for colleagues; the patron never sees it",
        group=Group.MORE,
        slots=(_MENTION, Slot(name="text", takes=Takes.WORDS)),
        form="note",
        example="note 42 she means the branch in the park",
    ),
    Verb(
        name="private",
        does="Keep the patron's words out of the channel",
        group=Group.MORE,
        slots=(_MENTION,),
        aliases=("keep private", "hide"),
        example="private 42",
        more="The owner, managers and those named for it can still read them.",
    ),
    Verb(
        name="public",
        does="Show the patron's words in the channel again",
        group=Group.MORE,
        slots=(_MENTION,),
        aliases=("make public",),
        may=May.TRUSTED,
        example="public 42",
        more="What the patron wrote privately is never shown in an open channel.",
    ),
    Verb(
        name="read",
        does="Read privately what is kept out of the channel",
        group=Group.MORE,
        slots=(_MENTION,),
        aliases=("read privately",),
        may=May.TRUSTED,
        example="read 42",
        more="That you read it is kept in its history.",
    ),
    Verb(
        name="link",
        does="Join two mentions of one matter: one owner, both to be answered",
        group=Group.MORE,
        slots=(
            _MENTION,
            Slot(name="other", takes=Takes.MENTION, led_by=("to", "with", "and"), like="43"),
        ),
        form="link",
        example="link 42 to 43",
    ),
    Verb(
        name="unlink",
        does="Part a mention from those it is linked to",
        group=Group.MORE,
        slots=(_MENTION,),
        example="unlink 42",
    ),
    Verb(
        name="expects",
        does="Say that a mention expects an answer: it gets a clock",
        group=Group.MORE,
        slots=(_MENTION,),
        aliases=("expects answer", "expects an answer"),
        example="expects 42",
    ),
    Verb(
        name="heard",
        does="Say that a mention expects no answer: its clock ends",
        group=Group.MORE,
        slots=(_MENTION,),
        aliases=("no clock",),
        example="heard 42",
    ),
    Verb(
        name="log",
        does="Log what came by phone, on paper or at the desk",
        group=Group.MORE,
        slots=(Slot(name="text", takes=Takes.WORDS),),
        aliases=("log a mention",),
        clear=Clear.NONE,
        form="log",
        example="log A caller asks for large print by post",
    ),
    *CONTACT_VERBS,
    *CLOCK_VERBS,
    *FIGURE_VERBS,
)

# Verbs that only a button of a storm's card names; `storm` is the number of the storm.
_STORM = Slot(name="storm", takes=Takes.WORDS, help="the storm's number")
BUTTONS: tuple[Verb, ...] = (
    *FIGURE_BUTTONS,
    Verb(
        name="take next",
        does="Claim the next five of a storm",
        group=Group.WORK,
        slots=(_STORM,),
        clear=Clear.NONE,
        hidden=True,
    ),
    Verb(
        name="close all",
        does="Close what nobody has claimed of a storm",
        group=Group.WORK,
        slots=(_STORM, Slot(name="outcome", takes=Takes.OUTCOME)),
        clear=Clear.NONE,
        form="close_all",
        hidden=True,
    ),
    Verb(
        name="storm",
        does="Show the mentions of a storm one by one",
        group=Group.SEE,
        slots=(_STORM,),
        changes=False,
        clear=Clear.NONE,
        hidden=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A control that is not a verb's own name: a verb with something said, or asked first.

    `asks`: it opens its form whatever value comes with it, as nothing may be done by a press alone.
    """

    verb: str
    said: Mapping[str, str] = field(default_factory=dict)
    form: str = ""
    asks: bool = False


# Names of controls are for ever: they stand in messages that were posted long ago.
PRESSES: dict[str, Press] = {
    "answered": Press(verb="done", form="answered"),
    # On one mention it hands over that one; on a list of one's own, all of them.
    "hand_over": Press(verb="hand over", form="hand_over"),
    "reply": Press(verb="reply", form="reply", asks=True),
    "mute": Press(verb="mute", form="mute"),
    "stats_by": Press(verb="stats"),
    "stats_chart": Press(verb="stats"),
    "not_for_us": Press(verb="close", said={"outcome": Outcome.NOT_FOR_US.value}),
}

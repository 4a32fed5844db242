"""The verbs of taking and finishing, and of giving to somebody else."""

from __future__ import annotations

from staffbot.commands.registry import MENTION, Clear, Group, May, Slot, Takes, Verb

_TOPICS = Slot(name="topics", takes=Takes.TOPICS, required=False, help="idea, thanks, ...")
_AT = Slot(
    name="at",
    takes=Takes.MOMENT,
    required=False,
    led_by=("at",),
    help="when it was answered",
    like="14:30",
)

WORK_VERBS: tuple[Verb, ...] = (
    Verb(
        name="claim",
        does="Take a mention: you will answer it",
        group=Group.WORK,
        slots=(MENTION,),
        aliases=("take",),
        clear=Clear.UNCLAIMED,
        example="claim 42",
        more="In chat, a raised hand on the card does the same; taking it back undoes nothing.",
    ),
    Verb(
        name="release",
        does="Give back a mention that you claimed",
        group=Group.WORK,
        slots=(MENTION,),
        aliases=("unclaim", "give back", "drop"),
        may=May.OWNER,
        example="release 42",
    ),
    Verb(
        name="done",
        does="Close a mention as answered",
        group=Group.WORK,
        slots=(MENTION, _TOPICS, _AT),
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
            MENTION,
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
        slots=(MENTION,),
        aliases=("just thanks",),
        example="thanks 42",
    ),
    Verb(
        name="reopen",
        does="Open a closed mention again",
        group=Group.WORK,
        slots=(MENTION,),
        clear=Clear.NONE,
        example="reopen 42",
        more="It goes back to the team, and an answer is owed from now on, also where none was.",
    ),
    Verb(
        name="undo",
        does="Take back what you did last",
        group=Group.WORK,
        slots=(MENTION,),
        clear=Clear.UNASKED,
        example="undo",
        more="For a few minutes, and only while nobody has acted since.",
    ),
)

HAND_VERBS: tuple[Verb, ...] = (
    Verb(
        name="hand over",
        does="Give everything that you claimed, or one mention, to the team or to one person",
        group=Group.HAND,
        slots=(MENTION, Slot(name="person", takes=Takes.PERSON, required=False, led_by=("to",))),
        aliases=("handover", "hand-over"),
        clear=Clear.UNASKED,
        example="hand over to Ana",
    ),
    Verb(
        name="assign",
        does="Give a mention to a person",
        group=Group.HAND,
        slots=(MENTION, Slot(name="person", takes=Takes.PERSON, led_by=("to",))),
        aliases=("give",),
        may=May.OWNER,
        form="assign",
        example="assign 42 to Ana",
    ),
    Verb(
        name="move",
        does="Move a mention to another team",
        group=Group.HAND,
        slots=(MENTION, Slot(name="team", takes=Takes.TEAM, led_by=("to",))),
        form="move",
        example="move 42 to children",
    ),
)

"""The verbs about one mention besides: notes, privacy, links, clocks, what is logged."""

from __future__ import annotations

from staffbot.commands.registry import MENTION, Clear, Group, May, Slot, Takes, Verb

MORE_VERBS: tuple[Verb, ...] = (
    Verb(
        name="note",
        does="Leave a note for colleagues; the patron never sees it",
        group=Group.MORE,
        slots=(MENTION, Slot(name="text", takes=Takes.WORDS)),
        form="note",
        example="note 42 she means the branch in the park",
    ),
    Verb(
        name="private",
        does="Keep the patron's words out of the channel",
        group=Group.MORE,
        slots=(MENTION,),
        aliases=("keep private", "hide"),
        example="private 42",
        more="The owner, managers and those named for it can still read them.",
    ),
    Verb(
        name="public",
        does="Show the patron's words in the channel again",
        group=Group.MORE,
        slots=(MENTION,),
        aliases=("make public",),
        may=May.TRUSTED,
        example="public 42",
        more="What the patron wrote privately is never shown in an open channel.",
    ),
    Verb(
        name="read",
        does="Read privately what is kept out of the channel",
        group=Group.MORE,
        slots=(MENTION,),
        aliases=("read privately",),
        may=May.TRUSTED,
        example="read 42",
        allowed="Its words can be read",
        more="That you read it is kept in its history.",
    ),
    Verb(
        name="link",
        does="Join two mentions of one matter: one owner, both to be answered",
        group=Group.MORE,
        slots=(
            MENTION,
            Slot(name="other", takes=Takes.MENTION, led_by=("to", "with", "and"), like="43"),
        ),
        form="link",
        example="link 42 to 43",
    ),
    Verb(
        name="unlink",
        does="Part a mention from those it is linked to",
        group=Group.MORE,
        slots=(MENTION,),
        example="unlink 42",
    ),
    Verb(
        name="expects",
        does="Say that a mention expects an answer: it gets a clock",
        group=Group.MORE,
        slots=(MENTION,),
        aliases=("expects answer", "expects an answer"),
        example="expects 42",
    ),
    Verb(
        name="heard",
        does="Say that a mention expects no answer: its clock ends",
        group=Group.MORE,
        slots=(MENTION,),
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
)

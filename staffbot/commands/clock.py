"""The verbs of the clock: opening hours, not now, away, what a person sets, how the program does."""

from __future__ import annotations

from staffbot.commands.registry import MENTION, Clear, Group, May, Slot, Takes, Verb

CLOCK_VERBS: tuple[Verb, ...] = (
    Verb(
        name="snooze",
        does="No reminders of a mention until then; its clock goes on",
        group=Group.CLOCK,
        slots=(
            MENTION,
            Slot(name="until", takes=Takes.MOMENT, led_by=("until", "for"), like="2h"),
        ),
        form="snooze",
        example="snooze 42 until tomorrow",
        more="Times: 2h, 16:30, tomorrow, mon 9am, opening; or patron, to wait for the patron.",
    ),
    Verb(
        name="wait",
        does="Wait for the patron: the answer clock stops until they write",
        group=Group.CLOCK,
        slots=(MENTION,),
        aliases=("waiting", "waiting for patron"),
        example="wait 42",
    ),
    Verb(
        name="wake",
        does="End a snooze, or the waiting for the patron",
        group=Group.CLOCK,
        slots=(MENTION,),
        example="wake 42",
    ),
    Verb(
        name="still",
        does="Say that you are still on a mention",
        group=Group.CLOCK,
        slots=(MENTION,),
        aliases=("still on it",),
        example="still 42",
    ),
    Verb(
        name="takeover",
        does="Take a mention whose owner is away",
        group=Group.CLOCK,
        slots=(MENTION,),
        aliases=("take over",),
        clear=Clear.NONE,
        example="takeover 42",
    ),
    Verb(
        name="away",
        does="Be away until then: nothing is assigned to you, no reminders",
        group=Group.CLOCK,
        slots=(Slot(name="until", takes=Takes.MOMENT, led_by=("until",), like="mon 9am"),),
        clear=Clear.NONE,
        form="away",
        example="away until mon 9am",
        more="What you have claimed is offered to the team.",
    ),
    Verb(
        name="back",
        does="Be here again",
        group=Group.CLOCK,
        clear=Clear.NONE,
        example="back",
    ),
    Verb(
        name="hours",
        does="Show the opening hours, or announce a closure or an extra opening",
        group=Group.CLOCK,
        slots=(
            Slot(
                name="change",
                takes=Takes.WORDS,
                required=False,
                like='close today "burst pipe"',
            ),
        ),
        clear=Clear.NONE,
        example="hours close until 15:00",
        more="Also: hours open sun 10:00-14:00, hours close eastside tomorrow. Without a team, all "
        "teams are meant. Due times move at once, and the channel is told.",
    ),
    Verb(
        name="settings",
        does="Show or change how you are reminded, and how you sign",
        group=Group.CLOCK,
        slots=(Slot(name="setting", takes=Takes.WORDS, required=False, like="nags channel"),),
        clear=Clear.NONE,
        example="settings quiet 12:00-13:00",
        more="nags direct, nags channel, quiet 12:00-13:00, quiet off, sign Ana, sign off, "
        "platform slack.",
    ),
    Verb(
        name="health",
        does="Show whether everything works, and what does not",
        group=Group.SEE,
        changes=False,
        clear=Clear.NONE,
        example="health",
    ),
    Verb(
        name="resend",
        does="Try again what could not be delivered, once its cause is mended",
        group=Group.SEE,
        slots=(MENTION,),
        aliases=("send again",),
        may=May.LEAD,
        clear=Clear.UNASKED,
        example="resend",
        more="With a number only the posts about that mention. What was given up, and why, stands in "
        "health.",
    ),
)

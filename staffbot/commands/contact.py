"""The verbs about the patron: answer them, point them to a service, what was before, not for a while."""

from __future__ import annotations

from staffbot.commands.registry import MENTION, Clear, Group, May, Slot, Takes, Verb

# Pressed on a card that says that nobody can tell.
CONTACT_BUTTONS: tuple[Verb, ...] = (
    Verb(
        name="it was sent",
        does="Say that an answer arrived of which nobody could tell",
        group=Group.PATRON,
        slots=(MENTION,),
        may=May.OWNER,
        hidden=True,
    ),
    Verb(
        name="send it again",
        does="Send an answer again that did not arrive",
        group=Group.PATRON,
        slots=(MENTION,),
        may=May.OWNER,
        hidden=True,
    ),
)

CONTACT_VERBS: tuple[Verb, ...] = (
    Verb(
        name="reply",
        does="Answer the patron on their network, from here",
        group=Group.PATRON,
        slots=(MENTION, Slot(name="text", takes=Takes.WORDS)),
        aliases=("answer",),
        may=May.OWNER,
        form="reply",
        example="reply 42 Yes, on Sundays too!",
        more="Where the network allows it and [replies] is switched on. Without a text, a form is "
        "opened that shows the patron's words. It goes out once, and cannot be taken back.",
    ),
    Verb(
        name="services",
        does="List the library's services with their links, to point patrons to",
        group=Group.PATRON,
        slots=(Slot(name="service", takes=Takes.WORDS, required=False),),
        aliases=("service",),
        changes=False,
        clear=Clear.NONE,
        example="services",
    ),
    Verb(
        name="history",
        does="Show earlier contact with the author: how often, when, how it ended, with whom",
        group=Group.PATRON,
        slots=(MENTION,),
        aliases=("earlier contact", "contact"),
        changes=False,
        example="history 42",
    ),
    Verb(
        name="mute",
        does="Give an author's new posts no card and no clock for a while",
        group=Group.PATRON,
        slots=(
            MENTION,
            Slot(name="author", takes=Takes.WORDS, required=False, like="@author"),
            Slot(
                name="until",
                takes=Takes.MOMENT,
                required=False,
                led_by=("until", "for"),
                like="30d",
            ),
        ),
        clear=Clear.UNASKED,
        example="mute @author for 7d",
        more="For 30 days where no end is said; alone it lists who is muted. Their posts are kept "
        "and counted all the same.",
    ),
    Verb(
        name="unmute",
        does="End the muting of an author",
        group=Group.PATRON,
        slots=(MENTION, Slot(name="author", takes=Takes.WORDS, required=False, like="@author")),
        clear=Clear.UNASKED,
        example="unmute @author",
    ),
)

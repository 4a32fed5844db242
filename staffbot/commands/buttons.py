"""The verbs that only a button names, and what a control's name stands for where it is no verb's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from staffbot.commands.contact import CONTACT_BUTTONS
from staffbot.commands.figures import FIGURE_BUTTONS
from staffbot.commands.registry import Clear, Group, Slot, Takes, Verb
from staffbot.model import Outcome

# Verbs that only a button of a storm's card names; `storm` is the number of the storm.
_STORM = Slot(name="storm", takes=Takes.WORDS, help="the storm's number")
BUTTONS: tuple[Verb, ...] = (
    *FIGURE_BUTTONS,
    *CONTACT_BUTTONS,
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

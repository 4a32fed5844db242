"""The verbs of figures."""

from __future__ import annotations

from staffbot.commands.registry import Clear, Group, Slot, Takes, Verb

_WHAT = Slot(
    name="what", takes=Takes.WORDS, required=False, like="30d by source chart",
    help="days, grouping, chart, csv, me",
)  # fmt: skip

FIGURE_VERBS: tuple[Verb, ...] = (
    Verb(
        name="stats",
        does="Show how much came in, and how quickly it was answered",
        group=Group.SEE,
        slots=(_WHAT,),
        aliases=("statistics", "figures", "report", "how are we doing"),
        changes=False,
        clear=Clear.NONE,
        example="stats month by source",
        more=(
            "Days: 7d, 3 months, last quarter, november, q3 2025, since monday, 1 Nov to 15 Nov, "
            "2026-01-01..2026-03-31. Groups: by source, team, "
            "person, outcome, topic, hour, day, week or month. Add chart, csv, all for every team, "
            "or me for your own."
        ),
    ),
)

# Pressed on an answer; not typed, as it shows to a room what one person was shown.
FIGURE_BUTTONS: tuple[Verb, ...] = (
    Verb(
        name="share stats",
        does="Share these figures in this channel",
        group=Group.SEE,
        slots=(_WHAT,),
        clear=Clear.NONE,
        hidden=True,
    ),
)

"""The one registry of verbs. A new verb is one entry in a file beside this and one function in
`dispatch`.

Help, completion, Slack's manifest and Discord's command tree are made from it.
"""

from __future__ import annotations

from staffbot.commands.clock import CLOCK_VERBS
from staffbot.commands.contact import CONTACT_VERBS
from staffbot.commands.figures import FIGURE_VERBS
from staffbot.commands.more import MORE_VERBS
from staffbot.commands.registry import Verb
from staffbot.commands.seeing import SEE_VERBS
from staffbot.commands.working import HAND_VERBS, WORK_VERBS

VERBS: tuple[Verb, ...] = (
    *SEE_VERBS,
    *WORK_VERBS,
    *HAND_VERBS,
    *MORE_VERBS,
    *CONTACT_VERBS,
    *CLOCK_VERBS,
    *FIGURE_VERBS,
)

"""What `staffbot init` asks, and the config.toml it writes. Pure: the command line asks and writes.

What it makes of answers without a `wrong` word is a file that `staffbot check` accepts, once the
variables of `variables` are set.

questions  what is asked, and what is wrong with an answer      written  the file
"""

from staffbot.starter.questions import (
    Question,
    defaulted,
    next_question,
    wrong_answers,
)
from staffbot.starter.written import WEBHOOK_SECRET, config_text, variables

__all__ = [
    "WEBHOOK_SECRET", "Question", "config_text", "defaulted", "next_question", "variables",
    "wrong_answers",
]  # fmt: skip

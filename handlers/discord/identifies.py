"""How often the gateway may be greeted: Discord takes 1,000 in 24 hours and then resets the token."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from staffbot.errors import StaffbotError

# A hundred at once and one each hundred seconds are at most 964 in any 24 hours.
AT_ONCE = 100
ONE_EACH_SECONDS = 100.0
# Of what Discord has left, so much is kept for whoever mends what makes the program begin again.
KEPT_SHARE = 0.05


class NoGreetingsLeft(StaffbotError):
    """Discord itself says that nearly all of the day's greetings are used up."""

    def __init__(self, remaining: int, seconds: float) -> None:
        hours, minutes = divmod(int(seconds) // 60, 60)
        super().__init__(
            f"Discord takes only {remaining} more greetings of this bot and resets its token after "
            f"that, so it is greeted again in {hours} h {minutes} min. Something makes staffbot, or "
            "another program with this token, begin again and again: look at its log"
        )


def few_left(limit: Mapping[str, Any]) -> bool:
    """Whether `session_start_limit` of Discord's leaves no more than what is kept."""
    return int(limit["remaining"]) <= int(limit["total"]) * KEPT_SHARE


class Identifies:
    """A bucket that fills by itself; `now` counts real seconds and never goes back. `linger`: for how
    long a client that may not greet is up all the same."""

    def __init__(self, now: Callable[[], float] = time.monotonic, linger: float = 60.0) -> None:
        self.linger = linger
        self._now = now
        self._left = float(AT_ONCE)
        self._at = now()

    def take(self) -> float:
        """Take one. Returns for how many seconds to wait before it is used."""
        now = self._now()
        self._left = min(AT_ONCE, self._left + (now - self._at) / ONE_EACH_SECONDS)
        self._at = now
        self._left -= 1
        return max(0.0, -self._left * ONE_EACH_SECONDS)

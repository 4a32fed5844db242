"""How often the gateway may be greeted: Discord takes 1,000 in 24 hours and then resets the token."""

from __future__ import annotations

import time
from collections.abc import Callable

# A hundred at once and one each hundred seconds are at most 964 in any 24 hours.
AT_ONCE = 100
ONE_EACH_SECONDS = 100.0


class Identifies:
    """A bucket that fills by itself; `now` counts real seconds and never goes back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
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

"""A box to write as a patron, beside the channel: the demo brings one, a library has none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class PatronBox(Protocol):
    """Carries what is written in the box to the library, as the patron's network would."""

    def opened(self, address: str) -> None:
        """The page is served at this address from now on."""
        ...

    def networks(self) -> Sequence[tuple[str, str]]:
        """Where a patron may write: (value, label)."""
        ...

    async def write(self, *, network: str, name: str, text: str, private: bool) -> str:
        """Send it; a sentence for whoever wrote it. Raises StaffbotError where it did not arrive."""
        ...

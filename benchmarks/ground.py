"""What the benchmarks of one run share: a temporary folder, how thorough to be, one long history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import history


@dataclass(slots=True, kw_only=True)
class Ground:
    """`quick` only shows that everything works: on little data, and too few turns for a verdict.

    unclaimed  mentions of the history that nobody has claimed yet, each handed out once
    """

    folder: Path
    quick: bool = False
    unclaimed: Iterator[int] = field(init=False)
    _history: Path | None = field(default=None)

    def __post_init__(self) -> None:
        # One for the whole run: what one benchmark has claimed, no other can.
        self.unclaimed = iter(history.open_numbers(self.size))

    @property
    def size(self) -> int:
        """How many mentions the history has."""
        return 10_000 if self.quick else 1_000_000

    def turns(self, full: int) -> int:
        """How often to repeat."""
        return max(1, full // 50) if self.quick else full

    def history(self) -> Path:
        """The database with two years of mentions, made once."""
        if self._history is None:
            path = self.folder / "history.db"
            history.make(path, self.size)
            self._history = path
        return self._history

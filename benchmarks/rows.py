"""One line of the performance table: what was measured, what the floor took in the same run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`measured` and `floor` in `unit`; `limit` is the ratio that is promised, if any is.

    `means` is one sentence for a library; `against` says what the floor is.
    """

    name: str
    measured: float
    floor: float | None = None
    limit: float | None = None
    unit: str = "ms"
    means: str = ""
    against: str = ""

    @property
    def ratio(self) -> float | None:
        return self.measured / self.floor if self.floor else None

    @property
    def ok(self) -> bool:
        return self.ratio is None or self.limit is None or self.ratio <= self.limit

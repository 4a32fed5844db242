"""Figures as a CSV file: safe to open in a spreadsheet, no patron's word in it. Counts nothing."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from staffbot.stats import saying
from staffbot.stats.counting import By
from staffbot.stats.figures import Figures, Times

BOM = "\ufeff"
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = frozenset("=+-@\t\r\n")
_HEADER = (
    "Group", "From", "To", "Received", "Expecting an answer", "Heard", "Claimed", "Answered",
    "Closed", "Reopened", "Open now", "Overdue now",
    "Claims measured (n)", "Time to claim, median (min)", "Time to claim, 90th percentile (min)",
    "Claimed within target (%)",
    "Answers measured (n)", "Time to first answer, median (min)",
    "Time to first answer, 90th percentile (min)", "Answered within target (%)",
)  # fmt: skip

_COUNTS = (
    "received", "expecting", "heard", "claimed", "answered", "closed", "reopened", "open",
    "overdue",
)  # fmt: skip

Cell = str | int | float | None


def table(figures: Figures, what: str, *, zone: ZoneInfo, bom: bool = True) -> bytes:
    """The whole and each group in one line, then the counting rule. Days are those of `zone`.

    The mark at the beginning tells spreadsheets that it is UTF-8. Empty: too few to say.
    """
    days = _days(figures, zone)
    lines: list[Sequence[Cell]] = [_HEADER, _line(what, days, figures)]
    lines += [_line(group.label, days, group.figures, figures.by) for group in figures.groups]
    lines.append((saying.rule(figures.by),))
    return ((BOM if bom else "") + written(lines)).encode()


def written(lines: Iterable[Sequence[Cell]]) -> str:
    """Lines of a CSV, every cell quoted and none a formula."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(
        [guarded(cell) for cell in line] for line in lines
    )
    return out.getvalue()


def guarded(cell: Cell) -> str:
    """A cell as text that no spreadsheet computes: what looks like a formula gets an apostrophe.

    Also after spaces and marks that cannot be seen, and in the wide forms of the signs.
    """
    if not isinstance(cell, str):
        return "" if cell is None else str(cell)
    text = cell.replace("\0", "")
    seen = next((letter for letter in text if not _unseen(letter)), "")
    dangerous = text[:1] in _FORMULA or unicodedata.normalize("NFKC", seen)[:1] in _FORMULA
    return f"'{text}" if dangerous else text


def _unseen(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in ("Cf", "Cc", "Zs")


def _days(figures: Figures, zone: ZoneInfo) -> tuple[str, str]:
    """First and last day, both counted, as the library's calendar has them."""
    last = figures.end - timedelta(microseconds=1)
    return f"{figures.start.astimezone(zone).date()}", f"{last.astimezone(zone).date()}"


def _line(
    label: str, days: tuple[str, str], figures: Figures, by: By | None = None
) -> tuple[Cell, ...]:
    """One line; `by` is set for that of a group, which has not every figure."""
    left_out = _left_out(figures, by)
    counts = tuple(None if name in left_out else getattr(figures, name) for name in _COUNTS)
    return (
        label, *days, *counts, *_times(figures.to_claim), *_times(figures.to_answer),
    )  # fmt: skip


def _left_out(figures: Figures, by: By | None) -> tuple[str, ...]:
    """The counts that are empty, as they say nothing of such a group: not zero."""
    if by in (By.OUTCOME, By.TOPIC):
        return tuple(name for name in _COUNTS if name != "closed")
    if by is By.PERSON or figures.person is not None:
        return ("received", "expecting", "heard", "reopened")
    return ("open", "overdue") if by is not None and by.of_time else ()


def _times(times: Times) -> tuple[Cell, ...]:
    if times.median is None or times.ninetieth is None or times.share is None:
        return times.n, None, None, None
    return (
        times.n, round(times.median.total_seconds() / 60, 1),
        round(times.ninetieth.total_seconds() / 60, 1), round(times.share * 100, 1),
    )  # fmt: skip

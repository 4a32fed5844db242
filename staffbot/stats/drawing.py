"""Figures as a drawing, and the sentences that say what it shows. Pure; draws nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from staffbot.stats import saying
from staffbot.stats.counting import By
from staffbot.stats.figures import Figures, Group

# More groups than this cannot be read side by side.
_MOST = 20
_DAYS, _WEEKS = 31, 27 * 7


def over_time(start: datetime, end: datetime) -> By:
    """The stretches that a chart of these days is made of."""
    days = (end - start).days
    return By.DAY if days <= _DAYS else By.WEEK if days <= _WEEKS else By.MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What `draw` is told, as plain values, and the alternative text of the picture."""

    values: dict[str, Any]
    alt: str


def drawing(figures: Figures, what: str, target: timedelta | None) -> Drawing | None:
    """The chart of grouped figures; None where there is nothing to draw.

    `target` is that of an answer, where all that is shown has the same one.
    """
    if figures.by is None or not figures.groups:
        return None
    if figures.by.of_time:
        values = _over_time(figures, figures.by, target)
    else:
        values = _side_by_side(figures, figures.by)
    values |= {"title": _cut(what, 72), "subtitle": _subtitle(figures)}
    return Drawing(values=values, alt=_alt(figures, figures.by, what))


def _over_time(figures: Figures, by: By, target: timedelta | None) -> dict[str, Any]:
    groups = figures.groups
    hours = [None if by is By.HOUR else _hours(group) for group in groups]
    line = None
    # One point alone is no line, and what is too few to say is not drawn either.
    if sum(value is not None for value in hours) > 1:
        line = {
            "values": hours,
            "label": "median time to first answer, in hours of opening time",
            "target": target / timedelta(hours=1) if target else None,
            "target_label": f"target {saying.open_time(target)}" if target else "",
        }
    return {
        "over_time": True,
        "labels": [_short(group.label, by) for group in groups],
        "bars": [
            {"label": label, "values": [getattr(group.figures, name) for group in groups]}
            for name, label in _shown(figures, by)
        ],
        "line": line,
    }


def _side_by_side(figures: Figures, by: By) -> dict[str, Any]:
    groups = figures.groups[:_MOST]
    bars: list[dict[str, Any]] = []
    for name, label in _shown(figures, by):
        values = [getattr(group.figures, name) for group in groups]
        notes = [f"{value:,}" for value in values]
        if name == "answered":
            notes = [note + _note(group) for note, group in zip(notes, groups, strict=True)]
        bars.append({"label": label, "values": values, "notes": notes})
    return {
        "over_time": False, "labels": [_cut(group.label, 30) for group in groups], "bars": bars,
        "line": None,
    }  # fmt: skip


def _shown(figures: Figures, by: By) -> tuple[tuple[str, str], ...]:
    """What is drawn of each group: its name and what it is called."""
    if by in (By.OUTCOME, By.TOPIC):
        return (("closed", "closed"),)
    if by is By.PERSON or figures.person is not None:
        return (("claimed", "claimed"), ("answered", "answered"))
    return (("received", "came in"), ("answered", "answered"))


def _note(group: Group) -> str:
    median = group.figures.to_answer.median
    return f", median {saying.open_time(median)}" if median is not None else ""


def _hours(group: Group) -> float | None:
    median = group.figures.to_answer.median
    return None if median is None else median / timedelta(hours=1)


def _subtitle(figures: Figures) -> str:
    return f"First answer: {saying.times(figures.to_answer)}; opening time only"


def _short(label: str, by: By) -> str:
    """A stretch of time as an axis can bear it: 3 Mar for Tue 3 Mar and for week of 3 Mar."""
    return label.split(" ", 1)[1].removeprefix("of ") if by in (By.DAY, By.WEEK) else label


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


# --- in words -----------------------------------------------------------------------------------


def _alt(figures: Figures, by: By, what: str) -> str:
    counts = ", ".join(
        f"{getattr(figures, name):,} {called}" for name, called in _shown(figures, by)
    )
    said = [f"Chart by {by.value}. {what}: {counts}."]
    if figures.to_answer.median is None:
        said.append(f"Time to first answer: {saying.times(figures.to_answer)}.")
    else:
        said.append(f"Time to first answer in opening time: {saying.times(figures.to_answer)}.")
    said += _trend(figures, by) if by.of_time and by is not By.HOUR else _extremes(figures, by)
    return " ".join(said)


def _trend(figures: Figures, by: By) -> list[str]:
    """What went up or down, between the halves and between the first and the last that can be said."""
    groups = figures.groups
    middle = len(groups) // 2
    said = []
    if middle:
        name, called = _shown(figures, by)[0]
        before = sum(getattr(group.figures, name) for group in groups[:middle])
        after = sum(getattr(group.figures, name) for group in groups[-middle:])
        said.append(f"First half: {before:,} {called}; second half: {after:,}.")
    known = [group for group in groups if group.figures.to_answer.median is not None]
    if len(known) > 1:
        first, last = known[0], known[-1]
        from_, to = first.figures.to_answer.median, last.figures.to_answer.median
        assert from_ is not None
        assert to is not None
        went = "rose" if to > from_ else "fell" if to < from_ else "stayed the same"
        said.append(
            f"The median time to first answer {went}: {saying.open_time(from_)} ({first.label}), "
            f"{saying.open_time(to)} ({last.label})."
        )
    return said


def _extremes(figures: Figures, by: By) -> list[str]:
    name, did = _shown(figures, by)[0]
    # Nobody is singled out as the one who did most.
    if by is By.PERSON:
        return [f"{len(figures.groups)} people are shown, by name."]
    most = max(figures.groups, key=lambda group: getattr(group.figures, name))
    return [f"Most {did}: {most.label} ({getattr(most.figures, name):,})."]

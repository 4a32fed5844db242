"""Figures in words: one sentence, the lines under it, and the counting rule. Pure; counts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from staffbot.stats.counting import By
from staffbot.stats.figures import Figures, Group, Times
from staffbot.words import count

TOO_FEW = "too few to say"
# Longer lists than this are cut in a chat; the CSV has them all.
_MOST = 40

RULE = (
    "How it is counted: everything at the time when it happened, for the team that had it then; "
    "what was undone is left out. Times are in opening time, up to the first claim and the first "
    "answer, of mentions that expect an answer; an answer while closed counts zero, waiting for "
    "the patron does not count. Reopened mentions count again. Open and overdue are as of now. "
    "Fewer than 5: too few to say."
)
_RULES = {
    By.PERSON: "A claim counts for whoever has the mention, an answer for who gave it. Shared desk "
    "logins are left out, so the lines may add up to less than the whole.",
    By.OUTCOME: "Outcomes are those given when a mention was closed.",
    By.TOPIC: "Topics are those given when a mention was closed; one with two topics is in both.",
    By.HOUR: "Hours are local ones.",
}


def rule(by: By | None) -> str:
    """How it is counted, in plain words."""
    return f"{RULE} {_RULES[by]}" if by in _RULES else RULE


def open_time(span: timedelta) -> str:
    """Opening time in hours and minutes: no days, as a day of it is not 24 hours."""
    minutes = round(span.total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min"


def percent(share: float) -> str:
    """Never 100 % where one was late, never 0 % where one was not."""
    whole = round(share * 100)
    if whole == 100 and share < 1:
        whole = 99
    if whole == 0 and share > 0:
        whole = 1
    return f"{whole} %"


def headline(figures: Figures, what: str) -> str:
    """One sentence that says it all. `what` is whose figures of which days."""
    if figures.person is not None:
        did = (
            f"{figures.claimed:,} claimed, {figures.answered:,} answered, {figures.closed:,} closed"
        )
        return f"{what}: {did}{_within(figures)}."
    return (
        f"{what}: {figures.received:,} came in{_expecting(figures)}; "
        f"{figures.answered:,} answered{_within(figures)}."
    )


def _expecting(figures: Figures) -> str:
    if not figures.received:
        return ""
    all_ = figures.expecting == figures.received > 1
    return f", {'all' if all_ else f'{figures.expecting:,}'} expecting an answer"


def _within(figures: Figures) -> str:
    share = figures.to_answer.share
    return "" if share is None else f", {percent(share)} within target"


def pairs(figures: Figures) -> tuple[tuple[str, str], ...]:
    """Each figure with its label."""
    came = (
        f"{figures.received:,} ({figures.expecting:,} expecting an answer, {figures.heard:,} heard)"
    )
    again = f", {figures.reopened:,} reopened" if figures.reopened else ""
    did = f"{figures.claimed:,} claimed, {figures.answered:,} answered, {figures.closed:,} closed"
    return (
        *((("Came in", came),) if figures.person is None else ()),
        ("Done", did + (again if figures.person is None else "")),
        ("Open now", _open(figures)),
        ("Time to claim", times(figures.to_claim)),
        ("Time to first answer", times(figures.to_answer)),
        ("Answered within target", within(figures.to_answer)),
    )


def _open(figures: Figures) -> str:
    if not figures.open:
        return "nothing"
    overdue = f"{figures.overdue:,} of them overdue" if figures.overdue else "none overdue"
    return f"{figures.open:,}, {overdue}"


def times(measured: Times) -> str:
    """median 1 h 20 min, nine of ten within 3 h (n = 23)"""
    if measured.median is None or measured.ninetieth is None:
        return _too_few(measured)
    return (
        f"median {open_time(measured.median)}, "
        f"nine of ten within {open_time(measured.ninetieth)} (n = {measured.n:,})"
    )


def within(measured: Times) -> str:
    """21 of 23 (91 %)"""
    if measured.share is None:
        return _too_few(measured)
    return f"{measured.within:,} of {measured.n:,} ({percent(measured.share)})"


def _too_few(measured: Times) -> str:
    return f"{TOO_FEW} (n = {measured.n})" if measured.n else "none yet"


def lines(figures: Figures) -> tuple[str, ...]:
    """Each group in one line, in the order in which they were counted."""
    if figures.by is None:
        return ()
    said = [f"{group.label}: {_line(group.figures, figures.by)}" for group in shown(figures)]
    left = len(shown(figures, most=None)) - len(said)
    return (
        (*said, f"and {count(left, 'more line', 'more lines')}; the CSV has all")
        if left
        else (*said,)
    )


def shown(figures: Figures, most: int | None = _MOST) -> Sequence[Group]:
    """The groups that are said; of stretches of time the last ones."""
    if figures.by is not None and figures.by.of_time and most is not None:
        return figures.groups[-most:]
    return figures.groups[:most]


def _line(figures: Figures, by: By) -> str:
    if by in (By.OUTCOME, By.TOPIC):
        return f"{figures.closed:,} closed"
    # Nothing comes in for a person: they claim it.
    of_one = by is By.PERSON or figures.person is not None
    first = f"{figures.claimed:,} claimed" if of_one else f"{figures.received:,} came in"
    said = [first, f"{figures.answered:,} answered"]
    if by in (By.PERSON, By.SOURCE, By.TEAM) and figures.open:
        said.append(f"{figures.open:,} open now")
    answered = figures.to_answer
    if answered.median is not None and answered.share is not None:
        said.append(
            f"first answer median {open_time(answered.median)}, "
            f"{percent(answered.share)} within target (n = {answered.n:,})"
        )
    elif answered.n:
        said.append(f"times {TOO_FEW} (n = {answered.n})")
    return ", ".join(said)

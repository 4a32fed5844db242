"""Figures as a Message, for who asked or for a whole room. Pure; counts and draws nothing."""

from __future__ import annotations

from staffbot.messages import (
    Bullets,
    Button,
    Chart,
    Choice,
    Control,
    Facts,
    File,
    Heading,
    Message,
    Paragraph,
    Part,
)
from staffbot.settings import Settings
from staffbot.stats import saying
from staffbot.stats.counting import By
from staffbot.stats.figures import Figures
from staffbot.stats.question import Question

_SPANS = (
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
    ("month", "This month"),
    ("last month", "Last month"),
    ("quarter", "This quarter"),
    ("last quarter", "Last quarter"),
)


def about(question: Question, settings: Settings, name: str = "") -> str:
    """Whose figures of which days; `name` is that of a person who asked for their own."""
    if question.me:
        whose = f"{name}'s figures"
    elif len(settings.teams) == 1:
        whose = settings.library
    elif question.whose == "all":
        whose = f"{settings.library}, all teams"
    else:
        whose = ", ".join(settings.team(key).name for key in question.teams)
    return f"{whose}, {question.stretch.label}"


def answer(
    figures: Figures,
    question: Question,
    *,
    what: str,
    chart: Chart | None = None,
    no_chart: str = "",
    file: File | None = None,
    controls: tuple[Control, ...] = (),
) -> Message:
    """The figures with n and the counting rule. `what` comes from `about`."""
    parts: list[Part] = [
        Heading(text=what),
        Facts(pairs=tuple((label, (said,)) for label, said in saying.pairs(figures))),
    ]
    if figures.by is not None:
        lines = saying.lines(figures) or ("Nothing to show.",)
        parts += [
            Paragraph(line=(f"By {figures.by.value}",)),
            Bullets(lines=tuple((line,) for line in lines)),
        ]
    if chart is not None:
        parts.append(chart)
    if no_chart:
        parts.append(Paragraph(line=(no_chart,)))
    if file is not None:
        parts.append(file)
    parts.append(Paragraph(line=(saying.rule(figures.by),), quiet=True))
    return Message(
        text=saying.headline(figures, what), parts=tuple(parts), controls=controls, silent=True
    )


def controls(question: Question, *, may_share: bool, groups: tuple[By, ...]) -> tuple[Control, ...]:
    """Other days, other groups, a chart, and *Share here* where there is a room to share it in."""
    found: list[Control] = []
    if may_share:
        found.append(Button(name="share_stats", label="Share here", value=question.fixed()))
    if not question.chart:
        found.append(Button(name="stats_chart", label="Chart", value=f"{question.text} chart"))
    found.append(
        Choice(
            name="stats",
            label="Other days",
            options=tuple((question.typed(span), label) for span, label in _SPANS),
        )
    )
    if groups:
        plain = Question(
            span=question.span, stretch=question.stretch, teams=question.teams, me=question.me,
            zone=question.zone, whose=question.whose, chart=question.chart,
        )  # fmt: skip
        found.append(
            Choice(
                name="stats_by",
                label="Group by",
                options=tuple((f"{plain.text} by {by}", by.value.capitalize()) for by in groups),
            )
        )
    return tuple(found)

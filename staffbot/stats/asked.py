"""From a question to its answer: counts, draws, tabulates. Decides nobody's rights."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from staffbot.messages import Chart, Control, File, Message
from staffbot.model import Person
from staffbot.settings import Settings
from staffbot.stats.answer import about, answer
from staffbot.stats.drawing import drawing, over_time
from staffbot.stats.figures import Figures, figures
from staffbot.stats.picture import NoPicture, painter
from staffbot.stats.question import Question
from staffbot.stats.table import table


def message(
    conn: Connection,
    settings: Settings,
    question: Question,
    *,
    now: datetime,
    person: Person | None = None,
    controls: tuple[Control, ...] = (),
    bom: bool = True,
) -> Message:
    """The answer to a question; with `person`, what that staff member did."""
    by = question.by
    if by is None and question.chart:
        by = over_time(question.stretch.start, question.stretch.end)
    found = figures(
        conn, settings, start=question.stretch.start, end=question.stretch.end, now=now,
        teams=question.teams, by=by, person=person.key if person else None,
    )  # fmt: skip
    what = about(question, settings, person.name if person else "")
    chart, no_chart = _chart(settings, question, found, what) if question.chart else (None, "")
    # Stretches that nobody asked for are in the picture only.
    said = found if question.by is not None else replace(found, by=None, groups=())
    file = None
    if question.csv:
        content = table(said, what, zone=question.zone, bom=bom)
        file = File(name="figures.csv", content=content, label="The figures as a CSV file")
    return answer(
        said, question, what=what, chart=chart, no_chart=no_chart, file=file, controls=controls
    )


def _chart(
    settings: Settings, question: Question, found: Figures, what: str
) -> tuple[Chart | None, str]:
    """The picture, or why there is none."""
    targets = {target for key in question.teams for target in settings.team(key).targets}
    one = next(iter(targets)).answer_within if len(targets) == 1 else None
    plan = drawing(found, what, one)
    if plan is None:
        return None, "There is nothing to draw."
    picture = painter(settings.data / "charts").paint(plan)
    if isinstance(picture, NoPicture):
        return None, picture.why
    return Chart(png=picture, alt=plan.alt, name="figures.png"), ""

"""What a daily digest says. Pure: facts to a Message. No patron's word, and nobody named as late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from staffbot.messages import (
    Bullets,
    Button,
    Control,
    Facts,
    Heading,
    Line,
    Message,
    Paragraph,
    Part,
    Row,
)
from staffbot.model import Status
from staffbot.nags import nameless
from staffbot.queues import Lists, Waits, queue_line
from staffbot.words import count, duration, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The program did not run from `since` to `until`; `caught_up` mentions came in afterwards."""

    since: datetime
    until: datetime
    caught_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """What a digest tells of, counted from `since` up to `until`.

    within, measured   answers within target, of so many that owed one (None: too few to say)
    needs_now          what was overdue, or to be taken before closing, when it was made; `settled`
                       says how many of all of them somebody took or closed since
    topics             how often each of ideas and thanks was closed with
    """

    team: str
    zone: ZoneInfo
    since: datetime
    until: datetime
    received: int
    heard: int
    answered: int
    closed: int
    within: int | None
    measured: int
    needs_now: Lists
    waiting_for_patron: int
    topics: Mapping[str, int]
    troubles: Sequence[str]
    gone: Gone | None
    settled: int = 0
    figures_only: bool = False

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to say."""
        counted = self.received or self.answered or self.closed or self.waiting_for_patron
        return not (counted or self.needs_now.total or self.troubles or self.gone)


def digest(facts: DigestFacts) -> Message:
    """The day's digest, or one quiet line where there is nothing to say."""
    if facts.nothing:
        return Message(
            text=f"Good morning, {facts.team}. Nothing came in and nothing is due.", silent=True
        )
    text = f"Good morning, {facts.team}. {_needing(facts)}"
    parts: list[Part] = [*_gone(facts), _counts(facts)]
    if not facts.figures_only:
        parts += _needs(facts)
    parts += _troubles(facts)
    controls: tuple[Control, ...] = (
        Button(name="queue", label="Show the queue"),
        Button(name="stats", label="Figures of 7 days", value="7d"),
    )
    return Message(text=text, parts=tuple(parts), controls=controls)


def _needing(facts: DigestFacts) -> str:
    left = facts.needs_now.total - facts.settled
    if left > 0:
        return f"{count(left, 'mention needs', 'mentions need')} someone now."
    if facts.needs_now.total:
        return "Everything that needed someone is taken care of."
    return "Nothing needs someone right now."


def _gone(facts: DigestFacts) -> list[Part]:
    if facts.gone is None:
        return []
    gone = facts.gone
    said = (
        f"I was not running from {moment(gone.since, facts.zone)} to "
        f"{moment(gone.until, facts.zone)} ({duration(gone.until - gone.since)}) and caught up "
        f"with {count(gone.caught_up, 'mention')} since."
    )
    return [Paragraph(line=(said,))]


def _counts(facts: DigestFacts) -> Part:
    pairs: list[tuple[str, Line]] = [
        ("Since", (moment(facts.since, facts.zone),)),
        ("Came in", (_came_in(facts),)),
        ("Answered", (_answered(facts),)),
        ("Closed", (str(facts.closed),)),
    ]
    if facts.waiting_for_patron:
        pairs.append(("Waiting for a patron", (str(facts.waiting_for_patron),)))
    pairs += [(topic.capitalize(), (str(times),)) for topic, times in facts.topics.items() if times]
    return Facts(pairs=tuple(pairs))


def _came_in(facts: DigestFacts) -> str:
    heard = f", {facts.heard} of them only heard" if facts.heard else ""
    return f"{facts.received}{heard}"


def _answered(facts: DigestFacts) -> str:
    if facts.within is None:
        few = " (too few for a share)" if facts.measured else ""
        return f"{facts.answered}{few}"
    return f"{facts.answered}, {facts.within} of {facts.measured} within target"


def _needs(facts: DigestFacts) -> list[Part]:
    if not facts.needs_now.total:
        return []
    parts: list[Part] = [Heading(text="Needs someone now")]
    parts += [
        Row(
            line=_line(row, facts),
            mention=row.mention.number,
            controls=_controls(row),
        )
        for row in facts.needs_now.rows
    ]
    more = facts.needs_now.total - len(facts.needs_now.rows)
    if more > 0:
        parts.append(Paragraph(line=(f"and {more:,} more",), quiet=True))
    return parts


def _line(row: Waits, facts: DigestFacts) -> Line:
    """The state in words, as far as it is not open, and no name."""
    line = nameless(queue_line(row, facts.zone, facts.until))
    match row.mention.status:
        case Status.OPEN:
            return line
        case Status.CLAIMED:
            return ("Claimed: ", *line)
        case Status.CLOSED:
            return ("Done: ", line[0])


def _controls(row: Waits) -> tuple[Control, ...]:
    number = row.mention.number
    show = Button(name="show", label="Show", mention=number)
    if row.mention.status is Status.OPEN:
        return (Button(name="claim", label="Claim", mention=number, primary=True), show)
    return (show,)


def _troubles(facts: DigestFacts) -> list[Part]:
    if not facts.troubles:
        return []
    lines = tuple((said,) for said in facts.troubles)
    return [Heading(text="Needs the person who looks after staffbot"), Bullets(lines=lines)]

"""The one live card of a storm. Pure; a patron's word stands at most in the quoted subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from staffbot.messages import (
    Button,
    Control,
    Facts,
    Heading,
    Message,
    Paragraph,
    Part,
    Quote,
    When,
)
from staffbot.words import (
    count,
    duration,
    listed,
    moment,
    sentence,
)

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StormFacts:
    """Many mentions at once, shown as one live card.

    `subject` is the title that most of them share or answer, untrusted; empty where there is none.
    """

    storm: int
    team: str
    zone: ZoneInfo
    began_at: datetime
    last_at: datetime
    calmed_at: datetime | None
    total: int
    unclaimed: int
    claimed: int
    networks: Sequence[tuple[str, int]]
    subject: str = ""


def storm_card(facts: StormFacts) -> Message:
    """One card for all of them; the next five at a time, or all closed at once."""
    where = f" for {facts.team}" if facts.team else ""
    lasted = facts.last_at - facts.began_at
    within = duration(lasted) if lasted >= _MINUTE else "a minute"
    mentions = count(facts.total, "mention")
    closed = facts.total - facts.unclaimed - facts.claimed
    stand = f"{facts.unclaimed} unclaimed, {facts.claimed} claimed, {closed} closed"
    began = When(at=facts.began_at, plain=moment(facts.began_at, facts.zone))
    lines: list[Part] = [
        Heading(text=f"{mentions} at once{where}"),
        Paragraph(line=("Since ", began, f", within {within}.")),
        *([Quote(text=facts.subject, label="Most are about")] if facts.subject else []),
        Facts(
            pairs=(
                ("State", (stand,)),
                ("From", (listed([f"{name} {many}" for name, many in facts.networks]),)),
            )
        ),
    ]
    if facts.calmed_at is not None:
        calmed = When(at=facts.calmed_at, plain=moment(facts.calmed_at, facts.zone))
        lines.append(Paragraph(line=("It calmed down ", calmed, "."), quiet=True))
    done = not facts.unclaimed and not facts.claimed
    return Message(
        text=sentence(f"{mentions} came at once{where}: {stand}"),
        parts=tuple(lines),
        controls=() if done else _storm_controls(facts),
        collapsed=done,
    )


def _storm_controls(facts: StormFacts) -> tuple[Control, ...]:
    value = str(facts.storm)
    take = Button(
        name="take_next",
        label=f"Take next {min(5, facts.unclaimed)}",
        value=value,
        primary=True,
    )
    close = Button(name="close_all", label="Close all…", value=value, danger=True)
    show = Button(name="storm", label="Show them", value=value)
    return (take, show, close) if facts.unclaimed else (show, close)

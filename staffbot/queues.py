"""Lists of mentions for whoever asks: the queue, what they have claimed, a storm. Pure Messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from staffbot.messages import (
    Button,
    Control,
    Heading,
    Line,
    Message,
    Paragraph,
    Part,
    Row,
    When,
    Who,
    say,
)
from staffbot.model import Mention, Status
from staffbot.words import count, kind_on, moment, number


class Waits(Protocol):
    """A line of a queue, as `desk.reading` finds it."""

    @property
    def mention(self) -> Mention: ...
    @property
    def network(self) -> str: ...
    @property
    def owner(self) -> Who | None: ...


class Lists(Protocol):
    """The first rows of a list and how many there are in all."""

    @property
    def rows(self) -> Sequence[Waits]: ...
    @property
    def total(self) -> int: ...


def queue(
    *,
    unclaimed: Lists,
    claimed: Lists,
    heard: Lists,
    zone: ZoneInfo,
    team: str,
    now: datetime,
) -> Message:
    """What waits for someone, the most urgent first."""
    where = f" for {team}" if team else ""
    text = (
        f"{count(unclaimed.total, 'mention')} unclaimed, {claimed.total} claimed, "
        f"{heard.total} only heard{where}."
    )
    if not (unclaimed.total or claimed.total or heard.total):
        return say(f"Nothing waits{where}. Well done.")
    parts: list[Part] = []
    for heading, listing in (
        ("Unclaimed", unclaimed), ("Claimed", claimed), ("Heard, no clock", heard),
    ):  # fmt: skip
        if listing.total:
            parts += [Heading(text=f"{heading}: {listing.total}"), *_rows(listing, zone, now)]
    return Message(text=text, parts=tuple(parts))


def mine(listing: Lists, *, zone: ZoneInfo, now: datetime) -> Message:
    """What the asker has claimed."""
    look = Button(name="queue", label="Show the queue")
    if not listing.total:
        return say("You have claimed nothing.", controls=[look])
    hand = Button(name="hand_over", label="Hand all over")
    return Message(
        text=f"You have {count(listing.total, 'mention')}.",
        parts=_rows(listing, zone, now),
        controls=(look, hand),
    )


def storm(listing: Lists, *, zone: ZoneInfo, now: datetime) -> Message:
    """The open mentions of a storm, one by one."""
    if not listing.total:
        return say("All of them are closed.")
    return Message(
        text=f"{count(listing.total, 'mention')} still open.", parts=_rows(listing, zone, now)
    )


def _rows(listing: Lists, zone: ZoneInfo, now: datetime) -> tuple[Part, ...]:
    rows: list[Part] = [
        Row(
            line=queue_line(row, zone, now), mention=row.mention.number, controls=_row_controls(row)
        )
        for row in listing.rows
    ]
    left = listing.total - len(listing.rows)
    if left > 0:
        rows.append(Paragraph(line=(f"and {left:,} more",), quiet=True))
    return tuple(rows)


def _row_controls(row: Waits) -> tuple[Control, ...]:
    show = Button(name="show", label="Show", mention=row.mention.number)
    if row.mention.status is Status.OPEN:
        return (
            Button(name="claim", label="Claim", mention=row.mention.number, primary=True),
            show,
        )
    return (show,)


def queue_line(row: Waits, zone: ZoneInfo, now: datetime) -> Line:
    """#42 · review on Mastodon · Ana · answer by Tue 3 Mar 14:30, 20 min over."""
    mention = row.mention
    line: list[str | When | Who] = [
        f"{number(mention.number)} · {kind_on(mention.kind, row.network)}"
    ]
    if row.owner is not None:
        line += [" · ", row.owner]
    due = mention.answer_due_at
    verb = "answer by"
    if mention.status is Status.OPEN and mention.claim_due_at is not None:
        due, verb = mention.claim_due_at, "claim by"
    if mention.waiting_since is not None:
        line.append(" · waits for the patron")
    elif due is not None:
        line += [f" · {verb} ", When(at=due, plain=moment(due, zone))]
        if due <= now:
            line.append(" (overdue)")
    if mention.private:
        line.append(" · private")
    return tuple(line)

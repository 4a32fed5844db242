"""What a reminder says: to an owner, to managers, to a channel. Pure Messages; nobody named as late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from staffbot.messages import (
    Bullets,
    Button,
    Choice,
    Control,
    Line,
    Message,
    Paragraph,
    Part,
    Row,
    Span,
    Who,
)
from staffbot.model import Status
from staffbot.queues import Lists, Waits, queue_line
from staffbot.words import count, listed, moment

ControlsOf = Callable[[Waits], tuple[Control, ...]]

# What a snooze offers: the value is what people could type.
SNOOZES = (
    ("1h", "for 1 hour"),
    ("3h", "for 3 hours"),
    ("opening", "until the next opening"),
    ("patron", "until the patron writes"),
)

# A question names no more numbers than can be read at a glance; the rows have them all.
_NUMBERS_AT_MOST = 5


def owner_nag(
    owed: Lists, *, late: int, asked: Sequence[int], zone: ZoneInfo, now: datetime
) -> Message:
    """Everything that a person owes, in one message. `asked`: claims without any act for a day."""
    text = f"You have {count(owed.total, 'mention')} to answer"
    if owed.total == 1:
        text += "; it is past its target." if late else "; it is due soon."
    else:
        text += f", {late} of them past the target." if late else "; the first is due soon."
    parts = _rows(owed, zone, now, _owner_controls, named=False)
    if asked:
        which = listed([str(number) for number in asked])
        if len(asked) > _NUMBERS_AT_MOST:
            which = "them" if len(asked) == owed.total else f"{len(asked)} of them"
        question = f"Are you still on {which}?"
        it, goes = ("it", "it goes") if len(asked) == 1 else ("them", "they go")
        # What happens otherwise is said before it does.
        otherwise = (
            f"Nothing was done about {it} for a day. After another, {goes} back to the team."
        )
        text = f"{text} {question}" if late else question
        parts = (Paragraph(line=(otherwise,), quiet=True), *parts)
    return Message(
        text=text,
        parts=parts,
        controls=(Button(name="mine", label="Show mine"),),
    )


def _owner_controls(row: Waits) -> tuple[Control, ...]:
    number = row.mention.number
    return (
        Button(name="still", label="Still on it", mention=number, primary=True),
        Choice(name="snooze", label="Snooze", options=SNOOZES, mention=number),
        Button(name="hand_over", label="Hand over", mention=number),
    )


def manager_nag(found: Lists, *, teams: Sequence[str], zone: ZoneInfo, now: datetime) -> Message:
    """What has waited well past its target, for those who can do something about it."""
    text = f"{count(found.total, 'mention')} of {listed(teams)} waited well past the target."
    return Message(
        text=text,
        parts=_rows(found, zone, now, _manager_controls),
        controls=(Button(name="queue", label="Show the queue"),),
    )


def _manager_controls(row: Waits) -> tuple[Control, ...]:
    number = row.mention.number
    assign = Button(name="assign", label="Assign", mention=number, primary=True)
    show = Button(name="show", label="Show", mention=number)
    if row.mention.status is Status.OPEN:
        return (assign, Button(name="claim", label="Claim", mention=number), show)
    return (assign, show)


def _rows(
    found: Lists, zone: ZoneInfo, now: datetime, controls: ControlsOf, *, named: bool = True
) -> tuple[Part, ...]:
    """`named`: whether a line says who has it, which the owner knows."""
    rows: list[Part] = []
    for row in found.rows:
        line = queue_line(row, zone, now)
        rows.append(
            Row(
                line=line if named else nameless(line),
                mention=row.mention.number,
                controls=controls(row),
            )
        )
    left = found.total - len(found.rows)
    if left > 0:
        rows.append(Paragraph(line=(f"and {left:,} more",), quiet=True))
    return tuple(rows)


def channel_line(
    *,
    numbers: Sequence[int],
    total: int,
    overdue: int,
    offered: Sequence[int],
    next_due_at: datetime | None,
    zone: ZoneInfo,
) -> Message:
    """The one line about what nobody has taken. `offered`: a colleague's who is away."""
    if not total:
        return Message(text="Everything that came in is taken.", silent=True)
    text = f"{count(total, 'mention waits', 'mentions wait')} for someone to take"
    text += " it" if total == 1 else " them"
    details = []
    if overdue:
        details.append(f"{overdue} past the target")
    if next_due_at is not None:
        details.append(f"the next is due by {moment(next_due_at, zone)}")
    if offered:
        details.append(f"{len(offered)} of a colleague who is away")
    text += f": {listed(details)}." if details else "."
    shown = ", ".join(f"#{number}" for number in numbers)
    more = f" and {total - len(numbers)} more" if total > len(numbers) else ""
    first = numbers[0]
    take = (
        Button(name="takeover", label=f"Take over #{first}", mention=first)
        if first in offered
        else Button(name="claim", label=f"Claim #{first}", mention=first)
    )
    return Message(
        text=text,
        parts=(Paragraph(line=(f"{shown}{more}",), quiet=True),),
        controls=(Button(name="queue", label="Show the queue", primary=True), take),
    )


def past_line() -> Message:
    """What is left of the line of a day before, once there is a newer one."""
    return Message(
        text="What waited here is in the newest line below.",
        controls=(Button(name="queue", label="Show the queue"),),
        silent=True,
        collapsed=True,
    )


def room_nag(found: Lists, *, late: int, zone: ZoneInfo, now: datetime) -> Message:
    """A reminder in the channel, for a desk login or who wants it there: numbers, no names."""
    text = f"{count(found.total, 'claimed mention is', 'claimed mentions are')} to be answered"
    if late:
        text += "; it is past its target" if found.total == 1 else f", {late} past the target"
    return _in_the_room(f"{text}.", found, zone, now)


def room_escalation(found: Lists, *, zone: ZoneInfo, now: datetime) -> Message:
    """The manager step in the channel, where a manager wants it there: numbers, no names."""
    return _in_the_room(
        f"{count(found.total, 'mention')} waited well past the target.", found, zone, now
    )


def _in_the_room(text: str, found: Lists, zone: ZoneInfo, now: datetime) -> Message:
    lines = tuple(nameless(queue_line(row, zone, now)) for row in found.rows)
    return Message(
        text=text,
        parts=(Bullets(lines=lines),),
        controls=(Button(name="queue", label="Show the queue"),),
    )


def nameless(line: Line) -> Line:
    """The line without who has it: nobody is named as late where others read it."""
    kept: list[Span] = []
    for span in line:
        if isinstance(span, Who):
            # the dot before it
            kept = kept[:-1] if kept and kept[-1] == " · " else kept
        else:
            kept.append(span)
    return tuple(kept)


def offer(name: str, until: datetime, found: Lists, *, zone: ZoneInfo, now: datetime) -> Message:
    """What is left of a colleague's who is away, each with a button to take it over."""

    def take(row: Waits) -> tuple[Control, ...]:
        number = row.mention.number
        return (Button(name="takeover", label="Take over", mention=number, primary=True),)

    away = f"{name} is away until {moment(until, zone)}."
    return Message(
        text=f"{away} Who takes {count(found.total, 'mention')} over?",
        parts=_rows(found, zone, now, take),
    )


def past_offer(text: str) -> Message:
    """What stands in place of an offer of which nothing is to be taken any more."""
    return Message(text=text, silent=True)

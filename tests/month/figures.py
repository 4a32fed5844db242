"""An independent count of what happened, from the raw events in plain Python: no SQL that groups."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from staffbot.desk.ledger import Tx
from staffbot.tables import events


@dataclass(slots=True)
class Count:
    received: int = 0
    heard: int = 0
    claimed: int = 0
    answered: int = 0
    closed: int = 0
    reopened: int = 0
    within: int = 0
    to_answer: list[int] = field(default_factory=list)
    to_claim: list[int] = field(default_factory=list)
    topics: Counter[str] = field(default_factory=Counter)


def counted(tx: Tx, start: datetime, end: datetime) -> Count:
    """What happened from `start` up to, not including, `end`, without what was undone."""
    found = Count()
    for event in tx.conn.execute(select(events).order_by(events.c.id)):
        if event.undone_by is not None or not start <= event.at < end:
            continue
        match event.what:
            case "received":
                found.received += 1
                found.heard += not event.detail["expects"]
            case "claimed" | "assigned" | "handed_over":
                if event.detail["before"]["claimed_at"] is None:
                    found.claimed += 1
                    if event.within_target is not None:
                        found.to_claim.append(event.open_seconds)
            case "answered":
                found.answered += 1
                if event.within_target is not None:
                    found.to_answer.append(event.open_seconds)
                    found.within += event.within_target
            case "closed":
                found.closed += 1
                found.topics.update(event.detail["topics"])
            case "reopened":
                found.reopened += 1
            case _:
                pass
    return found


def middle(values: list[int]) -> float:
    """The median, by hand."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2

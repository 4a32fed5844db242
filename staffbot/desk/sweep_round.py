"""What one sweep gathers before it speaks, and how what was told is written down. Decides nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert

from staffbot.desk.ledger import Tx
from staffbot.desk.reaching import Reaches
from staffbot.model import Happened, Mention, Person
from staffbot.reminders import AUDIENCE, Audience, Reach, Step, silent_since
from staffbot.settings import Team
from staffbot.tables import events, nags

Item = tuple[Mention, Step]


@dataclass(slots=True, kw_only=True)
class Round:
    """What one sweep gathers before it speaks: a person is sent one message for everything."""

    staff: list[Person]
    reaches: Reaches
    unsent: tuple[str, ...]
    owed: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    escalated: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    put_off: dict[int, datetime] = field(default_factory=dict)
    marks: list[tuple[Mention, Step, str, int | None]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def wait(self, mention: Mention, until: datetime) -> None:
        """What cannot be told now is looked at again then; the earliest moment counts."""
        known = self.put_off.get(mention.number)
        self.put_off[mention.number] = until if known is None else min(known, until)

    def mark(self, mention: Mention, step: Step, recipient: str, post: int | None = None) -> None:
        self.marks.append((mention, step, recipient, post))

    def reach(self, key: str, team: Team) -> Reach:
        return self.reaches.of(key, team)

    def waits(self, prefix: str) -> bool:
        """Whether a nag whose key begins so is wanted and not in hand yet."""
        return any(key.startswith(prefix) for key in self.unsent)


def name_of_step(mention: Mention, step: Step) -> str:
    """What a step is kept as. A stale claim may be asked about again after another act."""
    if step in (Step.STILL_ON_IT, Step.GIVE_BACK):
        return f"{step}@{mention.owner}@{silent_since(mention):%Y%m%dT%H%M%S%f}"
    if AUDIENCE[step] is Audience.OWNER:
        return f"{step}@{mention.owner}"
    return step


def write_down(tx: Tx, gathered: Round) -> None:
    """Each step that was told, and the event of it, in two statements."""
    if not gathered.marks:
        return
    tx.conn.execute(
        insert(nags),
        [
            {
                "mention": mention.number, "cycle": mention.cycle, "step": name_of_step(mention, step),
                "recipient": recipient, "at": tx.now, "post": post,
            }
            for mention, step, recipient, post in gathered.marks
        ],
    )  # fmt: skip
    tx.conn.execute(
        insert(events),
        [
            {
                "at": tx.now, "done_at": tx.now, "what": Happened.NAGGED,
                "mention": mention.number, "cycle": mention.cycle, "team": mention.team,
                "source": mention.source, "detail": {"step": step, "told": recipient},
            }
            for mention, step, recipient, _ in gathered.marks
        ],
    )  # fmt: skip

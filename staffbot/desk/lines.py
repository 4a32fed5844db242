"""The one line of a room about what nobody has taken: edited in place, never one a mention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from staffbot.desk import pulse
from staffbot.desk.ledger import Tx, mention_of
from staffbot.desk.mailroom import say_now, want
from staffbot.desk.posted import Post, by_key
from staffbot.desk.showing import rooms
from staffbot.model import Mention, Room, Status
from staffbot.reminders import Step, step_times
from staffbot.settings import Team
from staffbot.tables import mentions, people

# So many numbers are named; the others are counted.
NAMED = 12
# No warning is due longer before its target than this, however long the library is shut meanwhile.
_AHEAD = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for somebody in a team, from the moment when its warning is due.

    `numbers` are the most urgent, of `total`; `offered` those whose owner is away.
    """

    numbers: tuple[int, ...]
    total: int
    overdue: int
    offered: tuple[int, ...]
    next_due_at: datetime | None

    @property
    def said(self) -> list[Any]:
        """What tells one state of it from another, as a post keeps it."""
        due = self.next_due_at.isoformat() if self.next_due_at else ""
        return [list(self.numbers), self.total, self.overdue, list(self.offered), due]


def waiting(tx: Tx, team: Team) -> Waiting:
    """Unclaimed mentions whose warning is due, and such of an owner who is away.

    What is late is counted by the database, so that a long list costs little.
    """
    unclaimed = _unsilenced(tx, team) & (mentions.c.status == Status.OPEN)
    late = unclaimed & (mentions.c.claim_due_at <= tx.now)
    total_late = _count(tx, late)
    warned = _warned(tx, team, unclaimed & (mentions.c.claim_due_at > tx.now), Step.CLAIM_WARN)
    offered = _warned(tx, team, _of_the_away(tx, team), Step.ANSWER_WARN)
    named = [*_first(tx, late), *warned, *offered]
    coming = [due for m in (*warned, *offered) if (due := _due(m)) is not None and due > tx.now]
    return Waiting(
        numbers=tuple(m.number for m in named[:NAMED]),
        total=total_late + len(warned) + len(offered),
        overdue=total_late + sum((_due(m) or tx.now) <= tx.now for m in offered),
        offered=tuple(m.number for m in offered),
        next_due_at=min(coming, default=None),
    )


def _unsilenced(tx: Tx, team: Team) -> ColumnElement[bool]:
    """Of this team, owing an answer, and neither snoozed nor waiting for the patron."""
    return (
        (mentions.c.team == team.key)
        & mentions.c.expects_answer
        & mentions.c.answered_at.is_(None)
        & mentions.c.waiting_since.is_(None)
        & (mentions.c.snoozed_until.is_(None) | (mentions.c.snoozed_until <= tx.now))
    )


def _of_the_away(tx: Tx, team: Team) -> ColumnElement[bool]:
    away = select(people.c.key).where(people.c.away_until > tx.now)
    return (
        _unsilenced(tx, team) & (mentions.c.status == Status.CLAIMED) & mentions.c.owner.in_(away)
    )


def _count(tx: Tx, where: ColumnElement[bool]) -> int:
    return tx.conn.execute(select(func.count()).select_from(mentions).where(where)).scalar_one()


def _first(tx: Tx, where: ColumnElement[bool]) -> list[Mention]:
    rows = tx.conn.execute(
        select(mentions)
        .where(where)
        .order_by(mentions.c.answer_due_at, mentions.c.number)
        .limit(NAMED)
    )
    return [mention_of(row) for row in rows]


def _warned(tx: Tx, team: Team, where: ColumnElement[bool], step: Step) -> list[Mention]:
    """Those whose warning is due. None is due longer before its target than the share says."""
    hours = tx.hours(team.key)
    owed = max(max(target.claim_within, target.answer_within) for target in team.targets)
    ahead = hours.add_open_time(tx.now, owed * (1 - min(team.nagging.warn_at, 1)))
    horizon = ahead or tx.now + _AHEAD
    due = mentions.c.claim_due_at if step is Step.CLAIM_WARN else mentions.c.answer_due_at
    rows = tx.conn.execute(
        select(mentions)
        .where(where, due <= horizon)
        .order_by(mentions.c.answer_due_at, mentions.c.number)
    )
    found = map(mention_of, rows.all())
    return [
        mention
        for mention in found
        if (at := step_times(team, hours, mention).get(step)) is not None and at <= tx.now
    ]


def _due(mention: Mention) -> datetime | None:
    return mention.claim_due_at if mention.status is Status.OPEN else mention.answer_due_at


def refresh(tx: Tx, team: Team) -> int:
    """Bring a team's line in each room to what is so now. Returns how many new ones were wanted.

    There is a new one each local day on which anything waits, so that it stands near what is talked
    about, and only while the doors are open; that of the day before says that it is over.
    """
    now = waiting(tx, team)
    hours = tx.hours(team.key)
    day = hours.local(tx.now).date()
    new = 0
    for room in rooms(team):
        key = f"line:{team.key}:{room}:{day}"
        post = by_key(tx, key)
        if post is None and now.total and hours.is_open(tx.now):
            _begin(tx, team, room, key, now)
            new += 1
            continue
        last = post or _last(tx, team, room)
        if last is not None and last.detail.get("said") != now.said and not _is_moot(last, now):
            say_now(tx, last.id, {"said": now.said})
    return new


def _is_moot(post: Post, now: Waiting) -> bool:
    """It was never shown and there is nothing to say."""
    return post.state == "dropped" and not now.total


def _begin(tx: Tx, team: Team, room: Room, key: str, now: Waiting) -> None:
    before = _last(tx, team, room)
    if before is not None:
        say_now(tx, before.id, {"over": True})
    want(
        tx, key=key, kind="line", room=room, platform=room.platform, team=team.key,
        detail={"said": now.said},
    )  # fmt: skip
    pulse.keep(tx, _fact(team, room), key)


def _last(tx: Tx, team: Team, room: Room) -> Post | None:
    known = pulse.fact(tx, _fact(team, room))
    return None if known is None else by_key(tx, known[0])


def _fact(team: Team, room: Room) -> str:
    return f"line:{team.key}:{room}"

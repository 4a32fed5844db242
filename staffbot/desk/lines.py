"""The one line of a room about what nobody has taken: edited in place, never one a mention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from staffbot.desk.ledger import Tx, mention_of
from staffbot.desk.mailroom import by_key, restate, want
from staffbot.desk.showing import rooms
from staffbot.model import Mention, Status
from staffbot.reminders import Step, step_times
from staffbot.settings import Team
from staffbot.tables import mentions, people, posts

# No warning is due longer before its target than this, however long the library is shut meanwhile.
_AHEAD = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for somebody in a team: every number once its warning is due."""

    numbers: tuple[int, ...]
    overdue: tuple[int, ...]
    away: tuple[int, ...]
    next_due_at: datetime | None


def waiting(tx: Tx, team: Team) -> Waiting:
    """Unclaimed mentions whose warning is due, and late ones whose owner is away."""
    found = [
        mention
        for mention in _candidates(tx, team)
        if (at := _first(tx, team, mention)) is not None and at <= tx.now
    ]
    late = [m.number for m in found if (due := _due(m)) is not None and due <= tx.now]
    coming = [due for m in found if (due := _due(m)) is not None and due > tx.now]
    return Waiting(
        numbers=tuple(m.number for m in found),
        overdue=tuple(late),
        away=tuple(m.number for m in found if m.status is Status.CLAIMED),
        next_due_at=min(coming, default=None),
    )


def _candidates(tx: Tx, team: Team) -> list[Mention]:
    away = select(people.c.key).where(people.c.away_until > tx.now)
    rows = tx.conn.execute(
        select(mentions)
        .where(mentions.c.team == team.key, mentions.c.expects_answer)
        .where(
            (mentions.c.status == Status.OPEN)
            | ((mentions.c.status == Status.CLAIMED) & mentions.c.owner.in_(away))
        )
        .where(mentions.c.claim_due_at <= tx.now + _AHEAD)
        .order_by(mentions.c.answer_due_at, mentions.c.number)
    )
    return [mention_of(row) for row in rows]


def _first(tx: Tx, team: Team, mention: Mention) -> datetime | None:
    times = step_times(team, tx.hours(team.key), mention)
    return min(
        (at for step, at in times.items() if step in (Step.CLAIM_WARN, Step.ANSWER_WARN)),
        default=None,
    )


def _due(mention: Mention) -> datetime | None:
    return mention.claim_due_at if mention.status is Status.OPEN else mention.answer_due_at


def refresh(tx: Tx, team: Team) -> int:
    """Bring a team's line in each room to what is so now. Returns how many new ones were wanted.

    There is one a local day, so that it stands near what is talked about; that of a day before is
    left as it was last true.
    """
    now = waiting(tx, team)
    day = tx.hours(team.key).local(tx.now).date()
    said = [list(now.numbers), list(now.overdue)]
    new = 0
    for room in rooms(team):
        key = f"line:{team.key}:{room}:{day}"
        post = by_key(tx, key)
        if post is None and now.numbers:
            want(
                tx, key=key, kind="line", room=room, platform=room.platform, team=team.key,
                detail={"said": said},
            )  # fmt: skip
            new += 1
        elif post is not None and post.detail.get("said") != said:
            tx.conn.execute(
                update(posts).where(posts.c.id == post.id).values(detail={"said": said})
            )
            restate(tx, post.id)
    return new

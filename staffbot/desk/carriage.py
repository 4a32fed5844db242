"""Taking posts in hand, one of each room, under a lease in the database's real time. Knows no chat.

A post in doubt (`sending` past its deadline) is taken like any other, to be looked up by key first.
What became of a post is written back by delivery.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from staffbot.desk.ledger import Tx
from staffbot.desk.posted import Post, fields_of
from staffbot.tables import actors, posts


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Post):
    """A post in hand until `deadline`. `doubt`: an earlier call may have arrived, look it up first.

    `user_id` is where a direct message goes on its platform, "" where the person has no id there.
    """

    lane: str
    holder: str
    deadline: datetime
    doubt: bool
    user_id: str
    tries: int
    failing_since: datetime | None


def _due(tx: Tx, platforms: Collection[str], busy: Collection[str]) -> ColumnElement[bool]:
    blocked = select(posts.c.lane).where(
        posts.c.pending == 1,
        or_(
            and_(posts.c.holds_lane, posts.c.retry_at > tx.real_now),
            and_(posts.c.holder != "", posts.c.deadline > tx.real_now),
        ),
    )
    return and_(
        posts.c.pending == 1,
        posts.c.platform.in_(platforms),
        posts.c.not_before <= tx.now,
        or_(posts.c.retry_at.is_(None), posts.c.retry_at <= tx.real_now),
        or_(posts.c.deadline.is_(None), posts.c.deadline <= tx.real_now),
        posts.c.lane.not_in(busy),
        posts.c.lane.not_in(blocked),
    )


def due_in(tx: Tx, platforms: Collection[str], busy: Collection[str] = ()) -> timedelta | None:
    """How long until `take_due` finds something: zero for now, None while nothing waits in real time.

    A look that writes nothing. What waits for the desk's clock is not foreseen: look again.
    """
    if tx.conn.execute(select(posts.c.id).where(_due(tx, platforms, busy)).limit(1)).first():
        return timedelta()
    mine = and_(posts.c.pending == 1, posts.c.platform.in_(platforms), posts.c.lane.not_in(busy))
    rests = [
        tx.conn.scalar(select(func.min(moment)).where(mine, moment > tx.real_now))
        for moment in (posts.c.retry_at, posts.c.deadline)
    ]
    return min((rest - tx.real_now for rest in rests if rest is not None), default=None)


def take_due(
    tx: Tx,
    holder: str,
    platforms: Collection[str],
    limit: int,
    life: timedelta,
    busy: Collection[str] = (),
) -> list[Taken]:
    """Take the oldest due post of each lane that has none in hand, for `life` from now.

    `busy` lanes are left alone. Whoever else takes at the same moment gets none of the same posts.
    """
    _mend_deadlines(tx, life)
    oldest = (
        select(func.min(posts.c.id))
        .where(_due(tx, platforms, busy))
        .group_by(posts.c.lane)
        .order_by(func.min(posts.c.id))
        .limit(limit)
    )
    taken = (_take(tx, post, holder, life) for post in tx.conn.scalars(oldest).all())
    return [post for post in taken if post is not None]


def _take(tx: Tx, post: int, holder: str, life: timedelta) -> Taken | None:
    row = tx.conn.execute(select(posts).where(posts.c.id == post)).one()
    mine = f"{holder}/{secrets.token_hex(6)}"
    done = tx.conn.execute(
        update(posts)
        .where(posts.c.id == post, posts.c.state == row.state, posts.c.holder == row.holder)
        .where(posts.c.pending == 1, posts.c.key == row.key)
        .where(or_(posts.c.deadline.is_(None), posts.c.deadline <= tx.real_now))
        .values(
            state="sending" if row.state == "waiting" else row.state,
            holder=mine, deadline=tx.real_now + life,
        )
    )  # fmt: skip
    if done.rowcount != 1:
        return None
    user = select(actors.c.user_id).where(
        actors.c.person == row.person, actors.c.platform == row.platform
    )
    return Taken(
        **fields_of(row), lane=row.lane, holder=mine, deadline=tx.real_now + life,
        doubt=row.state == "sending", tries=row.tries,
        failing_since=row.failing_since,
        user_id=(tx.conn.scalars(user).first() or "") if row.person else "",
    )  # fmt: skip


def _mend_deadlines(tx: Tx, life: timedelta) -> None:
    # A clock that was set back leaves deadlines in a far future; none can be further than a life.
    tx.conn.execute(
        update(posts)
        .where(posts.c.pending == 1, posts.c.deadline > tx.real_now + 4 * life)
        .values(deadline=tx.real_now + life)
    )


def wanted_now(tx: Tx, post: Taken) -> int:
    """The revision that a rendering of this moment shows."""
    wanted: int = tx.conn.execute(select(posts.c.wanted).where(posts.c.id == post.id)).scalar_one()
    return wanted

"""The posts of the outbox as values, and what is asked about them. Writes nothing.

What is to be said is wanted in mailroom.py; whoever carries posts does so by carriage.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, select, true

from staffbot.desk.ledger import Tx
from staffbot.model import MessageRef, Room
from staffbot.tables import posts

# Kept at the newest state by edits; safe to send again, as what counts is that there is one.
LIVE = frozenset({"card", "storm", "line", "offer"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A row of the outbox, as whoever renders it needs it.

    `room` is None for a direct message, which goes to `person` on `platform`.
    """

    id: int
    key: str
    kind: str
    platform: str
    room: Room | None
    person: str | None
    team: str
    mention: int | None
    detail: dict[str, Any]
    wanted: int
    shown: int
    generation: int
    state: str
    silent: bool
    ref: MessageRef | None

    @property
    def live(self) -> bool:
        return self.kind in LIVE


def by_key(tx: Tx, key: str) -> Post | None:
    """The post of that outbox key."""
    row = tx.conn.execute(select(posts).where(posts.c.key == key)).one_or_none()
    return None if row is None else post_of(row)


def begun_with(tx: Tx, prefix: str) -> tuple[Post, ...]:
    """The posts about no single mention whose outbox key begins so."""
    rows = tx.conn.execute(
        # By the index of mentions, as that of keys does not serve a beginning of one.
        select(posts)
        .where(posts.c.mention.is_(None), posts.c.key.startswith(prefix, autoescape=True))
        .order_by(posts.c.id)
    )
    return tuple(post_of(row) for row in rows)


def of_ref(tx: Tx, ref: MessageRef) -> int | None:
    """The number of the mention whose post became this message: for reactions and threads."""
    return tx.conn.execute(
        select(posts.c.mention)
        .where(posts.c.platform == ref.room.platform)
        .where(posts.c.ref_room == ref.room.id, posts.c.ref_id == ref.id)
    ).scalar()


def oldest_unsent(tx: Tx) -> timedelta | None:
    """For how long the oldest post has been waiting that could have gone; None where none is.

    A post that waits for opening has not been waiting. Both clocks have to agree that it is late,
    as the desk's may run faster than real time.
    """
    rows = tx.conn.execute(
        select(posts.c.made_at, posts.c.not_before)
        .where(posts.c.pending == 1, posts.c.state.in_(("waiting", "sending")))
        .where(posts.c.not_before <= tx.now)
        .order_by(posts.c.made_at)
        .limit(200)
    )
    waits = [min(tx.real_now - row.made_at, tx.now - row.not_before) for row in rows]
    return max((max(wait, timedelta()) for wait in waits), default=None)


def counts(tx: Tx) -> dict[str, int]:
    """How many posts stand in each of the states that a person may have to look at."""
    looked_at = ("waiting", "sending", "parked", "unknown")
    rows = tx.conn.execute(
        select(posts.c.state, func.count())
        .where(posts.c.state.in_(looked_at))
        .group_by(posts.c.state)
    )
    return dict.fromkeys(looked_at, 0) | {state: int(number) for state, number in rows}


def parked(tx: Tx, mention: int | None = None) -> tuple[Post, ...]:
    """Posts that were given up (of one mention, where it is named), oldest first."""
    about = true() if mention is None else posts.c.mention == mention
    rows = tx.conn.execute(
        select(posts).where(posts.c.state == "parked", about).order_by(posts.c.id)
    )
    return tuple(post_of(row) for row in rows)


def post_of(row: Row[Any]) -> Post:
    """A row of `posts` as the value."""
    return Post(**fields_of(row))


def fields_of(row: Row[Any]) -> dict[str, Any]:
    """The fields of a Post, for it and for what builds on it."""
    room = Room(platform=row.platform, id=row.room) if row.room else None
    ref_room = Room(platform=row.platform, id=row.ref_room)
    return {
        "id": row.id, "key": row.key, "kind": row.kind, "platform": row.platform, "room": room,
        "person": row.person, "team": row.team, "mention": row.mention, "detail": row.detail,
        "wanted": row.wanted, "shown": row.shown, "generation": row.generation,
        "state": row.state, "silent": row.silent,
        "ref": MessageRef(room=ref_room, id=row.ref_id) if row.ref_id else None,
    }  # fmt: skip

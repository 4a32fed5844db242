"""What is to be said where: wants posts and says them anew. Carries nothing.

What is asked about posts stands in posted.py, and the guarded updates of whoever carries them in
carriage.py and delivery.py. A post holds references only, never a patron's words: it is rendered when it
is sent. Kinds:

card    the card of a mention; live: edited to the newest revision of its mention
storm   the one card of a storm; live
line    the one line about the unclaimed mentions of a room; live
offer   what a colleague has who is away, for others to take; live
notice  a sentence to a room, once
nag     a reminder, to a person or a room, once
digest  once
figures of a stretch of days, shared with a room, once
told    a sentence to a person, once ("the patron wrote again")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, String, bindparam, cast, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from staffbot.desk.ledger import Tx
from staffbot.model import Mention, Room
from staffbot.tables import mentions, posts

_ALIVE = ("waiting", "sending", "sent")


def want_card(
    tx: Tx,
    mention: Mention,
    room: Room,
    *,
    silent: bool = False,
    not_before: datetime | None = None,
) -> None:
    """One card of this mention is to stand in this room, at its newest revision.

    Does nothing where there is one already; takes up again one that had nothing to say.
    """
    mine = (
        (posts.c.mention == mention.number)
        & (posts.c.kind == "card")
        & (posts.c.platform == room.platform)
        & (posts.c.room == room.id)
    )
    known = tx.conn.execute(select(posts.c.id, posts.c.state).where(mine)).one_or_none()
    if known is None:
        want(
            tx, key=f"card:{mention.number}:{room}:1", kind="card", room=room,
            platform=room.platform, team=mention.team, mention=mention.number, detail={},
            silent=silent, not_before=not_before, wanted=mention.revision,
        )  # fmt: skip
    elif known.state == "dropped":
        tx.conn.execute(
            update(posts)
            .where(posts.c.id == known.id, posts.c.state == "dropped")
            .values(
                state="waiting", pending=1, wanted=mention.revision, shown=0, silent=silent,
                not_before=not_before or tx.now, tries=0, retry_at=None, failing_since=None,
            )
        )  # fmt: skip


def want_new_cards(
    tx: Tx,
    numbers: Sequence[int],
    room: Room,
    *,
    team: str,
    silent: bool = False,
    not_before: datetime | None = None,
) -> None:
    """The cards of mentions that were just made, at revision 1, in one statement."""
    shared = {
        "platform": room.platform, "room": room.id, "lane": str(room), "team": team,
        "silent": silent, "made_at": tx.real_now, "not_before": not_before or tx.now,
    }  # fmt: skip
    if numbers:
        told = {f"its_{name}": value for name, value in shared.items()}
        tx.conn.execute(_NEW_CARDS, {"numbers": numbers, "tail": f":{room}:1", **told})


def _new_cards() -> Insert:
    """From the mentions themselves, as the cards of a batch differ by their number only."""
    number = mentions.c.number
    shared = ("platform", "room", "lane", "team", "silent", "made_at", "not_before")
    return insert(posts).from_select(
        ["key", "kind", "mention", "detail", *shared],
        select(
            literal("card:") + cast(number, String) + bindparam("tail", type_=String),
            literal("card"), number, literal({}, posts.c.detail.type),
            *(bindparam(f"its_{name}", type_=posts.c[name].type) for name in shared),
        )
        .where(number.in_(bindparam("numbers", expanding=True)))
        .order_by(number),
    )  # fmt: skip


_NEW_CARDS = _new_cards()


def want(
    tx: Tx,
    *,
    key: str,
    kind: str,
    room: Room | None = None,
    person: str | None = None,
    platform: str,
    team: str = "",
    mention: int | None = None,
    detail: dict[str, Any],
    silent: bool = False,
    not_before: datetime | None = None,
    wanted: int = 1,
) -> int | None:
    """Want a post, unless one of that key is or was wanted already. Its id, or None.

    It goes to `room`, or to the person of that key directly. `not_before` is in desk time.
    """
    if room is None and person is None:
        raise ValueError(f"the post {key} goes to no room and to no person")
    lane = str(room) if room else f"{platform}:@{person}"
    values = {
        "key": key, "kind": kind, "platform": platform, "room": room.id if room else "",
        "person": person, "lane": lane, "team": team, "mention": mention, "detail": detail,
        "silent": silent, "wanted": wanted, "made_at": tx.real_now,
        "not_before": not_before or tx.now,
    }  # fmt: skip
    # RETURNING, as psycopg's rowcount of ON CONFLICT DO NOTHING is -1.
    dialect = sqlite if tx.conn.dialect.name == "sqlite" else postgresql
    row = tx.conn.execute(
        dialect.insert(posts)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(posts.c.id)
    ).one_or_none()
    return None if row is None else int(row.id)


def restate(tx: Tx, post: int | str) -> bool:
    """A live post (by id or key) has something new to say. False where there is none to edit.

    Cards of mentions need none of this: `ledger.change` marks them.
    """
    which = posts.c.id == post if isinstance(post, int) else posts.c.key == post
    done = tx.conn.execute(
        update(posts)
        .where(which, posts.c.state.in_(_ALIVE))
        .values(wanted=posts.c.wanted + 1, pending=1)
    )
    return done.rowcount == 1


def extend_waiting(tx: Tx, prefix: str, more: Mapping[str, Any]) -> int | None:
    """Let a nag that nobody took in hand yet say this as well; its id, None where there is none.

    `prefix` is how its key begins. A list is added to the one of that name in its detail, anything
    else takes the place of what stood there.
    """
    rows = tx.conn.execute(
        select(posts.c.id, posts.c.detail)
        .where(posts.c.pending == 1, posts.c.state == "waiting", posts.c.kind == "nag")
        .where(func.substr(posts.c.key, 1, len(prefix)) == prefix)
        .order_by(posts.c.id)
    ).all()
    for row in rows:
        detail = dict(row.detail)
        for name, value in more.items():
            detail[name] = [*detail[name], *value] if isinstance(value, list) else value
        done = tx.conn.execute(
            update(posts)
            .where(posts.c.id == row.id, posts.c.state == "waiting")
            .values(detail=detail)
        )
        if done.rowcount == 1:
            return int(row.id)
    return None


def waiting_nags(tx: Tx) -> tuple[str, ...]:
    """The keys of the nags that nobody took in hand yet."""
    rows = tx.conn.scalars(
        select(posts.c.key).where(
            posts.c.pending == 1, posts.c.state == "waiting", posts.c.kind == "nag"
        )
    )
    return tuple(rows)


def say_now(tx: Tx, post: int, detail: dict[str, Any]) -> None:
    """What a post says has changed: it is edited where it stands, and taken up again where it was
    dropped because it had nothing to say."""
    tx.conn.execute(
        update(posts)
        .where(posts.c.id == post, posts.c.state.in_(_ALIVE))
        .values(detail=detail, wanted=posts.c.wanted + 1, pending=1)
    )
    tx.conn.execute(
        update(posts)
        .where(posts.c.id == post, posts.c.state == "dropped", posts.c.ref_id == "")
        .values(
            state="waiting", pending=1, shown=0, not_before=tx.now, tries=0, retry_at=None,
            failing_since=None, detail=detail, wanted=posts.c.wanted + 1,
        )
    )  # fmt: skip

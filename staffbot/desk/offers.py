"""The offer of what a colleague has who is away, edited in place until there is nothing left of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, select

from staffbot import nags
from staffbot.desk.ledger import Tx
from staffbot.desk.mailroom import say_now, want
from staffbot.desk.people import get_person, name_of
from staffbot.desk.posted import Post, post_of
from staffbot.desk.reading import listing
from staffbot.desk.showing import rooms
from staffbot.messages import Message
from staffbot.model import Person, Status
from staffbot.tables import mentions, posts

# Nobody is away for longer, so an older offer is over and was told so.
_LONGEST = timedelta(days=410)


class _Stands(StrEnum):
    """How it stands with an offer: the colleague is still away, said so anew, or is back."""

    AWAY = "away"
    ANEW = "anew"
    BACK = "back"


def offer(
    tx: Tx, person: Person, team: str, numbers: Sequence[int], until: datetime, event: int
) -> None:
    """Offer what they have in a team to its rooms."""
    for room in rooms(tx.team(team)):
        detail = {
            "take_over": list(numbers), "from": person.key, "until": until.isoformat(),
            "says": [_Stands.AWAY, list(numbers)],
        }  # fmt: skip
        want(
            tx, key=f"offer:{event}:{room}", kind="offer", room=room,
            platform=room.platform, team=team, detail=detail,
        )  # fmt: skip


def refresh(tx: Tx) -> None:
    """Bring every offer to what is so now. Asked at each sweep, as an absence ends by itself."""
    rows = tx.conn.execute(
        # By the index of mentions, as an offer is about no single one.
        select(posts)
        .where(posts.c.mention.is_(None), posts.c.kind == "offer")
        .where(posts.c.made_at > tx.real_now - _LONGEST)
        .order_by(posts.c.id)
    )
    for post in map(post_of, rows.all()):
        if post.detail.get("over"):
            continue
        stands, left = _stands(tx, post), _left_numbers(tx, post)
        says = [stands, left]
        moot = post.state == "dropped" and not _is_worth_posting(stands, left)
        if post.detail["says"] != says and not moot:
            # Once they are back it stays so, whatever they are away for later.
            say_now(tx, post.id, {**post.detail, "says": says, "over": stands is _Stands.BACK})


def rendered(tx: Tx, post: Post) -> Message | None:
    """What an offer says now; None where it was not posted yet and nobody needs it any more."""
    stands = _stands(tx, post)
    found = listing(tx, _left(post))
    if post.ref is None and not _is_worth_posting(stands, found.total):
        return None
    zone = tx.team(post.team).hours.zone
    name = name_of(tx, post.detail["from"])
    if stands is _Stands.BACK:
        return nags.past_offer(f"{name} is back: nothing is left here to take over.")
    if not found.total:
        return nags.past_offer(f"{name} is away, and nothing is left here to take over.")
    if stands is _Stands.ANEW:
        return nags.past_offer(f"{name} is away: the newest message says what to take over.")
    return nags.offer(name, _until(post), found, zone=zone, now=tx.now)


def _is_worth_posting(stands: _Stands, left: object) -> bool:
    return stands is _Stands.AWAY and bool(left)


def _stands(tx: Tx, post: Post) -> _Stands:
    if post.detail.get("over"):
        return _Stands.BACK
    person = get_person(tx, post.detail["from"])
    until = person.away_until if person is not None else None
    if until is None or until <= tx.now:
        return _Stands.BACK
    return _Stands.AWAY if until == _until(post) else _Stands.ANEW


def _until(post: Post) -> datetime:
    return datetime.fromisoformat(post.detail["until"])


def _left(post: Post) -> ColumnElement[bool]:
    """What they still have of what was offered."""
    return and_(
        mentions.c.number.in_(post.detail["take_over"]),
        mentions.c.owner == post.detail["from"],
        mentions.c.status == Status.CLAIMED,
        mentions.c.team == post.team,
    )


def _left_numbers(tx: Tx, post: Post) -> list[int]:
    return list(tx.conn.scalars(select(mentions.c.number).where(_left(post)).order_by("number")))

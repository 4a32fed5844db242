"""What became of a post in hand: stands there, failed, in doubt, given up. Knows no chat.

Every write back is guarded by the take's holder, so that a process which was slow cannot overwrite
what a later one did: it is told False, or "lost". Waits are real time by the database's clock.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, select, update

from staffbot.desk import troubles
from staffbot.desk.carriage import Taken
from staffbot.desk.ledger import Tx, typed
from staffbot.desk.posted import Post
from staffbot.errors import DeliveryError
from staffbot.model import MessageRef
from staffbot.tables import posts

_DELETED = "its message was deleted on the platform"
_DRAWN_ANEW = frozenset({"nag", "digest"})
_FIRST_WAIT = timedelta(seconds=0.5)
_LONGEST_WAIT = timedelta(minutes=5)


def _write_back(tx: Tx, post: Taken, **values: Any) -> bool:
    done = tx.conn.execute(
        update(posts)
        .where(posts.c.id == post.id, posts.c.holder == post.holder)
        .values({"holder": "", "deadline": None} | values)
    )
    return done.rowcount == 1


def sent(tx: Tx, post: Taken, ref: MessageRef, shown: int) -> bool:
    """It stands there as `ref`. `shown` is the revision that it shows, 0 where that is not known."""
    shown = shown if post.live else post.wanted
    done = _write_back(
        tx, post, state="sent", ref_room=ref.room.id, ref_id=ref.id, sent_at=tx.real_now,
        shown=shown, pending=_stale(shown), **_well(tx),
    )  # fmt: skip
    if done:
        room_is_back(tx, post.lane)
    return done


def edited(tx: Tx, post: Taken, shown: int) -> bool:
    """It shows revision `shown` now."""
    return _write_back(tx, post, shown=shown, pending=_stale(shown), **_well(tx))


def _stale(shown: int) -> ColumnElement[int]:
    return case((posts.c.wanted > shown, 1), else_=0)


def _well(tx: Tx) -> dict[str, Any]:
    # Ten changes within a second are one edit.
    return {
        "tries": 0, "error": "", "failing_since": None, "holds_lane": False,
        "retry_at": tx.real_now + tx.settings.delivery.edit_every,
    }  # fmt: skip


def put_back(tx: Tx, post: Taken) -> bool:
    """Nothing was tried: it is as it was before it was taken."""
    if post.doubt:
        return _write_back(tx, post, deadline=tx.real_now)
    return _write_back(tx, post, state=post.state)


def absent(tx: Tx, post: Taken) -> str:
    """The look-up shows that it did not arrive. Returns the state that follows.

    What is live is posted again, and so is a reminder or a digest, which are drawn anew and have
    nothing to say once they are late. Anything else is not, as it was said for its moment.
    """
    if not (post.live or post.kind in _DRAWN_ANEW):
        return "unknown" if unknown(tx, post) else "lost"
    return _try_again(tx, post)


def dropped(tx: Tx, post: Taken, shown: int) -> bool:
    """There is nothing to say any more; what stands there already stays as it is."""
    if post.state == "sent":
        return edited(tx, post, shown)
    changed = posts.c.wanted > shown  # since it was rendered: there may be something to say again
    return _write_back(
        tx, post, state=case((changed, "waiting"), else_="dropped"),
        pending=_stale(shown), retry_at=None, holds_lane=False,
    )  # fmt: skip


def unknown(tx: Tx, post: Taken) -> bool:
    """Nobody can tell whether it arrived, and it is not of the kind to be sent again."""
    return _write_back(tx, post, state="unknown", pending=0, retry_at=None, holds_lane=False)


def gone(tx: Tx, post: Taken) -> bool:
    """Its message was deleted by hand: a card is posted once more, after that it is given up. The
    line and the digest of a day stay away, and so does an offer."""
    if post.kind in ("line", "digest", "offer"):  # somebody took it away: it is not put up again
        return _write_back(tx, post, state="dropped", pending=0)
    if post.kind != "card" or post.generation > 1:
        return _park(tx, post, _DELETED)
    return _write_back(tx, post, **_anew(post))


def _anew(post: Post) -> dict[str, Any]:
    """A card that is posted once more, as its message is there no longer."""
    generation = post.generation + 1
    return {
        "state": "waiting", "pending": 1, "shown": 0, "generation": generation,
        "key": f"{post.key.rpartition(':')[0]}:{generation}", "ref_room": "", "ref_id": "",
    }  # fmt: skip


def failed(tx: Tx, post: Taken, problem: DeliveryError) -> str:
    """The platform did not take it, or nobody knows. Returns the state that follows.

    An ambiguous one keeps its deadline: the request may still arrive until then. A post is given up
    after `delivery.tries` tries only if its room took another one meanwhile: an outage of the
    platform is no fault of the post, and is waited out. Where the platform says when to come back,
    the whole room waits.
    """
    if problem.whole_room and post.room is not None:
        return "parked" if _park_with_room(tx, post, str(problem)) else "lost"
    if problem.permanent:
        return "parked" if _park(tx, post, str(problem)) else "lost"
    if problem.ambiguous:
        done = _write_back(
            tx, post, deadline=post.deadline, tries=post.tries + 1, error=str(problem),
            failing_since=post.failing_since or tx.real_now,
        )  # fmt: skip
        return ("sent" if post.state == "sent" else "sending") if done else "lost"
    if problem.retry_after is not None:
        # Being told to come back later says nothing about the post: it is no try.
        state = "sent" if post.state == "sent" else "waiting"
        retry_at = tx.real_now + _kept(problem.retry_after)
        done = _write_back(
            tx, post, state=state, retry_at=retry_at, holds_lane=True, error=str(problem)
        )
        return state if done else "lost"
    return _try_again(tx, post, str(problem), tried=1)


def poisoned(tx: Tx, post: Taken, error: str) -> str:
    """It cannot be rendered. `error` names the fault's type only, as its text may quote a patron."""
    if post.tries + 1 >= tx.settings.delivery.tries:
        return "parked" if _park(tx, post, f"it cannot be drawn ({error})") else "lost"
    return _try_again(tx, post, f"it cannot be drawn ({error})", tried=1)


def unseen(tx: Tx, post: Taken, problem: DeliveryError) -> str:
    """The look-up itself failed: it stays in doubt and is looked up again later.

    Where it cannot ever be looked up, or too often could not be, what is live is posted again. A room
    that is closed to us is waited for, as it tells once it opens; but not for ever, as it may only be
    its history that is closed.
    """
    tries = post.tries + 1
    often = tries >= tx.settings.delivery.tries
    if (problem.permanent and (often or not problem.whole_room)) or (often and not post.live):
        if not post.live:
            return "unknown" if unknown(tx, post) else "lost"
        return absent(tx, post)
    later = problem.retry_after
    wait = _LONGEST_WAIT if problem.whole_room else _wait(tries)
    done = _write_back(
        tx, post, deadline=tx.real_now, tries=tries, error=str(problem),
        retry_at=tx.real_now + (wait if later is None else _kept(later)),
        holds_lane=later is not None,
    )  # fmt: skip
    return "sending" if done else "lost"


def _try_again(tx: Tx, post: Taken, error: str = "", tried: int = 0) -> str:
    tries = post.tries + tried
    if tries >= tx.settings.delivery.tries and _room_works(tx, post):
        return "parked" if _park(tx, post, error or "it never arrived") else "lost"
    state = "sent" if post.state == "sent" else "waiting"
    done = _write_back(
        tx, post, state=state, tries=tries, error=error, holds_lane=False,
        failing_since=post.failing_since or tx.real_now,
        retry_at=tx.real_now + _wait(tries) if tries else None,
    )  # fmt: skip
    return state if done else "lost"


def _room_works(tx: Tx, post: Taken) -> bool:
    since = post.failing_since
    others = select(posts.c.id).where(posts.c.lane == post.lane, posts.c.id != post.id)
    return since is not None and bool(
        tx.conn.execute(others.where(posts.c.sent_at > since).limit(1)).first()
    )


def _wait(tries: int) -> timedelta:
    """Twice as long each time, with jitter."""
    longest: timedelta = min(_FIRST_WAIT * 2 ** min(max(tries - 1, 0), 20), _LONGEST_WAIT)
    return longest * random.uniform(0.5, 1.0)


def _kept(retry_after: float) -> timedelta:
    """What the platform asks for, and a bit more, so that not all come back at the same moment."""
    return timedelta(seconds=max(retry_after, 0.0) * random.uniform(1.0, 1.1))


def _park(tx: Tx, post: Taken, error: str) -> bool:
    done = _write_back(
        tx, post, state="parked", pending=0, error=error, retry_at=None, holds_lane=False
    )
    if done:
        what = "resend" if post.mention is None else f"resend {post.mention}"
        again = f"Once that is mended, {typed(tx, what)} tries it again."
        said = f"{_name(post)} is not delivered: {error.rstrip('.')}. {again}"
        troubles.begin(tx, _subject(post.id), said)
    return done


def _park_with_room(tx: Tx, post: Taken, error: str) -> bool:
    """Its whole room takes nothing: that is one trouble, however many posts meet it.

    A parked post that holds its lane is one that waits for its room.
    """
    done = _write_back(
        tx, post, state="parked", pending=0, error=error, retry_at=None,
        holds_lane=True, tries=post.tries + 1,
    )  # fmt: skip
    if done:
        again = f"Once that is mended, {typed(tx, 'resend')} tries again what waits for it."
        said = f"Nothing is delivered in {post.room}: {error.rstrip('.')}. {again}"
        troubles.begin(tx, _room_subject(post.lane), said)
    return done


def room_is_back(tx: Tx, lane: str) -> None:
    """A room that took nothing takes posts again: what waited for it is tried again.

    Its tries are kept, so that a room which takes some posts and others never is no loop.
    """
    if not troubles.end(tx, _room_subject(lane)):
        return
    tx.conn.execute(
        update(posts)
        .where(posts.c.lane == lane, posts.c.state == "parked", posts.c.holds_lane)
        .where(posts.c.tries < tx.settings.delivery.tries)
        .values(
            state=case((posts.c.ref_id != "", "sent"), else_="waiting"),
            pending=1, retry_at=None, holds_lane=False,
        )
    )  # fmt: skip


def resume(tx: Tx, given_up: Sequence[Post]) -> int:
    """Posts that were given up are tried again, once a person has seen to the cause."""
    resumed = 0
    for post in given_up:
        troubles.end(tx, _subject(post.id))
        row = update(posts).where(posts.c.id == post.id, posts.c.state == "parked")
        # What was deleted on the platform has no message to edit: it is posted once more.
        deleted = post.kind == "card" and bool(
            tx.conn.scalar(select(posts.c.error).where(posts.c.id == post.id)) == _DELETED
        )
        state = {"state": "sent" if post.ref else "waiting", "pending": 1}
        done = tx.conn.execute(
            row.values(
                (_anew(post) if deleted else state)
                | {"tries": 0, "retry_at": None, "failing_since": None, "holds_lane": False}
            )
        )
        resumed += done.rowcount
    return resumed


def _name(post: Post) -> str:
    about = f" of #{post.mention}" if post.mention is not None else ""
    where = f"in {post.room}" if post.room else f"to {post.person} on {post.platform}"
    return f"The {'message' if post.kind == 'told' else post.kind}{about} {where}"


def _room_subject(lane: str) -> str:
    return f"room:{lane}"


def _subject(post: int) -> str:
    return f"post:{post}"

"""Answers from chat, carried: taken under a lease, and what became of each try. Knows no network.

As with posts, every write back is guarded by the take's holder; leases and waits are real time by
the database's clock. An answer is sent again only once it is known not to be there.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, update

from staffbot.answering import Met, State, follows, wait
from staffbot.desk import closing, telling
from staffbot.desk.ledger import Tx, again, enact, find, to_change
from staffbot.desk.people import get_person
from staffbot.errors import DeliveryError
from staffbot.model import Happened, Patron, Status, Visibility
from staffbot.network import Answering, Replied
from staffbot.tables import events, patrons, replies, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An answer in hand until `deadline`. `doubt`: a call may have arrived, look it up first.

    `text` is None where there is nothing to send any more, and `why` says so.
    """

    id: int
    key: str
    source: str
    mention: int
    holder: str
    deadline: datetime
    doubt: bool
    tries: int
    failing_since: datetime | None
    to: Answering | None
    text: str | None
    why: str

    @property
    def lane(self) -> str:
        """No answer waits for another."""
        return self.key


def _due(tx: Tx, sources: Collection[str], busy: Collection[str]) -> ColumnElement[bool]:
    return and_(
        replies.c.pending == 1,
        replies.c.source.in_(sources),
        replies.c.key.not_in(busy),
        or_(replies.c.retry_at.is_(None), replies.c.retry_at <= tx.real_now),
        or_(replies.c.deadline.is_(None), replies.c.deadline <= tx.real_now),
    )


def due_in(tx: Tx, sources: Collection[str], busy: Collection[str] = ()) -> timedelta | None:
    """How long until `take_due` finds something: zero for now, None while nothing waits."""
    if tx.conn.execute(select(replies.c.id).where(_due(tx, sources, busy)).limit(1)).first():
        return timedelta()
    mine = and_(replies.c.pending == 1, replies.c.source.in_(sources), replies.c.key.not_in(busy))
    rests = [
        tx.conn.scalar(select(func.min(moment)).where(mine, moment > tx.real_now))
        for moment in (replies.c.retry_at, replies.c.deadline)
    ]
    return min((rest - tx.real_now for rest in rests if rest is not None), default=None)


def take_due(
    tx: Tx,
    holder: str,
    sources: Collection[str],
    limit: int,
    life: timedelta,
    busy: Collection[str] = (),
) -> list[Taken]:
    """Take the oldest due answers for `life` from now. Whoever else takes gets none of the same."""
    # A clock that was set back leaves deadlines in a far future; none can be further than a life.
    tx.conn.execute(
        update(replies)
        .where(replies.c.pending == 1, replies.c.deadline > tx.real_now + 4 * life)
        .values(deadline=tx.real_now + life)
    )
    due = select(replies).where(_due(tx, sources, busy)).order_by(replies.c.id).limit(limit)
    taken = (_take(tx, row, holder, life) for row in tx.conn.execute(due).all())
    return [one for one in taken if one is not None]


def _take(tx: Tx, row: Row[Any], holder: str, life: timedelta) -> Taken | None:
    mine = f"{holder}/{secrets.token_hex(6)}"
    done = tx.conn.execute(
        update(replies)
        .where(replies.c.id == row.id, replies.c.state == row.state)
        .where(replies.c.holder == row.holder, replies.c.pending == 1)
        .where(or_(replies.c.deadline.is_(None), replies.c.deadline <= tx.real_now))
        .values(state=State.SENDING, holder=mine, deadline=tx.real_now + life)
    )
    if done.rowcount != 1:
        return None
    doubt = row.state == State.SENDING
    to, text = _contents(tx, row)
    # What is in doubt is looked up first, whatever happened since.
    why = "" if doubt else _overtaken(tx, row)
    if text is None:
        why = why or "its words were erased"
    return Taken(
        id=row.id, key=row.key, source=row.source, mention=row.mention, holder=mine,
        deadline=tx.real_now + life, doubt=doubt, tries=row.tries,
        failing_since=row.failing_since, to=to, text=None if why else text, why=why,
    )  # fmt: skip


def _contents(tx: Tx, row: Row[Any]) -> tuple[Answering | None, str | None]:
    said = tx.conn.execute(
        select(words.c.text).where(words.c.mention == row.mention, words.c.part == row.part)
    ).scalar()
    first = tx.conn.execute(
        select(words, patrons.c.name, patrons.c.handle, patrons.c.url)
        .outerjoin(patrons, patrons.c.id == words.c.patron)
        .where(words.c.mention == row.mention, words.c.role == "mention")
    ).one_or_none()
    mention = find(tx, row.mention)
    if first is None or not said or mention is None:
        return None, None
    to = Answering(
        native_id=first.native_id, conversation=first.conversation, permalink=first.permalink,
        title=first.title, written_at=row.written_at, language=mention.language,
        patron=Patron(name=first.name or "", handle=first.handle or "", url=first.url or ""),
        visibility=Visibility.PRIVATE if mention.private else Visibility.PUBLIC,
    )  # fmt: skip
    return to, said


def _overtaken(tx: Tx, row: Row[Any]) -> str:
    """Why this answer must not go out any more, or ""."""
    mention = find(tx, row.mention)
    if mention is None or mention.deleted_at is not None:
        return "the patron took their words back"
    if not tx.settings.replies.enabled:
        return "answers from chat were switched off"
    answered = tx.conn.execute(
        select(events.c.detail).where(
            events.c.mention == row.mention, events.c.id > row.event,
            events.c.what == Happened.ANSWERED, events.c.undone_by.is_(None),
        )
    )  # fmt: skip
    if any(one.detail.get("there") for one in answered):
        return "it was answered on the network itself meanwhile"
    return ""


# --- what became of it --------------------------------------------------------------------------


def _write_back(tx: Tx, reply: Taken, **values: Any) -> bool:
    done = tx.conn.execute(
        update(replies)
        .where(replies.c.id == reply.id, replies.c.holder == reply.holder)
        .values({"holder": "", "deadline": None, "retry_at": None} | values)
    )
    return done.rowcount == 1


def sent(tx: Tx, reply: Taken, found: Replied) -> bool:
    """It stands there: the mention counts as answered at the answer's own time."""
    to_change(tx, reply.mention)
    row = tx.conn.execute(select(replies).where(replies.c.id == reply.id)).one()
    at = min(found.at, tx.now)
    if not _write_back(tx, reply, state=State.SENT, pending=0, sent_at=at, error=""):
        return False
    tx.conn.execute(
        update(words)
        .where(words.c.mention == reply.mention, words.c.part == row.part)
        .values(native_id=found.native_id, permalink=found.permalink)
    )
    count(tx, row, at)
    return True


def count(tx: Tx, row: Row[Any], at: datetime) -> None:
    """An answer is out: the first answer to the patron, or a further one, by who wrote it."""
    mention, person = again(tx, row.mention), get_person(tx, row.person)
    if mention.answered_at is None:
        closing.answer(tx, mention, person, at, reply=row.place)
    else:
        enact(tx, mention, Happened.REPLIED, person, {}, at=at, reply=row.place)
    mention = again(tx, row.mention)
    if tx.settings.source(mention.source).close_on_answer and mention.status is not Status.CLOSED:
        closing.close_answered(tx, mention, person)


def put_back(tx: Tx, reply: Taken) -> bool:
    """Nothing was tried: it is as it was before it was taken."""
    if reply.doubt:
        return _write_back(tx, reply, deadline=tx.real_now)
    return _write_back(tx, reply, state=State.WAITING)


def overtaken(tx: Tx, reply: Taken) -> str:
    """There is nothing to send any more: one in doubt stays unknown, another is withdrawn."""
    if reply.doubt:
        return _end(tx, reply, State.UNKNOWN, reply.why)
    return _end(tx, reply, State.WITHDRAWN, reply.why)


def failed(tx: Tx, reply: Taken, problem: DeliveryError) -> str:
    """The network did not take it, or nobody knows. Returns the state that follows."""
    met = Met.NOT_NOW
    if problem.ambiguous:
        met = Met.LOST
    elif problem.permanent:
        met = Met.REFUSED
    return _after(tx, reply, met, str(problem), problem.retry_after)


def absent(tx: Tx, reply: Taken) -> str:
    """The look-up shows that it did not arrive: it is sent again."""
    return _after(tx, reply, Met.ABSENT, "it never arrived", 0.0)


def unseen(tx: Tx, reply: Taken, problem: DeliveryError) -> str:
    """The look-up failed: it stays in doubt, and is looked up again."""
    met = Met.BLIND if problem.permanent else Met.NOT_SEEN
    return _after(tx, reply, met, str(problem), problem.retry_after)


def _after(tx: Tx, reply: Taken, met: Met, error: str, asked: float | None) -> str:
    since = reply.failing_since or tx.real_now
    state = follows(met, late=tx.real_now - since > tx.settings.replies.give_up_after)
    tries = reply.tries + 1
    going_on: dict[str, Any] = {"tries": tries, "failing_since": since, "error": error}
    if met is Met.LOST:  # the request may still arrive until its deadline
        done = _write_back(tx, reply, deadline=reply.deadline, **going_on)
        return state if done else "lost"
    if state in (State.WAITING, State.SENDING):
        pause = wait(tries, asked) * random.uniform(1.0, 1.1)
        doubt = {"deadline": tx.real_now} if state is State.SENDING else {}
        done = _write_back(
            tx, reply, state=state, retry_at=tx.real_now + pause, **doubt, **going_on
        )
        return state if done else "lost"
    return _end(tx, reply, state, error)


# What the author is told, and the history keeps.
_ENDED: Mapping[State, str] = {
    State.FAILED: "reply_failed",
    State.UNKNOWN: "reply_unknown",
    State.WITHDRAWN: "reply_withdrawn",
}


def _end(tx: Tx, reply: Taken, state: State, error: str) -> str:
    """It will not go out, or nobody can tell: its author is told, and the card says so."""
    mention = to_change(tx, reply.mention)
    if not _write_back(tx, reply, state=state, pending=0, error=error):
        return "lost"
    row = tx.conn.execute(select(replies).where(replies.c.id == reply.id)).one()
    event = enact(tx, mention, Happened.REPLY_FAILED, None, {}, reply=row.place, became=state.value)
    author = get_person(tx, row.person)
    if author is not None:
        telling.tell(tx, author, mention, _ENDED[state], event=event, reply=row.place)
    return state

"""What happened at the source: new words, words taken back, an answer by the library."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, assert_never

from sqlalchemy import select, update

from staffbot.desk import ledger
from staffbot.desk.alike import alike_hash
from staffbot.desk.closing import answer, begin_again, close_answered
from staffbot.desk.conversations import clock_from_now
from staffbot.desk.hashes import identity, storable
from staffbot.desk.ledger import Tx, again, enact, to_change
from staffbot.desk.people import get_person
from staffbot.model import Happened, Mention, Person, Status
from staffbot.network import AnsweredAtSource, Change, Deleted, Edited
from staffbot.tables import actors, arrivals, events, mentions, words

# The clocks of two servers are not quite the same.
_SKEW = timedelta(minutes=1)


def apply(tx: Tx, source: str, change: Change) -> bool:
    """Follow one change. False where the post is not known or it changes nothing any more."""
    key = tx.settings.store.identity_key
    arrival = tx.conn.execute(
        select(arrivals).where(arrivals.c.identity_hash == identity(source, change.native_id, key))
    ).one_or_none()
    if arrival is None:
        return False
    match change:
        case Edited():
            return _edited(tx, arrival.mention, arrival.part, change)
        case Deleted():
            return _deleted(tx, arrival.mention, arrival.part, change)
        case AnsweredAtSource():
            return _answered(tx, arrival.mention, change)
        case _:
            assert_never(change)


def _edited(tx: Tx, number: int, part: int, change: Edited) -> bool:
    mention = to_change(tx, number)
    where = (words.c.mention == number) & (words.c.part == part)
    text = storable(change.text)
    before = tx.conn.execute(select(words.c.text, words.c.held).where(where)).one_or_none()
    if before is None:
        return False
    held = before.held if change.held is None else change.held
    if before.text == text and before.held == held:
        return False
    if before.held != held:
        tx.conn.execute(update(words).where(where).values(held=held))
    if before.text == text:
        # Let through by a moderator: the card says so, and the patron edited nothing.
        ledger.change(tx, mention)
        return True
    alike = alike_hash(text, tx.settings.store.identity_key) if part == 0 else None
    tx.conn.execute(update(words).where(where).values(text=text, alike_hash=alike))
    if part == 0 and mention.deleted_at is not None:
        _restore(tx, mention)
        return True
    enact(tx, mention, Happened.EDITED, None, {"edited_at": change.at}, part=part)
    return True


def _restore(tx: Tx, mention: Mention) -> None:
    """What was gone is there again, so whoever wrote it waits again where they did before.

    It is looked at once more at once: a page that was asked for before the deletion may come late.
    """
    values: dict[str, Any] = {"deleted_at": None}
    withdrawn = tx.conn.execute(
        select(events.c.detail)
        .where(events.c.mention == mention.number, events.c.what == Happened.DELETED)
        .order_by(events.c.id.desc())
        .limit(1)
    ).scalar()
    waited = bool((withdrawn or {}).get("before", {}).get("expects_answer"))
    if waited and mention.answered_at is None and mention.status is not Status.CLOSED:
        values |= clock_from_now(tx, mention, expects=True)
    enact(tx, mention, Happened.RESTORED, None, values)
    tx.conn.execute(
        update(mentions).where(mentions.c.number == mention.number).values(next_look_at=tx.now)
    )


def _deleted(tx: Tx, number: int, part: int, change: Deleted) -> bool:
    """Blank the words; the mention and its figures stay."""
    mention = to_change(tx, number)
    if _is_blank(tx, number, part, mention):
        return False
    tx.conn.execute(
        update(words)
        .where(words.c.mention == number, words.c.part == part)
        .values(
            text="", title="", permalink="", in_reply_to="", media=[], alike_hash=None, held=False
        )
    )
    values: dict[str, Any] = {"deleted_at": change.at} if part == 0 else {}
    opened = _opened_by(tx, mention)
    withdrawn = (
        part == 0 or mention.deleted_at is not None or (opened is not None and part >= opened)
    )
    if withdrawn and mention.expects_answer and not _asks_still(tx, number, opened or 0):
        # Nobody can answer what is not there any more, so nobody is reminded of it.
        values |= {
            "expects_answer": False, "claim_due_at": None, "answer_due_at": None,
            "next_step_at": None,
        }  # fmt: skip
    enact(tx, mention, Happened.DELETED, None, values, part=part)
    return True


def _is_blank(tx: Tx, number: int, part: int, mention: Mention) -> bool:
    """Whether these words were taken back before: each look at a thread finds them gone again."""
    if part == 0:
        return mention.deleted_at is not None
    row = tx.conn.execute(
        select(words.c.text, words.c.title, words.c.permalink, words.c.media).where(
            words.c.mention == number, words.c.part == part
        )
    ).one_or_none()
    return row is None or not any(row)


def _asks_still(tx: Tx, number: int, since: int) -> bool:
    """Whether the patron wrote something, from that part on, that is still there."""
    there = select(words.c.part).where(
        words.c.mention == number, words.c.role == "follow_up", words.c.text != "",
        words.c.part >= since,
    )  # fmt: skip
    return tx.conn.execute(there.limit(1)).first() is not None


def _answered(tx: Tx, number: int, change: AnsweredAtSource) -> bool:
    """The first answer of this cycle counts, at its own moment.

    After a reopening the answer of before is still to be seen there; it answered something else.
    """
    mention = to_change(tx, number)
    if mention.answered_at is not None or mention.status is Status.CLOSED:
        return False
    if change.at < _asked_at(tx, mention) or _is_counted(tx, number, change.at):
        return False
    person = _who_answered(tx, mention, change.account)
    answer(tx, mention, person, change.at, there=True)
    asked_later = _asked_later(tx, mention, change.at)
    if asked_later is not None:
        begin_again(tx, again(tx, number), None, part=asked_later)
    elif tx.settings.source(mention.source).close_on_answer:
        close_answered(tx, again(tx, number), person)
    return True


def _asked_later(tx: Tx, mention: Mention, at: datetime) -> int | None:
    """What the patron wrote after an answer of then, where that was read before the answer was seen:
    the part, or None. So it is after an outage, and where an answer and a question cross."""
    if not mention.expects_answer:
        return None
    part: int | None = tx.conn.execute(
        select(words.c.part)
        .where(words.c.mention == mention.number, words.c.role == "follow_up")
        .where(words.c.text != "", words.c.at > at)
        .order_by(words.c.at)
        .limit(1)
    ).scalar()
    return part


def _asked_at(tx: Tx, mention: Mention) -> datetime:
    """From when on an answer answers what is open now.

    What the patron wrote opens a cycle when it is read, which may be later than a quick answer to it.
    """
    if mention.cycle == 1:
        return mention.posted_at - _SKEW
    part = _opened_by(tx, mention)
    if part is None:
        return mention.came_at
    wrote_at = tx.conn.execute(
        select(words.c.at).where(words.c.mention == mention.number, words.c.part == part)
    ).scalar()
    return mention.came_at if wrote_at is None else min(mention.came_at, wrote_at)


def _opened_by(tx: Tx, mention: Mention) -> int | None:
    """What the patron wrote that began the cycle which runs now, or None."""
    opened = tx.conn.execute(
        select(events.c.detail)
        .where(events.c.mention == mention.number, events.c.what == Happened.REOPENED)
        .where(events.c.undone_by.is_(None))
        .order_by(events.c.id.desc())
        .limit(1)
    ).scalar()
    part: int | None = (opened or {}).get("part")
    return part


def _is_counted(tx: Tx, number: int, at: datetime) -> bool:
    """Whether an answer of then is one that counted already: each look at a thread finds it again.

    Networks tell whole seconds, so the patron may have written again in the second of an answer.
    """
    seen = select(events.c.id).where(
        events.c.mention == number, events.c.undone_by.is_(None), events.c.at >= at,
        events.c.what.in_((Happened.ANSWERED, Happened.REPLIED)),
    )  # fmt: skip
    return tx.conn.execute(seen.limit(1)).first() is not None


def _who_answered(tx: Tx, mention: Mention, account: str) -> Person | None:
    """Whose account there it is, by `[[staff]].ids`, which may name a source; else the owner."""
    key = tx.conn.execute(
        select(actors.c.person).where(
            actors.c.platform == mention.source, actors.c.user_id == account
        )
    ).scalar()
    return get_person(tx, key or mention.owner)

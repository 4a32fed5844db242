"""What happened at the source: new words, words taken back, an answer by the library."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from sqlalchemy import select, update

from staffbot.desk import ledger
from staffbot.desk.alike import alike_hash
from staffbot.desk.closing import answer, close_answered
from staffbot.desk.hashes import identity, storable
from staffbot.desk.ledger import Tx, again, enact, to_change
from staffbot.desk.people import get_person
from staffbot.model import Happened, Mention, Person, Status
from staffbot.network import AnsweredAtSource, Change, Deleted, Edited
from staffbot.tables import actors, arrivals, words

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
    enact(tx, mention, Happened.EDITED, None, {"edited_at": change.at}, part=part)
    return True


def _deleted(tx: Tx, number: int, part: int, change: Deleted) -> bool:
    """Blank the words; the mention and its figures stay."""
    mention = to_change(tx, number)
    if mention.deleted_at is not None and part == 0:
        return False
    tx.conn.execute(
        update(words)
        .where(words.c.mention == number, words.c.part == part)
        .values(
            text="", title="", permalink="", in_reply_to="", media=[], alike_hash=None, held=False
        )
    )
    values = {"deleted_at": change.at} if part == 0 else {}
    enact(tx, mention, Happened.DELETED, None, values, part=part)
    return True


def _answered(tx: Tx, number: int, change: AnsweredAtSource) -> bool:
    """The first answer of this cycle counts, at its own moment.

    After a reopening the answer of before is still to be seen there; it answered something else.
    """
    mention = to_change(tx, number)
    began_at = mention.posted_at - _SKEW if mention.cycle == 1 else mention.came_at
    if mention.answered_at is not None or mention.status is Status.CLOSED or change.at < began_at:
        return False
    person = _who_answered(tx, mention, change.account)
    answer(tx, mention, person, change.at, there=True)
    if tx.settings.source(mention.source).close_on_answer:
        close_answered(tx, again(tx, number), person)
    return True


def _who_answered(tx: Tx, mention: Mention, account: str) -> Person | None:
    """Whose account there it is, by `[[staff]].ids`, which may name a source; else the owner."""
    key = tx.conn.execute(
        select(actors.c.person).where(
            actors.c.platform == mention.source, actors.c.user_id == account
        )
    ).scalar()
    return get_person(tx, key or mention.owner)

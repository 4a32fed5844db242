"""What the patron changed at the source: new words, or words taken back."""

from __future__ import annotations

from typing import assert_never

from sqlalchemy import select, update

from staffbot.desk.alike import alike_hash
from staffbot.desk.closing import answer
from staffbot.desk.hashes import identity, storable
from staffbot.desk.ledger import Tx, enact, to_change
from staffbot.desk.people import get_person
from staffbot.model import AnsweredAtSource, Change, Deleted, Edited, Happened
from staffbot.tables import arrivals, words


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
    if tx.conn.execute(select(words.c.text).where(where)).scalar() == text:
        return False
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
        .values(text="", title="", permalink="", in_reply_to="", media=[], alike_hash=None)
    )
    values = {"deleted_at": change.at} if part == 0 else {}
    enact(tx, mention, Happened.DELETED, None, values, part=part)
    return True


def _answered(tx: Tx, number: int, change: AnsweredAtSource) -> bool:
    mention = to_change(tx, number)
    if mention.answered_at is not None:
        return False
    answer(tx, mention, get_person(tx, mention.owner), change.at, there=True)
    return True

"""An answer of which nobody can tell whether it arrived: a person looked, and says what became of it.

What the network cannot be asked is not sent again by itself. Knows no network.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from staffbot.answering import State
from staffbot.commands import May, refusal
from staffbot.desk import reply_carriage, replying
from staffbot.desk.ledger import Tx, find, to_change, typed
from staffbot.desk.people import get_person, name_of
from staffbot.errors import Refused
from staffbot.model import Answer, Done, Person, Status, Unchanged
from staffbot.tables import replies, words


def it_was_sent(tx: Tx, number: int, person: Person) -> Answer:
    """It arrived: the mention counts as answered when the answer was written, by who wrote it."""
    row = _unsure(tx, number, person)
    if isinstance(row, Unchanged):
        return row
    done = tx.conn.execute(
        update(replies)
        .where(replies.c.id == row.id, replies.c.state == State.UNKNOWN)
        .values(state=State.SENT, sent_at=row.written_at, error="")
    )
    if done.rowcount != 1:
        return Unchanged(mention=number, said=f"Somebody else was faster with {number}.")
    reply_carriage.count(tx, row, row.written_at)
    return Done(mention=number, said=f"{number} counts as answered by {name_of(tx, row.person)}.")


def send_again(tx: Tx, number: int, person: Person) -> Answer:
    """It is not there: the same words go out once more, as a new answer by who wrote them."""
    row = _unsure(tx, number, person)
    if isinstance(row, Unchanged):
        return row
    text = tx.conn.scalar(
        select(words.c.text).where(words.c.mention == number, words.c.part == row.part)
    )
    if not text:
        raise Refused(f"The words of that answer to {number} were erased. Write it once more.")
    author = get_person(tx, row.person) or person
    return replying.write_again(tx, number, author, person, text)


def _unsure(tx: Tx, number: int, person: Person) -> Row[Any] | Unchanged:
    """The newest answer, if nobody can tell of it. Raises Refused where this person may not say."""
    mention = find(tx, number)
    if mention is None:
        raise Refused(f"There is no mention {number}.")
    mention = to_change(tx, number)
    if mention.status is Status.CLOSED:
        raise Refused(f"{number} is closed. {typed(tx, f'reopen {number}')} opens it again.")
    owner = name_of(tx, mention.owner) if mention.owner else ""
    why = refusal(May.OWNER, person, number, mention.owner, owner)
    if why is not None:
        raise Refused(why)
    row = tx.conn.execute(
        select(replies).where(replies.c.mention == number).order_by(replies.c.place.desc()).limit(1)
    ).one_or_none()
    if row is None or row.state != State.UNKNOWN:
        said = f"There is no answer to {number} any more of which nobody can tell."
        return Unchanged(mention=number, said=said)
    return row

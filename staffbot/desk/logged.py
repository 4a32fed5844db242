"""What came by phone, on paper or at the desk: a mention that a person writes down."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import select

from staffbot.desk.arrivals import take_in
from staffbot.desk.authors import LOG, NAMELESS
from staffbot.desk.conversations import move
from staffbot.desk.hashes import identity
from staffbot.desk.ledger import Tx, again
from staffbot.errors import Refused
from staffbot.model import Done, IncomingMention, Kind, Patron, Person
from staffbot.network import Batch
from staffbot.tables import arrivals

# The source that such mentions are of; no network has this name.


def log(
    tx: Tx, person: Person, text: str, *, how: str = "", who: str = "", expects: bool = True,
    team: str | None = None,
) -> Done:  # fmt: skip
    """Store what a person wrote down as a mention like any other, for `team` or as routing says."""
    if not text.strip():
        raise Refused("What was said or asked? Write it after the command.")
    native_id = uuid4().hex
    mention = IncomingMention(
        source=LOG, native_id=native_id, kind=Kind.MESSAGE, text=text.strip(),
        patron=Patron(name=who.strip() or NAMELESS, nameless=not who.strip()), posted_at=tx.now,
        title=f"{how or 'Logged'}, taken down by {person.name}", expects_answer=expects,
    )  # fmt: skip
    take_in(tx, source=LOG, batch=Batch(mentions=(mention,)))
    number = tx.conn.execute(
        select(arrivals.c.mention).where(
            arrivals.c.identity_hash == identity(LOG, native_id, tx.settings.store.identity_key)
        )
    ).scalar_one()
    if team is not None and again(tx, number).team != team:
        move(tx, number, team, person)
    return Done(mention=number, said=f"Logged as {number}.")

"""Further posts by the same patron in the same conversation: they join the mention that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, insert, select

from staffbot.desk import muting, telling
from staffbot.desk.closing import begin_again
from staffbot.desk.conversations import clock_from_now
from staffbot.desk.hashes import Hashed
from staffbot.desk.ledger import Tx, enact, mention_of, to_change
from staffbot.desk.newcomers import words_row
from staffbot.desk.patrons import upsert_patrons
from staffbot.desk.pausing import woken
from staffbot.desk.people import get_person
from staffbot.model import Happened, Mention
from staffbot.policy import FollowUp, follow_up
from staffbot.tables import arrivals, mentions, words

_OF_CONVERSATIONS = (
    select(mentions)
    .where(mentions.c.conversation_hash.in_(bindparam("hashes", expanding=True)))
    .order_by(mentions.c.number)
)


def befores(tx: Tx, items: Sequence[Hashed]) -> dict[tuple[str, str], Mention]:
    """The newest mention of each conversation and patron among these items, if there is one."""
    conversations = {item.conversation for item in items if item.conversation}
    if not conversations:
        return {}
    rows = tx.conn.execute(_OF_CONVERSATIONS, {"hashes": list(conversations)})
    return {(row.conversation_hash, row.patron_hash): mention_of(row) for row in rows}


def joins(tx: Tx, item: Hashed, before: Mention) -> bool:
    """Join an item to the mention before it, if policy says so. False: it is one of its own."""
    mention = to_change(tx, before.number)
    source = tx.settings.source(item.mention.source)
    expects = source.expects(source.kind or item.mention.kind, item.mention.expects_answer)
    # Whoever is muted opens nothing again and starts no clock.
    expects = expects and not muting.among(tx, [item.patron])
    decided = follow_up(mention, expects_answer=expects, settings=tx.settings, now=tx.now)
    if decided is FollowUp.FRESH:
        return False
    part = _keep(tx, mention, item)
    last = mention.owner or mention.last_owner
    if decided in (FollowUp.REOPEN, FollowUp.ASK_AGAIN):
        event = begin_again(tx, mention, None, part=part)
    else:
        event = enact(
            tx, mention, Happened.FOLLOWED_UP, None, _heard_from(tx, mention, decided, expects),
            part=part,
        )  # fmt: skip
    owner = get_person(tx, last)
    if owner is not None and decided is not FollowUp.KEEP_CLOSED:
        telling.tell(tx, owner, mention, "followed_up", event=event)
    return True


def _keep(tx: Tx, mention: Mention, item: Hashed) -> int:
    newest = tx.conn.execute(
        select(func.max(words.c.part)).where(words.c.mention == mention.number)
    ).scalar()
    part = (newest or 0) + 1
    patron = upsert_patrons(tx, [item])[item.patron]
    row = words_row(item.mention, mention.number, part=part, role="follow_up", patron=patron)
    tx.conn.execute(insert(words).values(**row))
    tx.conn.execute(
        insert(arrivals).values(identity_hash=item.identity, mention=mention.number, part=part)
    )
    return part


def _heard_from(tx: Tx, mention: Mention, decided: FollowUp, expects: bool) -> Mapping[str, Any]:
    """The patron wrote: nobody waits for them any more, and the answer clock goes on.

    It begins where what was only heard of till now becomes a question to the library.
    """
    if decided is FollowUp.JOIN and expects and not mention.expects_answer:
        return clock_from_now(tx, mention, True)
    return woken(tx, mention, by_patron=True) if mention.waiting_since is not None else {}

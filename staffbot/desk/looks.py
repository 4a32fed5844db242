"""Which mentions are looked at again on their network, and what was seen there. Knows no network.

A look that fails is made up for by the next one: nothing is remembered of it, but where looks go on
failing a person is told, since answers are then not noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select, update

from staffbot.desk import changes, troubles
from staffbot.desk.ledger import Tx
from staffbot.network import Change, Conversation
from staffbot.policy import LOOKED_FOR, look_pause
from staffbot.tables import mentions, words

_LOOKING = "looking:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What is to be looked at now; `full` where there may be more."""

    conversations: tuple[Conversation, ...] = ()
    full: bool = False


def take(tx: Tx, *, source: str, most: int) -> Round:
    """The next conversations of a source whose time has come. Each has its next time then."""
    due = tx.conn.execute(
        select(mentions.c.number, mentions.c.came_at, mentions.c.deleted_at)
        .where(mentions.c.source == source, mentions.c.next_look_at <= tx.now)
        .order_by(mentions.c.next_look_at, mentions.c.number)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    numbers = [row.number for row in due]
    if not numbers:
        return Round()
    parts = tx.conn.execute(
        select(words.c.mention, words.c.native_id, words.c.conversation, words.c.permalink)
        .where(words.c.mention.in_(numbers), words.c.role.in_(("mention", "follow_up")))
        .where(words.c.native_id != "")
        .order_by(words.c.mention, words.c.part)
    ).all()
    known = {part.mention for part in parts}
    looked: set[int] = set()
    for row in due:
        wait = look_pause(tx.now - row.came_at)
        if row.deleted_at is not None or row.number not in known:
            wait = None
        if wait is not None:
            looked.add(row.number)
        # Not a change that a card could show, so the revision stays.
        tx.conn.execute(
            update(mentions)
            .where(mentions.c.number == row.number)
            .values(next_look_at=None if wait is None else tx.now + wait)
        )
    return Round(
        conversations=tuple(
            Conversation(
                native_id=part.native_id, conversation=part.conversation, permalink=part.permalink
            )
            for part in parts
            if part.mention in looked
        ),
        full=len(due) == most,
    )


def seen(tx: Tx, *, source: str, found: Sequence[Change]) -> int:
    """Follow what was seen on the network. Returns how much of it was new."""
    return sum(changes.apply(tx, source, change) for change in found)


def failing(tx: Tx, *, source: str, reason: str) -> None:
    """Looks at that source have failed for a while. `reason` is a plain sentence of ours."""
    label = tx.settings.source(source).shown_as
    said = f"Answers, edits and deletions on {label} are not noticed: {reason}"
    troubles.begin(tx, _subject(source), said)


def well(tx: Tx, *, source: str) -> None:
    """A look at that source went well."""
    troubles.end(tx, _subject(source))


def begin(tx: Tx, *, sources: Sequence[str]) -> int:
    """Look again at what came while its source could not look, as before an update or while it was
    switched off. Returns how many these are."""
    known = exists().where(
        words.c.mention == mentions.c.number,
        words.c.role.in_(("mention", "follow_up")),
        words.c.native_id != "",
    )
    begun = tx.conn.execute(
        update(mentions)
        .where(mentions.c.team.in_([team.key for team in tx.settings.teams]))
        .where(mentions.c.received_at > tx.now - LOOKED_FOR)
        .where(mentions.c.next_look_at.is_(None), mentions.c.deleted_at.is_(None))
        .where(mentions.c.source.in_(sources), known)
        .values(next_look_at=tx.now)
    )
    return begun.rowcount


def forget(tx: Tx, *, sources: Sequence[str]) -> None:
    """Mentions of other sources than these are not looked at: theirs cannot, or are gone."""
    here = {_subject(source) for source in sources}
    for one in troubles.current(tx):
        if one.subject.startswith(_LOOKING) and one.subject not in here:
            troubles.end(tx, one.subject)
    tx.conn.execute(
        update(mentions)
        .where(mentions.c.next_look_at.is_not(None), mentions.c.source.not_in(sources))
        .values(next_look_at=None)
    )


def _subject(source: str) -> str:
    return f"{_LOOKING}{source}"

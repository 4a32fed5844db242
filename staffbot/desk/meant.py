"""Which mention a person means: by number, by address, by its thread, or the only one there is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select

from staffbot.commands import Clear
from staffbot.desk.ledger import Tx
from staffbot.desk.posted import of_ref
from staffbot.desk.reading import ROWS, Listing, listing, owned, teams_of
from staffbot.errors import Refused
from staffbot.model import Actor, Happened, MessageRef, Person, Status
from staffbot.tables import events, mentions, words
from staffbot.words import listed


def resolve(tx: Tx, person: Person, text: str, actor: Actor, clear: Clear = Clear.MINE) -> int:
    """The number that is meant by `42`, `#42`, a permalink, or nothing where it is clear.

    Whether a typed number exists is left to what is done with it. Raises Refused where it is not
    clear which one is meant.
    """
    named = text.strip()
    if named:
        bare = named.removeprefix("#")
        return int(bare) if bare.isdigit() else _at_address(tx, named)
    if (actor.on or actor.thread) and actor.room is not None:
        here = of_ref(tx, MessageRef(room=actor.room, id=actor.on or actor.thread))
        if here is not None:
            return here
    if actor.on:
        raise Refused("That message is not the card of a mention, so nothing was done.")
    match clear:
        case Clear.MINE:
            return _the_only(tx, owned(person), "You have claimed", "You have claimed nothing")
        case Clear.UNCLAIMED:
            ours = mentions.c.team.in_(teams_of(tx, person, actor))
            free = ours & (mentions.c.status == Status.OPEN)
            return _the_only(tx, free, "Unclaimed are", "Nothing is unclaimed")
        case Clear.NONE | Clear.UNASKED:
            raise Refused("Which one? Say its number, as its card shows it.")


def _the_only(tx: Tx, where: Any, several: str, none: str) -> int:
    rows = tx.conn.execute(
        select(mentions.c.number).where(where).order_by(mentions.c.number).limit(ROWS)
    )
    found: tuple[int, ...] = tuple(row.number for row in rows)
    if len(found) == 1:
        return found[0]
    root = tx.settings.root
    if not found:
        raise Refused(f"{none}, so say which one is meant. `/{root} queue` shows them.")
    raise Refused(f"Which one? {several} {listed([str(one) for one in found])}: say its number.")


def _at_address(tx: Tx, address: str) -> int:
    """The mention of a permalink, as a chat platform may wrap it: <https://...|label>."""
    url = address.strip("<>").split("|")[0]
    spellings = {url, url.rstrip("/"), f"{url.rstrip('/')}/", url.split("#")[0]}
    rows = tx.conn.execute(
        select(words.c.mention)
        .where(or_(*(words.c.permalink == spelling for spelling in sorted(spellings))))
        .distinct()
        .order_by(words.c.mention)
        .limit(ROWS)
    )
    found: tuple[int, ...] = tuple(row.mention for row in rows)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refused("No mention has that address. Say its number, as its card shows it.")
    raise Refused(
        f"That address belongs to {listed([str(one) for one in found])}: say which number."
    )


def suggestions(tx: Tx, person: Person, actor: Actor, clear: Clear) -> Listing:
    """The mentions that a person may mean next, for completion."""
    ours = mentions.c.team.in_(teams_of(tx, person, actor))
    match clear:
        case Clear.UNCLAIMED:
            return listing(tx, ours & (mentions.c.status == Status.OPEN))
        case Clear.MINE:
            mine = listing(tx, owned(person))
            return mine if mine.total else listing(tx, ours & (mentions.c.status != "closed"))
        case Clear.NONE:
            return listing(tx, ours & (mentions.c.status == Status.CLOSED), newest=True)
        case Clear.UNASKED:
            return Listing(rows=(), total=0)


def last_act_on(tx: Tx, person: Person, number: int) -> int | None:
    """The newest event of this person on one mention that is not undone."""
    return tx.conn.execute(
        select(func.coalesce(events.c.act, events.c.id))
        .where(events.c.mention == number, events.c.person == person.key)
        .where(events.c.undone_by.is_(None))
        .where(events.c.what.not_in((Happened.READ, Happened.UNDONE)))
        .order_by(events.c.id.desc())
        .limit(1)
    ).scalar()

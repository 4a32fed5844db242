"""The same words by the same author on several networks within two days: offered as one, to link.

What words have in common is a keyed hash that stands beside them and is erased with them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, select

from staffbot.desk.hashes import keyed
from staffbot.desk.ledger import Tx, change, to_change
from staffbot.model import Patron
from staffbot.settings import Secret
from staffbot.tables import mentions, patrons, words

WITHIN = timedelta(days=2)
# Shorter words than these are alike by chance: "thank you".
_FEWEST = 4
# What differs where one text is posted twice: addresses, and the names of accounts.
_PASSING = re.compile(r"https?://\S+|[@#]\S+")
_WORD = re.compile(r"\w+")


def alike_hash(text: str, key: Secret) -> str | None:
    """What the same words have in common; None for words too few to tell."""
    plain = unicodedata.normalize("NFKC", _PASSING.sub(" ", text)).casefold()
    said = _WORD.findall(plain)
    return keyed(key, "words", " ".join(said)) if len(said) >= _FEWEST else None


def same_author(one: Patron, other: Patron) -> bool:
    """By the name that is shown, or by the account's without its server."""
    shared = _called(one) & _called(other)
    return bool(shared)


def _called(patron: Patron) -> frozenset[str]:
    handle = patron.handle.removeprefix("@").split("@")[0].split(".")[0]
    names = (
        unicodedata.normalize("NFKC", name).casefold().strip() for name in (patron.name, handle)
    )
    return frozenset(" ".join(name.split()) for name in names if name)


def twins(tx: Tx, number: int) -> tuple[int, ...]:
    """The mentions that say the same by the same author on another network, and are not linked."""
    return tuple(other for this, other in _pairs(tx, words.c.mention == number) if this == number)


def offer(tx: Tx, numbers: Sequence[int]) -> None:
    """Let the cards of earlier mentions show that the same came again."""
    fresh = set(numbers)
    pairs = _pairs(tx, words.c.mention.in_(numbers))
    for other in sorted({other for this, other in pairs if this in fresh} - fresh):
        change(tx, to_change(tx, other))


def _pairs(tx: Tx, which: ColumnElement[bool]) -> Iterable[tuple[int, int]]:
    mine = select(words.c.alike_hash).where(which, words.c.alike_hash.is_not(None))
    rows = tx.conn.execute(
        select(
            words.c.mention, words.c.alike_hash, mentions.c.source, mentions.c.posted_at,
            mentions.c.linked, patrons.c.name, patrons.c.handle, patrons.c.url,
        )
        .join(mentions, mentions.c.number == words.c.mention)
        .join(patrons, patrons.c.id == words.c.patron)
        .where(words.c.alike_hash.in_(mine), mentions.c.deleted_at.is_(None))
        .order_by(words.c.mention)
    ).all()  # fmt: skip
    return [
        (one.mention, other.mention)
        for one in rows
        for other in rows
        if one.alike_hash == other.alike_hash
        and one.source != other.source
        and abs(one.posted_at - other.posted_at) <= WITHIN
        and (one.linked is None or one.linked != other.linked)
        and same_author(
            Patron(name=one.name, handle=one.handle), Patron(name=other.name, handle=other.handle)
        )
    ]

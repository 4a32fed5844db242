"""The same words by the same author on several networks within two days: offered as one, to link.

What words have in common is a keyed hash that stands beside them and is erased with them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select

from staffbot.desk.hashes import keyed
from staffbot.desk.ledger import Tx, change, to_change
from staffbot.model import Patron
from staffbot.secret import Secret
from staffbot.tables import mentions, patrons, words

WITHIN = timedelta(days=2)
# What came oftener than this is a campaign or spam, which nobody links one by one.
_LATEST = 50
# Shorter words than these are alike by chance: "thank you".
_FEWEST = 4
# What differs where one text is posted twice: addresses, and the names of accounts.
_PASSING = re.compile(r"https?://\S+|[@#]\S+")
_WORD = re.compile(r"\w+")

_WORDS = (
    select(
        words.c.mention, words.c.alike_hash, words.c.at, mentions.c.source, mentions.c.linked,
        patrons.c.name, patrons.c.handle,
    )
    .join(mentions, mentions.c.number == words.c.mention)
    .join(patrons, patrons.c.id == words.c.patron)
)  # fmt: skip
_ALIKE = (
    _WORDS.where(words.c.alike_hash == bindparam("alike"), mentions.c.deleted_at.is_(None))
    .where(words.c.at.between(bindparam("since"), bindparam("until")))
    .order_by(words.c.at.desc())
    .limit(_LATEST)
)


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
    return tuple(sorted(_others(tx, _said(tx, [number]))))


def offer(tx: Tx, numbers: Sequence[int]) -> None:
    """Let the cards of earlier mentions show that the same came again."""
    for other in sorted(_others(tx, _said(tx, numbers)) - set(numbers)):
        change(tx, to_change(tx, other))


def _said(tx: Tx, numbers: Sequence[int]) -> Sequence[Any]:
    return tx.conn.execute(
        _WORDS.where(words.c.mention.in_(numbers), words.c.alike_hash.is_not(None))
    ).all()


def _others(tx: Tx, said: Sequence[Any]) -> set[int]:
    """Who says the same as one of these: one question for each text, however often it was said."""
    found: set[int] = set()
    for alike in {row.alike_hash for row in said}:
        mine = [row for row in said if row.alike_hash == alike]
        first, last = min(row.at for row in mine), max(row.at for row in mine)
        span = {"alike": alike, "since": first - WITHIN, "until": last + WITHIN}
        networks = {row.source for row in mine}
        others = [row for row in tx.conn.execute(_ALIKE, span) if networks != {row.source}]
        found |= {other.mention for other in others if any(_is_twin(one, other) for one in mine)}
    return found


def _is_twin(one: Any, other: Any) -> bool:
    return (
        one.source != other.source
        and abs(one.at - other.at) <= WITHIN
        and (one.linked is None or one.linked != other.linked)
        and same_author(
            Patron(name=one.name, handle=one.handle), Patron(name=other.name, handle=other.handle)
        )
    )

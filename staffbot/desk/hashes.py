"""What a post and its patron are known by: keyed hashes, so that the ledger itself names nobody."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from staffbot.model import IncomingMention
from staffbot.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """An incoming mention with the hashes it is known by. `conversation` is "" where it has none."""

    mention: IncomingMention
    identity: str
    conversation: str
    patron: str

    @property
    def thread(self) -> tuple[str, str] | None:
        """What a follow-up has in common with what it follows: the conversation and the patron."""
        return (self.conversation, self.patron) if self.conversation else None


def keyed(key: Secret, *parts: str) -> str:
    """The first 128 bits of an HMAC-SHA256, in hex; the parts cannot run into each other."""
    told = "\x1f".join(part.replace("\x1f", " ") for part in parts)
    data = told.encode("utf-8", "surrogatepass")
    return hmac.digest(key.value.encode(), data, "sha256").hex()[:32]


def hashed(mention: IncomingMention, key: Secret) -> Hashed:
    """An incoming mention with its hashes."""
    patron = mention.patron
    who: tuple[str, ...] = (patron.handle or patron.url or patron.name,)
    if patron.nameless:  # known within what they wrote to, and nowhere else
        who = ("nameless", mention.conversation or mention.native_id)
    return Hashed(
        mention=mention,
        identity=identity(mention.source, mention.native_id, key),
        conversation=(
            keyed(key, "conversation", mention.source, mention.conversation)
            if mention.conversation
            else ""
        ),
        patron=keyed(key, "patron", mention.source, *who),
    )


def identity(source: str, native_id: str, key: Secret) -> str:
    """What a post is known by: source and native id."""
    return keyed(key, "post", source, native_id)


def storable(text: str) -> str:
    """Text that every database takes: no NUL, no lone surrogate."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")

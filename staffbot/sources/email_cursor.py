"""Where the reading of a mailbox stands, as one JSON string, and which mails were read before.

The last number read counts with the UIDVALIDITY that gives numbers their meaning. Knows no server.
"""

from __future__ import annotations

import email
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from staffbot.model import IncomingMention
from staffbot.sources import email_letter, payload
from staffbot.sources.email_letter import Letter

_REMEMBERED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """`first` is the highest number of the first reading, up to which nothing older than `oldest` is
    taken; `seen` are mails that were read, each as its id and its print."""

    box: str = ""
    validity: int = 0
    uid: int = 0
    newest: datetime | None = None
    first: int = 0
    oldest: datetime | None = None
    seen: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """An unreadable cursor starts anew: the desk knows every mention that it has."""
        try:
            kept = json.loads(text or "")
            seen = tuple(str(one) for one in kept["seen"])
        except (ValueError, KeyError, TypeError):
            return cls()
        return cls(
            box=payload.text(kept, "box"), validity=payload.number(kept, "validity"),
            uid=payload.number(kept, "uid"), newest=payload.moment(kept, "newest"),
            first=payload.number(kept, "first"), oldest=payload.moment(kept, "oldest"), seen=seen,
        )  # fmt: skip

    def dump(self) -> str:
        kept = {
            "box": self.box, "validity": self.validity, "uid": self.uid,
            "newest": _told(self.newest), "first": self.first, "oldest": _told(self.oldest),
            "seen": self.seen,
        }  # fmt: skip
        return json.dumps(kept, separators=(",", ":"))

    def too_old(self, uid: int, letter: Letter, mention: IncomingMention) -> bool:
        """What lay in the mailbox at first, also where it was moved there from another one just now."""
        if self.oldest is None or uid > self.first:
            return False
        said = email_letter.said_at(email.message_from_bytes(letter.raw))
        return min(mention.posted_at, said or mention.posted_at) < self.oldest


def _told(at: datetime | None) -> str:
    return at.isoformat() if at else ""


class Seen:
    """Mails that were read before or in this very batch, the latest last."""

    def __init__(self, kept: Sequence[str]) -> None:
        self._prints = {one[:16]: one[16:] for one in kept}

    def new(self, letter: Letter, mention: IncomingMention) -> IncomingMention | None:
        """The mention, or None where it was read before. Some forms give all their mails one id, so
        another mail of the same id is a mention by an id that is made for it."""
        message = email.message_from_bytes(letter.raw)
        print_ = email_letter.print_of(message)
        if self._add(mention.native_id, print_):
            return mention
        if self._prints[_key(mention.native_id)] == print_:
            return None
        made = email_letter.made(message, letter.raw)
        alone = mention.conversation == mention.native_id
        conversation = made if alone else mention.conversation
        found = replace(mention, native_id=made, conversation=conversation)
        return found if self._add(made, print_) else None

    def _add(self, id_: str, print_: str) -> bool:
        key = _key(id_)
        before = self._prints.pop(key, None)
        self._prints[key] = before or print_
        return before is None

    def kept(self) -> tuple[str, ...]:
        return tuple(f"{key}{print_}" for key, print_ in self._prints.items())[-_REMEMBERED:]


def _key(id_: str) -> str:
    return hashlib.sha256(id_.encode(errors="replace")).hexdigest()[:16]

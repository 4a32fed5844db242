"""Which mails were answered, by what stands in the folder of sent ones. Blocks; knows no mention.

What was read is remembered while the program runs, so that each look asks for new ones only.
"""

from __future__ import annotations

import email
import threading
from collections.abc import Set
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses, parsedate_to_datetime

from staffbot.settings import Network as NetworkSettings
from staffbot.sources import email_letter
from staffbot.sources.email_mailbox import Mailbox
from staffbot.sources.email_options import Options

# As long as conversations are looked at.
_BACK = timedelta(days=30)

Answer = tuple[datetime, str]


class Sent:
    """The answers of one mailbox: the id of the answered mail, when, and from which address."""

    def __init__(self, options: Options, network: NetworkSettings) -> None:
        self._options = options
        self._network = network
        self._lock = threading.Lock()
        self._answers: dict[str, Answer] = {}
        self._marked: dict[str, datetime] = {}
        self._read = (0, 0)  # UIDVALIDITY and the last number read

    def answers(self, asked: Set[str], now: datetime) -> dict[str, Answer]:
        """The answers to the mails with these ids."""
        with self._lock, Mailbox(self._options, self._network) as box:
            self._read_sent(box, now)
            found = {id_: self._answers[id_] for id_ in asked if id_ in self._answers}
            # A mail program may mark a mail as answered a little before its answer is filed, and
            # the answer has the right moment: so a mark alone counts from the second look on.
            known = dict(self._marked)
            self._read_marks(box, asked - found.keys(), now)
            for id_ in self._marked.keys() & known.keys() & (asked - found.keys()):
                found[id_] = (known[id_], self._options.username)
        return found

    def _read_sent(self, box: Mailbox, now: datetime) -> None:
        folder = box.sent_folder()
        if not folder:
            return
        numbers, (validity, last) = box.select(folder), self._read
        same = numbers.validity == validity
        uids = box.uids(above=last) if same else box.uids(since=now - _BACK)
        for heads in box.headers(uids):
            message = email.message_from_bytes(heads.raw)
            thread = email_letter.ids(email_letter.header(message, "In-Reply-To"))
            thread = thread or email_letter.ids(email_letter.header(message, "References"))[-1:]
            writers = getaddresses([email_letter.header(message, "From")])
            account = writers[0][1].lower() if writers else ""
            for id_ in thread[:1]:
                answer = (_sent_at(email_letter.header(message, "Date")) or now, account)
                self._answers[id_] = min(self._answers.get(id_, answer), answer)
        self._read = (numbers.validity, max([numbers.last, *uids]))

    def _read_marks(self, box: Mailbox, asked: Set[str], now: datetime) -> None:
        if not asked:
            return
        box.select(self._options.folder)
        here: dict[str, datetime] = {}
        for heads in box.headers(box.uids(since=now - _BACK, answered=True)):
            id_ = email_letter.identity(email.message_from_bytes(heads.raw), b"")
            here[id_] = self._marked.get(id_, now)
        self._marked = here


def _sent_at(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None

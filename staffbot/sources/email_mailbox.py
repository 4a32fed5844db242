"""A mailbox over IMAP. Blocks: call it in a thread. Knows no mention and keeps no cursor.

Folders are opened for reading only and messages peeked at, so nothing in the mailbox changes;
of a large message only the beginning is fetched, never its attachments on purpose.
"""

from __future__ import annotations

import imaplib
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from imap_tools import AND, BaseMailBox, Header, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from staffbot.errors import SourceError
from staffbot.settings import Network as NetworkSettings
from staffbot.sources import email_fetched
from staffbot.sources.email_letter import Letter
from staffbot.sources.email_options import Options

# Text stands before attachments; forty kilobytes of it in base64 fit several times.
_MOST_BYTES = 256 * 1024
_AT_ONCE = 20
_HEADERS_AT_ONCE = 500
_SLICE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """With another `validity` all numbers mean others; none that is there is above `last`."""

    validity: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """The headers of one message."""

    uid: int
    raw: bytes


class Mailbox:
    """One connection, signed in. `with Mailbox(...) as box`; every trouble is a SourceError."""

    def __init__(self, options: Options, network: NetworkSettings) -> None:
        self._options = options
        self._network = network
        self._box: BaseMailBox | None = None

    def __enter__(self) -> Mailbox:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> None:
        """Connect and sign in."""
        with _in_words(self._options, self._network):
            box = self._connected()
            try:
                self._sign_in(box)
            except BaseException:
                _hang_up(box)
                raise
            self._box = box

    def _sign_in(self, box: BaseMailBox) -> None:
        if "LOGINDISABLED" in box.client.capabilities:
            raise SourceError(
                f"{self._options.host} takes passwords over TLS only: set security to tls or starttls"
            )
        user, password = self._options.username, self._options.password.value
        login = box.login if (user + password).isascii() else box.login_utf8
        try:
            login(user, password, initial_folder=None)
        except imaplib.IMAP4.abort:
            raise
        except (MailboxLoginError, imaplib.IMAP4.error):
            raise SourceError(
                f"{self._options.host} does not take {user} with this password: "
                "many providers want an app password made for programs"
            ) from None

    def _connected(self) -> BaseMailBox:
        host, port = self._options.host, self._options.port
        patience = self._network.timeout.total_seconds()
        if self._options.security == "none":
            return MailBoxUnencrypted(host, port or 143, timeout=patience)
        file = self._network.ca_file
        tls = ssl.create_default_context(cafile=str(file) if file else None)
        if self._options.security == "starttls":
            return MailBoxStartTls(host, port or 143, timeout=patience, ssl_context=tls)
        return MailBox(host, port or 993, timeout=patience, ssl_context=tls)

    def close(self) -> None:
        if self._box is not None:
            _hang_up(self._box)
            self._box = None

    @property
    def _open(self) -> BaseMailBox:
        if self._box is None:
            raise SourceError(f"the connection to {self._options.host} was closed")
        return self._box

    def select(self, folder: str, *, writing: bool = False) -> Numbers:
        """Open a folder, and say what its numbers are worth."""
        with _in_words(self._options, self._network, folder):
            told = self._open.folder.status(folder, ["UIDVALIDITY", "UIDNEXT"])
            self._open.folder.set(folder, readonly=not writing)
            return Numbers(validity=int(told["UIDVALIDITY"]), last=int(told["UIDNEXT"]) - 1)

    def sent_folder(self) -> str:
        """The folder of sent mails, by its configured name or as the server marks it; or ""."""
        if self._options.sent:
            return self._options.sent
        with _in_words(self._options, self._network):
            marked = [one.name for one in self._open.folder.list() if "\\Sent" in one.flags]
            return marked[0] if marked else ""

    def uids(
        self, *, above: int = 0, since: datetime | None = None, answered: bool = False
    ) -> list[int]:
        """The numbers of messages, lowest first: above one, or received since a day."""
        with _in_words(self._options, self._network):
            criteria: Any = {}
            if since is not None:
                # The server compares days of its own zone, so one more is asked for.
                criteria["date_gte"] = (since - timedelta(days=1)).date()
            if answered:
                criteria["answered"] = True
            if criteria:
                found = self._open.uids(AND(**criteria))
            else:
                found = self._open.uids(f"UID {above + 1}:*")
            # `n:*` brings the last message even where its number is lower.
            return sorted(int(uid) for uid in found if uid and int(uid) > above)

    def letters(self, uids: Sequence[int]) -> Iterator[tuple[int, Letter]]:
        """The messages of these numbers; one that is gone meanwhile is left out."""
        what = f"(UID INTERNALDATE BODYSTRUCTURE BODY.PEEK[]<0.{_MOST_BYTES}>)"
        for meta, raw in self._fetched(uids, what, _AT_ONCE):
            if uid := email_fetched.uid(meta):
                received, names = email_fetched.received_at(meta), email_fetched.names(meta)
                if len(raw) >= _MOST_BYTES and (section := email_fetched.text_section(meta)):
                    raw = self._with_text(uid, raw, section)
                yield uid, Letter(raw=raw, received_at=received, names=names)

    def _with_text(self, uid: int, raw: bytes, section: str) -> bytes:
        """A large mail with its words alone: a picture may stand before them."""
        what = f"(BODY.PEEK[{section}.MIME] BODY.PEEK[{section}]<0.{_MOST_BYTES}>)"
        with _in_words(self._options, self._network):
            status, told = self._open.client.uid("FETCH", str(uid), what)
        return email_fetched.with_text(raw, told) if status == "OK" else raw

    def headers(self, uids: Sequence[int]) -> Iterator[Heads]:
        """The headers that tell which message answers which."""
        fields = "MESSAGE-ID IN-REPLY-TO REFERENCES DATE FROM SUBJECT"
        what = f"(UID BODY.PEEK[HEADER.FIELDS ({fields})])"
        for meta, raw in self._fetched(uids, what, _HEADERS_AT_ONCE):
            if uid := email_fetched.uid(meta):
                yield Heads(uid=uid, raw=raw)

    def _fetched(self, uids: Sequence[int], what: str, size: int) -> Iterator[tuple[bytes, bytes]]:
        for at in range(0, len(uids), size):
            numbers = ",".join(map(str, uids[at : at + size]))
            with _in_words(self._options, self._network):
                status, told = self._open.client.uid("FETCH", numbers, what)
                if status != "OK":
                    raise SourceError(f"{self._options.host} did not hand out its messages")
            yield from email_fetched.messages(told)

    def with_id(self, message_id: str) -> list[int]:
        """The numbers of messages with this Message-ID in the selected folder."""
        if not message_id.isascii() or not message_id.isprintable() or '"' in message_id:
            return []
        with _in_words(self._options, self._network):
            found = self._open.uids(AND(header=Header("Message-ID", f"<{message_id}>")))
            return sorted(int(uid) for uid in found if uid)

    def put(self, raw: bytes, folder: str, flags: Sequence[str]) -> None:
        """File a message of our own."""
        with _in_words(self._options, self._network, folder):
            self._open.append(raw, folder, flag_set=list(flags))

    def delete(self, uids: Sequence[int]) -> None:
        """Take messages of our own away from the selected folder, and no others with them."""
        if not uids:
            return
        numbers = ",".join(map(str, uids))
        with _in_words(self._options, self._network):
            self._open.client.uid("STORE", numbers, "+FLAGS.SILENT", "(\\Deleted)")
            # A server that cannot do that for single messages leaves them marked as deleted.
            with suppress(imaplib.IMAP4.error):
                self._open.client.uid("EXPUNGE", numbers)

    def mark_seen(self, uids: Sequence[int]) -> None:
        """Mark them as read. The folder has to be selected for writing."""
        with _in_words(self._options, self._network):
            self._open.flag([str(uid) for uid in uids], "\\Seen", True)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait for news with IDLE. False where the server cannot do that; asks again at the end."""
        with _in_words(self._options, self._network):
            if "IDLE" not in self._open.client.capabilities:
                return False
            until = time.monotonic() + seconds
            self._open.idle.start()  # type: ignore[no-untyped-call]
            try:
                while not stop.is_set() and (left := until - time.monotonic()) > 0:
                    told = self._open.idle.poll(timeout=min(left, _SLICE_SECONDS))
                    if any(b"EXISTS" in line for line in told):
                        break
            finally:
                self._open.idle.stop()  # type: ignore[no-untyped-call]
        return True


def _hang_up(box: BaseMailBox) -> None:
    try:
        box.logout()
    except (OSError, imaplib.IMAP4.error, ImapToolsError):
        with suppress(OSError):  # it may be closed already
            box.client.shutdown()


@contextmanager
def _in_words(options: Options, network: NetworkSettings, folder: str = "") -> Iterator[None]:
    """Turns whatever goes wrong with the server into a sentence for the librarian."""
    try:
        yield
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as problem:
        raise SourceError(_said(problem, options, network, folder)) from problem


def _said(problem: Exception, options: Options, network: NetworkSettings, folder: str) -> str:
    host = options.host
    match problem:
        case ssl.SSLCertVerificationError():
            return (
                f"{host} shows a certificate that is not trusted here: "
                "name the library's own CA in network.ca_file if it has one"
            )
        case ssl.SSLError():
            return f"{host} does not speak TLS on this port: look at port and security"
        case TimeoutError():
            return f"{host} did not answer within {network.timeout.total_seconds():.0f} seconds"
        case OSError():
            return f"{host} cannot be reached ({problem.strerror or 'no connection'})"
        case ImapToolsError() if folder:
            return f"{host} has no folder {folder!r}, or does not let it be read"
        case _:
            return f"{host} broke off, or answered in a way that is no proper IMAP"

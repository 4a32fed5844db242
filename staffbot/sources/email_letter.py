"""An e-mail as a mention: who, what, to which thread. Knows bytes only: no mailbox, no network.

Addresses serve to tell who wrote, and stay here: the mention has none.
"""

from __future__ import annotations

import email
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from staffbot.model import IncomingMention, Kind, Patron, Visibility
from staffbot.sources import email_words, plain_text

MADE = "made:"
_MOST_PARTS = 100
_MOST_NAMED = 20
_CREDIBLE = timedelta(days=1)
_ID = re.compile(r"<([^<>\s]{1,500})>")
_DAEMONS = re.compile(
    r"^(?:mailer-daemon|postmaster|bounces?|no-?reply-bounce)(?:[+@-]|$)", re.IGNORECASE
)
# What mail programs write of a text, and what is in it: the same as browsers take it for.
_MEANT = {
    "iso-8859-1": "cp1252", "latin1": "cp1252", "iso-8859-9": "cp1254", "gb2312": "gb18030",
    "gbk": "gb18030", "shift_jis": "cp932", "ks_c_5601-1987": "cp949", "euc-kr": "cp949",
}  # fmt: skip
_QUOTE_IN_HTML = re.compile(
    r"<(?:blockquote|div[^>]{0,200}(?:gmail_quote|yahoo_quoted|divRplyFwdMsg|moz-cite-prefix))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One e-mail as the mailbox gave it. `names` are those of its attachments."""

    raw: bytes
    received_at: datetime | None = None
    names: tuple[str, ...] = ()


def header(message: Message, name: str) -> str:
    """A header as text, whatever was put into it."""
    try:
        value = message.get(name)
        return str(make_header(decode_header(str(value)))) if value is not None else ""
    except (ValueError, LookupError):
        return str(message.get(name, ""))


def ids(text: str) -> list[str]:
    """The message ids in a header, in their order."""
    return _ID.findall(text)


def mention(
    letter: Letter, *, source: str, kind: Kind, own: frozenset[str], now: datetime
) -> IncomingMention | None:
    """The e-mail as a mention, or None where no patron wrote it."""
    message = email.message_from_bytes(letter.raw)
    name, address = writer(message)
    if address in own or _is_automatic(message, address):
        return None
    body = _body(message)
    text = email_words.written(body)
    names = [plain_text.line(one, 100) for one in (letter.names or tuple(_attached(message)))]
    if names := [one for one in names if one][:_MOST_NAMED]:
        text = f"{text}\n\nAttached: {', '.join(names)}"
    thread = ids(header(message, "References")) or ids(header(message, "In-Reply-To"))
    id_ = identity(message, letter.raw)
    called = plain_text.name(name) or plain_text.name(email_words.name_in(body))
    return IncomingMention(
        source=source,
        native_id=id_,
        kind=kind,
        text=plain_text.clean(text),
        patron=Patron(name=called or "Somebody by e-mail", nameless=not called),
        posted_at=min(_posted_at(message, letter) or now, now),
        title=plain_text.line(header(message, "Subject")),
        conversation=plain_text.line(thread[0], 1_000) if thread else id_,
        visibility=Visibility.PRIVATE,
    )


def identity(message: Message, raw: bytes) -> str:
    """Its message id; one is made of what does not move where it has none."""
    found = ids(header(message, "Message-ID"))
    own = plain_text.line(found[0], 1_000) if found else ""
    return own or made(message, raw)


def made(message: Message, raw: bytes) -> str:
    """An id out of date, writer, subject and words, for a mail that has none, or that of another."""
    parts = [header(message, name) for name in ("Date", "From", "Subject")]
    _, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    told = "\0".join(parts).encode(errors="replace") + b"\0" + body[:4_096]
    return f"{MADE}{hashlib.sha256(told).hexdigest()[:32]}"


def print_of(message: Message) -> str:
    """The same for the same mail, however often it is delivered; else surely another."""
    told = "\0".join(header(message, name) for name in ("Date", "From", "Reply-To"))
    return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:8]


def said_at(message: Message) -> datetime | None:
    """Its own date, credible or not."""
    try:
        said = parsedate_to_datetime(header(message, "Date"))
        return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def writer(message: Message) -> tuple[str, str]:
    """Name and address of who wrote. A contact form sends as itself, for whom Reply-To names."""
    for field in ("Reply-To", "From"):
        for name, address in getaddresses([header(message, field)]):
            if "@" in address:
                return ("" if "@" in name else name), address.lower()
    return "", ""


def _is_automatic(message: Message, address: str) -> bool:
    """A bounce, an absence notice, a newsletter: nobody waits for an answer."""
    automatic = header(message, "Auto-Submitted").strip().lower()
    # Forms on web sites call themselves auto-generated; a person stands behind their Reply-To.
    form = bool(header(message, "Reply-To")) and not automatic.startswith("auto-replied")
    if automatic not in ("", "no") and not form:
        return True
    if any(header(message, name) for name in ("X-Autoreply", "X-Autorespond", "List-Id")):
        return True
    precedence = header(message, "Precedence").strip().lower()
    if precedence in ("auto_reply", "list", "junk") or (precedence == "bulk" and not form):
        return True
    if message.get_content_type() == "multipart/report":
        return True
    bounced = message.get("Return-Path") is not None and header(message, "Return-Path") == "<>"
    return (bounced and not form) or _DAEMONS.match(address) is not None


def _posted_at(message: Message, letter: Letter) -> datetime | None:
    """Its own date where that is credible, else when the mailbox got it."""
    said = said_at(message)
    if said is None:
        return letter.received_at
    if letter.received_at is not None and abs(said - letter.received_at) > _CREDIBLE:
        return letter.received_at
    return said


def _parts(message: Message) -> Iterator[Message]:
    for number, part in enumerate(message.walk()):
        if number >= _MOST_PARTS:
            return
        if not part.is_multipart():
            yield part


def _body(message: Message) -> str:
    """The words: plain text where there is any, else out of the HTML."""
    page = ""
    for part in _parts(message):
        if part.get_content_disposition() == "attachment":
            continue
        kind = part.get_content_type()
        if kind == "text/plain" and (text := _text(part)).strip():
            return plain_text.clean(text)
        if kind == "text/html" and not page:
            page = _text(part)
    quote = _QUOTE_IN_HTML.search(page)
    own = plain_text.of_html(page[: quote.start()]) if quote else ""
    return own or plain_text.of_html(page)


def _text(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    said = part.get_content_charset() or "utf-8"
    for charset in (_MEANT.get(said, said), "utf-8"):
        try:
            return raw.decode(charset)
        except (LookupError, ValueError):
            continue
    return raw.decode("cp1252", errors="replace")


def _attached(message: Message) -> Iterator[str]:
    for part in _parts(message):
        try:
            name = part.get_filename()
        except (ValueError, LookupError, TypeError):
            continue
        if name:
            yield str(make_header(decode_header(name))) if "=?" in name else name

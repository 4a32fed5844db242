"""What an IMAP server says to FETCH: which message, its content, when it came, its attachments' names.

Knows bytes only, as imaplib hands them out: no connection, no mention.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.header import decode_header, make_header
from itertools import chain, takewhile
from typing import Any
from urllib.parse import unquote

_NAME = re.compile(
    rb'"(?:FILE)?NAME\*?"\s+(?:"((?:[^"\\]|\\.)*)"|\{\d+\}\r?\n?([^\x00]*?)\x00)', re.IGNORECASE
)
_EXTENDED = re.compile(r"([\w-]+)'[\w-]*'(.*)", re.DOTALL)  # utf-8''caf%C3%A9.png
_RECEIVED = re.compile(rb'INTERNALDATE "([^"]+)"')
_UID = re.compile(rb"\bUID (\d+)")
_TOKENS = re.compile(rb'[()]|"(?:[^"\\]|\\.)*"|\{\d+\}\r?\n?[^\x00]*\x00|[^\s()"]+')
_OF_CONTENT = re.compile(rb"^content-[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)
# Names of attachments, which anybody may have chosen.
_STRANGE = re.compile(rb'"(?:[^"\\]|\\.)*"|\{\d+\}\r?\n?[^\x00]*\x00')


def uid(meta: bytes) -> int:
    """The message's number, or 0 where it was not said."""
    found = _UID.search(_STRANGE.sub(b"", meta))
    return int(found[1]) if found else 0


def messages(told: Sequence[Any]) -> Iterator[tuple[bytes, bytes]]:
    """Meta data and content of each message, out of the pieces that imaplib makes of an answer."""
    meta, content = b"", b""
    for piece in told:
        if isinstance(piece, tuple):
            meta += piece[0]
            if b"BODY[" in piece[0].upper():
                content = piece[1]
            else:
                meta += piece[1] + b"\0"  # a name that the server sent as a literal
        elif isinstance(piece, bytes):
            if content or meta:
                yield meta + piece, content
            meta, content = b"", b""


def text_section(meta: bytes) -> str:
    """The number of the part with the words: plain text, else HTML; "" where it is no part of many."""
    _, there, structure = meta.partition(b"BODYSTRUCTURE ")
    if not there:
        return ""
    try:
        top = _listed(iter(_TOKENS.findall(structure)))
    except (StopIteration, RecursionError):
        return ""
    found = {kind: number for number, kind in reversed(list(_texts(top, "")))}
    return found.get(b"plain") or found.get(b"html") or ""


def _listed(tokens: Iterator[bytes]) -> list[Any]:
    """The list that the tokens begin with; its strings in lower case, without quotes."""
    if next(tokens) != b"(":
        raise StopIteration
    found: list[Any] = []
    for token in tokens:
        if token == b")":
            return found
        rest = chain((token,), tokens)
        found.append(_listed(rest) if token == b"(" else token.strip(b'"').lower())
    raise StopIteration


def _texts(part: list[Any], number: str) -> Iterator[tuple[str, bytes]]:
    """The texts of a mail of many parts that are no attachments, by their numbers."""
    parts = list(takewhile(lambda one: isinstance(one, list), part))
    for at, inner in enumerate(parts, 1):
        yield from _texts(inner, f"{number}.{at}" if number else str(at))
    attached = any(isinstance(one, list) and one[:1] == [b"attachment"] for one in part)
    if number and part[:1] == [b"text"] and not attached:
        yield number, part[1]


def with_text(raw: bytes, told: Sequence[Any]) -> bytes:
    """The headers of a mail with one part of it alone, as FETCH told of that."""
    said: dict[bool, bytes] = {
        b".MIME]" in one[0].upper(): one[1] for one in told if isinstance(one, tuple)
    }
    if len(said) != 2:
        return raw
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"
    own = _OF_CONTENT.sub(b"", head)
    return own + said[True].replace(b"\r\n", b"\n").strip(b"\n") + b"\n\n" + said[False]


def received_at(meta: bytes) -> datetime | None:
    """When the mailbox got it."""
    found = _RECEIVED.search(meta)
    try:
        at = datetime.strptime(found[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z") if found else None
    except ValueError:
        return None
    return at.astimezone(UTC) if at else None


def names(meta: bytes) -> tuple[str, ...]:
    """The names of attachments, of those too that stand past what was fetched."""
    found: dict[str, None] = {}
    for quoted, literal in _NAME.findall(meta):
        text = re.sub(rb"\\(.)", rb"\1", quoted or literal).decode(errors="replace")
        try:
            if extended := _EXTENDED.fullmatch(text):
                text = unquote(extended[2], encoding=extended[1], errors="replace")
            found[str(make_header(decode_header(text)))] = None
        except (ValueError, LookupError):
            found[text] = None
    return tuple(found)

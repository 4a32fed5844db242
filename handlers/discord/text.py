"""Text for Discord: escaped so that it stays text, cut where a reader sees a whole letter. Pure.

Discord counts characters in a way that its description does not state; UTF-16 units are never
fewer than code points, so what fits by them fits by either count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from staffbot.messages import Line, Link, Span, When, Who
from staffbot.words import web

# Marks that one letter may carry before the rest is dropped: piled up they run over other lines.
MOST_MARKS = 4

_JOINERS = frozenset("\u200d\ufe0f\ufe0e\u20e3")
# Characters that turn the direction of everything after them.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARKUP = re.compile(r"([\\*_~`|<>\[\]@#:])")
_BEGINS_A_LINE = re.compile(r"(?m)^([ \t]*)([-+]|\d+(?=\.))")
_OURS = re.compile(r"([\\*_~`|<>\[\]@])")


def units(text: str) -> int:
    """How long Discord may find a text."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, limit: int) -> str:
    """At most `limit` units, ending in an ellipsis where something was left out.

    Never between a letter and its marks, within a joined emoji, or behind an escape.
    """
    if units(text) <= limit:
        return text
    kept: list[str] = []
    left = limit - 1
    for cluster in _clusters(text):
        left -= units(cluster)
        if left < 0:
            break
        kept.append(cluster)
    return "".join(kept).rstrip() + "…" if limit > 0 else ""


def tidy(text: str) -> str:
    """A stranger's text without what is no letter: controls, turns of direction, heaps of marks."""
    return re.sub(r"\n{3,}", "\n\n", _letters(text)).strip()


def _letters(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text.replace("\r\n", "\n").replace("\r", "\n"):
        kind = unicodedata.category(character)
        if kind == "Cs":
            character = "\ufffd"  # half a surrogate pair, which no JSON may hold
        elif (kind == "Cc" and character not in "\n\t") or character in _TURNS:
            continue
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def escaped(text: str) -> str:
    """A stranger's text that Discord shows as it was written: no mark-up, link, mention or emoji."""
    marked = _MARKUP.sub(r"\\\1", tidy(text))
    return _BEGINS_A_LINE.sub(_escape_beginning, marked)


def _escape_beginning(found: re.Match[str]) -> str:
    space, begins = found[1], found[2]
    # A digit cannot be escaped, but the dot behind it can.
    return f"{space}\\{begins}" if begins in "-+" else f"{space}{begins}\\"


def one_line(text: str) -> str:
    """For places without mark-up, as an author's name or an option's label."""
    return " ".join(tidy(text).split())


def ours(text: str) -> str:
    """A sentence of our own; the names in it may hold anything."""
    return _OURS.sub(r"\\\1", _letters(text))


def line(spans: Line, *, beside: bool = False) -> str:
    """A line in Discord's mark-up. `beside`: a moment as plain time, with how far off it is."""
    return "".join(_span(span, beside) for span in spans)


def _span(span: Span, beside: bool) -> str:
    match span:
        case str():
            return ours(span)
        case When():
            stamp = int(span.at.timestamp())
            return f"{ours(span.plain)} (<t:{stamp}:R>)" if beside else f"<t:{stamp}:f>"
        case Who():
            return f"**{escaped(span.name)}**"
        case Link():
            return link(span.label, span.url)


def link(label: str, url: str) -> str:
    """A link with a label of ours; only the label where a browser could not open it."""
    address = address_of(url)
    return f"[{ours(label)}]({address})" if address else ours(label)


def address_of(url: str, limit: int = 1000) -> str:
    """An address that can end no link early; nothing where it is none for a browser."""
    address = web(url).replace("(", "%28").replace(")", "%29")
    return address if len(address) <= limit else ""


def _clusters(text: str) -> Iterator[str]:
    """Letters with their marks, whole emoji, and escapes with what they escape."""
    begin = 0
    for at in range(1, len(text)):
        if not _joined(text, at, begin):
            yield text[begin:at]
            begin = at
    if text:
        yield text[begin:]


def _joined(text: str, at: int, begin: int) -> bool:
    """Whether the character there belongs to the cluster that began at `begin`."""
    character, before = text[at], text[at - 1]
    if unicodedata.combining(character) or character in _JOINERS or before == "\u200d":
        return True
    if unicodedata.category(character) in ("Mn", "Mc", "Me"):
        return True
    if before == "\\" and begin == at - 1:
        return True
    if "\U0001f3fb" <= character <= "\U0001f3ff":
        return True
    # Two letters make one flag.
    flag = "\U0001f1e6" <= character <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff"
    return flag and begin == at - 1

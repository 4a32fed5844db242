"""Text that Slack can hold: cleaned of what bends a page, cut on a grapheme's edge. Pure.

The only place where the Slack door shortens text. Slack's limits are met in UTF-16 units, which are
never fewer than its own count, whichever way it counts an emoji.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

ELLIPSIS = "…"

# Marks on one letter: no language stacks more; zalgo does.
MOST_MARKS = 6

_ZWJ = "\u200d"
# Overrides and isolates of direction, which could turn our own words around, and control letters.
_BENDS = re.compile("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufff9-\ufffb]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """A patron's text without letters that bend a page: overrides, controls, towers of marks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _without_towers(_SURROGATES.sub("\ufffd", _BENDS.sub("", lines)))


def cut(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, ending in an ellipsis where something was left out.

    Never between a letter and its marks, nor within a joined emoji, a flag or a syllable.
    """
    if size(text) <= limit:
        return text
    room = limit - size(ELLIPSIS)
    end, used = 0, 0
    for start, stop in _graphemes(text[: limit + 1]):
        used += size(text[start:stop])
        if used > room:
            break
        end = stop
    return text[:end].rstrip() + ELLIPSIS


def size(text: str) -> int:
    """How long Slack may take it to be."""
    return len(text) + sum(character > "\uffff" for character in text)


def _without_towers(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _graphemes(text: str) -> list[tuple[int, int]]:
    """Where each letter as a reader sees it begins and ends."""
    edges = [0]
    flags = 0
    for at in range(1, len(text)):
        flags = flags + 1 if _is_flag(text[at - 1]) else 0
        if not _joined(text, at, flags):
            edges.append(at)
    edges.append(len(text))
    return list(pairwise(edges))


def _joined(text: str, at: int, flags: int) -> bool:
    """Whether the character there belongs to the one before it. `flags`: letters of a flag before."""
    character, before = text[at], text[at - 1]
    return (
        _is_mark(character)
        or character == _ZWJ
        or before == _ZWJ
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or (_is_flag(character) and flags % 2 == 1)
        or (before == "\r" and character == "\n")
        or _same_syllable(before, character)
        or 0xE0020 <= ord(character) <= 0xE007F
    )


def _same_syllable(before: str, character: str) -> bool:
    """Hangul that is written in single letters."""
    leads = "\u1100" <= before <= "\u1112"
    return ("\u1161" <= character <= "\u1175" and leads) or (
        "\u11a8" <= character <= "\u11c2"
        and ("\u1161" <= before <= "\u1175" or "\uac00" <= before <= "\ud7a3")
    )


def _is_mark(character: str) -> bool:
    return character > "\u02ff" and unicodedata.category(character) in ("Mn", "Me", "Mc")


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"

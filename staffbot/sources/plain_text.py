"""A patron's words as clean plain text, out of HTML or not; knows no network and keeps no words.

What comes out is NFC, has only newlines for layout, no lone surrogates, no invisible or
direction-turning characters beyond those that a script or an emoji needs, and at most MOST
characters. It is still untrusted text: every door escapes it once more.
"""

from __future__ import annotations

import html
import re
import unicodedata

import nh3

# A text is kept whole up to here; what is longer ends in an ellipsis, the link leads to the rest.
MOST = 50_000
# nh3 takes seconds for very deep or very large HTML, so what it is given is bounded first.
MOST_HTML = 64 * 1024
DEEPEST = 200
# Letters of living languages carry three or four marks at the most; more is meant to break layout.
MOST_MARKS = 6

_ZWNJ, _ZWJ, _BLACK_FLAG = "\u200c", "\u200d", "\U0001f3f4"
# Signs that Unicode calls "format" although they are seen: Arabic number and verse signs.
_SEEN_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\U000110bd")
_EMAIL = re.compile(r"(?<![@\w.+-])[^\s<>()@,;:]{1,64}@[^\s<>()@,;:]{1,255}")
_BREAKS = re.compile(
    r"<(?:br|hr|/p|/div|/li|/ul|/ol|/tr|/table|/blockquote|/pre|/section|/article|/h[1-6])\b"
    r"[^<>]{0,200}>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_OPENS = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_NEVER_NESTS = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr", "source", "embed"})


def clean(text: str, most: int = MOST) -> str:
    """Plain text of a patron, made harmless to layout; its words are left as they are."""
    text = _whole_characters(text[: most * 2]).replace("\r\n", "\n")
    text = unicodedata.normalize("NFC", _without_invisible(text))
    text = re.sub(r"[^\S\n]+\n|\n[^\S\n]+(?=\n)", "\n", text)
    return _cut(re.sub(r"\n{3,}", "\n\n", text).strip(), most)


def line(text: str, most: int = 300) -> str:
    """`clean`, on one line: for a title or a name."""
    return _cut(" ".join(clean(text, most * 2).split()), most)


def name(text: str, most: int = 100) -> str:
    """A patron's name on one line. E-mail addresses are dropped: nobody at the desk needs them.

    So are the marks that an address stood in, and those around a whole name; `Robin (they/them)`
    keeps its own.
    """
    told = text[:2_000]
    bare = _EMAIL.sub(" ", told)
    if bare != told:
        bare = re.sub(r"\(\s*\)|<\s*>|\[\s*\]|\"\s*\"", " ", bare).strip(" <>,;:")
        bare = bare.removesuffix("(").removeprefix(")")
    found = line(bare, most).strip(" ,;:")
    for opens, shuts in ("()", "<>", '""', "''"):
        if (
            found.startswith(opens)
            and found.endswith(shuts)
            and not {opens, shuts} & {*found[1:-1]}
        ):
            found = found[1:-1].strip()
    return found


def of_html(source: str) -> str:
    """The words of a piece of HTML: no tags, scripts, styles or comments, one line a block."""
    source = source[:MOST_HTML]
    if _depth(source) > DEEPEST:
        # Only made to hurt. The tags are cut out without a parser; nothing of it is ever rendered.
        return clean(html.unescape(_TAG.sub(" ", source)).replace("\xa0", " "))
    bare = nh3.clean(_BREAKS.sub(r"\g<0>" + "\n", re.sub(r"[^\S\xa0]+", " ", source)), tags=set())
    # Unescaped last, once: what a patron typed as &lt;b&gt; is read as <b>.
    words = html.unescape(bare).replace("\xa0", " ")
    return clean(re.sub(r"[^\S\n]*\n[^\S\n]*", "\n", re.sub(r"[^\S\n]+", " ", words)))


def web_address(text: object) -> str:
    """An http(s) address as it stands, or nothing where it is anything else (javascript:, data:)."""
    if not isinstance(text, str) or len(text) > 2_000:
        return ""
    found = text.strip()
    if re.match(r"https?://[^\s/?#]", found, re.IGNORECASE) is None:
        return ""
    return "" if any(c.isspace() or unicodedata.category(c)[0] == "C" for c in found) else found


def _whole_characters(text: str) -> str:
    """Surrogate pairs joined, lone ones replaced: no database and no socket takes those."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _without_invisible(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for at, char in enumerate(text):
        if char.isascii() and char.isprintable():
            kept.append(char)
            marks = 0
            continue
        category = unicodedata.category(char)
        if char == "\n" or category in ("Zl", "Zp"):
            kept.append("\n")
        elif category == "Zs" or char == "\t":
            kept.append(" ")
        elif category == "Cc" or (category == "Cf" and not _needed(text, at, kept)):
            continue
        elif category in ("Mn", "Me"):
            marks += 1
            if marks <= MOST_MARKS:
                kept.append(char)
            continue
        else:
            kept.append(char)
        marks = 0
    return "".join(kept)


def _needed(text: str, at: int, kept: list[str]) -> bool:
    """Whether a format character at `at` is part of an emoji or of how a script is written."""
    char = text[at]
    if char in _SEEN_FORMATS:
        return True
    before, after = kept[-1] if kept else "", text[at + 1 : at + 2]
    if "\U000e0020" <= char <= "\U000e007f":  # the letters within a flag such as Scotland's
        return before == _BLACK_FLAG or "\U000e0020" <= before <= "\U000e007e"
    if char not in (_ZWNJ, _ZWJ) or not before or not after:
        return False
    if char == _ZWJ and _pictures(before) and _pictures(after):
        return True
    # Persian, Hindi, Sinhala and others spell with joiners; Latin, Greek and Cyrillic never do.
    return (
        unicodedata.category(before) in ("Lo", "Mn", "Mc") and unicodedata.category(after) == "Lo"
    )


def _pictures(char: str) -> bool:
    return unicodedata.category(char) in ("So", "Sk") or char == "\ufe0f"


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    end = most - 1
    # Not within a letter and its marks, nor within a joined emoji.
    while end > most - 50 and (
        unicodedata.category(text[end])[0] == "M" or _ZWJ in (text[end], text[end - 1])
    ):
        end -= 1
    return text[:end].rstrip() + "…"


def _depth(source: str) -> int:
    """How deep tags are nested, counted roughly and quickly: unclosed tags count as nesting."""
    depth = deepest = 0
    for closes, tag in _OPENS.findall(source):
        if tag.lower() in _NEVER_NESTS:
            continue
        depth = max(0, depth - 1) if closes else depth + 1
        deepest = max(deepest, depth)
    return deepest

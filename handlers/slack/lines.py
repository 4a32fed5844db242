"""Lines of our own text, for Slack: as rich text, or as escaped mrkdwn where rich text cannot stand.

A patron's words never come here except as `rich_text` elements, which format nothing and ping nobody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from handlers.slack.controls import web_url
from handlers.slack.cutting import clean, cut, size
from staffbot.messages import Line, Link, Span, When, Who

Json = dict[str, Any]

LINE = 1200  # of one line of ours
MRKDWN = 2900  # of a section or a context, with room to spare
DATE = "{date_short_pretty} {time}"
_CODE = re.compile(r"`([^`]+)`")


def rich(line: Line) -> list[Json]:
    """The elements of a rich text section. `like this` becomes code, as people type it."""
    found = [element for span in line for element in _elements(span)]
    return found or [{"type": "text", "text": "\u2013"}]


def text(words: str, *, bold: bool = False, italic: bool = False) -> Json:
    style = {name: True for name, on in (("bold", bold), ("italic", italic)) if on}
    made: Json = {"type": "text", "text": words}
    return {**made, "style": style} if style else made


def link(url: str, label: str) -> Json:
    return {"type": "link", "url": url, "text": label}


def _elements(span: Span) -> list[Json]:
    match span:
        case str():
            return _coded(cut(clean(span), LINE))
        case When():
            return [
                {
                    "type": "date",
                    "timestamp": int(span.at.timestamp()),
                    "format": DATE,
                    "fallback": span.plain or "then",
                }
            ]
        case Who():
            return [text(cut(clean(span.name), 80) or "somebody", bold=True)]
        case Link():
            url = web_url(span.url)
            label = cut(clean(span.label), 200) or url
            return [link(url, label)] if url else [text(label or "\u2013")]


def _coded(words: str) -> list[Json]:
    found: list[Json] = []
    for place, piece in enumerate(_CODE.split(words)):
        if not piece:
            continue
        if place % 2:
            found.append({"type": "text", "text": piece, "style": {"code": True}})
        else:
            found.append(text(piece))
    return found


def mrkdwn(line: Line) -> str:
    """A line for a section, a field or a context; a date is shown in each reader's own zone."""
    pieces = [_mrkdwn_span(span) for span in line]
    found = "".join(pieces)
    if size(found) <= MRKDWN:
        return found or "\u2013"
    return escaped(cut("".join(_plain(span) for span in line), MRKDWN // 6))


def _mrkdwn_span(span: Span) -> str:
    match span:
        case str():
            return escaped(cut(clean(span), LINE))
        case When():
            seconds = int(span.at.timestamp())
            fallback = escaped(span.plain).replace("|", "/")
            return f"<!date^{seconds}^{DATE}|{fallback or 'then'}>"
        case Who():
            return escaped(cut(clean(span.name), 80))
        case Link():
            url = web_url(span.url)
            label = escaped(cut(clean(span.label), 200)).replace("|", "/")
            return f"<{escaped(url)}|{label or 'link'}>" if url else label


def _plain(span: Span) -> str:
    match span:
        case str():
            return clean(span)
        case When():
            return span.plain
        case Who():
            return clean(span.name)
        case Link():
            return clean(span.label)


def escaped(words: str) -> str:
    """Inert in mrkdwn: no mention, no link, no channel."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def section(elements: Sequence[Json]) -> Json:
    return {"type": "rich_text", "elements": [_rich_section(elements)]}


def bullets(lines: Sequence[Line]) -> Json:
    items = [_rich_section(rich(line)) for line in lines]
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_list", "style": "bullet", "elements": items}],
    }


def _rich_section(elements: Sequence[Json]) -> Json:
    return {"type": "rich_text_section", "elements": list(elements)}


def context(words: str) -> Json:
    """A line in small grey letters."""
    return {"type": "context", "elements": [verbatim(words)]}


def verbatim(words: str) -> Json:
    """Ours, escaped; verbatim, so that Slack looks for no names and addresses in it."""
    return {"type": "mrkdwn", "text": words or "\u2013", "verbatim": True}

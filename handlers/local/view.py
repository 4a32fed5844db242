"""How a Message looks to the page: a pure translation into JSON. Knows no desk and no web.

Everything is text; the page sets it with `textContent` alone. Links are passed on only where they
lead to the web, and a patron's words are cut here.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

from handlers.local.references import Reference
from staffbot.messages import (
    Bullets,
    Button,
    Byline,
    Chart,
    Choice,
    Control,
    Facts,
    Field,
    File,
    Form,
    Heading,
    Line,
    Link,
    Message,
    OpenLink,
    Paragraph,
    Part,
    Picture,
    Quote,
    Reply,
    Row,
    Span,
    When,
    Who,
)

Json = dict[str, Any]

QUOTE_LIMIT = 4000
NAME_LIMIT = 80

_JOINERS = ("\u200d", "\ufe0f", "\ufe0e", "\u20e3")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def message_json(message: Message, reference: Reference | None = None) -> Json:
    """A message; with a reference it stands in the channel, without it is a private answer."""
    return {
        "type": "message",
        "id": reference.id if reference else None,
        "room": reference.room.id if reference else None,
        "at": reference.at.isoformat() if reference else None,
        "text": message.text,
        "mention": message.mention,
        "silent": message.silent,
        "collapsed": message.collapsed,
        "compact": message.compact,
        "refused": message.refused or message.failed,
        "parts": [part_json(part) for part in message.parts],
        "controls": [control_json(control) for control in message.controls],
    }


def reply_json(reply: Reply) -> Json:
    match reply:
        case Message():
            return message_json(reply)
        case Form():
            return form_json(reply)


def form_json(form: Form) -> Json:
    return {
        "type": "form",
        "name": form.name,
        "title": form.title,
        "submit": form.submit,
        "mention": form.mention,
        "quote": part_json(form.quote) if form.quote else None,
        "fields": [field_json(field) for field in form.fields],
    }


def field_json(field: Field) -> Json:
    return {
        "name": field.name,
        "label": field.label,
        "options": [{"value": value, "label": label} for value, label in field.options],
        "many": field.many,
        "multiline": field.multiline,
        "required": field.required,
        "value": field.value,
        "hint": field.hint,
        "max_length": field.max_length,
    }


def part_json(part: Part) -> Json:
    match part:
        case Heading():
            return {"type": "heading", "text": part.text}
        case Paragraph():
            return {"type": "paragraph", "line": line_json(part.line), "quiet": part.quiet}
        case Bullets():
            return {"type": "bullets", "lines": [line_json(line) for line in part.lines]}
        case Facts():
            pairs = [{"label": label, "line": line_json(line)} for label, line in part.pairs]
            return {"type": "facts", "pairs": pairs}
        case Byline():
            return {
                "type": "byline",
                "name": cut(part.patron.name, NAME_LIMIT),
                "handle": cut(part.patron.handle, NAME_LIMIT),
                "url": web_url(part.patron.url),
                "network": part.network,
            }
        case Quote():
            return _quote(part)
        case Picture():
            media = part.media
            alt = cut(media.alt, QUOTE_LIMIT)
            return {"type": "picture", "kind": media.kind, "alt": alt, "url": web_url(media.url)}
        case Chart():
            return {"type": "chart", "png": _base64(part.png), "alt": part.alt, "name": part.name}
        case File():
            label = part.label or part.name
            return {
                "type": "file",
                "name": part.name,
                "label": label,
                "content": _base64(part.content),
            }
        case Row():
            return {
                "type": "row",
                "line": line_json(part.line),
                "mention": part.mention,
                "controls": [control_json(control) for control in part.controls],
            }


def _quote(quote: Quote) -> Json:
    text = cut(quote.text, QUOTE_LIMIT)
    return {
        "type": "quote",
        "text": text,
        "cut": text != quote.text,
        "permalink": web_url(quote.permalink),
        "language": quote.language if _LANGUAGE.fullmatch(quote.language) else "",
        "label": quote.label,
    }


def control_json(control: Control) -> Json:
    match control:
        case Button():
            return {
                "type": "button",
                "name": control.name,
                "label": control.label,
                "mention": control.mention,
                "value": control.value,
                "primary": control.primary,
                "danger": control.danger,
                "more": control.more,
            }
        case Choice():
            return {
                "type": "choice",
                "name": control.name,
                "label": control.label,
                "mention": control.mention,
                "more": control.more,
                "options": [{"value": value, "label": label} for value, label in control.options],
            }
        case OpenLink():
            return {"type": "link", "label": control.label, "url": web_url(control.url)}


def line_json(line: Line) -> list[Json]:
    return [span_json(span) for span in line]


def span_json(span: Span) -> Json:
    match span:
        case str():
            return {"type": "text", "text": span}
        case When():
            return {"type": "when", "at": span.at.isoformat(), "plain": span.plain}
        case Who():
            return {"type": "who", "key": span.key, "name": span.name}
        case Link():
            return {"type": "link", "label": span.label, "url": web_url(span.url)}


def web_url(url: str) -> str:
    """The address if it leads to the web, else nothing: `javascript:` and its like are no links."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, ending in an ellipsis where something was left out.

    Never between a letter and its marks, nor within a joined emoji.
    """
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and _joined(text, end):
        end -= 1
    return text[: end or limit - 1].rstrip() + "…"


def _joined(text: str, at: int) -> bool:
    """Whether the character there belongs to the one before it."""
    character, before = text[at], text[at - 1]
    return (
        unicodedata.combining(character) != 0
        or character in _JOINERS
        or before == "\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or ("\U0001f1e6" <= character <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff")
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")

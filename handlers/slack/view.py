"""A Message as Block Kit. Pure.

A patron's words stand in `rich_text` and `plain_text` alone. A card stays well under the size at
which Slack refuses a message, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handlers.slack import lines
from handlers.slack.controls import (
    element,
    elements,
    plain_text,
    usable,
    web_url,
)
from handlers.slack.cutting import clean, cut, size
from handlers.slack.fitting import MOST_TEXT, fewer_pictures, fitting, written
from staffbot.messages import (
    Bullets,
    Button,
    Byline,
    Chart,
    Control,
    Facts,
    File,
    Heading,
    Message,
    Paragraph,
    Part,
    Picture,
    Quote,
    Row,
)

Json = dict[str, Any]

CARD_QUOTE = 600  # a patron's words on a card; the rest is behind "Read all"
SHORT_QUOTE = 200  # on the card of what was only heard: about three lines
WHOLE_QUOTE = 2800  # in a private answer or a modal: one element of a text block
BLOCKS = 50
HOME_BLOCKS = 100
HEADER = 150
FIELD = 1900
ALT = 1900
NAME = 80
TEXT = 3000
READ_ALL = "read_all"

# The id of an uploaded file for each Chart of a message, in order; "" where there is none.
Uploads = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much may be shown: on a card in a channel, or privately to one person."""

    quote: int = CARD_QUOTE
    blocks: int = BLOCKS
    brief: bool = False  # a patron's words on one line that wraps, and no link below them


CARD = Room()
COMPACT = Room(quote=SHORT_QUOTE, brief=True)
PRIVATE = Room(quote=WHOLE_QUOTE)
WHOLE = Room(quote=WHOLE_QUOTE, blocks=HOME_BLOCKS)


def notification(message: Message) -> str:
    """The sentence that notifications and screen readers read; it holds no patron's word."""
    return lines.escaped(cut(clean(message.text), TEXT)) or "A message of the library's staffbot."


def blocks(message: Message, room: Room = CARD, uploads: Uploads = ()) -> list[Json]:
    """The whole message. Its sentence is shown too, but on a card, whose parts say it all."""
    if message.compact and room is CARD:
        room = COMPACT
    found: list[Json] = []
    if message.mention is None and not (message.collapsed and message.parts):
        found.append(lines.section(lines.rich((message.text,))))
    read_all = [part for part in message.parts if isinstance(part, Quote) and _is_cut(part, room)]
    controls = _with_read_all(message, read_all, room)
    tail = _actions(controls)
    most, text = room.blocks - len(tail), MOST_TEXT - written(tail)
    found += _with_pictures(message, room, uploads, most - len(found), text - written(found))
    return [*fitting(found, most, text), *tail]


def _with_pictures(
    message: Message, room: Room, uploads: Uploads, most: int, text: int
) -> list[Json]:
    """The parts, with as many pictures as leave room for State, Due and Owner, which stand below."""
    kept = sum(isinstance(part, Picture) for part in message.parts)
    found = _parts(message, room, uploads)
    while kept and (len(found) > most or written(found) > text):
        kept -= 1
        found = _parts(replace(message, parts=fewer_pictures(message.parts, kept)), room, uploads)
    return found


def _parts(message: Message, room: Room, uploads: Uploads) -> list[Json]:
    """The parts; where so many rows do not fit, each with its first control beside it alone."""
    rows = [part for part in message.parts if isinstance(part, Row)]
    lines_of_controls = sum(len(row.controls) > 1 for row in rows)
    tight = len(message.parts) + lines_of_controls > room.blocks - 4
    left = list(uploads)
    found: list[Json] = []
    for part in message.parts:
        if tight and isinstance(part, Row):
            part = replace(part, controls=part.controls[:1])
        found += _part(part, room, left)
    return found


def without_images(shown: list[Json]) -> list[Json]:
    """Each picture of ours said in words."""
    return [
        lines.context(lines.escaped(str(block["alt_text"]))) if block["type"] == "image" else block
        for block in shown
    ]


def _part(part: Part, room: Room, uploads: list[str]) -> list[Json]:
    match part:
        case Heading():
            return [_heading(part, room)]
        case Paragraph():
            if part.quiet:
                return [lines.context(lines.mrkdwn(part.line))]
            return [lines.section(lines.rich(part.line))]
        case Bullets():
            return [lines.bullets(part.lines)] if part.lines else []
        case Facts():
            return _facts(part)
        case Byline():
            return [lines.section(_byline(part))]
        case Quote():
            return [_quote(part, room)]
        case Picture():
            return [lines.section(_picture(part))]
        case Chart():
            return _chart(part, uploads.pop(0) if uploads else "")
        case File():
            return [lines.context(lines.escaped(cut(clean(part.label or part.name), TEXT // 2)))]
        case Row():
            return _row(part)


def _heading(heading: Heading, room: Room) -> Json:
    if room.brief:
        return lines.section([lines.text(cut(clean(heading.text), HEADER), bold=True)])
    return {"type": "header", "text": plain_text(clean(heading.text), HEADER)}


def _facts(facts: Facts) -> list[Json]:
    """Two columns: State, Due, Owner, in words."""
    fields = [lines.verbatim(_field(label, lines.mrkdwn(value))) for label, value in facts.pairs]
    return [
        {"type": "section", "fields": fields[start : start + 10]}
        for start in range(0, len(fields), 10)
    ]


def _field(label: str, value: str) -> str:
    name = lines.escaped(clean(label))
    return f"*{name}*\n{value}" if size(value) <= FIELD else f"*{name}*\n{value[: FIELD // 6]}"


def _byline(byline: Byline) -> list[Json]:
    """Who wrote, as the network shows them: text, and a link where there is an address."""
    patron = byline.patron
    name = cut(clean(patron.name), NAME) or "Somebody"
    url = web_url(patron.url)
    found = [lines.link(url, name) if url else lines.text(name, bold=True)]
    handle = cut(clean(patron.handle), NAME)
    if handle and handle != name:
        found.append(lines.text(f" {handle}"))
    found.append(lines.text(f" on {cut(clean(byline.network), NAME)}"))
    return found


def _quote(quote: Quote, room: Room) -> Json:
    """A patron's words as a quotation, and below it a link to the post itself."""
    found: list[Json] = []
    if quote.label:
        label = lines.text(cut(clean(quote.label), NAME * 2), italic=True)
        found.append({"type": "rich_text_section", "elements": [label]})
    words = cut(_shown(quote, room), room.quote)
    if words:
        found.append({"type": "rich_text_quote", "elements": [lines.text(words)]})
    elif not quote.label:
        empty = lines.text("There are no words in it.", italic=True)
        found.append({"type": "rich_text_section", "elements": [empty]})
    url = web_url(quote.permalink)
    if url and not room.brief:
        name = "The whole post" if words.endswith("…") else "The post"
        found.append({"type": "rich_text_section", "elements": [lines.link(url, name)]})
    return {"type": "rich_text", "elements": found}


def _shown(quote: Quote, room: Room) -> str:
    return clean(" ".join(quote.text.split()) if room.brief else quote.text).strip()


def _is_cut(quote: Quote, room: Room) -> bool:
    return size(_shown(quote, room)) > room.quote


def _picture(picture: Picture) -> list[Json]:
    """A link with its alt text: nothing of a patron's is fetched or shown of itself."""
    media = picture.media
    kind = cut(clean(media.kind), NAME).capitalize() or "Picture"
    alt = cut(clean(media.alt), ALT // 2)
    url = web_url(media.url)
    label = lines.link(url, kind) if url else lines.text(kind)
    said = f": {alt}" if alt else " without a description"
    return [label, lines.text(said)]


def _chart(chart: Chart, upload: str) -> list[Json]:
    alt = cut(chart.alt, ALT) or "A chart"
    if not upload:
        return [lines.context(lines.escaped(alt))]
    return [{"type": "image", "slack_file": {"id": upload}, "alt_text": alt}]


def _row(row: Row) -> list[Json]:
    """A line with its controls: one stands beside it, several below it."""
    controls = [control for control in row.controls if usable(control)]
    section: Json = {"type": "section", "text": lines.verbatim(lines.mrkdwn(row.line))}
    if len(controls) == 1:
        section["accessory"] = element(controls[0], 0)
    if len(controls) <= 1:
        return [section]
    return [section, *_actions(controls)]


# --- controls -----------------------------------------------------------------------------------


def _with_read_all(message: Message, cut_off: Sequence[Quote], room: Room) -> list[Control]:
    controls = list(message.controls)
    mention = message.mention
    if mention is None:
        numbers = [
            control.mention
            for control in controls
            if isinstance(control, Button) and control.mention is not None
        ]
        mention = numbers[0] if numbers else None
    if not cut_off or mention is None or room is WHOLE:
        return controls
    return [*controls, Button(name=READ_ALL, label="Read all", mention=mention, more=True)]


def _actions(controls: Iterable[Control]) -> list[Json]:
    found = elements(list(controls))
    return [{"type": "actions", "elements": found}] if found else []

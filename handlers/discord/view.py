"""How a Message looks on Discord: a pure translation into content, embed, components and files.

Top-level text is our sentence; a patron's words stand in the embed only, escaped and cut with a
link to the whole. Knows no desk, no client and no network.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from handlers.discord.controls import Json, rows_of
from handlers.discord.text import address_of, cut, escaped, line, link, one_line, ours, units
from staffbot.messages import (
    Bullets,
    Byline,
    Chart,
    Facts,
    File,
    Heading,
    Message,
    OpenLink,
    Paragraph,
    Part,
    Picture,
    Quote,
    Row,
)

CONTENT = 2000
TITLE = 256
DESCRIPTION = 4096
FIELDS = 25
FIELD_NAME = 256
FIELD_VALUE = 1024
FOOTER = 2048
AUTHOR = 256
IN_ALL = 6000
ALT = 1024
ADDRESS = 2048

# Of a patron's words a card shows this much; what is longer would push the buttons off a phone.
MAIN_QUOTE = 1800
SIDE_QUOTE = 500
SHORT_QUOTE = 200  # on the card of what was only heard: about three lines

# Where no component can carry the mark, an address does that nobody sees: an embed without a
# title shows none. Discord keeps no nonce with a message, so the mark is all that history tells.
MARKED = "https://discord.com/#staffbot-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that goes with a message; `alt` says what a picture shows."""

    name: str
    content: bytes = field(repr=False)
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A message as Discord is given it."""

    content: str
    embeds: tuple[Json, ...] = ()
    rows: tuple[Json, ...] = ()
    files: tuple[Upload, ...] = ()
    silent: bool = False


def draw(message: Message, mark: str = "") -> Payload:
    """A message; with a mark it can be found again by it."""
    rows = rows_of(message, mark)
    in_rows = any("custom_id" in one for row in rows for one in row["components"])
    embed = _embed(message, "" if in_rows else mark)
    return Payload(
        content=cut(ours(message.text), CONTENT),
        embeds=(embed,) if embed else (),
        rows=tuple(rows),
        files=tuple(_files(message)),
        silent=message.silent,
    )


def mark_in(embeds: list[Json]) -> str:
    """The mark that an embed's address carries; nothing where there is none."""
    for embed in embeds:
        url = str(embed.get("url") or "")
        if url.startswith(MARKED):
            return url.removeprefix(MARKED)
    return ""


def _files(message: Message) -> list[Upload]:
    files: list[Upload] = []
    for part in message.parts:
        match part:
            case Chart():
                files.append(
                    Upload(name=part.name, content=part.png, alt=cut(one_line(part.alt), ALT))
                )
            case File():
                files.append(Upload(name=part.name, content=part.content))
            case _:
                pass
    return files


# --- the embed ------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Words:
    """A patron's words within the description, cut last, to what is left."""

    text: str
    most: int
    before: str = ""
    after: str = ""

    def fixed(self) -> int:
        return units(self.before) + units(self.after) + 2

    def drawn(self, room: int) -> str:
        most = min(self.most, room)
        words = cut(self.text, most) if most > 0 else ""
        if self.before:  # what is not the mention itself is set off
            words = words and "> " + words.replace("\n", "\n> ")
        return "\n".join(piece for piece in (self.before, words, self.after) if piece)


def _embed(message: Message, mark: str) -> Json:
    embed: Json = {}
    blocks: list[str | _Words] = []
    for part in message.parts:
        _take(part, embed, blocks, titled=not mark, brief=message.compact)
    if not embed and not blocks and not mark:
        return {}
    _foot(message, embed)
    if mark:
        embed["url"] = f"{MARKED}{mark}"
        embed.setdefault("footer", {"text": "staffbot"})
    elif "title" in embed and (url := _address(message)):
        embed["url"] = url
    _fit_fields(embed)
    room = min(DESCRIPTION, IN_ALL - _counted(embed))
    if description := _description(blocks, room):
        embed["description"] = description
    return embed


def _take(
    part: Part, embed: Json, blocks: list[str | _Words], *, titled: bool, brief: bool
) -> None:
    """One part's place: title, author and fields are Discord's own, all else is description."""
    match part:
        case Heading():
            if titled and "title" not in embed and not blocks:
                embed["title"] = cut(ours(part.text), TITLE)
            else:
                blocks.append(f"**{ours(part.text)}**")
        case Paragraph():
            blocks.append(f"-# {line(part.line)}" if part.quiet else line(part.line))
        case Bullets():
            blocks.append("\n".join(f"- {line(one)}" for one in part.lines))
        case Row():
            blocks.append(f"- {line(part.line)}")
        case Facts():
            embed.setdefault("fields", []).extend(_fields(part))
        case Byline():
            embed["author"] = _author(part)
        case Quote():
            blocks.append(_short(part) if brief else _quote(part))
        case Picture():
            blocks.append(_picture(part))
        case Chart():
            embed["image"] = {"url": f"attachment://{part.name}"}
            blocks.append(ours(part.alt))
        case File():
            blocks.append(ours(part.label or part.name))


def _fields(facts: Facts) -> list[Json]:
    return [
        {
            "name": cut(ours(label), FIELD_NAME) or "-",
            "value": cut(line(value, beside=True), FIELD_VALUE) or "-",
            "inline": True,
        }
        for label, value in facts.pairs
    ]


def _picture(picture: Picture) -> str:
    kind = picture.media.kind
    shown = link("Picture" if kind == "image" else kind.capitalize(), picture.media.url)
    alt = cut(escaped(picture.media.alt), SIDE_QUOTE)
    return f"{shown}: {alt}" if alt else shown


def _author(byline: Byline) -> Json:
    patron = byline.patron
    name, handle = one_line(patron.name), one_line(patron.handle)
    who = cut(" ".join(piece for piece in (name, handle) if piece) or "Somebody", 180)
    author = {"name": cut(f"{who} on {one_line(byline.network)}", AUTHOR)}
    if url := address_of(patron.url, ADDRESS):
        author["url"] = url
    return author


def _quote(quote: Quote) -> _Words:
    text = escaped(quote.text)
    label = f"**{ours(quote.label)}**" if quote.label else ""
    most = SIDE_QUOTE if quote.label else MAIN_QUOTE
    whole = units(text) <= most
    after = ""
    if address_of(quote.permalink):
        after = link("Open the post" if whole else "Read it all in the post", quote.permalink)
    return _Words(text=text, most=most, before=label, after=after)


def _short(quote: Quote) -> _Words:
    """A few lines; the post has a button below them, so that only what is cut says where to read on."""
    text = escaped(one_line(quote.text))
    cut_off = units(text) > SHORT_QUOTE and address_of(quote.permalink)
    after = link("Read it all in the post", quote.permalink) if cut_off else ""
    return _Words(text=text, most=SHORT_QUOTE, after=after)


def _address(message: Message) -> str:
    """Where the title leads: the post of the patron."""
    for part in message.parts:
        if isinstance(part, Quote) and (url := address_of(part.permalink, ADDRESS)):
            return url
    links = (one.url for one in message.controls if isinstance(one, OpenLink))
    return next((url for one in links if (url := address_of(one, ADDRESS))), "")


def _foot(message: Message, embed: Json) -> None:
    """A card's number and team at its foot."""
    if message.mention is None or message.collapsed:
        return
    heading = next((part.text for part in message.parts if isinstance(part, Heading)), "")
    pieces = heading.split(" · ")
    named = pieces[0] == f"#{message.mention}"
    foot = [f"#{message.mention}", *(pieces[2:] if named else [])]
    embed["footer"] = {"text": cut(one_line(" · ".join(foot)), FOOTER)}


def _fit_fields(embed: Json) -> None:
    """At most as many fields as Discord takes, and room left for a description."""
    fields = embed.get("fields", [])
    del fields[FIELDS:]
    while fields and _counted(embed) > IN_ALL - SIDE_QUOTE:
        fields.pop()


def _counted(embed: Json) -> int:
    counted = units(embed.get("title", "")) + units(embed.get("footer", {}).get("text", ""))
    counted += units(embed.get("author", {}).get("name", ""))
    fields = embed.get("fields", [])
    return counted + sum(units(one["name"]) + units(one["value"]) for one in fields)


def _description(blocks: list[str | _Words], room: int) -> str:
    """All blocks within `room`: the patron's words give way first, then the last lines."""
    words = [block for block in blocks if isinstance(block, _Words)]
    fixed = sum(block.fixed() for block in words) + len(blocks)
    fixed += sum(units(block) for block in blocks if isinstance(block, str))
    left = max(room - fixed, 0)
    drawn: list[str] = []
    for block in blocks:
        if isinstance(block, str):
            drawn.append(block)
            continue
        share = left // max(len(words), 1) if block.most < MAIN_QUOTE else left
        text = block.drawn(share)
        left -= min(units(block.text), block.most, share)
        words.remove(block)
        drawn.append(text)
    return _whole_lines("\n".join(drawn).strip(), room)


def _whole_lines(text: str, room: int) -> str:
    """As many lines as fit; a link or a time is never cut in two."""
    if units(text) <= room:
        return text
    kept: list[str] = []
    left = room - 2
    for one in text.split("\n"):
        left -= units(one) + 1
        if left < 0:
            break
        kept.append(one)
    return "\n".join([*kept, "…"]) if kept else cut(text, room)

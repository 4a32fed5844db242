"""What can be said in a chat, in no platform's words: a Message of parts and controls.

Each door turns every part and control into its own platform's payload with `match`, so a part
that a door forgets is a type error. A patron's words stand only in `Quote`, `Byline` and `Picture`;
every other text is ours. Knows no database and no settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from staffbot.model import Media, Patron

# --- pieces of a line of our own text -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A moment, shown to each reader in their own zone. `plain` is it in the team's zone."""

    at: datetime
    plain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A staff member, by name; a door may show it as a silent mention. `key` is Person.key."""

    key: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    label: str
    url: str


Span = str | When | Who | Link
Line = tuple[Span, ...]


def plain(line: Line) -> str:
    """A line as plain text, for a door or a terminal that can show no more."""
    return "".join(_plain_span(span) for span in line)


def _plain_span(span: Span) -> str:
    match span:
        case str():
            return span
        case When():
            return span.plain
        case Who():
            return span.name
        case Link():
            return f"{span.label} ({span.url})"


# --- parts --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    line: Line
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Label and value pairs: State, Due, Owner. State is always said in words."""

    pairs: tuple[tuple[str, Line], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Byline:
    """Who wrote, where. `patron` is untrusted text."""

    patron: Patron
    network: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A patron's words: untrusted text, cut by each door to its own limit, with a link to the whole."""

    text: str
    permalink: str = ""
    language: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Media that a patron attached: shown as a link with its alt text, never embedded or fetched."""

    media: Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture of ours. `alt` says in a sentence what it shows."""

    png: bytes = field(repr=False)
    alt: str = ""
    name: str = "chart.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file for the asker."""

    name: str
    content: bytes = field(repr=False)
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One mention within a list (queue, digest, nag) with the controls for it."""

    line: Line
    mention: int
    controls: tuple[Control, ...] = ()


Part = Heading | Paragraph | Bullets | Facts | Byline | Quote | Picture | Chart | File | Row


# --- controls -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A press of it is `dispatch.press(control=name, mention=..., value=value)`.

    `name` is a control's stable name (`claim`, `done`, ...): doors store it in custom ids, so old
    buttons work after any update. `more` says that it belongs under the overflow menu.
    """

    name: str
    label: str
    mention: int | None = None
    value: str = ""
    primary: bool = False
    danger: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A choice among options, each (value, label)."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    mention: int | None = None
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLink:
    """A button that opens the post on its network."""

    label: str
    url: str


Control = Button | Choice | OpenLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is shown. `text` is a full sentence for notifications and screen readers: no patron text.

    mention    the mention that this message is the card of, if it is one
    about      the mention that a private answer is about
    silent     arrives without a notification
    collapsed  a closed card: two lines
    compact    the card of what was only heard: a few lines of the patron's words
    refused    an answer that nothing was done, and why: a door leaves a form open to be set right
    failed     an answer that nothing was done, through a fault of ours: not to be acknowledged
    old        an answer to what was heard before or too long ago: nobody waits for it
    """

    text: str
    parts: tuple[Part, ...] = ()
    controls: tuple[Control, ...] = ()
    mention: int | None = None
    about: int | None = None
    silent: bool = False
    collapsed: bool = False
    compact: bool = False
    refused: bool = False
    failed: bool = False
    old: bool = False

    def plain(self) -> str:
        """Our own text as plain lines; a patron's words are left out."""
        lines = [self.text]
        for part in self.parts:
            match part:
                case Heading():
                    lines.append(part.text)
                case Paragraph() | Row():
                    lines.append(plain(part.line))
                case Bullets():
                    lines += [f"- {plain(line)}" for line in part.lines]
                case Facts():
                    lines += [f"{label}: {plain(value)}" for label, value in part.pairs]
                case Chart():
                    lines.append(part.alt)
                case File():
                    lines.append(part.label or part.name)
                case Byline() | Quote() | Picture():
                    pass
        return "\n".join(lines)


# --- forms --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question of a form. With `options` it is a choice, with `many` several of them.

    `value` is what it begins with; of several they are `chosen`.
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...] = ()
    many: bool = False
    multiline: bool = False
    required: bool = True
    value: str = ""
    hint: str = ""
    max_length: int = 3000

    def chosen(self, value: str) -> bool:
        """Whether it begins with this option."""
        return value in (self.value.split(",") if self.many else (self.value,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Questions to ask before a verb can be done; sent back by `dispatch.submit(form=name, ...)`.

    `quote` is what they are about, shown above them: a patron's words. A submitted form may be
    answered by a form again: with what was filled in, and a hint that says what to look at.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    submit: str
    mention: int | None = None
    quote: Quote | None = None


Reply = Message | Form


def say(text: str, *lines: str, controls: Sequence[Control] = ()) -> Message:
    """A short private answer."""
    parts = tuple(Paragraph(line=(line,)) for line in lines)
    return Message(text=text, parts=parts, controls=tuple(controls))

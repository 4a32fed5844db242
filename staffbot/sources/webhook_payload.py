"""What may stand in the body of a webhook, and the words that say what is wrong with one.

docs/webhook.md explains it to those who send; docs/webhook.schema.json is made of these models.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from staffbot.model import IncomingMention, Kind, Media, Patron, Visibility
from staffbot.sources import plain_text

DEEPEST = 20
MOST_MENTIONS = 1_000
_Url = Annotated[str, Field(max_length=2_000, pattern=r"^([hH][tT][tT][pP][sS]?://\S+)?$")]
_Id = Annotated[str, Field(max_length=1_000)]


def _of_our_time(moment: datetime | None) -> datetime | None:
    if moment is not None and moment.year < 1990:
        raise ValueError("lies before 1990: is it counted in the right unit?")
    return moment


class _Part(BaseModel):
    # A key with a typing error would otherwise lose what stands under it without a word.
    model_config = ConfigDict(extra="forbid", frozen=True)


class Author(_Part):
    """Who wrote. Leave out e-mail addresses and the like: staffbot keeps none."""

    name: Annotated[str, Field(max_length=1_000)] = ""
    handle: Annotated[str, Field(max_length=1_000)] = ""
    url: _Url = ""


class Attachment(_Part):
    """A picture or file: it is linked, never fetched."""

    url: Annotated[_Url, Field(min_length=1)]
    kind: Annotated[str, Field(max_length=50)] = "image"
    alt: Annotated[str, Field(max_length=5_000)] = ""


class PostedMention(_Part):
    """One thing that a patron wrote."""

    id: Annotated[
        str,
        Field(min_length=1, max_length=1_000, description="Yours, stable: a repeat is no news"),
    ]
    text: Annotated[str, Field(description="The patron's words, as plain text")]
    kind: Annotated[Kind | None, Field(description="The source's setting where left out")] = None
    author: Author = Author()
    posted_at: Annotated[
        AwareDatetime | None,
        AfterValidator(_of_our_time),
        Field(description="With a time zone; now where left out"),
    ] = None
    title: Annotated[str, Field(max_length=5_000)] = ""
    permalink: Annotated[_Url, Field(description="Where a person can read and answer it")] = ""
    conversation: Annotated[
        _Id, Field(description="The same for all that belongs together; follow-ups are told by it")
    ] = ""
    in_reply_to: _Id = ""
    language: Annotated[str, Field(pattern=r"^([A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*)?$")] = ""
    media: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()
    private: Annotated[bool, Field(description="Never shown in an open channel")] = False
    expects_answer: Annotated[
        bool | None, Field(description="Whether a clock runs; the kind decides where left out")
    ] = None
    held: Annotated[bool, Field(description="Waits for moderation on the network")] = False


Body = PostedMention | Annotated[tuple[PostedMention, ...], Field(max_length=MOST_MENTIONS)]


class Unreadable(Exception):
    """The body is not what it should be. `path` is where, the text a sentence about it."""

    def __init__(self, reason: str, path: str = "") -> None:
        self.path = path
        super().__init__(reason)


_ONE = TypeAdapter(PostedMention)
_LIST: TypeAdapter[tuple[PostedMention, ...]] = TypeAdapter(
    Annotated[tuple[PostedMention, ...], Field(max_length=MOST_MENTIONS)]
)


def read(body: bytes) -> tuple[PostedMention, ...]:
    """The mentions of a body, which is one or a list of them. Raises Unreadable."""
    try:
        found = json.loads(body.decode())
    except UnicodeDecodeError as problem:
        raise Unreadable(f"the body is not UTF-8 (byte {problem.start})") from None
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise Unreadable(f"the body is not JSON: {problem.msg} ({where})") from None
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON that can be read") from None
    if not isinstance(found, dict | list):
        raise Unreadable("the body has to be one mention, {...}, or a list of them, [...]")
    try:
        many = isinstance(found, list)
        return (
            _LIST.validate_python(_sound(found)) if many else (_ONE.validate_python(_sound(found)),)
        )
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        raise Unreadable(_reason(first), _path(first["loc"])) from None
    except RecursionError:
        raise Unreadable("the body is nested too deeply") from None


def incoming(
    posted: Sequence[PostedMention], *, source: str, kind: Kind, now: datetime
) -> tuple[IncomingMention, ...]:
    """As the desk takes them in: clean text, no e-mail addresses in names, no moment to come."""
    return tuple(_incoming(mention, source=source, kind=kind, now=now) for mention in posted)


def _patron(author: Author) -> Patron:
    name, handle = plain_text.name(author.name), plain_text.name(author.handle)
    url = plain_text.web_address(author.url)
    return Patron(
        name=name or handle or "Somebody", handle=handle, url=url,
        nameless=not (name or handle or url),
    )  # fmt: skip


def _incoming(posted: PostedMention, *, source: str, kind: Kind, now: datetime) -> IncomingMention:
    at = now if posted.posted_at is None else min(posted.posted_at, now).astimezone(UTC)
    return IncomingMention(
        source=source,
        native_id=_id(posted.id),
        kind=posted.kind or kind,
        text=plain_text.clean(posted.text),
        patron=_patron(posted.author),
        posted_at=at,
        permalink=plain_text.web_address(posted.permalink),
        title=plain_text.line(posted.title),
        conversation=_id(posted.conversation),
        in_reply_to=_id(posted.in_reply_to),
        language=posted.language,
        media=tuple(
            Media(
                url=plain_text.web_address(part.url),
                kind=plain_text.line(part.kind, 20) or "file",
                alt=plain_text.line(part.alt, 1_000),
            )
            for part in posted.media
            if plain_text.web_address(part.url)
        ),
        visibility=Visibility.PRIVATE if posted.private else Visibility.PUBLIC,
        expects_answer=posted.expects_answer,
        held=posted.held,
    )  # fmt: skip


def _id(text: str) -> str:
    """An id as it was sent, but for what PostgreSQL takes in no text."""
    return text.replace("\x00", "\ufffd")


def schema() -> dict[str, Any]:
    """The JSON Schema of a body, as docs/webhook.schema.json holds it."""
    made = TypeAdapter(Body).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What staffbot takes in at POST /hooks/<source>",
        **made,
    }


def _sound(found: Any, depth: int = 0) -> Any:
    """The same without lone surrogates, which neither a model nor a database takes."""
    if depth > DEEPEST:
        raise Unreadable("the body is nested too deeply")
    match found:
        case str():
            return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_sound(key): _sound(value, depth + 1) for key, value in found.items()}
        case list():
            return [_sound(value, depth + 1) for value in found]
        case _:
            return found


def _path(steps: Sequence[int | str]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return plain_text.line(path.lstrip("."), 200)


def _reason(error: Any) -> str:
    match error["type"]:
        case "missing":
            return "is missing, and every mention needs it"
        case "extra_forbidden":
            return "is not known here: look for a typing error, or leave it out"
        case "timezone_aware":
            return "needs a time zone, as in 2026-03-14T09:30:00+01:00"
        case "string_pattern_mismatch":
            return "has not the form that is needed: see docs/webhook.md"
        case "value_error":
            return str(error["msg"]).removeprefix("Value error, ")
        case _:
            return str(error["msg"][:1].lower() + error["msg"][1:])


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")

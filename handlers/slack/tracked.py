"""What a message of Slack's says, in words to quote: also one of an app's, which may have no text of
its own but blocks, attachments or files. Knows no desk. Pure.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from handlers.slack.bodies import named

_MARKUP = re.compile(r"<([^<>]+)>")


def words(message: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The text as it is read. `names` has people by their ids."""
    text = str(message.get("text") or "") or "\n".join(_pieces(message))
    read = html.unescape(_MARKUP.sub(lambda found: _read(found[1], names), text))
    files = (_name_of(file) for file in message.get("files") or ())
    return "\n".join(line for line in (read.strip(), *(f"[{name}]" for name in files)) if line)


def people_in(message: Mapping[str, Any]) -> list[str]:
    """The people whom a message names."""
    return named(str(message.get("text") or "") or "\n".join(_pieces(message)))


def _read(markup: str, names: Mapping[str, str]) -> str:
    """One piece between angle brackets: a person, a channel, a group, an address."""
    what, _, label = markup.partition("|")
    if what.startswith("@"):
        return f"@{names.get(what[1:]) or label or 'somebody'}"
    if what.startswith("#"):
        return f"#{label}" if label else "#channel"
    if what.startswith("!"):
        kind = what[1:].partition("^")[0]
        return label or ("@group" if kind == "subteam" else f"@{kind}")
    return label if what.startswith(("mailto:", "tel:")) and label else what


def _pieces(message: Mapping[str, Any]) -> Iterator[str]:
    yield from filter(None, map(_said, message.get("blocks") or ()))
    for one in message.get("attachments") or ():
        own = [str(one[key]) for key in ("pretext", "title", "text") if one.get(key)]
        own += filter(None, map(_said, one.get("blocks") or ()))
        yield "\n".join(own) or str(one.get("fallback") or "")


def _said(block: Any) -> str:
    """The text of a block, in Slack's own markup."""
    match block:
        case {"type": "link", "url": url}:
            return f"<{url}>"
        case {"type": "user", "user_id": user}:
            return f"<@{user}>"
        case {"type": "emoji", "name": name}:
            return f":{name}:"
        case {"type": "image", "alt_text": str(alt)}:
            return alt
        case {"type": "actions"}:
            return ""
        case dict():
            inner = [block.get(key) for key in ("text", "fields", "elements")]
            pieces = [part if isinstance(part, str) else _said(part) for part in inner if part]
            return "\n".join(filter(None, pieces))
        case list():
            joint = "" if any(_is_inline(part) for part in block) else "\n"
            return joint.join(filter(None, map(_said, block)))
        case _:
            return ""


def _is_inline(part: Any) -> bool:
    """Whether it stands in a line with others, as in rich text."""
    return isinstance(part, dict) and part.get("type") in ("text", "link", "user", "emoji")


def _name_of(file: Mapping[str, Any]) -> str:
    return str(file.get("title") or file.get("name") or "a file")

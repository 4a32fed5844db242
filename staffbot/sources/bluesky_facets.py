"""Where an answer for Bluesky has links, names and hashtags: without being told, the network shows
them as mere text. Knows no network; what a name belongs to is asked elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

_LINK = re.compile(r"https?://[^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*", re.IGNORECASE)
_NAME = re.compile(
    r"(?<![^\s(])@((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])(?!\w)",
    re.IGNORECASE,
)
_TAG = re.compile(r"(?<!\S)[#\uff03]([^\s\u00ad\u2060\u200a-\u200d\u20e2#]+)")
_MOST_NAMES = 10
_LONGEST_TAG = 64
_ENDS = ".,;:!?'\"*_~"


def names(text: str) -> list[str]:
    """The accounts that are named in it, each once."""
    found = dict.fromkeys(match[1].lower() for match in _NAME.finditer(text))
    return [*found][:_MOST_NAMES]


def facets(text: str, known: Mapping[str, str]) -> list[dict[str, Any]]:
    """The parts of the text that lead somewhere, in its order. `known` holds accounts by name."""
    found: list[tuple[int, int, dict[str, str]]] = [*_links(text), *_tags(text)]
    for match in _NAME.finditer(text):
        did = known.get(match[1].lower(), "")
        if did:
            found.append((*match.span(), {"$type": "app.bsky.richtext.facet#mention", "did": did}))
    told, end = [], 0
    for start, stop, feature in sorted(found, key=lambda one: one[0]):
        if start >= end:
            told.append({"index": _bytes(text, start, stop), "features": [feature]})
            end = stop
    return told


def _links(text: str) -> Iterator[tuple[int, int, dict[str, str]]]:
    for match in _LINK.finditer(text):
        link = match[0].rstrip(_ENDS)
        if len(link) > len("https://"):
            feature = {"$type": "app.bsky.richtext.facet#link", "uri": link}
            yield match.start(), match.start() + len(link), feature


def _tags(text: str) -> Iterator[tuple[int, int, dict[str, str]]]:
    for match in _TAG.finditer(text):
        tag = match[1]
        while tag and unicodedata.category(tag[-1])[0] == "P":
            tag = tag[:-1]
        # "#1" is a number, and no hashtag there.
        if tag.isdigit() or not tag or tag[0] == "\ufe0f" or len(tag) > _LONGEST_TAG:
            continue
        feature = {"$type": "app.bsky.richtext.facet#tag", "tag": tag}
        yield match.start(), match.start() + 1 + len(tag), feature


def _bytes(text: str, start: int, stop: int) -> dict[str, int]:
    first = len(text[:start].encode())
    return {"byteStart": first, "byteEnd": first + len(text[start:stop].encode())}

"""What Slack refuses, as rules: every payload that a test sends is held against them.

The rules here are this project's own reading of Slack's reference and always hold. Where the shared
data lies beside the checkout, payloads are held against others' readings too: a Block Kit schema
and the argument lists of each method. `rich_text` is in no schema at hand, so its rules are here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

Json = dict[str, Any]

SHARED = Path(__file__).parents[4] / "shared" / "platforms" / "slack"
SCHEMA = SHARED / "blockkit-schema" / "slack-block-kit.subset.schema.json"
METHODS = SHARED / "slack-api-ref" / "methods"
MANIFEST = SHARED / "manifest-schema" / "manifest.schema.2.0.0.json"

MOST_TEXT = 13_000  # of all blocks of a message, as others have measured
TYPES = {"actions", "context", "divider", "header", "image", "input", "rich_text", "section"}
RICH = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}
RICH_ELEMENTS = {
    "text": {"text", "style"},
    "link": {"url", "text", "style"},
    "date": {"timestamp", "format", "fallback", "url"},
}
ELEMENTS = {
    "button", "static_select", "multi_static_select", "overflow", "checkboxes", "plain_text_input",
    "radio_buttons",
}  # fmt: skip


def message_faults(blocks: Any, most: int = 50) -> list[str]:
    """Why Slack would refuse these blocks of a message; nothing where it takes them."""
    if not isinstance(blocks, list):
        return ["blocks is no list"]
    return [*_blocks(blocks, most), *_schema(blocks)]


def view_faults(view: Any) -> list[str]:
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        return ["no modal and no home view"]
    found = _blocks(view.get("blocks", []), 100)
    found = [*found, *_schema(view.get("blocks", []))]
    if view["type"] == "modal":
        found += _plain(view.get("title"), 24, "title")
        if any(block.get("type") == "input" for block in view.get("blocks", ())):
            found += _plain(view.get("submit"), 24, "submit")
        if view.get("close"):
            found += _plain(view["close"], 24, "close")
    found += _length(view.get("private_metadata", ""), 0, 3000, "private_metadata")
    return found


def argument_faults(method: str, arguments: Mapping[str, Any]) -> list[str]:
    """What the reference of that method says against these arguments."""
    known = _reference(method)
    if known is None:
        return []
    properties = known["args"].get("properties", {})
    missing = set(known["args"].get("required", ())) - set(arguments) - {"token"}
    strange = set(arguments) - set(properties) - {"token"}
    return [f"{method} lacks {name}" for name in sorted(missing)] + [
        f"{method} has no argument {name}" for name in sorted(strange)
    ]


@cache
def _reference(method: str) -> Json | None:
    path = METHODS / f"{method}.json"
    if not path.exists():
        return None
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


# --- blocks -------------------------------------------------------------------------------------


def _blocks(blocks: Sequence[Json], most: int) -> list[str]:
    found: list[str] = []
    if len(blocks) > most:
        found.append(f"{len(blocks)} blocks, at most {most}")
    if most == 50 and _text(blocks) > MOST_TEXT:
        found.append(f"msg_blocks_too_long: {_text(blocks)}")
    named = [block["block_id"] for block in blocks if block.get("block_id")]
    if len(named) != len(set(named)):
        found.append("two blocks of one block_id")
    for place, block in enumerate(blocks):
        found += [f"/{place}: {fault}" for fault in _block(block)]
    return found


def _block(block: Json) -> Iterator[str]:  # noqa: C901
    kind = block.get("type")
    if kind not in TYPES:
        yield f"no block of type {kind}"
    elif kind == "header":
        yield from _plain(block.get("text"), 150, "header")
    elif kind == "section":
        yield from _section(block)
    elif kind == "context":
        elements = block.get("elements", [])
        yield from _count(elements, 1, 10, "context elements")
        for element in elements:
            yield from _text_object(element, 3000)
    elif kind == "actions":
        elements = block.get("elements", [])
        yield from _count(elements, 1, 25, "actions elements")
        ids = [element.get("action_id") for element in elements]
        if len(ids) != len(set(ids)):
            yield "two elements of one action_id"
        for element in elements:
            yield from _element(element)
    elif kind == "input":
        yield from _plain(block.get("label"), 2000, "label")
        yield from _element(block.get("element", {}))
    elif kind == "image":
        yield from _length(block.get("alt_text", ""), 1, 2000, "alt_text")
        if ("image_url" in block) == ("slack_file" in block):
            yield "an image has either an address or a file"
    elif kind == "rich_text":
        yield from _rich(block)


def _section(block: Json) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "a section without text"
    if "text" in block:
        yield from _text_object(block["text"], 3000)
    fields = block.get("fields", [])
    if "fields" in block:
        yield from _count(fields, 1, 10, "fields")
    for field in fields:
        yield from _text_object(field, 2000)
    if "accessory" in block:
        yield from _element(block["accessory"])


def _element(element: Json) -> Iterator[str]:  # noqa: C901
    kind = element.get("type")
    if kind not in ELEMENTS:
        yield f"no element of type {kind}"
        return
    yield from _length(element.get("action_id", ""), 1, 255, "action_id")
    if kind == "button":
        yield from _plain(element.get("text"), 75, "button")
        if "value" in element:
            yield from _length(element["value"], 1, 2000, "value")
        if "url" in element:
            yield from _length(element["url"], 1, 3000, "url")
        if element.get("style", "primary") not in ("primary", "danger"):
            yield f"no style {element['style']}"
        if "accessibility_label" in element:
            yield from _length(element["accessibility_label"], 1, 75, "accessibility_label")
    if kind in ("static_select", "multi_static_select", "checkboxes", "overflow", "radio_buttons"):
        options = element.get("options", [])
        most = {"overflow": 5, "checkboxes": 10, "radio_buttons": 10}.get(kind, 100)
        yield from _count(options, 1, most, f"options of a {kind}")
        for option in options:
            yield from _plain(option.get("text"), 75, "option")
            yield from _length(option.get("value", ""), 1, 150, "option value")
        first = element.get("initial_option")
        if first is not None and first not in options:
            yield "an initial option that is none of the options"
    if kind == "plain_text_input":
        most = element.get("max_length", 3000)
        if not 1 <= most <= 3000:
            yield f"max_length {most}"
        if len(element.get("initial_value", "")) > most:
            yield "an initial value longer than max_length"


def _rich(block: Json) -> Iterator[str]:
    yield from _count(block.get("elements", []), 1, 100, "rich text elements")
    for part in block.get("elements", ()):
        if part.get("type") not in RICH:
            yield f"no rich text of type {part.get('type')}"
        elif part["type"] == "rich_text_list":
            for item in part.get("elements", ()):
                yield from _rich_elements(item)
        else:
            yield from _rich_elements(part)


def _rich_elements(part: Json) -> Iterator[str]:
    yield from _count(part.get("elements", []), 1, 500, "rich text elements")
    for element in part.get("elements", ()):
        known = RICH_ELEMENTS.get(element.get("type", ""))
        if known is None:
            yield f"no rich text element of type {element.get('type')}"
            continue
        if strange := set(element) - known - {"type"}:
            yield f"a rich text {element['type']} has no {strange}"
        if element["type"] == "text":
            yield from _length(element.get("text", ""), 1, 3000, "rich text")
        if element["type"] == "link":
            yield from _length(element.get("url", ""), 8, 3000, "link")
        if element["type"] == "date" and not isinstance(element.get("timestamp"), int):
            yield "a date without a timestamp"


def _text_object(value: Any, most: int) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("type") not in ("mrkdwn", "plain_text"):
        yield f"no text object: {value}"
        return
    yield from _length(value.get("text", ""), 1, most, "text")


def _plain(value: Any, most: int, what: str) -> list[str]:
    if not isinstance(value, dict) or value.get("type") != "plain_text":
        return [f"{what} is no plain_text"]
    return list(_length(value.get("text", ""), 1, most, what))


def _length(text: Any, least: int, most: int, what: str) -> Iterator[str]:
    if not isinstance(text, str) or not least <= len(text.encode("utf-16-le")) // 2 <= most:
        yield f"{what} of {len(str(text))} letters, {least} to {most}"


def _count(values: Sequence[Any], least: int, most: int, what: str) -> Iterator[str]:
    if not least <= len(values) <= most:
        yield f"{len(values)} {what}, {least} to {most}"


def _text(value: Any) -> int:
    match value:
        case dict():
            return sum(
                len(item) if key in ("text", "alt_text", "fallback", "url") and
                isinstance(item, str) else _text(item)
                for key, item in value.items()
            )  # fmt: skip
        case list():
            return sum(_text(item) for item in value)
        case _:
            return 0


# --- others' readings ---------------------------------------------------------------------------


@cache
def _validator() -> Draft202012Validator | None:
    if not SCHEMA.exists():
        return None
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


@cache
def _of_type(kind: str) -> Any:
    whole = _validator()
    if whole is None:
        return None
    schema: Any = whole.schema
    return whole.evolve(schema={**schema, "$ref": f"#/$defs/{kind}_block"})


def _schema(blocks: Sequence[Json]) -> list[str]:
    """Others' schema knows no rich text and no choice of several: those are judged above alone."""
    found: list[str] = []
    for place, block in enumerate(blocks):
        if block.get("type") == "rich_text":
            continue
        if block.get("element", {}).get("type") == "multi_static_select":
            continue
        validator = _of_type(str(block.get("type")))
        fault = best_match(validator.iter_errors(block)) if validator is not None else None
        if fault is not None:
            found.append(f"/{place}{fault.json_path[1:]}: {fault.message[:300]}")
    return found

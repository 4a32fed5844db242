"""Who judges the loopback Discord and the door alike: Discord's own description, and its limits.

The documents lie beside a checkout where it is developed, and are optional: without them only the
rules written here judge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError

Json = dict[str, Any]

DOCUMENTS = Path(__file__).resolve().parents[3].parent / "shared" / "platforms" / "discord"
ABSENT = not (DOCUMENTS / "discord-openapi.json").exists()
WHY_ABSENT = "Discord's description is not beside this checkout"

# What the description does not hold: docs, resources/message and components/reference.
CONTENT = 2000
EMBEDS_IN_ALL = 6000
ROWS = 5
NONCE = 25

# Frames of the gateway that have a schema.
_FRAMES = {
    "READY": "Ready",
    "GUILD_CREATE": "GuildCreate",
    "MESSAGE_CREATE": "MessageCreate",
    "MESSAGE_UPDATE": "MessageUpdate",
    "THREAD_CREATE": "ThreadCreate",
}
_INTERACTIONS = {2: "Slash", 3: "Button", 4: "Autocomplete", 5: "ModalSubmit"}


@cache
def _openapi() -> Json:
    found: Json = json.loads((DOCUMENTS / "discord-openapi.json").read_text(encoding="utf-8"))
    return found


@cache
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({**_openapi(), "$ref": f"#{pointer}"})


@cache
def _frame_validator(name: str) -> Draft7Validator:
    text = (DOCUMENTS / "discord-gateway.schema.json").read_text(encoding="utf-8")
    return Draft7Validator({**json.loads(text), "$ref": f"#/definitions/{name}"})


def _escaped(path: str) -> str:
    return path.replace("~", "~0").replace("/", "~1")


_ANY_ID = re.compile(r'"\d{17,20}"')
_judged: dict[tuple[str, str], list[str]] = {}


def _said(where: str, validator: Draft7Validator | Draft202012Validator, value: Any) -> list[str]:
    """What is wrong with a value; what differs only in its ids is judged once."""
    key = where, _ANY_ID.sub('"0"', json.dumps(value, sort_keys=True))
    if key not in _judged:
        _judged[key] = _wrong(where, validator.iter_errors(value))
    return _judged[key]


def _wrong(where: str, errors: Iterator[ValidationError]) -> list[str]:
    said = []
    for error in errors:
        deepest = error
        while deepest.context:
            deepest = min(deepest.context, key=lambda one: (-len(one.absolute_path), one.message))
        place = "/".join(str(step) for step in deepest.absolute_path)
        said.append(f"{where}: {place}: {deepest.message[:300]}")
    return said


def request(method: str, template: str, body: Any) -> list[str]:
    """What is wrong with a request to that path of the description."""
    wrong = list(_beyond(body)) if method in ("POST", "PATCH") and isinstance(body, dict) else []
    if ABSENT or body is None:
        return wrong
    operation = _openapi()["paths"][template][method.lower()]
    if "requestBody" not in operation:
        return [*wrong, f"{method} {template}: takes no body"]
    pointer = (
        f"/paths/{_escaped(template)}/{method.lower()}/requestBody/content/application~1json/schema"
    )
    return wrong + _said(f"{method} {template}", _validator(pointer), _as_discord_takes(body))


def response(method: str, template: str, status: int, body: Any) -> list[str]:
    """What is wrong with what the loopback answers."""
    if ABSENT or body is None or status >= 400:
        return []
    answers = _openapi()["paths"][template][method.lower()]["responses"]
    if str(status) not in answers:
        return [f"{method} {template}: never answers {status}"]
    pointer = (
        f"/paths/{_escaped(template)}/{method.lower()}/responses/{status}"
        "/content/application~1json/schema"
    )
    return _said(f"answer to {method} {template}", _validator(pointer), body)


def frame(event: str, data: Json) -> list[str]:
    """What is wrong with a frame that the loopback sends."""
    name = _INTERACTIONS.get(data["type"]) if event == "INTERACTION_CREATE" else _FRAMES.get(event)
    if data.get("data", {}).get("component_type") == 3 or data.get("data", {}).get("type") == 3:
        name = None  # the schema was made for buttons and slash commands
    if ABSENT or name is None:
        return []
    return _said(event, _frame_validator(name), data)


def _as_discord_takes(body: Any) -> Any:
    """discord.py writes some ids as numbers, which the description wants as text and Discord takes."""
    if not isinstance(body, dict):
        return body
    given = dict(body)
    if isinstance(given.get("attachments"), list):
        given["attachments"] = [
            {**one, "id": str(one["id"])} for one in given["attachments"] if "id" in one
        ]
    if "recipient_id" in given:
        given["recipient_id"] = str(given["recipient_id"])
    if (given.get("allowed_mentions") or {}).get("users"):
        users = [str(one) for one in given["allowed_mentions"]["users"]]
        given["allowed_mentions"] = {**given["allowed_mentions"], "users": users}
    if isinstance(given.get("data"), dict):
        given["data"] = _as_discord_takes(given["data"])
    return given


def _beyond(body: Mapping[str, Any]) -> Iterator[str]:
    message = body["data"] if isinstance(body.get("data"), dict) else body
    if len(str(message.get("content") or "")) > CONTENT:
        yield "content is longer than 2,000"
    if sum(_embed_length(embed) for embed in message.get("embeds") or ()) > EMBEDS_IN_ALL:
        yield "embeds hold more than 6,000 in all"
    if len(str(message.get("nonce") or "")) > NONCE:
        yield "the nonce is longer than 25"
    rows = message.get("components") or ()
    if "title" not in message and len(rows) > ROWS:
        yield "more than 5 rows"
    ids = [one["custom_id"] for one in _walk(rows) if one.get("custom_id")]
    if len(set(ids)) != len(ids):
        yield f"custom ids are not unique: {ids}"
    for url in re.findall(r"attachment://([^\"\s]+)", json.dumps(message.get("embeds") or ())):
        if url not in [one.get("filename") for one in message.get("attachments") or ()]:
            yield f"no file called {url} goes with it"


def _walk(components: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for one in components:
        yield one
        inner = one.get("component")
        yield from _walk([*one.get("components", ()), *([inner] if inner else [])])


def _embed_length(embed: Mapping[str, Any]) -> int:
    length = len(embed.get("title") or "") + len(embed.get("description") or "")
    length += len((embed.get("footer") or {}).get("text") or "")
    length += len((embed.get("author") or {}).get("name") or "")
    fields = embed.get("fields") or ()
    return length + sum(len(field["name"]) + len(field["value"]) for field in fields)

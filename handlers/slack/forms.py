"""A Form as a Slack modal, and what was filled in as values. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from handlers.slack.controls import OPTION, OPTION_VALUE, plain_text
from handlers.slack.cutting import clean, cut
from handlers.slack.view import WHOLE, blocks
from staffbot.messages import Field, Form, Message, Quote

Json = dict[str, Any]

CALLBACK = "staffbot_form"
SHOWN = "staffbot_shown"
TITLE = 24
INPUT = 3000
HINT = 300
METADATA = 3000
CHECKBOXES = 10
OPTIONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A form that came back. `room` is where it was asked for, `thread` the thread there."""

    form: str
    mention: int | None
    values: Mapping[str, str | list[str]]
    room: str = ""
    thread: str = ""


def modal(form: Form, *, room: str = "", thread: str = "", prefilled: str = "") -> Json:
    """The questions. `prefilled` goes into the first question that takes several lines."""
    known = {"form": form.name, "mention": form.mention, "room": room, "thread": thread}
    asked = [] if form.quote is None else _about(form.quote)
    for field in form.fields:
        value = field.value
        if prefilled and field.multiline:
            value, prefilled = prefilled, ""
        asked.append(_input(field, value))
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain_text(form.title, TITLE),
        "submit": plain_text(form.submit, TITLE),
        "close": plain_text("Cancel", TITLE),
        "private_metadata": json.dumps(known)[:METADATA],
        "blocks": asked,
    }


def _about(quote: Quote) -> list[Json]:
    """What the questions are about: a patron's words, as data, above them."""
    _, *words = blocks(Message(text="", parts=(quote,)), WHOLE)
    return words


def shown(message: Message, title: str) -> Json:
    """A message at its full length in a modal: "Read all"."""
    return {
        "type": "modal",
        "callback_id": SHOWN,
        "title": plain_text(title, TITLE),
        "close": plain_text("Close", TITLE),
        "blocks": blocks(message, WHOLE),
    }


def filled(view: Mapping[str, Any]) -> Filled:
    """What a submitted view says."""
    known = json.loads(view.get("private_metadata") or "{}")
    values: dict[str, str | list[str]] = {}
    for name, inputs in view.get("state", {}).get("values", {}).items():
        for state in inputs.values():
            values[name] = _value(state)
    return Filled(
        form=str(known.get("form", "")),
        mention=known.get("mention"),
        values=values,
        room=str(known.get("room", "")),
        thread=str(known.get("thread", "")),
    )


def _value(state: Mapping[str, Any]) -> str | list[str]:
    if "selected_options" in state:
        return [str(option["value"]) for option in state["selected_options"] or ()]
    if "selected_option" in state:
        return str((state["selected_option"] or {}).get("value", ""))
    return str(state.get("value") or "")


def _input(field: Field, value: str) -> Json:
    made: Json = {
        "type": "input",
        "block_id": field.name,
        "label": plain_text(field.label, OPTION * 2),
        "optional": not field.required,
        "element": _element(field, value),
    }
    if field.hint:
        made["hint"] = plain_text(field.hint, HINT)
    return made


def _element(field: Field, value: str) -> Json:
    if not field.options:
        return _text(field, value)
    options = [_option(*option) for option in field.options][:OPTIONS]
    begins = replace(field, value=value)
    first = [
        option
        for option, (own, _) in zip(options, field.options, strict=False)
        if begins.chosen(own)
    ]
    made: Json = {"action_id": field.name, "options": options}
    if field.many:
        few = len(options) <= CHECKBOXES
        made["type"] = "checkboxes" if few else "multi_static_select"
        return {**made, **({"initial_options": first} if first else {})}
    made["type"] = "static_select"
    return {**made, **({"initial_option": first[0]} if first else {})}


def _text(field: Field, value: str) -> Json:
    most = min(field.max_length, INPUT)
    made: Json = {
        "type": "plain_text_input",
        "action_id": field.name,
        "multiline": field.multiline,
        "max_length": most,
    }
    started = cut(clean(value), most)
    return {**made, **({"initial_value": started} if started else {})}


def _option(value: str, label: str) -> Json:
    return {"text": plain_text(label, OPTION), "value": value[:OPTION_VALUE]}

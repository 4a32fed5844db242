"""Forms as Discord's modals, and a filled-in modal as values. Pure; knows no desk and no client.

The modal's custom id carries form and mention, so that one which was open over a restart still
counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handlers.discord.text import cut, escaped, one_line, tidy
from staffbot.messages import Button, Field, Form, Quote

Json = dict[str, Any]
Values = dict[str, str | list[str]]

TITLE = 45
LABEL = 45
HINT = 100
OPTIONS = 25
OPTION = 100
TEXT = 4000
QUESTIONS = 5
QUOTED = 1_500

LABELLED, INPUT, SELECT, SHOWN = 18, 4, 3, 10
ONE_LINE, PARAGRAPH = 1, 2

FORM = re.compile(r"m1\|(?P<form>[a-z_]+)\|(?P<mention>\d*)\|(?P<fixed>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What a person filled in."""

    form: str
    mention: int | None
    values: Values


def modal(form: Form) -> Json:
    """A form as a modal. A question with one possible answer is not asked but carried along."""
    fixed = {field.name: field.value for field in form.fields if _settled(field)}
    carried = "&".join(f"{name}={value}" for name, value in fixed.items())
    asked = [field for field in form.fields if not _settled(field)]
    return {
        "custom_id": f"m1|{form.name}|{form.mention or ''}|{carried}"[:100],
        "title": cut(one_line(form.title), TITLE),
        "components": [*_about(form.quote), *(_question(field) for field in asked[:QUESTIONS])],
    }


def _about(quote: Quote | None) -> list[Json]:
    """What the questions are about: a patron's words, shown above them as a quotation."""
    if quote is None or not quote.text.strip():
        return []
    words = cut(escaped(quote.text), QUOTED).splitlines()
    return [{"type": SHOWN, "content": "\n".join(f"> {line}" for line in words)}]


def filled(custom_id: str, components: Sequence[Mapping[str, Any]]) -> Filled | None:
    """What was filled in; None where the modal is none of ours."""
    found = FORM.fullmatch(custom_id)
    if found is None:
        return None
    values: Values = {}
    for pair in filter(None, found["fixed"].split("&")):
        name, _, value = pair.partition("=")
        values[name] = value
    for part in components:
        inner = part.get("component")
        for one in [inner] if inner else part.get("components", ()):
            values |= _answer(one)
    mention = int(found["mention"]) if found["mention"] else None
    return Filled(form=found["form"], mention=mention, values=values)


def opener(form: Form) -> Button:
    """A button that asks this form, where a modal can be opened no more."""
    value = next((field.value for field in form.fields if _settled(field)), "")
    return Button(name=form.name, label=form.title, mention=form.mention, value=value, primary=True)


def prefilled(form: Form, **values: str) -> Form:
    """The form with some answers written already."""
    fields = tuple(
        replace(field, value=cut(tidy(values[field.name]), min(field.max_length, TEXT)))
        if field.name in values
        else field
        for field in form.fields
    )
    return replace(form, fields=fields)


def _settled(field: Field) -> bool:
    return len(field.options) == 1 and field.required and field.options[0][0] == field.value


def _question(field: Field) -> Json:
    question: Json = {"type": LABELLED, "label": cut(one_line(field.label), LABEL)}
    if field.hint:
        question["description"] = cut(one_line(field.hint), HINT)
    # A list too long for a select is asked in words; the desk knows people and teams by name.
    choosable = 0 < len(field.options) <= OPTIONS
    question["component"] = _select(field) if choosable else _input(field)
    return question


def _select(field: Field) -> Json:
    options = [
        {
            "label": cut(one_line(label), OPTION) or "…",
            "value": value,
            **({"default": True} if field.chosen(value) else {}),
        }
        for value, label in field.options
    ]
    return {
        "type": SELECT,
        "custom_id": field.name,
        "options": options,
        "min_values": 1 if field.required else 0,
        "max_values": len(options) if field.many else 1,
        "required": field.required,
    }


def _input(field: Field) -> Json:
    shown: Json = {
        "type": INPUT,
        "custom_id": field.name,
        "style": PARAGRAPH if field.multiline else ONE_LINE,
        "required": field.required,
        "max_length": max(1, min(field.max_length, TEXT)),
    }
    # A value chosen for a select is no text for an input.
    if field.value and not field.options:
        shown["value"] = cut(field.value, shown["max_length"])
    return shown


def _answer(one: Mapping[str, Any]) -> Values:
    name = one.get("custom_id")
    if not isinstance(name, str):
        return {}
    if "values" in one:
        chosen = [str(value) for value in one["values"] or ()]
        return {name: chosen} if len(chosen) != 1 else {name: chosen[0]}
    value = one.get("value")
    return {name: value} if isinstance(value, str) else {}

"""What a validator found, in a person's words. Never repeats the value that was refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from staffbot.config.values import suggestion

_KINDS: dict[type, str] = {
    bool: "true or false",
    str: "text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


def kind_of(value: object) -> str:
    """What a value of the file is, in plain words."""
    if isinstance(value, date):
        return "a date"
    return _KINDS.get(type(value), "something else")


_WANTED = {
    "string": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple": "a list in [ ]",
    "list": "a list in [ ]",
    "set": "a list in [ ]",
    "frozen": "a list in [ ]",
    "dict": "a table in { }",
    "model": "a table",
    "date": "a date",
    "datetime": "a date with its time",
    "time": "a time of day",
    "url": "a web address",
    "path": "the path of a file",
}

_SENTENCES = {
    "missing": "is missing.",
    "greater_than": "has to be more than {gt}.",
    "greater_than_equal": "has to be at least {ge}.",
    "less_than": "has to be less than {lt}.",
    "less_than_equal": "can be at most {le}.",
    "finite_number": "has to be a number that ends.",
    "string_too_short": "has to have at least {min_length} letters.",
    "string_too_long": "can have at most {max_length} letters.",
    "too_short": "has to have at least {min_length} of them.",
    "too_long": "can have at most {max_length} of them.",
    "string_pattern_mismatch": "is not written as it has to be.",
    "literal_error": "has to be one of {expected}.",
    "enum": "has to be one of {expected}.",
    "is_instance_of": "is not of the right kind.",
    "extra_forbidden": "is not a setting.",
}


def reason(error: Mapping[str, Any], value: object) -> str:
    """What a validator found, as a sentence for a person."""
    found, context = str(error["type"]), error.get("ctx", {})
    if found in ("value_error", "assertion_error"):
        said = str(context.get("error", "")).strip() or "is not right."
        return said if said.endswith((".", "?", "!")) else f"{said}."
    if found in _SENTENCES:
        near = ""
        if found in ("enum", "literal_error") and isinstance(value, str):
            near = suggestion(value, re.findall(r"'([^']*)'", str(context["expected"])))
        return _SENTENCES[found].format(**context) + near
    wanted = _WANTED.get(found.split("_", 1)[0])
    if wanted and value is not None:
        kind = kind_of(value)
        but = "" if kind in wanted else f", but is {kind}"
        return f"should be {wanted}{but}."
    if wanted:
        return f"should be {wanted}."
    return "is not right."

"""Golden views: what is shown is compared with a file that a person has read.

Run with STAFFBOT_GOLDEN=write to rewrite the files, then read what changed before it is committed.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden"


def golden(name: str, shown: Any) -> None:
    """Hold `shown` (a Message, a Form, a platform's payload) against the file of that name."""
    path = FOLDER / f"{name}.json"
    text = json.dumps(as_json(shown), ensure_ascii=False, indent=2) + "\n"
    if os.environ.get("STAFFBOT_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    assert path.exists(), f"{path} is missing: run with STAFFBOT_GOLDEN=write and read it"
    assert text == path.read_text(encoding="utf-8")


def as_json(value: Any) -> Any:
    """A value as JSON that a person can read: a dataclass with its name, without its defaults."""
    match value:
        case str() if not isinstance(value, Enum):
            return value
        case None | bool() | int() | float():
            return value
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case bytes():
            return f"{len(value)} bytes"
        case Mapping():
            return {str(key): as_json(item) for key, item in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            fields = {
                field.name: as_json(getattr(value, field.name))
                for field in dataclasses.fields(value)
                if getattr(value, field.name) != field.default
            }
            return {"is": type(value).__name__, **fields}
        case _:
            raise TypeError(f"no golden form for {type(value).__name__}")

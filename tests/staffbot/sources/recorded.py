"""Answers of real servers, as recorded (recorded/SOURCES.md says from which)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recorded"


def recorded(name: str) -> Any:
    """The recorded JSON of that name, like `wordpress/comments_hold`."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))

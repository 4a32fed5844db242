"""Takes parts out of strangers' JSON: what is not of the kind that was asked for counts as missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_OLDEST_YEAR = 1990


def inner(part: object, *path: str) -> Any:
    """What stands at the end of the path, or None where there is no such way."""
    for key in path:
        if not isinstance(part, Mapping):
            return None
        part = part.get(key)
    return part


def text(part: object, *path: str) -> str:
    """A string, or "" where there is none."""
    found = inner(part, *path)
    return found if isinstance(found, str) else ""


def native_id(part: object, *path: str) -> str:
    """An id, which some networks send as a number and others as text; "" where there is none."""
    found = inner(part, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) and found.isprintable() and len(found) <= 1_000 else ""


def number(part: object, *path: str) -> int:
    """A whole number, or 0 where there is none."""
    found = inner(part, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def records(part: object, *path: str) -> list[Mapping[str, Any]]:
    """The objects of a list; whatever else stands in it is left out."""
    found = inner(part, *path)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def moment(part: object, *path: str) -> datetime | None:
    """An ISO moment in UTC; one without a zone is taken as UTC. None where it is none."""
    found = inner(part, *path)
    if not isinstance(found, str) or len(found) > 64:
        return None
    try:
        at = datetime.fromisoformat(found)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year >= _OLDEST_YEAR else None

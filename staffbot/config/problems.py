"""Gathers everything that is wrong, and says it in plain words instead of a validator's.

A sentence never repeats a value that was refused: it may be a secret in the wrong place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefinedType

from staffbot.config.values import suggestion
from staffbot.config.wording import kind_of, reason
from staffbot.config.writing import joined, toml
from staffbot.errors import ConfigError, Problem
from staffbot.secret import Secret

M = TypeVar("M", bound=BaseModel)


class Problems:
    """The problems found so far; the configuration is refused with all of them at once."""

    def __init__(self, secret: Callable[[object], Secret]) -> None:
        self._found: dict[str, Problem] = {}
        self._context = {"secret": secret}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: str, reason: str, example: str = "") -> None:
        """The first problem of a path is told; what follows from it is not."""
        self._found.setdefault(path, Problem(path=path, reason=reason, example=example))

    def has(self, path: str) -> bool:
        """Whether something at just this path is wrong."""
        return path in self._found

    def under(self, path: str) -> bool:
        """Whether something at this path or below it is wrong."""
        return any(
            found == path or found.startswith((f"{path}.", f"{path}[")) for found in self._found
        )

    def error(self) -> ConfigError:
        return ConfigError(list(self._found.values()))

    def table(self, raw: object, path: str) -> dict[str, Any]:
        """`raw` where it is a table, else an empty one and a problem."""
        if isinstance(raw, dict):
            return raw
        heading = f"[[{path[: path.rindex('[')]}]]" if path.endswith("]") else f"[{path}]"
        self.add(path, f"should be a table, but is {kind_of(raw)}.", heading)
        return {}

    def tables(self, raw: object, path: str) -> list[tuple[str, dict[str, Any]]]:
        """The tables of a list `[[path]]`, each with its path. `[path]` is read as if it were one."""
        if not isinstance(raw, list):
            self.add(path, f"should be a list of tables, but is {kind_of(raw)}.", f"[[{path}]]")
            if isinstance(raw, dict) and not all(isinstance(one, dict) for one in raw.values()):
                return [(path, raw)]
            return []
        numbered = [(joined(path, index), item) for index, item in enumerate(raw)]
        for here, item in numbered:
            self.table(item, here)
        return [(here, item) for here, item in numbered if isinstance(item, dict)]

    def read(
        self,
        model: type[M],
        raw: Mapping[str, Any],
        path: str,
        *,
        beside: Iterable[str] = (),
    ) -> M | None:
        """`raw` as that model. Keys `beside` belong to somebody else.

        Where a value is wrong, what is left is read without it, so that it can still be checked
        against the rest of the file; None where a needed value is missing or wrong.
        """
        return self._read(model, raw, path, beside, needs=True)

    def read_what_is_there(
        self, model: type[M], raw: Mapping[str, Any], path: str, *, beside: Iterable[str] = ()
    ) -> M | None:
        """As `read`, with "" where a needed text is missing or wrong: for entries that others name."""
        return self._read(model, raw, path, beside, needs=False)

    def _read(
        self,
        model: type[M],
        raw: Mapping[str, Any],
        path: str,
        beside: Iterable[str],
        *,
        needs: bool,
    ) -> M | None:
        known = keys_of(model)
        self.unknown(raw, [*known, *beside], path)
        own = {key: value for key, value in raw.items() if key in known}
        try:
            return model.model_validate(own, context=self._context)
        except ValidationError as refused:
            errors = refused.errors(include_url=False, include_input=False)
        places = {error["loc"] for error in errors}
        for error in errors:
            loc = error["loc"]
            # A list that is too short because its items are wrong needs no second sentence.
            if not any(other[: len(loc)] == loc and other != loc for other in places):
                self._say(model, own, path, error)
        kind = model if needs else _with_nothing_needed(model)
        try:
            return kind.model_validate(_without(own, places), context=self._context)
        except ValidationError:
            return None

    def items(self, model: type[M], raw: object, path: str) -> list[tuple[str, M]]:
        """What can be read of a list of tables, each with its path; "" for a text that is missing."""
        tables = self.tables(raw, path)
        read = [(here, self.read_what_is_there(model, item, here)) for here, item in tables]
        return [(here, item) for here, item in read if item is not None]

    def unknown(self, raw: Mapping[str, Any], known: Sequence[str], path: str) -> None:
        """A problem for each key that is not known."""
        for key in raw:
            if key not in known:
                near = suggestion(key, known)
                rest = "" if near else f" Known here: {', '.join(known) or 'nothing'}."
                self.add(joined(path, key), f"is not a setting.{near}{rest}")

    def _say(
        self, model: type[BaseModel], raw: Mapping[str, Any], path: str, error: Mapping[str, Any]
    ) -> None:
        steps, there = _walk(raw, error["loc"])
        owner, example = _example(model, steps)
        near = ""
        if error["type"] == "extra_forbidden" and owner is not None:
            near = suggestion(str(steps[-1]), keys_of(owner))
        cause = error.get("ctx", {}).get("error")
        self.add(
            joined(path, *steps),
            reason(error, there) + near,
            getattr(cause, "example", "") or example,
        )


def keys_of(model: type[BaseModel]) -> list[str]:
    """What may stand in a file for that model; a field with `exclude=True` is set in code only."""
    fields = model.model_fields.items()
    return [field.alias or name for name, field in fields if not field.exclude]


def _without(own: Mapping[str, Any], places: Iterable[tuple[int | str, ...]]) -> dict[str, Any]:
    """What is left without the values that are wrong; of a table without its wrong keys only."""
    left = dict(own)
    for name, *within in places:
        inner = left.get(str(name))
        if within and isinstance(inner, dict) and within[0] in inner:
            left[str(name)] = {key: value for key, value in inner.items() if key != within[0]}
        elif not (within and isinstance(inner, dict) and within[0] in own[str(name)]):
            left.pop(str(name), None)
    return left


@cache
def _with_nothing_needed(model: type[M]) -> type[M]:
    needed = {name: field for name, field in model.model_fields.items() if field.is_required()}
    loose: dict[str, Any] = {
        name: (Annotated[field.annotation, Field(), *field.metadata], "")
        for name, field in needed.items()
    }
    return create_model(model.__name__, __base__=model, **loose)


def _walk(raw: object, loc: Sequence[str | int]) -> tuple[list[str | int], object]:
    """The steps of `loc` that lead somewhere in the file; a validator adds some of its own."""
    steps: list[str | int] = []
    for index, step in enumerate(loc):
        match raw, step:
            case list(), int() if step < len(raw):
                raw = raw[step]
            case dict(), str() if step in raw:
                raw = raw[step]
            case dict(), _ if index == len(loc) - 1:
                raw = None  # what is missing is named too
            case _:
                continue
        steps.append(step)
    return steps, raw


def _example(
    model: type[BaseModel], steps: Sequence[str | int]
) -> tuple[type[BaseModel] | None, str]:
    """The model that the last named step belongs to, and how that key is written."""
    owner: type[BaseModel] | None = model
    example = ""
    for step in steps:
        if isinstance(step, int) or owner is None:
            continue
        field = owner.model_fields.get(step)
        if field is None:
            return owner, ""
        example = _written(step, field)
        # Behind a field that holds no model, names are keys of its own.
        owner = _model_in(field.annotation)
    return owner, example


def _written(key: str, field: FieldInfo) -> str:
    """How a key is written: with its field's example, else with its default."""
    shown = field.examples[0] if field.examples else field.default
    if shown in (None, "", ()) or isinstance(shown, PydanticUndefinedType | BaseModel | Secret):
        return ""
    return f"{key} = {toml(shown)}"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)

"""What the program says about itself: readable on a terminal, one JSON object a line otherwise.

No patron's word and no secret may stand in any line: secrets are masked by value and by shape, a
traceback names places and kinds only, and what another library says is cut to its own template.
Knows nothing of the desk.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import sys
import traceback
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel, SecretStr

from staffbot.errors import StaffbotError
from staffbot.secret import Secret

Entry = MutableMapping[str, Any]

MASK = "********"
# Shorter ones stand in ordinary words, which would be masked all over.
_SHORTEST = 6
_SHAPES = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+"  # Slack's tokens
    r"|T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/\w{20,}"  # the path of a Slack webhook
    r"|whsec_[\w+/=-]+"  # Standard Webhooks
    r"|[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"  # Discord's tokens
    r"|(?i:(?<=bearer )|(?<=authorization: bot ))[^\s\"',;]+"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"  # user:password@
)
_ROOT = Path(__file__).resolve().parent.parent
_LONGEST_FOREIGN = 200
_LONGEST_CHAIN = 5


def set_up(
    *, secrets: Iterable[str] = (), stream: TextIO | None = None, readable: bool | None = None
) -> None:
    """Send structlog and every library's logging to one stream (standard error) in one form."""
    out = stream or sys.stderr
    readable = out.isatty() if readable is None else readable
    finish: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _name_places,
        Mask(secrets),
        structlog.dev.ConsoleRenderer(colors=out.isatty(), sort_keys=False)
        if readable
        else structlog.processors.JSONRenderer(ensure_ascii=False, default=lambda _: "?"),
    ]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _cut_foreign], processors=finish
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for ours in ("staffbot", "handlers"):
        logging.getLogger(ours).setLevel(logging.INFO)
    # Never print a record's arguments because a line could not be written.
    logging.raiseExceptions = False


def loop_problem(_: object, context: Mapping[str, Any]) -> None:
    """For `loop.set_exception_handler`: asyncio's own would print a future with what it holds."""
    problem = context.get("exception")
    structlog.get_logger("staffbot.loop").error(
        "something went wrong outside of any loop", exc_info=problem or None
    )


def secrets_of(value: Any) -> Iterator[str]:
    """Every secret that stands anywhere in the settings."""
    if isinstance(value, Secret):
        yield value.value
        if "://" in value.value and (password := urlsplit(value.value).password):
            yield password
    elif isinstance(value, SecretStr):
        yield value.get_secret_value()
    else:
        for part in _parts(value):
            yield from secrets_of(part)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, BaseModel):
        return [getattr(value, name) for name in type(value).model_fields]
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, (tuple, list, set, frozenset)):
        return value
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return ()


class Mask:
    """The last processor: no secret, and nothing that could break or forge a line."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _: Any, __: str, entry: Entry) -> Entry:
        return {self.text(str(key)): self._value(value) for key, value in entry.items()}

    def text(self, text: str) -> str:
        if self._known:
            text = self._known.sub(MASK, text)
        return _on_one_line(_SHAPES.sub(MASK, text))

    def _value(self, value: Any) -> Any:
        match value:
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {self.text(str(key)): self._value(part) for key, part in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._value(part) for part in value]
            case _:
                return self.text(str(value))


def _on_one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or unicodedata.category(character) == "Zs"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def _name_places(_: Any, __: str, entry: Entry) -> Entry:
    info = entry.pop("exc_info", None)
    entry.pop("exception", None)
    entry.pop("stack_info", None)
    if info is True:
        info = sys.exc_info()
    problem = info[1] if isinstance(info, tuple) else info
    if isinstance(problem, BaseException):
        entry["problem"] = kind_of(problem)
        entry["places"] = places(problem)
    return entry


def kind_of(problem: BaseException) -> str:
    """The exception and what it came from. Only our own texts: another's may hold what it read."""
    chain: list[BaseException] = []
    found: BaseException | None = problem
    # An exception may be its own cause, by a detour.
    while found is not None and all(found is not known for known in chain):
        chain.append(found)
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    first, *causes = (_named(one) for one in chain[:_LONGEST_CHAIN])
    return first + "".join(f" (from {cause})" for cause in causes)


def _named(problem: BaseException) -> str:
    if isinstance(problem, BaseExceptionGroup):
        return " and ".join(sorted({_named(part) for part in problem.exceptions}))
    said = f": {problem}" if isinstance(problem, StaffbotError) else ""
    if isinstance(problem, OSError) and problem.strerror and problem.errno is not None:
        said = f": {problem.strerror}"
    return f"{type(problem).__qualname__}{said}"


def places(problem: BaseException) -> list[str]:
    """Where it went through, outermost first: file, line, function, and no values."""
    if isinstance(problem, BaseExceptionGroup):
        return [place for part in problem.exceptions for place in places(part)]
    return [
        f"{_short(frame.filename)}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(problem.__traceback__, limit=-12)
    ]


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
        return str(path.relative_to(_ROOT))
    return "/".join(path.parts[-2:])


def _cut_foreign(_: Any, __: str, entry: Entry) -> Entry:
    # Its arguments may hold a request's body or a patron's words, its template does not.
    record = entry.get("_record")
    said = str(record.msg) if isinstance(record, logging.LogRecord) else str(entry["event"])
    entry["event"] = said.splitlines()[0][:_LONGEST_FOREIGN] if said else ""
    entry.pop("positional_args", None)
    return entry

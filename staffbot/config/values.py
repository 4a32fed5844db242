"""The kinds of value that stand in the configuration, each refused in a person's words.

Every check here raises ValueError with a sentence; it knows no table, no file and no environment.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, StrictBool

from staffbot.hours import check_expression

_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(min|[wdhms])(?![a-z])", re.IGNORECASE)
_LONGEST = timedelta(days=3660)


def parse_duration(value: object) -> timedelta:
    """`1d 12h`, `15m`, `1.5h` as a timedelta. Raises ValueError with a sentence."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("should be a length of time in quotes, with its unit.")
    if not isinstance(value, str):
        raise ValueError(
            f"says {value} of what? Write it in quotes with its unit: s, m, h, d or w."
        )
    pieces = _LENGTH.findall(value)
    if not pieces or _LENGTH.sub("", value).strip(" ,"):
        raise ValueError("is no length of time: numbers with s, m, h, d or w behind them.")
    seconds = sum(float(number) * _UNITS[unit.lower()] for number, unit in pieces)
    if seconds > _LONGEST.total_seconds():
        raise ValueError("is longer than ten years.")
    return timedelta(seconds=seconds)


def show_duration(length: timedelta) -> str:
    """The text that `parse_duration` reads as this length: `1d 12h`."""
    left = length.total_seconds()
    pieces = []
    for unit in ("d", "h", "m"):
        whole, left = divmod(left, _UNITS[unit])
        if whole:
            pieces.append(f"{whole:.0f}{unit}")
    if left or not pieces:
        pieces.append(f"{left:g}s")
    return " ".join(pieces)


def _positive(length: timedelta) -> timedelta:
    if length <= timedelta(0):
        raise ValueError("has to be longer than nothing.")
    return length


def _one_line(text: str) -> str:
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise ValueError("has to be one line of plain text.")
    return text.strip()


def _said(text: str) -> str:
    if not text:
        raise ValueError("is empty.")
    return text


def _matching(pattern: str, said: str) -> Callable[[str], str]:
    """A check that a text looks like `pattern`, or the sentence that says how it should look."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(said)
        return text

    return check


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """` Did you mean ...?` where something known is near, else nothing."""
    names = {name.lower(): name for name in known}
    near = difflib.get_close_matches(wrong.lower(), names, n=1, cutoff=0.6)
    return f" Did you mean {names[near[0]]}?" if near else ""


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    if isinstance(value, str) and value in _zones():
        return ZoneInfo(value)
    if not isinstance(value, str):
        raise ValueError("should be the name of a time zone, in quotes.")
    zones = _zones()
    by_city = {zone.rsplit("/", 1)[-1]: zone for zone in sorted(zones)}
    city = by_city.get(value.rsplit("/", 1)[-1].strip().replace(" ", "_").title())
    hint = f" Did you mean {city}?" if city else suggestion(value, zones)
    raise ValueError(f"is not a time zone of the tz database.{hint}")


def _weekly(text: str) -> str:
    if wrong := check_expression(text):
        raise ValueError(wrong)
    return text


def _proxy(text: str) -> str:
    if not text:
        return text
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise ValueError("is not the address of a proxy.") from None
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError("should be the address of an HTTP proxy, beginning with http://.")
    return text


def _loopback(host: str) -> str:
    if host == "localhost":
        return host
    try:
        inside = ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise ValueError(
            "has to stay on this machine: figures of the inside are not for the network."
        )
    return host


Duration = Annotated[timedelta, PlainValidator(parse_duration), Field(examples=["2h"])]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
OptionalText = Annotated[str, AfterValidator(_one_line)]
Text = Annotated[OptionalText, AfterValidator(_said)]
# Goes into web addresses, file names and keys of events, so it stays small and plain.
Key = Annotated[
    str,
    AfterValidator(
        _matching(
            r"[a-z0-9][a-z0-9_.-]{0,39}",
            "has to be up to 40 small letters, digits, dots, dashes or underscores.",
        )
    ),
]
Command = Annotated[
    str,
    AfterValidator(
        _matching(
            r"[a-z0-9_-]{1,32}", "has to be up to 32 small letters, digits, dashes or underscores."
        )
    ),
]
Topic = Annotated[
    str,
    AfterValidator(_matching(r"[^\W_][\w-]{0,29}", "has to be one word of up to 30 letters.")),
]
Language = Annotated[
    str,
    AfterValidator(
        _matching(
            r"|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "has to be a language code, such as en or es."
        )
    ),
]
Zone = Annotated[ZoneInfo, PlainValidator(_zone), Field(examples=["Europe/Dublin"])]
Weekly = Annotated[OptionalText, AfterValidator(_weekly)]  # its sentence brings an example
Proxy = Annotated[OptionalText, AfterValidator(_proxy)]
Port = Annotated[int, Field(strict=True, ge=0, le=65535, examples=[8080])]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Share = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Flag = StrictBool
Host = Annotated[Text, Field(examples=["127.0.0.1"])]
LoopbackHost = Annotated[Text, AfterValidator(_loopback), Field(examples=["127.0.0.1"])]


def _ids(value: object) -> object:
    """Discord's ids are numbers, and people write them so; they are text here."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


PlatformId = Annotated[Text, BeforeValidator(_ids)]

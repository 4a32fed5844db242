"""What all networks have in common when the library answers: errors, counting, and sameness.

Knows no network. What is not surely undone is ambiguous: the core then looks the answer up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from staffbot.errors import DeliveryError, SourceError

_ADDRESSED = re.compile(r"(?<!\S)@\S+")
_ZWJ = "\u200d"
_HANGUL = ((0x1100, 0x115F), (0x1160, 0x11A7), (0x11A8, 0x11FF))


@contextmanager
def writing() -> Iterator[None]:
    """Around a request that writes: a SourceError becomes a DeliveryError that says what is known."""
    try:
        yield
    except SourceError as problem:
        raise DeliveryError(
            str(problem), retry_after=problem.retry_after, ambiguous=not problem.untouched
        ) from problem


@contextmanager
def asking() -> Iterator[None]:
    """Around requests that only read: nothing was written, so it may simply be tried again."""
    try:
        yield
    except SourceError as problem:
        raise DeliveryError(str(problem), retry_after=problem.retry_after) from problem


def refused(reason: str) -> DeliveryError:
    """The network will never take it as it stands. `reason` is ours, and quotes nobody."""
    return DeliveryError(reason, permanent=True)


def same(text: str, shown: str) -> bool:
    """Whether a network shows this very text: spaces apart, and names of accounts, which it may cut."""
    return _bare(text) == _bare(shown)


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFC", text)
    return " ".join(_ADDRESSED.sub(" ", plain).split())


def graphemes(text: str) -> int:
    """How many characters a person sees: a letter with its marks, a joined emoji, a flag are one.

    By the rules of Unicode's UAX 29 as far as the standard library knows the letters; where it does
    not, it counts more, never fewer.
    """
    count, before, flags = 0, "", 0
    for char in text:
        flags = flags + 1 if _is_flag(char) else 0
        if not before or not _joins(before, char, flags):
            count += 1
        before = char
    return count


def _joins(before: str, char: str, flags: int) -> bool:
    if (before, char) == ("\r", "\n"):
        return True
    if unicodedata.category(before) == "Cc" or unicodedata.category(char) == "Cc":
        return False
    if char == _ZWJ or _extends(char):
        return True
    if before == _ZWJ:
        return unicodedata.category(char) == "So"
    if _is_flag(char):
        return flags % 2 == 0
    return _hangul(before) >= 0 and 0 <= _hangul(char) and _in_order(before, char)


def _extends(char: str) -> bool:
    # Marks, variation selectors, skin tones, and the tags of some flags.
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or 0x1F3FB <= ord(char) <= 0x1F3FF
        or 0xE0020 <= ord(char) <= 0xE007F
    )


def _is_flag(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _hangul(char: str) -> int:
    """0, 1, 2 for the parts of a Korean syllable, 3 and 4 for one without and with an end, or -1."""
    number = ord(char)
    if 0xAC00 <= number <= 0xD7A3:
        return 3 if (number - 0xAC00) % 28 == 0 else 4
    return next((at for at, (low, high) in enumerate(_HANGUL) if low <= number <= high), -1)


def _in_order(before: str, char: str) -> bool:
    follows = {0: (0, 1, 3, 4), 1: (1, 2), 3: (1, 2), 2: (2,), 4: (2,)}
    return _hangul(char) in follows[_hangul(before)]

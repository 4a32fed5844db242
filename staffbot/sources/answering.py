"""What all networks have in common when the library answers: errors, counting, and sameness.

Knows no network. What is not surely undone is ambiguous: the core then looks the answer up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from staffbot.errors import DeliveryError, SourceError
from staffbot.sources import plain_text

_ADDRESSED = re.compile(r"(?<![\w@])@\w[\w.-]*(?:@[\w.-]+)?")
_ZWJ = "\u200d"
# Spacing marks that do not join what stands before them.
_MARKS_APART = frozenset(
    {
        0x102B,
        0x102C,
        0x1038,
        0x1083,
        0x108F,
        0x1A61,
        0x1A63,
        0x1A64,
        0xAA7B,
        0xAA7D,
        0x11720,
        0x11721,
    }
    | {
        *range(0x1062, 0x1065),
        *range(0x1067, 0x106E),
        *range(0x1087, 0x108D),
        *range(0x109A, 0x109D),
    }
)
# Pictures that are joined into one: families, professions, flags.
_PICTURES = (
    (0x1F300, 0x1F3FA), (0x1F400, 0x1F53D), (0x1F546, 0x1F64F), (0x1F680, 0x1F6FF),
    (0x1F90C, 0x1F93A), (0x1F93C, 0x1F945), (0x1F947, 0x1FAFF), (0x2600, 0x2604),
    (0x2607, 0x2612), (0x2614, 0x2685), (0x2690, 0x2705), (0x2708, 0x2712), (0x2764, 0x2764),
    (0x2194, 0x2199), (0x27A1, 0x27A1), (0x2B1B, 0x2B1C),
)  # fmt: skip
# Which parts of a Korean syllable go on with which.
_FOLLOWS = {0: (0, 1, 3, 4), 1: (1, 2), 3: (1, 2), 2: (2,), 4: (2,)}
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
    return " ".join(_ADDRESSED.sub(" ", plain_text.clean(text)).split())


def graphemes(text: str) -> int:
    """How many characters a person sees: a letter with its marks, a joined emoji, a flag are one.

    By the rules of Unicode's UAX 29 as far as the standard library knows the letters; where it does
    not, it counts more, never fewer.
    """
    count, before, base, flags = 0, "", "", 0
    for char in text:
        flags = flags + 1 if _is_flag(char) else 0
        if not before or not _joins(base, before, char, flags):
            count += 1
        if not _extends(char):
            base = char
        before = char
    return count


def _joins(base: str, before: str, char: str, flags: int) -> bool:
    """Whether `char` is one with what stands before it; `base` is that without its marks."""
    if (before, char) == ("\r", "\n"):
        return True
    if _stands_alone(before) or _stands_alone(char):
        return False
    if _extends(char):
        return True
    if before == _ZWJ:
        return _is_picture(base) and _is_picture(char)
    if _is_flag(char):
        return flags % 2 == 0
    return _hangul(char) in _FOLLOWS.get(_hangul(before), ())


def _stands_alone(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") and not _extends(char)


def _extends(char: str) -> bool:
    # Marks, the joiner, variation selectors, skin tones, and the tags of some flags.
    number = ord(char)
    if number in _MARKS_APART:
        return False
    return (
        char == _ZWJ
        or unicodedata.category(char) in ("Mn", "Me", "Mc")
        or 0x1F3FB <= number <= 0x1F3FF
        or 0xE0020 <= number <= 0xE007F
    )


def _is_picture(char: str) -> bool:
    number = ord(char) if char else 0
    return any(low <= number <= high for low, high in _PICTURES)


def _is_flag(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _hangul(char: str) -> int:
    """0, 1, 2 for the parts of a Korean syllable, 3 and 4 for one without and with an end, or -1."""
    number = ord(char)
    if 0xAC00 <= number <= 0xD7A3:
        return 3 if (number - 0xAC00) % 28 == 0 else 4
    return next((at for at, (low, high) in enumerate(_HANGUL) if low <= number <= high), -1)

"""Which language a mention is written in: the network's word, else a small detector's, else none.

Knows no source and no setting. The detector costs 90 MiB of memory, so it is loaded when the first
text needs it, and a library whose networks name the language never pays for it.
"""

from __future__ import annotations

import functools
import importlib
import re
from typing import Any, Protocol, cast

# Below these a guess is often wrong, and a wrong language routes a mention to the wrong team.
SURE_FROM = 0.5
FEWEST_LETTERS = 8

_NOT_WORDS = re.compile(r"https?://\S+|[@#]\S+")
_TAG = re.compile(r"[a-zA-Z]{2,3}(?:[-_][a-zA-Z0-9]{2,8})*")


class _Detector(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def of(text: str, said: str = "") -> str:
    """A language tag such as `es` or `pt-br`, in small letters; empty where nobody can be sure.

    Takes half a second the first time that it has to guess, and 0.1 ms a text after that.
    """
    said = said.strip()
    if _TAG.fullmatch(said) and said.lower() not in ("und", "mul", "zxx", "mis"):
        return said.replace("_", "-").lower()
    words = _NOT_WORDS.sub(" ", text[:2_000])
    if sum(char.isalpha() for char in words) < FEWEST_LETTERS:
        return ""
    detector = _detector()
    if detector is None:
        return ""
    found, sure = detector.classify(words)
    return found if sure >= SURE_FROM else ""


@functools.cache
def _detector() -> _Detector | None:
    """The detector, or None where py3langid is not installed: then only the networks' word counts."""
    try:
        module: Any = importlib.import_module("py3langid.langid")
    except ImportError:
        return None
    made = module.LanguageIdentifier.from_model_file(module.MODEL_FILE, norm_probs=True)
    return cast(_Detector, made)

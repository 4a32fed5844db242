"""Counting as networks count, and what a failed request says about an answer."""

from __future__ import annotations

import pytest

from staffbot.errors import DeliveryError, SourceError
from staffbot.sources.answering import asking, graphemes, same, writing

WOMAN_AT_WORK = "\U0001f469\u200d\U0001f4bb"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
THUMB = "\U0001f44d\U0001f3fd"
FLAG = "\U0001f1ee\U0001f1ea"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("a\u0301\u0323b", 2), ("\r\n", 1),
        ("\n\n", 2), (WOMAN_AT_WORK, 1), (FAMILY * 2, 2), (THUMB, 1), (FLAG, 1), (FLAG * 3, 3),
        (FLAG + "\U0001f1e9", 2), (SCOTLAND, 1), ("❤\ufe0f", 1), ("1\ufe0f\u20e3", 1),
        ("한국", 2), ("\u1112\u1161\u11ab", 1), ("नमस्ते", 4), ("a\u200db", 2),
        ("a\u200d❤", 2), ("\u200b\u0301", 2), ("👍👍", 2),
    ],
)  # fmt: skip
def test_graphemes(text: str, count: int) -> None:
    assert graphemes(text) == count


@pytest.mark.parametrize("unit", ["x", "e\u0301", WOMAN_AT_WORK, FAMILY, THUMB, FLAG, SCOTLAND])
@pytest.mark.parametrize("length", [299, 300, 301])
def test_graphemes_at_the_limit(unit: str, length: int) -> None:
    assert graphemes(unit * length) == length


@pytest.mark.parametrize(
    ("text", "shown", "alike"),
    [
        ("Yes,\n\nat ten.", "Yes, at ten. ", True),
        ("@lena@social.example Yes.", "@lena Yes.", True),
        ("Yes, at ten.", "Yes, at two.", False),
        ("e\u0301", "é", True),
        ("Write to info@library.example", "Write to info@library.test", False),
    ],
)
def test_the_same_text_as_a_network_shows_it(text: str, shown: str, alike: bool) -> None:
    assert same(text, shown) is alike


@pytest.mark.parametrize(
    ("problem", "way", "ambiguous"),
    [
        (SourceError("x"), writing, True),
        (SourceError("x", untouched=True, retry_after=3), writing, False),
        (SourceError("x"), asking, False),
    ],
)
def test_only_what_may_have_been_done_is_ambiguous(
    problem: SourceError, way: object, ambiguous: bool
) -> None:
    with pytest.raises(DeliveryError) as told, way():  # type: ignore[operator]
        raise problem
    assert (told.value.ambiguous, told.value.permanent) == (ambiguous, False)
    assert told.value.retry_after == problem.retry_after

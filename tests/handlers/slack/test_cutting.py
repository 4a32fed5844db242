"""Cutting: at a limit less one, at it, past it by one; never within what a reader sees as one letter."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.slack.cutting import ELLIPSIS, MOST_MARKS, clean, cut, size

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
LETTERS = {
    "a letter": "a",
    "a letter and its mark": "e\u0301",
    "an emoji": "🐢",
    "a joined emoji": FAMILY,
    "an emoji with a skin": "👍🏽",
    "a flag": "🇩🇪",
    "a heart with its selector": "❤\ufe0f",
    "a syllable in letters": "\u1112\u1161\u11ab",
    "a region's flag": "🏴\U000e0067\U000e0062\U000e007f",
}


@pytest.mark.parametrize("name", LETTERS)
def test_at_the_limit_less_one_at_it_and_past_it(name: str) -> None:
    letter = LETTERS[name]
    text = letter * 10
    assert cut(text, size(text) + 1) == text
    assert cut(text, size(text)) == text
    shortened = cut(text, size(text) - 1)
    assert shortened == letter * ((size(text) - 2) // size(letter)) + ELLIPSIS
    assert size(shortened) <= size(text) - 1


def test_flags_are_parted_between_countries_only() -> None:
    text = "🇩🇪🇫🇷🇪🇸"
    assert cut(text, 9) == "🇩🇪🇫🇷" + ELLIPSIS
    assert cut(text, 8) == "🇩🇪" + ELLIPSIS


def test_a_limit_shorter_than_the_first_letter_leaves_only_the_ellipsis() -> None:
    assert cut(FAMILY * 2, 5) == ELLIPSIS


@given(st.text(max_size=60), st.integers(min_value=1, max_value=70))
def test_whatever_is_cut_fits_and_begins_as_it_began(text: str, limit: int) -> None:
    shown = cut(text, limit)
    assert size(shown) <= limit or shown == text
    if shown != text:
        assert text.startswith(shown.removesuffix(ELLIPSIS))
        assert shown.endswith(ELLIPSIS)
        left = text[len(shown.removesuffix(ELLIPSIS)) :].lstrip()
        assert not left or unicodedata.category(left[0]) not in ("Mn", "Me")


def test_towers_of_marks_are_torn_down_and_languages_left_alone() -> None:
    zalgo = "h" + "\u0300" * 200 + "i"
    assert clean(zalgo) == "h" + "\u0300" * MOST_MARKS + "i"
    for said in ("Grüße, naïve café", "שָׁלוֹם", "ภาษาไทยที่นี่", "Tiếng Việt"):
        assert clean(said) == said
        decomposed = unicodedata.normalize("NFD", said)
        assert clean(decomposed) == decomposed


def test_what_turns_a_line_around_is_taken_out() -> None:
    assert clean("\u202egnp.exe\u202c \u2066x\u2069 a\x00b\x1b[31m") == "gnp.exe x ab[31m"
    assert clean("one\r\ntwo\rthree\tfour") == "one\ntwo\nthree\tfour"


@given(st.text(st.characters(), max_size=80))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    clean(text).encode("utf-8")

"""Which language a mention is in: the network's word, a sure guess, or none."""

from __future__ import annotations

import pytest

from staffbot import language


@pytest.mark.parametrize(
    ("said", "tag"), [("es", "es"), ("pt_BR", "pt-br"), ("en-GB", "en-gb"), (" DE ", "de")]
)
def test_the_networks_word_counts(said: str, tag: str) -> None:
    assert language.of("When do you open on Saturday morning?", said) == tag


@pytest.mark.parametrize("said", ["", "und", "not a tag", "x" * 50])
@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("¿Cuándo abren el sábado por la mañana?", "es"),
        ("Wann habt ihr am Samstag offen, und kann ich dort drucken?", "de"),
        ("Thanks so much for the author evening, we loved it", "en"),
        ("شكرا جزيلا على المساعدة في المكتبة", "ar"),
        ("图书馆星期六几点开门", "zh"),
    ],
)
def test_a_text_that_is_long_enough_is_told_by_itself(text: str, tag: str, said: str) -> None:
    assert language.of(text, said) == tag


@pytest.mark.parametrize(
    "text", ["", "lol", "Danke!", "42", "\U0001f600" * 20, "@library https://x.example/abc #books"]
)
def test_nobody_guesses_where_there_is_too_little(text: str) -> None:
    assert language.of(text) == ""

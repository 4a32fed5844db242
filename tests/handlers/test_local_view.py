"""How a message looks to the page: golden views, and what may never get through."""

from __future__ import annotations

import dataclasses
import json
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.local.view import cut, form_json, message_json, part_json, web_url
from staffbot import messages
from staffbot.messages import (
    Bullets,
    Button,
    Byline,
    Chart,
    Choice,
    Facts,
    Field,
    File,
    Form,
    Heading,
    Link,
    Message,
    OpenLink,
    Paragraph,
    Picture,
    Quote,
    Row,
    When,
    Who,
)
from staffbot.model import Media, Patron
from tests.handlers.fake_desk import NOON

WHEN = When(at=NOON, plain="12:00")
EVERYTHING = Message(
    text="Mention 7 is unclaimed.",
    mention=7,
    parts=(
        Heading(text="#7"),
        Paragraph(line=("Written ", WHEN, " by ", Who(key="ana", name="Ana")), quiet=True),
        Bullets(lines=(("One",), (Link(label="Two", url="https://library.example"),))),
        Facts(pairs=(("State", ("Unclaimed",)),)),
        Byline(patron=Patron(name="Lena", handle="@lena", url="https://x.example/l"), network="X"),
        Quote(text="Hello", permalink="https://x.example/1", language="de", label="Wrote again"),
        Picture(media=Media(url="https://x.example/1.jpg", alt="A lift")),
        Chart(png=b"png", alt="It rose."),
        File(name="a.csv", content=b"a,b", label="All of it"),
        Row(line=("#7",), mention=7, controls=(Button(name="show", label="Show", mention=7),)),
    ),
    controls=(
        Button(name="claim", label="Claim", mention=7, primary=True),
        Choice(name="assign", label="Assign", options=(("ana", "Ana"),), mention=7, more=True),
        OpenLink(label="Open post", url="https://x.example/1"),
    ),
)


def test_every_part_and_control_has_a_view() -> None:
    shown = message_json(EVERYTHING)
    kinds = {kind.__name__.lower() for kind in typing.get_args(messages.Part)}
    assert {part["type"] for part in shown["parts"]} == kinds
    assert [control["type"] for control in shown["controls"]] == ["button", "choice", "link"]
    json.dumps(shown)


def test_a_refusal_is_told_apart() -> None:
    said = messages.say("Ben has 1.")
    assert message_json(said)["refused"] is False
    assert message_json(dataclasses.replace(said, refused=True))["refused"] is True
    assert message_json(dataclasses.replace(said, failed=True))["refused"] is True


def test_the_golden_view_of_a_line() -> None:
    assert part_json(EVERYTHING.parts[1]) == {
        "type": "paragraph",
        "quiet": True,
        "line": [
            {"type": "text", "text": "Written "},
            {"type": "when", "at": "2026-03-03T12:00:00+00:00", "plain": "12:00"},
            {"type": "text", "text": " by "},
            {"type": "who", "key": "ana", "name": "Ana"},
        ],
    }


def test_the_golden_view_of_a_patron() -> None:
    byline, quote, picture = (part_json(part) for part in EVERYTHING.parts[4:7])
    assert byline == {
        "type": "byline",
        "name": "Lena",
        "handle": "@lena",
        "url": "https://x.example/l",
        "network": "X",
    }
    assert quote == {
        "type": "quote",
        "text": "Hello",
        "cut": False,
        "permalink": "https://x.example/1",
        "language": "de",
        "label": "Wrote again",
    }
    assert picture == {
        "type": "picture",
        "kind": "image",
        "alt": "A lift",
        "url": "https://x.example/1.jpg",
    }


def test_the_golden_view_of_a_form() -> None:
    field = Field(name="why", label="Why", options=(("a", "A"),), many=True, required=False)
    form = Form(name="close", title="Close 7", fields=(field,), submit="Close", mention=7)
    assert form_json(form) == {
        "type": "form",
        "name": "close",
        "title": "Close 7",
        "submit": "Close",
        "mention": 7,
        "quote": None,
        "fields": [
            {
                "name": "why",
                "label": "Why",
                "options": [{"value": "a", "label": "A"}],
                "many": True,
                "multiline": False,
                "required": False,
                "value": "",
                "hint": "",
                "max_length": 3000,
            }
        ],
    }


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "//x.example",
        "https://",
        "http://[bad",
        "",
    ],
)
def test_only_the_web_is_linked(url: str) -> None:
    assert web_url(url) == ""
    assert part_json(Quote(text="x", permalink=url))["permalink"] == ""


def test_a_language_that_is_none_is_left_out() -> None:
    assert part_json(Quote(text="x", language='de" onload="x'))["language"] == ""
    assert part_json(Quote(text="x", language="pt-BR"))["language"] == "pt-BR"


@pytest.mark.parametrize(
    ("text", "limit", "cut_to"),
    [
        ("abcd", 5, "abcd"),
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcd…"),
        ("abc \u0301def", 5, "abc…"),
        ("abce\u0301fg", 5, "abc…"),
        ("ab👩\u200d👧xyz", 5, "ab…"),
        ("abc👍🏽xyz", 5, "abc…"),
        ("abc🇩🇪xyz", 5, "abc…"),
        ("abc🇩🇪xyz", 6, "abc🇩🇪…"),
    ],
)
def test_words_are_cut_between_whole_characters(text: str, limit: int, cut_to: str) -> None:
    assert cut(text, limit) == cut_to


@given(st.text(max_size=60), st.integers(min_value=1, max_value=40))
def test_a_cut_is_never_too_long_and_keeps_what_fits(text: str, limit: int) -> None:
    shown = cut(text, limit)
    assert len(shown) <= limit
    assert (shown == text) == (len(text) <= limit) or text.endswith("…")


@given(st.text())
def test_whatever_a_patron_writes_becomes_json(text: str) -> None:
    quote = part_json(Quote(text=text + "\ud800", permalink=text))
    assert json.loads(json.dumps(quote)) == quote

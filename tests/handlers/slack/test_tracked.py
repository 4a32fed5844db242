"""What a tracked message says, whoever wrote it and in whatever parts of Slack's."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.slack.tracked import people_in, words

NAMES = {"U2": "Ben Okafor"}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": list(elements)}],
    }


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("She asked for &lt;large&gt; print", "She asked for <large> print"),
        ("<@U2> took a call", "@Ben Okafor took a call"),
        ("<@U9|otto> and <@U8>", "@otto and @somebody"),
        ("see <#C1|general> or <#C2>", "see #general or #channel"),
        ("<!channel> <!subteam^S1|@desk> <!subteam^S2>", "@channel @desk @group"),
        ("<https://a.example/1|our page>", "https://a.example/1"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<!date^1795661443^{time}|12:00>", "12:00"),
        ("2 < 3", "2 < 3"),
    ],
)
def test_a_text_is_quoted_as_it_is_read(text: str, read: str) -> None:
    assert words({"text": text}, NAMES) == read


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "A form"}},
                     {"type": "section", "fields": [{"type": "mrkdwn", "text": "Name: Lena"}]},
                     {"type": "divider"},
                     {"type": "context", "elements": [{"type": "plain_text", "text": "today"}]},
                     {"type": "actions", "elements": [{"type": "button", "text": "Press"}]},
                     {"type": "image", "image_url": "https://a.example/1", "alt_text": "A lift"}]},
         "A form\nName: Lena\ntoday\nA lift"),
        ({"text": "", "blocks": [rich({"type": "text", "text": "Ask "},
                                      {"type": "user", "user_id": "U2"},
                                      {"type": "text", "text": " on "},
                                      {"type": "link", "url": "https://a.example"},
                                      {"type": "emoji", "name": "wave"})]},
         "Ask @Ben Okafor on https://a.example:wave:"),
        ({"attachments": [{"pretext": "New", "title": "Review", "text": "Two stars"},
                          {"fallback": "Another"},
                          {"blocks": [{"type": "section", "text": {"text": "In it"}}]}]},
         "New\nReview\nTwo stars\nAnother\nIn it"),
        ({"text": "A note", "files": [{"title": "Paper", "name": "p.jpg"}, {"name": "q.jpg"}, {}]},
         "A note\n[Paper]\n[q.jpg]\n[a file]"),
        ({"files": [{"name": "p.jpg"}]}, "[p.jpg]"),
        ({"text": "Said", "blocks": [rich({"type": "text", "text": "Said"})]}, "Said"),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_message_without_text_has_words_all_the_same(message: dict[str, Any], read: str) -> None:
    assert words(message, NAMES) == read


def test_whom_it_names_is_known_before_it_is_quoted() -> None:
    assert people_in({"text": "<@U1> <@W2|ana> <@U1> <#C1|x> <!here>"}) == ["U1", "W2"]
    assert people_in({"blocks": [rich({"type": "user", "user_id": "U2"})]}) == ["U2"]

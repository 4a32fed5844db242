"""How a message looks on Discord: golden payloads, limits, and what may never get through. Pure."""

from __future__ import annotations

import re
import typing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.discord.controls import CHOSEN, PRESSED, Pressed, chosen, pressed, rows_of
from handlers.discord.naming import mark, nonce
from handlers.discord.text import address_of, cut, escaped, ours, tidy, units
from handlers.discord.view import (
    AUTHOR,
    DESCRIPTION,
    IN_ALL,
    MAIN_QUOTE,
    SHORT_QUOTE,
    Payload,
    draw,
    mark_in,
)
from staffbot import messages
from staffbot.cards import card
from staffbot.messages import (
    Bullets,
    Button,
    Byline,
    Chart,
    Choice,
    Facts,
    File,
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
from tests.golden import golden
from tests.handlers.discord import rules
from tests.library import TUESDAY
from tests.staffbot.test_cards import CASES

WHEN = When(at=TUESDAY, plain="Tue 3 Mar 10:00")
LINK = "https://social.example/@lena/1"
PARTS: tuple[messages.Part, ...] = (
    Heading(text="#7 · Review on Mastodon · Children"),
    Paragraph(line=("Written ", WHEN, " by ", Who(key="ana", name="Ana *S*")), quiet=True),
    Byline(patron=Patron(name="Lena", handle="@lena", url="https://x.example/l"), network="X"),
    Quote(text="Hello", permalink=LINK, language="de"),
    Quote(text="And on Sunday?", label="Wrote again"),
    Picture(media=Media(url="https://x.example/1.jpg", alt="A lift")),
    Facts(pairs=(("State", ("Unclaimed",)), ("Due", ("Answer by ", WHEN)))),
    Bullets(lines=(("One",), (Link(label="Two", url="https://library.example"),))),
    Chart(png=b"png", alt="It rose."),
    File(name="a.csv", content=b"a,b", label="All of it"),
    Row(line=("#8 · waits",), mention=8, controls=(Button(name="show", label="Show", mention=8),)),
)
EVERYTHING = Message(
    text="Mention 7 is unclaimed.",
    mention=7,
    parts=PARTS,
    controls=(
        Button(name="claim", label="Claim", mention=7, primary=True),
        Button(name="snooze", label="Snooze…", mention=7),
        Choice(name="assign", label="Assign", options=(("ana", "Ana"),), mention=7, more=True),
        OpenLink(label="Open post", url=LINK),
        Button(name="note", label="Note…", mention=7, more=True),
    ),
)
NASTY = (
    "# big\n- list\n1. one\n> quote\n-# small\n@everyone <@1> <@&2> <#3> <t:1:R> :smile: ||spoiler|| "
    "[click](https://evil.example) **b** _i_ ~~s~~ `code` ```block``` \\ https://x.example/a_b "
)
# Letters that are more than one character, and characters that are two units.
LETTERS = ("a", "é", "e\u0301", "👍🏽", "👨‍👩‍👧", "🇩🇪", "ก็", "\\*")


def body_of(payload: Payload) -> dict[str, Any]:
    """As it is posted."""
    return {
        "content": payload.content,
        "embeds": list(payload.embeds),
        "components": list(payload.rows),
        "attachments": [
            {"id": number, "filename": file.name} for number, file in enumerate(payload.files)
        ],
        "nonce": nonce("card:7:room:1"),
    }


def lawful(payload: Payload) -> None:
    """Held to Discord's own description, where it is there, and to the limits it does not state."""
    wrong = rules.request("POST", "/channels/{channel_id}/messages", body_of(payload))
    assert not wrong
    for embed in payload.embeds:
        assert units(embed.get("description", "")) <= DESCRIPTION


# --- golden -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(CASES))
def test_a_card_looks_as_it_was_read(name: str) -> None:
    payload = draw(card(CASES[name]), mark("card:42:room:1"))
    lawful(payload)
    golden(f"discord/cards/{name}", payload)


def test_a_message_of_everything_looks_as_it_was_read() -> None:
    payload = draw(EVERYTHING, mark("card:7:room:1"))
    lawful(payload)
    golden("discord/everything", payload)


def test_every_part_and_control_is_drawn() -> None:
    kinds = {type(part) for part in PARTS}
    assert kinds == set(typing.get_args(messages.Part))
    shown = str(draw(EVERYTHING))
    for word in ("Hello", "A lift", "It rose", "All of it", "#8 · waits", "Written", "Open post"):
        assert word in shown


# --- a patron's words ---------------------------------------------------------------------------


def rendered(text: str) -> str:
    """What a reader of Discord sees of an escaped text, and a failure where mark-up is left."""
    left = re.sub(r"\\[^0-9A-Za-z\s]", "x", text)
    assert not re.search(r"[*_~`|<>\[\]@#:\\]", left), left
    assert not re.search(r"(?m)^\s*([-+]|\d+\.)", left), left
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", text)


def test_mark_up_is_shown_as_it_was_written() -> None:
    assert rendered(escaped(NASTY)) == tidy(NASTY)


@given(st.text() | st.text(alphabet="*_~`|<>[]()@#:\\-+1. \n\tae\u0301", max_size=40))
def test_any_text_is_shown_as_it_was_written(text: str) -> None:
    assert rendered(escaped(text)) == tidy(text)


@given(st.text(alphabet="#-+>1. \n*_", max_size=20))
def test_our_own_text_keeps_its_letters(text: str) -> None:
    assert re.sub(r"\\([^0-9A-Za-z\s])", r"\1", ours(text)) == text


def test_heaps_of_marks_and_turned_text_are_taken_away() -> None:
    assert tidy("Z" + "\u0351" * 200) == "Z" + "\u0351" * 4
    assert tidy("a\u202egnp.exe\u0000\u0007") == "agnp.exe"
    assert tidy("half \ud83d pair") == "half \ufffd pair"


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=60))
def test_a_patron_can_break_no_limit_and_reach_no_place_but_the_embed(
    text: str, name: str, label: str
) -> None:
    words = (
        Byline(patron=Patron(name=f"{name}qzx", handle="", url="javascript:alert(1)"), network="X"),
        Quote(text=f"{text}qzx", permalink=LINK),
        Picture(media=Media(url="https://x.example/1.jpg", alt=f"{label}qzx")),
    )
    payload = draw(Message(text="Mention 7 waits.", parts=(Heading(text="#7"), *words)))
    lawful(payload)
    assert "qzx" not in payload.content
    (embed,) = payload.embeds
    assert "qzx" not in str({**embed, "description": "", "author": ""})
    assert "javascript" not in str(embed)


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_words_are_cut_at_the_edge_of_a_letter(letter: str, over: int, before: str) -> None:
    text = before + letter * 40
    limit = units(text) - over
    shown = cut(text, limit)
    assert units(shown) <= limit
    if over <= 0:
        assert shown == text
        return
    assert shown.endswith("…")
    kept = shown.removesuffix("…").removeprefix(before)
    assert kept == letter * (len(kept) // len(letter))
    assert units(shown) + units(letter) >= limit


@given(st.text(max_size=60).map(escaped), st.integers(min_value=1, max_value=40))
def test_a_cut_leaves_no_half_escape(text: str, limit: int) -> None:
    shown = cut(text, limit)
    assert units(shown) <= limit
    rendered(shown.removesuffix("…"))


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_long_quote_leads_to_the_whole(over: int) -> None:
    text = "é" * (MAIN_QUOTE + over)
    (embed,) = draw(Message(text="It waits.", parts=(Quote(text=text, permalink=LINK),))).embeds
    assert LINK in embed["description"]
    assert ("Read it all" in embed["description"]) == (over > 0)
    assert embed["description"].count("é") == (MAIN_QUOTE - 1 if over > 0 else MAIN_QUOTE + over)


def test_forty_kilobytes_with_everything_else_stay_within_the_limits() -> None:
    long = (NASTY + "👨‍👩‍👧é" * 50) * 130
    assert len(long.encode()) > 40_000
    message = Message(
        text="x" * 5000,
        mention=7,
        parts=(
            Heading(text="#7 · " + "h" * 400),
            Byline(patron=Patron(name=long, handle=long, url="https://x.example/l"), network="X"),
            Quote(text=long, label="In answer to"),
            Quote(text=long, permalink=LINK),
            *(Quote(text=long, label=f"Wrote again {n}") for n in range(3)),
            *(Picture(media=Media(url="https://x.example/1.jpg", alt=long)) for _ in range(4)),
            Facts(pairs=tuple((f"Label {n}" * 40, ("v" * 900,)) for n in range(30))),
            Bullets(lines=tuple((f"line {n} " * 20,) for n in range(50))),
        ),
    )
    payload = draw(message)
    lawful(payload)
    (embed,) = payload.embeds
    assert units(embed["author"]["name"]) <= AUTHOR
    assert LINK in str(embed)
    assert sum(units(str(field["value"])) for field in embed["fields"]) < IN_ALL


def test_an_address_can_end_no_link_early() -> None:
    shown = str(
        draw(Message(text="x", parts=(Quote(text="a", permalink="https://x.example/a) b"),)))
    )
    assert "https://x.example/a%29%20b" in shown
    assert address_of("javascript:alert(1)") == ""
    assert "](" not in str(draw(Message(text="x", parts=(Quote(text="a", permalink="tel:1"),))))


# --- controls -----------------------------------------------------------------------------------


@given(
    st.from_regex(r"[a-z_]{1,16}", fullmatch=True),
    st.none() | st.integers(min_value=1, max_value=10**12),
    st.text(alphabet="abcXYZ019 .|%:-", max_size=40),
)
def test_a_button_comes_back_as_it_was_sent(name: str, mention: int | None, value: str) -> None:
    button = Button(name=name, label="Press", mention=mention, value=value)
    ((component,),) = [
        row["components"] for row in rows_of(Message(text="x", controls=(button,)), mark("key"))
    ]
    assert len(component["custom_id"]) <= 100
    found = PRESSED.fullmatch(component["custom_id"])
    assert found is not None
    assert pressed(found) == Pressed(name=name, mention=mention, value=value)


def test_choices_and_menus_come_back_as_they_were_sent() -> None:
    rows = rows_of(EVERYTHING)
    selects = [one for row in rows for one in row["components"] if one["type"] == 3]
    came = [
        chosen(found, option["value"])
        for one in selects
        if (found := CHOSEN.fullmatch(one["custom_id"]))
        for option in one["options"]
    ]
    assert Pressed(name="snooze", mention=7, value="opening") in came
    assert Pressed(name="snooze", mention=7) in came
    assert Pressed(name="assign", mention=7, value="ana") in came
    assert Pressed(name="note", mention=7) in came


def test_a_long_list_is_a_select_a_verb() -> None:
    rows = tuple(
        Row(
            line=(f"#{n} · review on Mastodon · claim by ", WHEN),
            mention=n,
            controls=(
                Button(name="claim", label="Claim", mention=n, primary=True),
                Button(name="show", label="Show", mention=n),
            ),
        )
        for n in range(1, 41)
    )
    payload = draw(Message(text="40 mentions wait.", parts=rows))
    lawful(payload)
    selects = [row["components"][0] for row in payload.rows]
    assert [one["placeholder"] for one in selects] == ["Claim…", "Show…"]
    assert [len(one["options"]) for one in selects] == [25, 25]


def test_more_controls_than_fit_keep_the_menu() -> None:
    buttons = tuple(Button(name="stats", label=f"{n}", value=f"{n}d") for n in range(40))
    more = tuple(Button(name="note", label=f"n{n}", value=f"{n}", more=True) for n in range(40))
    payload = draw(Message(text="x", controls=(*buttons, *more), mention=7))
    lawful(payload)
    assert payload.rows[-1]["components"][0]["placeholder"] == "More…"


def test_one_effect_stands_once() -> None:
    claim = Button(name="claim", label="Claim", mention=7)
    row = Row(line=("#7",), mention=7, controls=(claim,))
    payload = draw(Message(text="x", parts=(row,), controls=(claim,)))
    lawful(payload)
    assert len(payload.rows[0]["components"]) == 1


# --- marks --------------------------------------------------------------------------------------


@given(st.text(max_size=300))
def test_a_name_is_short_and_steady(key: str) -> None:
    assert len(nonce(key)) == 25
    assert nonce(key) == nonce(key)
    assert nonce(key).startswith(mark(key))


def test_a_message_without_controls_carries_its_mark_in_an_address_that_nobody_sees() -> None:
    for message in (Message(text="All taken."), Message(text="x", parts=(Heading(text="Closed"),))):
        payload = draw(message, mark("key"))
        lawful(payload)
        (embed,) = payload.embeds
        assert mark_in([embed]) == mark("key")
        assert "title" not in embed


def test_what_was_only_heard_is_short_and_has_no_fields() -> None:
    [embed] = draw(card(CASES["heard_at_length"])).embeds
    assert "fields" not in embed
    words, besides = embed["description"].split("\n")
    assert units(words) <= SHORT_QUOTE
    assert words.endswith("…")
    assert besides == "-# Linked with #40"
    case = CASES["heard_at_length"]
    assert case.words is not None
    found = replace(case, words=replace(case.words, permalink="https://social.example/1"))
    [embed] = draw(card(found)).embeds
    assert embed["url"] == "https://social.example/1"
    assert "[Read it all in the post](https://social.example/1)" in embed["description"]

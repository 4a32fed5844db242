"""What Slack is shown: golden payloads, and what must hold whatever a patron writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.slack import forms, view
from handlers.slack.controls import elements, pressed, web_url
from handlers.slack.cutting import ELLIPSIS, size
from handlers.slack.fitting import MOST_TEXT, written
from handlers.slack.home import closed, home
from staffbot import nags
from staffbot.cards import card
from staffbot.forms import assign, close, log, snooze
from staffbot.messages import (
    Bullets,
    Button,
    Byline,
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
    say,
)
from staffbot.model import Media, Patron, Words
from tests.golden import golden
from tests.handlers.fake_desk import NOON
from tests.handlers.slack.rules import message_faults, view_faults
from tests.staffbot.test_cards import CASES, facts

HOSTILE = (
    "<!channel> <!here> <@U1> <#C1|x> <http://x|y> *b* _i_ ~s~ `c` ```p``` &lt; :smile: > quote\n"
    "\u202egnp\u202c " + "z" + "\u0310" * 300
)
TOPICS = ("idea", "thanks", "complaint")
QUEUE = Message(
    text="2 mentions unclaimed.",
    parts=(
        Heading(text="Unclaimed: 2"),
        Row(
            line=("#1 · review · ", Who(key="ana", name="Ana *Silva*"), When(at=NOON, plain="12:00")),
            mention=1,
            controls=(Button(name="claim", label="Claim", mention=1, primary=True),
                      Button(name="show", label="Show", mention=1)),
        ),
        Row(line=("#2 · entry",), mention=2, controls=(Button(name="show", label="Show", mention=2),)),
        Paragraph(line=("and 3 more",), quiet=True),
    ),
    controls=(Button(name="hand_over", label="Hand all over"),),
)  # fmt: skip
NAG = Message(
    text="You have 1 mention to answer; the first is due soon.",
    parts=(
        Row(
            line=("#1 · answer by ", When(at=NOON, plain="12:00")),
            mention=1,
            controls=(
                Button(name="still", label="Still on it", mention=1, primary=True),
                Choice(name="snooze", label="Snooze", options=(("1h", "for 1 hour"),), mention=1),
                Button(name="hand_over", label="Hand over", mention=1),
            ),
        ),
    ),
)


# Written by hand, so that a golden file shows what this door does and not how the desk words it.
CARDS = {
    "open": Message(
        text="Mention 42, a review on Mastodon, is unclaimed.",
        parts=(
            Heading(text="#42 · Review on Mastodon"),
            Paragraph(line=("Written ", When(at=NOON, plain="Tue 3 Mar 12:00")), quiet=True),
            Byline(
                patron=Patron(name="Lena @everyone", handle="@lena", url="https://a.example/@lena"),
                network="Mastodon",
            ),
            Quote(text="We are open all week!", label="In answer to"),
            Quote(text="¿Abren? <!channel> *b*", permalink="https://a.example/1", language="es"),
            Picture(media=Media(url="https://a.example/1.jpg", alt="A closed door")),
            Facts(pairs=(("State", ("Unclaimed",)), ("Due", (When(at=NOON, plain="12:00"),)))),
        ),
        controls=(
            Button(name="claim", label="Claim", mention=42, primary=True),
            OpenLink(label="Open post", url="https://a.example/1"),
            Button(name="close", label="Done…", mention=42),
            Button(name="snooze", label="Snooze…", mention=42),
            Button(name="assign", label="Assign…", mention=42, more=True),
            Button(name="why", label="Why here?", mention=42, more=True),
        ),
        mention=42,
    ),
    "closed": Message(
        text="Mention 42, a review on Mastodon, is closed: answered, by Ana Silva.",
        parts=(
            Paragraph(line=("#42 · Review on Mastodon",)),
            Paragraph(
                line=("Answered, by ", Who(key="ana", name="Ana Silva"), " · idea"), quiet=True
            ),
        ),
        controls=(Button(name="reopen", label="Reopen", mention=42),),
        mention=42,
        collapsed=True,
    ),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_card_looks_as_it_was_read(name: str) -> None:
    shown = view.blocks(CARDS[name])
    assert message_faults(shown) == []
    golden(f"slack/cards/{name}", shown)


@pytest.mark.parametrize("name", [*CASES])
def test_every_card_of_the_desk_is_what_slack_takes(name: str) -> None:
    for room in (view.CARD, view.PRIVATE, view.WHOLE):
        assert message_faults(view.blocks(card(CASES[name]), room), room.blocks) == []


@pytest.mark.parametrize(("name", "message"), [("queue", QUEUE), ("nag", NAG)])
def test_a_list_looks_as_it_was_read(name: str, message: Message) -> None:
    shown = view.blocks(message, view.PRIVATE)
    assert message_faults(shown) == []
    golden(f"slack/{name}", shown)


CLOSING = Form(
    name="close",
    title="Close 42",
    mention=42,
    submit="Close",
    fields=(
        Field(
            name="outcome",
            label="Outcome",
            options=(("answered", "Answered"), ("spam", "Spam")),
            value="answered",
        ),
        Field(
            name="topics", label="Topics", options=(("idea", "Idea"),), many=True, required=False
        ),
        Field(name="note", label="Note", multiline=True, required=False, hint="For colleagues."),
    ),
)
FORMS = {
    "close": close(42, TOPICS),
    "assign": assign(42, [("ana", "Ana Silva"), ("ben", "Ben Okafor")]),
    "snooze": snooze(42),
    "log": log(),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_the_desk_is_what_slack_takes(name: str) -> None:
    assert view_faults(forms.modal(FORMS[name], room="C01")) == []


def test_a_form_looks_as_it_was_read() -> None:
    shown = forms.modal(CLOSING, room="C01")
    assert view_faults(shown) == []
    golden("slack/form", shown)


def test_the_home_tab_looks_as_it_was_read() -> None:
    shown = home(say("You have claimed nothing."), QUEUE, say("Reminders come directly."))
    assert view_faults(shown) == []
    assert view_faults(closed("This is for the library's staff.")) == []
    golden("slack/home", shown)


# --- law 7: a patron's words are data -----------------------------------------------------------


def texts(value: Any, kind: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a payload with the type of what holds it."""
    if isinstance(value, dict):
        own = str(value.get("type", kind))
        for key, item in value.items():
            if key in ("text", "alt_text", "url") and isinstance(item, str):
                yield own, item
            else:
                yield from texts(item, own)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, kind)


def patrons_card(words: str, name: str = "Lena") -> Message:
    patron = Patron(name=name, handle=name, url="https://social.example/@lena")
    media = (Media(url="https://social.example/1.jpg", alt=words, kind=words[:30]),)
    said = Words(
        text=words, patron=patron, permalink="https://social.example/1", media=media,
        title=words[:50], in_reply_to=words, follow_ups=((NOON, words),),
    )  # fmt: skip
    return card(facts(said))


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=900), st.text(max_size=120))
def test_a_patrons_words_stand_where_slack_formats_nothing(words: str, name: str) -> None:
    marked = f"PATRON{words}PATRON"
    message = patrons_card(marked, f"PATRON{name}")
    shown = view.blocks(message)
    assert message_faults(shown) == []
    assert "PATRON" not in view.notification(message)
    holders = {kind for kind, text in texts(shown) if "PATRON" in text}
    assert holders <= {"text", "link"}  # elements of rich text


def test_what_would_ping_or_format_is_shown_as_it_was_written() -> None:
    shown = view.blocks(patrons_card(HOSTILE))
    said = [text for _, text in texts(shown) if "<!channel>" in text and len(text) > 60]
    assert said
    assert all("*b* _i_ ~s~ `c`" in text for text in said)
    assert "\u202e" not in json.dumps(shown, ensure_ascii=False)
    assert "\u0310" * 7 not in json.dumps(shown, ensure_ascii=False)
    kinds = {kind for kind, text in texts(shown) if "<!channel>" in text}
    assert "mrkdwn" not in kinds


@pytest.mark.parametrize("words", [HOSTILE, "a" * 40_000, "🐢" * 20_000, "e\u0301" * 20_000, ""])
def test_forty_thousand_letters_are_a_card_with_the_way_to_the_whole(words: str) -> None:
    message = patrons_card(words)
    shown = view.blocks(message)
    assert message_faults(shown) == []
    assert sum(size(text) for _, text in texts(shown)) < 12_000
    assert "https://social.example/1" in json.dumps(shown)
    if len(words) > 1000:
        assert '"read_all|42|"' in json.dumps(shown)
        assert view_faults(forms.shown(replace(message, controls=()), "Mention 42")) == []


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_quote_is_cut_at_its_limit(over: int) -> None:
    text = "a" * (view.CARD_QUOTE + over)
    message = Message(text="A card.", parts=(Heading(text="#7"), Quote(text=text)), mention=7)
    (quote,) = [text for kind, text in texts(view.blocks(message)) if text.startswith("aaa")]
    assert size(quote) == view.CARD_QUOTE + min(over, 0)
    assert quote.endswith(ELLIPSIS) == (over > 0)


def test_a_permalink_is_always_a_link() -> None:
    message = Message(text="x", parts=(Quote(text="Short.", permalink="https://a.example/1"),))
    assert '"type": "link", "url": "https://a.example/1"' in json.dumps(view.blocks(message))


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "https://", "http://a b", "https://a|b", "//x", "ftp://x", "[", ""],
)
def test_what_leads_nowhere_is_no_link(url: str) -> None:
    assert web_url(url) == ""
    message = Message(
        text="x",
        parts=(
            Quote(text="q", permalink=url),
            Byline(patron=Patron(name="Lena", url=url), network="Web"),
            Picture(media=Media(url=url)),
            Paragraph(line=(Link(label="here", url=url),)),
            Paragraph(line=(Link(label="here", url=url),), quiet=True),
        ),
        controls=(OpenLink(label="Open post", url=url),),
    )
    shown = view.blocks(message)
    assert message_faults(shown) == []
    assert '"url"' not in json.dumps(shown)


# --- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pictures", [1, 4, 12, 80])
def test_many_pictures_leave_room_for_state_and_due(pictures: int) -> None:
    url = "https://social.example/" + "a" * 1900
    media = tuple(
        Picture(media=Media(url=f"{url}{place}", alt="A lift. " * 200)) for place in range(pictures)
    )
    message = Message(
        text="A card.",
        parts=(Heading(text="#7"), Quote(text="a" * 40_000, permalink=url), *media,
               Facts(pairs=(("State", ("Unclaimed",)),))),
        controls=(Button(name="claim", label="Claim", mention=7), OpenLink(label="Open", url=url)),
        mention=7,
    )  # fmt: skip
    shown = view.blocks(message)
    assert message_faults(shown) == []
    assert written(shown) <= MOST_TEXT
    said = json.dumps(shown)
    assert "Unclaimed" in said
    kept = said.count("A lift. A lift.") and sum("A lift." in text for _, text in texts(shown))
    assert (f"{pictures - kept} more attached" in said) == (kept < pictures)
    assert kept >= 1


@pytest.mark.parametrize("rows", [10, 22, 24, 47, 48, 49, 200])
def test_a_long_list_keeps_its_first_rows_and_says_so(rows: int) -> None:
    controls = QUEUE.parts[1].controls  # type: ignore[union-attr]
    parts = tuple(Row(line=(f"#{n}",), mention=n, controls=controls) for n in range(rows))
    shown = view.blocks(Message(text="Long.", parts=parts, controls=QUEUE.controls))
    assert message_faults(shown) == []
    assert ("left out" in json.dumps(shown)) == (rows > 48)
    assert '"claim:1:0"' in json.dumps(shown)
    assert ('"show:1:1"' in json.dumps(shown)) == (rows < 24)
    assert shown[-1]["type"] == "actions"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=400).map(lambda t: t * 10), max_size=6), st.text(max_size=200))
def test_no_text_of_ours_is_too_long_either(lines: list[str], label: str) -> None:
    message = Message(
        text=label,
        parts=(
            Heading(text=label),
            *(Paragraph(line=(line,), quiet=len(line) % 2 == 0) for line in lines),
            Bullets(lines=tuple((line,) for line in lines)),
            Facts(pairs=tuple((label, (line,)) for line in lines)),
            File(name="figures.csv", content=b"", label=label),
        ),
        controls=(Button(name="claim", label=label, mention=1, value="v" * 3000),),
    )
    assert message_faults(view.blocks(message)) == []
    assert 0 < len(view.notification(message)) <= 40_000


@pytest.mark.parametrize("sight", range(1, 9))
@pytest.mark.parametrize("more", [0, 1, 5, 11])
def test_at_most_five_controls_are_in_sight_and_none_is_lost(sight: int, more: int) -> None:
    controls = [Button(name=f"s{n}", label=f"S{n}", mention=1) for n in range(sight)]
    controls += [Button(name=f"m{n}", label=f"M{n}", mention=1, more=True) for n in range(more)]
    shown = elements(controls)
    assert len(shown) <= 5
    names = set()
    for element in shown:
        for option in element.get("options", [None]):
            action = {**element, "selected_option": option} if option else element
            found = pressed(action)
            assert found is not None
            assert found.mention == 1
            names.add(found.control)
    assert names == {control.name for control in controls}


@pytest.mark.parametrize(
    ("action", "control", "mention", "value"),
    [
        ({"action_id": "claim:42:0"}, "claim", 42, ""),
        ({"action_id": "undo::0", "value": "7"}, "undo", None, "7"),
        ({"action_id": "snooze:42:1", "selected_option": {"value": "2h"}}, "snooze", 42, "2h"),
        ({"action_id": "more:42:4", "selected_option": {"value": "note|42|"}}, "note", 42, ""),
        ({"action_id": "more::4", "selected_option": {"value": "x||a|b"}}, "x", None, "a|b"),
    ],
)
def test_a_press_says_what_was_used(
    action: dict[str, Any], control: str, mention: int | None, value: str
) -> None:
    found = pressed(action)
    assert found is not None
    assert (found.control, found.mention, found.value) == (control, mention, value)


def test_a_link_is_no_press() -> None:
    assert pressed({"action_id": "open_link::1"}) is None
    assert pressed({}) is None


# --- forms --------------------------------------------------------------------------------------


def test_what_was_filled_in_comes_back_by_name() -> None:
    shown = forms.modal(CLOSING, room="C01", thread="1.2")
    state = {
        "outcome": {"outcome": {"type": "static_select", "selected_option": {"value": "spam"}}},
        "topics": {"topics": {"type": "checkboxes", "selected_options": [{"value": "idea"}]}},
        "note": {"note": {"type": "plain_text_input", "value": None}},
    }
    filled = forms.filled({**shown, "state": {"values": state}})
    assert (filled.form, filled.mention, filled.room, filled.thread) == ("close", 42, "C01", "1.2")
    assert filled.values == {"outcome": "spam", "topics": ["idea"], "note": ""}


def test_many_people_and_topics_still_fit() -> None:
    people = [(f"p{n}", "N" * 200) for n in range(300)]
    assert view_faults(forms.modal(assign(42, people))) == []
    many = Field(name="topics", label="T", options=tuple(people[:30]), many=True)
    assert (
        view_faults(forms.modal(Form(name="x", title="T" * 90, fields=(many,), submit="S"))) == []
    )


def test_a_message_is_tracked_with_its_words_filled_in() -> None:
    shown = forms.modal(FORMS["log"], prefilled="x" * 5000)
    assert view_faults(shown) == []
    assert shown["blocks"][0]["element"]["initial_value"].endswith(ELLIPSIS)


def test_what_is_left_of_a_line_still_says_its_sentence() -> None:
    text = nags.past_line().text
    assert text in json.dumps(view.blocks(nags.past_line()))


def test_what_was_only_heard_is_short_and_says_where_to_read_on() -> None:
    shown = view.blocks(card(CASES["heard_at_length"]))
    assert [block["type"] for block in shown] == [
        "rich_text", "rich_text", "rich_text", "context", "actions",
    ]  # fmt: skip
    [words] = [e for e in shown[2]["elements"] if e["type"] == "rich_text_quote"]
    said = words["elements"][0]["text"]
    assert size(said) <= view.SHORT_QUOTE
    assert said.endswith(ELLIPSIS)
    assert "\n" not in said
    assert "Read all" in json.dumps(shown[-1])
    assert message_faults(shown) == []

"""Earlier contact, muted authors, and the same words on several networks, on a real desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from staffbot.cards import card
from staffbot.desk import alike, changes, closing, contact, conversations, laws, muting, reading
from staffbot.errors import Refused
from staffbot.messages import Button, Byline, Form, Message, Quote
from staffbot.model import Done, Happened, Outcome, Patron, Status, Unchanged
from staffbot.network import Edited
from staffbot.secret import Secret
from staffbot.settings import SourceSettings
from staffbot.tables import events, mentions, mutes, posts, words
from tests.library import Library
from tests.staffbot.answered import Answered

LENA = Patron(name="Lena P.", handle="@lena@social.example")
LONG = "The heating in the reading room is broken again"


def lawful(library: Library) -> None:
    assert library.desk.look(laws.broken) == ()


def shown(library: Library, number: int) -> Message:
    facts = library.desk.look(reading.card_facts, number)
    assert facts is not None
    return card(facts)


def labels(message: Message) -> list[str]:
    return [control.label for control in message.controls]


# --- earlier contact ----------------------------------------------------------------------------


def test_how_often_when_last_how_it_ended_and_with_whom(library: Library) -> None:
    ana, ben = library.person("ana"), library.person("ben")
    first = library.arrives(patron=LENA)
    library.desk.act(closing.close, first, ana, outcome=Outcome.ANSWERED)
    library.clock.forward(days=1)
    library.arrives(patron=Patron(name="Lena P.", handle="@another"))
    second = library.arrives(patron=LENA)
    library.desk.act(closing.close, second, ben, outcome=Outcome.SPAM)
    third = library.arrives(patron=LENA)
    found = library.desk.look(contact.earlier, third)
    assert (found.total, found.answered, found.by_name) == (2, 1, False)
    assert [(one.number, one.outcome, one.who and one.who.key) for one in found.newest] == [
        (3, Outcome.SPAM, "ben"), (1, Outcome.ANSWERED, "ana"),
    ]  # fmt: skip
    assert "Earlier contact (2)" in labels(shown(library, third))
    assert not any(label.startswith("Earlier") for label in labels(shown(library, first)))
    with pytest.raises(Refused, match="There is no mention 9"):
        library.desk.look(contact.earlier, 9)


async def test_history_is_told_without_a_word_of_theirs(sqlite_library: Library) -> None:
    answered = Answered(sqlite_library)
    sqlite_library.arrives("Where is the 4711?", patron=LENA)
    sqlite_library.clock.forward(hours=1)
    number = sqlite_library.arrives("And the 0815?", patron=LENA)
    told = await answered.says(f"history {number}")
    assert isinstance(told, Message)
    assert told.text == "1 other mention of the author of 2."
    assert not {"4711", "0815", "Lena"} & set(repr(told).replace("'", " ").split())
    assert not [part for part in told.parts if isinstance(part, Quote | Byline)]
    assert [c.name for c in told.controls if isinstance(c, Button)] == ["mute"]
    alone = await answered.says("history 1")
    assert isinstance(alone, Message)
    assert "#2" in alone.plain() or "2 ·" in alone.plain()


def test_who_gave_only_a_name_may_be_several_and_the_nameless_are_nobody(library: Library) -> None:
    for _ in range(2):
        library.arrives(patron=Patron(name="Anna"))
    found = library.desk.look(contact.earlier, 2)
    assert (found.total, found.by_name) == (1, True)
    for _ in range(2):
        library.arrives(source="log", patron=Patron(name="A patron", nameless=True))
    assert library.desk.look(contact.earlier, 4).total == 0


# --- muted --------------------------------------------------------------------------------------


def test_who_gave_no_name_is_nobody_else_and_mutes_nobody_else(library: Library) -> None:
    nobody = Patron(name="Somebody", nameless=True)
    first = library.arrives(patron=nobody, conversation="c1")
    second = library.arrives(patron=nobody, conversation="c2")
    assert library.desk.look(contact.earlier, second).total == 0
    assert not any(label.startswith("Earlier") for label in labels(shown(library, second)))
    library.desk.act(
        muting.mute, library.person("ana"), first, library.clock.now + timedelta(days=1)
    )
    third = library.arrives(patron=nobody, conversation="c3")
    rows = {row.number: row for row in library.rows(mentions)}
    assert not rows[third].muted, "a form without names is not silenced as a whole"
    lawful(library)


def test_a_muted_author_has_no_card_and_no_clock_until_then(library: Library) -> None:
    ana = library.person("ana")
    first = library.arrives(patron=LENA)
    said = library.desk.act(muting.mute, ana, first, library.clock.now + timedelta(days=7))
    assert isinstance(said, Done)
    assert said.said.startswith("The author of 1 is muted until Tue 10 Mar 10:00")
    before = len(library.rows(posts))
    second = library.arrives(patron=LENA)
    other = library.arrives()
    rows = {row.number: row for row in library.rows(mentions)}
    assert (rows[second].muted, rows[other].muted) == (True, False)
    assert not library.mention(second).expects_answer
    assert library.mention(second).answer_due_at is None
    assert [row.mention for row in library.rows(posts)[before:]] == [other]
    queue = library.desk.look(reading.queue, ["adult"])
    assert [row.mention.number for row in queue.heard.rows] == [second]
    [one] = library.desk.look(muting.muted)
    assert (one.patron.handle, one.by, one.since) == (LENA.handle, "Ana Silva", 1)
    library.clock.forward(days=7)
    third = library.arrives(patron=LENA)
    assert library.mention(third).expects_answer
    assert library.desk.look(muting.muted) == ()
    lawful(library)


def test_a_month_without_them_ends_at_the_same_time_of_day(sqlite_library: Library) -> None:
    library = sqlite_library
    first = library.arrives(patron=LENA)
    done = library.desk.act(muting.mute, library.person("ana"), first, None)
    assert isinstance(done, Done)
    assert "is muted until Thu 2 Apr 10:00" in done.said, "the clocks change on 29 March"


def test_a_muted_author_opens_nothing_again(library: Library) -> None:
    ana = library.person("ana")
    first = library.arrives(patron=LENA, conversation="c")
    library.desk.act(closing.close, first, ana, outcome=Outcome.ANSWERED)
    library.desk.act(muting.mute, ana, first, None)
    library.take_in(library.incoming("And again!", patron=LENA, conversation="c"))
    assert library.mention(first).status is Status.CLOSED
    library.desk.act(muting.unmute, ana, first)
    library.take_in(library.incoming("And again!!", patron=LENA, conversation="c"))
    assert library.mention(first).status is Status.OPEN
    lawful(library)


@pytest.mark.parametrize(
    "name", ["@lena@social.example", "lena@social.example", "@LENA@Social.example"]
)
def test_an_author_is_named_as_the_card_shows_them(library: Library, name: str) -> None:
    ana = library.person("ana")
    library.arrives(patron=LENA)
    assert isinstance(library.desk.act(muting.mute, ana, name, None), Done)
    assert len(library.rows(mutes)) == 1
    assert isinstance(library.desk.act(muting.unmute, ana, name), Done)
    assert isinstance(library.desk.act(muting.unmute, ana, name), Unchanged)
    said = [row for row in library.rows(events) if row.what in (Happened.MUTED, Happened.UNMUTED)]
    assert len(said) == 2
    assert "lena" not in repr(said).lower()
    for wrong in ("@nobody", "%", "", 9):
        with pytest.raises(Refused):
            library.desk.act(muting.mute, ana, wrong, None)


async def test_mute_typed_pressed_and_listed(sqlite_library: Library) -> None:
    answered = Answered(sqlite_library)
    number = sqlite_library.arrives(patron=LENA)
    form = await answered.dispatch.press(answered.actor("ana"), "mute", number)
    assert isinstance(form, Form)
    assert [field.name for field in form.fields] == ["until"]
    filled: dict[str, str | list[str]] = {"until": "7d"}
    done = await answered.dispatch.submit(answered.actor("ana"), form.name, form.mention, filled)
    assert isinstance(done, Message)
    assert "is muted until" in done.text
    listed = await answered.says("mute")
    assert isinstance(listed, Message)
    assert [part.patron for part in listed.parts if isinstance(part, Byline)] == [LENA]
    for line, said in (
        (f"unmute {number}", "not muted any more"),
        ("mute @lena@social.example for 2d", "is muted until Thu 5 Mar"),
        ("unmute @lena@social.example", "not muted any more"),
        ("mute", "Nobody is muted."),
        (f"mute {number} until yesterday", ""),
    ):
        told = await answered.says(line)
        assert isinstance(told, Message)
        assert said in told.text


# --- services -----------------------------------------------------------------------------------


async def test_services_are_listed_with_answers_off_too(sqlite_library: Library) -> None:
    answered = Answered(sqlite_library, replies=sqlite_library.settings.replies)
    listed = await answered.says("services")
    assert isinstance(listed, Message)
    assert "Home delivery (https://library.example/delivery)" in listed.plain()
    one = await answered.says("services home")
    assert isinstance(one, Message)
    assert "German: Wir bringen Bücher ins Haus: https://library.example/delivery" in one.plain()
    none = await answered.says("services aquarium")
    assert isinstance(none, Message)
    assert none.text.startswith("There is no service")
    sqlite_library.reconfigure(services=())
    empty = await answered.says("services")
    assert isinstance(empty, Message)
    assert "[[services]]" in empty.text


# --- the same on several networks ---------------------------------------------------------------


def elsewhere(library: Library) -> None:
    library.reconfigure(
        sources=(*library.settings.sources, SourceSettings(name="sky", type="fake", label="Sky"))
    )


@pytest.mark.parametrize(
    ("changed", "alike_"),
    [
        ({}, True),
        ({"text": f"@library@social.example {LONG}! https://x.example/1"}, True),
        ({"text": LONG.upper()}, True),
        ({"patron": Patron(name="Someone", handle="@lena.sky.example")}, True),
        ({"patron": Patron(name="LENA  P.", handle="@other")}, True),
        ({"patron": Patron(name="Someone", handle="@other")}, False),
        ({"text": f"{LONG} and again"}, False),
        ({"source": "social"}, False),
        ({"after": timedelta(days=2)}, True),
        ({"after": timedelta(days=2, seconds=1)}, False),
    ],
)
def test_what_is_offered_as_one(
    sqlite_library: Library, changed: dict[str, Any], alike_: bool
) -> None:
    library = sqlite_library
    elsewhere(library)
    first = library.arrives(LONG, patron=LENA)
    library.clock.now += changed.pop("after", timedelta())
    said: dict[str, Any] = {"text": LONG, "patron": LENA, "source": "sky", **changed}
    second = library.arrives(**said)
    assert library.desk.look(alike.twins, first) == ((second,) if alike_ else ())
    assert library.desk.look(alike.twins, second) == ((first,) if alike_ else ())
    assert (library.mention(first).revision > 1) is alike_
    lawful(library)


async def test_one_press_links_them(library: Library) -> None:
    answered = Answered(library)
    elsewhere(library)
    library.arrives(LONG, patron=LENA)
    second = library.arrives(LONG, patron=LENA, source="sky")
    card_ = shown(library, 1)
    assert "The same words, it seems by the same author, came as #2." in card_.plain()
    [button] = [c for c in card_.controls if isinstance(c, Button) and c.label == "Link with 2"]
    told = await answered.dispatch.press(answered.actor("ana"), button.name, 1, button.value)
    assert isinstance(told, Message)
    assert told.text == "1 and 2 are linked."
    assert library.desk.look(alike.twins, second) == ()
    assert "The same words" not in shown(library, 1).plain()
    library.desk.act(conversations.unlink, 1, library.person("ana"))
    assert library.desk.look(alike.twins, second) == (1,)
    lawful(library)


def test_what_was_edited_or_is_too_short_is_not_alike(sqlite_library: Library) -> None:
    library = sqlite_library
    elsewhere(library)
    library.arrives(LONG, patron=LENA, native_id="n")
    second = library.arrives(LONG, patron=LENA, source="sky")
    edit = Edited(native_id="n", text="Never mind.", at=library.clock.now)
    assert library.desk.act(changes.apply, "social", edit)
    assert library.desk.look(alike.twins, second) == ()
    library.arrives("Thank you!", patron=LENA)
    third = library.arrives("Thank you!", patron=LENA, source="sky")
    assert library.desk.look(alike.twins, third) == ()


def test_the_hash_tells_nothing_without_the_key(sqlite_library: Library) -> None:
    one, other = (alike.alike_hash(LONG, Secret(value=key * 32)) for key in "ab")
    assert one is not None
    assert one != other
    sqlite_library.arrives(LONG, patron=LENA)
    [row] = sqlite_library.rows(words)
    assert row.alike_hash == alike.alike_hash(LONG, sqlite_library.settings.store.identity_key)


def test_a_muted_author_in_a_storm_raises_none(sqlite_library: Library) -> None:
    library = sqlite_library
    library.arrives(patron=LENA)
    library.desk.act(muting.mute, library.person("ana"), 1, datetime(2026, 4, 1, tzinfo=UTC))
    flood = [replace(library.incoming(), patron=LENA) for _ in range(30)]
    assert library.take_in(*flood).new == 30
    assert all(row.storm is None for row in library.rows(mentions))
    lawful(library)

"""Answers from chat on a real desk: who may, one of two at once, what fits, what the network does."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import update

from staffbot.cards import card
from staffbot.desk import changes, closing, laws, preferences, replying
from staffbot.desk.reading import card_facts
from staffbot.desk.replying import NotYet
from staffbot.errors import Refused
from staffbot.messages import Button, Form, Message, OpenLink
from staffbot.model import Done, Happened, Outcome, Patron, Status, Unchanged, Visibility
from staffbot.network import AnsweredAtSource, Deleted, ReplyLimit
from staffbot.settings import ReplySettings
from staffbot.tables import events, mentions, posts, replies, words
from tests import carrying
from tests.fakes import FakeChat, Fault
from tests.library import Library
from tests.staffbot.answered import Answered, field_of, until

WORDS = "Yes, from ten to four."


@pytest.fixture
def answered(sqlite_library: Library) -> Answered:
    return Answered(sqlite_library)


def lawful(library: Library) -> None:
    assert library.desk.look(laws.broken) == ()


async def test_stored_then_sent_once_and_answered_at_its_own_time(library: Library) -> None:
    answered = Answered(library)
    number = library.arrives("Open on Sundays?")
    form = await answered.form(number)
    assert form.quote is not None
    assert form.quote.text == "Open on Sundays?"
    said = await answered.send(form, WORDS)
    assert isinstance(said, Message)
    assert said.text == "Your answer to 1 is stored and goes out now."
    assert (answered.states, answered.texts) == (["waiting"], [])
    library.clock.forward(minutes=3)
    own_time = library.clock.now
    answered.network.clock = lambda: own_time
    library.clock.forward(minutes=5)
    await answered.carried()
    assert answered.texts == [WORDS]
    mention = library.mention(number)
    assert (mention.status, mention.owner) == (Status.CLAIMED, "ana")
    assert mention.answered_at == own_time
    [event] = [row for row in library.rows(events) if row.what == Happened.ANSWERED]
    assert (event.at, event.person, event.open_seconds) == (own_time, "ana", 180)
    assert event.within_target is True
    await answered.carried()
    assert answered.texts == [WORDS]
    lawful(library)


async def test_two_at_once_have_one_winner_and_the_other_is_told_and_keeps_the_words(
    library: Library,
) -> None:
    answered = Answered(library)
    number = library.arrives()
    library.claim(number, "mia")
    forms = {who: await answered.form(number, who) for who in ("mia", "dora")}
    told = await asyncio.gather(
        *(answered.send(form, f"By {who}.", who) for who, form in forms.items())
    )
    assert len(library.rows(replies)) == 1
    [stored] = [one for one in told if isinstance(one, Message)]
    [again] = [one for one in told if isinstance(one, Form)]
    assert "is stored" in stored.text
    assert "is on its way just now" in field_of(again, "text").hint
    assert field_of(again, "text").value in ("By mia.", "By dora.")
    assert field_of(again, "seen").options[0][1] == "a further answer"
    await answered.carried()
    assert len(answered.texts) == 1
    # Having seen it, the other may add to it.
    other = "mia" if answered.texts == ["By dora."] else "dora"
    fresh = await answered.send(again, field_of(again, "text").value, other)
    assert isinstance(fresh, Form)  # it is out since, which the form did not show yet
    assert "answered 1 at 10:00" in field_of(fresh, "text").hint
    assert isinstance(await answered.send(fresh, "And more.", other), Message)
    await answered.carried()
    assert answered.texts[1:] == ["And more."]
    said = [row.what for row in library.rows(events)]
    assert (said.count(Happened.ANSWERED), said.count(Happened.REPLIED)) == (1, 1)
    lawful(library)


async def test_an_answer_on_the_network_meanwhile_is_told_too(answered: Answered) -> None:
    library = answered.library
    number = library.arrives(native_id="n")
    form = await answered.form(number)
    _noticed(library, "n")
    again = await answered.send(form, WORDS)
    assert isinstance(again, Form)
    assert field_of(again, "text").hint.startswith("1 was answered at 10:00.")
    assert library.rows(replies) == []


def _noticed(library: Library, native_id: str) -> None:
    change = AnsweredAtSource(native_id=native_id, at=library.clock.now, account="library")
    assert library.desk.act(changes.apply, "social", change)


async def test_what_was_answered_there_before_it_went_out_is_withdrawn(answered: Answered) -> None:
    library = answered.library
    number = library.arrives(native_id="n")
    await answered.send(await answered.form(number), WORDS)
    _noticed(library, "n")
    await answered.carried()
    assert (answered.states, answered.texts) == (["withdrawn"], [])
    assert field_of(await answered.form(number), "text").value == WORDS
    assert "answered on the network itself" in _said_on_card(library, number)
    [told] = [row for row in library.rows(posts) if row.kind == "told"]
    assert (told.person, told.detail["about"]) == ("ana", "reply_withdrawn")
    lawful(library)


async def test_what_the_patron_took_back_is_not_answered(answered: Answered) -> None:
    library = answered.library
    number = library.arrives(native_id="n")
    await answered.send(await answered.form(number), WORDS)
    gone = Deleted(native_id="n", at=library.clock.now)
    assert library.desk.act(changes.apply, "social", gone)
    await answered.carried()
    assert (answered.states, answered.texts) == (["withdrawn"], [])
    with pytest.raises(Refused, match="nothing to answer any more"):
        library.desk.look(replying.draft, number, library.person("ana"))


async def test_done_a_second_later_does_not_hold_it_back(answered: Answered) -> None:
    library = answered.library
    number = library.arrives()
    await answered.send(await answered.form(number), WORDS)
    library.desk.act(closing.close, number, library.person("ana"), outcome=Outcome.ANSWERED)
    await answered.carried()
    assert answered.texts == [WORDS]
    lawful(library)


# --- what the network does ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "sends"),
    [
        ((), 1),
        ((Fault.SERVER_ERROR,), 2),
        ((Fault.LIMITED, Fault.LIMITED), 3),
        ((Fault.CUT_BEFORE,), 2),
        ((Fault.CUT_AFTER,), 1),
        ((Fault.HANGS_BEFORE,), 2),
        ((Fault.HANGS_AFTER,), 1),
        ((Fault.RAISES,), 2),
        ((Fault.CUT_BEFORE, Fault.CUT_AFTER), 2),
    ],
)
async def test_whatever_a_call_meets_one_answer_stands(
    answered: Answered, faults: tuple[Fault, ...], sends: int
) -> None:
    answered.network.faults["reply"].extend(faults)
    number = answered.library.arrives()
    await answered.send(await answered.form(number), WORDS)
    await answered.carried()
    assert answered.texts == [WORDS]
    assert answered.network.calls.count("reply") == sends
    assert answered.states == ["sent"]
    lawful(answered.library)


@pytest.mark.parametrize(
    "fault", [Fault.SERVER_ERROR, Fault.LIMITED, Fault.CUT_BEFORE, Fault.RAISES]
)
async def test_a_look_up_that_fails_is_made_again(answered: Answered, fault: Fault) -> None:
    answered.network.faults["reply"].append(Fault.CUT_AFTER)
    answered.network.faults["find"].append(fault)
    number = answered.library.arrives()
    await answered.send(await answered.form(number), WORDS)
    await answered.carried()
    assert answered.texts == [WORDS]
    assert answered.network.calls == ["reply", "find", "find"]


async def test_what_is_refused_is_given_back_to_its_author(answered: Answered) -> None:
    library = answered.library
    answered.network.faults["reply"].append(Fault.REFUSED)
    number = library.arrives()
    await answered.send(await answered.form(number), WORDS)
    await answered.carried()
    assert (answered.states, answered.texts) == (["failed"], [])
    assert library.mention(number).answered_at is None
    assert "Ana Silva's answer was not sent: invalid blocks." in _said_on_card(library, number)
    form = await answered.form(number)
    assert field_of(form, "text").value == WORDS
    await answered.send(form, "Yes.")
    await answered.carried()
    assert answered.texts == ["Yes."]


async def test_what_cannot_be_looked_up_is_never_sent_again(answered: Answered) -> None:
    library = answered.library
    answered.network.faults["reply"].append(Fault.CUT_AFTER)
    answered.network.faults["find"].append(Fault.REFUSED)
    number = library.arrives()
    await answered.send(await answered.form(number), WORDS)
    await answered.carried()
    assert (answered.states, answered.texts) == (["unknown"], [WORDS])
    assert "Nobody can tell whether" in _said_on_card(library, number)
    hint = field_of(await answered.form(number, "ana"), "text").hint
    assert "nobody can tell whether it arrived" in hint


async def unsure(answered: Answered) -> int:
    """A mention with an answer of which nobody can tell."""
    answered.network.faults["reply"].append(Fault.CUT_AFTER)
    answered.network.faults["find"].append(Fault.REFUSED)
    number = answered.library.arrives()
    await answered.send(await answered.form(number), WORDS)
    await answered.carried()
    assert answered.states == ["unknown"]
    return number


def buttons(library: Library, number: int) -> list[str]:
    facts = library.desk.look(card_facts, number)
    assert facts is not None
    return [one.name for one in card(facts).controls if isinstance(one, Button)]


async def test_a_person_who_looked_says_that_an_answer_was_sent(answered: Answered) -> None:
    library, written_at = answered.library, answered.library.clock.now
    number = await unsure(answered)
    assert buttons(library, number)[:2] == ["it_was_sent", "send_it_again"]
    assert "“It was sent”, or “Send again” where it is missing" in _said_on_card(library, number)
    library.clock.forward(minutes=20)
    refused = await answered.dispatch.press(answered.actor("ben"), "it_was_sent", number)
    assert isinstance(refused, Message)
    assert "Ana Silva has 1" in refused.text
    said = await answered.dispatch.press(answered.actor("dora"), "it_was_sent", number)
    assert isinstance(said, Message)
    assert said.text == "1 counts as answered by Ana Silva."
    assert (answered.states, answered.texts) == (["sent"], [WORDS])
    assert library.mention(number).answered_at == written_at
    [event] = [row for row in library.rows(events) if row.what == Happened.ANSWERED]
    assert (event.person, event.at) == ("ana", written_at)
    assert "it_was_sent" not in buttons(library, number)
    again = await answered.dispatch.press(answered.actor("ana"), "send_it_again", number)
    assert isinstance(again, Message)
    assert again.text == "There is no answer to 1 any more of which nobody can tell."
    lawful(library)


async def test_a_person_who_looked_has_it_sent_again_once(answered: Answered) -> None:
    library = answered.library
    number = await unsure(answered)
    answered.network.replies.clear()  # it never arrived
    said = await asyncio.gather(
        *(
            answered.dispatch.press(answered.actor(who), "send_it_again", number)
            for who in ("ana", "dora")
        )
    )
    assert sorted(one.text for one in said if isinstance(one, Message)) == [
        "The answer to 1 is sent again now.",
        "There is no answer to 1 any more of which nobody can tell.",
    ]
    await answered.carried()
    assert (answered.states, answered.texts) == (["unknown", "sent"], [WORDS])
    assert library.mention(number).answered_at is not None
    assert {row.person for row in library.rows(replies)} == {"ana"}
    assert "Nobody can tell" not in _said_on_card(library, number)
    lawful(library)


async def test_what_was_closed_meanwhile_is_opened_again_first(answered: Answered) -> None:
    number = await unsure(answered)
    library = answered.library
    library.desk.act(closing.close, number, library.person("ana"), outcome=Outcome.NO_ANSWER_NEEDED)
    for verb in ("it_was_sent", "send_it_again"):
        said = await answered.dispatch.press(answered.actor("ana"), verb, number)
        assert isinstance(said, Message)
        assert "1 is closed" in said.text
    assert answered.states == ["unknown"]
    lawful(answered.library)


async def test_the_author_is_told_with_the_buttons_that_settle_it(answered: Answered) -> None:
    await unsure(answered)
    library = answered.library
    chat = FakeChat(platform="local")
    carrying.carry(library.desk, chat)
    [told] = [one.message for one in chat.history.values() if "Nobody can tell" in one.message.text]
    assert [one.name for one in told.controls if isinstance(one, Button)] == [
        "it_was_sent", "send_it_again", "reply", "show",
    ]  # fmt: skip


async def test_an_outage_is_waited_out_and_then_given_back(answered: Answered) -> None:
    library = answered.library
    library.reconfigure(replies=ReplySettings(enabled=True, give_up_after=timedelta(0)))
    answered.network.faults["reply"].extend([Fault.LIMITED] * 2)
    number = library.arrives()
    await answered.send(await answered.form(number), WORDS)
    await answered.carried()
    assert (answered.states, answered.network.calls) == (["failed"], ["reply", "reply"])


async def test_two_carriers_send_one(answered: Answered) -> None:
    number = answered.library.arrives()
    await answered.send(await answered.form(number), WORDS)
    async with answered.running(), answered.running():
        await until(lambda: not answered.on_the_way())
    assert answered.texts == [WORDS]


async def test_the_visibility_and_the_language_are_kept(answered: Answered) -> None:
    library = answered.library
    number = library.arrives(visibility=Visibility.PRIVATE, language="es")
    with pytest.raises(Refused, match="kept private"):
        library.desk.look(replying.draft, number, library.person("ben"))
    form = await answered.form(number, "sam")
    assert "Only the patron sees it." in field_of(form, "text").hint
    await answered.send(form, WORDS, "sam")
    await answered.carried()
    assert answered.network.replies[0].to.visibility is Visibility.PRIVATE
    assert answered.network.replies[0].to.language == "es"


# --- who may, what fits -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "owner", "may"),
    [
        ("ana", None, True), ("ben", None, True), ("desk", None, True), ("ana", "ana", True),
        ("ben", "ana", False), ("desk", "ana", False), ("mia", "ana", True), ("dora", "ana", True),
    ],
)  # fmt: skip
def test_who_may(answered: Answered, who: str, owner: str | None, may: bool) -> None:
    library = answered.library
    number = library.arrives()
    if owner:
        library.claim(number, owner)
    person = library.person(who)
    if may:
        assert isinstance(library.desk.act(replying.write, number, person, WORDS), Done)
        assert library.mention(number).owner == (owner or who)
        return
    with pytest.raises(Refused, match="Ana Silva has 1"):
        library.desk.act(replying.write, number, person, WORDS)
    assert library.rows(replies) == []


@pytest.mark.parametrize("where", ["off", "elsewhere", "closed", "unknown"])
def test_where_it_cannot_be_answered_from_here(answered: Answered, where: str) -> None:
    library = answered.library
    number = library.arrives(source="blog" if where == "elsewhere" else "social")
    ana = library.person("ana")
    if where == "off":
        library.reconfigure(replies=ReplySettings())
    if where == "closed":
        library.desk.act(closing.close, number, ana, outcome=Outcome.SPAM)
    said = {
        "off": "switched off", "elsewhere": "cannot be answered from here", "closed": "is closed",
        "unknown": "There is no mention 7",
    }  # fmt: skip
    for use_case in (replying.draft, lambda tx, n, who: replying.write(tx, n, who, WORDS)):
        with pytest.raises(Refused, match=said[where]):
            library.desk.act(use_case, 7 if where == "unknown" else number, ana)
    assert library.rows(replies) == []


def test_the_button_stands_where_it_can_be_pressed_and_a_link_elsewhere(answered: Answered) -> None:
    library = answered.library
    here, there = library.arrives(), library.arrives(source="blog")
    for number in (here, there):
        library.claim(number)
    assert "reply" in _controls(library, here)
    assert "Answer there" in _controls(library, there)
    assert "reply" not in _controls(library, there)
    library.reconfigure(replies=ReplySettings())
    assert not {"reply", "Answer there"} & {*_controls(library, here), *_controls(library, there)}


def _card(library: Library, number: int) -> Message:
    facts = library.desk.look(card_facts, number)
    assert facts is not None
    shown = card(facts)
    assert len([c for c in shown.controls if not getattr(c, "more", False)]) <= 4
    return shown


def _controls(library: Library, number: int) -> set[str]:
    return {
        control.label if isinstance(control, OpenLink) else control.name
        for control in _card(library, number).controls
    }


def _said_on_card(library: Library, number: int) -> str:
    return _card(library, number).plain()


async def test_too_long_comes_back_with_the_words(answered: Answered) -> None:
    library = answered.library
    limit = ReplyLimit(
        most=24, unit="letters", opening=lambda patron: f"{patron.handle} ", beside=len
    )
    library.reconfigure(
        sources=tuple(replace(source, limit=limit) for source in library.settings.sources)
    )
    number = library.arrives(patron=Patron(name="Lena", handle="@lena"), title="rant")
    form = await answered.form(number)
    assert field_of(form, "text").hint == "14 letters at most."
    again = await answered.send(form, "x" * 15)
    assert isinstance(again, Form)
    assert field_of(again, "text").value == "x" * 15
    assert field_of(again, "text").hint.startswith("That is 1 letters too long")
    assert isinstance(await answered.send(again, "x" * 14), Message)
    await answered.carried()
    assert answered.texts == ["@lena " + "x" * 14]


async def test_a_service_is_put_in_and_looked_at_before_it_goes_out(answered: Answered) -> None:
    library = answered.library
    number = library.arrives(language="de-AT")
    form = await answered.form(number)
    again = await answered.send(form, "Gern!", saved="Home delivery")
    assert isinstance(again, Form)
    said = field_of(again, "text").value
    assert said == "Gern!\n\nWir bringen Bücher ins Haus: https://library.example/delivery"
    assert library.rows(replies) == []
    only = await answered.send(form, "", saved="Large print")
    assert isinstance(only, Form)
    assert field_of(only, "text").value == "We have 900 books in large print."
    assert isinstance(await answered.send(again, said), Message)
    await answered.carried()
    assert answered.texts == [said]


async def test_people_sign_with_their_name(answered: Answered) -> None:
    library = answered.library
    number = library.arrives()
    said = await answered.says("settings sign Ana from the desk")
    assert isinstance(said, Message)
    assert said.text == "Your answers to patrons are signed “Ana from the desk”."
    form = await answered.form(number)
    assert "signed “Ana from the desk”" in field_of(form, "text").hint
    await answered.send(form, WORDS)
    await answered.carried()
    assert answered.texts == [f"{WORDS}\n\nAna from the desk"]
    shown = await answered.says("settings")
    assert isinstance(shown, Message)
    assert "“Ana from the desk”" in shown.plain()
    assert isinstance(await answered.says("settings sign off"), Message)
    shared = library.person("desk")
    with pytest.raises(Refused, match="several people"):
        library.desk.act(preferences.sign, shared, "Desk")


async def test_a_press_alone_sends_nothing_whatever_value_it_has(answered: Answered) -> None:
    number = answered.library.arrives()
    for value in ("", "0", "Yes."):
        asked = await answered.dispatch.press(answered.actor("ana"), "reply", number, value)
        assert isinstance(asked, Form)
    assert answered.library.rows(replies) == []


async def test_typed_without_a_form(answered: Answered) -> None:
    library = answered.library
    number = library.arrives()
    said = await answered.says(f"reply {number} {WORDS}")
    assert isinstance(said, Message)
    twice = await answered.says(f"reply {number} {WORDS}")
    assert isinstance(twice, Message)
    assert twice.text == "Your answer to 1 is on its way already."
    other = await answered.says(f"reply {number} No.")
    assert isinstance(other, Form)
    await answered.carried()
    late = await answered.says(f"reply {number} {WORDS}")
    assert isinstance(late, Message)
    assert late.text == "Your answer to 1 went out already."
    assert answered.texts == [WORDS]
    assert isinstance(await answered.says(f"reply {number}"), Form)


async def test_what_went_out_cannot_be_undone(answered: Answered) -> None:
    library = answered.library
    number = library.arrives()
    await answered.send(await answered.form(number), WORDS)
    for _ in range(2):
        said = await answered.says("undo")
        assert isinstance(said, Message)
        assert "cannot be undone" in said.text or "did something" in said.text
        await answered.carried()
    assert library.mention(number).owner == "ana"
    assert library.mention(number).answered_at is not None


# --- privacy ------------------------------------------------------------------------------------


async def test_nothing_of_the_text_is_in_logs_events_or_posts(answered: Answered) -> None:
    library = answered.library
    secret = "Ihr Ausweis 4711 liegt bereit"
    answered.network.faults["reply"].extend([Fault.RAISES, Fault.CUT_AFTER])
    answered.network.faults["find"].extend([Fault.RAISES])
    with structlog.testing.capture_logs() as logs:
        number = library.arrives("Wo ist mein Ausweis?")
        await answered.send(await answered.form(number), secret)
        await answered.carried()
    assert answered.texts == [secret]
    kept = "".join(
        repr(row) for table in (events, posts, replies, mentions) for row in library.rows(table)
    )
    for word in ("4711", "Ausweis"):
        assert word not in repr(logs)
        assert word not in kept
    assert [row.text for row in library.rows(words) if row.role == "reply"] == [secret]
    key = library.rows(replies)[0].key
    assert re.fullmatch(r"[0-9a-f]{32}", key)


async def test_erased_words_are_not_sent(answered: Answered) -> None:
    library = answered.library
    number = library.arrives()
    await answered.send(await answered.form(number), WORDS)
    library.desk.act(
        lambda tx: tx.conn.execute(update(words).where(words.c.role == "reply").values(text=""))
    )
    await answered.carried()
    assert (answered.states, answered.texts) == (["withdrawn"], [])


def test_the_same_form_twice_is_one_answer(answered: Answered) -> None:
    library = answered.library
    number = library.arrives()
    ana = library.person("ana")
    assert isinstance(library.desk.act(replying.write, number, ana, WORDS, "0"), Done)
    assert isinstance(library.desk.act(replying.write, number, ana, WORDS, "0"), Unchanged)
    assert isinstance(library.desk.act(replying.write, number, ana, "Else.", "0"), NotYet)
    assert len(library.rows(replies)) == 1
    assert [b.name for b in _card(library, number).controls if isinstance(b, Button)]

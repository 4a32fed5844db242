"""The grammar of typed commands, the registry's own promises, and who may."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffbot.commands import (
    PRESSES,
    VERBS,
    Clear,
    May,
    Takes,
    beginning_with,
    find,
    going_on,
    outcome_of,
    parse,
    pressed,
    refusal,
    usage,
)
from staffbot.errors import Refused
from staffbot.model import Outcome, Person, Role
from staffbot.words import OUTCOMES


@pytest.mark.parametrize(
    ("typed", "verb", "said"),
    [
        ("", "mine", {}),
        ("  ", "mine", {}),
        ("42", "show", {"mention": "42"}),
        (" #42 ", "show", {"mention": "#42"}),
        ("https://social.example/@a/1", "show", {"mention": "https://social.example/@a/1"}),
        ("how are we doing?", "stats", {}),
        ("Help?", "help", {}),
        ("claim", "claim", {}),
        ("claim 42", "claim", {"mention": "42"}),
        ("CLAIM #42", "claim", {"mention": "#42"}),
        ("take 42", "claim", {"mention": "42"}),
        ("claim https://social.example/@a/1?x=2", "claim", {"mention": "https://social.example/@a/1?x=2"}),
        ("claim <https://social.example/1|post>", "claim",
         {"mention": "<https://social.example/1|post>"}),
        ("done 42", "done", {"mention": "42"}),
        ("done 42 at 14:30", "done", {"mention": "42", "at": "14:30"}),
        ("done at yesterday 14:30", "done", {"at": "yesterday 14:30"}),
        ("done 42 idea, #thanks at 9:00", "done",
         {"mention": "42", "topics": "idea,thanks", "at": "9:00"}),
        ("done idea", "done", {"topics": "idea"}),
        ("close 42 as passed on, complaint", "close",
         {"mention": "42", "outcome": "passed_on", "topics": "complaint"}),
        ("close 42 not_for_us", "close", {"mention": "42", "outcome": "not_for_us"}),
        ("close spam", "close", {"outcome": "spam"}),
        ("close 42 no answer needed thanks", "close",
         {"mention": "42", "outcome": "no_answer_needed", "topics": "thanks"}),
        ("hand over", "hand over", {}),
        ("hand over to Ben Okafor", "hand over", {"person": "Ben Okafor"}),
        ("handover ben", "hand over", {"person": "ben"}),
        ("assign 42 to Ben Okafor", "assign", {"mention": "42", "person": "Ben Okafor"}),
        ("assign ben", "assign", {"person": "ben"}),
        ("move 42 to children", "move", {"mention": "42", "team": "children"}),
        ("note 42 two  spaces\nand a line", "note", {"mention": "42", "text": "two  spaces\nand a line"}),
        ("link 42 to #43", "link", {"mention": "42", "other": "#43"}),
        ("link 42 and 43", "link", {"mention": "42", "other": "43"}),
        ("just thanks 42", "thanks", {"mention": "42"}),
        ("keep private 42", "private", {"mention": "42"}),
        ("why here 42", "why", {"mention": "42"}),
        ("help hand over", "help", {"verb": "hand over"}),
        ("snooze 42 until tomorrow", "snooze", {"mention": "42", "until": "tomorrow"}),
        ("snooze 2h", "snooze", {"until": "2h"}),
        ("snooze 16:30", "snooze", {"until": "16:30"}),
        ("note 42: she is back", "note", {"mention": "42", "text": "she is back"}),
        ("away until mon 9am", "away", {"until": "mon 9am"}),
        ('hours close today "burst pipe"', "hours", {"change": 'close today "burst pipe"'}),
        ("queue children", "queue", {"team": "children"}),
        ("#42", "show", {"mention": "#42"}),
        ("assign 42 to", "assign", {"mention": "42"}),
        ("snooze 42 until", "snooze", {"mention": "42"}),
        ("log a caller asks for large print", "log", {"text": "a caller asks for large print"}),
    ],
)  # fmt: skip
def test_a_line_is_read_as_a_person_means_it(typed: str, verb: str, said: dict[str, str]) -> None:
    call = parse(typed)
    assert (call.verb.name, dict(call.said)) == (verb, said)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("clam 42", "Did you mean `/lib claim 42`?"),
        ("relese", "Did you mean `/lib release`?"),
        ("how many came in", "“how”. `/lib help` shows them all."),
        ("42 done", "“42”. `/lib help` shows them all."),
        ("xyzzy", "`/lib help` shows them all"),
        (
            "claim 42 please",
            "After 42 nothing more is understood: “please”. One mention at a time. "
            "Type `/lib claim [42]`, for example `/lib claim 42`.",
        ),
        (
            "claim two",
            "“two” is no number of a mention, and no address of one. Type `/lib claim [42]`",
        ),
        ("link 42 to xyz", "“xyz” is no number of a mention"),
        (
            "back now",
            "“back” takes nothing after it, so “now” was not understood. Type `/lib back`.",
        ),
    ],
)
def test_what_cannot_be_read_is_answered_with_what_helps(typed: str, hint: str) -> None:
    with pytest.raises(Refused, match=re.escape(hint)):
        parse(typed)


def test_another_root_is_named_in_what_helps() -> None:
    with pytest.raises(Refused, match=r"`/library claim`"):
        parse("clam", root="library")


def test_in_a_thread_a_bare_number_is_part_of_a_note() -> None:
    assert dict(parse("note 3 copies came", in_thread=True).said) == {"text": "3 copies came"}
    assert dict(parse("note #3 copies came", in_thread=True).said) == {
        "mention": "#3",
        "text": "copies came",
    }
    assert dict(parse("claim 3", in_thread=True).said) == {"mention": "3"}


def test_a_missing_argument_is_named_so_that_its_form_can_be_asked() -> None:
    for typed, slot, form in (
        ("close 42", "outcome", "close"),
        ("close 42 sometime", "outcome", "close"),
        ("assign 42", "person", "assign"),
        ("move", "team", "move"),
        ("note 42", "text", "note"),
        ("log", "text", "log"),
        ("link 42", "other", "link"),
    ):
        call = parse(typed)
        missing = call.missing()
        assert missing is not None
        assert (missing.name, call.verb.form) == (slot, form)
    assert parse("done").missing() is None


def test_every_verb_keeps_the_registrys_promises() -> None:
    words = [word for verb in VERBS for word in verb.words]
    assert len(words) == len(set(words)), "a word names one verb only"
    for verb in VERBS:
        assert verb.does[0].isupper()
        assert not verb.does.endswith(".")
        assert find(verb.name) is verb
        assert find(verb.name.upper()) is verb
        assert verb.form or all(not slot.required for slot in verb.slots)
        assert usage(verb, "lib").startswith(f"Type `/lib {verb.name}")
        if verb.example:
            call = parse(verb.example)
            assert call.verb is verb
            assert call.missing() is None
        if verb.may is not May.STAFF:  # the rule is about one mention
            assert verb.slot(Takes.MENTION) is not None


def test_controls_are_verbs_or_presses() -> None:
    for verb in VERBS:
        assert pressed(verb.name.replace(" ", "_")).verb is verb
    for name, press in PRESSES.items():
        assert pressed(name).verb is find(press.verb)
    assert dict(pressed("not_for_us").said) == {"outcome": "not_for_us"}
    assert pressed("answered").form == "answered"
    assert dict(pressed("undo", "17").said) == {"value": "17"}
    assert dict(pressed("assign", "ben").said) == {"person": "ben"}
    assert dict(pressed("close_all", "7").said) == {"storm": "7"}
    with pytest.raises(Refused, match="another version"):
        pressed("no_such_control")


def test_outcomes_are_known_by_value_and_by_label() -> None:
    for outcome, label in OUTCOMES.items():
        assert outcome_of(outcome.value) is outcome
        assert outcome_of(label.upper()) is outcome
    assert outcome_of("no answer") is Outcome.NO_ANSWER_NEEDED
    assert outcome_of("whatever") is None


ANA = Person(key="ana", name="Ana")
BEN = Person(key="ben", name="Ben")
SAM = Person(key="sam", name="Sam", sensitive=True)
MIA = Person(key="mia", name="Mia", role=Role.MANAGER)
DORA = Person(key="dora", name="Dora", role=Role.DEPUTY)
DESK = Person(key="desk", name="Front desk", shared=True, sensitive=True)


@pytest.mark.parametrize(
    ("may", "person", "owner", "allowed"),
    [
        (May.STAFF, BEN, "ana", True),
        (May.OWNER, ANA, "ana", True),
        (May.OWNER, BEN, "ana", False),
        (May.OWNER, BEN, None, True),
        (May.OWNER, MIA, "ana", True),
        (May.OWNER, DORA, "ana", True),
        (May.OWNER, SAM, "ana", False),
        (May.TRUSTED, ANA, "ana", True),
        (May.TRUSTED, BEN, "ana", False),
        (May.TRUSTED, BEN, None, False),
        (May.TRUSTED, SAM, "ana", True),
        (May.TRUSTED, MIA, None, True),
        (May.TRUSTED, DESK, None, False),
    ],
)
def test_who_may(may: May, person: Person, owner: str | None, allowed: bool) -> None:
    why = refusal(may, person, 42, owner, "Ana" if owner else "")
    assert (why is None) is allowed
    if why is not None:
        assert "42" in why
        assert "manager" in why, "a refusal says who can"
        assert why.endswith(".")


def test_what_is_for_those_who_lead_names_them() -> None:
    assert refusal(May.LEAD, MIA, 0, None) is None
    assert refusal(May.LEAD, DORA, 0, None) is None
    why = refusal(May.LEAD, BEN, 0, None, "Dora or Mia")
    assert why == "That is for deputies and managers: Dora or Mia."
    shared = Person(key="desk", name="Front desk", shared=True, role=Role.MANAGER)
    assert refusal(May.LEAD, shared, 0, None), "nobody knows who sits there"


@pytest.mark.parametrize(
    ("text", "verb", "before", "typed", "slots"),
    [
        ("", None, "", "", []),
        ("cl", None, "", "cl", []),
        ("hand ov", None, "", "hand ov", []),
        ("claim", None, "", "claim", []),
        ("claim ", "claim", "claim ", "", ["mention"]),
        ("claim 4", "claim", "claim ", "4", ["mention"]),
        ("assign 4 ", "assign", "assign 4 ", "", ["person"]),
        ("assign 4 to be", "assign", "assign 4 to ", "be", ["person"]),
        ("assign be", "assign", "assign ", "be", ["mention", "person"]),
        ("close 4 spam ", "close", "close 4 spam ", "", ["topics", "at"]),
        ("help ", "help", "help ", "", ["verb"]),
    ],
)
def test_how_far_a_line_has_come(
    text: str, verb: str | None, before: str, typed: str, slots: list[str]
) -> None:
    going = going_on(text)
    assert (going.verb.name if going.verb else None) == verb
    assert (going.before, going.typed) == (before, typed)
    assert [slot.name for slot in going.slots] == slots


def test_verbs_are_completed_by_name_first_and_by_alias_else() -> None:
    assert [verb.name for verb in beginning_with("cl")] == ["claim", "close"]
    assert [verb.name for verb in beginning_with("uncl")] == ["release"]


@given(st.text(max_size=80))
def test_no_line_breaks_the_grammar(text: str) -> None:
    going_on(text)
    with suppress(Refused):
        assert all(parse(text).said.values())


ABOUT_ONE = [verb.name for verb in VERBS if verb.clear is not Clear.NONE]


@given(st.sampled_from(ABOUT_ONE), st.integers(1, 10**9))
def test_a_number_is_always_found(verb: str, number: int) -> None:
    assert parse(f"{verb} #{number}").said["mention"] == f"#{number}"

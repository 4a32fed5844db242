"""Private answers and forms as golden views."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from staffbot import answers, forms, queues
from staffbot.commands import VERBS
from staffbot.commands import find as find_verb
from staffbot.messages import Button, Quote, Who
from staffbot.model import AlreadyClaimed, Done, Gone, Kind, Mention, Unchanged
from tests.golden import golden
from tests.library import TUESDAY
from tests.staffbot.test_cards import ANA, CASES, CLAIMED, WORDS, ZONE, facts, mention


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a queue."""

    mention: Mention
    network: str = "Mastodon"
    owner: Who | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list of them."""

    rows: tuple[Line, ...] = ()
    total: int = 0


NOW = TUESDAY + timedelta(hours=3)
CLAIMED_LINE = Line(
    mention=mention(number=7, **{key: CLAIMED[key] for key in ("status", "claimed_at")}), owner=ANA
)
UNCLAIMED = Listed(
    rows=(
        Line(mention=mention(number=42)),
        Line(mention=mention(number=43, private=True), network="E-mail"),
    ),
    total=14,
)
HEARD = Listed(
    rows=(
        Line(
            mention=mention(
                number=44, kind=Kind.HASHTAG, expects_answer=False, claim_due_at=None,
                answer_due_at=None,
            ),
        ),
    ),
    total=1,
)  # fmt: skip


def test_a_queue_is_read_at_a_glance() -> None:
    shown = queues.queue(
        unclaimed=UNCLAIMED, claimed=Listed(rows=(CLAIMED_LINE,), total=1), heard=HEARD,
        zone=ZONE, team="Children", now=NOW,
    )  # fmt: skip
    golden("answers/queue", shown)
    empty = queues.queue(
        unclaimed=Listed(), claimed=Listed(), heard=Listed(), zone=ZONE, team="", now=NOW
    )
    assert empty.text == "Nothing waits. Well done."


def test_ones_own_queue() -> None:
    golden("answers/mine", queues.mine(Listed(rows=(CLAIMED_LINE,), total=1), zone=ZONE, now=NOW))
    golden("answers/mine_empty", queues.mine(Listed(), zone=ZONE, now=NOW))


def test_help_names_every_verb() -> None:
    shown = answers.help_all("lib")
    for verb in VERBS:
        assert f"/lib {verb.usage}" in shown.plain()
    done = find_verb("release")
    assert done is not None
    golden("answers/help_release", answers.help_one(done, "library"))


def test_show_has_the_notes_and_the_history() -> None:
    golden("answers/show", answers.show(CASES["claimed"], ()))
    withheld = answers.show(facts(replace(WORDS), private=True, show_words=False), ())
    assert not [part for part in withheld.parts if isinstance(part, Quote)]


def test_answers_of_use_cases() -> None:
    done = answers.of(Done(mention=42, said="You have 42.", event=17))
    assert done.controls == (Button(name="undo", label="Undo", value="17"),)
    assert answers.of(Done(mention=42, said="Undone.")).controls == ()
    assert answers.of(Unchanged(mention=42, said="You have 42 already.")).text.endswith("already.")
    assert answers.of(Gone(mention=42, said="42 is closed.")).text == "42 is closed."
    lost = AlreadyClaimed(mention=42, by="Ana Silva", since=TUESDAY)
    golden("answers/taken", answers.taken(lost, now=NOW, zone=ZONE))
    assert "a1b2c3" in answers.sorry("a1b2c3").text


def test_forms_ask_for_the_slots_of_their_verbs() -> None:
    topics = ("idea", "thanks")
    people = (("ana", "Ana Silva"), ("ben", "Ben Okafor"))
    for form in (
        forms.close(42, topics), forms.answered(42, topics), forms.assign(42, people),
        forms.move(42, (("kids", "Children"),)), forms.note(42), forms.link(42),
        forms.snooze(42), forms.away(), forms.hand_over(42, people), forms.hand_over(None, people),
        forms.log(), forms.close_all("7", 12),
    ):  # fmt: skip
        golden(
            f"forms/{form.name}{'' if form.mention or form.name != 'hand_over' else '_all'}", form
        )
        verb = find_verb({"answered": "done"}.get(form.name, form.name.replace("_", " ")))
        assert verb is not None
        asked = {field.name for field in form.fields}
        needed = {slot.name for slot in verb.slots if slot.required and slot.name != "mention"}
        assert needed <= asked

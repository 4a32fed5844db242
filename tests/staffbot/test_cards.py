"""Cards as golden views, and what must hold for every card whatever its facts are."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffbot.answering import Standing, State
from staffbot.cards import CardFacts, StormFacts, card, moved_card, storm_card
from staffbot.messages import Button, Byline, Facts, Message, Picture, Quote, Who
from staffbot.model import Kind, Media, Mention, Outcome, Patron, Status, Words
from tests.golden import as_json, golden
from tests.library import TUESDAY

ZONE = ZoneInfo("Europe/Berlin")
ANA = Who(key="ana", name="Ana Silva")
WORDS = Words(
    text="¿Abren el domingo? *gracias* <!channel>",
    patron=Patron(name="Lena @everyone", handle="@lena", url="https://social.example/@lena"),
    permalink="https://social.example/@lena/1",
    in_reply_to="We are open all week!",
    media=(Media(url="https://social.example/1.jpg", alt="A closed door"),),
    follow_ups=tuple((TUESDAY + timedelta(minutes=n), f"And {n}?") for n in (1, 2, 3, 4)),
    notes=((TUESDAY, "Ben Okafor", "She means the park branch"),),
)


def mention(**changed: Any) -> Mention:
    """An open mention that expects an answer; `changed` replaces fields."""
    plain: dict[str, Any] = {
        "number": 42, "team": "adult", "source": "social", "kind": Kind.REVIEW,
        "expects_answer": True, "private": False, "status": Status.OPEN, "outcome": None,
        "topics": (), "owner": None, "last_owner": None, "language": "es", "cycle": 1,
        "revision": 1, "posted_at": TUESDAY, "received_at": TUESDAY, "clock_from": TUESDAY,
        "claim_due_at": TUESDAY + timedelta(hours=2),
        "answer_due_at": TUESDAY + timedelta(hours=4), "touched_at": TUESDAY,
    }  # fmt: skip
    known = dict.fromkeys(Mention.__dataclass_fields__)
    return Mention(**{**known, "waited_seconds": 0, **plain, **changed})


def facts(words: Words | None = WORDS, **changed: Any) -> CardFacts:
    """The facts of a card; those that are not a card's own are the mention's."""
    own = {key: changed.pop(key) for key in list(changed) if key in CardFacts.__dataclass_fields__}
    plain: dict[str, Any] = {"network": "Mastodon", "team": "", "zone": ZONE}
    return CardFacts(mention=mention(**changed), words=words, **{**plain, **own})


CLAIMED: dict[str, Any] = {
    "status": Status.CLAIMED, "owner": ANA, "claimed_at": TUESDAY + timedelta(minutes=5),
}  # fmt: skip
CLOSED: dict[str, Any] = {
    "status": Status.CLOSED, "owner": ANA, "outcome": Outcome.ANSWERED, "topics": ("idea", "event"),
    "answered_at": TUESDAY + timedelta(minutes=20), "closed_at": TUESDAY + timedelta(minutes=30),
}  # fmt: skip

CASES = {
    "open": facts(),
    "open_of_one_of_several_teams": facts(team="Children", several_teams=True, linked=(40, 43)),
    "claimed": facts(**CLAIMED),
    "closed": facts(**CLOSED),
    "closed_without_answer": facts(**{**CLOSED, "outcome": Outcome.SPAM, "answered_at": None}),
    "heard": facts(
        kind=Kind.HASHTAG, expects_answer=False, claim_due_at=None, answer_due_at=None, language=""
    ),
    "heard_at_length": facts(
        Words(text="We walked to the library.\nIt was shut!\n" * 20, patron=WORDS.patron),
        kind=Kind.SEARCH,
        expects_answer=False,
        claim_due_at=None,
        answer_due_at=None,
        linked=(40,),
    ),
    "heard_and_claimed": facts(
        **{**CLAIMED, "expects_answer": False, "claim_due_at": None, "answer_due_at": None}
    ),
    "answer_of_which_nobody_can_tell": facts(
        **CLAIMED,
        can_reply=True,
        reply=Standing(
            state=State.UNKNOWN,
            by="Ana Silva",
            why="mail.example did not say whether it took the mail",
        ),
    ),
    "private_in_an_open_channel": facts(private=True, show_words=False),
    "private_claimed_in_an_open_channel": facts(private=True, show_words=False, **CLAIMED),
    "private_in_a_private_room": facts(private=True, show_words=True),
    "edited_and_held": facts(
        replace(WORDS, held=True), edited_at=TUESDAY + timedelta(minutes=9), language="xx-YY"
    ),
    "withdrawn": facts(
        Words(text="", patron=WORDS.patron), deleted_at=TUESDAY + timedelta(minutes=9)
    ),
    "erased": facts(None),
    "waiting_for_the_patron": facts(waiting_since=TUESDAY + timedelta(hours=1), **CLAIMED),
    "snoozed": facts(snoozed_until=TUESDAY + timedelta(hours=1), **CLAIMED),
}


@pytest.mark.parametrize("name", CASES)
def test_a_card_looks_as_it_was_read(name: str) -> None:
    golden(f"cards/{name}", card(CASES[name]))


def test_a_picture_alone_has_no_empty_quote() -> None:
    shown = card(facts(replace(WORDS, text="", title="", in_reply_to="", follow_ups=())))
    assert not any(isinstance(part, Quote) for part in shown.parts)
    assert "It came without words." in shown.plain()


def test_a_moved_card_says_where_to() -> None:
    golden("cards/moved", moved_card(facts(team="Children")))


STORM = StormFacts(
    storm=7, team="", zone=ZONE, began_at=TUESDAY, last_at=TUESDAY + timedelta(minutes=12),
    calmed_at=None, total=17, unclaimed=12, claimed=3, networks=(("Mastodon", 15), ("Blog", 2)),
)  # fmt: skip


def test_a_storm_is_one_card() -> None:
    golden("cards/storm", storm_card(STORM))
    golden("cards/storm_about", storm_card(replace(STORM, subject="An evening with the author")))
    calmed = TUESDAY + timedelta(hours=1)
    golden(
        "cards/storm_over",
        storm_card(replace(STORM, unclaimed=0, claimed=0, calmed_at=calmed)),
    )


def patrons_words(message: Message) -> list[str]:
    """All text of a message outside the parts that are a patron's own."""
    ours = replace(
        message,
        parts=tuple(p for p in message.parts if not isinstance(p, Quote | Byline | Picture)),
    )
    return [str(as_json(ours))]


@pytest.mark.parametrize("name", CASES)
def test_a_patrons_words_stand_in_their_own_parts_only(name: str) -> None:
    shown = card(CASES[name])
    for text in (*patrons_words(shown), shown.text, shown.plain()):
        for word in (
            "gracias",
            "Lena",
            "everyone",
            "!channel",
            "And 1",
            "closed door",
            "@lena/1.jpg",
        ):
            assert word not in text


@pytest.mark.parametrize(
    "name", ["private_in_an_open_channel", "private_claimed_in_an_open_channel"]
)
def test_what_is_kept_private_shows_nothing_of_the_patron(name: str) -> None:
    shown = card(CASES[name])
    everything = str(as_json(shown))
    for word in (
        "gracias",
        "Lena",
        "social.example",
        "closed door",
        "And 4",
        "open all week",
        "park",
    ):
        assert word not in everything
    assert "read" in [c.name for c in shown.controls if isinstance(c, Button)]


@pytest.mark.parametrize("name", CASES)
def test_a_card_has_at_most_five_controls_in_sight(name: str) -> None:
    shown = card(CASES[name])
    sight = [c for c in shown.controls if not (isinstance(c, Button) and c.more)]
    more = [c for c in shown.controls if isinstance(c, Button) and c.more]
    assert len(sight) + bool(more) <= 5
    names = [c.name for c in shown.controls if isinstance(c, Button)]
    assert len(names) == len(set(names))
    # As every door takes them; what is named otherwise is not shown on Discord.
    assert all(re.fullmatch("[a-z_]+", name) for name in names)
    assert all(c.mention == 42 for c in shown.controls if isinstance(c, Button))
    assert shown.text.endswith(".")
    assert shown.text.startswith("Mention 42")
    assert shown.mention == 42


@given(
    # Whether there are words at all is said.
    text=st.text(min_size=1, max_size=200), name=st.text(max_size=40), title=st.text(max_size=40),
    url=st.text(max_size=40),
)  # fmt: skip
def test_no_text_of_a_patron_changes_what_is_ours(
    text: str, name: str, title: str, url: str
) -> None:
    wild = Words(text=text, patron=Patron(name=name), title=title, permalink=url)
    tame = Words(text="x", patron=Patron(name="x"), title="", permalink="")
    shown, plain = card(facts(wild)), card(facts(tame))
    assert shown.text == plain.text
    assert shown.plain() == plain.plain()


def test_what_is_only_heard_is_compact_until_somebody_has_it() -> None:
    heard, claimed = card(CASES["heard"]), card(CASES["heard_and_claimed"])
    assert (heard.compact, claimed.compact) == (True, False)
    assert not any(isinstance(part, Facts) for part in heard.parts)
    assert any(isinstance(part, Facts) for part in claimed.parts)
    in_sight = [control.label for control in heard.controls if not getattr(control, "more", False)]
    assert in_sight == ["Claim", "Open post"]
    in_menu = {control.name for control in heard.controls if isinstance(control, Button)}
    assert {"close", "expects", "private", "show"} <= in_menu


@pytest.mark.parametrize(
    "changed",
    [
        {"expects_answer": True},
        {"snoozed_until": TUESDAY + timedelta(hours=2)},
        {"waiting_since": TUESDAY},
    ],
)
def test_what_more_is_to_be_said_of_is_shown_in_full(changed: dict[str, Any]) -> None:
    assert not card(facts(**{"expects_answer": False, **changed})).compact


def test_a_compact_card_shows_no_words_that_are_kept_private() -> None:
    hidden = card(facts(private=True, show_words=False, expects_answer=False))
    assert hidden.compact
    assert not any(isinstance(part, Quote | Byline) for part in hidden.parts)
    assert [c.name for c in hidden.controls if isinstance(c, Button)][:2] == ["claim", "read"]

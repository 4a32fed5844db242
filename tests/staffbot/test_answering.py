"""The pure decisions about an answer from chat, as tables; and that no way leads to a second one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffbot.answering import (
    ON_THE_WAY,
    Met,
    Seen,
    Standing,
    State,
    follows,
    room_left,
    too_long,
    wait,
    whole,
)
from staffbot.model import Patron
from staffbot.network import ReplyLimit

LENA = Patron(name="Lena P.", handle="@lena@social.example")
PLAIN = ReplyLimit(most=20)
OPENED = ReplyLimit(most=40, opening=lambda patron: f"{patron.handle} ")


@pytest.mark.parametrize(
    ("met", "late", "state"),
    [
        (Met.TAKEN, False, State.SENT),
        (Met.TAKEN, True, State.SENT),
        (Met.REFUSED, False, State.FAILED),
        (Met.REFUSED, True, State.FAILED),
        (Met.NOT_NOW, False, State.WAITING),
        (Met.NOT_NOW, True, State.FAILED),
        (Met.LOST, False, State.SENDING),
        (Met.LOST, True, State.SENDING),
        (Met.ABSENT, False, State.WAITING),
        (Met.ABSENT, True, State.FAILED),
        (Met.NOT_SEEN, False, State.SENDING),
        (Met.NOT_SEEN, True, State.UNKNOWN),
        (Met.BLIND, False, State.UNKNOWN),
        (Met.BLIND, True, State.UNKNOWN),
        (Met.OVERTAKEN, False, State.WITHDRAWN),
        (Met.OVERTAKEN, True, State.WITHDRAWN),
    ],
)
def test_what_follows_what_was_met(met: Met, late: bool, state: State) -> None:
    assert follows(met, late=late) is state


def test_the_table_holds_every_pair() -> None:
    assert {(met, late) for met in Met for late in (False, True)} == {
        (met, late) for met in Met for late in (False, True) if follows(met, late=late)
    }


@given(st.lists(st.tuples(st.sampled_from(Met), st.booleans()), max_size=12))
def test_an_answer_that_may_have_arrived_is_never_sent_before_it_was_looked_up(
    steps: list[tuple[Met, bool]],
) -> None:
    """However tries and look-ups end: WAITING again means that nothing stands on the network."""
    state, may_stand = State.WAITING, False
    for met, late in steps:
        in_doubt = state is State.SENDING
        possible = {Met.TAKEN, Met.ABSENT, Met.NOT_SEEN, Met.BLIND} if in_doubt else {
            Met.TAKEN, Met.REFUSED, Met.NOT_NOW, Met.LOST, Met.OVERTAKEN
        }  # fmt: skip
        if state not in ON_THE_WAY or met not in possible:
            continue
        if met in (Met.TAKEN, Met.LOST):
            may_stand = True
        if met is Met.ABSENT:
            may_stand = False
        state = follows(met, late=late)
        if state in (State.WAITING, State.FAILED, State.WITHDRAWN):
            assert not may_stand


@pytest.mark.parametrize(
    ("tries", "asked", "seconds"),
    [
        (1, None, 0.5),
        (2, None, 1),
        (8, None, 64),
        (10, None, 256),
        (11, None, 300),
        (400, None, 300),
        (3, 7.5, 7.5),
        (3, -1, 0),
    ],
)
def test_how_long_it_rests(tries: int, asked: float | None, seconds: float) -> None:
    assert wait(tries, asked) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("limit", "text", "signature", "goes_out"),
    [
        (PLAIN, "  Yes.\r\nAt ten. \n", "", "Yes.\nAt ten."),
        (PLAIN, "Yes.", "Ana", "Yes.\n\nAna"),
        (OPENED, "Yes.", "", "@lena@social.example Yes."),
        (OPENED, "@lena@social.example Yes.", "", "@lena@social.example Yes."),
        (OPENED, "@lena@social.example2 Yes", "", "@lena@social.example @lena@social.example2 Yes"),
        (OPENED, "", "", "@lena@social.example "),
        (OPENED, "Yes.", "Ana", "@lena@social.example Yes.\n\nAna"),
    ],
)
def test_the_whole_text(limit: ReplyLimit, text: str, signature: str, goes_out: str) -> None:
    assert whole(text, LENA, limit, signature) == goes_out


def graphemes(text: str) -> int:
    """As some networks count: joined emoji and combining marks are one with what they join."""
    return sum(1 for char in text if char not in "\u0301\u200d\ufe0f") - text.count("\u200d")


@pytest.mark.parametrize("unit", ["x", "é", "\U0001f469\u200d\U0001f4bb", "❤\ufe0f", "e\u0301"])
@pytest.mark.parametrize("signature", ["", "Ana"])
def test_limits_at_one_less_the_limit_and_one_more(unit: str, signature: str) -> None:
    limit = ReplyLimit(most=30, unit="graphemes", measure=graphemes, opening=OPENED.opening)
    left = room_left(limit, LENA, signature)
    for length in (left - 1, left):
        assert not too_long(whole(unit * length, LENA, limit, signature), limit)
    said = too_long(whole(unit * (left + 1), LENA, limit, signature), limit)
    assert said == "That is 1 graphemes too long: 30 at most, with everything."


def test_what_goes_along_counts_too() -> None:
    limit = ReplyLimit(most=30, beside=len)
    assert room_left(limit, LENA, "", "rant") == 26
    assert not too_long("x" * 26, limit, "rant")
    assert too_long("x" * 27, limit, "rant").startswith("That is 1 characters too long: 30")


def test_what_was_seen_is_one_word() -> None:
    seen = {str(Seen(answers=n, answered=a)) for n in (0, 1, 11) for a in (False, True)}
    assert seen == {"0", "0a", "1", "1a", "11", "11a"}


def test_every_state_but_sent_says_where_the_answer_is() -> None:
    for state in State:
        for why in ("", "the network is away"):
            said = Standing(state=state, by="Ana", why=why).said
            assert bool(said) is (state is not State.SENT)
            assert not said or (said.startswith(("Ana's", "Nobody")) and said.endswith("."))

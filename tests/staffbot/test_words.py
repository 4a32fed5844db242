"""How the house says things."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffbot.model import Kind, Outcome, Role, Status
from staffbot.words import (
    KINDS,
    OUTCOMES,
    ROLES,
    STATES,
    a,
    count,
    duration,
    kind_on,
    language,
    listed,
    moment,
    sentence,
    web,
)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=59), "under a minute"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=80), "1 h 20 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=3, hours=2, minutes=9), "3 days 2 h"),
        (-timedelta(minutes=5), "5 min"),
    ],
)
def test_durations(span: timedelta, said: str) -> None:
    assert duration(span) == said


def test_counts_lists_and_articles() -> None:
    assert count(1, "mention") == "1 mention"
    assert count(0, "mention") == "0 mentions"
    assert count(1204, "reply", "replies") == "1,204 replies"
    assert [listed(["1", "2", "3"][:n]) for n in range(4)] == ["", "1", "1 and 2", "1, 2 and 3"]
    assert listed(["1", "2"], joined="or") == "1 or 2"
    assert (a("review"), a("entry")) == ("a review", "an entry")
    assert sentence(" that is so") == "That is so."
    assert sentence("Is it?") == "Is it?"


def test_every_value_has_its_word() -> None:
    assert set(KINDS) == set(Kind)
    assert set(OUTCOMES) == set(Outcome)
    assert set(STATES) == set(Status)
    assert set(ROLES) == set(Role)


def test_a_moment_is_said_in_the_zone_that_is_given() -> None:
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert moment(at, ZoneInfo("Europe/Berlin")) == "Thu 2 Jul 00:30"
    assert moment(at, ZoneInfo("America/New_York")) == "Wed 1 Jul 18:30"


def test_kinds_on_networks() -> None:
    assert kind_on(Kind.REVIEW, "Mastodon") == "review on Mastodon"
    assert kind_on(Kind.MESSAGE, "E-mail") == "message by e-mail"
    assert kind_on(Kind.MESSAGE, "Logged by hand") == "message logged by hand"


@pytest.mark.parametrize(
    ("code", "said"),
    [("es", "Spanish"), ("pt-BR", "Portuguese"), ("EN_gb", "English"), ("<x>", ""), ("xx", "xx")],
)
def test_languages(code: str, said: str) -> None:
    assert language(code) == said


@given(st.text(max_size=60))
def test_an_address_can_break_out_of_no_link(path: str) -> None:
    shown = web(f"https://social.example/{path}")
    assert shown.isascii()
    assert not set(shown) & set('<>|"\\`{} \n\t')
    assert web(f"javascript:{path}") == ""

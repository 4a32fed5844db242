"""What `staffbot init` writes: a file that is accepted, whatever was answered."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as how
from hypothesis import strategies as st

from staffbot import plugins
from staffbot.config import load
from staffbot.model import Kind
from staffbot.settings import Settings
from staffbot.starter import (
    WEBHOOK_SECRET,
    config_text,
    defaulted,
    next_question,
    variables,
    wrong_answers,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def accepted(folder: Path, answers: dict[str, str]) -> Settings:
    path = folder / "config.toml"
    path.write_text(config_text(answers), encoding="utf-8")
    environ = dict.fromkeys(variables(answers), SECRET)
    return load(path, environ, plugins.networks(), plugins.doors())


def test_no_answer_at_all_is_accepted(tmp_path: Path) -> None:
    found = accepted(tmp_path, {})
    assert found.library == "Our Library"
    assert [door.platform for door in found.doors] == ["local"]
    assert found.sources == ()


def test_a_library_with_everything(tmp_path: Path) -> None:
    answers = {
        "library": 'The "Old" Bücherei',
        "zone": "Europe/Berlin",
        "hours": "Tu-Fr 10:00-19:00; Sa 10:00-14:00; PH off",
        "country": "de",
        "teams": "Adult services, Kinder & Jugend, Дети",
        "platform": "local",
        "feeds": "https://www.blog.example/feed https://blog.example/comments http://contact.form/",
        "webhook": "yes",
    }
    assert next_question(answers) is None
    assert wrong_answers(answers) == {}
    assert variables(answers) == (WEBHOOK_SECRET,)
    found = accepted(tmp_path, answers)
    assert found.library == 'The "Old" Bücherei'
    assert [(team.key, team.name) for team in found.teams] == [
        ("adult-services", "Adult services"),
        ("kinder-jugend", "Kinder & Jugend"),
        ("team-3", "Дети"),
    ]
    assert {team.hours.country for team in found.teams} == {"DE"}
    assert [(source.name, source.type) for source in found.sources] == [
        ("blog-example", "feed"),
        ("blog-example-2", "feed"),
        ("contact-form-2", "feed"),
        ("contact-form", "webhook"),
    ]
    assert found.sources[-1].kind is Kind.MESSAGE
    assert [source.kind for source in found.sources[:2]] == [None, Kind.COMMENT]
    assert [source.label for source in found.sources[:2]] == ["blog.example", "blog.example"]


def test_feeds_may_have_commas_between_and_within(tmp_path: Path) -> None:
    typed = "https://a.example/feed,https://b.example/tag,cats/feed, https://c.example/feed,"
    found = accepted(tmp_path, {"feeds": typed})
    assert [source.name for source in found.sources] == ["a-example", "b-example", "c-example"]


def test_it_is_asked_in_order_until_all_is_known() -> None:
    answers: dict[str, str] = {}
    while question := next_question(answers):
        assert question.asks
        assert not question.wrong(question.default)
        answers[question.name] = question.default
    assert list(answers) == [
        "library", "zone", "hours", "country", "teams", "platform", "feeds", "webhook",
    ]  # fmt: skip
    assert answers == defaulted({})


@pytest.mark.parametrize(
    ("typed", "meant"), [("y", "yes"), (" Yes", "yes"), ("NO", "no"), ("", ""), ("maybe", "maybe")]
)
def test_an_option_may_be_begun_only(typed: str, meant: str) -> None:
    known = defaulted({})
    del known["webhook"]
    question = next_question(known)
    assert question is not None
    assert question.meant(typed) == meant


def test_another_platform_asks_for_the_channel_of_each_team() -> None:
    one = defaulted({"platform": "slack"})
    assert "room" in one
    assert wrong_answers(one) == {"room": "is empty."}
    several = {"platform": "discord", "teams": "Adult, Children", "room-adult": "1"}
    assert [name for name in defaulted(several) if name.startswith("room")] == [
        "room-adult",
        "room-children",
    ]
    raw = tomllib.loads(config_text(several | {"room-children": "2"}))
    assert raw["discord"] == {}
    assert raw["teams"]["children"]["rooms"] == [{"platform": "discord", "id": "2"}]


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("library", "", "is empty"),
        ("zone", "Dublin", "Did you mean Europe/Dublin?"),
        ("hours", "9 to 5", "Mo-Fr 09:00"),
        ("country", "Atlantis", "no holiday calendar"),
        ("teams", "Adult, adult", "nearly the same name"),
        ("teams", "Adult, A\tB", "one line"),
        ("platform", "teams", "none of local, slack and discord"),
        ("feeds", "ftp://x.example", "has to begin with https://"),
        ("feeds", "https://[x", "is not a web address"),
        ("webhook", "maybe", "neither yes nor no"),
        ("colour", "blue", "is not asked here"),
    ],
)
def test_an_answer_that_cannot_be_used(name: str, answer: str, reason: str) -> None:
    assert reason in wrong_answers({name: answer})[name]


@given(
    st.fixed_dictionaries(
        {
            "library": st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=40),
            "teams": st.lists(st.text(max_size=12), max_size=3).map(",".join),
            "feeds": st.lists(
                st.sampled_from(
                    ["http://a.example/\\", 'https://x-y.example/?q="', "https://é.ie/"]
                ),
                max_size=3,
            ).map(" ".join),
            "webhook": st.sampled_from(["yes", "no"]),
        }
    )
)
@how(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_answered_and_not_refused_is_accepted(answers: dict[str, str]) -> None:
    assume(not wrong_answers(answers))
    with tempfile.TemporaryDirectory() as folder:
        assert accepted(Path(folder), answers).library == answers["library"].strip()

"""Log lines: readable or JSON, never a secret, never a patron's word, never more than one line."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from staffbot import log
from staffbot.errors import SourceError
from staffbot.secret import Secret
from staffbot.settings import Health

PATRON = "my aunt Edna lost her card"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    root = logging.getLogger()
    before, level, raises = root.handlers[:], root.level, logging.raiseExceptions
    stream = io.StringIO()
    log.set_up(secrets=["hunter2-hunter2", "abc"], stream=stream, readable=False)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], logging.raiseExceptions = before, raises
    root.setLevel(level)
    structlog.reset_defaults()


Lines = Callable[[], list[dict[str, Any]]]


def test_a_line_is_one_json_object_with_time_level_and_place(lines: Lines) -> None:
    structlog.get_logger("staffbot.outbox").info("post sent", key="card:42:local:desk:1", tries=2)
    [line] = lines()
    assert line["event"] == "post sent"
    assert line["key"] == "card:42:local:desk:1"
    assert line["tries"] == 2
    assert line["level"] == "info"
    assert line["logger"] == "staffbot.outbox"
    assert line["timestamp"].endswith("Z")


def test_on_a_terminal_it_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    log.set_up(stream=stream, readable=True)
    try:
        structlog.get_logger("staffbot.app").info("ready", seconds=1.5)
    finally:
        logging.getLogger().handlers.clear()
        structlog.reset_defaults()
    assert "ready" in stream.getvalue()
    assert "seconds=1.5" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2-hunter2",
        "xoxb-1234567890-abcdefGHIJ",
        "xapp-1-A0-123-abcdef",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs12345",
        "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    ],
)
def test_a_secret_stands_in_no_line(lines: Lines, secret: str) -> None:
    said = f"Bearer {secret} at https://hooks.slack.com/services/{secret} and {secret}"
    logger = structlog.get_logger("staffbot.x")
    logger.warning(said, headers={"Authorization": f"Bearer {secret}"}, many=[secret, (secret,)])
    logger.warning("as key", **{secret: 1})
    logging.getLogger("slack_sdk").warning("refused %s", secret)
    logging.getLogger("slack_sdk").warning(f"refused {said}")
    assert len(lines()) == 4
    assert secret not in json.dumps(lines())


def test_passwords_in_addresses_are_masked(lines: Lines) -> None:
    structlog.get_logger("staffbot.x").info("opens postgresql://bot:s3cret@db/lib")
    assert lines()[0]["event"] == f"opens postgresql://{log.MASK}@db/lib"


def test_words_that_only_look_a_little_like_secrets_stay(lines: Lines) -> None:
    said = "Bot started; abc is not a secret; bearer of news; see http://127.0.0.1:8080/healthz"
    structlog.get_logger("staffbot.x").info(said)
    assert lines()[0]["event"].startswith("Bot started; abc is not a secret; bearer ")
    assert lines()[0]["event"].endswith("see http://127.0.0.1:8080/healthz")


def parse(text: str) -> None:
    held = text
    raise ValueError(f"cannot parse {held!r}")


def test_a_traceback_names_places_and_kinds_only(lines: Lines) -> None:
    try:
        try:
            parse(PATRON)
        except ValueError as problem:
            raise SourceError("the feed is broken at line 3") from problem
    except SourceError:
        structlog.get_logger("staffbot.intake").exception("a look failed", source="blog")
    [line] = lines()
    assert line["problem"] == "SourceError: the feed is broken at line 3 (from ValueError)"
    assert any("test_log.py" in place for place in line["places"])
    assert "Edna" not in json.dumps(line)


def test_a_group_and_an_os_error_are_named(lines: Lines) -> None:
    group = ExceptionGroup(PATRON, [ValueError(PATRON), OSError(28, "No space left on device")])
    structlog.get_logger("staffbot.x").error("failed", exc_info=group)
    assert lines()[0]["problem"] == "OSError: No space left on device and ValueError"
    assert "Edna" not in json.dumps(lines())


def test_an_exception_that_is_its_own_cause_is_named_too(lines: Lines) -> None:
    first, second = ValueError(PATRON), KeyError(PATRON)
    first.__cause__, second.__cause__ = second, first
    structlog.get_logger("staffbot.x").error("failed", exc_info=first)
    assert lines()[0]["problem"] == "ValueError (from KeyError)"


def test_other_libraries_tell_their_template_and_not_what_they_read(lines: Lines) -> None:
    foreign = logging.getLogger("feedparser")
    foreign.info("read %s", PATRON)
    foreign.warning("cannot read %s", PATRON)
    foreign.warning("Task exception was never retrieved\nfuture: <%s>", PATRON)
    try:
        parse(PATRON)
    except ValueError:
        foreign.exception("failed")
    assert [line["event"] for line in lines()] == [
        "cannot read %s", "Task exception was never retrieved", "failed",
    ]  # fmt: skip
    assert "Edna" not in json.dumps(lines())


async def test_what_goes_wrong_outside_of_a_loop_is_told_without_words(lines: Lines) -> None:
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(log.loop_problem)
    try:
        loop.call_exception_handler({"message": PATRON, "exception": ValueError(PATRON)})
    finally:
        loop.set_exception_handler(before)
    assert lines()[0]["problem"] == "ValueError"
    assert "Edna" not in json.dumps(lines())


@given(st.text())
def test_nothing_can_break_or_forge_a_line(text: str) -> None:
    masked = log.Mask([])(None, "info", {"event": text, text: text})
    for said in (*masked, *masked.values()):
        assert len(said.splitlines()) <= 1
        assert "\x1b" not in said
        said.encode()  # no lone surrogate


class Options(BaseModel):
    token: SecretStr
    name: str = "open"


@dataclass
class Holder:
    options: Options
    health: Health
    many: tuple[Secret, ...]


def test_every_secret_in_the_settings_is_found() -> None:
    holder = Holder(
        options=Options(token=SecretStr("in-options")),
        health=Health(heartbeat_url=Secret(value="https://u:word@hc.example/x")),
        many=(Secret(value="one"), Secret(value="two")),
    )
    found = set(log.secrets_of({"a": [holder]}))
    assert found == {"in-options", "https://u:word@hc.example/x", "word", "one", "two"}


def test_the_default_stream_is_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up()
    try:
        structlog.get_logger("staffbot.x").info("hello")
        assert sys.stderr.isatty() or json.loads(capsys.readouterr().err)["event"] == "hello"
    finally:
        logging.getLogger().handlers.clear()
        structlog.reset_defaults()

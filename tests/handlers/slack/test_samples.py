"""Payloads as Slack's own Java SDK has recorded them: each is read, and none brings the door down.

Their values are blank, so they do nothing; what is held here is that the shape is known.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from handlers.slack.forms import CALLBACK
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.slack.loopback import Loopback, form
from tests.handlers.slack.rules import SHARED
from tests.handlers.slack.stage import Person, opened, running, settings
from tests.handlers.slack.workspace import BOT, TEAM

SAMPLES = SHARED / "java-slack-sdk-samples"
EVENTS = sorted((SAMPLES / "events").glob("*.json"))
BACKEND = sorted((SAMPLES / "app-backend").glob("*/*.json"))
# Of features that are older than apps of today: Bolt knows them, this door has none.
OLD = {"AttachmentActionPayload", "DialogSubmissionPayload", "DialogSuggestionPayload",
       "DialogCancellationPayload", "ViewClosedPayload"}  # fmt: skip


@pytest.fixture
async def person(slack: Loopback, tmp_path: Path) -> AsyncIterator[Person]:
    async with running(opened(slack, settings(tmp_path), FakeDesk())) as chat:
        yield Person(slack, chat)


def sample(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def somebody(value: Any) -> Any:
    """The sample with people, channels and our own name in place of blanks."""
    known = {
        "callback_id": CALLBACK, "user": "U1", "user_id": "U1", "channel": "C01",
        "channel_id": "C01", "item_user": BOT, "team_id": TEAM, "event_id": "Ev1",
        "tab": "home", "reaction": "raised_hand",
    }  # fmt: skip
    if isinstance(value, dict):
        return {
            key: known[key] if item == "" and key in known else somebody(item)
            for key, item in value.items()
        }
    return [somebody(item) for item in value] if isinstance(value, list) else value


@pytest.mark.skipif(not EVENTS, reason="Slack's samples are not beside this checkout")
async def test_every_event_is_read_and_acknowledged(person: Person) -> None:
    refused = []
    for path in EVENTS:
        for body in (sample(path), somebody(sample(path))):
            if body.get("type") != "event_callback":
                continue
            answer = await person.request(json.dumps(body))
            if answer.status != 200:
                refused.append((path.name, answer.status))
    assert refused == []


@pytest.mark.skipif(not BACKEND, reason="Slack's samples are not beside this checkout")
async def test_every_request_of_people_is_read(person: Person) -> None:
    refused = []
    for path in BACKEND:
        for body in (sample(path), somebody(sample(path))):
            command = path.stem == "SlashCommandPayload"
            text = urlencode({**body, "command": "/lib"}) if command else form(body)
            answer = await person.request(text)
            callback = (body.get("view") or {}).get("callback_id", CALLBACK)
            # A form without our name is not ours: Bolt answers 404, as it should.
            fine = (200, 404) if path.stem in OLD or callback != CALLBACK else (200,)
            if answer.status not in fine:
                refused.append((path.name, answer.status))
    assert refused == []

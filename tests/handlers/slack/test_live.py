"""The real Slack, if somebody wants it: STAFFBOT_LIVE_SLACK names a channel for tests.

Needs SLACK_BOT_TOKEN. Posts one card, looks it up, edits it and deletes it.
"""

from __future__ import annotations

import os
import uuid

import pytest

from handlers.slack.api import Api
from handlers.slack.chat import SlackChat
from handlers.slack.checking import FULL, check
from handlers.slack.door import SLACK
from staffbot.messages import say
from staffbot.model import Room
from staffbot.secret import Secret
from staffbot.settings import Network

CHANNEL = os.environ.get("STAFFBOT_LIVE_SLACK", "")
pytestmark = pytest.mark.skipif(
    not CHANNEL, reason="STAFFBOT_LIVE_SLACK names no channel for tests"
)


async def test_a_card_is_judged_posted_found_edited_and_taken_away() -> None:
    token = Secret(value=os.environ["SLACK_BOT_TOKEN"])
    api = Api(token, url=SLACK, network=Network())
    chat = SlackChat(api)
    room, key = Room(platform="slack", id=CHANNEL), f"live:{uuid.uuid4()}"
    try:
        findings = await check(api, channels=[CHANNEL], app_token=None)
        assert [finding.said for finding in findings if not finding.ok] == []
        ref = await chat.post(room, FULL, key)
        try:
            assert await chat.find(room, key) == ref
            await chat.edit(ref, say("A test of staffbot that ends here."))
        finally:
            await api.client().chat_delete(channel=CHANNEL, ts=ref.id)
    finally:
        await api.close()

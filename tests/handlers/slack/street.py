"""A whole staffbot before a loopback Slack, and what people of the library do there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from staffbot import plugins
from staffbot.config import load
from staffbot.settings import Settings
from tests.handlers.slack.loopback import SIGNING_SECRET, Loopback, form, signed
from tests.handlers.slack.stage import actions, until
from tests.handlers.slack.workspace import APP_TOKEN, BOT_TOKEN, TEAM
from tests.library import HandClock
from tests.staffbot.house import SECRET, Running, running
from tests.staffbot.sources.wordpresses import PASSWORD as BLOG_PASSWORD

CONFIG = """\
library = "Riverside Library"
[hours]
weekly = "24/7"
[digest]
enabled = false
[public]
port = 0
[metrics]
port = 0
[slack]
mode = "{mode}"
api_url = "{url}"
[[rooms]]
platform = "slack"
id = "C01"
[[staff]]
key = "mia"
name = "Mia Lang"
role = "manager"
ids = {{ slack = "U3" }}
[[sources]]
name = "form"
type = "webhook"
kind = "message"
secrets = ["STAFFBOT_WEBHOOK_SECRET"]
"""
VARIABLES = {
    "STAFFBOT_WEBHOOK_SECRET": SECRET,
    "SLACK_BOT_TOKEN": BOT_TOKEN,
    "SLACK_APP_TOKEN": APP_TOKEN,
    "SLACK_SIGNING_SECRET": SIGNING_SECRET,
    "BLOG_PASSWORD": BLOG_PASSWORD,
}


def house(folder: Path, slack: Loopback, mode: str, config: str = CONFIG) -> Settings:
    file = folder / "config.toml"
    file.write_text(config.format(mode=mode, url=slack.api))
    return load(file, VARIABLES, plugins.networks(), plugins.doors())


@dataclass(slots=True)
class Street:
    """A library and its Slack; `restart` in the middle of a journey, people go on as if nothing was."""

    slack: Loopback
    folder: Path
    mode: str
    config: str = CONFIG
    up: Running | None = None
    clock: HandClock = field(default_factory=lambda: HandClock(datetime.now(UTC)))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Running]:
        settings = house(self.folder, self.slack, self.mode, self.config)
        async with running(settings, clock=self.clock) as up:
            self.up = up
            if self.mode == "socket":
                await self.slack.connected()
            yield up

    async def body(self, kind: str, payload: Mapping[str, Any]) -> tuple[int, Any]:
        """What Slack sends, by the way of this mode. The status, and what came back with it."""
        if self.mode == "socket":
            return 200, await self.slack.told(kind, dict(payload))
        assert self.up is not None
        if kind == "slash_commands":
            body = urlencode(payload)
        else:
            body = form(payload) if kind == "interactive" else json.dumps(payload)
        url = f"{self.up.public}/slack/events"
        async with self.up.session.post(url, data=body, headers=signed(body)) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else {}

    async def command(self, text: str, user: str = "U1") -> str:
        payload = {
            "command": "/lib", "text": text, "user_id": user, "channel_id": "C01",
            "team_id": TEAM, "trigger_id": self.slack.trigger(),
            "response_url": self.slack.answer_url(),
        }  # fmt: skip
        _, answer = await self.body("slash_commands", payload)
        return str(answer.get("text", ""))

    async def everything(self, text: str, user: str = "U3") -> str:
        """All that a command answers, and not only its sentence."""
        payload = {
            "command": "/lib", "text": text, "user_id": user, "channel_id": "C01",
            "team_id": TEAM, "trigger_id": self.slack.trigger(),
            "response_url": self.slack.answer_url(),
        }  # fmt: skip
        return json.dumps(await self.body("slash_commands", payload))

    def pressing(
        self, action: Mapping[str, Any], user: str = "U1", at: str = "1.1"
    ) -> dict[str, Any]:
        return {
            "type": "block_actions", "user": {"id": user}, "team": {"id": TEAM},
            "trigger_id": self.slack.trigger(), "response_url": self.slack.answer_url(),
            "channel": {"id": "C01"}, "container": {"type": "message", "channel_id": "C01"},
            "actions": [{**action, "action_ts": at}],
        }  # fmt: skip

    async def press(self, name: str, user: str = "U1", at: str = "1.1") -> dict[str, Any]:
        """Press a control of the newest card."""
        pressing = self.pressing(actions(self.card())[name], user, at)
        await self.body("interactive", pressing)
        return pressing

    async def event(self, event: Mapping[str, Any], id: str) -> None:
        payload = {"type": "event_callback", "team_id": TEAM, "event_id": id, "event": dict(event)}
        await self.body("events_api", payload)

    def card(self) -> dict[str, Any]:
        return self.slack.newest("C01")

    async def shows(self, text: str) -> None:
        await until(lambda: self.slack.channels["C01"].messages and text in self.card()["text"])

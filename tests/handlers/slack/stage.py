"""The Slack door on a fake desk, before a loopback Slack."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from handlers.slack import SlackOptions, door
from handlers.slack.chat import SlackChat
from staffbot.model import Room
from staffbot.network import Request, Response
from staffbot.seams import Desk
from staffbot.secret import Secret
from staffbot.settings import DoorSettings, Settings, StaffMember, StoreSettings, Team, TeamRoom
from tests.handlers.fake_desk import NOON
from tests.handlers.slack.loopback import SIGNING_SECRET, Loopback, form, signed
from tests.handlers.slack.workspace import APP_TOKEN, BOT_TOKEN, TEAM

ADULT = Room(platform="slack", id="C01")
CHILDREN = Room(platform="slack", id="C02")


def settings(folder: Path, *, staff: tuple[StaffMember, ...] = ()) -> Settings:
    return Settings(
        library="Riverside Library",
        teams=(
            Team(key="adult", name="Adult", rooms=(TeamRoom(room=ADULT),)),
            Team(key="children", name="Children", rooms=(TeamRoom(room=CHILDREN),)),
        ),
        staff=staff,
        store=StoreSettings(
            url=Secret(value=f"sqlite:///{folder}/staffbot.db"),
            identity_key=Secret(value="k" * 32),
        ),
        data=folder,
    )


def options(slack: Loopback, **more: Any) -> SlackOptions:
    found: dict[str, Any] = {
        "bot_token": Secret(value=BOT_TOKEN), "app_token": Secret(value=APP_TOKEN),
        "signing_secret": Secret(value=SIGNING_SECRET), "api_url": slack.api,
        "post_every": 0.0, "mode": "http",
    }  # fmt: skip
    return SlackOptions.model_validate({**found, **more})


def opened(slack: Loopback, house: Settings, desk: Desk, **more: Any) -> SlackChat:
    given = DoorSettings(platform="slack", options=options(slack, **more))
    return cast(SlackChat, door.open(given, house, desk, lambda: NOON))


@dataclass(slots=True)
class Person:
    """Somebody in front of Slack: what they do comes as signed requests."""

    slack: Loopback
    chat: SlackChat
    user: str = "U1"

    async def command(
        self, text: str, *, word: str = "/lib", channel: str = "C01", **more: Any
    ) -> Any:
        body = {
            "command": word, "text": text, "user_id": self.user, "channel_id": channel,
            "team_id": TEAM, "trigger_id": self.slack.trigger(),
            "response_url": self.slack.answer_url(), **more,
        }  # fmt: skip
        return _json(await self.request(urlencode(body)))

    async def press(
        self, action: Mapping[str, Any], *, channel: str = "C01", ts: str = "", **more: Any
    ) -> Response:
        return await self.request(form(self.pressing(action, channel=channel, ts=ts, **more)))

    def pressing(
        self, action: Mapping[str, Any], *, channel: str = "C01", ts: str = "", **more: Any
    ) -> dict[str, Any]:
        return {
            "type": "block_actions", "user": {"id": self.user}, "team": {"id": TEAM},
            "trigger_id": self.slack.trigger(), "response_url": self.slack.answer_url(),
            "channel": {"id": channel}, "message": {"ts": ts},
            "container": {"type": "message", "message_ts": ts, "channel_id": channel},
            "actions": [{"action_ts": str(id(action)), **action}], **more,
        }  # fmt: skip

    async def submit(self, view: Mapping[str, Any], values: Mapping[str, Any], **more: Any) -> Any:
        state = {name: {name: value} for name, value in values.items()}
        body = {
            "type": "view_submission", "user": {"id": self.user}, "team": {"id": TEAM},
            "trigger_id": self.slack.trigger(), "view": {**view, "state": {"values": state}}, **more,
        }  # fmt: skip
        return _json(await self.request(form(body)))

    async def event(self, event: Mapping[str, Any], *, id: str = "Ev1", **headers: str) -> Response:
        body = {
            "type": "event_callback", "team_id": TEAM, "event_id": id, "event": dict(event),
            "authorizations": [{"team_id": TEAM, "user_id": "U0BOT", "is_bot": True}],
        }  # fmt: skip
        return await self.request(json.dumps(body), **headers)

    async def request(self, body: str, **headers: str) -> Response:
        all_headers = {**signed(body), **headers}
        return await self.chat.hear(
            Request(method="POST", path="/slack/events", headers=all_headers, body=body.encode())
        )


def actions(message: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The controls of a message by name, as a press of each would be sent."""
    found: dict[str, dict[str, Any]] = {}
    for block in message.get("blocks", ()):
        elements = [*block.get("elements", ()), block.get("accessory") or {}]
        for element in elements:
            if element.get("type") == "button":
                name = element["action_id"].partition(":")[0]
                pressed = {key: element[key] for key in ("action_id", "value") if key in element}
                found.setdefault(name, {"type": "button", **pressed})
            for option in element.get("options", ()):
                name = element["action_id"].partition(":")[0]
                if name == "more":
                    name = option["value"].partition("|")[0]
                chosen = {"type": "static_select", "action_id": element["action_id"]}
                found.setdefault(name, {**chosen, "selected_option": option})
    return found


def _json(response: Response) -> Any:
    assert response.status == 200, response
    return json.loads(response.body) if response.body.startswith(b"{") else {}


def stamp(ago: float = 0.0) -> str:
    """What a message of this moment wears, as Slack stamps it."""
    return f"{time.time() - ago:.6f}"


async def until(holds: Callable[[], object]) -> None:
    """Wait for what is done after the acknowledgement."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(chat: SlackChat) -> AsyncIterator[SlackChat]:
    task = asyncio.create_task(chat.run())
    try:
        yield chat
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

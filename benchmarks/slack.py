"""A signed `/lib claim` in, its acknowledgement out, on a long history; alone and twenty at a time.

The floor is a Bolt app that verifies the same signature and only acknowledges, and then the bare
statements that one such claim runs, with one commit. So what is measured is what the door, dispatch
and desk add to Slack's own library and to the database.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest

from benchmarks import history
from benchmarks.claims import AT_A_TIME, LIMIT, Bare, Statement, captured, in_turns
from benchmarks.ground import Ground
from benchmarks.rows import Row
from benchmarks.timing import percentile
from handlers.slack import SlackOptions, door
from handlers.slack.api import Identity
from handlers.slack.chat import SlackChat
from handlers.slack.people import People
from staffbot.desk.ledger import Desk
from staffbot.dispatch import Dispatch
from staffbot.model import Room
from staffbot.network import Request
from staffbot.secret import Secret
from staffbot.settings import DoorSettings, Settings, TeamRoom
from staffbot.store import Store

_ALONE = 100
_ROUNDS = 10
_SECRET = "benchmark-signing-secret"
_BOT = Secret(value="xoxb-benchmark")
_CHANNEL = "C01"
_US = Identity(user_id="U0BOT", bot_id="B0BOT", team_id="T01")
_HASH = re.compile(r"[0-9a-f]{32}")


def run(ground: Ground) -> list[Row]:
    """Measure both ways, in turns with the floor."""
    path = ground.history()
    store = Store.open(f"sqlite:///{path}")
    try:
        return asyncio.run(_measured(ground, store, path))
    finally:
        store.close()


async def _measured(ground: Ground, store: Store, path: Path) -> list[Row]:
    settings = _with_a_channel(history.settings(path))
    chat = _chat(settings, Desk(store, settings, lambda: history.NOW))
    numbers = ground.unclaimed
    for person in range(AT_A_TIME):
        await _answered(chat, f"U{person}", "mine")

    async def ours(number: int) -> None:
        said = await _answered(chat, f"U{number % AT_A_TIME}", f"claim {number}")
        assert b'"undo:' in said, said  # only what happened can be undone

    with captured() as statements:
        await ours(model := next(numbers))
    floor = _Floor(path, statements, model)
    try:
        alone = await in_turns(ours, floor.claim, numbers, ground.turns(_ALONE), 1)
        many = await in_turns(ours, floor.claim, numbers, ground.turns(_ROUNDS), AT_A_TIME)
    finally:
        await floor.close()
        await chat.api.close()
    against = f"a Bolt app that acknowledges, {len(statements)} bare statements, one commit"
    return [
        Row(
            name="Slack: /lib claim, acknowledged", limit=LIMIT, against=against,
            measured=statistics.median(alone[0]), floor=statistics.median(alone[1]),
            means="Slack waits three seconds; a person sees the answer at once.",
        ),
        Row(
            name=f"Slack: /lib claim, {AT_A_TIME} at a time", limit=LIMIT, against=against,
            measured=statistics.median(many[0]), floor=statistics.median(many[1]),
            means="Also when a whole team types in the same second.",
        ),
        Row(
            name=f"Slack: /lib claim, {AT_A_TIME} at a time, 99th percentile", against=against,
            measured=percentile(many[0], 0.99), floor=percentile(many[1], 0.99),
            means="The unluckiest of a hundred.",
        ),
    ]  # fmt: skip


def _with_a_channel(settings: Settings) -> Settings:
    """The first team has a channel on Slack too."""
    first, *others = settings.teams
    room = TeamRoom(room=Room(platform="slack", id=_CHANNEL))
    return replace(settings, teams=(replace(first, rooms=(*first.rooms, room)), *others))


def _chat(settings: Settings, desk: Desk) -> SlackChat:
    """The door in HTTP mode. Slack itself is not asked: it is known who we and the people are."""
    options = SlackOptions.model_validate(
        {"mode": "http", "bot_token": _BOT, "signing_secret": Secret(value=_SECRET)}
    )
    given = DoorSettings(platform="slack", options=options)
    chat = door.open(given, settings, Dispatch(desk), lambda: history.NOW)
    assert isinstance(chat, SlackChat)
    chat.api.known_as(_US)
    people = chat.people
    assert isinstance(people, People)
    for person in range(AT_A_TIME):
        people.know(f"U{person}", f"Person {person}")
    return chat


async def _answered(chat: SlackChat, user: str, text: str) -> bytes:
    body, headers = _request(user, text)
    request = Request(method="POST", path="/slack/events", headers=headers, body=body.encode())
    answer = await chat.hear(request)
    assert answer.status == 200, answer
    return answer.body


def _request(user: str, text: str) -> tuple[str, dict[str, str]]:
    """What Slack sends for a slash command."""
    body = urlencode(
        {
            "command": "/lib", "text": text, "user_id": user, "channel_id": _CHANNEL,
            "team_id": _US.team_id, "trigger_id": secrets.token_hex(16),
            "response_url": "https://hooks.slack.com/commands/T01/1/x",
        }
    )  # fmt: skip
    stamp = str(int(time.time()))
    digest = hmac.new(_SECRET.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return body, {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


class _Floor:
    """Bolt alone, and the statements alone."""

    def __init__(self, path: Path, statements: Sequence[Statement], model: int) -> None:
        self._bare = _BareActs(path, statements, model)
        self._app = AsyncApp(
            process_before_response=True, signing_secret=_SECRET, authorize=_authorized
        )
        self._app.command(re.compile(".*"))(_only_acknowledge)

    async def claim(self, number: int) -> None:
        body, headers = _request(f"U{number % AT_A_TIME}", f"claim {number}")
        given: dict[str, str | Sequence[str]] = dict(headers)
        await self._bare.claim(number)
        answer = await self._app.async_dispatch(AsyncBoltRequest(body=body, headers=given))
        assert answer.status == 200, answer

    async def close(self) -> None:
        await self._bare.close()


class _BareActs(Bare):
    """As for a claim by its button; the name of each act is another one."""

    def values(self, statement: str, values: Sequence[Any], number: int) -> list[Any]:
        found = super().values(statement, values, number)
        if "deliveries" not in statement:
            return found
        return [f"{number:032x}" if isinstance(v, str) and _HASH.fullmatch(v) else v for v in found]


async def _authorized() -> AuthorizeResult:
    return AuthorizeResult(
        enterprise_id=None, team_id=_US.team_id, bot_user_id=_US.user_id, bot_id=_US.bot_id,
        bot_token=_BOT.value,
    )  # fmt: skip


async def _only_acknowledge(ack: Any) -> None:
    await ack()

"""The Chat of Slack: posts, edits, looks up, writes to one person; and runs what listens.

Decides nothing about content. Posts are never sent twice from here: what cannot be known is said as
ambiguous, and the outbox looks it up by key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.slack.api import Api
from handlers.slack.files import Files
from handlers.slack.history import History, metadata
from handlers.slack.members import PLATFORM
from handlers.slack.people import People
from handlers.slack.refusals import BLOCKS, error_of
from handlers.slack.view import blocks, notification, without_images
from staffbot.errors import DeliveryError, MessageGone
from staffbot.messages import Chart, Message
from staffbot.model import MessageRef, Room
from staffbot.network import Request, Response

FILE_TRIES = 3
DIRECT = "direct:"  # begins the name of the room of a person's direct messages

log = structlog.get_logger("staffbot.slack")


class Ears(Protocol):
    """What hears Slack: a socket, or requests that come in."""

    async def run(self) -> None: ...

    async def hear(self, request: Request) -> Response: ...

    async def drain(self) -> None: ...


class SlackChat:
    platform = PLATFORM

    def __init__(self, api: Api, ears: Ears | None = None, people: People | None = None) -> None:
        self.api = api
        self.ears = ears
        self.people = people
        self._history = History(api)
        self._files = Files(api)
        self._direct: dict[str, str] = {}

    async def run(self) -> None:
        """Listen until cancelled; then let what is under way end, and close the connection."""
        try:
            us = await self.api.fresh_identity()
            log.info("slack.connected", team=us.team_id, bot=us.user_id)
            if self.people is not None:
                self.people.begin()
            if self.ears is None:
                await asyncio.Event().wait()
            else:
                await self.ears.run()
        finally:
            if self.ears is not None:
                await self.ears.drain()
            if self.people is not None:
                await self.people.end()
            await self.api.close()

    async def hear(self, request: Request) -> Response:
        """A signed request of HTTP mode."""
        if self.ears is None:
            return Response(status=503)
        return await self.ears.hear(request)

    # --- the seam ---------------------------------------------------------------------------

    async def post(self, room: Room, message: Message, key: str) -> MessageRef:
        return await self._post(room.id, message, key)

    async def direct(self, user_id: str, message: Message, key: str) -> MessageRef:
        return await self._post(await self.letters(user_id), message, key)

    async def edit(self, ref: MessageRef, message: Message) -> None:
        """Update; without blocks where Slack refuses those; gone where it is no longer there."""
        channel, doing = ref.room.id, f"edit a message in {ref.room.id}"

        def update(shown: list[dict[str, Any]]) -> Callable[..., Awaitable[AsyncSlackResponse]]:
            return lambda client: client.chat_update(
                channel=channel, ts=ref.id, text=notification(message), blocks=shown,
                link_names=False,
            )  # fmt: skip

        try:
            await self._with_blocks(update, await self._blocks(message), doing, "")
        except MessageGone:
            self._history.forget(channel)
            raise

    async def find(self, room: Room, key: str) -> MessageRef | None:
        channel = room.id
        if channel.startswith(DIRECT):
            channel = await self.letters(channel.removeprefix(DIRECT))
        ts = await self._history.find(channel, key)
        return None if ts is None else _ref(channel, ts)

    async def letters(self, user_id: str) -> str:
        """The channel of the direct messages to that person."""
        if user_id not in self._direct:
            answer = await self.api.ask(
                lambda client: client.conversations_open(users=user_id),
                f"open the direct messages to {user_id}",
            )
            self._direct[user_id] = str(answer["channel"]["id"])
        return self._direct[user_id]

    # --- posting ----------------------------------------------------------------------------

    async def _post(self, channel: str, message: Message, key: str) -> MessageRef:
        def send(shown: list[dict[str, Any]]) -> Callable[..., Awaitable[AsyncSlackResponse]]:
            return lambda client: client.chat_postMessage(
                channel=channel, text=notification(message), blocks=shown,
                metadata=metadata(key), unfurl_links=False, unfurl_media=False,
            )  # fmt: skip

        shown = await self._blocks(message)
        self._history.tried(key)
        answer = await self._with_blocks(send, shown, f"post to {channel}", channel)
        return _ref(str(answer.get("channel") or channel), str(answer["ts"]))

    async def _with_blocks(
        self,
        call: Callable[[list[dict[str, Any]]], Callable[..., Awaitable[AsyncSlackResponse]]],
        shown: list[dict[str, Any]],
        doing: str,
        channel: str,
    ) -> Mapping[str, Any]:
        """A refusal of the blocks is clear: nothing was posted, so the sentence alone may be sent."""

        async def once(client: AsyncWebClient) -> AsyncSlackResponse:
            for tries, (less, pause) in enumerate(_less_and_less(shown)):
                await asyncio.sleep(self.api.every * tries if pause else 0)
                try:
                    return await call(less)(client)
                except SlackApiError as problem:
                    name, _, _ = error_of(problem)
                    if name not in BLOCKS or not less:
                        raise
                    log.warning("slack.blocks_refused", doing=doing, error=name)
            raise AssertionError("the sentence alone is always tried")

        return await self.api.ask(once, doing, room=channel)

    async def _blocks(self, message: Message) -> list[dict[str, Any]]:
        charts = [part for part in message.parts if isinstance(part, Chart)]
        uploads: Sequence[str] = ()
        if charts:
            uploads = [await self._uploaded(chart) for chart in charts]
        return blocks(message, uploads=uploads)

    async def _uploaded(self, chart: Chart) -> str:
        """The picture as a file of ours; its alt text alone where it cannot be uploaded."""
        try:
            return await self._files.put(chart.name, chart.png, alt=chart.alt)
        except DeliveryError as problem:
            log.warning("slack.chart_not_uploaded", reason=str(problem))
            return ""


def _less_and_less(shown: list[dict[str, Any]]) -> list[tuple[list[dict[str, Any]], bool]]:
    """What is shown, and whether to wait before; then its pictures as their descriptions, as one of
    them may be what is wrong; then the sentence alone.

    Slack says that a file is there some moments before a message may show it, so a picture of ours
    is tried again: nothing tells when it is ready but a permission to read everybody's files.
    """
    words = without_images(shown)
    again = FILE_TRIES if any("slack_file" in block for block in shown) else 0
    return [
        (shown, False),
        *[(shown, True)] * again,
        *([(words, False)] if words != shown else []),
        *([([], False)] if shown else []),
    ]


def _ref(channel: str, ts: str) -> MessageRef:
    return MessageRef(room=Room(platform=PLATFORM, id=channel), id=ts)

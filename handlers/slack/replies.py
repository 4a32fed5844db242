"""Private answers to whoever asked: best effort, outside the outbox, in tasks that shutdown drains."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from handlers.slack import forms
from handlers.slack.api import Api
from handlers.slack.files import Files
from handlers.slack.view import PRIVATE, blocks, notification
from staffbot.errors import DeliveryError
from staffbot.messages import Button, Chart, File, Form, Message, Paragraph, say

Json = dict[str, Any]

DRAIN_SECONDS = 0.8

log = structlog.get_logger("staffbot.slack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Where an answer to one person can go, in the order in which it is tried.

    trigger   a form or a page can be opened with it for three seconds, once
    url       Slack's response_url: five answers within half an hour
    """

    user: str
    channel: str = ""
    thread: str = ""
    url: str = ""
    trigger: str = ""


class Replies:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._files = Files(api)
        self._tasks: set[asyncio.Future[None]] = set()

    # --- afterwards -------------------------------------------------------------------------

    def later(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Do it after the acknowledgement."""
        task = asyncio.create_task(self._kept(work, what), name=f"slack {what}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def within(self, seconds: float, work: Awaitable[None], what: str) -> bool:
        """Do it, and wait so long; whether it is done. Else it goes on, and what fails is noted."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if done:
            task.result()
            return True
        self.later(_ended(task), what)
        return False

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Let what is under way end; what does not is given up, as it was private and best effort."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _kept(self, work: Coroutine[Any, Any, None], what: str) -> None:
        try:
            await work
        except DeliveryError as problem:
            log.warning("slack.answer_not_given", what=what, reason=str(problem))
        except Exception as fault:  # nobody waits for it: its kind is noted, its text may quote
            log.error("slack.answer_failed", what=what, fault=type(fault).__name__)

    # --- what is said -----------------------------------------------------------------------

    async def answer(self, asker: Asker, message: Message, *, replace: bool = False) -> None:
        """Shown to the asker alone; as its sentence, where Slack takes no more anywhere."""
        files = [part for part in message.parts if isinstance(part, Chart | File)]
        body = {**spoken(message), "replace_original": replace}
        try:
            await self._say(asker, body)
        except DeliveryError as problem:
            if not problem.permanent:
                raise
            log.warning("slack.answer_refused", reason=str(problem))
            await self._say(asker, {**body, "blocks": []})
        if files:
            await self._give(asker, files)

    async def open(self, asker: Asker, reply: Form, prefilled: str = "") -> None:
        """A form as a modal; where its trigger has run out, a button that asks again."""
        view = forms.modal(reply, room=asker.channel, thread=asker.thread, prefilled=prefilled)
        if asker.trigger:
            try:
                await self._api.ask(
                    lambda client: client.views_open(trigger_id=asker.trigger, view=view),
                    "open a form",
                )
                return
            except DeliveryError as problem:
                log.warning("slack.form_not_opened", reason=str(problem))
        self.later(self.answer(asker, instead_of(reply)), "form")

    async def page(self, asker: Asker, message: Message, title: str) -> None:
        """A message in a modal of its own; as a private answer where its trigger has run out."""
        view = forms.shown(message, title)
        try:
            await self._api.ask(
                lambda client: client.views_open(trigger_id=asker.trigger, view=view), "open a page"
            )
        except DeliveryError as problem:
            log.warning("slack.page_not_opened", reason=str(problem))
            await self.answer(asker, message)

    async def home(self, user: str, view: Json) -> None:
        await self._api.ask(
            lambda client: client.views_publish(user_id=user, view=view), "show the Home tab"
        )

    # --- ways -------------------------------------------------------------------------------

    async def _say(self, asker: Asker, body: Mapping[str, Any]) -> None:
        sent = False
        if asker.url:
            sent = await self._api.send(asker.url, body)
        if not sent and asker.channel and not asker.channel.startswith("D"):
            sent = await self._ephemeral(asker, body)
        if not sent:
            await self._letter(asker, body)

    async def _ephemeral(self, asker: Asker, body: Mapping[str, Any]) -> bool:
        thread: Json = {"thread_ts": asker.thread} if asker.thread else {}
        try:
            await self._api.ask(
                lambda client: client.chat_postEphemeral(
                    channel=asker.channel, user=asker.user,
                    text=body["text"], blocks=body["blocks"], **thread,
                ),
                "answer privately",
            )  # fmt: skip
        except DeliveryError as problem:
            log.info("slack.not_ephemeral", reason=str(problem))
            return False
        return True

    async def _letter(self, asker: Asker, body: Mapping[str, Any]) -> None:
        channel = await self._letters(asker.user)
        await self._api.ask(
            lambda client: client.chat_postMessage(
                channel=channel, text=body["text"], blocks=body["blocks"],
                unfurl_links=False, unfurl_media=False,
            ),
            "answer by direct message",
        )  # fmt: skip

    async def _letters(self, user: str) -> str:
        answer = await self._api.ask(
            lambda client: client.conversations_open(users=user), "open the direct messages"
        )
        return str(answer["channel"]["id"])

    async def _give(self, asker: Asker, files: list[Chart | File]) -> None:
        """Charts and files go to the asker's direct messages, as nothing private can hold a file."""
        channel = await self._letters(asker.user)
        for part in files:
            match part:
                case Chart():
                    await self._files.put(
                        part.name, part.png, alt=part.alt, channel=channel, title=part.alt[:200]
                    )
                case File():
                    await self._files.put(
                        part.name, part.content, channel=channel, title=part.label or part.name
                    )


async def _ended(task: asyncio.Future[None]) -> None:
    await task


def spoken(message: Message) -> Json:
    """A private answer as Slack takes it in an acknowledgement or at a response_url."""
    shown = message
    if any(isinstance(part, Chart | File) for part in message.parts):
        note = Paragraph(line=("The file is in your direct messages with me.",), quiet=True)
        shown = Message(
            text=message.text, parts=(*message.parts, note), controls=message.controls,
            mention=message.mention,
        )  # fmt: skip
    return {
        "response_type": "ephemeral",
        "text": notification(message),
        "blocks": blocks(shown, PRIVATE),
    }


def instead_of(form: Form) -> Message:
    """A button that asks for the form again, where no modal can be opened."""
    ask = Button(name=form.name, label=f"{form.title}…", mention=form.mention, primary=True)
    return say("One more thing is needed for that: press the button.", controls=[ask])

"""What people press and fill in: buttons, choices, forms, and the two shortcuts."""

from __future__ import annotations

from dataclasses import replace

from slack_bolt.async_app import AsyncAck
from slack_bolt.response import BoltResponse

from handlers.slack import forms, tracked
from handlers.slack.api import Api
from handlers.slack.asking import Asking, NotStored, is_failed
from handlers.slack.bodies import Body, asker_of, is_private, pressed_on, thread_of
from handlers.slack.controls import Pressed, pressed
from handlers.slack.home_tab import HomeTab
from handlers.slack.once import Once
from handlers.slack.pinging import PING, came_back
from handlers.slack.replies import Asker
from handlers.slack.view import READ_ALL
from staffbot.commands import pressed as call_of
from staffbot.messages import Form, Message

TRACK = "track_message"
LOG = "log_mention"
NAMES_SECONDS = 0.5  # of the three within which the form has to open


class Pressing:
    def __init__(self, api: Api, asking: Asking, once: Once, home: HomeTab) -> None:
        self._api = api
        self._asking = asking
        self._replies = asking.replies
        self._once = once
        self._home = home

    async def action(self, ack: AsyncAck, body: Body) -> BoltResponse | None:
        """A button or a choice, however old the message is."""
        action = (body.get("actions") or [{}])[0]
        found = pressed(action)
        if found is None:
            await ack()
            return None
        asker = asker_of(body)
        if found.control == PING:
            self._replies.later(came_back(self._api, asker.channel, pressed_on(body)), PING)
            await ack()
            return None
        ids = (asker.user, action.get("action_ts", ""), action.get("action_id", ""))
        act = f"action:{':'.join(str(one) for one in ids)}"
        try:
            await self._asking.soon(
                lambda: call_of(found.control, found.value),
                lambda: self._once.run(act, lambda: self._press(asker, found, body, act)),
                "press",
            )
        except NotStored:
            return BoltResponse(status=500)
        await ack()
        return None

    async def _press(self, asker: Asker, found: Pressed, body: Body, act: str) -> None:
        at_home = (body.get("view") or {}).get("type") == "home"
        control = "show" if found.control == READ_ALL else found.control
        desk = self._asking.desk
        reply = await self._asking.as_staff(
            asker,
            lambda actor: desk.press(actor, control, found.mention, found.value),
            act=act,
            thread=thread_of(body),
        )
        reply = self._asking.hints.added(reply, control)
        if isinstance(reply, Form):
            await self._replies.open(asker, reply)
        elif found.control == READ_ALL or (at_home and not reply.failed):
            title = f"Mention {found.mention}" if found.mention else "staffbot"
            page = replace(reply, controls=()) if found.control == READ_ALL else reply
            self._replies.later(self._replies.page(asker, page, title), "page")
        elif not reply.old:
            hides = found.control == "undo" and not reply.refused
            self._replies.later(
                self._replies.answer(asker, reply, replace=hides and is_private(body)), "press"
            )
        if is_failed(reply):
            raise NotStored
        if at_home:
            self._replies.later(self._home.publish(asker.user), "home")

    async def submission(self, ack: AsyncAck, body: Body) -> None:
        """A form that was filled in; refused, it stays open with the reason."""
        view = body.get("view") or {}
        filled = forms.filled(view)
        asker = replace(asker_of(body), channel=filled.room, thread=filled.thread)
        act = f"view:{view.get('id', '')}:{asker.trigger}"
        desk = self._asking.desk

        async def run() -> str:
            """What is wrong with it, if anything."""
            reply = await self._asking.as_staff(
                asker,
                lambda actor: desk.submit(actor, filled.form, filled.mention, filled.values),
                act=act,
                thread=filled.thread,
            )
            if isinstance(reply, Message) and (reply.refused or reply.failed):
                return reply.text
            self._asking.answer(asker, reply)
            return ""

        wrong = await self._once.run(act, run)
        inputs = [block for block in view.get("blocks", ()) if block.get("type") == "input"]
        blocks = [str(block.get("block_id", "")) for block in inputs]
        if wrong and blocks:
            await ack(response_action="errors", errors={blocks[0]: wrong[:2000]})
        else:
            await ack()

    async def shortcut(self, ack: AsyncAck, body: Body) -> None:
        """ "Log a mention" anywhere, "Track this message" on a message."""
        asker = asker_of(body)
        message = body.get("message") or {}
        desk = self._asking.desk
        reply = await self._asking.as_staff(asker, lambda actor: desk.press(actor, "log"))
        if isinstance(reply, Form):
            names = await self._asking.people.names(tracked.people_in(message), NAMES_SECONDS)
            await self._replies.open(asker, reply, prefilled=tracked.words(message, names))
        else:
            self._asking.answer(asker, reply)
        await ack()

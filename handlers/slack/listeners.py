"""What Slack tells us: commands, presses, forms, reactions, shortcuts, mentions, the Home tab.

A listener makes one call to the desk and then acknowledges, so an acknowledgement means stored. What
Slack delivers again has one effect: the desk knows each act by its name, and here a second delivery
of the same act waits for the first and answers nothing. Retries are never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse

from handlers.slack import forms
from handlers.slack.api import BOLT_LOG, Api
from handlers.slack.bodies import (
    Body,
    asker_of,
    asker_of_command,
    is_private,
    pressed_on,
    readable,
    thread_of,
)
from handlers.slack.controls import Pressed, pressed
from handlers.slack.hints import Hints
from handlers.slack.home import closed, home
from handlers.slack.once import Once
from handlers.slack.people import NotStaff, People
from handlers.slack.pinging import PING, came_back
from handlers.slack.replies import Asker, Replies, spoken
from handlers.slack.view import READ_ALL
from staffbot.messages import Chart, File, Form, Message, Reply, say
from staffbot.model import Actor
from staffbot.seams import Desk
from staffbot.secret import Secret

TRACK = "track_message"
LOG = "log_mention"
ALIASES = ("claim",)  # verbs that are commands of their own too

log = structlog.get_logger("staffbot.slack")


class NotStored(Exception):
    """The desk failed: nothing is acknowledged, so that Slack says so or delivers it again."""


class Listeners:
    def __init__(
        self,
        *,
        api: Api,
        desk: Desk,
        people: People,
        replies: Replies,
        root: str = "lib",
        claim_reactions: Sequence[str] = (),
        done_reactions: Sequence[str] = (),
    ) -> None:
        self._api = api
        self._desk = desk
        self._people = people
        self._replies = replies
        self._root = root
        self._reactions = {
            **dict.fromkeys(claim_reactions, "claim"),
            **dict.fromkeys(done_reactions, "done"),
        }
        self._hints = Hints(claim_reactions, done_reactions)
        self._once = Once()

    def app(self, *, token: Secret, signing_secret: Secret | None) -> AsyncApp:
        """A Bolt app that tells this object everything. Made anew with each connection."""

        async def authorize() -> AuthorizeResult:
            us = await self._api.identity()
            return AuthorizeResult(
                enterprise_id=None,
                team_id=us.team_id,
                bot_user_id=us.user_id,
                bot_id=us.bot_id,
                bot_token=token.value,
            )

        app = AsyncApp(
            name="staffbot",
            logger=BOLT_LOG,
            process_before_response=True,
            signing_secret=signing_secret.value if signing_secret else "",
            request_verification_enabled=signing_secret is not None,
            authorize=authorize,
            attaching_function_token_enabled=False,
        )
        everything = re.compile(".*", re.DOTALL)
        app.command(everything)(self.command)
        app.action(everything)(self.action)
        app.view(forms.CALLBACK)(self.submission)
        app.shortcut(everything)(self.shortcut)
        app.event("reaction_added")(self.reaction)
        app.event("app_mention")(self.mention)
        app.event("message")(self.letter)
        app.event("app_home_opened")(self.opened_home)
        app.event(everything)(self.nothing)
        app.error(self.error)
        return app

    # --- typed ------------------------------------------------------------------------------

    async def command(self, ack: AsyncAck, body: Body) -> None:
        """`/lib claim 42`, `/claim 42`. The answer goes with the acknowledgement."""
        word = str(body.get("command", "")).lstrip("/").lower()
        typed = readable(str(body.get("text", "")))
        text = f"{word} {typed}".strip() if word in ALIASES and word != self._root else typed
        asker = asker_of_command(body)
        act = f"command:{asker.trigger}"
        answered: list[Message] = []

        async def run() -> None:
            reply = await self._as_staff(
                asker, lambda actor: self._desk.command(actor, text), act=act
            )
            reply = self._hints.added(reply, text)
            if isinstance(reply, Form):
                await self._replies.open(asker, reply)
            else:
                if any(isinstance(part, Chart | File) for part in reply.parts):
                    self._replies.later(self._replies.answer(asker, reply), "command")
                else:
                    answered.append(reply)

        await self._once.run(act if asker.trigger else "", run)
        if answered:
            said = spoken(answered[0])
            await ack(text=said["text"], blocks=said["blocks"], response_type="ephemeral")
        else:
            await ack()

    async def mention(self, ack: AsyncAck, body: Body) -> None:
        """`@staffbot claim 42`, also in threads, where there are no slash commands."""
        await self.heard(body.get("event") or {})
        await ack()

    async def letter(self, ack: AsyncAck, body: Body) -> None:
        """A direct message to the bot is a command."""
        event = body.get("event") or {}
        if event.get("channel_type") == "im" and not event.get("subtype"):
            await self.heard(event)
        await ack()

    async def heard(self, event: Body) -> None:
        """A message that is meant for us; also one found in the history after a gap."""
        user, channel, ts = (str(event.get(name) or "") for name in ("user", "channel", "ts"))
        if not user or not ts or event.get("bot_id"):
            return
        us = await self._api.identity()
        text = readable(str(event.get("text", "")).replace(f"<@{us.user_id}>", " ")).strip()
        thread = str(event.get("thread_ts") or "")
        act = f"message:{channel}:{ts}"
        asker = Asker(user=user, channel=channel, thread=thread)

        async def run() -> None:
            reply = await self._as_staff(
                asker, lambda actor: self._desk.command(actor, text), act=act, thread=thread
            )
            self._answer(asker, self._hints.added(reply, text))

        await self._once.run(act, run)

    # --- pressed ----------------------------------------------------------------------------

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
            await self._once.run(act, lambda: self._press(asker, found, body, act))
        except NotStored:
            return BoltResponse(status=500)
        await ack()
        return None

    async def _press(self, asker: Asker, found: Pressed, body: Body, act: str) -> None:
        at_home = (body.get("view") or {}).get("type") == "home"
        control = "show" if found.control == READ_ALL else found.control
        reply = await self._as_staff(
            asker,
            lambda actor: self._desk.press(actor, control, found.mention, found.value),
            act=act,
            thread=thread_of(body),
        )
        reply = self._hints.added(reply, control)
        if isinstance(reply, Form):
            await self._replies.open(asker, reply)
        elif found.control == READ_ALL or (at_home and not reply.failed):
            title = f"Mention {found.mention}" if found.mention else "staffbot"
            page = replace(reply, controls=()) if found.control == READ_ALL else reply
            self._replies.later(self._replies.page(asker, page, title), "page")
        else:
            hides = found.control == "undo" and not reply.refused
            self._replies.later(
                self._replies.answer(asker, reply, replace=hides and is_private(body)), "press"
            )
        if isinstance(reply, Message) and reply.failed:
            raise NotStored
        if at_home:
            self._replies.later(self.publish(asker.user), "home")

    async def submission(self, ack: AsyncAck, body: Body) -> None:
        """A form that was filled in; refused, it stays open with the reason."""
        view = body.get("view") or {}
        filled = forms.filled(view)
        asker = replace(asker_of(body), channel=filled.room, thread=filled.thread)
        act = f"view:{view.get('id', '')}:{asker.trigger}"
        wrong: list[str] = []

        async def run() -> None:
            reply = await self._as_staff(
                asker,
                lambda actor: self._desk.submit(actor, filled.form, filled.mention, filled.values),
                act=act,
                thread=filled.thread,
            )
            if isinstance(reply, Message) and (reply.refused or reply.failed):
                wrong.append(reply.text)
                return
            self._answer(asker, reply)

        await self._once.run(act, run)
        inputs = [block for block in view.get("blocks", ()) if block.get("type") == "input"]
        blocks = [str(block.get("block_id", "")) for block in inputs]
        if wrong and blocks:
            await ack(response_action="errors", errors={blocks[0]: wrong[0][:2000]})
        else:
            await ack()

    async def shortcut(self, ack: AsyncAck, body: Body) -> None:
        """ "Log a mention" anywhere, "Track this message" on a message."""
        asker = asker_of(body)
        message = body.get("message") or {}
        reply = await self._as_staff(asker, lambda actor: self._desk.press(actor, "log"))
        if isinstance(reply, Form):
            words = readable(str(message.get("text", "")))
            await self._replies.open(asker, reply, prefilled=words)
        else:
            self._answer(asker, reply)
        await ack()

    async def reaction(self, ack: AsyncAck, body: Body) -> None:
        """A raised hand on a card claims it, a check mark closes it. Taking one back undoes nothing."""
        event = body.get("event") or {}
        item = event.get("item") or {}
        verb = self._reactions.get(str(event.get("reaction", "")).partition("::")[0])
        us = await self._api.identity()
        if verb is None or item.get("type") != "message" or event.get("item_user") != us.user_id:
            await ack()
            return
        channel, ts = str(item.get("channel", "")), str(item.get("ts", ""))
        asker = Asker(user=str(event.get("user", "")), channel=channel)
        act = f"event:{body.get('event_id', '')}"

        async def run() -> None:
            reply = await self._as_staff(
                asker, lambda actor: self._desk.command(actor, verb), act=act, on=ts
            )
            self._answer(asker, reply)

        await self._once.run(act, run)
        await ack()

    # --- the Home tab -----------------------------------------------------------------------

    async def opened_home(self, ack: AsyncAck, body: Body) -> None:
        event = body.get("event") or {}
        if event.get("tab", "home") == "home":
            self._replies.later(self.publish(str(event.get("user", ""))), "home")
        await ack()

    async def publish(self, user: str) -> None:
        """Draw a person's Home tab."""
        try:
            actor = await self._people.actor(user)
        except NotStaff as refused:
            await self._replies.home(user, closed(str(refused)))
            return
        asked = [await self._desk.command(actor, line) for line in ("mine", "queue", "settings")]
        mine, queue, settings = (
            reply if isinstance(reply, Message) else say(reply.title) for reply in asked
        )
        shown = closed(mine.text) if mine.refused else home(mine, queue, settings)
        await self._replies.home(user, shown)

    async def nothing(self, ack: AsyncAck) -> None:
        """An event that says nothing to us."""
        await ack()

    async def error(self, error: Exception) -> BoltResponse:
        """Not acknowledged: Slack shows that it failed, or delivers it again."""
        kind = "not stored" if isinstance(error, NotStored) else type(error).__name__
        log.error("slack.not_acknowledged", fault=kind)
        return BoltResponse(status=500)

    # --- what all have in common ------------------------------------------------------------

    async def _as_staff(
        self,
        asker: Asker,
        ask: Callable[[Actor], Awaitable[Reply]],
        *,
        act: str = "",
        thread: str = "",
        on: str = "",
    ) -> Reply:
        """The desk's answer, or why this person gets none."""
        try:
            actor = await self._people.actor(
                asker.user, asker.channel, thread=thread, on=on, act=act
            )
        except NotStaff as refused:
            return replace(say(str(refused)), refused=True)
        return await ask(actor)

    def _answer(self, asker: Asker, reply: Reply) -> None:
        if isinstance(reply, Form):
            self._replies.later(self._replies.open(asker, reply), "form")
            return
        if reply.failed:
            raise NotStored
        self._replies.later(self._replies.answer(asker, reply), "answer")

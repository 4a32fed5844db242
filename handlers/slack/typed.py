"""What people type: `/lib ...`, `@staffbot ...` in a channel or thread, a direct message to the bot."""

from __future__ import annotations

from collections.abc import Callable

from slack_bolt.async_app import AsyncAck

from handlers.slack.api import Api
from handlers.slack.asking import Asking
from handlers.slack.bodies import Body, asker_of_command, moment_of, named, readable, without
from handlers.slack.once import Once
from handlers.slack.replies import Asker, spoken
from staffbot.commands import Call, parse
from staffbot.messages import Chart, File, Form, Message
from staffbot.model import system_clock
from staffbot.policy import lateness

ALIASES = ("claim",)  # verbs that are commands of their own too


class Typed:
    def __init__(self, api: Api, asking: Asking, once: Once, *, root: str = "lib") -> None:
        self._api = api
        self._asking = asking
        self._once = once
        self._root = root

    async def command(self, ack: AsyncAck, body: Body) -> None:
        """`/lib claim 42`, `/claim 42`. The answer goes with the acknowledgement."""
        word = str(body.get("command", "")).lstrip("/").lower()
        typed = readable(str(body.get("text", "")))
        text = f"{word} {typed}".strip() if word in ALIASES and word != self._root else typed
        asker = asker_of_command(body)
        act = f"command:{asker.trigger}"
        answered: list[Message] = []
        waits = True

        async def run() -> None:
            asking = self._asking
            reply = await asking.as_staff(
                asker, lambda actor: asking.desk.command(actor, text),
                act=act, named=named(text),
            )  # fmt: skip
            reply = asking.hints.added(reply, text)
            if isinstance(reply, Form):
                await asking.replies.open(asker, reply)
            elif waits and not any(isinstance(part, Chart | File) for part in reply.parts):
                answered.append(reply)
            else:
                asking.replies.later(asking.replies.answer(asker, reply), "command")

        name = act if asker.trigger else ""
        waits = await self._asking.soon(
            self._read(text), lambda: self._once.run(name, run), "command"
        )
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
        """A message that is meant for us; also one that is read in the history after a gap."""
        user, channel, ts = (str(event.get(name) or "") for name in ("user", "channel", "ts"))
        if not user or not ts or event.get("bot_id"):
            return
        us = await self._api.identity()
        text = readable(without(us.user_id, str(event.get("text", "")))).strip()
        thread = str(event.get("thread_ts") or "")
        act, at = f"message:{channel}:{ts}", moment_of(ts)
        asker = Asker(user=user, channel=channel, thread=thread)
        late = lateness(at, system_clock()) is not None  # then they are written to
        waits = True

        async def run() -> None:
            asking = self._asking
            reply = await asking.as_staff(
                asker, lambda actor: asking.desk.command(actor, text),
                act=act, thread=thread, lasting=True, at=at, named=named(text),
            )  # fmt: skip
            to = Asker(user=user) if late else asker
            if isinstance(reply, Message) and reply.failed and not waits:
                asking.replies.later(asking.replies.answer(to, reply), "mention")
            else:
                asking.answer(to, asking.hints.added(reply, text))

        read = self._read(text, in_thread=bool(thread))
        waits = await self._asking.soon(read, lambda: self._once.run(act, run), "mention")

    def _read(self, text: str, *, in_thread: bool = False) -> Callable[[], Call]:
        return lambda: parse(text, root=self._root, in_thread=in_thread)

"""When the Home tab is drawn, and from what; how it looks is home.py's."""

from __future__ import annotations

from slack_bolt.async_app import AsyncAck

from handlers.slack.asking import Asking
from handlers.slack.bodies import Body
from handlers.slack.home import closed, home
from handlers.slack.people import NotStaff
from staffbot.messages import Message, say


class HomeTab:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def opened(self, ack: AsyncAck, body: Body) -> None:
        event = body.get("event") or {}
        if event.get("tab", "home") == "home":
            self._asking.replies.later(self.publish(str(event.get("user", ""))), "home")
        await ack()

    async def publish(self, user: str) -> None:
        """Draw a person's Home tab."""
        desk, replies = self._asking.desk, self._asking.replies
        try:
            actor = await self._asking.people.actor(user)
        except NotStaff as refused:
            await replies.home(user, closed(str(refused)))
            return
        asked = [await desk.command(actor, line) for line in ("mine", "queue", "settings")]
        mine, queue, settings = (
            reply if isinstance(reply, Message) else say(reply.title) for reply in asked
        )
        shown = closed(mine.text) if mine.refused else home(mine, queue, settings)
        await replies.home(user, shown)

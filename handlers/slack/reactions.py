"""Reactions on our messages: a raised hand claims, a check mark closes. Heard live, or read later.

The act is named by the message, what is asked for and who, so one that was heard and is read again
after a gap is one act. When it was done tells a hand that is raised again from that which is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slack_bolt.async_app import AsyncAck

from handlers.slack.api import Api, Identity
from handlers.slack.asking import Asking, NotStored, is_failed
from handlers.slack.bodies import Body, moment_of
from handlers.slack.members import PLATFORM
from handlers.slack.once import Once
from handlers.slack.replies import Asker
from staffbot.model import MessageRef, Room
from staffbot.seams import Mark


class Reactions:
    def __init__(
        self,
        api: Api,
        asking: Asking,
        once: Once,
        *,
        claims: Sequence[str] = (),
        dones: Sequence[str] = (),
    ) -> None:
        self._api = api
        self._asking = asking
        self._once = once
        self._verbs = {**dict.fromkeys(claims, "claim"), **dict.fromkeys(dones, "done")}

    async def added(self, ack: AsyncAck, body: Body) -> None:
        """Somebody reacts. Taking a reaction back undoes nothing."""
        event = body.get("event") or {}
        item = event.get("item") or {}
        verb = self._verb(event.get("reaction"))
        us = await self._api.identity()
        if not verb or item.get("type") != "message" or event.get("item_user") != us.user_id:
            await ack()
            return
        at = str(event.get("event_ts") or "")
        mark = _mark(str(item.get("channel", "")), str(item.get("ts", "")), verb, event.get("user"))
        asker = Asker(user=mark.user_id, channel=mark.on.room.id)
        # Without its time a second delivery is told by the event alone.
        name = f"{mark.act}:{at or body.get('event_id', '')}"
        await self._once.run(name, lambda: self._ask(mark, asker, asker, at))
        await ack()

    async def missed(self, mark: Mark, *, late: bool) -> None:
        """What was read after a gap. Raises NotStored where it has to be tried again."""
        asker = Asker(user=mark.user_id, channel=mark.on.room.id)
        await self._ask(mark, asker, Asker(user=mark.user_id) if late else asker)
        await self._asking.desk.noted([mark])

    async def _ask(self, mark: Mark, asker: Asker, to: Asker, at: str = "") -> None:
        desk = self._asking.desk
        reply = await self._asking.as_staff(
            asker, lambda actor: desk.command(actor, mark.verb),
            act=mark.act, on=mark.on.id, lasting=True, at=moment_of(at),
        )  # fmt: skip
        if is_failed(reply):
            raise NotStored
        self._asking.answer(to, reply)

    def marks(self, us: Identity, channel: str, message: Mapping[str, Any]) -> list[Mark]:
        """What stands on a message of ours, as its history tells; claims before what closes.

        Slack leaves out some of the people where very many reacted: a team is smaller than that.
        """
        if message.get("user") != us.user_id and message.get("bot_id") != us.bot_id:
            return []
        found = [
            _mark(channel, str(message["ts"]), verb, user)
            for reaction in message.get("reactions") or ()
            if (verb := self._verb(reaction.get("name")))
            for user in reaction.get("users") or ()
        ]
        return sorted(dict.fromkeys(found), key=lambda mark: mark.verb != "claim")

    def _verb(self, reaction: object) -> str:
        """What a reaction asks for, in any skin tone; "" for one that is only a reaction."""
        return self._verbs.get(str(reaction or "").partition("::")[0], "")


def _mark(channel: str, ts: str, verb: str, user: object) -> Mark:
    return Mark(
        user_id=str(user or ""),
        on=MessageRef(room=Room(platform=PLATFORM, id=channel), id=ts),
        verb=verb,
        act=f"reaction:{channel}:{ts}:{verb}:{user}",
    )

"""What Slack tells us, and who takes it: commands, presses, forms, reactions, mentions, the Home tab.

A listener makes one call to the desk and then acknowledges, so an acknowledgement means stored. What
Slack delivers again has one effect: the desk knows each act by its name, and here a second delivery
of the same act waits for the first and answers nothing. Retries are never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse

from handlers.slack import forms
from handlers.slack.api import BOLT_LOG, Api
from handlers.slack.asking import Asking, NotStored
from handlers.slack.bodies import Body
from handlers.slack.hints import Hints
from handlers.slack.home_tab import HomeTab
from handlers.slack.once import Once
from handlers.slack.people import People
from handlers.slack.pressing import Pressing
from handlers.slack.reactions import Reactions
from handlers.slack.replies import Replies
from handlers.slack.typed import Typed
from staffbot.seams import Desk
from staffbot.secret import Secret

log = structlog.get_logger("staffbot.slack")


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
        hints = Hints(claim_reactions, done_reactions)
        asking = Asking(desk=desk, people=people, replies=replies, hints=hints)
        once = Once()
        self._api = api
        self._desk = desk
        self._people = people
        self._home = HomeTab(asking)
        self._pressing = Pressing(api, asking, once, self._home)
        self.typed = Typed(api, asking, once, root=root)
        self.reactions = Reactions(
            api, asking, once, claims=claim_reactions, dones=done_reactions
        )  # fmt: skip

    def app(self, *, token: Secret, signing_secret: Secret | None) -> AsyncApp:
        """A Bolt app that tells these everything. Made anew with each connection."""

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
        app.command(everything)(self.typed.command)
        app.action(everything)(self._pressing.action)
        app.view(forms.CALLBACK)(self._pressing.submission)
        app.shortcut(everything)(self._pressing.shortcut)
        app.event("reaction_added")(self.reactions.added)
        app.event("app_mention")(self.typed.mention)
        app.event("message")(self.typed.letter)
        app.event("app_home_opened")(self._home.opened)
        app.event("member_joined_channel")(self.moved)
        app.event("member_left_channel")(self.moved)
        app.event(everything)(self.nothing)
        app.error(self.error)
        return app

    async def moved(self, ack: AsyncAck, body: Body) -> None:
        """Somebody joined a channel or left it."""
        event = body.get("event") or {}
        user, channel = (str(event.get(name) or "") for name in ("user", "channel"))
        joined = event.get("type") == "member_joined_channel"
        self._people.moved(user, channel, joined=joined)
        room = self._people.room(channel)
        if joined and room is not None and user == (await self._api.identity()).user_id:
            await self._desk.opened(room)  # the app itself was invited again
        await ack()

    async def nothing(self, ack: AsyncAck) -> None:
        """An event that says nothing to us."""
        await ack()

    async def error(self, error: Exception) -> BoltResponse:
        """Not acknowledged: Slack shows that it failed, or delivers it again."""
        kind = "not stored" if isinstance(error, NotStored) else type(error).__name__
        log.error("slack.not_acknowledged", fault=kind)
        return BoltResponse(status=500)

"""What the Slack door is to the house: its settings, how to open it, how to check it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from handlers.slack.api import Api
from handlers.slack.catch_up import REST_SECONDS, CatchUp
from handlers.slack.chat import Ears, SlackChat
from handlers.slack.checking import check as check_workspace
from handlers.slack.commands import app as commands
from handlers.slack.ears import PING_SECONDS, Requests, Socket
from handlers.slack.listeners import Listeners
from handlers.slack.manifest import PATH
from handlers.slack.members import PLATFORM
from handlers.slack.missed import Missed
from handlers.slack.people import People
from handlers.slack.pinging import ping
from handlers.slack.replies import Replies
from staffbot.model import Clock
from staffbot.network import Route
from staffbot.seams import Chat, Desk, Door, Finding
from staffbot.secret import FromEnvironment, environment
from staffbot.settings import DoorSettings, Settings

SLACK = "https://slack.com/api/"
CALL_LIMIT = 0.5  # of a request's life: a call that hangs is given up well before the outbox does


class SlackOptions(BaseModel):
    """The `[slack]` table. Which token is needed besides depends on `mode`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["socket", "http"] = "socket"
    bot_token: FromEnvironment = environment("SLACK_BOT_TOKEN")
    app_token: FromEnvironment | None = None
    signing_secret: FromEnvironment | None = None
    managers_group: str = ""
    claim_reactions: tuple[str, ...] = ("hand", "raised_hand", "raising_hand")
    done_reactions: tuple[str, ...] = ("white_check_mark",)
    api_url: str = SLACK
    post_every: float = Field(default=1.0, ge=0.0, le=60.0, exclude=True, repr=False)
    ping_every: float = Field(default=PING_SECONDS, gt=0.0, le=60.0, exclude=True, repr=False)
    rest: float = Field(default=REST_SECONDS, ge=0.0, le=60.0, exclude=True, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _the_other_token(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        name, variable = ("app_token", "SLACK_APP_TOKEN")
        if given.get("mode", "socket") == "http":
            name, variable = ("signing_secret", "SLACK_SIGNING_SECRET")
        return {name: variable, **given}

    @field_validator("bot_token")
    @classmethod
    def _a_bot(cls, token: Any) -> Any:
        if not token.value.startswith("xoxb-"):
            raise ValueError(
                "is not a bot token: it begins with xoxb- and stands under OAuth & Permissions"
            )
        return token

    @field_validator("app_token")
    @classmethod
    def _an_app(cls, token: Any) -> Any:
        if token is not None and not token.value.startswith("xapp-"):
            raise ValueError(
                "is not an app-level token: it begins with xapp- and stands under "
                "Basic Information, App-Level Tokens"
            )
        return token

    @field_validator("claim_reactions", "done_reactions", mode="after")
    @classmethod
    def _bare(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip(":") for name in names)


def _options(settings: DoorSettings) -> SlackOptions:
    return cast(SlackOptions, settings.options)


def _api(options: SlackOptions, settings: Settings) -> Api:
    return Api(
        options.bot_token,
        url=options.api_url,
        network=settings.network,
        timeout=settings.delivery.request_life.total_seconds() * CALL_LIMIT,
        every=options.post_every,
    )


def _open(door_settings: DoorSettings, settings: Settings, desk: Desk, clock: Clock) -> Chat:
    options = _options(door_settings)
    api = _api(options, settings)
    replies = Replies(api)
    people = People(api, settings, managers_group=options.managers_group)
    listeners = Listeners(
        api=api,
        desk=desk,
        people=people,
        replies=replies,
        root=settings.root,
        claim_reactions=options.claim_reactions,
        done_reactions=options.done_reactions,
    )
    gaps = CatchUp(
        desk=desk,
        typed=listeners.typed,
        reactions=listeners.reactions,
        missed=Missed(api, listeners.reactions),
        channels=channels(settings),
        rest=options.rest,
    )
    return SlackChat(api, _ears(options, api, listeners, replies, gaps), people)


def _ears(
    options: SlackOptions, api: Api, listeners: Listeners, replies: Replies, gaps: CatchUp
) -> Ears:
    def app() -> Any:
        secret = options.signing_secret if options.mode == "http" else None
        return listeners.app(token=options.bot_token, signing_secret=secret)

    if options.mode == "http":
        return Requests(app, replies, gaps)
    assert options.app_token is not None  # the options' validator saw to it
    return Socket(app, api, options.app_token, replies, gaps, ping_every=options.ping_every)


def channels(settings: Settings) -> tuple[str, ...]:
    """The channels of all teams on Slack."""
    rooms = (room.room for team in settings.teams for room in team.rooms)
    return tuple(dict.fromkeys(room.id for room in rooms if room.platform == PLATFORM))


async def _check(door_settings: DoorSettings, settings: Settings) -> Sequence[Finding]:
    options = _options(door_settings)
    api = _api(options, settings)
    try:
        return await check_workspace(
            api,
            channels=channels(settings),
            app_token=options.app_token if options.mode == "socket" else None,
            managers_group=options.managers_group,
        )
    finally:
        await api.close()


async def _ping(door_settings: DoorSettings, settings: Settings, user: str) -> Finding:
    api = _api(_options(door_settings), settings)
    try:
        return await ping(api, user)
    finally:
        await api.close()


def _routes(chat: Chat) -> Sequence[Route]:
    assert isinstance(chat, SlackChat)
    if not isinstance(chat.ears, Requests):
        return []
    return [Route(method="POST", path=PATH, handle=chat.hear, limit=1024 * 1024)]


door = Door(
    platform=PLATFORM,
    options=SlackOptions,
    open=_open,
    check=_check,
    routes=_routes,
    commands=commands,
    ping=_ping,
)

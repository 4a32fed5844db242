"""Signed in to a Mastodon server with an access token. Knows its addresses, no desk and no cursor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from staffbot.errors import SourceError
from staffbot.secret import FromEnvironment
from staffbot.settings import Network as NetworkSettings
from staffbot.sources import mastodon_statuses, payload
from staffbot.sources.api import Answer, Api, Params, Server

Status = Mapping[str, Any]
# What is believed of the length of a status.
_FEWEST, _MOST = 50, 100_000


def _is_hashtag(text: str) -> str:
    tag = text.removeprefix("#")
    if not tag.isidentifier():
        raise ValueError("is no hashtag; write it as one word: RiversideLibrary")
    return tag


class Options(BaseModel):
    """What stands under a `[[sources]]` entry of type "mastodon", beside what every source has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: Server = Field(examples=["https://social.example"])
    token: FromEnvironment = Field(examples=["STAFFBOT_MASTODON_TOKEN"])
    accounts: tuple[str, ...] = Field(default=(), examples=[["kids@social.example"]])
    hashtags: tuple[Annotated[str, AfterValidator(_is_hashtag)], ...] = Field(
        default=(), max_length=10, examples=[["RiversideLibrary"]]
    )
    list: str = Field(default="", pattern=r"^[A-Za-z0-9]*$", examples=["42"])
    # Left out, what the server says itself.
    most_characters: int | None = Field(default=None, ge=_FEWEST, le=_MOST, examples=[500])
    allow_private: bool = False


class Account:
    """The library's account at one server."""

    def __init__(self, options: Options, network: NetworkSettings) -> None:
        self._options = options
        self._network = network
        self.id = self.name = ""
        self.most_characters = options.most_characters
        self.characters_of_link: int | None = None

    def api(self) -> Api:
        return Api(
            self._options.server, network=self._network,
            allow_private=self._options.allow_private,
            headers={"Authorization": f"Bearer {self._options.token.value}"},
        )  # fmt: skip

    async def know_itself(self, api: Api) -> None:
        """Learn which account the token belongs to; asked once."""
        if self.id:
            return
        told = await self.get(api, "/api/v1/accounts/verify_credentials")
        self.id = mastodon_statuses.id_of(told)
        self.name = payload.text(told, "acct")
        if not self.id:
            raise SourceError(
                f"{api.host} does not say whose token this is: is it the right server?"
            )
        await self._know_limits(api)

    async def _know_limits(self, api: Api) -> None:
        """What the server lets a status be, where it tells."""
        try:
            told = await self.ask(api, "/api/v2/instance")
        except SourceError:
            return
        statuses = payload.inner(told.body, "configuration", "statuses")
        most = payload.number(statuses, "max_characters")
        if self._options.most_characters is None and _FEWEST <= most <= _MOST:
            self.most_characters = most
        of_link = payload.number(statuses, "characters_reserved_per_url")
        if 0 < of_link <= _FEWEST:
            self.characters_of_link = of_link

    def is_own(self, status: object) -> bool:
        """Whether one of the library's own accounts wrote it."""
        name = payload.text(status, "account", "acct")
        return mastodon_statuses.author(status) == self.id or name in self._options.accounts

    async def ask(self, api: Api, path: str, params: Params = ()) -> Answer:
        """The answer, with "not there" as one of its kinds. Raises SourceError on other refusals."""
        answer = await api.ask(path, params)
        if answer.ok or answer.status in (404, 410):
            return answer
        raise SourceError(_refusal(api.host, answer))

    async def get(self, api: Api, path: str, params: Params = ()) -> Any:
        """What is there. Raises SourceError where it is not."""
        answer = await self.ask(api, path, params)
        if answer.ok:
            return answer.body
        raise SourceError(_refusal(api.host, answer))

    async def statuses(self, api: Api, path: str, params: Params = ()) -> list[Status]:
        """A list of statuses; one that is not there (a hashtag never used) is empty."""
        answer = await self.ask(api, path, params)
        return [one for one in payload.records(answer.body) if mastodon_statuses.id_of(one)]

    async def own_statuses(self, api: Api, before: str = "") -> list[Status]:
        """A page of the library's own statuses, newest first, without boosts."""
        params = [("limit", "40"), ("exclude_reblogs", "true")]
        params += [("max_id", before)] if before else []
        return await self.statuses(api, f"/api/v1/accounts/{self.id}/statuses", params)


def _refusal(host: str, answer: Answer) -> str:
    """Why the server refuses, and what helps. Never what it said itself."""
    match answer.status:
        case 401:
            helps = (
                "it does not take this access token: make a new one there under Preferences, "
                "Development, with the scopes read and write:statuses"
            )
        case 403:
            helps = (
                "the access token may not do that: give its application the scope read, "
                "and make a new token"
            )
        case 404 | 410:
            helps = "no server of the Mastodon kind is at this address"
        case _:
            helps = "it does not understand the request"
    return f"{host} answered {answer.status}: {helps}"

"""Signed in to a Mastodon server with an access token. Knows its addresses, no desk and no cursor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from yarl import URL

from staffbot.errors import SourceError
from staffbot.secret import FromEnvironment
from staffbot.settings import Network as NetworkSettings
from staffbot.sources import mastodon_statuses, payload
from staffbot.sources.api import Answer, Api, Params, Server, TooLarge

log = structlog.get_logger("staffbot.sources")

Status = Mapping[str, Any]
PAGE = 40
# Mentions, edits, quotes, and on GoToSocial replies that wait to be let through.
_KINDS = ("mention", "update", "quote", "pending.reply")
_DROPPED = {
    "for_not_following": "of people whom it does not follow",
    "for_not_followers": "of people who do not follow it",
    "for_new_accounts": "of new accounts",
    "for_private_mentions": "that are private",
}
_SCOPES = (
    ("/notifications", "read:notifications"),
    ("/timelines/list", "read:lists"),
    ("verify_credentials", "read:accounts"),
    ("/statuses", "read:statuses"),
)
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
        self._own = frozenset(_full(one, "") for one in options.accounts)
        self._hosts = {URL(options.server).host or ""}
        self._all_kinds = True
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
        await self._know_server(api)

    async def _know_server(self, api: Api) -> None:
        """What the server is called, and what it lets a status be, where it tells."""
        told: object = None
        statuses: object = None
        for path in ("/api/v2/instance", "/api/v1/instance"):
            try:
                told = (await self.ask(api, path)).body
            except SourceError:
                continue
            # The names of accounts may end in another domain than that of the server's address.
            named = (payload.text(told, "domain"), payload.text(told, "uri"))
            self._hosts |= {one.lower().removeprefix("https://") for one in named}
            statuses = payload.inner(told, "configuration", "statuses")
            if isinstance(statuses, Mapping):
                break
        # Pleroma tells it at the top.
        most = payload.number(statuses, "max_characters") or payload.number(told, "max_toot_chars")
        if self._options.most_characters is None and _FEWEST <= most <= _MOST:
            self.most_characters = most
        of_link = payload.number(statuses, "characters_reserved_per_url")
        if 0 < of_link <= _FEWEST:
            self.characters_of_link = of_link

    @property
    def has_more(self) -> bool:
        """Whether the library has other accounts than the one that signs in."""
        return bool(self._own)

    def is_own(self, status: object) -> bool:
        """Whether one of the library's own accounts wrote it."""
        if mastodon_statuses.author(status) == self.id:
            return True
        # A server leaves its own domain out of names; a person who configures may write it.
        name = payload.text(status, "account", "acct")
        return bool(name) and any(_full(name, host) in self._own for host in ("", *self._hosts))

    async def notifications(self, api: Api, before: str = "") -> Any:
        """A page of notifications, newest first; None where there is no such list.

        Those that the account has Mastodon hold back from its own app are asked for too: of new
        accounts, of people that the library does not follow.
        """
        more = [("limit", str(PAGE)), *([("max_id", before)] if before else [])]
        path = "/api/v1/notifications"
        if self._all_kinds:
            kinds = [("types[]", kind) for kind in _KINDS]
            answer = await api.ask(path, [*kinds, ("include_filtered", "true"), *more])
            if answer.status not in (400, 422):
                return self._read(api, answer, path)
            self._all_kinds = False  # it refuses a question with a kind that it does not know
        answer = await api.ask(path, [("types[]", "mention"), *more])
        return self._read(api, answer, path)

    async def dropped(self, api: Api) -> str:
        """Whose mentions the account's own settings drop before they can be read; "" for nobody's."""
        try:
            policy = (await api.ask("/api/v2/notifications/policy")).body
        except SourceError:
            return ""  # only Mastodon has it
        return " and ".join(
            said for name, said in _DROPPED.items() if payload.text(policy, name) == "drop"
        )

    def _read(self, api: Api, answer: Answer, path: str) -> Any:
        if answer.ok:
            return answer.body
        raise SourceError(_refusal(api.host, answer, path))

    async def ask(self, api: Api, path: str, params: Params = ()) -> Answer:
        """The answer, with "not there" as one of its kinds. Raises SourceError on other refusals."""
        answer = await api.ask(path, params)
        if answer.ok or answer.status in (404, 410):
            return answer
        raise SourceError(_refusal(api.host, answer, path))

    async def get(self, api: Api, path: str, params: Params = ()) -> Any:
        """What is there. Raises SourceError where it is not."""
        answer = await self.ask(api, path, params)
        if answer.ok:
            return answer.body
        raise SourceError(_refusal(api.host, answer, path))

    async def statuses(self, api: Api, path: str, params: Params = ()) -> list[Status]:
        """A list of statuses; one that is not there (a hashtag never used) is empty."""
        answer = await self.ask(api, path, params)
        return [one for one in payload.records(answer.body) if mastodon_statuses.id_of(one)]

    async def context(self, api: Api, id_: str) -> Any:
        """What stands above and below a status; nothing where that is more than we take, so that a
        thread of thousands does not keep all else from being read."""
        try:
            return (await self.ask(api, f"/api/v1/statuses/{id_}/context")).body
        except TooLarge:
            log.warning("mastodon.conversation_not_read", reason="too_large")
            return {}

    async def own_statuses(self, api: Api, before: str = "") -> list[Status]:
        """A page of the library's own statuses, newest first, without boosts."""
        params = [("limit", "40"), ("exclude_reblogs", "true")]
        params += [("max_id", before)] if before else []
        return await self.statuses(api, f"/api/v1/accounts/{self.id}/statuses", params)


def is_gone(answer: Answer) -> bool:
    """Whether the server itself says that it is not there: a page of some proxy does not count."""
    return answer.status in (404, 410) and answer.body is not None


def lacks_scope(answer: Answer) -> bool:
    """Whether the token may not do it, and not the account. The words are only looked at."""
    said = (payload.text(answer.body, "error"), payload.text(answer.body, "error_description"))
    return answer.status == 403 and "scope" in " ".join(said).lower()


def _full(name: str, host: str) -> str:
    """The name of an account with its domain, if one is known."""
    plain = name.removeprefix("@").lower()
    return f"{plain}@{host}" if host and "@" not in plain else plain


def _scope(path: str) -> str:
    """The narrowest scope that opens this path."""
    return next((scope for part, scope in _SCOPES if part in path), "read")


def _refusal(host: str, answer: Answer, path: str) -> str:
    """Why the server refuses, and what helps. Never what it said itself."""
    match answer.status:
        case 401:
            helps = (
                "it does not take this access token: make a new one there under Preferences, "
                "Development, with the scopes read and write:statuses"
            )
        case 403 if lacks_scope(answer):
            helps = (
                f"the access token lacks a scope: give its application read (or at least "
                f"{_scope(path)}), and make a new token"
            )
        case 403:
            helps = (
                "the account may not do that: look there whether it is confirmed, approved and not "
                "suspended, and whether the token has the scope read"
            )
        case 404 | 410:
            helps = "no server of the Mastodon kind is at this address"
        case _:
            helps = "it does not understand the request"
    return f"{host} answered {answer.status}: {helps}"

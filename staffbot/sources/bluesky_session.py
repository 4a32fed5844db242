"""Signed in to a Bluesky server with an app password, again and again. Knows no posts.

Tokens live in memory only: they are secrets, and a restart signs in anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from staffbot.errors import SourceError
from staffbot.secret import FromEnvironment
from staffbot.settings import Network as NetworkSettings
from staffbot.sources import payload
from staffbot.sources.api import Answer, Api, Params, Server, is_server

# What a server calls a token that is worn out; it answers 400 then, not 401.
_WORN_OUT = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"})
# The network takes 300 sign-ins a day; several loops would use them up with a wrong password.
_REFUSED_FOR_SECONDS = 600.0
SWITCHED_OFF = frozenset({"AccountTakedown", "AccountDeactivated", "AccountSuspended"})


def _is_name(text: str) -> str:
    """As the network writes it: `@Library.example` is library.example there, and so is the address of
    its page."""
    plain = text.strip().rpartition("/profile/")[2].strip("/").removeprefix("@")
    return plain if plain.startswith("did:") else plain.lower()


Name = Annotated[str, AfterValidator(_is_name)]


class Options(BaseModel):
    """What stands under a `[[sources]]` entry of type "bluesky", beside what every source has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    handle: Name = Field(min_length=3, examples=["library.bsky.social"])
    password: FromEnvironment = Field(examples=["STAFFBOT_BLUESKY_PASSWORD"])
    server: Server = "https://bsky.social"
    web: Server = "https://bsky.app"
    accounts: tuple[Name, ...] = Field(default=(), examples=[["kids.library.example"]])
    search: tuple[str, ...] = Field(default=(), max_length=10, examples=[["riverside library"]])
    allow_private: bool = False


class Session:
    """One account at one server."""

    def __init__(self, options: Options, network: NetworkSettings) -> None:
        self.options = options
        self._network = network
        self._access = self._refresh = ""
        # Where the account itself is, as its server says, and whether it is asked there.
        self._home, self._at_home = "", False
        self._signing_in = asyncio.Lock()
        self._refused, self._refused_until = "", 0.0
        self.did = ""

    def api(self) -> Api:
        return Api(
            self.options.server, network=self._network,
            allow_private=self.options.allow_private,
        )  # fmt: skip

    async def get(self, api: Api, method: str, params: Params = ()) -> Any:
        """What the method returns. Raises SourceError where the server refuses."""
        answer = await self.ask(api, method, params)
        if answer.ok:
            return answer.body
        raise SourceError(refusal(api.host, answer, self.options))

    async def ask(
        self,
        api: Api,
        method: str,
        params: Params = (),
        *,
        content: Mapping[str, Any] | None = None,
    ) -> Answer:
        """The answer of the method, whatever it is; signs in before, and again where that wore out.

        What only signs people in is asked no further: it names the server that the account is on.
        """
        used = await self._signed_in(api)
        answer = await self._call(api, method, params, content)
        if _is_worn_out(answer):
            await self._renew(api, used)
            answer = await self._call(api, method, params, content)
        if self._home and not self._at_home and (_is_worn_out(answer) or _is_no_such(answer)):
            self._at_home = True
            answer = await self._call(api, method, params, content)
        return answer

    async def know_itself(self, api: Api) -> None:
        """Learn the account's own name; asked once."""
        if not self.did:
            await self._signed_in(api)

    async def _signed_in(self, api: Api) -> str:
        """Sign in unless that was done. Returns the token that is used now."""
        async with self._signing_in:
            if not self._access:
                await self._sign_in(api)
            return self._access

    async def _renew(self, api: Api, used: str) -> None:
        """Another token than `used`. Several loops share one sign-in, so another may have done it."""
        async with self._signing_in:
            if self._access == used and not await self._refreshed(api):
                await self._sign_in(api)

    async def _call(
        self, api: Api, method: str, params: Params, content: Mapping[str, Any] | None
    ) -> Answer:
        signed = {"Authorization": f"Bearer {self._access}"}
        how = "GET" if content is None else "POST"
        return await api.ask(
            f"/xrpc/{method}", params, method=how, headers=signed, content=content,
            server=self._home if self._at_home else "",
        )  # fmt: skip

    async def _refreshed(self, api: Api) -> bool:
        signed = {"Authorization": f"Bearer {self._refresh}"}
        method = "com.atproto.server.refreshSession"
        return self._keep(await api.ask(f"/xrpc/{method}", method="POST", headers=signed))

    async def _sign_in(self, api: Api) -> None:
        if time.monotonic() < self._refused_until:
            raise SourceError(self._refused)
        # The profile is not looked up: a new account may not have one yet.
        given = {"identifier": self.options.handle, "password": self.options.password.value}
        method = "com.atproto.server.createSession"
        answer = await api.ask(f"/xrpc/{method}", method="POST", content=given)
        if not self._keep(answer):
            self._refused = refusal(api.host, answer, self.options)
            self._refused_until = time.monotonic() + _REFUSED_FOR_SECONDS
            raise SourceError(self._refused)

    def _keep(self, answer: Answer) -> bool:
        access = payload.text(answer.body, "accessJwt") if answer.ok else ""
        self._access = access if _is_token(access) else ""
        if not self._access:
            return False
        refresh = payload.text(answer.body, "refreshJwt")
        self._refresh = refresh if _is_token(refresh) else ""
        self.did = payload.native_id(answer.body, "did")
        home = _home(answer.body)
        if home != self.options.server and (self.options.allow_private or home[:6] == "https:"):
            self._home = home
        return True


def _home(told: object) -> str:
    """Where the account's own document says that it is, or ""."""
    for service in payload.records(told, "didDoc", "service"):
        if payload.text(service, "id").endswith("#atproto_pds"):
            try:
                return is_server(payload.text(service, "serviceEndpoint"))
            except ValueError:
                return ""
    return ""


def _is_worn_out(answer: Answer) -> bool:
    return answer.status in (400, 401) and payload.text(answer.body, "error") in _WORN_OUT


def _is_no_such(answer: Answer) -> bool:
    """Whether the server has no such method; what is missing otherwise has a name and status 400."""
    return answer.status in (404, 405)


def _is_token(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()


def refusal(host: str, answer: Answer, options: Options) -> str:
    """Why the server refuses, and what helps. Never what it said itself."""
    code = payload.text(answer.body, "error")
    code = code if code.isascii() and code.isalnum() else ""
    if code in SWITCHED_OFF:
        helps = f"the account {options.handle} is switched off there"
    elif answer.status in (401, 403) or code in _WORN_OUT:
        helps = (
            f"it does not take {options.handle} with this app password: make a new one in Bluesky "
            "under Settings, Privacy and security, App passwords. Look at `handle` too if the "
            "account has another name now, and at `server` if it is on another server"
        )
    elif answer.status in (404, 501) or code == "MethodNotImplemented":
        helps = "there is no Bluesky server at this address, or an older one"
    else:
        helps = f"it does not understand the request ({code[:60] or 'no reason given'})"
    return f"{host} answered {answer.status}: {helps}"

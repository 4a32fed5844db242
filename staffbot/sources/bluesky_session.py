"""Signed in to a Bluesky server with an app password, again and again. Knows no posts.

Tokens live in memory only: they are secrets, and a restart signs in anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from staffbot.errors import SourceError
from staffbot.secret import FromEnvironment
from staffbot.settings import Network as NetworkSettings
from staffbot.sources import payload
from staffbot.sources.api import Answer, Api, Params, Server

# What a server calls a token that is worn out; it answers 400 then, not 401.
_WORN_OUT = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"})


class Options(BaseModel):
    """What stands under a `[[sources]]` entry of type "bluesky", beside what every source has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    handle: str = Field(min_length=3, examples=["library.bsky.social"])
    password: FromEnvironment = Field(examples=["STAFFBOT_BLUESKY_PASSWORD"])
    server: Server = "https://bsky.social"
    web: Server = "https://bsky.app"
    accounts: tuple[str, ...] = Field(default=(), examples=[["kids.library.example"]])
    search: tuple[str, ...] = Field(default=(), max_length=10, examples=[["riverside library"]])
    allow_private: bool = False


class Session:
    """One account at one server."""

    def __init__(self, options: Options, network: NetworkSettings) -> None:
        self._options = options
        self._network = network
        self._access = self._refresh = ""
        self.did = ""

    def api(self) -> Api:
        return Api(
            self._options.server, network=self._network,
            allow_private=self._options.allow_private,
        )  # fmt: skip

    async def get(self, api: Api, method: str, params: Params = ()) -> Any:
        """What the method returns. Raises SourceError where the server refuses."""
        answer = await self.ask(api, method, params)
        if answer.ok:
            return answer.body
        raise SourceError(_refusal(api.host, answer, self._options))

    async def ask(
        self,
        api: Api,
        method: str,
        params: Params = (),
        *,
        content: Mapping[str, Any] | None = None,
    ) -> Answer:
        """The answer of the method, whatever it is; signs in before, and again where that wore out."""
        if not self._access:
            await self._sign_in(api)
        answer = await self._call(api, method, params, content)
        if answer.status in (400, 401) and payload.text(answer.body, "error") in _WORN_OUT:
            if not await self._refreshed(api):
                await self._sign_in(api)
            answer = await self._call(api, method, params, content)
        return answer

    async def know_itself(self, api: Api) -> None:
        """Learn the account's own name; asked once."""
        if not self.did:
            await self._sign_in(api)

    async def _call(
        self, api: Api, method: str, params: Params, content: Mapping[str, Any] | None
    ) -> Answer:
        signed = {"Authorization": f"Bearer {self._access}"}
        how = "GET" if content is None else "POST"
        return await api.ask(f"/xrpc/{method}", params, method=how, headers=signed, content=content)

    async def _refreshed(self, api: Api) -> bool:
        signed = {"Authorization": f"Bearer {self._refresh}"}
        method = "com.atproto.server.refreshSession"
        return self._keep(await api.ask(f"/xrpc/{method}", method="POST", headers=signed))

    async def _sign_in(self, api: Api) -> None:
        # The profile is not looked up: a new account may not have one yet.
        given = {"identifier": self._options.handle, "password": self._options.password.value}
        method = "com.atproto.server.createSession"
        answer = await api.ask(f"/xrpc/{method}", method="POST", content=given)
        if not self._keep(answer):
            raise SourceError(_refusal(api.host, answer, self._options))

    def _keep(self, answer: Answer) -> bool:
        access = payload.text(answer.body, "accessJwt") if answer.ok else ""
        self._access = access if _is_token(access) else ""
        if not self._access:
            return False
        refresh = payload.text(answer.body, "refreshJwt")
        self._refresh = refresh if _is_token(refresh) else ""
        self.did = payload.native_id(answer.body, "did")
        return True


def _is_token(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()


def _refusal(host: str, answer: Answer, options: Options) -> str:
    """Why the server refuses, and what helps. Never what it said itself."""
    code = payload.text(answer.body, "error")
    code = code if code.isascii() and code.isalnum() else ""
    if answer.status in (401, 403) or code in _WORN_OUT:
        helps = (
            f"it does not take {options.handle} with this app password: make a new one in Bluesky "
            "under Settings, Privacy and security, App passwords"
        )
    elif code in ("AccountTakedown", "AccountDeactivated"):
        helps = f"the account {options.handle} is switched off there"
    elif answer.status in (404, 501) or code == "MethodNotImplemented":
        helps = "there is no Bluesky server at this address, or an older one"
    else:
        helps = f"it does not understand the request ({code[:60] or 'no reason given'})"
    return f"{host} answered {answer.status}: {helps}"

"""Patrons and accounts on servers that somebody has, named in the environment; plain HTTP."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import aiohttp
import pytest
from pydantic import BaseModel

from staffbot.seams import Network
from staffbot.secret import Secret
from staffbot.sources import bluesky, mastodon

# A post is looked at again after two to three minutes.
PATIENCE = 240.0


def needed(*names: str) -> list[str]:
    """The values of these variables; the test is skipped where one is not set."""
    found = [os.environ.get(name, "") for name in names]
    if not all(found):
        pytest.skip(f"no server to try: {', '.join(names)} are not set")
    return found


class Patron(Protocol):
    """Somebody else's account on the network, and the library's own as used by hand."""

    async def asks(self, text: str) -> str:
        """A post to the library; its name there."""
        ...

    async def takes_back(self, post: str) -> None: ...

    async def answers(self, post: str, text: str) -> None:
        """The library answers in the network's own way."""
        ...

    async def standing(self, post: str) -> list[str]:
        """The library's answers below that post."""
        ...


@dataclass(kw_only=True)
class Live:
    """A network with the library's account at `server`, and a patron there if one is named."""

    network: Network
    server: str
    options: Mapping[str, Any]
    patron: Patron | None = None
    secret: str = ""
    config: str = ""

    def at(self, server: str) -> BaseModel:
        """The options, with the server at another address."""
        found: BaseModel = self.network.options(server=server, allow_private=True, **self.options)
        return found


@dataclass
class _Web:
    server: str
    web: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, path: str, body: Any = None, **how: Any) -> Any:
        """The answer to GET, or to POST where there is a body."""
        how = {"method": "GET" if body is None else "POST", "json": body} | how
        async with self.web.request(url=self.server + path, headers=self.headers, **how) as said:
            assert said.status < 300, (path, said.status, await said.text())
            return await said.json(content_type=None)


@asynccontextmanager
async def a_bluesky() -> AsyncIterator[Live]:
    url, handle, password = needed(
        "BLUESKY_TEST_URL", "BLUESKY_TEST_HANDLE", "BLUESKY_TEST_PASSWORD"
    )
    options = {"handle": handle, "password": Secret(value=password)}
    config = f'type = "bluesky"\nhandle = "{handle}"\npassword = "LIVE_SECRET"\n'
    live = Live(
        network=bluesky.network, server=url, options=options, secret=password, config=config
    )
    named = [os.environ.get(f"BLUESKY_TEST_PATRON_{part}", "") for part in ("HANDLE", "PASSWORD")]
    async with aiohttp.ClientSession() as web:
        if all(named):
            server = os.environ.get("BLUESKY_TEST_PATRON_URL", url)
            patron, library = _Web(server, web), _Web(url, web)
            dids = [await _sign_in(patron, *named), await _sign_in(library, handle, password)]
            live.patron = _OnBluesky(patron, library, dids[0], dids[1], handle)
        yield live


async def _sign_in(web: _Web, handle: str, password: str) -> str:
    given = {"identifier": handle, "password": password}
    told = await web.ask("/xrpc/com.atproto.server.createSession", given)
    web.headers["Authorization"] = f"Bearer {told['accessJwt']}"
    return str(told["did"])


@dataclass
class _OnBluesky:
    web: _Web
    library: _Web
    me: str
    did: str
    handle: str

    async def asks(self, text: str) -> str:
        name = f"@{self.handle}"
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": self.did}
        facet = {"index": {"byteStart": 0, "byteEnd": len(name)}, "features": [feature]}
        told = await self._post(self.web, self.me, f"{name} {text}", facets=[facet])
        return str(told["uri"])

    async def _post(self, web: _Web, repo: str, text: str, **more: Any) -> Any:
        kind = "app.bsky.feed.post"
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {"$type": kind, "text": text, "createdAt": at, "langs": ["en"], **more}
        content = {"repo": repo, "collection": kind, "record": record}
        return await web.ask("/xrpc/com.atproto.repo.createRecord", content)

    async def takes_back(self, post: str) -> None:
        repo, collection, rkey = post.removeprefix("at://").split("/")
        content = {"repo": repo, "collection": collection, "rkey": rkey}
        await self.web.ask("/xrpc/com.atproto.repo.deleteRecord", content)

    async def answers(self, post: str, text: str) -> None:
        repo, collection, rkey = post.removeprefix("at://").split("/")
        path = f"/xrpc/com.atproto.repo.getRecord?repo={repo}&collection={collection}&rkey={rkey}"
        there = await self.web.ask(path)
        ref = {"uri": there["uri"], "cid": there["cid"]}
        await self._post(self.library, self.did, text, reply={"root": ref, "parent": ref})

    async def standing(self, post: str) -> list[str]:
        path = "/xrpc/com.atproto.repo.listRecords?collection=app.bsky.feed.post&limit=100"
        told = await self.library.ask(f"{path}&repo={self.did}")
        values = [one["value"] for one in told["records"]]
        return [
            one["text"]
            for one in values
            if one.get("reply", {}).get("parent", {}).get("uri") == post
        ]


@asynccontextmanager
async def a_mastodon() -> AsyncIterator[Live]:
    url, token = needed("MASTODON_TEST_URL", "MASTODON_TEST_TOKEN")
    config = f'type = "mastodon"\nserver = "{url}"\ntoken = "LIVE_SECRET"\n'
    live = Live(
        network=mastodon.network, server=url, options={"token": Secret(value=token)}, secret=token,
        config=config,
    )  # fmt: skip
    patron_token = os.environ.get("MASTODON_TEST_PATRON_TOKEN", "")
    async with aiohttp.ClientSession() as web:
        if patron_token:
            patron, library = (
                _Web(url, web, {"Authorization": f"Bearer {key}"}) for key in (patron_token, token)
            )
            me = await library.ask("/api/v1/accounts/verify_credentials")
            live.patron = _OnMastodon(patron, library, str(me["id"]), str(me["acct"]))
        yield live


@dataclass
class _OnMastodon:
    """On the library's own server, so that a status has one id for both."""

    web: _Web
    library: _Web
    id: str
    name: str

    async def asks(self, text: str) -> str:
        told = await self._post(self.web, f"@{self.name} {text}")
        return str(told["id"])

    async def _post(self, web: _Web, text: str, **more: Any) -> Any:
        return await web.ask("/api/v1/statuses", {"status": text, "visibility": "unlisted", **more})

    async def takes_back(self, post: str) -> None:
        await self.web.ask(f"/api/v1/statuses/{post}", method="DELETE")

    async def answers(self, post: str, text: str) -> None:
        await self._post(self.library, text, in_reply_to_id=post)

    async def standing(self, post: str) -> list[str]:
        path = f"/api/v1/accounts/{self.id}/statuses?limit=40&exclude_reblogs=true"
        told = await self.library.ask(path)
        return [one["content"] for one in told if one["in_reply_to_id"] == post]


def patron_of(live: Live) -> Patron:
    """The patron; the test is skipped where none is named."""
    if live.patron is None:
        pytest.skip("nobody to ask the library: the variables of a patron are not set")
    return live.patron


def words() -> str:
    """Words that nobody else has written."""
    return f"Is the book drop open? ({uuid.uuid4().hex[:12]})"


async def soon(look: Any, met: Any) -> Any:
    """What `look` gives once it is so: a network takes its time to show a post."""
    async with asyncio.timeout(PATIENCE):
        while not met(found := await look()):  # noqa: ASYNC110 - another server
            await asyncio.sleep(0.3)
    return found

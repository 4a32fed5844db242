"""A Bluesky server for tests, on loopback: its interface as the recorded answers show it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from staffbot.sources.answering import graphemes
from tests.staffbot.sources.recorded import recorded
from tests.website import Website

HANDLE, PASSWORD = "library-fc74b6.test", "abcd-efgh-ijkl-mnop"
LIBRARY, PATRON = "did:plc:lyrx47bfh7vzdedzry6t3bxr", "did:plc:cudd3hsixohg7brn27sciapx"
NAMES = {HANDLE: LIBRARY, "patron-fc74b6.test": PATRON}
_PAGE = 100


def at(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Sky:
    """Posts by address, and the notifications that the library has of them, newest last."""

    site: Website
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    notified: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    worn_out: int = -1
    signed_in: int = 0
    refusing_refresh: bool = False
    hidden: set[str] = field(default_factory=set)
    down: int = 0
    hanging: asyncio.Event | None = None
    headers: dict[str, str] = field(default_factory=dict)
    broken: Any = None
    cutting: bool = False
    gated: set[str] = field(default_factory=set)
    blocking: bool = False
    only_followed: bool = False
    search_down: int = 0
    feeds_down: bool = False
    home: str = ""
    switched_off: bool = False

    def __post_init__(self) -> None:
        for method in (
            "com.atproto.server.createSession", "com.atproto.server.refreshSession",
            "app.bsky.notification.listNotifications", "app.bsky.notification.getUnreadCount",
            "app.bsky.feed.getPosts", "app.bsky.feed.getPostThread", "app.bsky.feed.getAuthorFeed",
            "app.bsky.feed.searchPosts", "com.atproto.repo.createRecord",
            "com.atproto.repo.getRecord", "com.atproto.identity.resolveHandle",
            "app.bsky.actor.getProfile",
        ):  # fmt: skip
            self.site.does(f"/xrpc/{method}", self._answer)

    def post(
        self,
        text: str,
        *,
        created: datetime,
        indexed: datetime | None = None,
        id: str = "",
        by: str = PATRON,
        name: str = "Lena P.",
        reason: str = "mention",
        parent: str = "",
        root: str = "",
        **record: Any,
    ) -> str:
        uri = f"at://{by}/app.bsky.feed.post/{id or len(self.posts) + 1}"
        reply = {"reply": {"parent": {"uri": parent}, "root": {"uri": root or parent}}}
        handle = HANDLE if by == LIBRARY else "patron-fc74b6.test"
        self.posts[uri] = {
            "uri": uri,
            "cid": f"bafy{len(self.posts)}",
            "author": {"did": by, "handle": handle, "displayName": name},
            "record": {
                "$type": "app.bsky.feed.post",
                "text": text,
                "langs": ["en"],
                "createdAt": at(created),
                **(reply if parent else {}),
                **record,
            },
            "indexedAt": at(indexed or created),
        }
        if reason:
            self.notified.append({**self.posts[uri], "reason": reason})
        return uri

    def like(self, at_: datetime) -> None:
        """Somebody likes one of the library's posts."""
        uri = f"at://{PATRON}/app.bsky.feed.like/{len(self.notified)}"
        self.notified.append({"uri": uri, "reason": "like", "indexedAt": at(at_)})

    def delete(self, uri: str) -> None:
        self.posts.pop(uri)
        self.notified = [one for one in self.notified if one["uri"] != uri]

    def hangs(self, hanging: bool) -> None:
        """From now on it takes requests and answers none of them, until this is over."""
        if self.hanging is not None:
            self.hanging.set()
        self.hanging = asyncio.Event() if hanging else None

    async def _answer(self, request: web.Request) -> web.Response:
        if self.hanging is not None:
            await self.hanging.wait()
        if self.down:
            return web.Response(status=self.down, headers=self.headers)
        method = request.path.rpartition(".")[2]
        signed = request.headers.get("Authorization", "")
        if method == "createSession":
            given = await request.json()
            if (given["identifier"], given["password"]) != (HANDLE, PASSWORD):
                return _recorded("error_bad_password")
            self.signed_in += 1
            return self._session()
        if method == "refreshSession":
            if self.refusing_refresh or signed != f"Bearer refresh-{self.tokens}":
                return _json({"error": "ExpiredToken", "message": "Token has expired"}, 400)
            return self._session()
        if not signed:
            return _recorded("error_no_auth")
        if signed != f"Bearer access-{self.tokens}" or self.worn_out == self.tokens:
            return _json({"error": "ExpiredToken", "message": "Token has expired"}, 400)
        if self.broken is not None:
            return _json(self.broken)
        if method == "createRecord":
            return self._taken(await request.json())
        if method in ("resolveHandle", "getProfile"):
            return _named(request.query.get("handle") or request.query["actor"])
        return self._get(method, request)

    def _taken(self, said: dict[str, Any]) -> web.Response:
        """A post by the library, unless it is too long or there already; as the real one says it."""
        record, uri = said["record"], f"at://{said['repo']}/{said['collection']}/{said['rkey']}"
        if len(record["text"].encode()) > 3000 or graphemes(record["text"]) > 300:
            too_long = "Record/text must not be longer than 300 graphemes"
            return _json({"error": "InvalidRequest", "message": too_long}, 400)
        if uri in self.posts:
            return _json({"error": "InternalServerError", "message": "Internal Server Error"}, 500)
        if self.switched_off:
            return _json({"error": "AccountDeactivated", "message": "Account is deactivated"}, 401)
        parent, root = record["reply"]["parent"], record["reply"]["root"]
        assert self.posts[parent["uri"]]["cid"] == parent["cid"]
        assert root["cid"]
        self.post(
            record["text"], by=LIBRARY, id=said["rkey"], reason="",
            created=datetime.fromisoformat(record["createdAt"]),
            facets=record.get("facets", []), reply=record["reply"], langs=record.get("langs", []),
        )  # fmt: skip
        if self.cutting:
            raise web.HTTPBadGateway
        return _json({"uri": uri, "cid": self.posts[uri]["cid"]})

    def _session(self) -> web.Response:
        self.tokens += 1
        service = {"id": "#atproto_pds", "serviceEndpoint": self.home or self.site.url}
        return _json(
            {
                "didDoc": {"id": LIBRARY, "service": [service]},
                "accessJwt": f"access-{self.tokens}",
                "refreshJwt": f"refresh-{self.tokens}",
                "did": LIBRARY,
                "handle": HANDLE,
            }
        )

    def expire(self) -> None:
        """From now on the access token that was given out is worn out; it can be refreshed."""
        self.worn_out = self.tokens

    def _get(self, method: str, request: web.Request) -> web.Response:
        query = request.query
        match method:
            case "listNotifications":
                if self.only_followed and query.get("priority") != "false":
                    return _json({"notifications": []})
                return self._notifications(query.getall("reasons"), query.get("cursor", "~"))
            case "getUnreadCount":
                return _json({"count": len(self.notified)})
            case "getPosts":
                return self._listed(query.getall("uris", []))
            case "getPostThread":
                uri = query["uri"]
                if uri not in self.posts:
                    return _recorded("getPostThread_deleted")
                kind = "blockedPost" if self.blocking else "threadViewPost"
                return _json({"thread": {"$type": f"app.bsky.feed.defs#{kind}"}})
            case "getRecord":
                uri = f"at://{query['repo']}/{query['collection']}/{query['rkey']}"
                if uri not in self.posts:
                    return _json({"error": "RecordNotFound", "message": "Not found"}, 400)
                return _json({"uri": uri, "value": self.posts[uri]["record"]})
            case "getAuthorFeed":
                return self._feed(query["actor"], query.get("cursor", ""))
            case "searchPosts":
                if self.search_down:
                    return _json({"error": "Forbidden"}, self.search_down)
                term = query["q"]
                hits = [one for one in self.posts.values() if term in one["record"]["text"]]
                return _json({"posts": hits})
            case _:
                return _json({"error": "MethodNotImplemented"}, 501)

    def _notifications(self, reasons: list[str], before: str) -> web.Response:
        """As the real one: the next page is strictly below a moment, and one that was filtered out
        of a thousand is empty although more follow."""
        older = [one for one in self.notified if one["indexedAt"] < before]
        older.sort(key=lambda one: str(one["indexedAt"]), reverse=True)
        found: list[dict[str, Any]] = []
        cursor = None
        for _ in range(10):
            looked, older = older[:_PAGE], older[_PAGE:]
            found += [one for one in looked if one["reason"] in reasons]
            cursor = looked[-1]["indexedAt"] if len(looked) == _PAGE else None
            if len(found) >= _PAGE / 2 or cursor is None:
                break
            older = [one for one in older if one["indexedAt"] < cursor]
        return _json({"notifications": found, **({"cursor": cursor} if cursor else {})})

    def _feed(self, actor: str, cursor: str) -> web.Response:
        if self.feeds_down:
            return web.Response(status=502)
        if actor not in (*NAMES, *NAMES.values()):
            return _json({"error": "InvalidRequest", "message": "Profile not found"}, 400)
        mine = [
            {"post": one}
            for one in reversed(self.posts.values())
            if actor in (one["author"]["did"], one["author"]["handle"])
        ]
        return _paged(mine, "feed", cursor)

    def _listed(self, uris: list[str]) -> web.Response:
        assert len(uris) <= 25, "the real one refuses more"
        shown = [u for u in uris if u in self.posts and u not in self.hidden]
        if self.blocking:
            shown = [u for u in shown if LIBRARY in u]
        seen = [{**self.posts[u], "viewer": {"replyDisabled": u in self.gated}} for u in shown]
        return _json({"posts": seen})


def _paged(found: list[dict[str, Any]], name: str, cursor: str) -> web.Response:
    start = int(cursor or 0)
    body: dict[str, Any] = {name: found[start : start + _PAGE]}
    if start + _PAGE < len(found):
        body["cursor"] = str(start + _PAGE)
    return _json(body)


def _named(name: str) -> web.Response:
    did = NAMES.get(name)
    if did is None:
        return _json({"error": "InvalidRequest", "message": "not found"}, 400)
    return _json({"did": did})


def _recorded(name: str) -> web.Response:
    found = recorded(f"bluesky/{name}")
    return _json(found["body"], found["status"])


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body), status=status, content_type="application/json")

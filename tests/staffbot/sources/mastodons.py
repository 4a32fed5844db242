"""A server of the Mastodon kind for tests, on loopback: its API as the recorded answers show it."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

from aiohttp import web

from tests.source_contract import NOW
from tests.staffbot.sources.recorded import recorded
from tests.website import Website

TOKEN = "throw-away-token"
LIBRARY, PATRON = "01Z90KN98FBC11CTS59PD30824", "01QE9KF8X5P0J8XFY90DHP615F"
_NAMES = {LIBRARY: "library", PATRON: "patron"}


@dataclass
class Instance:
    """Statuses by id and notifications, newest last. Ids are letters and digits, as elsewhere."""

    site: Website
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    notified: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, list[str]] = field(default_factory=dict)
    down: int = 0
    hanging: asyncio.Event | None = None
    headers: dict[str, str] = field(default_factory=dict)
    scope: bool = True
    broken: Any = None
    asked: list[str] = field(default_factory=list)
    cutting: bool = False
    now: datetime = NOW
    tells_limits: bool = False
    held_back: set[str] = field(default_factory=set)
    kinds: frozenset[str] = frozenset()
    ignores_kinds: bool = False
    policy: dict[str, str] | None = None
    instance: Any = None
    proxy_says: int = 0
    markdown: bool = False
    refuses: str = ""
    written: int = 0
    hides_private: bool = False

    def __post_init__(self) -> None:
        self.site.answer_all = self._answer

    def post(
        self,
        text: str,
        *,
        at: datetime,
        id: str = "",
        by: str = PATRON,
        name: str = "Lena P.",
        notify: str = "mention",
        to: str = "",
        html: str = "",
        acct: str = "",
        **more: Any,
    ) -> str:
        self.written += 1
        number = id or f"01M84{self.written:06d}"
        self.statuses[number] = {
            "id": number,
            "created_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "edited_at": None,
            "in_reply_to_id": to or None,
            "spoiler_text": "",
            "visibility": "public",
            "language": "en",
            "uri": f"{self.site.url}/users/{_NAMES[by]}/statuses/{number}",
            "url": f"{self.site.url}/@{_NAMES[by]}/statuses/{number}",
            "replies_count": 0,
            "content": html or f"<p>{escape(text)}</p>",
            "reblog": None,
            "account": {
                "id": by,
                "acct": acct or _NAMES[by],
                "display_name": name,
                "url": f"{self.site.url}/@{_NAMES[by]}",
                "emojis": [{"shortcode": "verified", "url": "http://x.example/v.png"}],
            },
            "media_attachments": [],
            **more,
        }
        if to in self.statuses:
            self.statuses[to]["replies_count"] += 1
        if notify:
            self.notify(notify, number, at)
        return number

    def notify(self, type_: str, status: str, at: datetime) -> None:
        self.notified.append(
            {
                "id": f"01N{len(self.notified) + 1:06d}",
                "type": type_,
                "created_at": at.isoformat(),
                "status": self.statuses[status],
            }
        )

    def edit(self, id_: str, text: str, at: datetime) -> None:
        self.statuses[id_]["content"] = f"<p>{escape(text)}</p>"
        self.statuses[id_]["edited_at"] = at.isoformat()

    def delete(self, id_: str) -> None:
        self.statuses.pop(id_)
        self.notified = [one for one in self.notified if one["status"]["id"] != id_]

    def hangs(self, hanging: bool) -> None:
        """From now on it takes requests and answers none of them, until this is over."""
        if self.hanging is not None:
            self.hanging.set()
        self.hanging = asyncio.Event() if hanging else None

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if self.hanging is not None:
            await self.hanging.wait()
        if self.proxy_says and "/statuses/" in request.path:
            return web.Response(text="<h1>Sorry</h1>", status=self.proxy_says)
        if self.down:
            return web.Response(status=self.down, headers=self.headers)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _recorded("error_bad_token")
        if not self.scope:
            return _recorded("error_scope")
        if self.broken is not None and request.path.endswith("/notifications"):
            return _json(self.broken)
        if request.method == "POST":
            return self._taken(await request.json())
        if request.path == "/api/v2/instance" and self.tells_limits:
            return _json(recorded("mastodon/instance_v2"))
        if request.path == "/api/v1/instance" and self.instance is not None:
            return _json(self.instance)
        if request.path == "/api/v2/notifications/policy" and self.policy is not None:
            return _json(self.policy) if self.policy else web.Response(status=501)
        return self._get(request.path.removeprefix("/api/v1/").split("/"), request)

    def _taken(self, said: dict[str, Any]) -> web.Response:
        """A status by the library. A key is not kept, as on GoToSocial."""
        # Of names only the near half counts.
        if self.refuses:
            return _json({"error": self.refuses}, 403)
        plain = re.sub(r"(@\w+)@[\w.]+", r"\1", said["status"])
        if len(plain) + len(said.get("spoiler_text", "")) > 500:
            return _recorded("error_too_long")
        if self.markdown and said.get("content_type") != "text/plain":
            said["status"] = re.sub(r"\*(.*?)\*", r"<em>\1</em>", said["status"])
        shown = re.sub(
            r"@(\w+)@[\w.]+", r'<span><a href="#">@<span>\1</span></a></span>', said["status"]
        )
        id_ = self.post(
            "", html=f"<p>{shown}</p>", at=self.now, by=LIBRARY, notify="",
            to=said["in_reply_to_id"], visibility=said["visibility"],
            spoiler_text=said.get("spoiler_text", ""), language=said.get("language"),
        )  # fmt: skip
        if self.cutting:
            raise web.HTTPBadGateway
        return _json(self.statuses[id_])

    def _get(self, path: list[str], request: web.Request) -> web.Response:
        query = request.query
        match path:
            case ["accounts", "verify_credentials"]:
                return _json(recorded("mastodon/verify_credentials"))
            case ["notifications"]:
                types = query.getall("types[]", [])
                if self.kinds and not self.kinds.issuperset(types):
                    return _json({"error": "Bad Request: unrecognized notification type"}, 400)
                every = not types or self.ignores_kinds
                found = [one for one in self.notified if every or one["type"] in types]
                if query.get("include_filtered") != "true":
                    found = [one for one in found if one["status"]["id"] not in self.held_back]
                return _json(_page(found, query))
            case ["accounts", account, "statuses"]:
                mine = [one for one in self.statuses.values() if one["account"]["id"] == account]
                if self.hides_private:
                    mine = [one for one in mine if one["visibility"] != "direct"]
                return _json(_page(mine, query))
            case ["statuses", id_] if id_ in self.statuses:
                return _json(self.statuses[id_])
            case ["statuses", id_, "context"] if id_ in self.statuses:
                return _json({"ancestors": self._above(id_), "descendants": self._below(id_)})
            case ["timelines", "tag", tag] if tag in self.tags:
                return _json(_page([self.statuses[id_] for id_ in self.tags[tag]], query))
            case _:
                return _recorded("error_status_deleted")

    def _above(self, id_: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while (above := self.statuses[id_]["in_reply_to_id"]) in self.statuses:
            found.insert(0, self.statuses[above])
            id_ = above
        return found

    def _below(self, id_: str) -> list[dict[str, Any]]:
        direct = [one for one in self.statuses.values() if one["in_reply_to_id"] == id_]
        return [part for one in direct for part in (one, *self._below(one["id"]))]


def _page(found: list[dict[str, Any]], query: Any) -> list[dict[str, Any]]:
    newest_first = sorted(found, key=lambda one: str(one["id"]), reverse=True)
    before = query.get("max_id", "")
    fitting = [one for one in newest_first if not before or one["id"] < before]
    return fitting[: int(query.get("limit", 20))]


def _recorded(name: str) -> web.Response:
    found = recorded(f"mastodon/{name}")
    return _json(found["body"], found["status"])


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body), status=status, content_type="application/json")

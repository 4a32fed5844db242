"""A WordPress for tests, on loopback: its REST interface as the recorded answers show it."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any

from aiohttp import web

from tests.staffbot.sources.recorded import recorded
from tests.website import Website

USER, PASSWORD = "botty", "abcd efgh ijkl mnop"
STAFF = 2
# As it stands in a configuration, its password in BLOG_PASSWORD; only the address is left out.
SOURCE = f"""
[[sources]]
name = "blog"
type = "wordpress"
label = "the blog"
url = "{{url}}"
username = "{USER}"
password = "BLOG_PASSWORD"
allow_private = true
every = "1s"
"""
# With answers of which nobody can tell as soon as the blog breaks off and then is away.
UNSURE = """
[replies]
enabled = true
give_up_after = "1s"
[delivery]
request_life = "2s"
"""


@dataclass
class Blog:
    """Comments by number. `down` answers every request with that status; `now` is its clock."""

    site: Website
    now: datetime
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    down: int = 0
    hanging: asyncio.Event | None = None
    plain_links: bool = False
    there: int = 404  # without pretty links: what stands where they would lead
    folder: str = ""
    me_closed: bool = False
    firewall: bool = False
    users_closed: bool = False
    editor: bool = True
    broken: Any = None
    cutting: bool = False

    def __post_init__(self) -> None:
        self.site.answer_all = self._answer

    def post(
        self,
        text: str,
        *,
        at: datetime,
        id: int = 0,
        author: int = 0,
        name: str = "Ada Reader",
        parent: int = 0,
        status: str = "approved",
        post: int = 4,
    ) -> int:
        number = id or max(self.comments, default=0) + 1
        self.comments[number] = {
            "id": number,
            "post": post,
            "parent": parent,
            "author": author,
            "author_name": escape(name),
            "author_email": "ada@example.org",
            "author_ip": "203.0.113.9",
            "author_url": "",
            "date_gmt": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "content": {"rendered": f"<p>{escape(text)}</p>\n"},
            "link": f"{self.site.url}/2026/11/new-seed-library/#comment-{number}",
            "status": status,
            "type": "comment",
        }
        return number

    def hangs(self, hanging: bool) -> None:
        """From now on it takes requests and answers none of them, until this is over."""
        if self.hanging is not None:
            self.hanging.set()
        self.hanging = asyncio.Event() if hanging else None

    async def _answer(self, request: web.Request) -> web.Response:
        if self.hanging is not None:
            await self.hanging.wait()
        if self.firewall:
            return web.Response(status=403, text="<html>Blocked", content_type="text/html")
        if self.down:
            return web.Response(status=self.down, headers={"Retry-After": "17"})
        asked = request.path.removeprefix(self.folder)
        path = asked.removeprefix("/wp-json")
        if path == asked:
            path = request.query.get("rest_route", "")
        elif self.plain_links:
            moved = {"Location": f"{request.path}/"} if self.there == 301 else {}
            return web.Response(
                status=self.there, text="<html>", content_type="text/html", headers=moved
            )
        signed = request.headers.get("Authorization", "")
        if signed:
            expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if signed != f"Basic {expected}":
                return _refused(401, "rest_not_logged_in")
        if request.method == "POST":
            return self._taken(await request.json(), bool(signed))
        return self._route(path.removeprefix("/wp/v2/"), dict(request.query), bool(signed))

    def _taken(self, said: dict[str, Any], signed: bool) -> web.Response:
        """A comment by the user who is signed in, unless it says what was said already."""
        if not signed:
            return _refused(401, "rest_comment_login_required")
        content = f"<p>{said['content']}</p>\n"
        for one in self.comments.values():
            if (one["parent"], one["author"]) == (said["parent"], STAFF) and one["content"][
                "rendered"
            ] == content:
                return _json(recorded("wordpress/error_duplicate")["body"], status=409)
        number = self.post("", at=self.now, author=STAFF, parent=said["parent"], post=said["post"])
        self.comments[number]["content"]["rendered"] = content
        if self.cutting:
            raise web.HTTPBadGateway
        return _json(self.comments[number], status=201)

    def _route(self, path: str, query: dict[str, str], signed: bool) -> web.Response:
        match path:
            case "users/me" if self.me_closed:
                return _refused(404, "rest_no_route")
            case "users/me":
                return _json({"id": STAFF}) if signed else _refused(401, "rest_not_logged_in")
            case "users":
                return _refused(401, "closed") if self.users_closed else _json([{"id": STAFF}])
            case "posts":
                return _json([{"id": 4, "title": {"rendered": "New: seed library &amp; more"}}])
            case "pages":
                return _json([])
            case "comments":
                return self._list(query, signed)
            case _ if path.startswith("comments/"):
                return self._one(int(path.removeprefix("comments/")), signed)
            case _:
                return _refused(404, "rest_no_route")

    def _one(self, number: int, signed: bool) -> web.Response:
        if number not in self.comments:
            return _refused(404, "rest_comment_invalid_id")
        if self.comments[number]["status"] != "approved" and not signed:
            return _refused(401, "rest_cannot_read")
        return _json(self.comments[number])

    def _list(self, query: dict[str, str], signed: bool) -> web.Response:
        if self.broken is not None:
            return _json(self.broken)
        if query.get("status", "approve") != "approve" and not (signed and self.editor):
            code = "rest_forbidden_context" if signed else "rest_forbidden_param"
            return _refused(403 if signed else 401, code)
        found = list(self.comments.values())
        if (status := query.get("status", "approve")) != "any":
            shown_as = "approved" if status == "approve" else status
            found = [one for one in found if one["status"] == shown_as]
        for key, of in (("include", "id"), ("parent", "parent")):
            if key in query:
                numbers = {int(part) for part in query[key].split(",")}
                found = [one for one in found if one[of] in numbers]
        if "after" in query:
            after = query["after"].removesuffix("Z")
            found = [one for one in found if one["date_gmt"] > after]
        newest_first = query.get("order") != "asc"
        found.sort(key=lambda one: (one["date_gmt"], one["id"]), reverse=newest_first)
        page, size = int(query.get("page", 1)), int(query.get("per_page", 10))
        fields = set(query.get("_fields", "").split(","))  # nested names are not known here
        shown = [
            {key: value for key, value in one.items() if key in fields}
            for one in found[(page - 1) * size : page * size]
        ]
        totals = {
            "X-WP-Total": str(len(found)),
            "X-WP-TotalPages": str(-(-len(found) // size)),
        }
        return _json(shown, headers=totals)


def _json(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        text=json.dumps(body), status=status, content_type="application/json", headers=headers
    )


def _refused(status: int, code: str) -> web.Response:
    body = {"code": code, "message": "Sorry.", "data": {"status": status}}
    return _json(body, status=status)

"""What is asked of a WordPress site, and in which way. Knows its REST interface, stores nothing."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from staffbot.errors import SourceError
from staffbot.secret import FromEnvironment
from staffbot.settings import Network as NetworkSettings
from staffbot.sources import payload, plain_text, wordpress_comments
from staffbot.sources.api import Answer, Api, NoInterface, Params, Server
from staffbot.sources.wordpress_comments import FIELDS, GONE, Comment

_PAGE = 100
_MOST_PAGES = 100
# What plugins that close the interface answer with.
_CLOSED = frozenset(
    {"rest_disabled", "rest_cannot_access", "rest_login_required", "rest_api_disabled"}
)
_DEEPEST = 10  # as deep as WordPress lets threads be
_OWN_FOR_SECONDS = 600.0

OLDEST_FIRST = (("orderby", "date_gmt"), ("order", "asc"))
# "any" has spam and trash in it as well: by that it is noticed where a comment went.
_AS_EDITOR = (("context", "edit"),)
ALL = (("status", "any"), *_AS_EDITOR)
HELD_ONLY = (("status", "hold"), *_AS_EDITOR)


class Options(BaseModel):
    """What stands under a `[[sources]]` entry of type "wordpress", beside what every source has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Server = Field(examples=["https://library.example.org"])
    username: str = Field(default="", examples=["librarian"])
    password: FromEnvironment | None = Field(default=None, examples=["STAFFBOT_WORDPRESS_PASSWORD"])
    accounts: tuple[int, ...] = Field(default=(), examples=[[2, 5]])
    allow_private: bool = False

    @model_validator(mode="after")
    def _sign_in_is_whole(self) -> Options:
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password belong together: set both, or neither.")
        if self.password and self.url.startswith("http://") and not self.allow_private:
            raise ValueError("url has to begin with https://, or the password could be read.")
        return self


class Site:
    """What is asked of the site, and in which way."""

    def __init__(self, options: Options, network: NetworkSettings) -> None:
        self._options = options
        self._network = network
        self._plain_links = False
        self._own: frozenset[int] = frozenset()
        self._own_until = 0.0

    def api(self) -> Api:
        headers = {}
        if self._options.password:
            pair = f"{self._options.username}:{self._options.password.value}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return Api(
            self._options.url, network=self._network,
            allow_private=self._options.allow_private, headers=headers,
        )  # fmt: skip

    async def ask(self, api: Api, path: str, params: Params = ()) -> Answer:
        """One request, by either way in which sites offer their REST interface.

        Without pretty links there is nothing at the first, a page, or a redirect to one.
        """
        nothing: NoInterface | None = None
        if not self._plain_links:
            try:
                answer = await api.ask(f"/wp-json{path}", params)
            except NoInterface as problem:
                nothing = problem
            else:
                if answer.status != 404 or payload.text(answer.body, "code"):
                    return answer
        try:
            answer = await api.ask("/", [("rest_route", path), *params])
        except NoInterface as problem:
            raise nothing or problem from None
        self._plain_links = answer.ok
        return answer

    async def write(self, api: Api, path: str, content: Mapping[str, Any]) -> Answer:
        """One request that makes something, after one that has found which way is open."""
        if self._plain_links:
            return await api.ask("/", [("rest_route", path)], method="POST", content=content)
        return await api.ask(f"/wp-json{path}", method="POST", content=content)

    async def mine(self, api: Api) -> frozenset[int]:
        """Whose comments may be ours: the user who signs in, or, where a plugin does not tell that,
        the users that are named. Raises SourceError where there is nobody."""
        told = await self.ask(api, "/wp/v2/users/me", [("_fields", "id")])
        if told.ok:
            return frozenset({payload.number(told.body, "id")})
        if told.status in (404, 410) and self._options.accounts:
            return frozenset(self._options.accounts)
        if told.status in (404, 410) and payload.text(told.body, "code"):
            raise SourceError(
                f"{api.host} does not tell who signs in, as a plugin closes its list of users: "
                f"name the number of {self._options.username} in `accounts`"
            )
        raise SourceError(refusal(api.host, told, self._options))

    async def comments(
        self, api: Api, params: Params, *, wide: Params | None = None
    ) -> tuple[Comment, ...]:
        """Every comment that fits, to the last page. `wide`: its status, else all that may be seen."""
        found: dict[int, Comment] = {}
        for number in range(1, _MOST_PAGES + 1):
            listed, last = await self.page(api, params, number, wide=wide)
            found |= {one.id: one for one in listed}
            if last:
                break
        return tuple(found.values())

    async def page(
        self, api: Api, params: Params, number: int, *, wide: Params | None = None
    ) -> tuple[tuple[Comment, ...], bool]:
        """One page of the comments that fit, and whether it is the last one."""
        if wide is None:
            wide = ALL if self._options.password else ()
        asked = [*params, *wide, ("per_page", str(_PAGE)), ("page", str(number))]
        answer = await self.ask(api, "/wp/v2/comments", [*asked, ("_fields", FIELDS)])
        if not answer.ok:
            raise SourceError(refusal(api.host, answer, self._options))
        if not isinstance(answer.body, list):
            raise SourceError(f"{api.host} answered with something that is no list of comments")
        read = (wordpress_comments.read(record) for record in payload.records(answer.body))
        pages = answer.headers.get("X-WP-TotalPages", "")
        # What stands under a private post leaves gaps, and a proxy may drop the header.
        last = number >= int(pages) if pages.isdigit() else len(answer.body) < _PAGE
        return tuple(one for one in read if one is not None), last

    async def is_gone(self, api: Api, id_: str) -> bool:
        """Whether a comment that no list shows is there no more; it may only be held again."""
        wide = _AS_EDITOR if self._options.password else ()
        answer = await self.ask(api, f"/wp/v2/comments/{id_}", [("_fields", "id,status"), *wide])
        if answer.ok:
            return payload.text(answer.body, "status") in GONE
        return answer.status in (404, 410)

    async def own(self, api: Api) -> frozenset[int]:
        """The library's own users: those named, the one that signs in, and who has published there.

        Sites may let any reader register, so a user is not yet a member of staff.
        """
        if time.monotonic() < self._own_until:
            return self._own
        found = set(self._options.accounts)
        if self._options.password:
            found |= await self.mine(api)
        # Some sites close this list to programs; then the two above have to do.
        users = await self.ask(api, "/wp/v2/users", [("_fields", "id"), ("per_page", "100")])
        found |= {payload.number(user, "id") for user in payload.records(users.body)}
        self._own = frozenset(found - {0})
        self._own_until = time.monotonic() + _OWN_FOR_SECONDS
        return self._own

    async def above(
        self, api: Api, comments: Sequence[Comment], known: Iterable[Comment]
    ) -> dict[int, Comment]:
        """The comments that these stand under, up to the beginning of their threads."""
        found = {one.id: one for one in known}
        wanted = {one.parent for one in comments} - found.keys() - {0}
        for _ in range(_DEEPEST):
            if not wanted:
                break
            for ids in pieces([str(id_) for id_ in sorted(wanted)]):
                listed = await self.comments(api, [("include", ",".join(ids))])
                found |= {one.id: one for one in listed}
            wanted = {found[id_].parent for id_ in wanted if id_ in found} - found.keys() - {0}
        return found

    async def titles(self, api: Api, posts: set[int]) -> dict[int, str]:
        """What the posts and pages are called, as far as the site tells."""
        found: dict[int, str] = {}
        for path in ("/wp/v2/posts", "/wp/v2/pages"):
            for ids in pieces([str(id_) for id_ in sorted(posts - found.keys() - {0})]):
                params = [("include", ",".join(ids)), ("per_page", str(_PAGE))]
                answer = await self.ask(api, path, [*params, ("_fields", "id,title.rendered")])
                for record in payload.records(answer.body):
                    title = plain_text.of_html(payload.text(record, "title", "rendered"))
                    found[payload.number(record, "id")] = plain_text.line(title)
        return found


def pieces(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """As many ids as go into one request."""
    return (ids[at : at + _PAGE] for at in range(0, len(ids), _PAGE))


def refusal(host: str, answer: Answer, options: Options) -> str:
    """Why the site does not show its comments, and what helps. Never what it said itself."""
    code = payload.text(answer.body, "code")
    match answer.status:
        case 401 | 403 if answer.body is None:
            helps = (
                "something before WordPress refuses programs, such as a firewall or a security "
                "plugin: let /wp-json through there"
            )
        case 401 | 403 if code in _CLOSED:
            helps = f"a plugin closes its REST interface ({code}): open it for signed-in users"
        case 401 if options.password:
            helps = (
                f"it does not know the user {options.username} with this application password: "
                "make a new one in WordPress under Users, Profile, Application Passwords"
            )
            if code == "rest_not_logged_in":
                helps += (
                    ". If that does not help, the web server drops what signs programs in; with "
                    "Apache, CGIPassAuth On lets it through"
                )
        case 403 if options.password:
            helps = f"the user {options.username} may not see held comments: make it an editor"
        case 401 | 403:
            helps = "it shows comments to nobody who is not signed in: set username and password"
        case 404:
            helps = "there is no WordPress at this address, or its REST interface is switched off"
        case _:
            helps = f"it does not understand the request ({code[:60] or 'no reason given'})"
    return f"{host} answered {answer.status}: {helps}"

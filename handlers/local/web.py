"""The page and its JSON API (docs/local.md) on aiohttp. Translates; decides nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from handlers.local.channel import PLATFORM, Channel, Listener
from handlers.local.guard import add_headers, guarded
from handlers.local.view import Json, reply_json
from staffbot.errors import StaffbotError
from staffbot.model import Actor
from staffbot.seams import Desk

Shape = TypeVar("Shape", bound=BaseModel)
Serve = Callable[[web.Request], Awaitable[web.Response]]

PAGE = Path(__file__).parent / "page"
ASSETS = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/cards.css": ("cards.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/render.js": ("render.js", "text/javascript"),
    "/dialogs.js": ("dialogs.js", "text/javascript"),
    "/command.js": ("command.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
LARGEST_BODY = 256 * 1024
LARGEST_NUMBER = 2**53  # of a mention: what a page can count to
STILL_THERE_EVERY = 15.0  # seconds between signs of life on an event stream


class Asked(BaseModel):
    """What every request that acts has in common. `room` is where, the first room by default."""

    model_config = ConfigDict(extra="forbid")

    user: str
    room: str = ""


class Command(Asked):
    text: str = Field(max_length=4000)


class Press(Asked):
    """`message` is None for a control of a private answer; `mention` then stands in the control."""

    message: str | None = None
    control: str
    value: str = ""
    mention: int | None = Field(None, ge=0, le=LARGEST_NUMBER)


class Submit(Asked):
    form: str
    mention: int | None = Field(None, ge=0, le=LARGEST_NUMBER)
    values: dict[str, str | list[str]]


class Delete(Asked):
    message: str


class Patron(BaseModel):
    model_config = ConfigDict(extra="forbid")

    network: str = Field(max_length=100)
    name: str = Field(max_length=200)
    text: str = Field(max_length=100_000)
    private: bool = False


def application(channel: Channel) -> web.Application:
    """The page of that channel, to be served on a loopback address."""
    app = web.Application(middlewares=[guarded], client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(add_headers)
    api = Api(channel)
    app.add_routes(
        [
            *(web.get(path, _asset(*asset)) for path, asset in ASSETS.items()),
            web.get("/api/channel", api.channel),
            web.get("/api/complete", api.complete),
            web.get("/api/events", api.events),
            web.post("/api/command", api.command),
            web.post("/api/press", api.press),
            web.post("/api/submit", api.submit),
            web.post("/api/delete", api.delete),
            web.post("/api/patron", api.patron),
        ]
    )
    return app


def _asset(name: str, content_type: str) -> Serve:
    body = (PAGE / name).read_bytes()

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type, charset="utf-8")

    return serve


class Api:
    """One method a path; each is described in docs/local.md."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def _desk(self) -> Desk:
        return self._channel.desk

    async def channel(self, request: web.Request) -> web.Response:
        channel = self._channel
        people = await channel.people()
        users = [person.ids[PLATFORM] for person in people]
        wanted = request.query.get("user", "")
        me = wanted if wanted in users else users[0]
        room = channel.room(request.query.get("room", ""))
        before = request.query.get("before", "")
        return _json(
            {
                "library": channel.library,
                "root": channel.root,
                "now": channel.clock().isoformat(),
                "rooms": [
                    {"id": place.room.id, "name": place.name, "private": place.private}
                    for place in channel.places
                ],
                "room": room.id if room else None,
                "messages": await channel.history(room, before) if room else [],
                "direct": [] if before else await channel.history(channel.room_of(me)),
                "staff": [
                    {
                        "user": person.ids[PLATFORM],
                        "name": person.name,
                        "role": person.role.value,
                        "shared": person.shared,
                    }
                    for person in people
                ],
                "me": me,
                "patron": _patron(channel),
            }
        )

    async def command(self, request: web.Request) -> web.Response:
        asked = await _body(request, Command)
        actor = await self._actor(asked)
        text = without_root(asked.text, self._channel.root)
        return _json(reply_json(await self._desk.command(actor, text)))

    async def press(self, request: web.Request) -> web.Response:
        asked = await _body(request, Press)
        actor = await self._actor(asked)
        mention = asked.mention
        if mention is None and asked.message is not None:
            found = await self._channel.reference(asked.message)
            mention = found.mention if found else None
        reply = await self._desk.press(actor, asked.control, mention, asked.value)
        return _json(reply_json(reply))

    async def submit(self, request: web.Request) -> web.Response:
        asked = await _body(request, Submit)
        actor = await self._actor(asked)
        reply = await self._desk.submit(actor, asked.form, asked.mention, asked.values)
        return _json(reply_json(reply))

    async def complete(self, request: web.Request) -> web.Response:
        query = request.query
        actor = await self._actor(Asked(user=query.get("user", ""), room=query.get("room", "")))
        typed = query.get("text", "")[:4000]
        text = without_root(typed, self._channel.root)
        found = await self._desk.complete(actor, text)
        return _json({"completions": [{"text": way.text, "help": way.help} for way in found]})

    async def delete(self, request: web.Request) -> web.Response:
        asked = await _body(request, Delete)
        await self._actor(asked)
        if not await self._channel.delete(asked.message):
            raise web.HTTPNotFound(reason="There is no such message any more.")
        return _json({})

    async def patron(self, request: web.Request) -> web.Response:
        asked = await _body(request, Patron)
        if self._channel.patron is None:
            raise web.HTTPNotFound(reason="This page has no box to write as a patron.")
        try:
            said = await self._channel.patron.write(
                network=asked.network, name=asked.name, text=asked.text, private=asked.private
            )
        except StaffbotError as error:
            return _json({"error": str(error)}, status=502)
        return _json({"said": said})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """A stream that ends when the page is too far behind; the page then loads the channel."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        listener = self._channel.listen(request.query.get("user", ""))
        try:
            await response.prepare(request)
            await response.write(b"retry: 1000\nevent: ready\ndata: {}\n\n")
            await _stream(response, listener)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._channel.leave(listener)
        return response

    async def _actor(self, asked: Asked) -> Actor:
        actor = await self._channel.actor(asked.user, asked.room)
        if actor is None:
            raise web.HTTPNotFound(reason="Nobody of that id works here: reload the page.")
        return actor


async def _stream(response: web.StreamResponse, listener: Listener) -> None:
    while True:
        try:
            async with asyncio.timeout(STILL_THERE_EVERY):
                event = await listener.queue.get()
        except TimeoutError:
            await response.write(b": still there\n\n")
            continue
        if event is None:
            return
        data = json.dumps(event.data)
        await response.write(f"event: {event.name}\ndata: {data}\n\n".encode())


def without_root(text: str, root: str) -> str:
    """A command as the desk wants it: `/lib claim 42`, `/claim 42` and `claim 42` are one."""
    text = text.lstrip()
    slashed = text.startswith("/")
    bare = text[1:] if slashed else text
    word, space, rest = bare.partition(" ")
    if word.lower() == root.lower() and (slashed or space):
        return rest.lstrip()
    return bare


async def _body(request: web.Request, shape: type[Shape]) -> Shape:
    try:
        return shape.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "the body"
        # A key of the sender's may hold a line's end, which a reason may not.
        raise web.HTTPBadRequest(reason=" ".join(f"{where}: {first['msg']}".split())) from error


def _json(data: Mapping[str, object], status: int = 200) -> web.Response:
    return web.json_response(data, status=status)


def _patron(channel: Channel) -> Json | None:
    if channel.patron is None:
        return None
    networks = [{"value": value, "label": label} for value, label in channel.patron.networks()]
    return {"networks": networks}

"""Many networks at once: what looking again costs them, and whether those that fail delay the others.

Requests are counted at a server on loopback that answers as each network does. The floor is what the
network allows in an hour; of the lateness, it is that of the same sources without the bad ones.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from aiohttp import web
from pydantic import BaseModel
from sqlalchemy import select, update

from benchmarks import history
from benchmarks.ground import Ground
from benchmarks.rows import Row
from staffbot.desk import looks
from staffbot.desk.arrivals import take_in
from staffbot.desk.ledger import Desk, Tx
from staffbot.errors import SourceError
from staffbot.intake import Intake
from staffbot.looking import PAUSE_SECONDS, PIECE
from staffbot.model import IncomingMention, Kind, Patron
from staffbot.network import Batch, Looks
from staffbot.policy import look_pause
from staffbot.seams import Network
from staffbot.secret import Secret
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import Settings, SourceSettings, Storm
from staffbot.sources import bluesky, mastodon, wordpress
from staffbot.store import Store
from staffbot.tables import mentions

_DAY = timedelta(days=1)
_SECRET = Secret(value="x")
_PATRON, _LIBRARY = "did:plc:patron", "did:plc:library"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A network: its options at a server, what its ids look like, and what it allows in an hour."""

    network: Network
    options: dict[str, object]
    address: str
    id: str
    allowed: int
    because: str


_KINDS = (
    _Kind(
        network=wordpress.network, options={}, address="url", id="{}", allowed=3_600,
        because="one request a second at the library's own server",
    ),
    _Kind(
        network=bluesky.network, options={"handle": "library.test", "password": _SECRET},
        address="server", id=f"at://{_PATRON}/app.bsky.feed.post/{{}}", allowed=36_000,
        because="3,000 requests in five minutes",
    ),
    _Kind(
        network=mastodon.network, options={"token": _SECRET}, address="server", id="{}",
        allowed=3_600, because="300 requests in five minutes",
    ),
)  # fmt: skip


def run(ground: Ground) -> list[Row]:
    """Look for an hour of the clock by each network, and read twenty sources for a while."""
    count = 200 if ground.quick else 2_000
    rows = [
        _looked(ground, kind, count, span) for kind in _KINDS for span in (30 * _DAY, _DAY / 24)
    ]
    return [*rows, _late(ground)]


def _looked(ground: Ground, kind: _Kind, count: int, span: timedelta) -> Row:
    name = kind.network.type
    asked = asyncio.run(_requests_in_an_hour(ground, kind, count, span))
    ages = "a month" if span > _DAY else "the last hour"
    return Row(
        name=f"requests to {name} in an hour: {count:,} open conversations of {ages}",
        measured=asked, floor=kind.allowed, limit=1.0, unit="requests",
        against=f"what it allows: {kind.because}",
        means="Answers, edits and deletions are noticed without ever being told to slow down.",
    )  # fmt: skip


async def _requests_in_an_hour(ground: Ground, kind: _Kind, count: int, span: timedelta) -> int:
    path = ground.folder / f"looks_{kind.network.type}_{span.days}.db"
    history.empty(path)
    now = history.NOW
    async with _server() as (url, counted):
        options = kind.network.options(**{kind.address: url, "allow_private": True, **kind.options})
        source = SourceSettings(
            name="network", type=kind.network.type, look_back=40 * _DAY, options=options
        )
        settings = replace(
            history.settings(path), sources=(source,), storm=Storm(mentions=1_000_000)
        )
        clock = _Clock(now - span)
        desk = Desk(Store.open(f"sqlite:///{path}"), settings, clock)
        looking = kind.network.open(source, NetworkSettings(), clock)
        assert isinstance(looking, Looks)
        try:
            for number in range(count):
                clock.now = now - span + span * number / count
                await desk.acting(take_in, source="network", batch=_one(kind, number, clock.now))
            # As they would stand after having been looked at all along.
            await desk.acting(_spread)
            counted.number = 0
            for minute in range(int(3_600 / PAUSE_SECONDS)):
                clock.now = now + timedelta(seconds=minute * PAUSE_SECONDS)
                due = await desk.acting(looks.take, source="network", most=PIECE)
                if due.conversations:
                    await looking.look(due.conversations)
        finally:
            desk.store.close()
    return counted.number


def _spread(tx: Tx) -> None:
    """Next looks are spread over the pause that the age of each asks for."""
    for row in tx.conn.execute(select(mentions.c.number, mentions.c.came_at)).all():
        wait = look_pause(history.NOW - row.came_at)
        if wait is not None:
            next_at = history.NOW + wait * ((row.number * 7919 % 1000) / 1000)
            tx.conn.execute(
                update(mentions).where(mentions.c.number == row.number).values(next_look_at=next_at)
            )


def _one(kind: _Kind, number: int, at: datetime) -> Batch:
    mention = IncomingMention(
        source="network", native_id=kind.id.format(number + 1), kind=Kind.MENTION,
        text="When do you open?", patron=Patron(name="Lena", handle=f"@lena{number}"),
        posted_at=at,
    )  # fmt: skip
    return Batch(mentions=(mention,))


@dataclass(slots=True)
class _Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class _Counted:
    number: int = 0


@asynccontextmanager
async def _server() -> AsyncIterator[tuple[str, _Counted]]:
    """Answers what the three networks would where nothing happened, and counts."""
    counted = _Counted()

    async def answer(request: web.Request) -> web.Response:
        counted.number += 1
        return web.Response(text=json.dumps(_answer(request)), content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", counted
    finally:
        await runner.cleanup()


def _answer(request: web.Request) -> object:
    query, last = request.query, request.path.rpartition("/")[2]
    match last:
        case "comments":
            ids = query.get("include", "").split(",") if "include" in query else []
            return [{"id": int(id_), "type": "comment", "status": "approved"} for id_ in ids]
        case "users" | "statuses":
            return []
        case "com.atproto.server.createSession":
            return {"accessJwt": "a", "refreshJwt": "r", "did": _LIBRARY}
        case "app.bsky.feed.getPosts":
            return {"posts": [{"uri": uri} for uri in query.getall("uris", [])]}
        case "app.bsky.feed.getAuthorFeed":
            return {"feed": []}
        case _:
            return {"id": last if last.isdigit() else "1", "acct": "library"}


class _NoOptions(BaseModel):
    """Nothing to set."""


@dataclass
class _Scripted:
    """A source that is well, fails, or hangs; it notes when it was asked."""

    name: str
    manner: str
    asked: list[float] = field(default_factory=list)

    async def fetch(self, cursor: str | None) -> Batch:
        self.asked.append(time.monotonic())
        match self.manner:
            case "hangs":
                await asyncio.Event().wait()
            case "fails":
                raise SourceError("busy")
            case _:
                pass
        return Batch(cursor=cursor)


def _late(ground: Ground) -> Row:
    seconds = 6 if ground.quick else 40
    well = [_Scripted(name=f"well-{n}", manner="well") for n in range(10)]
    alone = asyncio.run(_lateness(ground, well, seconds, "alone"))
    well = [_Scripted(name=f"well-{n}", manner="well") for n in range(10)]
    bad = [_Scripted(name=f"{how}-{n}", manner=how) for how in ("hangs", "fails") for n in range(5)]
    among = asyncio.run(_lateness(ground, [*well, *bad], seconds, "among"))
    return Row(
        name="lateness of 10 sources while 5 hang and 5 fail", measured=among, floor=alone,
        against="the same ten alone (19 times in 20; read every two seconds, of which a tenth is jitter)",
        means="A network that is down is nobody else's trouble.",
    )  # fmt: skip


async def _lateness(
    ground: Ground, sources: Sequence[_Scripted], seconds: float, name: str
) -> float:
    """By how many milliseconds those that are well are read late, 19 times in 20."""
    every = timedelta(seconds=2)
    path = ground.folder / f"late_{name}.db"
    history.empty(path)
    settings: Settings = replace(
        history.settings(path),
        sources=tuple(
            SourceSettings(name=one.name, type="scripted", every=every, options=_NoOptions())
            for one in sources
        ),
    )
    desk = Desk(Store.open(f"sqlite:///{path}"), settings, lambda: history.NOW)
    try:
        task = asyncio.create_task(Intake(desk, sources, fetch_within=timedelta(seconds=5)).run())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait({task})
    finally:
        desk.store.close()
    late = [
        after - before - every.total_seconds()
        for one in sources
        if one.manner == "well"
        for before, after in pairwise(one.asked)
    ]
    return statistics.quantiles(late, n=20)[-1] * 1000

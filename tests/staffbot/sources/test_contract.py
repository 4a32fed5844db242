"""Each source keeps the contract of sources: its rig, and the suite."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape

import pytest
from standardwebhooks import Webhook

from staffbot.errors import SourceError
from staffbot.model import IncomingMention
from staffbot.network import Batch, Request, TakenIn
from staffbot.seams import Finding, Network
from staffbot.secret import Secret
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from staffbot.sources import feed, webhook
from tests.library import HandClock
from tests.source_contract import NOW, SourceContract, Unheard, Written
from tests.staffbot.sources.feeds import Item, atom, rss
from tests.website import Website, website

PATIENT = NetworkSettings(timeout=timedelta(seconds=50))


@dataclass
class FeedRig:
    """A blog that serves its newest posts, and the feed source that reads it."""

    site: Website
    format: str
    name: str = "blog"
    network: Network = feed.network
    posts: list[Written] = field(default_factory=list)
    cursor: str | None = None
    mended: bool = True

    def __post_init__(self) -> None:
        options = feed.Options(url=f"{self.site.url}/feed", allow_private=True)
        self.settings = SourceSettings(name=self.name, type="feed", options=options)
        self.restart()

    def restart(self) -> None:
        self.source = feed.Feed(self.settings, PATIENT, HandClock(NOW))

    async def writes(self, *posts: Written) -> None:
        self.posts += posts
        self._serve()

    def _serve(self) -> None:
        items = [
            Item(id=post.id, html=escape(post.text), at=post.at, author=post.author)
            for post in reversed(self.posts)
        ]
        document = rss(*items) if self.format == "rss" else atom(*items)
        self.site.says(
            "/feed", document if self.mended else "busy", status=200 if self.mended else 503
        )

    async def hear(self) -> list[IncomingMention]:
        try:
            batch = await self.source.fetch(self.cursor)
        except SourceError as problem:
            raise Unheard from problem
        self.cursor = batch.cursor
        return list(batch.mentions)

    async def hear_again(self) -> list[IncomingMention]:
        self.cursor = None
        return await self.hear()

    def cut(self) -> None:
        self.mended = False
        self._serve()

    def mend(self) -> None:
        self.mended = True
        self._serve()

    async def check(self) -> Sequence[Finding]:
        return await self.network.check(self.settings, PATIENT)


class TestFeed(SourceContract):
    @pytest.fixture(params=["rss", "atom"])
    async def rig(self, request: pytest.FixtureRequest) -> AsyncIterator[FeedRig]:
        async with website() as site:
            yield FeedRig(site, request.param)


@dataclass
class HookRig:
    """A contact form that sends what it has until it is answered 200, and the webhook source."""

    name: str = "form"
    network: Network = webhook.network
    unsent: list[Written] = field(default_factory=list)
    stored: list[IncomingMention] = field(default_factory=list)
    sent: list[Written] = field(default_factory=list)
    mended: bool = True

    def __post_init__(self) -> None:
        self.secret = "whsec_" + base64.b64encode(b"\x05" * 32).decode()
        options = webhook.Options(secrets=(Secret(value=self.secret),))
        self.settings = SourceSettings(name=self.name, type="webhook", options=options)
        self.restart()

    def restart(self) -> None:
        source = webhook.Hook(self.settings, HandClock(NOW))
        [self.route] = source.routes(self.take_in)

    async def take_in(self, batch: Batch, delivery: str | None = None) -> TakenIn:
        if not self.mended:
            raise OSError("disk full")
        self.stored += batch.mentions
        return TakenIn(new=len(batch.mentions))

    async def writes(self, *posts: Written) -> None:
        self.unsent += posts

    async def hear(self) -> list[IncomingMention]:
        before = len(self.stored)
        while self.unsent:
            await self._send(self.unsent[0])
            self.sent.append(self.unsent.pop(0))
        return self.stored[before:]

    async def hear_again(self) -> list[IncomingMention]:
        self.unsent += self.sent
        return await self.hear()

    async def _send(self, post: Written) -> None:
        body = json.dumps(
            {
                "id": post.id,
                "text": post.text,
                "posted_at": post.at.isoformat(),
                "author": {"name": post.author},
            }
        )
        at = datetime.now(UTC)
        headers = {
            "webhook-id": f"msg_{post.id}",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(f"msg_{post.id}", at, body),
        }
        answer = await self.route.handle(
            Request(method="POST", path=self.route.path, headers=headers, body=body.encode())
        )
        if answer.status != 200:
            raise Unheard(answer.body)

    def cut(self) -> None:
        self.mended = False

    def mend(self) -> None:
        self.mended = True

    async def check(self) -> Sequence[Finding]:
        return await self.network.check(self.settings, PATIENT)


class TestWebhook(SourceContract):
    @pytest.fixture
    def rig(self) -> HookRig:
        return HookRig()

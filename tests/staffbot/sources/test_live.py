"""Servers that somebody has, tried where their address and credentials are in the environment.

Bluesky:  BLUESKY_TEST_URL, BLUESKY_TEST_HANDLE, BLUESKY_TEST_PASSWORD (an app password)
Mastodon: MASTODON_TEST_URL, MASTODON_TEST_TOKEN (scopes read and write:statuses)

With these it is read, and nothing is written. What the account was told within a year has to be read,
once, and looked at.

A patron, to have whole journeys tried, with posts on both sides:
Bluesky:  BLUESKY_TEST_PATRON_HANDLE, BLUESKY_TEST_PATRON_PASSWORD
          (BLUESKY_TEST_PATRON_URL where it is on another server)
Mastodon: MASTODON_TEST_PATRON_TOKEN, of an account on the same server, scopes as above
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from staffbot import plugins
from staffbot.config import load
from staffbot.errors import DeliveryError
from staffbot.model import IncomingMention, system_clock
from staffbot.network import (
    AnsweredAtSource,
    Answering,
    Change,
    Conversation,
    Deleted,
    Looks,
    Replies,
    Source,
)
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from tests.cutting import a_way_to
from tests.reply_contract import KEY
from tests.staffbot.house import CONFIG, ENVIRONMENT, running
from tests.staffbot.sources.live import (
    Live,
    a_bluesky,
    a_mastodon,
    patron_of,
    soon,
    words,
)

YEAR = timedelta(days=365)
SOURCE = """
[[sources]]
name = "net"
every = "1s"
allow_private = true
"""
NETWORKS = {"bluesky": a_bluesky, "mastodon": a_mastodon}
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(params=list(NETWORKS))
async def live(request: pytest.FixtureRequest) -> AsyncIterator[Live]:
    async with NETWORKS[request.param]() as found:
        yield found


def opened(live: Live, server: str = "", look_back: timedelta = YEAR) -> tuple[Any, SourceSettings]:
    options = live.at(server or live.server)
    settings = SourceSettings(
        name="live", type=live.network.type, look_back=look_back, options=options
    )
    return live.network.open(settings, NetworkSettings(), system_clock), settings


def there(mention: IncomingMention) -> Conversation:
    return Conversation(
        native_id=mention.native_id, conversation=mention.conversation, permalink=mention.permalink
    )


async def test_it_is_read_and_looked_at(live: Live) -> None:
    source, settings = opened(live)
    [finding] = await live.network.check(settings, NetworkSettings())
    assert finding.ok, finding.said
    assert isinstance(source, Source)
    first = await source.fetch(None)
    again = await source.fetch(first.cursor)
    assert not {m.native_id for m in first.mentions} & {m.native_id for m in again.mentions}
    for mention in first.mentions:
        assert mention.native_id
        assert mention.patron.name
        assert mention.permalink.startswith("http")
        assert mention.posted_at <= datetime.now(UTC)
    assert isinstance(source, Looks)
    for change in await source.look([there(mention) for mention in first.mentions[-20:]]):
        assert isinstance(change, Change)


async def test_an_answer_that_is_cut_off_after_it_was_taken_is_found_again(live: Live) -> None:
    patron, text = patron_of(live), words()
    post = await patron.asks(text)
    async with a_way_to(live.server) as way:
        source, _ = opened(live, way.url, timedelta(hours=1))

        async def asked() -> list[IncomingMention]:
            return [one for one in (await source.fetch(None)).mentions if text in one.text]

        [mention] = await soon(asked, bool)
        assert mention.native_id == post
        assert isinstance(source, Replies)
        assert source.limit is not None
        to = Answering(
            native_id=mention.native_id, conversation=mention.conversation, permalink="", title="",
            patron=mention.patron, visibility=mention.visibility, written_at=datetime.now(UTC),
            language="en",
        )  # fmt: skip
        answer = f"{source.limit.opening(mention.patron)}Yes \U0001f469\u200d\U0001f4bb: *daily*."
        assert await source.find_reply(to, answer, KEY) is None
        way.cuts = 1
        with pytest.raises(DeliveryError) as lost:
            await source.reply(to, answer, KEY)
        assert lost.value.ambiguous
        again, _ = opened(live, way.url)
        assert await again.find_reply(to, answer, KEY) is not None
    assert len(await patron.standing(post)) == 1
    # As after a restart, and by the way that breaks nothing off.
    restarted, _ = opened(live)

    async def noticed() -> list[Change]:
        return [
            one for one in await restarted.look([there(mention)]) if type(one) is AnsweredAtSource
        ]

    [change] = await soon(noticed, bool)
    assert abs(change.at - datetime.now(UTC)) < timedelta(minutes=5)
    await patron.takes_back(post)

    async def gone() -> list[Change]:
        return [one for one in await restarted.look([there(mention)]) if type(one) is Deleted]

    await soon(gone, bool)
    with pytest.raises(DeliveryError, match="not there") as refused:
        await restarted.reply(to, answer, KEY[::-1])
    assert refused.value.permanent


async def test_a_whole_house_on_it(live: Live, tmp_path: Path) -> None:
    patron, text = patron_of(live), words()
    file = tmp_path / "config.toml"
    place = f'server = "{live.server}"\n' if "server" not in live.config else ""
    config = CONFIG.replace("enabled = false", "enabled = true") + "[replies]\nenabled = true\n"
    file.write_text(f'{config}{SOURCE}look_back = "1h"\n{live.config}{place}')
    secrets = {**ENVIRONMENT, "LIVE_SECRET": live.secret}
    settings = load(file, secrets, plugins.networks(), plugins.doors())
    async with running(settings) as house:

        async def card(of: str) -> list[dict[str, Any]]:
            return [one for one in await house.channel() if of in json.dumps(one)]

        post = await patron.asks(text)
        [asked] = await soon(lambda: card(text), bool)
        form = await house.press("ana", asked["id"], "reply")
        values = {one["name"]: one["value"] for one in form["fields"]}
        said = await house.submit("ana", form, values | {"text": "Yes, all day."})
        assert "stored" in json.dumps(said)
        await soon(lambda: patron.standing(post), bool)
        await soon(lambda: card(text), lambda found: "Answered" in json.dumps(found))
        assert len(await patron.standing(post)) == 1
        # Another one is answered by hand over there, and is noticed.
        other_text = words()
        other = await patron.asks(other_text)
        [second] = await soon(lambda: card(other_text), bool)
        await house.command("ana", f"claim {second['mention']}")
        await patron.answers(other, "Yes, by hand.")
        await soon(lambda: card(other_text), lambda found: "Answered on " in json.dumps(found))
        await patron.takes_back(other)
        await soon(lambda: card(other_text), lambda found: not found)
        assert "Withdrawn by the patron" in json.dumps(await house.channel())

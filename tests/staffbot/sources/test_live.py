"""Servers that somebody has: read where their address and credentials are in the environment.

Bluesky:  BLUESKY_TEST_URL, BLUESKY_TEST_HANDLE, BLUESKY_TEST_PASSWORD (an app password)
Mastodon: MASTODON_TEST_URL, MASTODON_TEST_TOKEN (scope read)

Nothing is written there. What the account was told within a year has to be read, once, and looked at.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel

from staffbot.model import system_clock
from staffbot.network import Change, Conversation, Looks, Source
from staffbot.seams import Network
from staffbot.secret import Secret
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from staffbot.sources import bluesky, bluesky_session, mastodon, mastodon_account

YEAR = timedelta(days=365)


def needed(*names: str) -> list[str]:
    found = [os.environ.get(name, "") for name in names]
    if not all(found):
        pytest.skip(f"no server to try: {', '.join(names)} are not set")
    return found


async def read_and_look(network: Network, options: BaseModel) -> None:
    settings = SourceSettings(name="live", type=network.type, look_back=YEAR, options=options)
    reach = NetworkSettings()
    [finding] = await network.check(settings, reach)
    assert finding.ok, finding.said
    source = network.open(settings, reach, system_clock)
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
    asked = [
        Conversation(
            native_id=mention.native_id, conversation=mention.conversation,
            permalink=mention.permalink,
        )
        for mention in first.mentions[-20:]
    ]  # fmt: skip
    for change in await source.look(asked):
        assert isinstance(change, Change)


async def test_a_real_bluesky() -> None:
    url, handle, password = needed(
        "BLUESKY_TEST_URL", "BLUESKY_TEST_HANDLE", "BLUESKY_TEST_PASSWORD"
    )
    options = bluesky_session.Options(
        server=url, handle=handle, password=Secret(value=password), allow_private=True
    )
    await read_and_look(bluesky.network, options)


async def test_a_real_mastodon() -> None:
    url, token = needed("MASTODON_TEST_URL", "MASTODON_TEST_TOKEN")
    options = mastodon_account.Options(server=url, token=Secret(value=token), allow_private=True)
    await read_and_look(mastodon.network, options)

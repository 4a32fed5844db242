"""Bluesky, from a server on loopback and from recorded answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from staffbot.errors import SourceError
from staffbot.model import Kind
from staffbot.network import AnsweredAtSource, Batch, Conversation, Deleted
from staffbot.secret import Secret
from staffbot.settings import SourceSettings
from staffbot.sources import bluesky_posts
from staffbot.sources.bluesky import Bluesky, network
from staffbot.sources.bluesky_session import Options
from tests.library import HandClock
from tests.source_contract import Written
from tests.staffbot.sources.blueskies import HANDLE, LIBRARY, PASSWORD, PATRON, Sky
from tests.staffbot.sources.recorded import recorded
from tests.staffbot.sources.rigs import PATIENT, ReadContract, ReadRig
from tests.website import Website

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def sky(site: Website) -> Sky:
    return Sky(site)


def settings(sky: Sky, *, password: str = PASSWORD, **more: Any) -> SourceSettings:
    options = Options(
        handle=HANDLE, password=Secret(value=password), server=sky.site.url, allow_private=True,
        **more,
    )  # fmt: skip
    return SourceSettings(name="bluesky", type="bluesky", options=options)


def source(sky: Sky, **more: Any) -> Bluesky:
    return Bluesky(settings(sky, **more), PATIENT, HandClock(NOW))


def texts(batch: Batch) -> list[str]:
    return [mention.text for mention in batch.mentions]


def conversation(uri: str) -> Conversation:
    return Conversation(native_id=uri, conversation=uri, permalink="")


async def test_a_post_becomes_a_mention(sky: Sky) -> None:
    uri = sky.post("Is the book drop open?", created=NOW - HOUR)
    [mention] = (await source(sky).fetch(None)).mentions
    assert (mention.native_id, mention.kind) == (uri, Kind.MENTION)
    assert mention.text == "Is the book drop open?"
    assert (mention.patron.name, mention.patron.handle) == ("Lena P.", "@patron-fc74b6.test")
    assert mention.permalink == f"https://bsky.app/profile/{PATRON}/post/1"
    assert (mention.language, mention.conversation) == ("en", uri)


async def test_replies_and_quotes_come_and_likes_do_not(sky: Sky) -> None:
    ours = sky.post("Summer reading starts Monday!", created=NOW - HOUR, by=LIBRARY, reason="")
    sky.post("Can under-fives join?", created=NOW - HOUR, reason="reply", parent=ours)
    sky.post("Telling everybody", created=NOW - HOUR / 2, reason="quote")
    sky.post("", created=NOW - HOUR / 3, reason="like")
    reply, quote = (await source(sky).fetch(None)).mentions
    assert (reply.kind, reply.conversation) == (Kind.REPLY, ours)
    assert reply.in_reply_to == "Summer reading starts Monday!"
    assert quote.kind is Kind.QUOTE
    asked = next(r for r in sky.site.asked if r.path.endswith("listNotifications"))
    assert asked.query.getall("reasons") == ["mention", "reply", "quote"]


async def test_it_goes_on_and_takes_what_is_indexed_late(sky: Sky) -> None:
    sky.post("First", created=NOW - HOUR)
    first = await source(sky).fetch(None)
    sky.post("Same moment", created=NOW - HOUR)
    sky.post("Indexed late", created=NOW - HOUR, indexed=NOW - HOUR - timedelta(minutes=5))
    second = await source(sky).fetch(first.cursor)
    assert sorted(texts(second)) == ["Indexed late", "Same moment"]
    assert texts(await source(sky).fetch(second.cursor)) == []


async def test_it_reads_to_the_last_page_and_no_further_than_needed(sky: Sky) -> None:
    for number in range(350):
        sky.post(f"Question {number}", created=NOW - timedelta(seconds=400 - number))
    sky.post("Too old", created=NOW - timedelta(days=3))
    batch = await source(sky).fetch(None)
    assert texts(batch) == [f"Question {number}" for number in range(350)]
    assert len(batch.cursor or "") < 20_000
    assert texts(await source(sky).fetch(batch.cursor)) == []


async def test_a_post_dated_by_a_liar_is_as_old_as_the_network_says(sky: Sky) -> None:
    sky.post("Backdated", created=NOW - timedelta(days=900), indexed=NOW - HOUR)
    [mention] = (await source(sky).fetch(None)).mentions
    assert mention.posted_at == NOW - HOUR


async def test_sign_in_survives_expiry_and_a_refused_refresh(sky: Sky) -> None:
    reading = source(sky)
    sky.post("First", created=NOW - HOUR)
    batch = await reading.fetch(None)
    sky.expire()
    sky.post("Second", created=NOW - HOUR / 2)
    batch = await reading.fetch(batch.cursor)
    assert texts(batch) == ["Second"]
    assert sky.signed_in == 1
    sky.expire()
    sky.refusing_refresh = True
    assert texts(await reading.fetch(batch.cursor)) == []
    assert sky.signed_in == 2
    # No token is ever handed to the database.
    assert "access-" not in (batch.cursor or "")


async def test_a_wrong_password_is_said_in_words_that_do_not_hold_it(sky: Sky) -> None:
    with pytest.raises(SourceError, match="make a new one in Bluesky") as problem:
        await source(sky, password="wrong-one").fetch(None)
    assert "wrong-one" not in str(problem.value)
    [finding] = await network.check(settings(sky, password="wrong-one"), PATIENT)
    assert not finding.ok
    [finding] = await network.check(settings(sky), PATIENT)
    assert finding.ok


async def test_rate_limits_are_honoured(sky: Sky) -> None:
    sky.down = 429
    now = int(datetime.now(UTC).timestamp())
    sky.headers = {"ratelimit-reset": str(now + 120), "ratelimit-remaining": "0"}
    with pytest.raises(SourceError, match="less often") as problem:
        await source(sky).fetch(None)
    assert 60 < (problem.value.retry_after or 0) <= 121


async def test_search_terms_are_heard_and_asked_sparingly(sky: Sky) -> None:
    sky.post("I love riverside library", created=NOW - HOUR, reason="")
    both = sky.post("@library riverside library?", created=NOW - HOUR)
    sky.post("riverside library news", created=NOW - HOUR, by=LIBRARY, reason="")
    first = await source(sky, search=("riverside library",)).fetch(None)
    kinds = {mention.text: mention.kind for mention in first.mentions}
    assert kinds == {
        "I love riverside library": Kind.SEARCH, "@library riverside library?": Kind.MENTION,
    }  # fmt: skip
    assert both in {mention.native_id for mention in first.mentions}
    second = await source(sky, search=("riverside library",)).fetch(first.cursor)
    assert texts(second) == []
    assert sum(r.path.endswith("searchPosts") for r in sky.site.asked) == 1


async def test_a_look_tells_answers_and_deletions(sky: Sky) -> None:
    uris = [sky.post(f"Question {n}", created=NOW - HOUR) for n in range(60)]
    answer = sky.post(
        "Yes, all day.", created=NOW - HOUR / 2, by=LIBRARY, reason="", parent=uris[3]
    )
    sky.post("Me too", created=NOW - HOUR / 2, reason="", parent=uris[4])
    sky.delete(uris[5])
    sky.hidden.add(uris[6])  # the list came short of it, but it is there
    changes = await source(sky).look([conversation(uri) for uri in uris])
    assert changes == [
        Deleted(native_id=uris[5], at=NOW),
        AnsweredAtSource(
            native_id=uris[3], at=NOW - HOUR / 2, account=HANDLE,
            permalink=f"https://bsky.app/profile/{LIBRARY}/post/{answer.rpartition('/')[2]}",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("broken", [[], "x", {}, {"notifications": 3}, {"notifications": None}])
async def test_an_answer_without_a_list_is_an_error(sky: Sky, broken: Any) -> None:
    sky.broken = broken
    with pytest.raises(SourceError, match="is it a Bluesky server"):
        await source(sky).fetch(None)


async def test_records_without_their_fields_cost_their_neighbours_nothing(sky: Sky) -> None:
    uri = f"at://{PATRON}/app.bsky.feed.post/9"
    sky.broken = {
        "notifications": [
            None, 1, {}, {"reason": "mention"}, {"reason": ["x"], "uri": 4},
            {"reason": "mention", "uri": "at://x/app.bsky.feed.like/1"},
            {"reason": "mention", "uri": uri, "indexedAt": "yesterday", "author": "Lena",
             "record": {"text": "Hi\u202e", "facets": [{"index": {"byteStart": -4, "byteEnd": 1},
             "features": [{"uri": "javascript:alert(1)"}]}, 5], "langs": [4], "embed": []}},
        ],
        "cursor": "",
    }  # fmt: skip
    [mention] = (await source(sky).fetch(None)).mentions
    assert (mention.native_id, mention.text, mention.patron.name) == (uri, "Hi", "Somebody")
    assert mention.posted_at == NOW


def test_links_that_apps_cut_are_written_in_full_and_pictures_told() -> None:
    text = "🍅 see library.example/hou... and this"
    start = len("🍅 see ".encode())
    facet = {
        "index": {"byteStart": start, "byteEnd": start + len("library.example/hou...")},
        "features": [{"uri": "https://library.example/hours"}],
    }
    post = {
        "uri": f"at://{PATRON}/app.bsky.feed.post/9",
        "record": {
            "text": text,
            "facets": [facet],
            "embed": {"images": [{"alt": "A broken chair"}, {}]},
        },
    }
    mention = bluesky_posts.mention(
        post, source="b", kind=Kind.MENTION, web="https://bsky.app", above={}, now=NOW
    )
    assert mention.text == "🍅 see https://library.example/hours and this"
    assert [media.alt for media in mention.media] == ["A broken chair", ""]


async def test_recorded_answers_are_read(sky: Sky) -> None:
    for one in recorded("bluesky/listNotifications")["notifications"]:
        sky.notified.insert(0, one)
    now = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    batch = await Bluesky(settings(sky), PATIENT, HandClock(now)).fetch(None)
    assert {mention.text: mention.kind for mention in batch.mentions} == {
        "@library-fc74b6.test is the book drop open on Sunday? #library site": Kind.MENTION,
        "Can under-fives join?": Kind.REPLY,
        "Telling everybody about this": Kind.QUOTE,
    }
    thread = recorded("bluesky/getPostThread_mention_with_library_reply")["thread"]
    mine = [one["post"] for one in recorded("bluesky/getAuthorFeed")["feed"]]
    assert bluesky_posts.answers(mine[0]) == thread["post"]["uri"]
    assert json.dumps(batch.cursor)


class TestBlueskyContract(ReadContract):
    @pytest.fixture
    def rig(self, sky: Sky) -> ReadRig:
        def write(written: Written) -> None:
            indexed = min(written.at, NOW)
            sky.post(
                written.text, created=written.at, indexed=indexed, id=written.id,
                name=written.author,
            )  # fmt: skip

        def breaks(broken: bool) -> None:
            sky.down = 502 if broken else 0

        return ReadRig(
            settings=settings(sky), network=network, write=write, breaks=breaks, hangs=sky.hangs
        )

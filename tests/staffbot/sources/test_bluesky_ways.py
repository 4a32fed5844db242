"""The ways of a real Bluesky network that cost mentions, each as it was seen there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from staffbot.errors import SourceError
from staffbot.model import Kind
from staffbot.network import AnsweredAtSource, Conversation
from staffbot.secret import Secret
from staffbot.settings import SourceSettings
from staffbot.sources import bluesky_posts
from staffbot.sources.bluesky import Bluesky, network
from staffbot.sources.bluesky_session import Options
from tests.library import HandClock
from tests.staffbot.sources.blueskies import HANDLE, LIBRARY, PASSWORD, PATRON, Sky
from tests.staffbot.sources.rigs import PATIENT
from tests.website import Website, website

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def sky(site: Website) -> Sky:
    return Sky(site)


def settings(sky: Sky, **more: Any) -> SourceSettings:
    options = Options(
        **{
            "handle": HANDLE, "password": Secret(value=PASSWORD), "server": sky.site.url,
            "allow_private": True, **more,
        }
    )  # fmt: skip
    return SourceSettings(name="bluesky", type="bluesky", options=options)


def source(sky: Sky, clock: HandClock | None = None, **more: Any) -> Bluesky:
    return Bluesky(settings(sky, **more), PATIENT, clock or HandClock(NOW))


# --- reading ------------------------------------------------------------------------------------


async def test_a_mention_below_a_thousand_likes_is_found(sky: Sky) -> None:
    sky.post("Buried", created=NOW - 2 * HOUR)
    for number in range(1_150):
        sky.like(NOW - HOUR - timedelta(seconds=number))
    assert [one.text for one in (await source(sky).fetch(None)).mentions] == ["Buried"]


async def test_posts_of_one_second_are_all_read(sky: Sky) -> None:
    for number in range(190):
        sky.post(f"Question {number}", created=NOW - HOUR - timedelta(seconds=number // 80))
    assert len((await source(sky).fetch(None)).mentions) == 190


async def test_a_page_full_of_one_moment_is_passed(sky: Sky) -> None:
    for number in range(120):
        sky.post(f"Question {number}", created=NOW - HOUR)
    sky.post("Before", created=NOW - 2 * HOUR)
    told = [one.text for one in (await source(sky).fetch(None)).mentions]
    assert told[0] == "Before"
    assert len(told) == 101  # the network itself shows no more of one moment


async def test_a_patron_whose_clock_is_hours_behind_is_heard(sky: Sky) -> None:
    reading = source(sky)
    sky.post("First", created=NOW - HOUR)
    first = await reading.fetch(None)
    sky.post("From another zone", created=NOW - 9 * HOUR)
    second = await reading.fetch(first.cursor)
    assert [one.text for one in second.mentions] == ["From another zone"]
    assert (await reading.fetch(second.cursor)).mentions == ()


async def test_what_lies_before_the_beginning_never_comes(sky: Sky) -> None:
    # On the first page of each reading, and within its overlap.
    sky.post("Before the look-back", created=NOW - 25 * HOUR)
    sky.post("First", created=NOW - 23 * HOUR)
    reading = source(sky)
    first = await reading.fetch(None)
    assert [one.text for one in first.mentions] == ["First"]
    assert (await reading.fetch(first.cursor)).mentions == ()


async def test_of_very_many_the_newest_are_remembered(sky: Sky) -> None:
    for number in range(1_050):
        sky.post(f"Question {number}", created=NOW - timedelta(seconds=2_000 - number))
    reading = source(sky)
    first = await reading.fetch(None)
    again = await reading.fetch(first.cursor)
    # These come twice, and the desk knows them.
    assert [one.text for one in again.mentions] == [f"Question {number}" for number in range(50)]


async def test_what_the_account_hides_from_its_own_app_is_read(sky: Sky) -> None:
    sky.only_followed = True
    sky.post("From a stranger", created=NOW - HOUR)
    assert len((await source(sky).fetch(None)).mentions) == 1


async def test_a_search_that_is_refused_costs_no_mention_and_is_said(sky: Sky) -> None:
    clock = HandClock(NOW)
    reading = source(sky, clock, search=("riverside",))
    sky.search_down = 403
    sky.post("A question", created=NOW - HOUR)
    first = await reading.fetch(None)
    assert [one.text for one in first.mentions] == ["A question"]
    clock.now += timedelta(minutes=11)
    with pytest.raises(SourceError, match="403"):
        await reading.fetch(first.cursor)
    [finding] = await network.check(settings(sky, search=("riverside",)), PATIENT)
    assert not finding.ok
    # The next reading goes on with mentions, and searches when it is time again.
    sky.post("Another", created=clock.now - HOUR)
    second = await reading.fetch(first.cursor)
    assert [one.text for one in second.mentions] == ["Another"]
    sky.search_down = 0
    sky.post("Dear riverside", created=NOW - 2 * HOUR, reason="")
    clock.now += timedelta(minutes=11)
    third = await reading.fetch(second.cursor)
    assert [(one.kind, one.text) for one in third.mentions] == [(Kind.SEARCH, "Dear riverside")]


async def test_a_quote_shows_what_it_quotes(sky: Sky) -> None:
    ours = sky.post("Summer reading!", created=NOW - HOUR, by=LIBRARY, reason="")
    plain = {"$type": "app.bsky.embed.record", "record": {"uri": ours}}
    sky.post("Look", created=NOW - HOUR, reason="quote", embed=plain)
    sky.post(
        "Look too", created=NOW - HOUR / 2, reason="quote", embed={"record": plain, "media": {}}
    )
    told = (await source(sky).fetch(None)).mentions
    assert [one.in_reply_to for one in told] == ["Summer reading!", "Summer reading!"]


async def test_one_who_has_the_librarys_old_name_is_a_patron(sky: Sky) -> None:
    sky.post("I took this name", created=NOW - HOUR)
    sky.notified[-1]["author"]["handle"] = HANDLE
    [one] = (await source(sky).fetch(None)).mentions
    assert one.patron.handle == f"@{HANDLE}"


async def test_a_handle_that_leads_nowhere_is_not_shown(sky: Sky) -> None:
    sky.post("Hello", created=NOW - HOUR, name="")
    sky.notified[-1]["author"]["handle"] = "handle.invalid"
    [one] = (await source(sky).fetch(None)).mentions
    assert (one.patron.name, one.patron.handle) == ("Somebody", "")


def post(**record: Any) -> dict[str, Any]:
    return {"uri": f"at://{PATRON}/app.bsky.feed.post/9", "record": {"text": "See", **record}}


def test_labels_are_told_as_a_warning_and_rules_for_apps_are_not() -> None:
    labelled = post(labels={"values": [{"val": "graphic-media"}, {"val": "!no-unauthenticated"}]})
    labelled["labels"] = [{"val": "graphic-media"}, {"val": "spam"}, {"val": 4}]
    said = bluesky_posts.mention(
        labelled, source="b", kind=Kind.MENTION, web="https://bsky.app", above={}, now=NOW
    )
    assert said.title == "Content warning: graphic-media, spam"


@pytest.mark.parametrize("where", ["plain", "with a quote"])
def test_the_link_of_a_preview_is_told_once(where: str) -> None:
    card = {"$type": "app.bsky.embed.external", "external": {"uri": "https://library.example/a"}}
    embed = card if where == "plain" else {"record": {}, "media": card}
    assert bluesky_posts.words(post(embed=embed)) == "See\nhttps://library.example/a"
    told = post(embed=embed, text="See https://library.example/a now")
    assert bluesky_posts.words(told) == "See https://library.example/a now"


async def test_an_account_that_is_not_there_stops_no_look(sky: Sky) -> None:
    uri = sky.post("Question", created=NOW - HOUR)
    sky.post("Yes", created=NOW, by=LIBRARY, reason="", parent=uri)
    looking = source(sky, accounts=("misspelt.example",))
    [found] = await looking.look([Conversation(native_id=uri, conversation=uri, permalink="")])
    assert isinstance(found, AnsweredAtSource)
    [finding] = await network.check(settings(sky, accounts=("misspelt.example",)), PATIENT)
    assert "misspelt.example" in finding.said
    [finding] = await network.check(settings(sky, accounts=("patron-fc74b6.test",)), PATIENT)
    assert finding.ok


async def test_a_patron_who_blocks_the_library_took_nothing_back(sky: Sky) -> None:
    uri = sky.post("Question", created=NOW - HOUR)
    sky.blocking = True
    there = Conversation(native_id=uri, conversation=uri, permalink="")
    assert await source(sky).look([there]) == []


async def test_an_answer_over_there_is_noticed_at_the_next_reading(sky: Sky) -> None:
    reading = source(sky)
    uri = sky.post("Question", created=NOW - HOUR)
    first = await reading.fetch(None)
    assert first.changes == ()
    sky.post("Yes", created=NOW - HOUR / 2, by=LIBRARY, reason="", parent=uri)
    second = await reading.fetch(first.cursor)
    [answer] = second.changes
    assert isinstance(answer, AnsweredAtSource)
    assert (answer.native_id, answer.at, answer.account) == (uri, NOW - HOUR / 2, HANDLE)
    assert (await reading.fetch(second.cursor)).changes == ()


async def test_what_the_account_wrote_cannot_be_told_and_costs_no_mention(sky: Sky) -> None:
    sky.post("Question", created=NOW - HOUR)
    sky.feeds_down = True
    batch = await source(sky).fetch(None)
    assert (len(batch.mentions), batch.changes) == (1, ())


# --- signing in ---------------------------------------------------------------------------------


async def test_the_server_that_the_account_is_on_is_asked_where_the_first_only_signs_in(
    site: Website,
) -> None:
    async with website() as entrance:
        sky = Sky(site)
        front = Sky(entrance, home=site.url)
        sky.tokens = 1  # it takes the token that the other has given out
        for method in ("app.bsky.notification.listNotifications", "app.bsky.feed.getPosts"):
            entrance.says(f"/xrpc/{method}", "not here", status=404)
        sky.post("Hello", created=NOW - HOUR)
        reading = source(front)
        batch = await reading.fetch(None)
        assert [one.text for one in batch.mentions] == ["Hello"]
        asked = len(entrance.asked)
        await reading.fetch(batch.cursor)
        assert len(entrance.asked) == asked


async def test_loops_that_meet_a_worn_out_token_sign_in_once(sky: Sky) -> None:
    reading = source(sky)
    await reading.fetch(None)
    sky.expire()
    await asyncio.gather(*(reading.fetch(None) for _ in range(5)))
    assert (sky.signed_in, sky.tokens) == (1, 2)


async def test_a_refused_sign_in_is_not_tried_again_at_once(sky: Sky) -> None:
    reading = source(sky, password=Secret(value="wrong-one"))
    for _ in range(3):
        with pytest.raises(SourceError, match="make a new one in Bluesky"):
            await reading.fetch(None)
    with pytest.raises(SourceError, match="make a new one in Bluesky"):
        await reading.look([])
    assert len(sky.site.asked) == 1


async def test_names_are_taken_as_people_write_them(sky: Sky) -> None:
    uri = sky.post("Question", created=NOW - HOUR)
    sky.post("Yes", created=NOW, by=LIBRARY, reason="", parent=uri)
    for handle in (f"@{HANDLE.title()}", f"https://bsky.app/profile/{HANDLE}"):
        looking = source(sky, handle=handle, accounts=("@Patron-fc74b6.Test",))
        assert len((await looking.fetch(None)).changes) == 1

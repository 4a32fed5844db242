"""Answers on WordPress, Mastodon and Bluesky, held to one contract, and what is particular to each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from staffbot.errors import DeliveryError
from staffbot.model import Patron, Visibility
from staffbot.network import Replies
from staffbot.secret import Secret
from staffbot.settings import SourceSettings
from staffbot.sources import bluesky_replies, mastodon_replies
from staffbot.sources.bluesky import Bluesky
from staffbot.sources.bluesky_session import Options as BlueskyOptions
from staffbot.sources.mastodon import Mastodon
from staffbot.sources.mastodon_account import Options as MastodonOptions
from staffbot.sources.wordpress import WordPress
from staffbot.sources.wordpress_site import Options as WordPressOptions
from tests.library import HandClock
from tests.reply_contract import KEY, OTHER, WORDS, ReplyContract, ReplyRig, answering
from tests.source_contract import NOW
from tests.staffbot.sources import blueskies, mastodons, wordpresses
from tests.staffbot.sources.rigs import PATIENT
from tests.website import Website


def setting(thing: object, name: str, value: Any) -> None:
    setattr(thing, name, value)


def down(thing: Any, status: int) -> None:
    thing.down = status
    if hasattr(thing, "headers"):
        thing.headers = {"Retry-After": "17"}


# --- WordPress ----------------------------------------------------------------------------------


def a_blog(site: Website) -> tuple[wordpresses.Blog, int]:
    blog = wordpresses.Blog(site, NOW)
    return blog, blog.post("Open on Sundays?", at=NOW - timedelta(hours=1))


def wordpress(site: Website, password: str | None = wordpresses.PASSWORD) -> WordPress:
    sign_in: dict[str, Any] = {}
    if password:
        sign_in = {"username": wordpresses.USER, "password": Secret(value=password)}
    options = WordPressOptions(url=site.url, allow_private=True, **sign_in)
    settings = SourceSettings(name="blog", type="wordpress", options=options)
    return WordPress(settings, PATIENT, HandClock(NOW))


class TestWordPress(ReplyContract):
    @pytest.fixture
    def rig(self, site: Website) -> ReplyRig:
        blog, comment = a_blog(site)
        return ReplyRig(
            source=wordpress(site), wrong=wordpress(site, "wrong"), native_id=str(comment),
            standing=lambda: [
                one["content"]["rendered"] for one in blog.comments.values() if one["parent"]
            ],
            cuts=lambda on: setting(blog, "cutting", on),
            down=lambda status: down(blog, status),
            deletes=lambda: setting(blog, "comments", {}),
            restarted=lambda: wordpress(site),
        )  # fmt: skip


async def test_wordpress_says_that_it_has_it_already(site: Website) -> None:
    blog, comment = a_blog(site)
    source = wordpress(site)
    to = answering(str(comment))
    first = await source.reply(to, WORDS, KEY)
    again = await source.reply(to, WORDS, OTHER)
    assert again.native_id == first.native_id
    assert len(blog.comments) == 2


async def test_wordpress_takes_our_words_for_no_html(site: Website) -> None:
    blog, comment = a_blog(site)
    await wordpress(site).reply(answering(str(comment)), "a < b & <b>c</b>", KEY)
    content = blog.comments[2]["content"]["rendered"]
    assert content == "<p>a &lt; b &amp; &lt;b&gt;c&lt;/b&gt;</p>\n"


async def test_wordpress_needs_a_password_and_a_comment_that_is_out(site: Website) -> None:
    blog, comment = a_blog(site)
    assert wordpress(site, None).limit is None
    blog.comments[comment]["status"] = "hold"
    with pytest.raises(DeliveryError, match="held for moderation") as refused:
        await wordpress(site).reply(answering(str(comment)), WORDS, KEY)
    assert refused.value.permanent


# --- Mastodon -----------------------------------------------------------------------------------


def mastodon(site: Website, token: str = mastodons.TOKEN, most: int | None = None) -> Mastodon:
    options = MastodonOptions(
        server=site.url, token=Secret(value=token), allow_private=True, most_characters=most
    )
    settings = SourceSettings(name="mastodon", type="mastodon", options=options)
    return Mastodon(settings, PATIENT, HandClock(NOW))


class TestMastodon(ReplyContract):
    @pytest.fixture
    def rig(self, site: Website) -> ReplyRig:
        instance = mastodons.Instance(site)
        status = instance.post(
            "Open on Sundays?", at=NOW - timedelta(hours=1), acct="lena@elsewhere.example"
        )
        return ReplyRig(
            source=mastodon(site), wrong=mastodon(site, "wrong"), native_id=status,
            standing=lambda: [
                one["content"] for one in instance.statuses.values()
                if one["account"]["id"] == mastodons.LIBRARY
            ],
            cuts=lambda on: setting(instance, "cutting", on),
            down=lambda status: down(instance, status),
            deletes=lambda: instance.delete(status),
            restarted=lambda: mastodon(site), opening="@lena@elsewhere.example ",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "kept", "answered"),
    [
        ("public", Visibility.PUBLIC, "public"),
        ("unlisted", Visibility.PUBLIC, "unlisted"),
        ("public", Visibility.PRIVATE, "direct"),
        ("private", Visibility.PRIVATE, "private"),
        ("direct", Visibility.PRIVATE, "direct"),
        ("local", Visibility.PUBLIC, "direct"),
        ("", Visibility.PUBLIC, "direct"),
    ],
)
async def test_mastodon_keeps_the_visibility(
    site: Website, shown: str, kept: Visibility, answered: str
) -> None:
    instance = mastodons.Instance(site)
    status = instance.post("Hm?", at=NOW, visibility=shown)
    await mastodon(site).reply(replace(answering(status), visibility=kept), WORDS, KEY)
    [ours] = [one for one in instance.statuses.values() if one["in_reply_to_id"] == status]
    assert ours["visibility"] == answered


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Yes.", 4),
        ("See https://library.example/a/very/long/address/that/goes/on?and=on#end now", 31),
        ("See https://library.example/hours.", 28),
        ("(https://library.example/a)!", 26),
        ("https://library.example/\u65e5\u672c", 25),
        ("@lena@elsewhere.example Yes.", 10),
        ("Write to info@library.example", 29),
        ("\U0001f469\u200d\U0001f4bb", 3),
    ],
)
def test_mastodon_counts_links_and_names_as_its_server_does(text: str, length: int) -> None:
    assert mastodon_replies.measure(text) == length


def test_mastodon_begins_with_whom_it_answers(site: Website) -> None:
    limit = mastodon(site).limit
    assert limit is not None
    assert limit.opening(Patron(name="Lena", handle="@lena@b.example")) == "@lena@b.example "
    assert (limit.longest, limit.private) == (500, True)


@pytest.mark.parametrize(
    ("tells", "said", "longest", "link"),
    [(True, None, 5000, 25), (True, 300, 300, 25), (False, None, 500, 23), (False, 300, 300, 23)],
)
async def test_mastodon_is_asked_how_long_a_status_may_be(
    site: Website, tells: bool, said: int | None, longest: int, link: int
) -> None:
    mastodons.Instance(site, tells_limits=tells)
    reading = mastodon(site, most=said)
    limit = reading.limit
    assert limit is not None
    await reading.fetch(None)
    # The limit that was had before it was asked tells of it too.
    assert (limit.longest, limit.measure("https://library.example/")) == (longest, link)


# --- Bluesky ------------------------------------------------------------------------------------


def bluesky(site: Website, password: str = blueskies.PASSWORD) -> Bluesky:
    options = BlueskyOptions(
        handle=blueskies.HANDLE,
        password=Secret(value=password),
        server=site.url,
        allow_private=True,
    )
    settings = SourceSettings(name="bluesky", type="bluesky", options=options)
    return Bluesky(settings, PATIENT, HandClock(NOW))


class TestBluesky(ReplyContract):
    @pytest.fixture
    def rig(self, site: Website) -> ReplyRig:
        sky = blueskies.Sky(site)
        post = sky.post("Open on Sundays?", created=NOW - timedelta(hours=1))
        return ReplyRig(
            source=bluesky(site), wrong=bluesky(site, "wrong"), native_id=post,
            standing=lambda: [
                one["record"]["text"] for one in sky.posts.values()
                if one["author"]["did"] == blueskies.LIBRARY
            ],
            cuts=lambda on: setting(sky, "cutting", on),
            down=lambda status: down(sky, status),
            deletes=lambda: sky.delete(post),
            restarted=lambda: bluesky(site),
        )  # fmt: skip


async def test_bluesky_itself_holds_an_answer_once(site: Website) -> None:
    sky = blueskies.Sky(site)
    post = sky.post("Open on Sundays?", created=NOW)
    first = await bluesky(site).reply(answering(post), WORDS, KEY)
    # It says no more than that it has trouble: so it is asked for the answer, as after a cut.
    with pytest.raises(DeliveryError) as trouble:
        await bluesky(site).reply(answering(post), WORDS, KEY)
    assert (trouble.value.ambiguous, len(sky.posts)) == (True, 2)
    again = await bluesky(site).find_reply(answering(post), WORDS, KEY)
    assert again is not None
    assert first.native_id == again.native_id


async def test_bluesky_refuses_one_grapheme_too_many(site: Website) -> None:
    sky = blueskies.Sky(site)
    post = sky.post("Open on Sundays?", created=NOW)
    with pytest.raises(DeliveryError, match="too long") as refused:
        await bluesky(site).reply(answering(post), "x" * 301, KEY)
    assert refused.value.permanent


async def test_bluesky_answers_within_the_thread_with_live_links(site: Website) -> None:
    sky = blueskies.Sky(site)
    root = {"uri": "at://did:plc:x/app.bsky.feed.post/0", "cid": "bafyroot"}
    post = sky.post("And?", created=NOW, reply={"root": root, "parent": root})
    replied = await bluesky(site).reply(
        answering(post), "Grüße! https://library.example/a_(b). Bye", KEY
    )
    record = sky.posts[replied.native_id]["record"]
    assert record["reply"]["root"] == root
    assert record["reply"]["parent"]["uri"] == post
    [facet] = record["facets"]
    raw = record["text"].encode()
    assert raw[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].startswith(b"https://lib")
    assert replied.permalink.startswith("https://bsky.app/profile/did:plc:")


def test_bluesky_names_are_well_formed_and_stable() -> None:
    names = {bluesky_replies.record_key(NOW + timedelta(seconds=n), KEY) for n in range(50)}
    names |= {bluesky_replies.record_key(NOW, OTHER)}
    assert len(names) == 51
    for name in names:
        assert len(name) == 13
        assert set(name) <= set("234567abcdefghijklmnopqrstuvwxyz")
        assert name[0] in "234567abcdefghij"
    assert sorted(names) == sorted(names, key=str)


def test_bluesky_counts_bytes_where_they_are_the_narrower_limit() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
    assert bluesky_replies.measure("x" * 300) == 300
    assert bluesky_replies.measure(family * 120) == 300
    assert bluesky_replies.measure(family * 121) > 300


async def test_all_of_them_are_the_seam(site: Website) -> None:
    for source in (wordpress(site), mastodon(site), bluesky(site)):
        assert isinstance(source, Replies)

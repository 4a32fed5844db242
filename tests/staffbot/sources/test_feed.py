"""Feeds read from a real server on loopback, well-behaved and otherwise."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from staffbot.errors import SourceError
from staffbot.model import Kind
from staffbot.network import Batch, Edited
from staffbot.settings import Network, SourceSettings
from staffbot.sources.feed import Feed, Options, network
from staffbot.sources.feed_entries import read
from tests.library import HandClock
from tests.staffbot.sources.feeds import Item, atom, rss
from tests.website import Website

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUESTION = Item(
    id="c-1", title="By: Lena P.", html="<p>Do you <b>lend</b> skis?</p>", at=NOW - HOUR,
    author="Lena P.", link="https://library.example/blog#c-1",
)  # fmt: skip


def feed(site: Website, path: str = "/feed", clock: HandClock | None = None, **more: Any) -> Feed:
    options = Options(url=site.url + path, allow_private=True)
    settings = SourceSettings(name="blog", type="feed", options=options, **more)
    patient = Network(timeout=timedelta(seconds=50))
    return Feed(settings, patient, clock or HandClock(NOW))


def ids(batch: Batch) -> list[str]:
    return [mention.native_id for mention in batch.mentions]


async def test_an_entry_becomes_a_mention(site: Website) -> None:
    site.says("/feed", rss(QUESTION))
    batch = await feed(site).fetch(None)
    [mention] = batch.mentions
    assert mention.source == "blog"
    assert mention.native_id == "c-1"
    assert mention.kind is Kind.ENTRY
    assert mention.title == "By: Lena P."
    assert mention.text == "Do you lend skis?"
    assert (mention.patron.name, mention.patron.nameless) == ("Lena P.", False)
    assert mention.posted_at == NOW - HOUR
    assert mention.permalink == "https://library.example/blog#c-1"
    # The channel's <language> is a theme's default more often than it is true.
    assert mention.language == ""


async def test_atom_reads_alike_and_an_address_is_dropped(site: Website) -> None:
    site.says("/feed", atom(QUESTION))
    [mention] = (await feed(site, kind=Kind.COMMENT).fetch(None)).mentions
    assert mention.kind is Kind.COMMENT
    assert (mention.text, mention.patron.name) == ("Do you lend skis?", "Lena P.")
    assert "mail.test" not in repr(mention)


async def test_an_entry_without_author_speaks_for_the_feed(site: Website) -> None:
    site.says("/feed", rss(replace(QUESTION, author="")))
    [mention] = (await feed(site).fetch(None)).mentions
    assert (mention.patron.name, mention.patron.nameless) == ("Riverside blog", True)


async def test_the_cursor_goes_on_where_it_stood(site: Website) -> None:
    site.says("/feed", rss(QUESTION), headers={"ETag": '"1"'})
    first = await feed(site).fetch(None)
    late = replace(QUESTION, id="c-0", at=NOW - timedelta(days=2))
    site.says("/feed", rss(replace(QUESTION, id="c-2"), QUESTION, late), headers={"ETag": '"2"'})
    # Another object, as after a restart; what appears late with an old date is new all the same.
    second = await feed(site).fetch(first.cursor)
    assert ids(second) == ["c-0", "c-2"]
    site.says("/feed", "", status=304)
    third = await feed(site).fetch(second.cursor)
    assert third == Batch(cursor=second.cursor)
    assert site.asked[-1].headers["If-None-Match"] == '"2"'


async def test_the_first_run_looks_back_only_so_far(site: Website) -> None:
    old = replace(QUESTION, id="old", at=NOW - timedelta(hours=25))
    undated = replace(QUESTION, id="undated", at=None)
    site.says("/feed", rss(old, undated, QUESTION))
    first = await feed(site, look_back=timedelta(hours=24)).fetch(None)
    assert ids(first) == ["c-1"]
    again = await feed(site).fetch(first.cursor)
    assert ids(again) == []
    site.says("/feed", rss(replace(undated, id="undated-2"), old, undated, QUESTION))
    [new] = (await feed(site).fetch(first.cursor)).mentions
    assert (new.native_id, new.posted_at) == ("undated-2", NOW)


async def test_a_changed_entry_is_an_edit(site: Website) -> None:
    site.says("/feed", rss(QUESTION))
    first = await feed(site).fetch(None)
    site.says("/feed", rss(replace(QUESTION, html="Do you lend snowshoes?")))
    second = await feed(site).fetch(first.cursor)
    assert second.mentions == ()
    assert second.changes == (Edited(native_id="c-1", text="Do you lend snowshoes?", at=NOW),)
    assert (await feed(site).fetch(second.cursor)).changes == ()


async def test_what_left_the_feed_is_remembered_a_while(site: Website) -> None:
    site.says("/feed", rss(QUESTION))
    first = await feed(site).fetch(None)
    site.says("/feed", rss(replace(QUESTION, id="c-2")))
    second = await feed(site).fetch(first.cursor)
    site.says("/feed", rss(QUESTION))
    assert ids(await feed(site).fetch(second.cursor)) == []


async def test_a_comment_within_the_second_of_the_last_change_is_not_hidden(site: Website) -> None:
    # Observed with WordPress: its ETag and Last-Modified are both made of that second.
    young = {
        "ETag": '"now"',
        "Date": format_datetime(NOW, usegmt=True),
        "Last-Modified": format_datetime(NOW - timedelta(seconds=1), usegmt=True),
    }
    site.says("/feed", rss(QUESTION), headers=young)
    first = await feed(site).fetch(None)
    site.says("/feed", rss(QUESTION, replace(QUESTION, id="c-2")), headers=young)
    second = await feed(site).fetch(first.cursor)
    assert "If-None-Match" not in site.asked[-1].headers
    assert ids(second) == ["c-2"]
    settled = {**young, "Date": format_datetime(NOW + timedelta(seconds=1), usegmt=True)}
    site.says("/feed", rss(QUESTION, replace(QUESTION, id="c-2")), headers=settled)
    third = await feed(site).fetch(second.cursor)
    await feed(site).fetch(third.cursor)
    assert site.asked[-1].headers["If-None-Match"] == '"now"'


async def test_ids_that_are_missing_or_doubled_are_made_up_and_stable(site: Website) -> None:
    no_id = Item(html="No id, no link", at=NOW - HOUR)
    twin = Item(id="same", html="One twin", at=NOW - HOUR)
    other = Item(id="same", html="The other", at=NOW - HOUR)
    site.says("/feed", rss(no_id, twin, other))
    first = await feed(site).fetch(None)
    assert len(set(ids(first))) == 3
    site.says("/feed", rss(other, no_id, twin, QUESTION))
    assert ids(await feed(site).fetch(first.cursor)) == ["c-1"]


async def test_a_cursor_of_another_address_or_none_that_is_one(site: Website) -> None:
    site.says("/feed", rss(QUESTION), headers={"ETag": '"1"'})
    site.says("/moved", rss(QUESTION, replace(QUESTION, id="c-2")))
    first = await feed(site).fetch(None)
    assert ids(await feed(site, "/moved").fetch(first.cursor)) == ["c-2"]
    assert "If-None-Match" not in site.asked[-1].headers
    for broken in (
        "",
        "{",
        "[]",
        '{"url":1}',
        "null",
        '{"url":"","etag":"","modified":"","seen":1}',
    ):
        assert ids(await feed(site).fetch(broken)) == ["c-1"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<!doctype html><html><body>Blog</body></html>", "web page"),
        ("", "neither RSS nor Atom"),
        ("\x00\x01\x02", "neither RSS nor Atom"),
        ('{"items": []}', "neither RSS nor Atom"),
        ("/etc/passwd", "neither RSS nor Atom"),
        ("http://127.0.0.1:9/", "neither RSS nor Atom"),
    ],
)
async def test_what_is_no_feed_is_told_from_one(site: Website, body: str, says: str) -> None:
    site.says("/feed", body)
    with pytest.raises(SourceError, match=says):
        await feed(site).fetch(None)


async def test_an_empty_feed_is_well(site: Website) -> None:
    site.says("/feed", rss())
    assert (await feed(site).fetch(None)).mentions == ()


LAUGHS = (
    '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
THIEF = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("prolog", [LAUGHS, THIEF, f"<!-- <rss> -->{THIEF}", f"<?x <rss?>{LAUGHS}"])
async def test_xml_with_entities_is_refused(site: Website, prolog: str, encoding: str) -> None:
    text = rss(replace(QUESTION, html="", more="<description>&c;&x;</description>"), prolog=prolog)
    site.says("/feed", text.replace("UTF-8", encoding).encode(encoding))
    with pytest.raises(SourceError, match="entities"):
        await feed(site).fetch(None)


async def test_a_doctype_without_entities_and_a_feed_about_xml_are_read(site: Website) -> None:
    about = replace(QUESTION, html="How do I write &lt;!DOCTYPE a [&lt;!ENTITY b 'c'&gt;]&gt;?")
    site.says("/feed", rss(about, prolog='<!DOCTYPE rss SYSTEM "rss-0.91.dtd">'))
    [mention] = (await feed(site).fetch(None)).mentions
    assert "<!ENTITY b" in mention.text


async def test_a_feed_of_fifty_megabytes_is_refused_and_nothing_is_lost(site: Website) -> None:
    site.says("/feed", rss(QUESTION))
    first = await feed(site).fetch(None)
    site.says("/feed", rss(replace(QUESTION, html="x" * 50_000_000)))
    with pytest.raises(SourceError, match=r"more than 5\.0 MB"):
        await feed(site).fetch(first.cursor)
    site.says("/feed", rss(QUESTION, replace(QUESTION, id="c-2")))
    assert ids(await feed(site).fetch(first.cursor)) == ["c-2"]


async def test_an_html_bomb_beside_a_question(site: Website) -> None:
    bomb = replace(QUESTION, id="bomb", html="<div>" * 50_000 + "deep")
    site.says("/feed", rss(bomb, QUESTION))
    batch = await feed(site).fetch(None)
    assert sorted(ids(batch)) == ["bomb", "c-1"]


async def test_hostile_characters_and_long_text(site: Website) -> None:
    long = "A long complaint. " * 2_300
    site.says(
        "/feed",
        rss(
            Item(id="rtl", html="\u202egnp.exe a\u200bb &#xD83D; &#0; متى", at=NOW - HOUR),
            Item(id="long", html=long, at=NOW - HOUR, link="javascript:alert(1)"),
        ),
    )
    by_id = {m.native_id: m for m in (await feed(site).fetch(None)).mentions}
    assert "متى" in by_id["rtl"].text
    assert not set(by_id["rtl"].text) & set("\u202e\u200b\x00\ud83d")
    assert by_id["long"].text == long.strip()
    assert by_id["long"].permalink == ""


async def test_pictures_are_linked_and_a_date_to_come_is_now(site: Website) -> None:
    picture = (
        '<enclosure url="https://library.example/a.jpg" type="image/jpeg" length="1"/>'
        '<enclosure url="javascript:alert(1)" type="image/jpeg" length="1"/>'
    )
    site.says("/feed", rss(replace(QUESTION, at=NOW + timedelta(days=9), more=picture)))
    [mention] = (await feed(site).fetch(None)).mentions
    assert mention.posted_at == NOW
    assert [(m.url, m.kind) for m in mention.media] == [("https://library.example/a.jpg", "image")]


async def test_a_thousand_entries_come_whole_and_oldest_first(site: Website) -> None:
    many = [replace(QUESTION, id=f"c-{n}", at=NOW - n * timedelta(minutes=1)) for n in range(1_000)]
    site.says("/feed", rss(*many))
    batch = await feed(site).fetch(None)
    assert ids(batch) == [f"c-{n}" for n in reversed(range(1_000))]
    assert len(batch.cursor or "") < 40_000
    assert len(json.loads(batch.cursor or "")["seen"]) == 1_000


@pytest.mark.parametrize("url", ["", "library.example/feed", "file:///etc/passwd", "http://[x"])
def test_an_address_that_is_none_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ValidationError, match=r"https://library\.example/feed/"):
        Options(url=url)


async def test_check_says_what_it_found(site: Website) -> None:
    site.says("/feed", rss(QUESTION))
    settings = SourceSettings(
        name="blog", type="feed", options=Options(url=site.url + "/feed", allow_private=True)
    )
    [found] = await network.check(settings, Network())
    assert found.ok
    assert "1 entry, the newest of 2026-03-03" in found.said
    site.says("/feed", "", status=404)
    [found] = await network.check(settings, Network())
    assert not found.ok
    assert "404" in found.said


RECORDED = Path(os.environ.get("STAFFBOT_RECORDED", "recorded"))


@pytest.mark.parametrize(
    "name", ["feed_comments_before", "feed_comments_after", "feed_post_comments"]
)
def test_feeds_as_wordpress_served_them(name: str) -> None:
    path = RECORDED / "wordpress" / f"{name}.xml"
    if not path.is_file():
        pytest.skip("no recorded answers here: STAFFBOT_RECORDED names their folder")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    entries = read(
        path.read_bytes(), source="blog", kind=Kind.COMMENT, host="library.example", now=now
    )
    assert entries
    for entry in entries:
        assert entry.dated
        assert entry.mention.text
        assert entry.mention.patron.name
        assert entry.mention.permalink.startswith("http")

"""A real WordPress: what a patron and an editor do there is what the source tells.

One test for one story, since the site takes seconds to begin; skipped with a word where none is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from staffbot.desk.arrivals import take_in
from staffbot.errors import DeliveryError
from staffbot.network import AnsweredAtSource, Answering, Conversation, Deleted, Edited
from staffbot.secret import Secret
from staffbot.settings import SourceSettings
from staffbot.sources.wordpress import WordPress, network
from staffbot.sources.wordpress_site import Options
from tests.cutting import a_way_to
from tests.library import HandClock, Library
from tests.reply_contract import answering
from tests.staffbot.answered import Answered, until
from tests.staffbot.sources.rigs import PATIENT
from tests.wordpress_server import Browser, Site, wordpress

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with wordpress() as found:
        yield found


def settings(site: Site, *, signed_in: bool = True) -> SourceSettings:
    sign_in = {"username": site.username, "password": Secret(value=site.password)}
    options = Options(url=site.url, allow_private=True, **(sign_in if signed_in else {}))
    # WordPress's own sample comment is of the moment of its installation.
    look_back = timedelta(minutes=30)
    return SourceSettings(name="blog", type="wordpress", options=options, look_back=look_back)


def seen(changes: object) -> list[tuple[str, str]]:
    assert isinstance(changes, (list, tuple))
    return [(type(change).__name__, change.native_id) for change in changes]


async def test_a_comments_life(site: Site) -> None:
    site.sql("delete from wp_comments")
    source, public = WordPress(settings(site), PATIENT), WordPress(
        settings(site, signed_in=False), PATIENT
    )  # fmt: skip
    await asyncio.to_thread(site.comments, "Ada Reader", "Is there <b>tomato</b> seed? 🍅")
    first = await source.fetch(None)
    [seed] = first.mentions
    assert (seed.text, seed.title) == ("Is there tomato seed? 🍅", "Hello world!")
    assert (seed.patron.name, seed.held) == ("Ada Reader", False)
    assert "example.org" not in repr(seed)

    links = " ".join(f"http://h{n}.example/" for n in range(6))
    await asyncio.to_thread(site.comments, "Eve", f"See {links}")
    second = await source.fetch(first.cursor)
    [held] = second.mentions
    assert held.held
    anonymous = await public.fetch(None)
    assert seed.native_id in {mention.native_id for mention in anonymous.mentions}
    assert held.native_id not in {mention.native_id for mention in anonymous.mentions}

    admin = Browser(site.url)
    await asyncio.to_thread(admin.sign_in)
    await asyncio.to_thread(admin.answer, int(seed.native_id), "Yes, two packets.")
    asked = [
        Conversation(native_id=one.native_id, conversation="", permalink="") for one in (seed, held)
    ]
    answers = [c for c in await source.look(asked) if isinstance(c, AnsweredAtSource)]
    assert [(answer.native_id, answer.account) for answer in answers] == [(seed.native_id, "1")]
    third = await source.fetch(second.cursor)
    assert (third.mentions, seen(third.changes)) == ((), [("AnsweredAtSource", seed.native_id)])

    held_id = int(held.native_id)
    site.sql(f"update wp_comments set comment_approved = '1' where comment_id = {held_id}")
    late = await public.fetch(anonymous.cursor)
    assert [mention.native_id for mention in late.mentions] == [held.native_id]
    site.sql(f"update wp_comments set comment_approved = 'trash' where comment_id = {held_id}")
    fourth = await source.fetch(third.cursor)
    assert seen(fourth.changes) == [("Deleted", held.native_id)]
    looked = await source.look(asked)
    assert [c.native_id for c in looked if isinstance(c, Deleted)] == [held.native_id]
    assert [c.text for c in looked if isinstance(c, Edited)] == [seed.text]
    site.sql(f"delete from wp_comments where comment_id = {held_id}")
    looked = await source.look(asked)
    assert [c.native_id for c in looked if isinstance(c, Deleted)] == [held.native_id]
    fifth = await source.fetch(fourth.cursor)
    assert (fifth.mentions, fifth.changes) == ((), ())


async def test_threads_pings_pages_and_a_busy_second(site: Site) -> None:
    site.sql("delete from wp_comments; update wp_posts set comment_status = 'open'")
    source, public = (
        WordPress(settings(site, signed_in=signed_in), PATIENT) for signed_in in (True, False)
    )
    await asyncio.to_thread(site.comments, "Ada Reader", "Do you lend looms?")
    [ada] = site.sql("select comment_id from wp_comments").split()
    admin = Browser(site.url)
    await asyncio.to_thread(admin.sign_in)
    await asyncio.to_thread(admin.answer, int(ada), "Yes, three.")
    [ours] = site.sql("select comment_id from wp_comments where user_id = 1").split()
    await asyncio.to_thread(site.comments, "Ben Reader", "For how long?", parent=int(ours))
    await asyncio.to_thread(site.comments, "Eve Reader", "On a page.", post=2)
    second = "now() - interval 1 minute, utc_timestamp() - interval 1 minute"
    rows = ",".join(f"(1, 'Reader {n}', 'Busy {n}', {second}, '1', 'comment')" for n in range(130))
    columns = (
        "comment_post_ID, comment_author, comment_content, comment_date, comment_date_gmt, "
        "comment_approved, comment_type"
    )
    site.sql(f"insert into wp_comments ({columns}) values {rows}")
    for kind in ("pingback", "trackback"):
        site.sql(
            f"insert into wp_comments ({columns}) values (1, 'X', 'Y', {second}, '1', '{kind}')"
        )
    for one in (source, public):
        batch = await one.fetch(None)
        found = {mention.text: mention for mention in batch.mentions}
        assert len(batch.mentions) == 133
        assert {text for text in found if not text.startswith("Busy")} == {
            "Do you lend looms?", "For how long?", "On a page.",
        }  # fmt: skip
        assert found["For how long?"].conversation == ada
        assert found["For how long?"].in_reply_to == "Yes, three."
        assert found["On a page."].title == "Sample Page"
        again = await one.fetch(batch.cursor)
        assert (again.mentions, again.changes) == ((), ())


async def test_what_is_let_through_weeks_later_comes_all_the_same(site: Site) -> None:
    site.sql("delete from wp_comments")
    clock = HandClock(datetime.now(UTC))
    sources = [
        WordPress(settings(site, signed_in=signed_in), PATIENT, clock)
        for signed_in in (True, False)
    ]
    await asyncio.to_thread(site.comments, "Ada Reader", "Was I spam?")
    await asyncio.to_thread(site.comments, "Ben Reader", "Was I held?")
    site.sql("update wp_comments set comment_approved = 'spam' where comment_author like 'Ada%'")
    site.sql("update wp_comments set comment_approved = '0' where comment_author like 'Ben%'")
    first = [await one.fetch(None) for one in sources]
    assert [len(one.mentions) for one in first] == [1, 0]
    # Three weeks go by, in which others write.
    weeks = "interval 21 day"
    site.sql(
        f"update wp_comments set comment_date = comment_date - {weeks}, "
        f"comment_date_gmt = comment_date_gmt - {weeks}"
    )
    began = clock.now - timedelta(days=22)
    cursors = []
    for batch in first:
        kept = json.loads(batch.cursor or "")
        cursors.append(json.dumps({**kept, "seen": {}, "oldest": began.isoformat()}))
    site.sql("update wp_comments set comment_approved = '1'")
    for one, cursor in zip(sources, cursors, strict=True):
        assert (await one.fetch(cursor)).mentions == ()
    clock.forward(days=1)
    for one, cursor in zip(sources, cursors, strict=True):
        late = await one.fetch(cursor)
        assert {mention.text for mention in late.mentions} == {"Was I spam?", "Was I held?"}
        after = await one.fetch(late.cursor)
        assert after.mentions == ()


async def test_a_site_without_pretty_links(site: Site) -> None:
    where = "where option_name in ('permalink_structure', 'rewrite_rules')"
    site.sql("delete from wp_comments")
    await asyncio.to_thread(site.comments, "Ada Reader", "Do you lend looms?")
    before = site.sql(
        "select option_value from wp_options where option_name = 'permalink_structure'"
    )
    site.sql(f"update wp_options set option_value = '' {where}")
    try:
        source = WordPress(settings(site), PATIENT)
        [mention] = (await source.fetch(None)).mentions
        to = answering(native_id=mention.native_id)
        replied = await source.reply(to, "Yes.", "k")
        assert (await source.reply(to, "Yes.", "k")).native_id == replied.native_id
        assert site.sql("select count(*) from wp_comments where comment_parent <> 0") == "1"
    finally:
        site.sql(
            f"update wp_options set option_value = '{before}' "
            "where option_name = 'permalink_structure'"
        )


async def test_a_server_that_drops_the_sign_in_is_named(site: Site) -> None:
    async with a_way_to(site.url) as way:
        way.drops = ("Authorization",)
        found = settings(site)
        options = found.options.model_copy(update={"url": way.url})
        [finding] = await network.check(replace(found, options=options), PATIENT)
    assert not finding.ok
    assert "CGIPassAuth On" in finding.said


async def test_check_and_a_wrong_password(site: Site) -> None:
    [finding] = await network.check(settings(site), PATIENT)
    assert finding.ok, finding.said
    assert "also those held for moderation" in finding.said
    [finding] = await network.check(settings(site, signed_in=False), PATIENT)
    assert finding.ok, finding.said
    site.password, right = "wrong", site.password
    [finding] = await network.check(settings(site), PATIENT)
    site.password = right
    assert not finding.ok
    assert "Application Passwords" in finding.said


async def test_an_answer_from_chat_stands_there_once(site: Site, sqlite_library: Library) -> None:
    """Sent, twice at once, and with the connection cut after the site took it."""
    site.sql("delete from wp_comments")
    await asyncio.to_thread(site.comments, "Ada Reader", "Do you lend looms & wheels?")
    async with a_way_to(site.url) as way:
        found = settings(site)
        options = found.options.model_copy(update={"url": way.url})
        source = WordPress(replace(found, name="social", options=options), PATIENT)
        batch = await source.fetch(None)
        sqlite_library.desk.act(take_in, source="social", batch=batch)
        answered = Answered(sqlite_library, life=timedelta(seconds=15))
        text = "Yes: looms & <wheels>.\n\nAsk at the desk! 🧵"
        way.cuts = 1
        form = await answered.form(1)
        said = await asyncio.gather(*(answered.send(form, text, who) for who in ("mia", "dora")))
        assert sorted(type(one).__name__ for one in said) == ["Form", "Message"]
        async with answered.running(source):
            await until(lambda: not answered.on_the_way())
        assert way.posted == [201]
        assert answered.states == ["sent"]
        count = "select count(*) from wp_comments where comment_parent <> 0"
        assert site.sql(count).split() == ["1"]
        # As two processes would that know nothing of each other.
        mention = batch.mentions[0]
        to = Answering(
            native_id=mention.native_id, conversation="", permalink="", title="",
            patron=mention.patron, visibility=mention.visibility, written_at=mention.posted_at,
        )  # fmt: skip
        once_more = await asyncio.gather(*(source.reply(to, text, "k") for _ in range(2)))
        assert site.sql(count).split() == ["1"]
        assert len({one.native_id for one in once_more}) == 1
        looked = await source.look(
            [Conversation(native_id=mention.native_id, conversation="", permalink="")]
        )
        [noticed] = [one for one in looked if isinstance(one, AnsweredAtSource)]
        at = sqlite_library.mention(1).answered_at
        assert at is not None
        assert abs(noticed.at - at) <= timedelta(seconds=1) or at == sqlite_library.clock.now
        shown = site.sql("select comment_content from wp_comments where comment_parent <> 0")
        assert "looms &amp; &lt;wheels&gt;" in shown
        number = mention.native_id
        site.sql(f"update wp_comments set comment_approved = '0' where comment_id = {number}")
        with pytest.raises(DeliveryError, match="held for moderation") as refused:
            await source.reply(to, "Else.", "k")
        assert refused.value.permanent

"""A real WordPress: what a patron and an editor do there is what the source tells.

One test for one story, since the site takes seconds to begin; skipped with a word where none is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from staffbot.desk.arrivals import take_in
from staffbot.errors import DeliveryError
from staffbot.network import AnsweredAtSource, Answering, Conversation, Deleted, Edited
from staffbot.secret import Secret
from staffbot.settings import SourceSettings
from staffbot.sources.wordpress import WordPress, network
from staffbot.sources.wordpress_site import Options
from tests.cutting import a_way_to
from tests.library import Library
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

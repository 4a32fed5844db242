"""WordPress's comments, from a site on loopback and from recorded answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from staffbot.errors import SourceError
from staffbot.model import Kind
from staffbot.network import AnsweredAtSource, Batch, Conversation, Deleted, Edited
from staffbot.secret import Secret
from staffbot.settings import Network, SourceSettings
from staffbot.sources import wordpress_comments
from staffbot.sources.wordpress import WordPress, network
from staffbot.sources.wordpress_site import Options
from tests.library import HandClock
from tests.reply_contract import answering
from tests.source_contract import Written
from tests.staffbot.sources.recorded import recorded
from tests.staffbot.sources.rigs import ReadContract, ReadRig
from tests.staffbot.sources.wordpresses import PASSWORD, STAFF, USER, Blog
from tests.website import Website

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATIENT = Network(timeout=timedelta(seconds=50))


@pytest.fixture
def blog(site: Website) -> Blog:
    return Blog(site, NOW)


def settings(blog: Blog, *, password: str = PASSWORD, **more: Any) -> SourceSettings:
    sign_in: dict[str, Any] = (
        {"username": USER, "password": Secret(value=password)} if password else {}
    )
    options = Options(url=blog.site.url, allow_private=True, **sign_in)
    return SourceSettings(name="blog", type="wordpress", options=options, **more)


def source(blog: Blog, **more: Any) -> WordPress:
    return WordPress(settings(blog, **more), PATIENT, HandClock(NOW))


def texts(batch: Batch) -> list[str]:
    return [mention.text for mention in batch.mentions]


def conversation(id_: int) -> Conversation:
    return Conversation(native_id=str(id_), conversation=str(id_), permalink="")


async def test_a_comment_becomes_a_mention_without_address(blog: Blog) -> None:
    blog.post("Is there <tomato> seed left? — café & 🍅", at=NOW - HOUR)
    [mention] = (await source(blog).fetch(None)).mentions
    assert mention.kind is Kind.COMMENT
    assert mention.text == "Is there <tomato> seed left? — café & 🍅"
    assert mention.title == "New: seed library & more"
    assert mention.patron.name == "Ada Reader"
    assert mention.permalink.endswith("#comment-1")
    assert not mention.held
    assert "example.org" not in repr(mention)
    assert "203.0.113.9" not in repr(mention)
    # They are not even asked for.
    asked = [request.query["_fields"] for request in blog.site.asked if "_fields" in request.query]
    assert not any("email" in fields or "ip" in fields.split(",") for fields in asked)


async def test_held_comments_come_with_a_password_and_only_then(blog: Blog) -> None:
    blog.post("See my five links", at=NOW - HOUR, status="hold")
    blog.post("Cheap watches", at=NOW - HOUR, status="spam")
    [held] = (await source(blog).fetch(None)).mentions
    assert (held.text, held.held) == ("See my five links", True)
    assert texts(await source(blog, password="").fetch(None)) == []


async def test_it_is_noticed_when_a_held_comment_is_let_through(blog: Blog) -> None:
    held = blog.post("See my five links", at=NOW - HOUR, status="hold")
    first = await source(blog).fetch(None)
    assert (await source(blog).fetch(first.cursor)).changes == ()
    blog.comments[held]["status"] = "approved"
    told = Edited(native_id=str(held), text="See my five links", at=NOW, held=False)
    second = await source(blog).fetch(first.cursor)
    assert second.changes == (told,)
    assert (await source(blog).fetch(second.cursor)).changes == ()
    assert await source(blog).look([conversation(held)]) == [told]


async def test_without_a_password_what_is_let_through_late_still_comes(blog: Blog) -> None:
    public = source(blog, password="", look_back=timedelta(days=3))
    held = blog.post("I was held", at=NOW - timedelta(days=2), status="hold")
    blog.post("I was not", at=NOW - HOUR)
    first = await public.fetch(None)
    assert texts(first) == ["I was not"]
    blog.comments[held]["status"] = "approved"
    second = await public.fetch(first.cursor)
    assert texts(second) == ["I was held"]
    assert texts(await public.fetch(second.cursor)) == []


DAY = timedelta(days=1)


@dataclass
class Reader:
    """Reads a blog on from where it stands, at a moment that the test says."""

    blog: Blog
    password: str
    clock: HandClock = field(default_factory=lambda: HandClock(NOW))
    cursor: str | None = None

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        found = settings(self.blog, password=self.password, look_back=30 * DAY)
        self.source = WordPress(found, PATIENT, self.clock)

    async def read(self) -> list[str]:
        batch = await self.source.fetch(self.cursor)
        self.cursor = batch.cursor
        return texts(batch)

    async def read_for_a_day(self) -> list[str]:
        """Two readings an hour."""
        said: list[str] = []
        for _ in range(48):
            self.clock.now += HOUR / 2
            self.blog.now = self.clock.now
            said += await self.read()
        return said


# With a password a held comment is seen at once; what was taken for spam is not.
@pytest.mark.parametrize(
    ("password", "before", "after"),
    [("", "hold", "approved"), (PASSWORD, "spam", "approved"), (PASSWORD, "spam", "hold")],
)
async def test_what_is_let_through_weeks_later_comes_within_a_day_and_once(
    blog: Blog, password: str, before: str, after: str
) -> None:
    reader = Reader(blog, password)
    late = blog.post("I was held", at=NOW - HOUR, status=before)
    blog.post("Long before staffbot", at=NOW - 31 * DAY)
    blog.post("I was not", at=NOW - HOUR)
    assert await reader.read() == ["I was not"]
    reader.clock.now += 20 * DAY
    blog.post("Just now", at=reader.clock.now)
    assert await reader.read() == ["Just now"]
    blog.comments[late]["status"] = after
    assert (await reader.read_for_a_day()).count("I was held") == 1
    assert await reader.read_for_a_day() == []
    reader.restart()
    assert "Long before staffbot" not in await reader.read_for_a_day()


async def test_the_year_is_gone_through_page_by_page_and_once_a_day(blog: Blog) -> None:
    reader = Reader(blog, "")
    for number in range(230):
        # More than a page of one second, too.
        at = NOW - 20 * DAY + timedelta(seconds=min(number, 60))
        blog.post(f"Question {number}", at=at)
    assert len(await reader.read()) == 230
    blog.post("Newest", at=NOW)
    await reader.read()
    reader.restart()
    said = await reader.read_for_a_day() + await reader.read_for_a_day()
    assert sorted(set(said)) == sorted(f"Question {n}" for n in range(230))
    blog.site.asked.clear()
    assert await reader.read_for_a_day() == []
    listed = [one for one in blog.site.asked if one.path.endswith("/comments")]
    assert len(listed) == 48 + 3


async def test_the_first_run_looks_back_only_so_far(blog: Blog) -> None:
    for password in (PASSWORD, ""):
        blog.comments.clear()
        blog.post("Old", at=NOW - timedelta(hours=25))
        blog.post("Young", at=NOW - timedelta(hours=23))
        first = await source(blog, password=password).fetch(None)
        assert texts(first) == ["Young"]
        assert texts(await source(blog, password=password).fetch(first.cursor)) == []


async def test_a_comment_of_the_same_second_is_not_lost(blog: Blog) -> None:
    blog.post("First", at=NOW - HOUR)
    first = await source(blog).fetch(None)
    blog.post("Same second", at=NOW - HOUR)
    # A clock that runs behind on the site, or a transaction that took its time.
    blog.post("A little before", at=NOW - HOUR - timedelta(seconds=40))
    second = await source(blog).fetch(first.cursor)
    assert sorted(texts(second)) == ["A little before", "Same second"]
    assert texts(await source(blog).fetch(second.cursor)) == []


async def test_it_reads_to_the_last_page(blog: Blog) -> None:
    for number in range(250):
        blog.post(f"Question {number}", at=NOW - HOUR + timedelta(seconds=number))
    batch = await source(blog).fetch(None)
    assert texts(batch) == [f"Question {number}" for number in range(250)]
    assert texts(await source(blog).fetch(batch.cursor)) == []


async def test_the_librarys_own_comments_are_answers_and_no_mentions(blog: Blog) -> None:
    patron = blog.post("Any seed left?", at=NOW - HOUR)
    first = await source(blog).fetch(None)
    blog.post("Two packets.", at=NOW - HOUR / 2, author=STAFF, parent=patron)
    blog.post("Thanks!", at=NOW - HOUR / 3, parent=2)
    second = await source(blog).fetch(first.cursor)
    [thanks] = second.mentions
    # The same thread as the question, so that it joins that mention.
    assert thanks.conversation == first.mentions[0].conversation
    assert thanks.in_reply_to == "Two packets."
    [answer] = second.changes
    assert answer == AnsweredAtSource(
        native_id=str(patron), at=NOW - HOUR / 2, account=str(STAFF),
        permalink=f"{blog.site.url}/2026/11/new-seed-library/#comment-2",
    )  # fmt: skip
    assert (await source(blog).fetch(second.cursor)).changes == ()


async def test_words_that_change_or_go_are_noticed_while_they_are_fresh(blog: Blog) -> None:
    one, two = blog.post("Frist", at=NOW - HOUR), blog.post("Rude", at=NOW - HOUR)
    first = await source(blog).fetch(None)
    blog.comments[one]["content"] = {"rendered": "<p>First</p>"}
    blog.comments[two]["status"] = "trash"
    second = await source(blog).fetch(first.cursor)
    assert second.changes == (
        Edited(native_id=str(one), text="First", at=NOW, held=False),
        Deleted(native_id=str(two), at=NOW),
    )
    assert (await source(blog).fetch(second.cursor)).changes == ()


async def test_a_look_tells_answers_edits_and_deletions_in_few_requests(blog: Blog) -> None:
    ids = [blog.post(f"Question {n}", at=NOW - timedelta(days=20)) for n in range(150)]
    answer = blog.post("Yes.", at=NOW - HOUR, author=STAFF, parent=ids[3])
    blog.post("Me too", at=NOW - HOUR, parent=ids[4])
    del blog.comments[ids[5]]
    blog.comments[ids[6]]["status"] = "trash"
    looking = source(blog)
    changes = await looking.look([conversation(id_) for id_ in ids])
    gone = [change.native_id for change in changes if isinstance(change, Deleted)]
    assert gone == [str(ids[5]), str(ids[6])]
    [answered] = [change for change in changes if isinstance(change, AnsweredAtSource)]
    assert (answered.native_id, answered.at) == (str(ids[3]), NOW - HOUR)
    assert answered.permalink.endswith(f"#comment-{answer}")
    listed = [
        r for r in blog.site.asked if r.path.endswith("/comments")
    ]  # one more is asked for alone
    assert len(listed) == 4  # two pieces, each asked for and for what stands below it


async def test_what_is_only_held_again_is_not_gone(blog: Blog) -> None:
    held = blog.post("Held again", at=NOW - HOUR, status="hold")
    gone = blog.post("Trashed", at=NOW - HOUR, status="trash")
    del blog.comments[blog.post("Deleted", at=NOW - HOUR)]
    public = source(blog, password="")
    changes = await public.look([conversation(id_) for id_ in (held, gone, gone + 1)])
    assert changes == [Deleted(native_id=str(gone + 1), at=NOW)]


@pytest.mark.parametrize("there", [404, 301, 200])
async def test_a_site_without_pretty_links_and_with_its_users_closed(
    blog: Blog, there: int
) -> None:
    blog.plain_links = blog.users_closed = True
    blog.there = there
    hello = blog.post("Hello", at=NOW - HOUR)
    reading = source(blog)
    assert texts(await reading.fetch(None)) == ["Hello"]
    to = answering(native_id=str(hello))
    assert (await reading.reply(to, "Hello!", "k")).native_id == str(hello + 1)


@pytest.mark.parametrize("plain", [False, True])
async def test_a_site_in_a_folder(blog: Blog, plain: bool) -> None:
    blog.folder, blog.plain_links = "/blog", plain
    blog.post("Hello", at=NOW - HOUR)
    options = Options(url=f"{blog.site.url}/blog/", allow_private=True)
    found = replace(settings(blog, password=""), options=options)
    assert texts(await WordPress(found, PATIENT, HandClock(NOW)).fetch(None)) == ["Hello"]


async def test_a_firewall_is_told_apart_from_a_wrong_password(blog: Blog) -> None:
    blog.firewall = True
    for password in (PASSWORD, ""):
        with pytest.raises(SourceError, match="before WordPress refuses programs"):
            await source(blog, password=password).fetch(None)


@pytest.mark.parametrize("code", ["rest_disabled", "rest_login_required"])
async def test_a_plugin_that_closes_the_interface_is_named(blog: Blog, code: str) -> None:
    body = json.dumps({"code": code, "message": "No."})
    blog.site.says("/wp-json/wp/v2/users/me", body, status=401, content_type="application/json")
    with pytest.raises(SourceError, match=rf"plugin closes its REST interface \({code}\)"):
        await source(blog).fetch(None)


async def test_who_signs_in_may_be_named_where_the_site_does_not_tell(blog: Blog) -> None:
    blog.me_closed = blog.users_closed = True
    patron = blog.post("Any seed left?", at=NOW - HOUR)
    blog.post("Two packets.", at=NOW - HOUR / 2, author=STAFF, parent=patron)
    with pytest.raises(SourceError, match="`accounts`"):
        await source(blog).fetch(None)
    options = Options(
        url=blog.site.url, allow_private=True, username=USER,
        password=Secret(value=PASSWORD), accounts=(STAFF,),
    )  # fmt: skip
    named = WordPress(replace(settings(blog), options=options), PATIENT, HandClock(NOW))
    assert texts(await named.fetch(None)) == ["Any seed left?"]
    found = await named.find_reply(answering(native_id=str(patron)), "Two packets.", "k")
    assert found is not None


@pytest.mark.parametrize(
    ("status", "says"), [(500, "trouble of its own"), (429, "less often"), (503, "trouble")]
)
async def test_trouble_there_is_said_and_its_wait_honoured(
    blog: Blog, status: int, says: str
) -> None:
    blog.down = status
    with pytest.raises(SourceError, match=says) as problem:
        await source(blog).fetch(None)
    assert problem.value.retry_after == 17


async def test_a_refusal_says_what_to_do_and_keeps_the_password(blog: Blog) -> None:
    with pytest.raises(SourceError, match="Application Passwords") as problem:
        await source(blog, password="wrong").fetch(None)
    assert "wrong" not in str(problem.value)
    blog.editor = False
    with pytest.raises(SourceError, match="make it an editor"):
        await source(blog).fetch(None)


async def test_a_password_never_follows_a_redirect(blog: Blog) -> None:
    moved = {"Location": "https://elsewhere.example/wp-json/?key=1"}
    for path in ("/wp-json/wp/v2/users/me", "/"):
        blog.site.says(path, "", status=301, headers=moved)
    with pytest.raises(SourceError, match=r"on to https://elsewhere\.example: configure"):
        await source(blog).fetch(None)


@pytest.mark.parametrize(
    "broken",
    [
        {"code": "x"},
        "text",
        3,
    ],
)
async def test_an_answer_that_is_no_list_is_an_error_and_moves_nothing(
    blog: Blog, broken: Any
) -> None:
    blog.broken = broken
    with pytest.raises(SourceError):
        await source(blog).fetch(None)


async def test_records_without_their_fields_cost_their_neighbours_nothing(blog: Blog) -> None:
    blog.broken = [
        None, 7, [], {}, {"id": "x"}, {"id": True}, {"id": -1}, {"id": 5, "type": "pingback"},
        {"id": 6, "date_gmt": "2026-03-03T08:00:00", "content": None, "author_name": 4},
        {"id": 7, "date_gmt": "2026-03-03T08:00:00", "content": {"rendered": "<p>" * 400 + "Hi"},
         "link": "javascript:alert(1)", "author_url": "data:x", "parent": 7},
    ]  # fmt: skip
    batch = await source(blog).fetch(None)
    assert [(m.native_id, m.text, m.permalink) for m in batch.mentions] == [
        ("6", "", ""), ("7", "Hi", ""),
    ]  # fmt: skip


async def test_what_is_no_json_points_at_the_address(blog: Blog) -> None:
    for path in ("/wp-json/wp/v2/comments", "/"):
        blog.site.says(path, "<html>", content_type="text/html")
    with pytest.raises(SourceError, match="no JSON"):
        await source(blog).fetch(None)


def test_recorded_comments_are_read() -> None:
    records = recorded("wordpress/comments_edit_context")["body"] + recorded(
        "wordpress/comments_hold"
    )
    read = [wordpress_comments.read(record) for record in records]
    [seed, hello, held] = [one for one in read if one is not None]
    assert seed.text == "Is there tomato seed left? — café & 🍅"
    assert seed.at == datetime(2026, 11, 23, 19, 6, 57, tzinfo=UTC)
    assert hello.text.splitlines()[0] == "Hi, this is a comment."
    assert held.status == "hold"
    assert "ada@example.org" not in repr(read)
    replies = [wordpress_comments.read(one) for one in recorded("wordpress/comments_children")]
    assert [(one.parent, one.author) for one in replies if one] == [(2, 2), (2, 2)]


async def test_check_says_what_is_missed_without_a_password(blog: Blog) -> None:
    blog.post("Hello", at=NOW - HOUR)
    [found] = await network.check(settings(blog), PATIENT)
    assert found.ok
    assert "its 1 comments can be read, also those held for moderation" in found.said
    [public] = await network.check(settings(blog, password=""), PATIENT)
    assert public.ok
    assert "none while it is held for moderation" in public.said
    assert "after 14 days comes up to a day late, after 365 days never" in public.said
    [wrong] = await network.check(settings(blog, password="wrong"), PATIENT)
    assert not wrong.ok
    assert "botty" in wrong.said


def test_a_password_needs_a_user_and_https() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        Options(url="https://library.example", username="ana")
    with pytest.raises(ValidationError, match="https"):
        Options(url="http://library.example", username="ana", password=Secret(value="x"))
    with pytest.raises(ValidationError, match="the server alone"):
        Options(url="https://library.example/?a=1")


class TestWordPressContract(ReadContract):
    @pytest.fixture(params=[PASSWORD, ""], ids=["signed-in", "public"])
    def rig(self, blog: Blog, request: pytest.FixtureRequest) -> ReadRig:
        def write(written: Written) -> None:
            blog.post(written.text, at=written.at, id=int(written.id) + 1, name=written.author)

        def breaks(broken: bool) -> None:
            blog.down = 503 if broken else 0

        return ReadRig(
            settings=settings(blog, password=request.param), network=network,
            write=write, breaks=breaks, hangs=blog.hangs,
        )  # fmt: skip

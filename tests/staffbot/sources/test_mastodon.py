"""Mastodon and its kin, from a server on loopback and from recorded answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from staffbot.errors import SourceError
from staffbot.model import Kind, Visibility
from staffbot.network import AnsweredAtSource, Batch, Conversation, Deleted, Edited
from staffbot.secret import Secret
from staffbot.settings import SourceSettings
from staffbot.sources import mastodon_statuses
from staffbot.sources.mastodon import Mastodon, network
from staffbot.sources.mastodon_account import Options
from tests.library import HandClock
from tests.source_contract import Written
from tests.staffbot.sources.mastodons import LIBRARY, TOKEN, Instance
from tests.staffbot.sources.recorded import recorded
from tests.staffbot.sources.rigs import PATIENT, ReadContract, ReadRig
from tests.website import Website

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def instance(site: Website) -> Instance:
    return Instance(site)


def settings(instance: Instance, *, token: str = TOKEN, **more: Any) -> SourceSettings:
    options = Options(
        server=instance.site.url, token=Secret(value=token), allow_private=True, **more
    )
    return SourceSettings(name="mastodon", type="mastodon", options=options)


def source(instance: Instance, **more: Any) -> Mastodon:
    return Mastodon(settings(instance, **more), PATIENT, HandClock(NOW))


def texts(batch: Batch) -> list[str]:
    return [mention.text for mention in batch.mentions]


def conversation(id_: str) -> Conversation:
    return Conversation(native_id=id_, conversation=id_, permalink="")


async def test_a_status_becomes_a_mention(instance: Instance) -> None:
    html = (
        '<p><span class="h-card"><a href="https://x.example/@library">@<span>library</span></a>'
        '</span> open on <b>Sunday</b>? :tomato: <a href="https://library.example/a/long/way">'
        '<span class="invisible">https://</span><span class="ellipsis">library.example/a</span>'
        '<span class="invisible">/long/way</span></a></p><script>alert(1)</script>'
    )
    picture = {"type": "image", "url": "https://x.example/a.png", "description": "A chair"}
    id_ = instance.post(
        "", html=html, at=NOW - HOUR, name="Lena P. :verified:", spoiler_text="rant",
        media_attachments=[picture, {"type": "image", "url": "javascript:x"}],
    )  # fmt: skip
    [mention] = (await source(instance).fetch(None)).mentions
    assert (mention.native_id, mention.kind) == (id_, Kind.MENTION)
    assert mention.text == "@library open on Sunday? :tomato: https://library.example/a/long/way"
    assert (mention.patron.name, mention.patron.handle) == ("Lena P.", "@patron")
    assert mention.title == "Content warning: rant"
    assert mention.visibility is Visibility.PUBLIC
    assert [(media.url, media.alt) for media in mention.media] == [
        ("https://x.example/a.png", "A chair")
    ]


@pytest.mark.parametrize("visibility", ["direct", "private", "something-new"])
async def test_what_is_not_public_is_private(instance: Instance, visibility: str) -> None:
    instance.post("My card was stolen", at=NOW - HOUR, visibility=visibility)
    [mention] = (await source(instance).fetch(None)).mentions
    assert mention.visibility is Visibility.PRIVATE


async def test_a_reply_that_does_not_name_the_library_is_found(instance: Instance) -> None:
    ours = instance.post("Summer reading!", at=NOW - HOUR, by=LIBRARY, notify="")
    reading = source(instance)
    first = await reading.fetch(None)
    one = instance.post("A question about that", at=NOW - HOUR / 2, to=ours, notify="")
    second = await reading.fetch(first.cursor)
    [reply] = second.mentions
    assert (reply.native_id, reply.kind, reply.conversation) == (one, Kind.REPLY, ours)
    assert reply.in_reply_to == "Summer reading!"
    before = len(instance.asked)
    third = await reading.fetch(second.cursor)
    assert texts(third) == []
    # Nothing changed below the library's statuses, so none of them was asked about.
    assert len(instance.asked) - before == 2
    instance.post("@library And another", at=NOW - HOUR / 3, to=ours)
    assert texts(await reading.fetch(third.cursor)) == ["@library And another"]


async def test_it_reads_to_the_last_page(instance: Instance) -> None:
    first = await source(instance).fetch(None)
    for number in range(130):
        instance.post(f"Question {number}", at=NOW - HOUR)
    second = await source(instance).fetch(first.cursor)
    assert sorted(texts(second)) == sorted(f"Question {number}" for number in range(130))
    assert texts(await source(instance).fetch(second.cursor)) == []


async def test_the_first_run_looks_back_only_so_far(instance: Instance) -> None:
    instance.post("Old", at=NOW - timedelta(hours=25))
    instance.post("Young", at=NOW - HOUR)
    first = await source(instance).fetch(None)
    assert texts(first) == ["Young"]
    assert texts(await source(instance).fetch(first.cursor)) == []


async def test_a_notification_that_shows_up_late_is_not_lost(instance: Instance) -> None:
    instance.post("First", at=NOW - HOUR)
    instance.post("Committed late", at=NOW - HOUR)
    instance.post("Third", at=NOW - HOUR)
    late = instance.notified.pop(1)
    first = await source(instance).fetch(None)
    instance.notified.append(late)  # with an id below the newest that was read
    second = await source(instance).fetch(first.cursor)
    assert texts(second) == ["Committed late"]


async def test_edits_come_with_their_own_moment(instance: Instance) -> None:
    id_ = instance.post("Sunday?", at=NOW - HOUR)
    first = await source(instance).fetch(None)
    instance.edit(id_, "Sunday (24th)?", NOW - HOUR / 2)
    instance.notify("update", id_, NOW - HOUR / 2)
    second = await source(instance).fetch(first.cursor)
    assert second.changes == (Edited(native_id=id_, text="Sunday (24th)?", at=NOW - HOUR / 2),)
    assert (await source(instance).fetch(second.cursor)).changes == ()


async def test_hashtags_are_heard(instance: Instance) -> None:
    seen = instance.post("I like #Riverside", at=NOW - HOUR, notify="")
    named = instance.post("@library #Riverside?", at=NOW - HOUR)
    ours = instance.post("We are #Riverside", at=NOW - HOUR, by=LIBRARY, notify="")
    instance.tags["Riverside"] = [seen, named, ours]
    reading = source(instance, hashtags=("#Riverside", "NeverUsed"))
    batch = await reading.fetch(None)
    assert {mention.text: mention.kind for mention in batch.mentions} == {
        "I like #Riverside": Kind.HASHTAG, "@library #Riverside?": Kind.MENTION,
    }  # fmt: skip
    assert texts(await reading.fetch(batch.cursor)) == []


async def test_a_look_tells_answers_edits_and_deletions(instance: Instance) -> None:
    ids = [instance.post(f"Question {number}", at=NOW - 2 * HOUR) for number in range(6)]
    instance.post("Yes, all day.", at=NOW - HOUR, by=LIBRARY, to=ids[1], notify="")
    instance.post("Me too", at=NOW - HOUR, to=ids[2], notify="")
    instance.edit(ids[3], "Question three", NOW - HOUR / 2)
    instance.delete(ids[4])
    changes = await source(instance).look([conversation(id_) for id_ in ids])
    [answer] = [change for change in changes if isinstance(change, AnsweredAtSource)]
    assert (answer.native_id, answer.at, answer.account) == (ids[1], NOW - HOUR, "library")
    assert answer.permalink.startswith("http")
    assert [change for change in changes if not isinstance(change, AnsweredAtSource)] == [
        Edited(native_id=ids[3], text="Question three", at=NOW - HOUR / 2),
        Deleted(native_id=ids[4], at=NOW),
    ]


async def test_refusals_are_said_in_words(instance: Instance) -> None:
    with pytest.raises(SourceError, match="make a new one there under Preferences") as problem:
        await source(instance, token="wrong-token").fetch(None)
    assert "wrong-token" not in str(problem.value)
    instance.scope = False
    with pytest.raises(SourceError, match=r"lacks a scope: .* read:accounts"):
        await source(instance).fetch(None)
    [finding] = await network.check(settings(instance), PATIENT)
    assert not finding.ok


@pytest.mark.parametrize("reset", ["seconds", "moment"])
async def test_rate_limits_are_honoured(instance: Instance, reset: str) -> None:
    at = datetime.now(UTC) + timedelta(minutes=2)
    said = at.isoformat().replace("+00:00", "Z") if reset == "moment" else str(int(at.timestamp()))
    instance.down, instance.headers = 429, {"X-RateLimit-Reset": said}
    with pytest.raises(SourceError, match="less often") as problem:
        await source(instance).fetch(None)
    assert 60 < (problem.value.retry_after or 0) <= 121


async def test_records_without_their_fields_cost_their_neighbours_nothing(
    instance: Instance,
) -> None:
    status = {"id": 7, "content": "<p>Hi</p>" + "<b>" * 300, "account": "Lena", "url": "data:x"}
    instance.broken = [
        None, 4, {"id": "../../admin"}, {"id": 1, "type": "mention"},
        {"id": 2, "type": "mention", "status": {"id": "a/b"}},
        {"id": 3, "type": "mention", "status": status, "created_at": "never"},
    ]  # fmt: skip
    [mention] = (await source(instance).fetch(None)).mentions
    assert (mention.native_id, mention.text, mention.patron.name) == ("7", "Hi", "Somebody")
    instance.broken = {"error": "x"}
    with pytest.raises(SourceError, match="without a list"):
        await source(instance).fetch(None)


async def test_recorded_answers_are_read(instance: Instance) -> None:
    instance.notified = recorded("mastodon/notifications")
    instance.statuses = {one["id"]: one for one in recorded("mastodon/account_statuses")}
    now = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    batch = await Mastodon(settings(instance), PATIENT, HandClock(now)).fetch(None)
    told = {(m.kind, m.visibility) for m in batch.mentions}
    assert told == {
        (Kind.MENTION, Visibility.PUBLIC), (Kind.REPLY, Visibility.PUBLIC),
        (Kind.MENTION, Visibility.PRIVATE),
    }  # fmt: skip
    edited = mastodon_statuses.edited(recorded("mastodon/status_edited"), now)
    assert edited is not None
    assert edited.text == "@library is the book drop open on Sunday (24th)?"


def test_what_is_no_hashtag_is_refused() -> None:
    with pytest.raises(ValidationError, match="no hashtag"):
        Options(server="https://x.example", token=Secret(value="t"), hashtags=("two words",))


class TestMastodonContract(ReadContract):
    @pytest.fixture
    def rig(self, instance: Instance) -> ReadRig:
        def write(written: Written) -> None:
            instance.post(written.text, at=written.at, id=f"S{written.id}", name=written.author)

        def breaks(broken: bool) -> None:
            instance.down = 502 if broken else 0

        return ReadRig(
            settings=settings(instance),
            network=network,
            write=write,
            breaks=breaks,
            hangs=instance.hangs,
        )

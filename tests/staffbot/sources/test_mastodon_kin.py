"""What servers of the Mastodon kind do each in its own way, by their documentation and recordings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from staffbot.errors import DeliveryError, SourceError
from staffbot.model import Kind, Visibility
from staffbot.network import AnsweredAtSource, Conversation
from staffbot.secret import Secret
from staffbot.settings import SourceSettings
from staffbot.sources.mastodon import Mastodon, network
from staffbot.sources.mastodon_account import Options
from tests.library import HandClock
from tests.reply_contract import KEY, WORDS, answering
from tests.staffbot.sources.mastodons import LIBRARY, PATRON, TOKEN, Instance
from tests.staffbot.sources.rigs import PATIENT
from tests.website import Website

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def instance(site: Website) -> Instance:
    return Instance(site)


def settings(instance: Instance, **more: Any) -> SourceSettings:
    options = Options(
        server=instance.site.url, token=Secret(value=TOKEN), allow_private=True, **more
    )
    return SourceSettings(name="mastodon", type="mastodon", options=options)


def source(instance: Instance, **more: Any) -> Mastodon:
    return Mastodon(settings(instance, **more), PATIENT, HandClock(NOW))


async def test_what_the_account_has_held_back_from_its_own_app_is_read(instance: Instance) -> None:
    instance.held_back.add(instance.post("My first post ever", at=NOW - HOUR))
    [mention] = (await source(instance).fetch(None)).mentions
    assert mention.text == "My first post ever"


async def test_a_server_that_refuses_kinds_it_does_not_know_is_asked_for_mentions(
    instance: Instance,
) -> None:
    instance.kinds = frozenset({"mention", "favourite"})
    instance.post("Hello", at=NOW - HOUR)
    reading = source(instance)
    first = await reading.fetch(None)
    assert [one.text for one in first.mentions] == ["Hello"]
    instance.asked.clear()
    await reading.fetch(first.cursor)
    assert instance.asked.count("/api/v1/notifications") == 1


async def test_kinds_that_were_not_asked_for_are_no_edits(instance: Instance) -> None:
    own = instance.post("Ours", at=NOW - HOUR, by=LIBRARY, notify="favourite")
    instance.edit(own, "Ours, edited", NOW)
    instance.ignores_kinds = True
    batch = await source(instance).fetch(None)
    assert (batch.mentions, batch.changes) == ((), ())


@pytest.mark.parametrize(("kind", "heard"), [("quote", Kind.QUOTE), ("pending.reply", Kind.REPLY)])
async def test_quotes_and_replies_that_wait_are_heard(
    instance: Instance, kind: str, heard: Kind
) -> None:
    own = instance.post("Summer reading!", at=NOW - 2 * HOUR, by=LIBRARY, notify="")
    said: dict[str, Any] = {"quote": {"state": "accepted", "quoted_status": instance.statuses[own]}}
    instance.post(
        "Look", at=NOW - HOUR, notify=kind, to=own if heard is Kind.REPLY else "",
        **(said if heard is Kind.QUOTE else {}),
    )  # fmt: skip
    instance.statuses[own]["replies_count"] = 0
    [mention] = (await source(instance).fetch(None)).mentions
    assert (mention.kind, mention.in_reply_to) == (heard, "Summer reading!")


@pytest.mark.parametrize("kinds", [("quote", "mention"), ("mention", "quote")])
async def test_a_quote_that_names_the_library_is_a_mention(
    instance: Instance, kinds: tuple[str, str]
) -> None:
    id_ = instance.post("@library look", at=NOW - HOUR, notify=kinds[0])
    instance.notify(kinds[1], id_, NOW - HOUR)
    [mention] = (await source(instance).fetch(None)).mentions
    assert mention.kind is Kind.MENTION


async def test_missing_and_empty_fields(instance: Instance) -> None:
    instance.post(
        "", at=NOW - HOUR, content=None, language=None, spoiler_text=None, visibility="mutuals_only",
        poll={"options": [{"title": "Monday"}, {"title": "<b>Friday"}, {}]},
        media_attachments=[
            {"type": "unknown", "url": None, "remote_url": "https://x.example/a.png"},
            {"type": "image", "url": None, "preview_url": None, "description": None},
        ],
    )  # fmt: skip
    [mention] = (await source(instance).fetch(None)).mentions
    assert mention.text == "Poll: Monday / <b>Friday"
    assert [(one.kind, one.url) for one in mention.media] == [("file", "https://x.example/a.png")]
    assert (mention.title, mention.language) == ("", "")
    assert mention.visibility is Visibility.PRIVATE


@pytest.mark.parametrize(
    ("written", "acct", "own"),
    [
        ("kids@social.example", "kids", True),
        ("@Kids@social.example", "kids", True),
        ("kids", "kids", True),
        ("kids@b.example", "kids@b.example", True),
        ("kids@b.example", "kids", False),
        ("kids", "kids@b.example", False),
    ],
)
async def test_further_accounts_are_known_with_their_domain_and_without(
    instance: Instance, written: str, acct: str, own: bool
) -> None:
    instance.instance = {"uri": "https://social.example", "max_toot_chars": 5000}
    asked = instance.post("Open?", at=NOW - HOUR)
    instance.post("Yes", at=NOW, by=PATRON, to=asked, notify="", acct=acct)
    there = Conversation(native_id=asked, conversation=asked, permalink="")
    looking = source(instance, accounts=(written,))
    found = await looking.look([there])
    assert bool([one for one in found if isinstance(one, AnsweredAtSource)]) is own
    assert looking.limit is not None
    assert looking.limit.longest == 5000


async def test_a_page_of_some_proxy_takes_back_no_words(instance: Instance) -> None:
    asked = instance.post("Open?", at=NOW - HOUR)
    there = Conversation(native_id=asked, conversation=asked, permalink="")
    instance.proxy_says = 404
    with pytest.raises(SourceError, match="page of its own"):
        await source(instance).look([there])
    with pytest.raises(DeliveryError) as trouble:
        await source(instance).reply(answering(asked), WORDS, KEY)
    assert not trouble.value.permanent


async def test_check_says_that_mentions_are_dropped_before_they_can_be_read(
    instance: Instance,
) -> None:
    instance.policy = {"for_new_accounts": "drop", "for_not_following": "filter"}
    [finding] = await network.check(settings(instance), PATIENT)
    assert (finding.ok, "drop mentions of new accounts" in finding.said) == (False, True)
    others: tuple[dict[str, str] | None, ...] = ({"for_new_accounts": "filter"}, {}, None)
    for instance.policy in others:
        [finding] = await network.check(settings(instance), PATIENT)
        assert finding.ok


async def test_a_long_thread_is_read_with_few_questions(instance: Instance) -> None:
    ours_ = instance.post("Summer reading!", at=NOW - 3 * HOUR, by=LIBRARY, notify="")
    below = [instance.post(f"Question {n}", at=NOW - HOUR, to=ours_) for n in range(60)]
    deep = instance.post("And that?", at=NOW - HOUR, to=below[7])
    begun = instance.post("Elsewhere", at=NOW - 3 * HOUR, notify="")
    others = [instance.post(f"@library {n}", at=NOW - HOUR, to=begun) for n in range(60)]
    lost = instance.post("@library lost", at=NOW - HOUR, to="01M84GONE")
    reading = source(instance)
    found = {one.native_id: one.conversation for one in (await reading.fetch(None)).mentions}
    assert {found[id_] for id_ in (*below, deep)} == {ours_}
    assert {found[id_] for id_ in others} == {begun}
    assert found[lost] == "01M84GONE"
    contexts = [path for path in instance.asked if path.endswith("/context")]
    assert len(contexts) <= 4


async def test_no_reading_asks_more_than_a_server_allows(instance: Instance) -> None:
    for number in range(70):
        begun = instance.post(f"Thread {number}", at=NOW - 3 * HOUR, notify="")
        instance.post(f"@library {number}", at=NOW - HOUR, to=begun)
    assert len((await source(instance).fetch(None)).mentions) == 70
    assert sum(path.endswith("/context") for path in instance.asked) == 40


async def test_a_thread_too_large_to_read_keeps_nothing_else_back(instance: Instance) -> None:
    ours_ = instance.post("Shall we open at night?", at=NOW - 3 * HOUR, by=LIBRARY, notify="")
    instance.post("yes " * 1_500_000, at=NOW - HOUR, to=ours_, notify="")
    asked = instance.post("@library And on Sundays?", at=NOW - HOUR)
    reading = source(instance)
    batch = await reading.fetch(None)
    assert [one.native_id for one in batch.mentions] == [asked]
    again = Conversation(native_id=asked, conversation="", permalink="")
    assert list(await reading.look([again])) == []


async def test_statuses_that_answer_each_other_end(instance: Instance) -> None:
    at = (NOW - HOUR).isoformat()
    said = [{"id": "1", "in_reply_to_id": "2"}, {"id": "2", "in_reply_to_id": "1"}]
    instance.broken = [
        {
            "id": f"n{one['id']}",
            "type": "mention",
            "created_at": at,
            "status": one | {"created_at": at},
        }
        for one in said
    ]
    assert len((await source(instance).fetch(None)).mentions) == 2


async def test_an_answer_over_there_is_noticed_at_the_next_reading(instance: Instance) -> None:
    reading = source(instance)
    asked = instance.post("Open?", at=NOW - HOUR)
    first = await reading.fetch(None)
    assert first.changes == ()
    instance.post("Yes", at=NOW - HOUR / 2, by=LIBRARY, to=asked, notify="")
    second = await reading.fetch(first.cursor)
    [answer] = second.changes
    assert isinstance(answer, AnsweredAtSource)
    assert (answer.native_id, answer.at, answer.account) == (asked, NOW - HOUR / 2, "library")
    assert (await reading.fetch(second.cursor)).changes == ()

"""Answers on servers of the Mastodon kind, as their own app gives them, and found again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from staffbot.errors import DeliveryError
from staffbot.model import Visibility
from staffbot.secret import Secret
from staffbot.settings import SourceSettings
from staffbot.sources import mastodon_statuses
from staffbot.sources.mastodon import Mastodon
from staffbot.sources.mastodon_account import Options
from tests.library import HandClock
from tests.reply_contract import KEY, OTHER, WORDS, answering
from tests.staffbot.sources.mastodons import LIBRARY, TOKEN, Instance
from tests.staffbot.sources.rigs import PATIENT
from tests.website import Website

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def instance(site: Website) -> Instance:
    return Instance(site)


def source(instance: Instance) -> Mastodon:
    options = Options(server=instance.site.url, token=Secret(value=TOKEN), allow_private=True)
    settings = SourceSettings(name="mastodon", type="mastodon", options=options)
    return Mastodon(settings, PATIENT, HandClock(NOW))


def ours(instance: Instance) -> list[dict[str, Any]]:
    return [one for one in instance.statuses.values() if one["account"]["id"] == LIBRARY]


async def test_an_answer_keeps_the_warning_and_the_language(instance: Instance) -> None:
    asked = instance.post("Frage", at=NOW - HOUR, spoiler_text="Spinnen", acct="lena@b.example")
    to = replace(answering(asked), language="de")
    await source(instance).reply(to, "@lena@b.example Ja.", KEY)
    [one] = ours(instance)
    assert (one["spoiler_text"], one["language"]) == ("Spinnen", "de")


async def test_the_warning_counts_as_the_server_counts_it(instance: Instance) -> None:
    asked = instance.post("Frage", at=NOW - HOUR, spoiler_text="Spinnen", acct="lena@b.example")
    reading = source(instance)
    [mention] = (await reading.fetch(None)).mentions
    limit = reading.limit
    assert limit is not None
    room = limit.longest - limit.beside(mention.title) - limit.measure("@lena@b.example ")
    assert limit.beside("A title of another kind") == 0
    with pytest.raises(DeliveryError, match="too long"):
        await reading.reply(answering(asked), "@lena@b.example " + "x" * (room + 1), KEY)
    await reading.reply(answering(asked), "@lena@b.example " + "x" * room, KEY)
    assert len(ours(instance)) == 1


@pytest.mark.parametrize(
    ("text", "goes_out"),
    [
        ("Yes.", "@lena@b.example Yes."),
        ("@lena@b.example Yes.", "@lena@b.example Yes."),
        ("Yes, @Lena.", "Yes, @Lena."),
        ("@lenas mother: yes", "@lena@b.example @lenas mother: yes"),
    ],
)
async def test_the_patron_is_named_so_that_they_are_told(
    instance: Instance, text: str, goes_out: str
) -> None:
    asked = instance.post("Open?", at=NOW - HOUR, acct="lena@b.example")
    await source(instance).reply(answering(asked), text, KEY)
    [one] = ours(instance)
    shown = mastodon_statuses.words(one)
    assert shown == goes_out.replace("@b.example", "")


@pytest.mark.parametrize(
    "text",
    [
        "*Every* day, see https://library.example/a_b",
        "Yes\u200b, (@lena@b.example) with\u00a0spaces",
        "Cafe\u0301 \U0001f469\u200d\U0001f4bb",
    ],
)
async def test_an_answer_is_known_again_however_the_server_shows_it(
    instance: Instance, text: str
) -> None:
    instance.markdown = True
    asked = instance.post("Open?", at=NOW - HOUR, acct="lena@b.example")
    await source(instance).reply(answering(asked), f"@lena@b.example {text}", KEY)
    found = await source(instance).find_reply(answering(asked), f"@lena@b.example {text}", KEY)
    assert found is not None


async def test_a_private_answer_that_no_list_has_is_found(instance: Instance) -> None:
    instance.hides_private = True
    asked = instance.post("My card was stolen", at=NOW - HOUR, visibility="direct")
    to = replace(answering(asked), visibility=Visibility.PRIVATE)
    sent = await source(instance).reply(to, "@patron Come in.", KEY)
    found = await source(instance).find_reply(to, "@patron Come in.", KEY)
    assert found is not None
    assert found.native_id == sent.native_id


async def test_old_words_below_what_is_gone_are_no_answer(instance: Instance) -> None:
    asked = instance.post("Open?", at=NOW - HOUR)
    instance.post("Yes.", at=NOW - timedelta(days=3), by=LIBRARY, notify="")
    assert await source(instance).find_reply(answering(asked), "Yes.", OTHER) is None
    instance.post("Yes.", at=NOW - HOUR, by=LIBRARY, notify="")
    assert await source(instance).find_reply(answering(asked), "Yes.", OTHER) is not None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("This action is outside the authorized scopes", "write:statuses"),
        ("Forbidden: token has insufficient scope permission", "write:statuses"),
        ("Forbidden: you do not have permission to reply to this status", "limited who can"),
    ],
)
async def test_what_is_forbidden_is_told_apart(instance: Instance, said: str, told: str) -> None:
    asked = instance.post("Open?", at=NOW - HOUR)
    instance.refuses = said
    with pytest.raises(DeliveryError, match=told) as refused:
        await source(instance).reply(answering(asked), WORDS, KEY)
    assert refused.value.permanent

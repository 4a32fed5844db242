"""Answers on Bluesky: what nobody would see is not sent, and what leads somewhere is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from staffbot.errors import DeliveryError
from staffbot.secret import Secret
from staffbot.settings import SourceSettings
from staffbot.sources import bluesky_facets
from staffbot.sources.bluesky import Bluesky
from staffbot.sources.bluesky_session import Options
from tests.library import HandClock
from tests.reply_contract import KEY, WORDS, answering
from tests.staffbot.sources.blueskies import HANDLE, PASSWORD, PATRON, Sky
from tests.staffbot.sources.rigs import PATIENT
from tests.website import Website

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def sky(site: Website) -> Sky:
    return Sky(site)


def source(sky: Sky) -> Bluesky:
    options = Options(
        handle=HANDLE, password=Secret(value=PASSWORD), server=sky.site.url, allow_private=True
    )
    settings = SourceSettings(name="bluesky", type="bluesky", options=options)
    return Bluesky(settings, PATIENT, HandClock(NOW))


@pytest.mark.parametrize(("why", "said"), [("gated", "only some people"), ("blocked", "blocked")])
async def test_what_nobody_would_see_is_not_sent(sky: Sky, why: str, said: str) -> None:
    uri = sky.post("Question", created=NOW - HOUR)
    sky.gated = {uri} if why == "gated" else set()
    sky.blocking = why == "blocked"
    with pytest.raises(DeliveryError, match=said) as refused:
        await source(sky).reply(answering(uri), WORDS, KEY)
    assert refused.value.permanent
    assert len(sky.posts) == 1


async def test_a_post_that_does_not_show_just_now_is_tried_again(sky: Sky) -> None:
    uri = sky.post("Question", created=NOW - HOUR)
    sky.hidden.add(uri)
    with pytest.raises(DeliveryError, match="just now") as refused:
        await source(sky).reply(answering(uri), WORDS, KEY)
    assert not refused.value.permanent


async def test_an_account_that_is_switched_off_is_said(sky: Sky) -> None:
    uri = sky.post("Question", created=NOW - HOUR)
    sky.switched_off = True
    with pytest.raises(DeliveryError, match="switched off") as refused:
        await source(sky).reply(answering(uri), WORDS, KEY)
    assert refused.value.permanent


async def test_names_tags_and_links_lead_somewhere_and_the_language_is_told(sky: Sky) -> None:
    uri = sky.post("Frage?", created=NOW - HOUR)
    text = "Grüße \U0001f469\u200d\U0001f4bb @patron-fc74b6.test, @nobody.example #Lesen, #1 (https://a.example/b_(c))"
    replied = await source(sky).reply(replace(answering(uri), language="de"), text, KEY)
    record = sky.posts[replied.native_id]["record"]
    assert record["langs"] == ["de"]
    raw = record["text"].encode()
    told = {
        raw[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode(): one["features"][0]
        for one in record["facets"]
    }
    kind = "app.bsky.richtext.facet#"
    assert told == {
        "@patron-fc74b6.test": {"$type": f"{kind}mention", "did": PATRON},
        "#Lesen": {"$type": f"{kind}tag", "tag": "Lesen"},
        "https://a.example/b_(c)": {"$type": f"{kind}link", "uri": "https://a.example/b_(c)"},
    }


async def test_no_answer_waits_for_a_name_that_is_looked_for_far_away(sky: Sky) -> None:
    uri = sky.post("Question?", created=NOW - HOUR)
    sky.site.hangs("/xrpc/com.atproto.identity.resolveHandle")
    replied = await source(sky).reply(answering(uri), "Ask @nobody.example", KEY)
    assert (
        "facets" not in sky.posts[replied.native_id]["record"]
        or not (sky.posts[replied.native_id]["record"]["facets"])
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a@b.example and @c", []),
        ("x#y ## # #42", []),
        ("#\u4f60\u597d! #c++", ["#\u4f60\u597d", "#c++"]),
        ("http:// https://a.example/?q=1&r=2.", ["https://a.example/?q=1&r=2"]),
        ("https://a.example/#part #part", ["https://a.example/#part", "#part"]),
        ("(@a.example)", ["@a.example"]),
    ],
)
def test_what_leads_somewhere(text: str, parts: list[str]) -> None:
    raw = text.encode()
    found = bluesky_facets.facets(text, dict.fromkeys(bluesky_facets.names(text), PATRON))
    assert [
        raw[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode() for one in found
    ] == parts

"""The generic webhook: who is let in, what a body may hold, and what every sender is told."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError
from standardwebhooks import Webhook

from staffbot.model import IncomingMention, Kind, Visibility
from staffbot.network import Batch, Request, Response, TakenIn
from staffbot.secret import Secret
from staffbot.settings import Network, SourceSettings
from staffbot.sources.webhook import LIMIT, Hook, Options, network
from staffbot.sources.webhook_payload import schema
from tests.library import HandClock

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
DOCS = Path(__file__).parents[3] / "docs"


@dataclass(slots=True, kw_only=True)
class Shelf:
    """Takes batches in as the desk does; `broken` is what it raises instead."""

    taken: list[IncomingMention] = field(default_factory=list)
    deliveries: list[str | None] = field(default_factory=list)
    broken: Exception | None = None

    async def __call__(self, batch: Batch, delivery: str | None = None) -> TakenIn:
        if self.broken:
            raise self.broken
        replay = delivery in self.deliveries
        self.deliveries.append(delivery)
        if replay:
            return TakenIn(replay=True)
        self.taken += batch.mentions
        return TakenIn(new=len(batch.mentions))


@dataclass(slots=True, kw_only=True)
class Rig:
    shelf: Shelf
    hook: Hook

    async def post(self, body: Any, **sign: Any) -> tuple[int, dict[str, Any]]:
        answer = await self.send(request(body, **sign))
        found: dict[str, Any] = json.loads(answer.body)
        return answer.status, found

    async def send(self, request: Request) -> Response:
        [route] = self.hook.routes(self.shelf)
        assert (route.method, route.path, route.limit) == ("POST", "/hooks/form", LIMIT)
        return await route.handle(request)


def request(
    body: Any, *, secret: str = NEW, id_: str = "msg_1", at: datetime | None = None, **headers: str
) -> Request:
    """A signed request; bytes and text go as they are, all else as JSON."""
    at = at or datetime.now(UTC)
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    try:
        signature = Webhook(secret).sign(id_, at, raw.decode())
    except UnicodeDecodeError:
        signature = "v1,AAAA"
    signed = {
        "Webhook-Id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }
    renamed = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method="POST", path="/hooks/form", headers={**signed, **renamed}, body=raw)


@pytest.fixture
def rig() -> Rig:
    options = Options(secrets=(Secret(value=NEW), Secret(value=OLD)))
    settings = SourceSettings(name="form", type="webhook", options=options)
    return Rig(shelf=Shelf(), hook=Hook(settings, HandClock(NOW)))


FULL = {
    "id": "form-17",
    "kind": "message",
    "text": "I lost my card, number 1234.",
    "title": "Lost card",
    "author": {"name": "Lena P.", "handle": "@lena", "url": "https://social.example/@lena"},
    "posted_at": "2026-03-03T09:55:00+01:00",
    "permalink": "https://library.example/form/17",
    "conversation": "form-17",
    "in_reply_to": "form-16",
    "language": "en-GB",
    "media": [{"url": "https://library.example/a.jpg", "kind": "image", "alt": "A card"}],
    "private": True,
    "expects_answer": True,
    "held": False,
}


async def test_a_mention_comes_in_whole(rig: Rig) -> None:
    status, said = await rig.post(FULL)
    assert status == 200
    assert said == {"new": 1, "followed_up": 0, "known": 0, "parked": 0, "replay": False}
    [mention] = rig.shelf.taken
    assert mention.source == "form"
    assert mention.native_id == "form-17"
    assert mention.posted_at == datetime(2026, 3, 3, 8, 55, tzinfo=UTC)
    assert mention.visibility is Visibility.PRIVATE
    assert (mention.conversation, mention.in_reply_to) == ("form-17", "form-16")
    assert (mention.patron.name, mention.patron.handle) == ("Lena P.", "@lena")
    assert mention.media[0].alt == "A card"
    assert mention.expects_answer is True
    assert mention.language == "en-GB"
    assert rig.shelf.deliveries == ["msg_1"]


async def test_id_and_text_are_enough(rig: Rig) -> None:
    assert (await rig.post({"id": "1", "text": "Hello"}))[0] == 200
    [mention] = rig.shelf.taken
    assert mention.kind is Kind.MESSAGE
    assert (mention.patron.name, mention.patron.nameless) == ("Somebody", True)
    assert mention.posted_at == NOW
    assert mention.expects_answer is None


async def test_a_list_comes_in_as_one_batch(rig: Rig) -> None:
    status, said = await rig.post([{"id": str(n), "text": "x"} for n in range(3)])
    assert (status, said["new"]) == (200, 3)
    assert (await rig.post([], id_="msg_2"))[0] == 200


@pytest.mark.parametrize("secret", [OLD, NEW, NEW.removeprefix("whsec_")])
async def test_every_configured_secret_is_taken(rig: Rig, secret: str) -> None:
    assert (await rig.post(FULL, secret=secret))[0] == 200


async def test_a_sender_may_sign_with_several_keys(rig: Rig) -> None:
    made = request(FULL)
    both = "v1,AAAA v1a,BBBB " + made.headers["webhook-signature"]
    assert (await rig.post(FULL, webhook_signature=both))[0] == 200


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"webhook_signature": ""}, "not signed"),
        ({"Webhook_Id": ""}, "not signed"),
        ({"Webhook_Id": "another"}, "does not fit"),
        ({"Webhook_Id": "x" * 257}, "longer than 256"),
        ({"webhook_timestamp": ""}, "does not fit"),
        ({"webhook_timestamp": "soon"}, "does not fit"),
        ({"webhook_timestamp": "nan"}, "does not fit"),
        ({"webhook_timestamp": "9" * 40}, "does not fit"),
        ({"webhook_signature": "v1"}, "does not fit"),
        ({"webhook_signature": "v1,%%%"}, "does not fit"),
        ({"webhook_signature": "v1,AAAA"}, "does not fit"),
        ({"webhook_signature": "v2,AAAA"}, "does not fit"),
        ({"webhook_signature": "v1,ä"}, "does not fit"),
    ],
)
async def test_wrong_signatures_are_refused(rig: Rig, headers: dict[str, str], says: str) -> None:
    status, said = await rig.post(FULL, **headers)
    assert status == 401
    assert says in said["error"]
    assert rig.shelf.deliveries == []


async def test_another_secret_a_changed_body_and_the_old_names_are_refused(rig: Rig) -> None:
    stranger = "whsec_" + base64.b64encode(b"\x09" * 32).decode()
    assert (await rig.post(FULL, secret=stranger))[0] == 401
    made = request(FULL)
    changed = Request(
        method="POST",
        path=made.path,
        headers=made.headers,
        body=made.body.replace(b"lost", b"LOST"),
    )
    assert (await rig.send(changed)).status == 401
    svix = {name.lower().replace("webhook", "svix"): v for name, v in made.headers.items()}
    old = Request(method="POST", path=made.path, headers=svix, body=made.body)
    assert (await rig.send(old)).status == 401
    assert rig.shelf.deliveries == []


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_timestamp_may_be_five_minutes_off(rig: Rig, minutes: int) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    status, said = await rig.post(FULL, at=at)
    assert (status, "5 minutes" in said["error"]) == (401, True)
    inside = datetime.now(UTC) + timedelta(minutes=4 if minutes > 0 else -4)
    assert (await rig.post(FULL, at=inside))[0] == 200


async def test_a_replay_succeeds_without_effect(rig: Rig) -> None:
    again = request(FULL)
    first, second = await rig.send(again), await rig.send(again)
    assert (first.status, second.status) == (200, 200)
    assert json.loads(second.body) == {
        "new": 0, "followed_up": 0, "known": 0, "parked": 0, "replay": True,
    }  # fmt: skip
    assert len(rig.shelf.taken) == 1


async def test_what_cannot_be_stored_is_to_be_sent_again(rig: Rig) -> None:
    rig.shelf.broken = OSError("disk full: I lost my card")
    answer = await rig.send(request(FULL))
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "30"
    assert b"disk" not in answer.body
    rig.shelf.broken = None
    assert (await rig.send(request(FULL))).status == 200
    assert len(rig.shelf.taken) == 1


WRONG: list[tuple[Any, str, str]] = [
    ("", "", "not JSON"),
    ("{", "", "line 1, column 2"),
    ("42", "", "one mention"),
    ("NaN", "", "one mention"),
    ('"text"', "", "one mention"),
    ({}, "id", "is missing"),
    ({"id": "1"}, "text", "is missing"),
    ({"id": "", "text": "x"}, "id", "at least 1"),
    ({"id": "i" * 1_001, "text": "x"}, "id", "at most 1000"),
    ({"id": 5, "text": "x"}, "id", "valid string"),
    ({"id": "1", "text": "x", "autor": {}}, "autor", "typing error"),
    ({"id": "1", "text": "x", "author": {"email": "a@b.c"}}, "author.email", "not known"),
    ({"id": "1", "text": "x", "kind": "tweet"}, "kind", "'mention', 'comment'"),
    ({"id": "1", "text": "x", "posted_at": "2026-03-03T09:00"}, "posted_at", "time zone"),
    (
        {"id": "1", "text": "x", "posted_at": "1970-01-21T00:00:00Z"},
        "posted_at",
        "lies before 1990",
    ),
    ({"id": "1", "text": "x", "posted_at": "yesterday"}, "posted_at", "datetime"),
    ({"id": "1", "text": "x", "permalink": "javascript:alert(1)"}, "permalink", "form"),
    ({"id": "1", "text": "x", "language": "English!"}, "language", "form"),
    ([{"id": "1", "text": "x"}, {"id": "2"}], "[1].text", "is missing"),
    ({"id": "1", "text": "x", "media": [{"url": "x:y"}]}, "media[0].url", "form"),
    ("[" * 100_000, "", "JSON"),
    ('{"id":' * 50 + "1" + "}" * 50, "", "nested"),
    ([{"id": str(n), "text": ""} for n in range(1_001)], "", "1000"),
]


@pytest.mark.parametrize(("body", "path", "says"), WRONG, ids=[str(n) for n in range(len(WRONG))])
async def test_a_wrong_body_is_told_where_and_why(
    rig: Rig, body: Any, path: str, says: str
) -> None:
    status, said = await rig.post(body)
    assert status == 400, said
    assert said.get("path", "") == path
    assert says in said["error"], said
    assert rig.shelf.deliveries == []


async def test_an_error_quotes_no_patron(rig: Rig) -> None:
    _, said = await rig.post({"id": "1", "text": "x", "kind": "I lost my card"})
    assert "card" not in str(said)


async def test_bytes_that_are_no_text_are_refused(rig: Rig) -> None:
    status, said = await rig.post(b"\xff\xfe{}")
    assert status == 401
    assert "error" in said


async def test_odd_characters_and_long_texts_come_in_clean(rig: Rig) -> None:
    long = "A long complaint. " * 2_300
    body = (
        '{"id":"odd\\ud800","text":"a\\ud83db \\u202eevil\\u0000 \\ud83d\\ude00 l\\u200bib",'
        '"author":{"name":"Lena\\n<lena@mail.test>","handle":"@lena@social.example"}}'
    )
    assert (await rig.post(body))[0] == 200
    assert (await rig.post({"id": "long", "text": long}, id_="msg_2"))[0] == 200
    odd, whole = rig.shelf.taken
    assert odd.native_id == "odd\ufffd"
    assert odd.text == "a\ufffdb evil \U0001f600 lib"
    assert (odd.patron.name, odd.patron.handle) == ("Lena", "@lena@social.example")
    assert whole.text == long.strip()


async def test_a_moment_to_come_is_now(rig: Rig) -> None:
    await rig.post({"id": "1", "text": "x", "posted_at": "2030-01-01T00:00:00Z"})
    assert rig.shelf.taken[0].posted_at == NOW


@pytest.mark.parametrize("secret", ["", "whsec_", "not base64!", "whsec_c2hvcnQ=", "whsec_ääää"])
def test_a_weak_secret_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Options(secrets=(Secret(value=secret),))
    told = refused.value.errors(include_url=False)[0]["msg"]
    assert "openssl rand -base64 32" in told
    assert not secret.removeprefix("whsec_") or secret not in told


def test_no_secret_at_all_is_refused() -> None:
    with pytest.raises(ValidationError):
        Options(secrets=())


async def test_check_says_where_to_send() -> None:
    settings = SourceSettings(
        name="form", type="webhook", options=Options(secrets=(Secret(value=NEW),))
    )
    [found] = await network.check(settings, Network())
    assert found.ok
    assert "POST /hooks/form" in found.said
    assert NEW not in found.said


def test_the_schema_in_the_docs_is_that_of_the_program() -> None:
    kept = json.loads((DOCS / "webhook.schema.json").read_text())
    assert kept == schema(), (
        "run: python -m staffbot.sources.webhook_payload > docs/webhook.schema.json"
    )


def test_every_example_in_the_docs_fits_the_schema() -> None:
    text = (DOCS / "webhook.md").read_text()
    examples = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    bodies = [example for example in examples if "error" not in example and "new" not in example]
    assert len(bodies) >= 3
    for body in [*bodies, FULL]:
        jsonschema.validate(body, schema())


async def test_every_example_in_the_docs_is_taken_in(rig: Rig) -> None:
    text = (DOCS / "webhook.md").read_text()
    for found in re.findall(r"```json\n(.*?)```", text, re.DOTALL):
        body = json.loads(found)
        if "error" not in body and "new" not in body:
            assert (await rig.post(body, id_=found[:50]))[0] == 200, found


@pytest.mark.parametrize(
    "body",
    [b for b, path, _ in WRONG if path and "posted_at" not in path and not isinstance(b, str)],
)
def test_the_schema_refuses_what_the_program_refuses(body: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, schema())


def test_the_signed_example_in_the_docs_is_true() -> None:
    text = (DOCS / "webhook.md").read_text()
    said = dict(re.findall(r"^(secret|webhook-[a-z]+|body): +(.+)$", text, re.MULTILINE))
    moment = datetime.fromtimestamp(int(said["webhook-timestamp"]), UTC)
    signature = Webhook(said["secret"]).sign(said["webhook-id"], moment, said["body"])
    assert signature == said["webhook-signature"]

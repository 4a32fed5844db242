"""The JSON API of the page (docs/local.md), over real HTTP, and who is not let in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from handlers.local import channel as channels
from handlers.local.web import without_root
from staffbot.errors import SourceError
from staffbot.messages import say
from staffbot.model import Room
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.local_stage import OTHER, TEAM, Served, served

LIMIT = aiohttp.ClientTimeout(total=40)


class FakeBox:
    """A box to write as a patron that keeps what was written."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str, str, bool]] = []
        self.address = ""

    def opened(self, address: str) -> None:
        self.address = address

    def networks(self) -> Sequence[tuple[str, str]]:
        return (("mastodon", "Mastodon"),)

    async def write(self, *, network: str, name: str, text: str, private: bool) -> str:
        if text == "refuse":
            raise SourceError("The webhook did not take it.")
        self.written.append((network, name, text, private))
        return "It is on its way."


@pytest.fixture
def box() -> FakeBox:
    return FakeBox()


@pytest.fixture
async def here(tmp_path: Path, box: FakeBox) -> AsyncIterator[Served]:
    async with served(tmp_path, FakeDesk(), box) as channel:
        yield channel


@pytest.fixture
async def http(here: Served) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(here.address, timeout=LIMIT) as session:
        yield session


async def post(http: aiohttp.ClientSession, path: str, **body: Any) -> dict[str, Any]:
    async with http.post(path, json=body) as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def channel(http: aiohttp.ClientSession, **query: str) -> dict[str, Any]:
    async with http.get("/api/channel", params=query) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def test_the_channel_is_told_whole(here: Served, http: aiohttp.ClientSession) -> None:
    await here.card(here.desk.tell("Is there Wi-Fi?"))
    await here.chat.direct("ben", say("For Ben."), "told:1:ben")
    found = await channel(http, user="ben")
    assert found["library"] == "Riverside Library"
    assert [room["name"] for room in found["rooms"]] == ["Adult services", "Children"]
    assert [shown["mention"] for shown in found["messages"]] == [1]
    assert [shown["text"] for shown in found["direct"]] == ["For Ben."]
    assert [person["user"] for person in found["staff"]] == ["ana", "ben", "mia", "desk"]
    assert found["me"] == "ben"
    ana = await channel(http, user="nobody", room="children")
    assert (ana["me"], ana["messages"], ana["direct"]) == ("ana", [], [])


async def test_without_staff_there_is_somebody_to_act_as(
    here: Served, http: aiohttp.ClientSession
) -> None:
    here.desk.people = ()
    assert [person["user"] for person in (await channel(http))["staff"]] == ["local"]
    await post(http, "/api/command", user="local", text="help")


async def test_a_command_is_answered_to_the_asker(
    here: Served, http: aiohttp.ClientSession
) -> None:
    here.desk.tell("Is there Wi-Fi?")
    answer = await post(http, "/api/command", user="ana", text="/lib claim 1")
    assert (answer["type"], answer["text"]) == ("message", "You have 1.")
    assert answer["controls"][0]["name"] == "undo"
    loser = await post(http, "/api/command", user="ben", text="claim 1", room="children")
    assert loser["text"] == "Ana Silva has 1."
    assert here.desk.rooms == ["adult", "adult", "children", "children"]


async def test_a_press_needs_the_message_or_the_mention(
    here: Served, http: aiohttp.ClientSession
) -> None:
    ref = await here.card(here.desk.tell("Is there Wi-Fi?"))
    pressed = {"user": "ana", "control": "claim", "value": ""}
    assert (await post(http, "/api/press", message=ref.id, **pressed))["text"] == "You have 1."
    form = await post(http, "/api/press", user="ana", control="done", mention=1)
    assert (form["type"], form["mention"]) == ("form", 1)
    values = {"outcome": "answered", "topics": ["idea"], "note": ""}
    done = await post(http, "/api/submit", user="ana", form="done", mention=1, values=values)
    assert done["text"] == "Mention 1 is closed."
    gone = await post(http, "/api/press", message="999", user="ana", control="claim")
    assert gone["text"] == "claim was pressed."  # the desk decides what that means


async def test_an_old_button_works_after_a_restart(tmp_path: Path) -> None:
    desk = FakeDesk()
    async with served(tmp_path, desk) as before:
        ref = await before.card(desk.tell("Is there Wi-Fi?"))
    async with (
        served(tmp_path, desk) as after,
        aiohttp.ClientSession(after.address, timeout=LIMIT) as http,
    ):
        answer = await post(http, "/api/press", user="ana", message=ref.id, control="claim")
        assert answer["text"] == "You have 1."


async def test_a_command_line_is_completed(here: Served, http: aiohttp.ClientSession) -> None:
    async with http.get("/api/complete", params={"user": "ana", "text": "/lib cl"}) as answer:
        assert await answer.json() == {"completions": [{"text": "claim", "help": "take a mention"}]}


async def test_a_message_can_be_removed_by_hand(here: Served, http: aiohttp.ClientSession) -> None:
    ref = await here.chat.direct("ana", say("Read me."), "told:1:ana")
    await post(http, "/api/delete", user="ana", message=ref.id)
    assert (await channel(http, user="ana"))["direct"] == []
    async with http.post("/api/delete", json={"user": "ana", "message": ref.id}) as answer:
        assert answer.status == 404


async def test_the_box_hands_on_what_a_patron_writes(
    here: Served, http: aiohttp.ClientSession, box: FakeBox
) -> None:
    assert box.address == here.address
    assert (await channel(http))["patron"]["networks"][0]["label"] == "Mastodon"
    written = {"network": "mastodon", "name": "Robin", "text": "Hello"}
    assert (await post(http, "/api/patron", **written))["said"] == "It is on its way."
    assert box.written == [("mastodon", "Robin", "Hello", False)]
    async with http.post("/api/patron", json=written | {"text": "refuse"}) as answer:
        assert (answer.status, await answer.json()) == (
            502,
            {"error": "The webhook did not take it."},
        )


async def test_without_a_box_nobody_writes_as_a_patron(tmp_path: Path) -> None:
    async with (
        served(tmp_path, FakeDesk()) as here,
        aiohttp.ClientSession(here.address, timeout=LIMIT) as http,
    ):
        assert (await channel(http))["patron"] is None
        body = {"network": "x", "name": "y", "text": "z"}
        async with http.post("/api/patron", json=body) as answer:
            assert answer.status == 404


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("/lib claim 42", "claim 42"),
        ("/LIB  claim 42", "claim 42"),
        ("lib claim 42", "claim 42"),
        ("/claim 42", "claim 42"),
        ("claim 42", "claim 42"),
        ("/lib", ""),
        ("", ""),
        ("library", "library"),
        ("  /lib q", "q"),
    ],
)
def test_the_root_may_stand_before_a_command(typed: str, command: str) -> None:
    assert without_root(typed, "lib") == command


# --- events ------------------------------------------------------------------------------------


async def events(answer: aiohttp.ClientResponse, count: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    name = ""
    while len(found) < count:
        line = (await answer.content.readline()).decode()
        assert line, "the stream ended"
        if line.startswith("event: "):
            name = line.removeprefix("event: ").strip()
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
    return found


async def test_events_tell_what_happens(here: Served, http: aiohttp.ClientSession) -> None:
    async with http.get("/api/events", params={"user": "ana"}) as stream:
        assert await events(stream, 1) == [("ready", {})]
        number = here.desk.tell("Is there Wi-Fi?")
        ref = await here.card(number)
        here.desk.mentions[number].owner = "Ben Okafor"
        await here.card(number)
        await here.chat.direct("ben", say("Not for Ana."), "told:1:ben")
        await here.chat.direct("ana", say("For Ana."), "told:1:ana")
        await here.card(number, OTHER)
        assert await here.chat.channel.delete(ref.id)
        found = await events(stream, 5)
    assert [name for name, _ in found] == ["posted", "edited", "direct", "posted", "deleted"]
    assert [data["room"] for _, data in found] == [
        "adult",
        "adult",
        "direct:ana",
        "children",
        "adult",
    ]
    assert found[1][1]["text"] == "Mention 1 is claimed by ben okafor."


async def test_a_page_that_is_far_behind_is_let_go(here: Served) -> None:
    listener = here.chat.channel.listen("ana")
    for number in range(channels.BEHIND + 10):
        await here.chat.post(TEAM, say("Much."), f"card:{number}:adult:1")
    told = [listener.queue.get_nowait() for _ in range(channels.BEHIND + 1)]
    assert told[-1] is None
    here.chat.channel.leave(listener)


async def test_an_end_lets_open_pages_go(tmp_path: Path) -> None:
    async with aiohttp.ClientSession(timeout=LIMIT) as http:
        async with served(tmp_path, FakeDesk()) as here:
            stream = await http.get(f"{here.address}api/events?user=ana")
            await events(stream, 1)
        async with asyncio.timeout(30):
            while await stream.content.readline():
                pass


# --- who is not let in -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "rebound.example:80"},
        {"Host": "127.0.0.1.rebound.example"},
        {"Host": "192.168.1.7"},
        {"Host": "[bad"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    ],
)
@pytest.mark.parametrize("path", ["/api/channel", "/api/events", "/api/command"])
async def test_other_pages_and_names_are_refused(
    here: Served, http: aiohttp.ClientSession, headers: dict[str, str], path: str
) -> None:
    method = "POST" if path == "/api/command" else "GET"
    body = {"user": "ana", "text": "claim 1"} if method == "POST" else None
    async with http.request(method, path, headers=headers, json=body) as answer:
        assert answer.status == 403
        assert "error" in await answer.json()
    assert here.desk.asked == []


async def test_a_form_of_another_page_is_no_json(http: aiohttp.ClientSession) -> None:
    text = json.dumps({"user": "ana", "text": "claim 1"})
    async with http.post("/api/command", data=text, headers={"Content-Type": "text/plain"}) as no:
        assert no.status == 403


async def test_this_page_itself_is_let_in(here: Served, http: aiohttp.ClientSession) -> None:
    origin = here.address.rstrip("/")
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    body = {"user": "ana", "text": "help"}
    async with http.post("/api/command", json=body, headers=headers) as answer:
        assert answer.status == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    async with http.get("/", headers=link) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css", "/api/channel", "/nothing"])
async def test_every_answer_carries_the_policy(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "Invalid JSON"),
        (b'{"text": "claim"}', 400, "user: Field required"),
        (b'{"user": "ana", "text": "claim", "admin": true}', 400, "admin"),
        (b'{"user": "ana", "text": "claim", "a\\r\\nb": true}', 400, "a b"),
        (b'{"user": "nobody", "text": "claim"}', 404, "reload the page"),
        (b'{"user": "sly", "text": "claim"}', 404, "reload the page"),
        (json.dumps({"user": "ana", "text": "x" * 5000}).encode(), 400, "4000"),
        (b" " * 300_000, 413, ""),
    ],
)
async def test_a_bad_request_is_refused_in_words(
    here: Served, http: aiohttp.ClientSession, body: bytes, status: int, said: str
) -> None:
    headers = {"Content-Type": "application/json"}
    async with http.post("/api/command", data=body, headers=headers) as answer:
        assert answer.status == status
        assert said in (await answer.json())["error"]
    assert here.desk.asked == []


@pytest.mark.parametrize("path", ["/api/press", "/api/submit"])
async def test_a_number_that_no_mention_can_have_is_refused(
    here: Served, http: aiohttp.ClientSession, path: str
) -> None:
    named: dict[str, object] = (
        {"control": "claim"} if path == "/api/press" else {"form": "note", "values": {}}
    )
    body = {"user": "ana", "mention": 10**30, **named}
    async with http.post(path, json=body) as answer:
        assert answer.status == 400
        assert "mention" in (await answer.json())["error"]
    assert here.desk.asked == []


async def test_hostile_words_arrive_as_text(here: Served, http: aiohttp.ClientSession) -> None:
    words = "</script><img src=x onerror=alert(1)> \u202e\u200b\x00 " + "🦕" * 20_000
    await here.card(here.desk.tell(words, name="<b>Bold</b>"), Room(platform="local", id="adult"))
    async with http.get("/api/channel") as answer:
        raw = await answer.text()
    assert answer.headers["Content-Type"].startswith("application/json")
    quote = next(p for p in json.loads(raw)["messages"][0]["parts"] if p["type"] == "quote")
    assert quote["text"].startswith("</script><img src=x onerror=alert(1)>")
    assert len(quote["text"]) <= 4000
    assert quote["cut"]

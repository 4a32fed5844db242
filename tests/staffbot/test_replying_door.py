"""The whole way on the local door: a patron's post -> card -> the form -> the network, once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from staffbot import plugins
from staffbot.config import load
from staffbot.model import IncomingMention, Kind, Patron, system_clock
from staffbot.network import Batch, ReplyLimit
from tests.fakes import FakeNetwork
from tests.staffbot.answered import network_of, until
from tests.staffbot.house import running

CONFIG = """\
library = "Riverside Library"
hours.weekly = "24/7"
digest.enabled = false
local.port = 0
public.port = 0
metrics.port = 0
rooms = [{ platform = "local", id = "desk" }]
staff = [{ key = "ana", name = "Ana Silva", ids = { local = "ana" } }]
sources = [{ name = "social", type = "fake", label = "Social" }]

[replies]
enabled = true

[[services]]
name = "Home delivery"
link = "https://library.example/delivery"
text = { en = "We bring books to your door:" }
"""


async def test_an_answer_goes_out_once_from_the_form_of_the_local_door(tmp_path: Path) -> None:
    network = FakeNetwork(name="social", limit=ReplyLimit(most=10_000, private=True))
    network.give(
        Batch(
            mentions=(
                IncomingMention(
                    source="social", native_id="p1", kind=Kind.MENTION, text="Open on Sundays?",
                    patron=Patron(name="Lena P.", handle="@lena"), posted_at=system_clock(),
                ),
            ),
            cursor="1",
        )
    )  # fmt: skip
    file = tmp_path / "config.toml"
    file.write_text(CONFIG)
    networks = {"fake": network_of(network)}
    settings = load(file, {}, networks, plugins.doors())
    async with running(settings, networks=networks) as house:
        [card] = await house.cards(1)
        assert "Reply…" in json.dumps(card, ensure_ascii=False)
        press = {"user": "ana", "message": card["id"], "control": "reply"}
        async with house.session.post(f"{house.page}api/press", json=press) as answer:
            form = await answer.json()
        assert form["type"] == "form"
        assert form["quote"]["text"] == "Open on Sundays?"
        fields = {field["name"]: field for field in form["fields"]}
        assert [option["value"] for option in fields["saved"]["options"]] == ["Home delivery"]
        # What is said fits the box, though this network takes more.
        room = int(fields["text"]["hint"].split()[0])
        assert room <= fields["text"]["max_length"]
        filled = {
            "user": "ana", "form": "reply", "mention": form["mention"],
            "values": {"text": "Yes, from ten.", "saved": "", "seen": fields["seen"]["value"]},
        }  # fmt: skip
        # An impatient thumb.
        said = [await _submit(house.session, f"{house.page}api/submit", filled) for _ in range(3)]
        assert "stored" in said[0]
        await until(lambda: bool(network.replies))
        await house.shows("Answered ")
        await asyncio.sleep(0)
    assert [one.text for one in network.replies] == ["Yes, from ten."]
    assert network.replies[0].to.native_id == "p1"


async def _submit(session: object, url: str, filled: dict[str, object]) -> str:
    async with session.post(url, json=filled) as answer:  # type: ignore[attr-defined]
        return json.dumps(await answer.json())

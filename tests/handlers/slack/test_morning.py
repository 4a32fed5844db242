"""A morning on Slack through a whole staffbot: the digest's buttons; figures, shared and as files."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.slack.loopback import Loopback
from tests.handlers.slack.stage import actions, until
from tests.handlers.slack.street import CONFIG, Street
from tests.handlers.slack.workspace import Json
from tests.library import HandClock

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def street(slack: Loopback, tmp_path: Path) -> Street:
    config = CONFIG.replace("enabled = false", "enabled = true")
    return Street(slack, tmp_path, "http", config, clock=HandClock(NOON))


def posted(slack: Loopback, *said: str) -> list[Json]:
    """The messages of the team's channel in which all of that stands, in their order."""
    found = sorted(slack.channels["C01"].messages.items())
    return [m for _, m in found if all(one in json.dumps(m, ensure_ascii=False) for one in said)]


def claims(message: Json) -> list[Json]:
    """What each Claim button of a message sends, in their order."""
    return [
        {"type": "button", "action_id": element["action_id"]}
        for block in message["blocks"]
        for element in (*block.get("elements", ()), block.get("accessory") or {})
        if element.get("action_id", "").startswith("claim:")
    ]


async def answered(street: Street, action: Json, at: str) -> Json:
    """Press, and what is shown to the one who pressed."""
    before = len(street.slack.answers)
    await street.body("interactive", street.pressing(action, at=at))
    await until(lambda: len(street.slack.answers) > before)
    return street.slack.answers[-1]


async def test_the_digest_is_claimed_from_and_says_so(street: Street) -> None:
    slack = street.slack
    async with street.open() as up:
        for text in ("Is the lift working?", "Do you lend seeds?"):
            await up.send(text)
        await until(lambda: len(posted(slack, "is unclaimed")) == 2)
    street.clock.forward(hours=13)  # ten past midnight went by, where it is open day and night
    async with street.open():
        await until(lambda: posted(slack, "Good morning"))
        (digest,) = posted(slack, "Good morning")
        assert "2 mentions need someone now" in digest["text"]
        assert "lift" not in json.dumps(digest)
        first, second = claims(digest)
        claimed = await answered(street, second, "2.1")
        assert claimed["response_type"] == "ephemeral"
        await until(lambda: posted(slack, "claimed by Ana Silva"))
        lost = await answered(street, second, "2.2")
        assert lost["response_type"] == "ephemeral"
    street.clock.forward(minutes=5)
    async with street.open():
        await until(lambda: "1 mention needs someone now" in digest_of(slack)["text"])
        assert claims(digest_of(slack)) == [first]
        queue = await answered(street, actions(digest_of(slack))["queue"], "2.3")
        assert queue["response_type"] == "ephemeral"
        assert claims(queue) == [first]
        figures = await answered(street, actions(digest_of(slack))["stats"], "2.4")
        assert "share_stats" in actions(figures)
    assert len(posted(slack, "Good morning")) == 1


def digest_of(slack: Loopback) -> Json:
    return posted(slack, "Good morning")[-1]


async def test_figures_are_asked_for_otherwise_by_their_controls(street: Street) -> None:
    async with street.open() as up:
        await up.send("Is the lift working?")
        await until(lambda: posted(street.slack, "is unclaimed"))
        street.clock.forward(minutes=1)
        answer = json.loads(await street.everything("stats 7d"))[1]
        offered = actions(answer)
        other = await answered(street, offered["stats"], "5.1")
        assert offered["stats"]["selected_option"]["text"]["text"] == "Last 7 days"
        assert "1 came in" in other["text"]
        grouped = await answered(street, offered["stats_by"], "5.2")
        assert "By source" in json.dumps(grouped)
        assert len(street.slack.channels["C01"].messages) == 1


async def asked(street: Street, what: str) -> Json:
    """A command whose answer comes after its acknowledgement, and that answer."""
    before = len(street.slack.answers)
    await street.command(f"stats {what}")
    await until(lambda: len(street.slack.answers) > before)
    return street.slack.answers[-1]


def given(slack: Loopback, ending: str) -> list[dict[str, Any]]:
    """The files of a kind, once each is where it belongs."""
    return [one for one in slack.files.values() if one["name"].endswith(ending)]


async def test_figures_go_to_the_asker_with_chart_and_file_and_are_shared(street: Street) -> None:
    slack = street.slack
    async with street.open() as up:
        for text in ("Is the lift working?", "Do you lend seeds?"):
            await up.send(text)
        await until(lambda: len(posted(slack, "is unclaimed")) == 2)
        street.clock.forward(minutes=1)  # too soon for any reminder

        answer = await asked(street, "7d by day chart csv")
        assert answer["response_type"] == "ephemeral"
        await until(lambda: len([f for f in slack.files.values() if f.get("channel")]) == 2)
        assert {one["channel"] for one in slack.files.values()} == {"DU1"}
        (table,), (chart,) = given(slack, ".csv"), given(slack, ".png")
        rows = list(csv.DictReader(io.StringIO(table["content"].decode("utf-8-sig"))))
        received = {row["Group"]: row["Received"] for row in rows}
        assert (received["Tue 3 Mar"], received["Mon 2 Mar"]) == ("2", "0")
        assert chart["content"].startswith(b"\x89PNG")
        assert "Riverside Library" in chart["alt"]
        assert len(slack.channels["C01"].messages) == 2  # nothing of it in the channel yet

        shared = await answered(street, actions(answer)["share_stats"], "4.1")
        assert shared["text"] == "Shared in this channel."
        await until(lambda: len(slack.channels["C01"].messages) == 3)
        (figures,) = posted(slack, '"type": "image"')
        (image,) = (block for block in figures["blocks"] if block["type"] == "image")
        # Shared with its days written out, as "the last 7 days" are others tomorrow.
        assert image["alt_text"] == chart["alt"].replace(
            "last 7 days (25 Feb to 3 Mar 2026)", "25 Feb to 3 Mar 2026"
        )
        drawn = slack.files[image["slack_file"]["id"]]
        assert drawn["content"].startswith(b"\x89PNG")
        assert drawn["alt"] == image["alt_text"]
        assert len(given(slack, ".csv")) == 1  # the file stays with the asker
        assert "lift" not in json.dumps(figures)

        again = await answered(street, actions(answer)["share_stats"], "4.2")
        assert "shared here just now" in again["text"]
    assert len(slack.channels["C01"].messages) == 3

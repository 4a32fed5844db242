"""What people did while staffbot did not listen, with the whole house: each thing has its effect once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.slack.loopback import Loopback
from tests.handlers.slack.stage import actions, stamp, until
from tests.handlers.slack.street import Street
from tests.handlers.slack.workspace import BOT
from tests.staffbot.house import Running

HAND, CHECK = "raised_hand", "white_check_mark"


@pytest.fixture(params=["http", "socket"])
def street(slack: Loopback, tmp_path: Path, request: pytest.FixtureRequest) -> Street:
    return Street(slack, tmp_path, request.param)


@pytest.fixture
def http(slack: Loopback, tmp_path: Path) -> Street:
    return Street(slack, tmp_path, "http")


@asynccontextmanager
async def open_again(street: Street) -> AsyncIterator[Running]:
    """A staffbot that runs and has read what it missed."""
    before = kept(street)
    async with street.open() as up:
        await until(lambda: kept(street) != before)
        yield up


def kept(street: Street) -> str:
    """Until when Slack was heard, as the next start will know it."""
    file = street.folder / "data" / "staffbot.db"
    if not file.exists():
        return ""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as base:
        try:
            found = base.execute("SELECT value FROM facts WHERE name = 'heard:slack'").fetchone()
        except sqlite3.OperationalError:
            return ""  # no tables yet
    return str(found[0]) if found else ""


def was_away(street: Street, hours: float) -> None:
    """As if the program had ended so long ago, and its clocks with it."""
    then = datetime.now(UTC) - timedelta(hours=hours)
    with closing(sqlite3.connect(street.folder / "data" / "staffbot.db")) as base, base:
        base.execute("UPDATE facts SET value = ? WHERE name = 'heard:slack'", [then.isoformat()])


async def arrives(street: Street) -> str:
    """A mention comes in; the stamp of its card."""
    async with open_again(street) as up:
        await up.send("Is the lift working?")
        await street.shows("is unclaimed")
    return str(street.card()["ts"])


def told(slack: Loopback, user: str = "U1") -> list[str]:
    """What was said to somebody alone: in the channel, and in the direct messages."""
    seen = [one["text"] for one in slack.channels["C01"].ephemeral if one["user"] == user]
    return [*seen, *slack.texts(f"D{user}")]


def raised(ts: str, user: str = "U1", at: str = "") -> dict[str, Any]:
    return {
        "type": "reaction_added", "user": user, "reaction": HAND, "item_user": BOT,
        "item": {"type": "message", "channel": "C01", "ts": ts}, "event_ts": at or stamp(),
    }  # fmt: skip


# --- reactions ----------------------------------------------------------------------------------


async def test_a_hand_raised_meanwhile_claims_and_is_told(street: Street) -> None:
    card, slack = await arrives(street), street.slack
    slack.reacts("C01", card, HAND, "U1", "U2")
    at = stamp()
    async with open_again(street):
        await street.shows("claimed by Ana Silva")  # who was first
        await until(lambda: told(slack, "U1") and told(slack, "U2"))
        assert "is yours" in told(slack, "U1")[0]
        assert "Ana Silva has 1 since" in told(slack, "U2")[0]
        # Slack delivers it after all, more than once.
        await street.event(raised(card, at=at), "Ev1")
        await street.event(raised(card, at=at), "Ev1")
    async with open_again(street):
        await street.event(raised(card, at=at), "Ev1")
        await street.command("queue")
    assert len(told(slack, "U1")) == len(told(slack, "U2")) == 1


async def test_a_hand_that_was_heard_claims_never_again(street: Street) -> None:
    """Claimed by a raised hand, released by its button: the hand still stands."""
    card, slack = await arrives(street), street.slack
    async with open_again(street):
        slack.reacts("C01", card, HAND, "U1")
        await street.event(raised(card), "Ev1")
        await street.shows("claimed by Ana Silva")
        await street.press("release")
        await street.shows("is unclaimed")
    was_away(street, hours=50)
    async with open_again(street):
        assert "0 claimed" in await street.command("queue")
    slack.reacts("C01", card, HAND, "U1", "U2")
    async with open_again(street):
        await street.shows("claimed by Ben Okafor")  # his is new


async def test_a_hand_read_afterwards_claims_never_again(http: Street) -> None:
    card, slack = await arrives(http), http.slack
    slack.reacts("C01", card, HAND, "U1")
    async with open_again(http):
        await http.shows("claimed by Ana Silva")
        await http.press("release")
        await http.shows("is unclaimed")
    async with open_again(http):
        assert "0 claimed" in await http.command("queue")


async def test_a_hand_that_is_raised_again_claims_again(http: Street) -> None:
    card = await arrives(http)
    async with open_again(http):
        await http.event(raised(card), "Ev1")
        await http.shows("claimed by Ana Silva")
        await http.press("release")
        await http.shows("is unclaimed")
        await http.event(raised(card), "Ev2")
        await http.shows("claimed by Ana Silva")


@pytest.mark.parametrize("heard", [True, False])
async def test_a_hand_that_came_too_late_is_not_kept_for_later(http: Street, heard: bool) -> None:
    """Ben raised his hand when Ana had it. That she gives it back does not make it his."""
    card, slack = await arrives(http), http.slack
    async with open_again(http):
        await http.press("claim")
        await http.shows("claimed by Ana Silva")
        if heard:
            await http.event(raised(card, "U2"), "Ev1")
    slack.reacts("C01", card, HAND, "U2")
    async with open_again(http):
        await http.press("release", at="1.2")
        await http.shows("is unclaimed")
    async with open_again(http):
        assert "0 claimed" in await http.command("queue")


async def test_a_check_mark_given_meanwhile_closes(http: Street) -> None:
    card = await arrives(http)
    http.slack.reacts("C01", card, CHECK, "U2")
    http.slack.reacts("C01", card, HAND, "U2")
    async with open_again(http):
        await http.shows("closed: answered, by Ben Okafor")
        assert "claimed" in await http.everything(
            "show 1"
        )  # the hand first, whatever Slack's order


async def test_a_hand_that_was_taken_back_claims_nothing(http: Street) -> None:
    card, slack = await arrives(http), http.slack
    slack.reacts("C01", card, HAND, "U1")
    slack.reacts("C01", card, HAND)
    async with open_again(http):
        assert "0 claimed" in await http.command("queue")


@pytest.mark.parametrize("heard", [True, False])
async def test_a_hand_of_who_is_no_staff_is_told_so_once(http: Street, heard: bool) -> None:
    card, slack = await arrives(http), http.slack
    slack.user("U7", "Tim Temp", is_restricted=True)
    if heard:
        async with open_again(http):
            await http.event(raised(card, "U7"), "Ev1")
    slack.reacts("C01", card, HAND, "U7")
    async with open_again(http):
        await until(lambda: told(slack, "U7"))
    slack.user("U7", "Tim Temp")  # a member since, but that hand is an old one
    slack.channels["C01"].members.add("U7")
    async with open_again(http):
        assert "0 claimed" in await http.command("queue")
    assert len(told(slack, "U7")) == 1


# --- what was typed -----------------------------------------------------------------------------


async def test_a_claim_typed_hours_ago_takes_effect(street: Street) -> None:
    await arrives(street)
    slack = street.slack
    slack.says("C01", "U1", f"<@{BOT}> claim 1", ago=5 * 3600)
    was_away(street, hours=6)
    async with open_again(street):
        await street.shows("claimed by Ana Silva")
        await until(lambda: slack.texts("DU1"))  # nobody sees a private answer in a channel by then
        await street.press("release")
        await street.shows("is unclaimed")
    was_away(street, hours=6)
    async with open_again(street):
        assert "0 claimed" in await street.command("queue")
    assert len(told(slack)) == 1


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("queue", None),
        ("stats month", None),
        ("help", None),
        ("note 1 she means the park", "ote"),
        ("snooze 1 2h", "say it again"),
        ("hours close today", "say it again"),
        ("claim", "say it again"),  # which one was the only one then?
        ("close 1", "say it again"),  # a form would be asked
        ("claim 77", "no mention 77"),
        ("relase 1", "Did you mean"),
    ],
)
async def test_what_was_typed_hours_ago_counts_or_is_to_be_said_again(
    http: Street, said: str, answer: str | None
) -> None:
    await arrives(http)
    slack = http.slack
    slack.says("C01", "U1", f"<@{BOT}> {said}", ago=5 * 3600)
    for _ in range(2):
        was_away(http, hours=6)
        async with open_again(http):
            assert "1 mention unclaimed" in await http.command("queue", "U2")
            if answer is not None:
                await until(lambda: told(slack))
    assert slack.channels["C01"].ephemeral == []
    assert len(told(slack)) == (0 if answer is None else 1)
    assert answer is None or answer in told(slack)[0]


async def test_a_question_of_a_short_gap_is_answered_where_it_was_asked(http: Street) -> None:
    await arrives(http)
    slack = http.slack
    slack.says("C01", "U1", f"<@{BOT}> queue")
    async with open_again(http):
        await until(lambda: told(slack))
    assert "1 mention" in slack.channels["C01"].ephemeral[0]["text"]


async def test_what_was_heard_and_answered_is_not_answered_again(http: Street) -> None:
    """A program that is restarted reads the last minute again, and Slack delivers again too."""
    await arrives(http)
    slack = http.slack
    events = []
    async with open_again(http):
        for said in ("queue", "claim 1", "relase 1", "claim 77"):
            ts = slack.says("C01", "U1", f"<@{BOT}> {said}")
            event = {
                "type": "app_mention", "user": "U1", "channel": "C01", "ts": ts,
                "text": f"<@{BOT}> {said}",
            }  # fmt: skip
            events.append(event)
            await http.event(event, f"Ev{said}")
        await until(lambda: len(told(slack)) == 4)
    async with open_again(http):
        for place, event in enumerate(events):
            await http.event(event, f"EvAgain{place}")
        assert "1 claimed" in await http.command("queue")
    assert len(told(slack)) == 4


async def test_a_press_that_is_delivered_after_a_restart_is_not_answered_again(
    http: Street,
) -> None:
    await arrives(http)
    async with open_again(http):
        claim = http.pressing(actions(http.card())["claim"])
        await http.body("interactive", claim)
        await until(lambda: http.slack.answers)
    async with open_again(http):
        await http.body("interactive", claim)
        assert "1 claimed" in await http.command("queue")
    assert len(http.slack.answers) == 1
    assert "is yours" in json.dumps(http.slack.answers)

"""A whole staffbot before a loopback Slack: the journeys of a mention, restarts between the steps."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.handlers.slack.loopback import Loopback
from tests.handlers.slack.rules import message_faults
from tests.handlers.slack.stage import actions, stamp, until
from tests.handlers.slack.street import Street
from tests.handlers.slack.workspace import BOT, TEAM


@pytest.fixture
def street(slack: Loopback, tmp_path: Path) -> Street:
    return Street(slack, tmp_path, "http")


@pytest.mark.parametrize("mode", ["http", "socket"])
async def test_a_mention_goes_its_way_with_a_restart_after_each_step(
    slack: Loopback, tmp_path: Path, mode: str
) -> None:
    street = Street(slack, tmp_path, mode)
    async with street.open() as up:
        assert await up.send("¿Abren el domingo? <!channel>") == 200
        await street.shows("is unclaimed")
        assert "¿Abren" not in street.card()["text"]
        assert "¿Abren el domingo? <!channel>" in json.dumps(street.card(), ensure_ascii=False)
    async with street.open():
        claim = await street.press("claim")
        await street.shows("claimed by Ana Silva")
    async with street.open():
        await street.press("release", at="1.2")
        await street.shows("is unclaimed")
    async with street.open():
        # Slack delivers the first press again, after all: it was done, and is not done again.
        await street.body("interactive", claim)
        assert "0 claimed" in await street.command("queue")
    async with street.open():
        hand = {
            "type": "reaction_added", "user": "U2", "reaction": "raised_hand", "item_user": BOT,
            "event_ts": stamp(),
            "item": {"type": "message", "channel": "C01", "ts": street.card()["ts"]},
        }  # fmt: skip
        await street.event(hand, "Ev1")
        await street.shows("claimed by Ben Okafor")
    async with street.open():
        mention = {
            "type": "app_mention", "user": "U2", "channel": "C01", "ts": stamp(),
            "thread_ts": street.card()["ts"], "text": f"<@{BOT}> done",
        }  # fmt: skip
        await street.event(mention, "Ev2")
        await street.shows("closed: answered, by Ben Okafor")
        assert list(actions(street.card())) == ["reopen"]
    assert len(slack.channels["C01"].messages) == 1


async def test_two_press_at_once_and_one_has_it(street: Street) -> None:
    async with street.open() as up:
        await up.send("Is the lift working?")
        await street.shows("is unclaimed")
        claim = actions(street.card())["claim"]
        await asyncio.gather(
            *(
                street.body("interactive", street.pressing(claim, user, at=f"2.{user}"))
                for user in ("U1", "U2")
            )
        )
        await until(lambda: len(street.slack.answers) == 2)
        lost = [answer for answer in street.slack.answers if " has 1 since " in answer["text"]]
        assert len(lost) == 1
        await street.shows("claimed by")
        assert street.card()["text"].split("claimed by ")[1][:3] == lost[0]["text"][:3]


async def test_a_form_is_filled_in_across_a_restart(street: Street) -> None:
    async with street.open() as up:
        await up.send("Thank you for the story time!")
        await street.shows("is unclaimed")
        await street.press("close")
        (view,) = street.slack.views
    async with street.open():
        state = {
            "outcome": {"outcome": {"selected_option": {"value": "no_answer_needed"}}},
            "topics": {"topics": {"selected_options": [{"value": "thanks"}]}},
        }
        submission = {
            "type": "view_submission", "user": {"id": "U1"}, "team": {"id": TEAM},
            "trigger_id": street.slack.trigger(), "view": {**view, "state": {"values": state}},
        }  # fmt: skip
        _, answer = await street.body("interactive", submission)
        assert answer == {}
        await street.shows("closed: no answer needed")


async def test_a_raised_hand_on_what_is_no_card_claims_nothing(street: Street) -> None:
    async with street.open() as up:
        await up.send("The only unclaimed one.")
        await street.shows("is unclaimed")
        hand = {
            "type": "reaction_added", "user": "U2", "reaction": "raised_hand", "item_user": BOT,
            "event_ts": stamp(),
            "item": {"type": "message", "channel": "C01", "ts": "1.000001"},
        }  # fmt: skip
        await street.event(hand, "Ev1")
        await until(lambda: street.slack.channels["C01"].ephemeral)
        assert "not the card" in street.slack.channels["C01"].ephemeral[0]["text"]
        assert "1 mention unclaimed" in await street.command("queue")


async def test_a_card_that_somebody_deletes_is_posted_once_more(street: Street) -> None:
    async with street.open() as up:
        await up.send("Do you lend seeds?")
        await street.shows("is unclaimed")
        claim = street.pressing(actions(street.card())["claim"])
        old = street.card()["ts"]
        del street.slack.channels["C01"].messages[old]
        await street.body("interactive", claim)
        await street.shows("claimed by Ana Silva")
        assert street.card()["ts"] != old
        assert len(street.slack.channels["C01"].messages) == 1


async def test_a_reminder_is_one_direct_message_with_its_buttons(street: Street) -> None:
    slack = street.slack
    async with street.open() as up:
        await up.send("Is the lift working?")
        await street.shows("is unclaimed")
        await street.press("claim")
        await street.shows("claimed by Ana Silva")
    street.clock.forward(hours=3, minutes=30)
    async with street.open():  # what is due is looked at once at the start
        await until(lambda: slack.texts("DU1"))
        (nag,) = slack.channels["DU1"].messages.values()
        assert "1 mention" in nag["text"]
        assert {"still", "snooze", "hand_over"} <= set(actions(nag))
        assert "lift" not in json.dumps(nag)
        pressing = street.pressing(actions(nag)["still"], at="3.3")
        answers = len(slack.answers)
        await street.body("interactive", {**pressing, "channel": {"id": "DU1"}})
        await until(lambda: len(slack.answers) > answers)
        assert "[[staff]]" not in slack.answers[-1]["text"]  # who is known is staff there too


@pytest.mark.parametrize("closed", ["archived", "/invite"])
async def test_a_closed_channel_is_said_once_and_is_no_loop(street: Street, closed: str) -> None:
    channel = street.slack.channels["C01"]
    async with street.open() as up:
        if closed == "archived":
            channel.archived = True
        else:
            channel.members.discard(BOT)
        await up.send("Do you lend seeds?")
        await until(lambda: street.slack.called("chat.postMessage"))
        async with asyncio.timeout(30):
            while closed not in await street.everything("health"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert len(street.slack.called("chat.postMessage")) == 1


async def test_a_card_whose_blocks_slack_refuses_is_edited_to_its_sentence(street: Street) -> None:
    async with street.open() as up:
        await up.send("Do you lend seeds?")
        await street.shows("is unclaimed")
        claim = street.pressing(actions(street.card())["claim"])
        street.slack.wont_show("C01")
        await street.body("interactive", claim)
        await street.shows("claimed by Ana Silva")
        assert street.card()["blocks"] == []
        assert len(street.slack.channels["C01"].messages) == 1


async def test_what_a_person_typed_wrong_is_said_to_them_alone(street: Street) -> None:
    async with street.open() as up:
        await up.send("Do you lend seeds?")
        await street.shows("is unclaimed")
        assert "Did you mean `/lib release 1`" in await street.command("relase 1")
        assert "no mention 77" in await street.command("claim 77")
        assert "Nothing" not in await street.command("help")
        help = await street.everything("help")
        assert "Taking a reaction back undoes nothing" in help
        assert message_faults(json.loads(help)[1]["blocks"]) == []
        assert len(street.slack.channels["C01"].messages) == 1

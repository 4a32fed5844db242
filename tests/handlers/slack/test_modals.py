"""Modals, shortcuts and the Home tab through a whole staffbot: what is filled in is what was done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.handlers.slack.loopback import Loopback
from tests.handlers.slack.modals import fills, opens
from tests.handlers.slack.stage import actions, until
from tests.handlers.slack.street import Street
from tests.handlers.slack.workspace import TEAM, Json


@pytest.fixture
def street(slack: Loopback, tmp_path: Path) -> Street:
    return Street(slack, tmp_path, "socket")


async def test_assign_snooze_and_note_are_filled_in(street: Street) -> None:
    async with street.open() as up:
        await up.send("Is the lift working?")
        await street.shows("is unclaimed")
        await street.command("queue", "U2")  # Ben is known from the channel

        def pressing(name: str, at: str) -> Json:
            return street.pressing(actions(street.card())[name], at=at)

        note = await opens(street, "interactive", pressing("note", "1.1"))
        assert await fills(street, note, text="*She* means the <park> branch.") == {}
        assign = await opens(street, "interactive", pressing("assign", "1.2"))
        assert await fills(street, assign, person="Ben Okafor") == {}
        await street.shows("claimed by Ben Okafor")
        snooze = await opens(street, "interactive", pressing("snooze", "1.3"))
        wrong = await fills(street, snooze, until="whenever")
        assert wrong["response_action"] == "errors"
        assert await fills(street, snooze, until="2h") == {}
        shown = await street.everything("show 1")
        assert "*She* means the <park> branch." in shown
        assert "snoozed until" in shown
        assert "Ben Okafor" in shown


async def test_a_message_is_tracked_and_a_call_logged(street: Street) -> None:
    slack = street.slack
    person = {"user": {"id": "U1"}, "team": {"id": TEAM}}
    async with street.open():
        track = {
            "type": "message_action", "callback_id": "track_message", **person,
            "trigger_id": slack.trigger(), "channel": {"id": "C01"},
            "message": {"text": "She asked for &lt;large&gt; print", "ts": "1.1"},
            "response_url": slack.answer_url(),
        }  # fmt: skip
        assert await fills(street, await opens(street, "interactive", track)) == {}
        await street.shows("Mention 1")
        assert "She asked for <large> print" in json.dumps(street.card())
        call = {
            "type": "shortcut", "callback_id": "log_mention", **person,
            "trigger_id": slack.trigger(),
        }  # fmt: skip
        view = await opens(street, "interactive", call)
        assert await fills(street, view, text="When is the story time?") == {}
        await until(lambda: len(slack.channels["C01"].messages) == 2)
        assert "When is the story time?" in json.dumps(street.card())


async def test_the_home_tab_is_drawn_from_the_desk_and_claimed_on(street: Street) -> None:
    slack = street.slack
    async with street.open() as up:
        await up.send("Is the lift working?")
        await street.shows("is unclaimed")
        await street.command("queue")  # Ana is known from the channel
        opened = {"type": "app_home_opened", "user": "U1", "tab": "home", "channel": "DU1"}
        await street.event(opened, "Ev1")
        await until(lambda: "U1" in slack.homes)
        home = actions(slack.homes["U1"])
        help = await opens(street, "interactive", at_home(street, home["help"], "3.1"))
        assert "Taking a reaction back undoes nothing" in json.dumps(help)
        await street.body("interactive", at_home(street, home["claim"], "3.2"))
        await street.shows("claimed by Ana Silva")
        await until(lambda: "claim" not in actions(slack.homes["U1"]))


def at_home(street: Street, action: Json, at: str) -> Json:
    """A press on the Home tab: there is no channel, and nowhere to answer to."""
    pressing = street.pressing(action, at=at)
    del pressing["channel"], pressing["response_url"]
    view = {"type": "home", "id": "V1"}
    return {**pressing, "container": {"type": "view"}, "view": view}

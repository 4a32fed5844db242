"""From a blog to the digest, on Slack: the whole house, a loopback Slack, a WordPress on loopback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.slack.loopback import Loopback
from tests.handlers.slack.stage import until
from tests.handlers.slack.street import CONFIG, Street
from tests.handlers.slack.workspace import TEAM
from tests.library import TUESDAY, HandClock
from tests.staffbot.sources.wordpresses import SOURCE, STAFF, UNSURE, Blog
from tests.website import website

WITH_ANSWERS = CONFIG.replace("enabled = false", "enabled = true") + "[replies]\nenabled = true\n"


def filled_in(view: Mapping[str, Any], **values: str) -> dict[str, Any]:
    """The state of a modal in which a person wrote `values` and left the rest as it stood."""
    state: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element, name = block["element"], block["block_id"]
        if element["type"] == "plain_text_input":
            found = {"value": values.get(name, element.get("initial_value"))}
        elif "initial_option" in element:
            found = {"selected_option": element["initial_option"]}
        else:
            found = {"selected_options": []}
        state[name] = {element["action_id"]: found}
    return {"values": state}


async def send_off(street: Street, **values: str) -> None:
    view = street.slack.views[-1]
    submission = {
        "type": "view_submission", "user": {"id": "U1"}, "team": {"id": TEAM},
        "trigger_id": street.slack.trigger(),
        "view": {**view, "state": filled_in(view, **values)},
    }  # fmt: skip
    status, _ = await street.body("interactive", submission)
    assert status == 200


@pytest.mark.parametrize("mode", ["http", "socket"])
async def test_a_comment_is_answered_from_slack_and_the_digest_agrees(
    slack: Loopback, tmp_path: Path, mode: str
) -> None:
    async with website() as site:
        clock = HandClock(TUESDAY)
        blog = Blog(site, clock.now)
        street = Street(slack, tmp_path, mode, clock=clock)
        street.config = WITH_ANSWERS + SOURCE.format(url=site.url)
        async with street.open():
            asked = blog.post("Do you lend seeds?", at=clock.now - timedelta(minutes=20))
            await street.shows("is unclaimed")
            await street.press("claim")
            await street.shows("claimed by Ana Silva")
            blog.now = clock.forward(minutes=10)
            await street.press("reply", at="1.2")
            await until(lambda: slack.views)
            assert "Do you lend seeds?" in json.dumps(slack.views[-1])
            await send_off(street, text="Yes: beans.")
            await until(lambda: len(blog.comments) == 2)
            ours = blog.comments[asked + 1]
            assert (ours["author"], ours["parent"]) == (STAFF, asked)
            await until(lambda: "Answered on the blog " in json.dumps(street.card()))
            clock.forward(minutes=10)
            await street.press("close", at="1.3")
            await until(lambda: len(slack.views) == 2)
            await send_off(street)
            await street.shows("closed: answered, by Ana Silva")
            assert "1 claimed, 1 answered, 1 closed" in await street.everything("stats 7d")
        clock.forward(hours=20)
        async with street.open():  # what is due is looked at at once
            await until(lambda: len(slack.channels["C01"].messages) == 2)
            digest = slack.newest("C01")
            assert digest["text"].startswith("Good morning")
            figures = [
                field["text"] for block in digest["blocks"] for field in block.get("fields", ())
            ]
            assert figures[1:] == [
                "*Came in*\n1", "*Answered*\n1 (too few for a share)", "*Closed*\n1",
            ]  # fmt: skip
            assert "1 claimed, 1 answered, 1 closed" in await street.everything("stats 7d")
        assert len(blog.comments) == 2


async def test_an_answer_of_which_nobody_can_tell_is_settled_on_its_card(
    slack: Loopback, tmp_path: Path
) -> None:
    async with website() as site:
        clock = HandClock(TUESDAY)
        blog = Blog(site, clock.now, cutting=True)
        street = Street(slack, tmp_path, "http", clock=clock)
        street.config = CONFIG + UNSURE + SOURCE.format(url=site.url)
        async with street.open():
            blog.post("Do you lend seeds?", at=clock.now - timedelta(minutes=20))
            await street.shows("is unclaimed")
            await street.press("reply")
            await until(lambda: slack.views)
            await send_off(street, text="Yes: beans.")
            await until(lambda: len(blog.comments) == 2)
            blog.down = 503
            await until(lambda: "Nobody can tell" in json.dumps(street.card()))
            blog.down = 0
            await street.press("it_was_sent", at="1.3")
            await until(lambda: "Answered on the blog " in json.dumps(street.card()))
        assert len(blog.comments) == 2

"""Somebody before a modal on the loopback Slack: opens it, fills it in as it stands, sends it off."""

from __future__ import annotations

from tests.handlers.slack.stage import until
from tests.handlers.slack.street import Street
from tests.handlers.slack.workspace import TEAM, Json


async def opens(street: Street, kind: str, payload: Json) -> Json:
    """Do what opens a modal, and that modal."""
    before = len(street.slack.views)
    await street.body(kind, payload)
    await until(lambda: len(street.slack.views) > before)
    return street.slack.views[-1]


async def fills(street: Street, view: Json, user: str = "U1", **given: str) -> Json:
    """Fill in a modal as it stands, but for what is given; what Slack is told about it."""
    values: Json = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        name, element = block["block_id"], block["element"]
        if element["type"] == "plain_text_input":
            state: Json = {"value": given.pop(name, element.get("initial_value"))}
        elif element["type"] == "static_select":
            wanted = given.pop(name, None)
            chosen = [o for o in element["options"] if wanted in (o["value"], o["text"]["text"])]
            assert wanted is None or len(chosen) == 1, (wanted, element["options"])
            state = {"selected_option": chosen[0] if chosen else element.get("initial_option")}
        else:
            state = {"selected_options": element.get("initial_options", [])}
        values[name] = {name: {"type": element["type"], **state}}
    assert not given, given
    submission = {
        "type": "view_submission", "user": {"id": user}, "team": {"id": TEAM},
        "trigger_id": street.slack.trigger(), "view": {**view, "state": {"values": values}},
    }  # fmt: skip
    _, answer = await street.body("interactive", submission)
    assert isinstance(answer, dict)
    return answer

"""The test button of `staffbot check --ping`: whether a press finds its way back to the running bot.

The check posts it and looks at it again; the staffbot that runs changes it when it is pressed. So
the way of a real press is what is tested, and no second listener takes presses away from the bot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from handlers.slack.api import Api
from handlers.slack.view import blocks, notification
from staffbot.errors import DeliveryError
from staffbot.messages import Button, say
from staffbot.seams import Finding

PING = "ping"
SUBJECT = "Slack test button"
BUTTON = say(
    "This is a test button of staffbot: please press it.",
    controls=[Button(name=PING, label="Press me", primary=True)],
)
CAME_BACK = say("Thank you: your press came back to staffbot. Buttons work.")


async def came_back(api: Api, channel: str, ts: str) -> None:
    """The running bot: say on the message itself that it was pressed."""
    await api.ask(
        lambda client: client.chat_update(
            channel=channel, ts=ts, text=notification(CAME_BACK), blocks=blocks(CAME_BACK)
        ),
        "answer a test button",
    )


async def ping(api: Api, user: str, *, within: float = 120.0, every: float = 1.0) -> Finding:
    """The check: post the button, wait until it was changed."""
    try:
        opened = await api.ask(
            lambda client: client.conversations_open(users=user), f"write to {user}"
        )
        channel = str(opened["channel"]["id"])
        posted = await api.ask(
            lambda client: client.chat_postMessage(
                channel=channel, text=notification(BUTTON), blocks=blocks(BUTTON)
            ),
            f"write to {user}",
        )
        seconds = await _changed(api, channel, str(posted["ts"]), within, every)
    except DeliveryError as problem:
        return Finding(ok=False, subject=SUBJECT, said=str(problem))
    if seconds is None:
        said = (
            f"no press came back within {within:.0f} s: was it pressed, does `staffbot run` run, "
            "and in HTTP mode, can Slack reach its address?"
        )
        return Finding(ok=False, subject=SUBJECT, said=said)
    return Finding(ok=True, subject=SUBJECT, said=f"the press came back after {seconds:.0f} s")


async def _changed(api: Api, channel: str, ts: str, within: float, every: float) -> float | None:
    began = time.monotonic()
    while time.monotonic() - began < within:
        message = await _message(api, channel, ts)
        if message.get("text") == notification(CAME_BACK):
            return time.monotonic() - began
        await asyncio.sleep(every)
    return None


async def _message(api: Api, channel: str, ts: str) -> Mapping[str, Any]:
    answer = await api.ask(
        lambda client: client.conversations_history(
            channel=channel, oldest=ts, latest=ts, inclusive=True, limit=1
        ),
        "look at the test button",
    )
    found: Mapping[str, Any] = next(iter(answer.get("messages", ())), {})
    return found

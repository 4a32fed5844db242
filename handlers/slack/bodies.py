"""What stands where in the bodies that Slack sends. Pure."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.slack.replies import Asker

Body = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP = re.compile(r"(\d{1,11})\.(\d+)")
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_LINK = re.compile(r"<(https?://[^|>]+)(?:\|[^>]*)?>")


def asker_of_command(body: Body) -> Asker:
    return Asker(
        user=str(body.get("user_id", "")),
        channel=str(body.get("channel_id", "")),
        url=str(body.get("response_url", "")),
        trigger=str(body.get("trigger_id", "")),
    )


def asker_of(body: Body) -> Asker:
    """Who pressed, submitted or used a shortcut, and where they can be answered."""
    container = body.get("container") or {}
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or ""
    urls = [str(one.get("response_url", "")) for one in body.get("response_urls") or ()]
    return Asker(
        user=str((body.get("user") or {}).get("id", "")),
        channel=str(channel),
        url=str(body.get("response_url") or next(iter(urls), "")),
        trigger=str(body.get("trigger_id", "")),
    )


def thread_of(body: Body) -> str:
    """The thread that a pressed message stands in, so that "here" can be meant."""
    container = body.get("container") or {}
    message = body.get("message") or {}
    return str(container.get("thread_ts") or message.get("thread_ts") or "")


def pressed_on(body: Body) -> str:
    """The message whose control was used."""
    container = body.get("container") or {}
    return str(container.get("message_ts") or (body.get("message") or {}).get("ts") or "")


def is_private(body: Body) -> bool:
    """Whether only the one who pressed sees that message."""
    return bool((body.get("container") or {}).get("is_ephemeral"))


def moment_of(ts: str) -> datetime | None:
    """When something happened by Slack's clock, from the stamp that it wears; None for no stamp."""
    found = _STAMP.fullmatch(ts)
    if found is None:
        return None
    return _EPOCH + timedelta(seconds=int(found[1]), microseconds=int(found[2][:6].ljust(6, "0")))


def readable(text: str) -> str:
    """What a person typed, from how Slack writes it down."""
    return html.unescape(_LINK.sub(r"\1", text))


def named(text: str) -> list[str]:
    """The people whom a text names, as Slack writes them: <@U1>, or <@U1|ana> in a command."""
    return list(dict.fromkeys(_PERSON.findall(text)))


def without(user_id: str, text: str) -> str:
    """A text without that person's name: who calls the bot means what stands beside it."""
    return re.sub(rf"<@{re.escape(user_id)}(?:\|[^<>]*)?>", " ", text)

"""What Discord or the way to it answered, as errors of the house. Knows no message.

discord.py tries a failed request again by itself, up to five times; a post would be sent twice.
`no_second_try` ends each request at its first failure instead, and the outbox does the rest.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import aiohttp
import discord

from staffbot.errors import DeliveryError, MessageGone

# Discord's own error codes.
UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_INTERACTION = 10062
ALREADY_ANSWERED = 40060
NO_ACCESS = 50001
DIRECT_MESSAGES_CLOSED = 50007
NO_PERMISSION = 50013
THREAD_ARCHIVED = 50083
THREAD_EXISTS = 160004

_TOO_MANY = 429
_UNSURE = frozenset({500, 502, 504, 520, 522, 524})


class NotTaken(aiohttp.ClientError):
    """Discord, or something on the way to it, did not take a request just now."""

    def __init__(self, status: int, retry_after: float | None) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"Discord answered {status}")


def no_second_try() -> aiohttp.TraceConfig:
    """Goes into `discord.Client(http_trace=...)`: hears each answer before discord.py does."""
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(_judge)
    return trace


async def _judge(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    params: aiohttp.TraceRequestEndParams,
) -> None:
    status = params.response.status
    if status == _TOO_MANY or status >= 500:
        raise NotTaken(status, await _retry_after(params.response))


async def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """What the answer says; the body is read to its end, so that the connection can be used on."""
    try:
        body = await response.json(content_type=None)
    except (aiohttp.ClientError, ValueError, OSError):
        body = None
    said = body.get("retry_after") if isinstance(body, dict) else None
    said = said if said is not None else response.headers.get("Retry-After")
    try:
        return max(float(said), 0.0) if said is not None else None
    except (TypeError, ValueError):
        return None


def delivery_error(problem: BaseException, *, changes: bool = True) -> DeliveryError:
    """What the outbox has to know of a failed request. `changes`: the request could post."""
    match problem:
        case DeliveryError():
            return problem
        case NotTaken(status=429):
            wait = problem.retry_after if problem.retry_after is not None else 5.0
            return DeliveryError("Discord asks to come back later (429)", retry_after=wait)
        case NotTaken():
            unsure = changes and problem.status in _UNSURE
            return DeliveryError(f"Discord has a problem ({problem.status})", ambiguous=unsure)
        case discord.RateLimited():
            return DeliveryError(
                "Discord asks to come back later (429)", retry_after=problem.retry_after
            )
        case discord.HTTPException():
            return _refused(problem)
        case aiohttp.ClientConnectorError():
            return DeliveryError("Discord cannot be reached: see [network] and this machine's line")
        case aiohttp.ClientError() | OSError() | asyncio.TimeoutError():
            reason = f"the connection to Discord broke ({type(problem).__name__})"
            return DeliveryError(reason, ambiguous=changes)
        case _:
            reason = f"the Discord door failed ({type(problem).__name__})"
            return DeliveryError(reason, ambiguous=changes)


# What a person can do about it.
_SENTENCES = {
    UNKNOWN_CHANNEL: "the channel is no longer there on Discord",
    NO_ACCESS: "staffbot may not see the channel: give it View Channel there",
    NO_PERMISSION: "staffbot lacks a permission in the channel: `staffbot check` says which",
    DIRECT_MESSAGES_CLOSED: "the person's direct messages are closed",
    THREAD_ARCHIVED: "the thread is closed on Discord",
}

# What is so for every post there, and is said once and not for each of them.
_WHOLE_ROOM = frozenset({UNKNOWN_CHANNEL, NO_ACCESS, NO_PERMISSION})


def _refused(problem: discord.HTTPException) -> DeliveryError:
    if problem.code == UNKNOWN_MESSAGE:
        return MessageGone("the message was deleted on Discord")
    if problem.code in _SENTENCES:
        whole_room = problem.code in _WHOLE_ROOM
        return DeliveryError(_SENTENCES[problem.code], permanent=True, whole_room=whole_room)
    if problem.status == 401:
        return DeliveryError("Discord does not know the token any more: set DISCORD_TOKEN anew")
    if problem.status == 408:
        return DeliveryError("Discord did not wait for the request (408)")
    # The sentence of Discord's answer may repeat what was sent, so only its code is told.
    return DeliveryError(
        f"Discord refused it ({problem.status}, code {problem.code})", permanent=True
    )

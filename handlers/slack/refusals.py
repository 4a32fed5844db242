"""What Slack and the network answer instead of yes, as a DeliveryError with a sentence. Pure.

Slack's own error text is never repeated whole: it may hold what was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError

from staffbot.errors import DeliveryError, MessageGone

PAUSE_SECONDS = 30.0  # where a 429 does not say how long

LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
# Slack says of these that some of it may have been done.
UNCLEAR = frozenset(
    {"internal_error", "fatal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
)
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
BLOCKS = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments",
     "invalid_slack_file", "slack_file_not_found"}
)  # fmt: skip
# About the app as a whole and not about one message: it is set right by a person, and then goes on.
TOKEN = {
    "invalid_auth": "Slack does not know the bot token (SLACK_BOT_TOKEN).",
    "not_authed": "Slack got no bot token (SLACK_BOT_TOKEN).",
    "account_inactive": "The app was taken out of the workspace: install it again.",
    "token_revoked": "The bot token was revoked: install the app again.",
    "token_expired": "The bot token ran out: install the app again.",
    "missing_scope": "The app lacks a permission: update it from `staffbot slack manifest`.",
    "not_allowed_token_type": "SLACK_BOT_TOKEN is not a bot token: it begins with xoxb-.",
    "org_login_required": "Slack is moving this workspace just now.",
    "ekm_access_denied": "The workspace's administrators keep the app out for now.",
    "team_access_not_granted": "The app may not use this workspace.",
    "access_denied": "The workspace keeps the app out.",
}
# The same of the token that opens the connection for events, which is another one.
APP_TOKEN = {
    "invalid_auth": "Slack does not know the app-level token (SLACK_APP_TOKEN).",
    "not_authed": "Slack got no app-level token (SLACK_APP_TOKEN).",
    "token_revoked": "The app-level token (SLACK_APP_TOKEN) was revoked: generate another one.",
    "token_expired": "The app-level token (SLACK_APP_TOKEN) ran out: generate another one.",
    "missing_scope": "SLACK_APP_TOKEN lacks the scope connections:write: generate another one.",
    "not_allowed_token_type": "SLACK_APP_TOKEN is not an app-level token: it begins with xapp-.",
}
# What is so for every post in the channel, and is said once and not for each of them.
WHOLE_ROOM = frozenset(
    {"channel_not_found", "not_in_channel", "is_archived", "restricted_action",
     "restricted_action_read_only_channel"}
)  # fmt: skip
SAID = {
    "channel_not_found": "There is no such channel, or the app was not invited: /invite it there.",
    "not_in_channel": "The app is not in the channel: /invite it there.",
    "is_archived": "The channel is archived.",
    "restricted_action": "The channel's settings do not let the app write there.",
    "restricted_action_read_only_channel": "The channel's settings do not let the app write there.",
    "user_not_found": "There is no such person in the workspace.",
    "user_disabled": "That person's account is switched off.",
    "cannot_dm_bot": "An app cannot be written to.",
    "messages_tab_disabled": "Direct messages to the app are off: update it from the manifest.",
    "no_text": "Slack found no text in the message.",
    "message_not_found": "The message is no longer there.",
    "expired_trigger_id": "Slack gives three seconds to open a form, and they were over.",
}


def error_of(problem: SlackApiError) -> tuple[str, int, Mapping[str, Any]]:
    """Slack's name for an error, the HTTP status, and the headers."""
    answer = problem.response
    status = getattr(answer, "status_code", None) or getattr(answer, "status", 0)
    data = getattr(answer, "data", None)
    name = data.get("error", "") if isinstance(data, dict) else ""
    return str(name), int(status or 0), getattr(answer, "headers", None) or {}


def translated(problem: Exception, doing: str, *, app_token: bool = False) -> DeliveryError:
    """What can be known after a call failed. `doing` names it for a person: "post to C1".

    app_token  it was made with the app-level token and not with the bot's
    """
    match problem:
        case DeliveryError():
            return problem
        case SlackApiError():
            return _refused(problem, doing, {**TOKEN, **APP_TOKEN} if app_token else TOKEN)
        case aiohttp.ClientConnectorError() | aiohttp.InvalidURL():
            return DeliveryError(f"Slack cannot be reached to {doing}.")
        case aiohttp.ClientError() | TimeoutError() | asyncio.TimeoutError() | OSError():
            said = f"The connection to Slack broke before it answered to {doing}."
            return DeliveryError(said, ambiguous=True)
        case SlackRequestError():
            return DeliveryError(f"The request to {doing} cannot be made.", permanent=True)
        case _:
            kind = type(problem).__name__
            return DeliveryError(f"It failed to {doing} ({kind}).", ambiguous=True)


def _refused(problem: SlackApiError, doing: str, token: Mapping[str, str]) -> DeliveryError:
    name, status, headers = error_of(problem)
    if status == 429 or name in LIMITED:
        seconds = _seconds(headers)
        return DeliveryError(f"Slack asks to wait {seconds:g} s to {doing}.", retry_after=seconds)
    if status >= 500 or name in UNCLEAR or (not name and status == 200):
        said = f"Slack had a fault of its own ({name or status}) to {doing}."
        return DeliveryError(said, ambiguous=True)
    if name in GONE:
        return MessageGone(f"Slack will not {doing}: {SAID.get(name, name)}")
    if name in token:
        return DeliveryError(f"{token[name]} ({name})")
    said = SAID.get(name, "")
    return DeliveryError(
        f"Slack refused to {doing} ({name or status}). {said}".strip(),
        permanent=True, whole_room=name in WHOLE_ROOM,
    )  # fmt: skip


def _seconds(headers: Mapping[str, Any]) -> float:
    found = headers.get("Retry-After") or headers.get("retry-after") or ""
    try:
        return max(float(str(found)), 0.0)
    except ValueError:
        return PAUSE_SECONDS

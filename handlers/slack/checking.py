"""Looks whether Slack can be used: tokens, permissions, channels, and a full card as Slack sees it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from handlers.slack.api import Api, Identity
from handlers.slack.manifest import Wanted, scopes
from handlers.slack.refusals import translated
from handlers.slack.view import blocks
from staffbot.errors import DeliveryError
from staffbot.messages import (
    Button,
    Byline,
    Facts,
    Heading,
    Message,
    OpenLink,
    Paragraph,
    Picture,
    Quote,
    When,
)
from staffbot.model import Media, Patron
from staffbot.seams import Finding
from staffbot.secret import Secret

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)

# A card with everything on it, for Slack to judge.
FULL = Message(
    text="Mention 1, a comment on Website, is unclaimed.",
    parts=(
        Heading(text="#1 · Comment on Website"),
        Paragraph(line=("Written ", When(at=NOON, plain="Tue 3 Mar 12:00")), quiet=True),
        Byline(patron=Patron(name="A patron", handle="@patron"), network="Website"),
        Quote(text="When do you open? " * 100, permalink="https://library.example.org/1"),
        Picture(media=Media(url="https://library.example.org/1.png", alt="The front door")),
        Facts(pairs=(("State", ("Unclaimed",)), ("Owner", ("Nobody yet",)))),
    ),
    controls=(
        Button(name="claim", label="Claim", mention=1, primary=True),
        OpenLink(label="Open post", url="https://library.example.org/1"),
        Button(name="close", label="Done…", mention=1),
        Button(name="snooze", label="Snooze…", mention=1),
        *(
            Button(name=f"more_{place}", label=f"Choice {place}", mention=1, more=True)
            for place in range(11)
        ),
    ),
    mention=1,
)


async def check(
    api: Api,
    *,
    channels: Sequence[str],
    app_token: Secret | None,
    managers_group: str = "",
) -> list[Finding]:
    try:
        us = await api.fresh_identity()
    except DeliveryError as problem:
        return [Finding(ok=False, subject="Slack", said=str(problem))]
    found = [Finding(ok=True, subject="Slack", said=f"the bot token is of workspace {us.team}")]
    found.append(_scopes(us, managers_group))
    if app_token is not None:
        found.append(await _socket(api, app_token))
    found += [await _channel(api, channel) for channel in channels]
    found.append(await _card(api))
    return found


def _scopes(us: Identity, managers_group: str) -> Finding:
    subject = "Slack permissions"
    if not us.scopes:
        return Finding(ok=True, subject=subject, said="Slack does not say which; not looked at")
    missing = set(scopes(Wanted(managers_group=bool(managers_group)))) - us.scopes
    if missing:
        said = (
            f"the app lacks {', '.join(sorted(missing))}: put `staffbot slack manifest` into the "
            "app's manifest and install it again"
        )
        return Finding(ok=False, subject=subject, said=said)
    return Finding(ok=True, subject=subject, said="all that are needed")


async def _socket(api: Api, token: Secret) -> Finding:
    subject = "Slack Socket Mode"
    try:
        await api.client(token).apps_connections_open(app_token=token.value)
    except Exception as problem:
        said = str(translated(problem, "open the connection for events", app_token=True))
        return Finding(ok=False, subject=subject, said=said)
    return Finding(ok=True, subject=subject, said="can be opened")


async def _channel(api: Api, channel: str) -> Finding:
    subject = f"Slack channel {channel}"
    try:
        answer = await api.ask(
            lambda client: client.conversations_info(channel=channel), f"look at {channel}"
        )
    except DeliveryError as problem:
        return Finding(ok=False, subject=subject, said=str(problem))
    about = answer.get("channel") or {}
    if about.get("is_archived"):
        return Finding(ok=False, subject=subject, said="is archived")
    if not about.get("is_member"):
        return Finding(ok=False, subject=subject, said="the app is not in it: /invite it there")
    return Finding(ok=True, subject=f"Slack channel #{about.get('name', channel)}", said="joined")


async def _card(api: Api) -> Finding:
    """Slack's own judgement of a full card, where it offers one."""
    subject = "Slack card"
    card = json.dumps(blocks(FULL))
    try:
        await api.ask(
            lambda client: client.api_call("blocks.validate", json={"blocks": card}),
            "judge a card",
        )
    except DeliveryError as problem:
        if "invalid_blocks" in str(problem):
            return Finding(ok=False, subject=subject, said=str(problem))
        return Finding(ok=True, subject=subject, said="Slack offers no judgement here")
    return Finding(ok=True, subject=subject, said="Slack takes a full card")

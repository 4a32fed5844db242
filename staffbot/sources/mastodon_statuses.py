"""Statuses of a Mastodon server as mentions. Knows records of its API only: no network.

Written for Mastodon and for what speaks the same: GoToSocial, Pleroma, Pixelfed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from staffbot.model import IncomingMention, Kind, Media, Patron, Visibility
from staffbot.network import Edited
from staffbot.sources import payload, plain_text

_PUBLIC = frozenset({"public", "unlisted", "local", ""})
_MEDIA = {"image": "image", "gifv": "video", "video": "video", "audio": "audio"}
_MOST_MEDIA = 8
_MOST_OPTIONS = 20
_PLACES = ("url", "remote_url", "preview_url")
_WARNING = "Content warning: "
_QUOTED = 300


def id_of(record: object) -> str:
    """Its id at this server: a number on Mastodon, letters and digits elsewhere."""
    found = payload.native_id(record, "id")
    # Ids become parts of addresses, so nothing else may be in them.
    plain = found.isascii() and found.replace("-", "").replace("_", "").isalnum()
    return found if plain and len(found) <= 100 else ""


def author(status: object) -> str:
    """The id of the account that wrote it."""
    return id_of(payload.inner(status, "account"))


def above(status: object) -> str:
    """The id of the status that it replies to, or ""."""
    return id_of({"id": payload.inner(status, "in_reply_to_id")})


def posted_at(status: object, now: datetime) -> datetime:
    """When it was written; never in the future."""
    return min(payload.moment(status, "created_at") or now, now)


def words(status: object) -> str:
    """Its text, and what a poll of it asks. Custom emoji stay as they were typed, `:like_this:`."""
    text = plain_text.of_html(payload.text(status, "content"))
    options = payload.records(status, "poll", "options")[:_MOST_OPTIONS]
    titles = [plain_text.line(payload.text(one, "title")) for one in options]
    poll = " / ".join(filter(None, titles))
    return plain_text.clean(f"{text}\nPoll: {poll}") if poll else text


def warning(status: object) -> str:
    """The content warning that it stands behind, or ""."""
    return plain_text.line(payload.text(status, "spoiler_text"))


def warning_of(title: str) -> str:
    """The content warning that a mention's title tells of, or ""."""
    return title.removeprefix(_WARNING) if title.startswith(_WARNING) else ""


def quoted(status: object) -> object:
    """The status that it quotes, as far as this server shows it."""
    return payload.inner(status, "quote", "quoted_status")


def permalink(status: object) -> str:
    """Where a person can see it."""
    url = payload.text(status, "url") or payload.text(status, "uri")
    return plain_text.web_address(url)


def edited(status: object, now: datetime) -> Edited | None:
    """Its words as they are now, if it was ever edited."""
    at = payload.moment(status, "edited_at")
    if at is None or not id_of(status):
        return None
    return Edited(native_id=id_of(status), text=words(status), at=min(at, now))


def mention(
    status: Mapping[str, Any],
    *,
    source: str,
    kind: Kind,
    root: str,
    answered: Mapping[str, str],
    now: datetime,
) -> IncomingMention:
    """A status as a mention. `answered` holds the words of the library's statuses, by id."""
    account = payload.inner(status, "account")
    handle = plain_text.line(payload.text(account, "acct"), 300)
    behind = warning(status)
    talked_of = answered.get(above(status)) or answered.get(id_of(quoted(status)), "")
    open_ = payload.text(status, "visibility") in _PUBLIC
    language = payload.text(status, "language")
    return IncomingMention(
        source=source,
        native_id=id_of(status),
        kind=kind,
        text=words(status),
        patron=Patron(
            name=_name(account) or handle or "Somebody",
            handle=f"@{handle}" if handle else "",
            url=plain_text.web_address(payload.text(account, "url")),
        ),
        posted_at=posted_at(status, now),
        permalink=permalink(status),
        title=f"{_WARNING}{behind}" if behind else "",
        conversation=root,
        in_reply_to=plain_text.line(talked_of, _QUOTED),
        language=language if language.isascii() and len(language) <= 35 else "",
        media=_media(status),
        visibility=Visibility.PUBLIC if open_ else Visibility.PRIVATE,
    )


def _name(account: object) -> str:
    """The display name, without custom emoji: those are pictures, and here they would be code."""
    name = payload.text(account, "display_name")[:500]
    for emoji in payload.records(account, "emojis")[:50]:
        code = payload.text(emoji, "shortcode")
        name = name.replace(f":{code}:", " ") if code else name
    return plain_text.name(name)


def _media(status: object) -> tuple[Media, ...]:
    found = []
    for one in payload.records(status, "media_attachments")[:_MOST_MEDIA]:
        # What a server has not fetched yet has only the address at the other server.
        urls = (plain_text.web_address(payload.text(one, name)) for name in _PLACES)
        url = next(filter(None, urls), "")
        if url:
            alt = plain_text.line(payload.text(one, "description"), 1_000)
            found.append(
                Media(url=url, kind=_MEDIA.get(payload.text(one, "type"), "file"), alt=alt)
            )
    return tuple(found)

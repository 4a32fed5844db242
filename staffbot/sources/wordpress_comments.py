"""WordPress's comments as mentions. Knows records of its REST interface only: no network.

E-mail and IP addresses are not asked for, and would not be read here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from staffbot.model import IncomingMention, Kind, Patron
from staffbot.sources import payload, plain_text

# "content.rendered" would leave the whole content out: comments do not know nested names.
FIELDS = "id,post,parent,author,author_name,author_url,date_gmt,content,link,status,type"
PUBLIC, HELD, GONE = "approved", "hold", frozenset({"spam", "trash"})
_QUOTED = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment. `author` is the number of a user of the site, 0 for a visitor."""

    id: int
    post: int
    parent: int
    author: int
    name: str
    url: str
    at: datetime | None
    text: str
    link: str
    status: str

    @property
    def print(self) -> str:
        """What changes with its words, and when it is let through."""
        words = hashlib.sha256(self.text.encode()).hexdigest()[:8]
        return f"{words}h" if self.status == HELD else words


def read(record: Mapping[str, Any]) -> Comment | None:
    """The comment in a record; None where it has no number or is a pingback."""
    number = payload.number(record, "id")
    if number <= 0 or payload.text(record, "type") not in ("", "comment"):
        return None
    return Comment(
        id=number,
        post=payload.number(record, "post"),
        parent=payload.number(record, "parent"),
        author=payload.number(record, "author"),
        name=plain_text.name(plain_text.of_html(payload.text(record, "author_name"))),
        url=plain_text.web_address(payload.text(record, "author_url")),
        at=payload.moment(record, "date_gmt"),
        text=plain_text.of_html(payload.text(record, "content", "rendered")),
        link=plain_text.web_address(payload.text(record, "link")),
        status=payload.text(record, "status") or PUBLIC,
    )


def mention(
    comment: Comment,
    *,
    source: str,
    kind: Kind,
    title: str,
    above: Mapping[int, Comment],
    own: frozenset[int],
    now: datetime,
) -> IncomingMention:
    """A patron's comment as a mention. `above` holds the comments that it may stand under."""
    parent = above.get(comment.parent)
    answers_us = parent is not None and parent.author in own
    return IncomingMention(
        source=source,
        native_id=str(comment.id),
        kind=kind,
        text=comment.text,
        patron=Patron(
            name=comment.name or "A visitor",
            url=comment.url,
            nameless=not (comment.name or comment.url),
        ),
        posted_at=min(comment.at or now, now),
        permalink=comment.link,
        title=title,
        conversation=str(_root(comment, above)),
        in_reply_to=plain_text.line(parent.text, _QUOTED) if parent and answers_us else "",
        held=comment.status == HELD,
    )


def _root(comment: Comment, above: Mapping[int, Comment]) -> int:
    """The comment that the thread began with, as far up as is known."""
    at, seen = comment, {comment.id}
    while at.parent > 0 and at.parent not in seen:
        seen.add(at.parent)
        parent = above.get(at.parent)
        if parent is None:
            return at.parent
        at = parent
    return at.id

"""Feeds for tests, written the way real sites write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry; `html` is its text as HTML. An empty field is left out of the feed."""

    id: str = ""
    title: str = ""
    html: str = ""
    at: datetime | None = None
    author: str = ""
    link: str = ""
    more: str = ""


def rss(*items: Item, title: str = "Riverside blog", prolog: str = "") -> str:
    """An RSS 2.0 document."""
    told = "".join(_rss_item(item) for item in items)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<rss version="2.0" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>{escape(title)}</title><language>en-US</language>{told}</channel></rss>"
    )


def _rss_item(item: Item) -> str:
    parts = [
        f'<guid isPermaLink="false">{escape(item.id)}</guid>' if item.id else "",
        f"<title>{escape(item.title)}</title>" if item.title else "",
        f"<dc:creator>{escape(item.author)}</dc:creator>" if item.author else "",
        f"<link>{escape(item.link)}</link>" if item.link else "",
        f"<pubDate>{format_datetime(item.at, usegmt=True)}</pubDate>" if item.at else "",
        f"<description>{escape(item.html)}</description>" if item.html else "",
        item.more,
    ]
    return f"<item>{''.join(parts)}</item>"


def atom(*items: Item, title: str = "Riverside blog") -> str:
    """An Atom 1.0 document."""
    told = "".join(_atom_entry(item) for item in items)
    return (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>urn:feed</id><title>{escape(title)}</title>{told}</feed>"
    )


def _atom_entry(item: Item) -> str:
    parts = [
        f"<id>{escape(item.id)}</id>" if item.id else "",
        f"<title>{escape(item.title)}</title>" if item.title else "",
        f"<author><name>{escape(item.author)}</name><email>lena@mail.test</email></author>"
        if item.author
        else "",
        f'<link href="{escape(item.link)}"/>' if item.link else "",
        f"<published>{item.at.isoformat()}</published>" if item.at else "",
        f'<content type="html">{escape(item.html)}</content>' if item.html else "",
        item.more,
    ]
    return f"<entry>{''.join(parts)}</entry>"

"""How the house says things: labels, counts, durations, moments. Knows no state and no platform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from staffbot.model import Kind, Outcome, Role, Status

KINDS = {
    Kind.MENTION: "mention",
    Kind.COMMENT: "comment",
    Kind.REPLY: "reply",
    Kind.REVIEW: "review",
    Kind.MESSAGE: "message",
    Kind.QUOTE: "quote",
    Kind.HASHTAG: "hashtag",
    Kind.SEARCH: "search hit",
    Kind.ENTRY: "feed entry",
}

STATES = {Status.OPEN: "Unclaimed", Status.CLAIMED: "Claimed", Status.CLOSED: "Closed"}

OUTCOMES = {
    Outcome.ANSWERED: "answered",
    Outcome.NO_ANSWER_NEEDED: "no answer needed",
    Outcome.SPAM: "spam",
    Outcome.NOT_FOR_US: "not for us",
    Outcome.PASSED_ON: "passed on",
}

ROLES = {Role.STAFF: "staff", Role.DEPUTY: "a deputy", Role.MANAGER: "a manager"}

# How a network is spelled by those who run it; any other is shown as the configuration names it.
NETWORKS = {
    "bluesky": "Bluesky",
    "discourse": "Discourse",
    "email": "E-mail",
    "feed": "Feed",
    "log": "Logged by hand",
    "mastodon": "Mastodon",
    "webhook": "Webhook",
    "wordpress": "WordPress",
    "youtube": "YouTube",
}

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def network(name: str) -> str:
    """A source's name or label as people write it."""
    return NETWORKS.get(name, name)


def kind_on(kind: Kind, network_name: str) -> str:
    """A review on Mastodon; a message by e-mail; a message logged by hand."""
    if network_name in ("E-mail", "Logged by hand"):
        return f"{KINDS[kind]} {'by e-mail' if network_name == 'E-mail' else 'logged by hand'}"
    return f"{KINDS[kind]} on {network_name}"


def number(mention: int) -> str:
    """A mention as it is spoken of: #42."""
    return f"#{mention}"


def a(noun: str) -> str:
    """The noun with its article: a review, an entry."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def count(amount: int, one: str, many: str = "") -> str:
    """1 mention, 2 mentions, 1,204 mentions."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def listed(items: Sequence[str], joined: str = "and") -> str:
    """One, two and three."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joined} {items[-1]}"


def duration(span: timedelta) -> str:
    """1 h 20 min; 3 days 2 h; under a minute."""
    minutes = int(abs(span).total_seconds() // 60)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    if days:
        return count(days, "day") + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min" if minutes else "under a minute"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Tue 3 Mar 14:30, in that zone."""
    local = at.astimezone(zone)
    day = f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"
    return f"{day} {local.hour:02}:{local.minute:02}"


def capital(text: str) -> str:
    """With a capital at its start."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """With a capital at its start and a full stop at its end."""
    text = capital(text.strip())
    return text if text.endswith((".", "!", "?")) else f"{text}."


# The languages that a public library meets most; any other is shown by its code.
LANGUAGES = {
    "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "ga": "Irish", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian",
    "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "so": "Somali", "sv": "Swedish", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian",
    "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def language(code: str) -> str:
    """A language code of a network (es, es-MX) in words; a code that is not one is left out."""
    short = code.lower().replace("_", "-").split("-")[0]
    if short in LANGUAGES:
        return LANGUAGES[short]
    return short if short.isascii() and short.isalpha() and len(short) <= 3 else ""


# What an address may hold and still break out of no platform's link.
_IN_ADDRESS = "!#$%&'()*+,-./:;=?@[]_~"


def web(url: str) -> str:
    """The address if a person can open it in a browser, else nothing; it can break no link."""
    if not url.lower().startswith(("https://", "http://")):
        return ""
    return quote(url.encode("utf-8", "replace"), safe=_IN_ADDRESS)

"""What a patron wrote in an e-mail, without what they quoted. Knows text only: no mailbox, no headers.

A cut that is too bold hides a question, so each is made at a line that mail programs write and
people do not; where nothing would be left, nothing is cut.
"""

from __future__ import annotations

import re
from itertools import takewhile

_WROTE = re.compile(
    r"^\s*(?:on|am|le|el|il|op|em|den|dnia)\b.{4,300}?"
    r"\b(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|skrev|napisał\(a\)|napisał)"
    r"\b.{0,80}:\s*$",
    re.IGNORECASE | re.DOTALL,
)
_ORIGINAL = re.compile(
    r"^\s*[-_]{2,}\s*(?:original message|ursprüngliche nachricht|message d.origine|mensaje original|"
    r"messaggio originale|oorspronkelijk bericht|mensagem original|forwarded message|"
    r"weitergeleitete nachricht|message transféré)\s*[-_]{2,}\s*$",
    re.IGNORECASE,
)
_FROM = re.compile(r"^\s*\*?(?:from|von|de|da|van|från|fra)\s*:\*?\s*\S", re.IGNORECASE)
_SENT = re.compile(
    r"^\s*\*?(?:sent|date|gesendet|datum|envoyé|enviado|fecha|inviato|data|verzonden|skickat|sendt)"
    r"\s*:\*?\s*\S",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"^\s*(?:sent from my |sent from outlook|get outlook for |von meinem .{1,30} gesendet|"
    r"gesendet von |envoyé de mon |envoyé depuis |enviado desde mi |inviato da |verzonden vanaf )",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*[_-]{8,}\s*$")
# Contact forms repeat the address in a line of their own; nobody at the desk needs it.
_ADDRESS_LINE = re.compile(
    r"^\s*\*?[\w .-]{0,30}(?:e-?mail|courriel|correo|posta)[\w .-]{0,30}\*?\s*:\s*<?\S+@\S+>?\s*$",
    re.IGNORECASE,
)
_NAME_LINE = re.compile(
    r"^\s*(?:your |full )?(?:name|nom|nombre|nome|naam)\s*:\s*(\S.{0,99})$", re.IGNORECASE
)


def written(text: str) -> str:
    """The patron's own words: without quoted mails, signature and repeated address."""
    lines = text.replace("\r\n", "\n").split("\n")
    lines = [line for line in lines if not _ADDRESS_LINE.match(line)]
    kept = [line for line in lines[: _end(lines)] if not line.lstrip().startswith(">")]
    kept = [line for line in kept if not _PHONE.match(line)]
    own = "\n".join(kept).strip()
    return own or "\n".join(lines).strip()


def name_in(text: str) -> str:
    """The name that a contact form wrote into its text, or ""."""
    found = (_NAME_LINE.match(line) for line in text.split("\n")[:20])
    return next((match.group(1).strip() for match in found if match), "")


def _end(lines: list[str]) -> int:
    """The number of the first line that is no longer the patron's."""
    for number, line in enumerate(lines):
        if number and line.rstrip() == "--":
            return number
        if _ORIGINAL.match(line) or _begins_quote(lines, number):
            return number
    return len(lines)


def _begins_quote(lines: list[str], number: int) -> bool:
    """A line of the kind "On Monday, Ada wrote:", which may be folded, or a block of headers."""
    folded = list(takewhile(str.strip, lines[number : number + 3]))
    for more in range(1, len(folded) + 1):
        if _wrote(folded[:more]):
            # Of the words before it, none is a part of it.
            return not any(_wrote(folded[at:more]) for at in range(1, more))
    at = number + 1 if _RULE.match(lines[number]) else number
    if at < len(lines) and _FROM.match(lines[at]):
        return any(_SENT.match(line) for line in lines[at + 1 : at + 4])
    return False


def _wrote(lines: list[str]) -> bool:
    text = " ".join(lines)
    return any(char.isdigit() for char in text) and _WROTE.match(text) is not None

"""Pure decisions about an answer from chat: its whole text, whether it fits, what follows each try.

Functions of values only: no database, no network, no loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from staffbot.model import Patron
from staffbot.network import ReplyLimit

_FIRST_WAIT = timedelta(seconds=0.5)
_LONGEST_WAIT = timedelta(minutes=5)


class State(StrEnum):
    """Where an answer is. Every state but the first two is an end."""

    WAITING = "waiting"  # stored, and not with the network
    SENDING = "sending"  # in a call, or nobody knows what became of the call: in doubt
    SENT = "sent"
    FAILED = "failed"  # surely not on the network; given back to its author
    UNKNOWN = "unknown"  # nobody can tell; never sent again
    WITHDRAWN = "withdrawn"  # not sent, as something else came first


ON_THE_WAY = frozenset({State.WAITING, State.SENDING})


class Met(StrEnum):
    """What a try to send, or a look-up of one in doubt, can meet."""

    TAKEN = "taken"  # the network has it: said so, or shows it
    REFUSED = "refused"  # it will never take this one
    NOT_NOW = "not_now"  # surely not taken, this time
    LOST = "lost"  # it may have been taken
    ABSENT = "absent"  # looked up: it is not there
    NOT_SEEN = "not_seen"  # the look-up failed
    BLIND = "blind"  # it cannot ever be looked up
    OVERTAKEN = "overtaken"  # before a try: there is nothing to answer any more, or it was answered


# What a person who looked can say of an answer that is unknown, as it stands on the buttons.
IT_WAS_SENT, SEND_AGAIN = "It was sent", "Send again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an answer is, by whom, and why it is not further. `why` quotes nobody."""

    state: State
    by: str
    why: str = ""

    @property
    def said(self) -> str:
        """As a sentence; "" once it is out, as the mention itself says when it was answered."""
        match self.state:
            case State.WAITING if self.why:
                return f"{self.by}'s answer is tried again: {self.why}."
            case State.WAITING | State.SENDING:
                return f"{self.by}'s answer is on its way."
            case State.FAILED:
                return f"{self.by}'s answer was not sent: {self.why}."
            case State.UNKNOWN:
                return (
                    f"Nobody can tell whether {self.by}'s answer arrived ({self.why}). Look there; "
                    f"then press “{IT_WAS_SENT}”, or “{SEND_AGAIN}” where it is missing."
                )
            case State.WITHDRAWN:
                return f"{self.by}'s answer was not sent, as {self.why}."
            case State.SENT:
                return ""


def follows(met: Met, *, late: bool) -> State:
    """What an answer in hand is next. `late`: it has been failing for longer than is waited for.

    It is sent again only where it is surely not there: refused this time, or looked up and absent.
    """
    match met:
        case Met.TAKEN:
            return State.SENT
        case Met.REFUSED:
            return State.FAILED
        case Met.NOT_NOW | Met.ABSENT:
            return State.FAILED if late else State.WAITING
        case Met.LOST:
            return State.SENDING
        case Met.NOT_SEEN:
            return State.UNKNOWN if late else State.SENDING
        case Met.BLIND:
            return State.UNKNOWN
        case Met.OVERTAKEN:
            return State.WITHDRAWN


def wait(tries: int, asked: float | None = None) -> timedelta:
    """Before the next try: as long as the network asks for, else twice as long each time."""
    if asked is not None:
        return timedelta(seconds=max(asked, 0.0))
    longest: timedelta = min(_FIRST_WAIT * 2 ** min(max(tries - 1, 0), 12), _LONGEST_WAIT)
    return longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a person saw of a mention when they began to write: how many answers from chat there
    were, and whether it counted as answered. Told to the form and back as one word."""

    answers: int = 0
    answered: bool = False

    def __str__(self) -> str:
        return f"{self.answers}{'a' if self.answered else ''}"


def whole(text: str, patron: Patron, limit: ReplyLimit, signature: str) -> str:
    """Everything that goes out, as one text: what the network begins with, the words, the name."""
    words = text.replace("\r\n", "\n").strip()
    opening = limit.opening(patron)
    # By the word: "@lena" is not the beginning of "@lenas".
    if opening.strip() in words.split(maxsplit=1)[:1]:
        opening = ""
    signed = f"\n\n{signature}" if signature else ""
    return f"{opening}{words}{signed}"


def room_left(limit: ReplyLimit, patron: Patron, signature: str, title: str = "") -> int:
    """How many of the network's units are left for the words themselves."""
    return limit.longest - limit.beside(title) - limit.measure(whole("", patron, limit, signature))


def too_long(text: str, limit: ReplyLimit, title: str = "") -> str:
    """By how much a whole text is too long, as a sentence; empty where it fits."""
    over = limit.measure(text) + limit.beside(title) - limit.longest
    if over <= 0:
        return ""
    return f"That is {over} {limit.unit} too long: {limit.longest} at most, with everything."

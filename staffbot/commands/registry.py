"""What a verb is made of: its slots, who may, which mention is meant. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Takes(StrEnum):
    """What an argument is: how it is read from a line, completed, and asked for in a form."""

    MENTION = "mention"
    PERSON = "person"
    TEAM = "team"
    OUTCOME = "outcome"
    TOPICS = "topics"
    MOMENT = "moment"
    VERB = "verb"
    WORDS = "words"


class May(StrEnum):
    """Who may. `refusal` holds the rule; `dispatch` and the desk both ask it."""

    STAFF = "staff"
    OWNER = "owner"
    TRUSTED = "trusted"
    LEAD = "lead"


class Clear(StrEnum):
    """Which mention is meant where none is named and the command is not typed in its thread.

    UNASKED: the verb can do without one.
    """

    MINE = "mine"
    UNCLAIMED = "unclaimed"
    NONE = "none"
    UNASKED = "unasked"


class Group(StrEnum):
    """The headings of help."""

    SEE = "See"
    WORK = "Take and finish"
    PATRON = "The patron"
    HAND = "Give to somebody else"
    MORE = "More about one mention"
    CLOCK = "Hours, reminders, away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One argument. `led_by` are the words that may stand before it; a moment that can be
    left out must have one.

    `like` is what stands for it in how the verb is typed: 42, 14:30; else its name.
    """

    name: str
    takes: Takes
    required: bool = True
    led_by: tuple[str, ...] = ()
    help: str = ""
    like: str = ""

    @property
    def usage(self) -> str:
        lead = f"{self.led_by[0]} " if self.led_by else ""
        shown = self.like or self.name
        return f"{lead}{shown}" if self.required else f"[{lead}{shown}]"


# Which mention is meant; many a verb begins with it.
MENTION = Slot(
    name="mention", takes=Takes.MENTION, required=False, help="its number or address", like="42"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One thing that a person can ask for.

    changes   it writes; a verb that does not is answered from a snapshot
    clear     which mention is meant where none is named
    form      where a required argument is missing, the form of this name is asked
    hidden    it is a button's verb only: not in help, not completed
    allowed   what those can who may, for the sentence to one who may not
    """

    name: str
    does: str
    group: Group
    slots: tuple[Slot, ...] = ()
    aliases: tuple[str, ...] = ()
    changes: bool = True
    may: May = May.STAFF
    clear: Clear = Clear.MINE
    form: str = ""
    example: str = ""
    more: str = ""
    hidden: bool = False
    allowed: str = "That can be done"

    @property
    def usage(self) -> str:
        return " ".join((self.name, *(slot.usage for slot in self.slots)))

    @property
    def words(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    def slot(self, takes: Takes) -> Slot | None:
        return next((slot for slot in self.slots if slot.takes is takes), None)

"""The one registry of verbs: grammar, arguments, help, who may. Pure; knows no desk and no platform.

A verb is one entry of VERBS and one function in `dispatch`; help, completion, Slack's manifest and
Discord's command tree are made from this.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from staffbot.errors import Refused
from staffbot.model import Outcome, Person, Role
from staffbot.words import OUTCOMES


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
    HAND = "Give to somebody else"
    MORE = "More about one mention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One argument. `led_by` are the words that may stand before it; a led moment must have one."""

    name: str
    takes: Takes
    required: bool = True
    led_by: tuple[str, ...] = ()
    help: str = ""

    @property
    def usage(self) -> str:
        lead = f"{self.led_by[0]} " if self.led_by else ""
        shown = "42" if self.takes is Takes.MENTION else self.name
        return f"{lead}{shown}" if self.required else f"[{lead}{shown}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One thing that a person can ask for.

    changes   it writes; a verb that does not is answered from a snapshot
    clear     which mention is meant where none is named
    form      where a required argument is missing, the form of this name is asked
    hidden    it is a button's verb only: not in help, not completed
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

    @property
    def usage(self) -> str:
        return " ".join((self.name, *(slot.usage for slot in self.slots)))

    @property
    def words(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    def slot(self, takes: Takes) -> Slot | None:
        return next((slot for slot in self.slots if slot.takes is takes), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A command that was read: the verb and what was said for each slot, not yet looked up.

    `form` is what a control asks first, whatever is missing.
    """

    verb: Verb
    said: Mapping[str, str] = field(default_factory=dict)
    form: str = ""

    def missing(self) -> Slot | None:
        """The first required argument that was not given; a mention may be clear without."""
        for slot in self.verb.slots:
            if slot.required and slot.name not in self.said and slot.name != "mention":
                return slot
        return None


_MENTION = Slot(name="mention", takes=Takes.MENTION, required=False, help="its number or address")
_TOPICS = Slot(name="topics", takes=Takes.TOPICS, required=False, help="idea, thanks, ...")
_AT = Slot(
    name="at", takes=Takes.MOMENT, required=False, led_by=("at",), help="when it was answered"
)

VERBS: tuple[Verb, ...] = (
    # --- see ---
    Verb(
        name="mine",
        does="Show what you have claimed",
        group=Group.SEE,
        aliases=("my", "my queue"),
        changes=False,
        clear=Clear.NONE,
    ),
    Verb(
        name="queue",
        does="Show what waits for someone",
        group=Group.SEE,
        slots=(Slot(name="team", takes=Takes.TEAM, required=False),),
        aliases=("list", "open"),
        changes=False,
        clear=Clear.NONE,
    ),
    Verb(
        name="show",
        does="Show one mention with its notes and its history",
        group=Group.SEE,
        slots=(_MENTION,),
        aliases=("view", "look"),
        changes=False,
        example="show 42",
    ),
    Verb(
        name="why",
        does="Say why a mention is here, and why it has a clock or none",
        group=Group.SEE,
        slots=(_MENTION,),
        aliases=("why here",),
        changes=False,
        example="why 42",
    ),
    Verb(
        name="help",
        does="Show the commands, or one of them",
        group=Group.SEE,
        slots=(Slot(name="verb", takes=Takes.VERB, required=False),),
        aliases=("?", "commands"),
        changes=False,
        clear=Clear.NONE,
        example="help done",
    ),
    # --- take and finish ---
    Verb(
        name="claim",
        does="Take a mention: you will answer it",
        group=Group.WORK,
        slots=(_MENTION,),
        aliases=("take",),
        clear=Clear.UNCLAIMED,
        example="claim 42",
        more="In chat, a raised hand on the card does the same.",
    ),
    Verb(
        name="release",
        does="Give back a mention that you claimed",
        group=Group.WORK,
        slots=(_MENTION,),
        aliases=("unclaim", "give back", "drop"),
        may=May.OWNER,
        example="release 42",
    ),
    Verb(
        name="done",
        does="Close a mention as answered",
        group=Group.WORK,
        slots=(_MENTION, _TOPICS, _AT),
        aliases=("answered",),
        example="done 42 at 14:30",
        more="With a time it counts as answered then, for an answer given in the network's own app.",
    ),
    Verb(
        name="close",
        does="Close a mention with an outcome and topics",
        group=Group.WORK,
        slots=(
            _MENTION,
            Slot(name="outcome", takes=Takes.OUTCOME, led_by=("as",)),
            _TOPICS,
            _AT,
        ),
        form="close",
        example="close 42 as passed on, complaint",
    ),
    Verb(
        name="thanks",
        does="Close a mention that is just thanks, without a clock",
        group=Group.WORK,
        slots=(_MENTION,),
        aliases=("just thanks",),
        example="thanks 42",
    ),
    Verb(
        name="reopen",
        does="Open a closed mention again",
        group=Group.WORK,
        slots=(_MENTION,),
        clear=Clear.NONE,
        example="reopen 42",
    ),
    Verb(
        name="undo",
        does="Take back what you did last",
        group=Group.WORK,
        slots=(_MENTION,),
        clear=Clear.UNASKED,
        example="undo",
        more="For a few minutes, and only while nobody has acted since.",
    ),
    # --- give to somebody else ---
    Verb(
        name="hand over",
        does="Give everything that you claimed to the team, or to one person",
        group=Group.HAND,
        slots=(Slot(name="person", takes=Takes.PERSON, required=False, led_by=("to",)),),
        aliases=("handover", "hand-over"),
        clear=Clear.NONE,
        example="hand over to Ana",
    ),
    Verb(
        name="assign",
        does="Give a mention to a person",
        group=Group.HAND,
        slots=(_MENTION, Slot(name="person", takes=Takes.PERSON, led_by=("to",))),
        aliases=("give",),
        may=May.OWNER,
        form="assign",
        example="assign 42 to Ana",
    ),
    Verb(
        name="move",
        does="Move a mention to another team",
        group=Group.HAND,
        slots=(_MENTION, Slot(name="team", takes=Takes.TEAM, led_by=("to",))),
        form="move",
        example="move 42 to children",
    ),
    # --- more ---
    Verb(
        name="note",
        does="Leave a note for colleagues; the patron never sees it",
        group=Group.MORE,
        slots=(_MENTION, Slot(name="text", takes=Takes.WORDS)),
        form="note",
        example="note 42 she means the branch in the park",
    ),
    Verb(
        name="private",
        does="Keep the patron's words out of the channel",
        group=Group.MORE,
        slots=(_MENTION,),
        aliases=("keep private", "hide"),
        example="private 42",
        more="The owner, managers and those named for it can still read them.",
    ),
    Verb(
        name="public",
        does="Show the patron's words in the channel again",
        group=Group.MORE,
        slots=(_MENTION,),
        aliases=("make public",),
        may=May.TRUSTED,
        example="public 42",
    ),
    Verb(
        name="read",
        does="Read privately what is kept out of the channel",
        group=Group.MORE,
        slots=(_MENTION,),
        aliases=("read privately",),
        may=May.TRUSTED,
        example="read 42",
        more="That you read it is kept in its history.",
    ),
    Verb(
        name="link",
        does="Join two mentions of one matter: one owner, both to be answered",
        group=Group.MORE,
        slots=(_MENTION, Slot(name="other", takes=Takes.MENTION, led_by=("to", "with", "and"))),
        form="link",
        example="link 42 to 43",
    ),
    Verb(
        name="unlink",
        does="Part a mention from those it is linked to",
        group=Group.MORE,
        slots=(_MENTION,),
        example="unlink 42",
    ),
    Verb(
        name="expects",
        does="Say that a mention expects an answer: it gets a clock",
        group=Group.MORE,
        slots=(_MENTION,),
        aliases=("expects answer", "expects an answer"),
        example="expects 42",
    ),
    Verb(
        name="heard",
        does="Say that a mention expects no answer: its clock ends",
        group=Group.MORE,
        slots=(_MENTION,),
        aliases=("no clock",),
        example="heard 42",
    ),
    Verb(
        name="log",
        does="Log what came by phone, on paper or at the desk",
        group=Group.MORE,
        slots=(Slot(name="text", takes=Takes.WORDS),),
        aliases=("log a mention",),
        clear=Clear.NONE,
        form="log",
        example="log A caller asks for large print by post",
    ),
)

# Verbs that only a button of a storm's card names; `storm` is the number of the storm.
_STORM = Slot(name="storm", takes=Takes.WORDS, help="the storm's number")
_BUTTONS: tuple[Verb, ...] = (
    Verb(
        name="take next",
        does="Claim the next five of a storm",
        group=Group.WORK,
        slots=(_STORM,),
        clear=Clear.NONE,
        hidden=True,
    ),
    Verb(
        name="close all",
        does="Close what nobody has claimed of a storm",
        group=Group.WORK,
        slots=(_STORM, Slot(name="outcome", takes=Takes.OUTCOME)),
        clear=Clear.NONE,
        form="close_all",
        hidden=True,
    ),
    Verb(
        name="storm",
        does="Show the mentions of a storm one by one",
        group=Group.SEE,
        slots=(_STORM,),
        changes=False,
        clear=Clear.NONE,
        hidden=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A control that is not a verb's own name: a verb with something said, or asked first."""

    verb: str
    said: Mapping[str, str] = field(default_factory=dict)
    form: str = ""


# Names of controls are for ever: they stand in messages that were posted long ago.
PRESSES: dict[str, Press] = {
    "answered": Press(verb="done", form="answered"),
    "not_for_us": Press(verb="close", said={"outcome": Outcome.NOT_FOR_US.value}),
}

_BY_WORDS = {words: verb for verb in (*VERBS, *_BUTTONS) for words in verb.words}
_LONGEST = max(len(words.split()) for words in _BY_WORDS)
# What a person types for each outcome, longest first so that none hides another.
_OUTCOME_WORDS = sorted(
    [(label, outcome) for outcome, label in OUTCOMES.items()]
    + [(outcome.value, outcome) for outcome in Outcome]
    + [("no answer", Outcome.NO_ANSWER_NEEDED), ("passed", Outcome.PASSED_ON)],
    key=lambda pair: -len(pair[0]),
)
_REFERENCE = re.compile(r"#?\d{1,12}|<?https?://\S+")
_HASHED = re.compile(r"#\d{1,12}|<?https?://\S+")


def find(words: str) -> Verb | None:
    """The verb of that name or alias."""
    return _BY_WORDS.get(" ".join(words.lower().split()))


def split(text: str) -> tuple[Verb | None, str, str]:
    """A line as its verb (None where unknown), the words that named it, and all that follows."""
    pieces = text.split()
    for amount in range(min(_LONGEST, len(pieces)), 0, -1):
        verb = find(" ".join(pieces[:amount]))
        if verb is not None:
            return verb, " ".join(pieces[:amount]), _after(text, amount)
    return None, pieces[0] if pieces else "", _after(text, 1)


def parse(text: str, *, root: str = "lib", in_thread: bool = False) -> Call:
    """Read a typed command without its root; nothing typed is `mine`.

    In a mention's thread a bare number within free text is part of the text; `#42` never is.
    Raises Refused with the nearest verb, or with how the verb is used.
    """
    verb, named, rest = split(text)
    if not named:
        return Call(verb=_BY_WORDS["mine"])
    if verb is None:
        raise Refused(_unknown(named, root))
    said, rest = _read(verb, rest, in_thread=in_thread)
    if rest:
        raise Refused(f"I cannot place “{_cut(rest)}”. {usage(verb, root)}")
    return Call(verb=verb, said=said)


def usage(verb: Verb, root: str) -> str:
    """How a verb is typed, in one sentence."""
    example = f", for example `/{root} {verb.example}`" if verb.example else ""
    return f"Type `/{root} {verb.usage}`{example}."


def pressed(control: str, value: str = "", *, filled: Mapping[str, str] | None = None) -> Call:
    """The call of a control or form by its stable name; a value fills the first argument.

    Raises Refused for a name that no version knows.
    """
    press = PRESSES.get(control, Press(verb=control.replace("_", " ")))
    verb = find(press.verb)
    if verb is None:
        raise Refused("That button is of another version of staffbot. Please use the command.")
    said = {**press.said, **(filled or {})}
    if value:
        free = (slot.name for slot in verb.slots if slot.name != "mention")
        said[next(free, "value")] = value
    return Call(verb=verb, said=said, form=press.form)


def outcome_of(words: str) -> Outcome | None:
    """The outcome that is meant by a value or a label."""
    wanted = " ".join(words.lower().split())
    return next((outcome for label, outcome in _OUTCOME_WORDS if label == wanted), None)


def refusal(may: May, person: Person, owner: str | None, owner_name: str = "") -> str | None:
    """Why this person may not, naming who may; None where they may. `owner` is a Person.key.

    Deputies may what managers may. What nobody owns, any staff member may assign. A shared desk
    login may read nothing private, as nobody knows who sits there.
    """
    leads = person.role is not Role.STAFF or person.key == owner
    match may:
        case May.STAFF:
            return None
        case May.OWNER:
            if leads or owner is None:
                return None
            return (
                f"{owner_name or 'Somebody else'} has it. They can do that, or a deputy or manager."
            )
        case May.TRUSTED:
            if (leads or person.sensitive) and not person.shared:
                return None
            named = f"{owner_name}, who has it," if owner_name else "whoever claims it,"
            return f"That can be done by {named} a manager, or someone named for private messages."


# --- going on with a line -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingOn:
    """A line that is being typed: what stands (`before`), and what `typed` may become.

    Without a verb, `typed` is the beginning of one; else of one of the slots.
    """

    verb: Verb | None
    before: str
    typed: str
    slots: tuple[Slot, ...] = ()


def going_on(text: str) -> GoingOn:
    """How far a line has come, for completion. Never raises."""
    line = text.lstrip()
    verb, _, rest = split(line)
    if verb is None or verb.hidden or (not rest and not line.endswith(" ")):
        return GoingOn(verb=None, before="", typed=" ".join(line.split()))
    if line.endswith(" ") and rest:
        rest += " "
    slots = list(verb.slots)
    while slots and slots[0].takes in (Takes.MENTION, Takes.OUTCOME):
        value, left = _take(slots[0], rest, hashed=False)
        if not value or not (left or rest.endswith((" ", ","))):
            break
        rest = left
        slots.pop(0)
    typed = _without_lead(rest, slots[0].led_by) if slots else rest
    before = line[: len(line) - len(typed)] if typed else f"{line.rstrip()} "
    # An optional argument may be left out, so what comes after it may come now.
    open_ = next((place for place, slot in enumerate(slots) if slot.required), len(slots))
    return GoingOn(verb=verb, before=before, typed=typed, slots=tuple(slots[: open_ + 1]))


def beginning_with(typed: str) -> tuple[Verb, ...]:
    """The verbs whose name, or where none does, whose alias begins so."""
    wanted = typed.lower()
    named = tuple(verb for verb in VERBS if verb.name.startswith(wanted))
    return named or tuple(
        verb for verb in VERBS if any(alias.startswith(wanted) for alias in verb.aliases)
    )


# --- reading the arguments ----------------------------------------------------------------------


def _read(verb: Verb, rest: str, *, in_thread: bool) -> tuple[dict[str, str], str]:
    """What is said for each slot, and what could not be placed."""
    said: dict[str, str] = {}
    free = any(slot.takes is Takes.WORDS for slot in verb.slots)
    for slot in verb.slots:
        if slot.takes is Takes.MOMENT and slot.led_by:
            rest, moment = _led_moment(rest, slot.led_by)
            if moment:
                said[slot.name] = moment
    for slot in verb.slots:
        if not rest or slot.name in said:
            continue
        value, rest = _take(slot, rest, hashed=in_thread and free)
        if value:
            said[slot.name] = value
    return said, rest


def _take(slot: Slot, rest: str, *, hashed: bool) -> tuple[str, str]:
    """One slot's value from the front of `rest`, and what is left."""
    rest = _without_lead(rest, slot.led_by)
    match slot.takes:
        case Takes.MENTION:
            found = (_HASHED if hashed else _REFERENCE).match(rest)
            if found is None or rest[found.end() : found.end() + 1].strip(" \t\n,;:"):
                return "", rest
            return found[0], rest[found.end() :].lstrip(" \t\n,;:")
        case Takes.OUTCOME:
            return _take_outcome(rest)
        case Takes.MOMENT if slot.led_by:
            return "", rest
        case Takes.TOPICS:
            topics = [word.strip("#") for word in re.split(r"[\s,;]+", rest) if word.strip("#")]
            return ",".join(topics).lower(), ""
        case Takes.PERSON | Takes.TEAM | Takes.VERB | Takes.WORDS | Takes.MOMENT:
            return rest, ""


def _take_outcome(rest: str) -> tuple[str, str]:
    lowered = rest.lower()
    for label, outcome in _OUTCOME_WORDS:
        after = rest[len(label) :]
        if lowered.startswith(label) and not after[:1].isalnum():
            return outcome.value, after.lstrip(" \t\n,;:")
    return "", rest


def _led_moment(rest: str, leads: tuple[str, ...]) -> tuple[str, str]:
    """`rest` without its "at 14:30", and "14:30"."""
    for lead in leads:
        found = re.search(rf"(?:^|\s){lead}\s+(?P<moment>\S.*)$", rest, re.IGNORECASE | re.DOTALL)
        if found is not None:
            return rest[: found.start()].strip(), found["moment"].strip()
    return rest, ""


def _without_lead(rest: str, leads: tuple[str, ...]) -> str:
    first, _, after = rest.partition(" ")
    return after.lstrip() if after.strip() and first.lower() in leads else rest


def _after(text: str, amount: int) -> str:
    """`text` without its first words, spacing kept."""
    pieces = text.split(maxsplit=amount)
    return pieces[amount].strip() if len(pieces) > amount else ""


def _unknown(named: str, root: str) -> str:
    near = difflib.get_close_matches(named.lower(), _BY_WORDS, n=1, cutoff=0.6)
    if near:
        return f"There is no command “{_cut(named)}”. Did you mean `/{root} {near[0]}`?"
    return f"There is no command “{_cut(named)}”. `/{root} help` shows them all."


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"

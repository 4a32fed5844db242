"""Reads a typed line, or the name of a control, as a call of a verb. Pure; looks nothing up."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from staffbot.commands.buttons import BUTTONS, PRESSES, Press
from staffbot.commands.registry import Slot, Takes, Verb
from staffbot.commands.verbs import VERBS
from staffbot.errors import Refused
from staffbot.model import Outcome
from staffbot.words import OUTCOMES

_BY_WORDS = {words: verb for verb in (*VERBS, *BUTTONS) for words in verb.words}
_LONGEST = max(len(words.split()) for words in _BY_WORDS)
# What a person types for each outcome, longest first so that none hides another.
_OUTCOME_WORDS = sorted(
    [(label, outcome) for outcome, label in OUTCOMES.items()]
    + [(outcome.value, outcome) for outcome in Outcome]
    + [("no answer", Outcome.NO_ANSWER_NEEDED), ("passed", Outcome.PASSED_ON)],
    key=lambda pair: -len(pair[0]),
)
_REFERENCE = re.compile(r"#?\d{1,12}|<?https?://\S+")
# What may follow a number: `42: text`, but not the rest of 16:30 or 2h.
_ENDS = re.compile(r"$|[\s,;]|:\s")
_HASHED = re.compile(r"#\d{1,12}|<?https?://\S+")


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


def find(words: str) -> Verb | None:
    """The verb of that name or alias."""
    return _BY_WORDS.get(" ".join(words.lower().split()))


def split(text: str) -> tuple[Verb | None, str, str]:
    """A line as its verb (None where unknown), the words that named it, and all that follows."""
    pieces = text.split()
    for amount in range(min(_LONGEST, len(pieces)), 0, -1):
        words = " ".join(pieces[:amount])
        verb = find(words) or find(words.rstrip("?!. "))
        if verb is not None:
            return verb, words, _after(text, amount)
    return None, pieces[0] if pieces else "", _after(text, 1)


def parse(text: str, *, root: str = "lib", in_thread: bool = False) -> Call:
    """Read a typed command without its root; nothing typed is `mine`, a mention alone `show`.

    In a mention's thread a bare number within free text is part of the text; `#42` never is.
    Raises Refused with the nearest verb, or with how the verb is used.
    """
    verb, named, rest = split(text)
    if not named:
        return Call(verb=_BY_WORDS["mine"])
    if verb is None and not rest and _REFERENCE.fullmatch(named):
        return Call(verb=_BY_WORDS["show"], said={"mention": named})
    if verb is None:
        raise Refused(_unknown(named, rest, root))
    said, rest = _read(verb, rest, in_thread=in_thread)
    if rest:
        raise Refused(f"{_too_much(verb, said, _cut(rest))} {usage(verb, root)}")
    return Call(verb=verb, said=said)


def usage(verb: Verb, root: str) -> str:
    """How a verb is typed, in one sentence."""
    example = (
        f", for example `/{root} {verb.example}`" if verb.example not in ("", verb.usage) else ""
    )
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
    if value and not press.asks:
        free = (slot.name for slot in verb.slots if slot.name != "mention")
        said[next(free, "value")] = value
    return Call(verb=verb, said=said, form="" if value and not press.asks else press.form)


def outcome_of(words: str) -> Outcome | None:
    """The outcome that is meant by a value or a label."""
    wanted = " ".join(words.lower().split())
    return next((outcome for label, outcome in _OUTCOME_WORDS if label == wanted), None)


# --- reading the arguments ----------------------------------------------------------------------


def _read(verb: Verb, rest: str, *, in_thread: bool) -> tuple[dict[str, str], str]:
    """What is said for each slot, and what could not be placed."""
    said: dict[str, str] = {}
    free = any(slot.takes is Takes.WORDS for slot in verb.slots)
    for slot in verb.slots:
        if slot.takes is Takes.MOMENT and not slot.required:
            rest, moment = _led_moment(rest, slot.led_by)
            if moment:
                said[slot.name] = moment
    for slot in verb.slots:
        if not rest or slot.name in said:
            continue
        value, rest = take(slot, rest, hashed=in_thread and free)
        if value:
            said[slot.name] = value
    return said, rest


def take(slot: Slot, rest: str, *, hashed: bool) -> tuple[str, str]:
    """One slot's value from the front of `rest`, and what is left."""
    if rest.lower() in slot.led_by:
        return "", ""  # nothing was said after it
    bare = without_lead(rest, slot.led_by)
    led, rest = bare != rest, bare
    match slot.takes:
        case Takes.MENTION:
            found = (_HASHED if hashed else _REFERENCE).match(rest)
            if found is None or not _ENDS.match(rest, found.end()):
                return "", rest
            return found[0], rest[found.end() :].lstrip(" \t\n,;:")
        case Takes.OUTCOME:
            return _take_outcome(rest, led=led)
        case Takes.MOMENT if not slot.required:
            return "", rest
        case Takes.TOPICS:
            topics = [word.strip("#") for word in re.split(r"[\s,;]+", rest) if word.strip("#")]
            return ",".join(topics).lower(), ""
        case Takes.PERSON | Takes.TEAM | Takes.VERB | Takes.WORDS | Takes.MOMENT:
            return rest, ""


def _take_outcome(rest: str, *, led: bool) -> tuple[str, str]:
    """Behind `as` stands an outcome, even if it is one that nobody knows: it is refused by name."""
    lowered = rest.lower()
    for label, outcome in _OUTCOME_WORDS:
        after = rest[len(label) :]
        if lowered.startswith(label) and not after[:1].isalnum():
            return outcome.value, after.lstrip(" \t\n,;:")
    named, _, after = rest.partition(",")
    return (named.strip(), after.lstrip()) if led else ("", rest)


def _led_moment(rest: str, leads: tuple[str, ...]) -> tuple[str, str]:
    """`rest` without its "at 14:30", and "14:30"."""
    for lead in leads:
        found = re.search(rf"(?:^|\s){lead}\s+(?P<moment>\S.*)$", rest, re.IGNORECASE | re.DOTALL)
        if found is not None:
            return rest[: found.start()].strip(), found["moment"].strip()
    return rest, ""


def without_lead(rest: str, leads: tuple[str, ...]) -> str:
    first, _, after = rest.partition(" ")
    return after.lstrip() if after.strip() and first.lower() in leads else rest


def _after(text: str, amount: int) -> str:
    """`text` without its first words, spacing kept."""
    pieces = text.split(maxsplit=amount)
    return pieces[amount].strip() if len(pieces) > amount else ""


def _too_much(verb: Verb, said: Mapping[str, str], rest: str) -> str:
    """Why what is left of a line is no argument of its verb."""
    if not verb.slots:
        return f"“{verb.name}” takes nothing after it, so “{rest}” was not understood."
    waits = next((slot for slot in verb.slots if slot.name not in said), None)
    if waits is not None and waits.takes is Takes.MENTION:
        return f"“{rest}” is no number of a mention, and no address of one."
    if "mention" in said:
        return (
            f"After {said['mention']} nothing more is understood: “{rest}”. One mention at a time."
        )
    return f"“{rest}” was not understood."


def _unknown(named: str, rest: str, root: str) -> str:
    near = difflib.get_close_matches(named.lower(), _BY_WORDS, n=1, cutoff=0.6)
    # Not of a whole question: `how many came in` is no slip for `show many came in`.
    if near and not _read(_BY_WORDS[near[0]], rest, in_thread=False)[1]:
        meant = f"/{root} {near[0]} {_cut(' '.join(rest.split()))}".strip()
        return f"There is no command “{_cut(named)}”. Did you mean `{meant}`?"
    return f"There is no command “{_cut(named)}”. `/{root} help` shows them all."


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"

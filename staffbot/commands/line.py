"""How far a line has come that is being typed, for completion. Pure; never raises."""

from __future__ import annotations

from dataclasses import dataclass

from staffbot.commands.grammar import split, take, without_lead
from staffbot.commands.registry import Slot, Takes, Verb
from staffbot.commands.verbs import VERBS


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
        value, left = take(slots[0], rest, hashed=False)
        if not value or not (left or rest.endswith((" ", ","))):
            break
        rest = left
        slots.pop(0)
    typed = without_lead(rest, slots[0].led_by) if slots else rest
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

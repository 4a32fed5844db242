"""Verbs: grammar, arguments, help, who may. Pure; knows no desk and no platform.

registry    what a verb is made of           verbs       all of them
seeing      those that only look             working     take and finish, give on
more        more about one mention           contact     those about the patron
clock       those of the clock               figures     those of figures
buttons     what only a button names         permission  who may
grammar     a line or a control as a call    line        a line that is being typed
"""

from staffbot.commands.buttons import PRESSES, Press
from staffbot.commands.grammar import Call, find, outcome_of, parse, pressed, usage
from staffbot.commands.line import GoingOn, beginning_with, going_on
from staffbot.commands.permission import refusal
from staffbot.commands.registry import Clear, Group, May, Slot, Takes, Verb
from staffbot.commands.verbs import VERBS

__all__ = [
    "PRESSES", "VERBS", "Call", "Clear", "GoingOn", "Group", "May", "Press", "Slot", "Takes",
    "Verb", "beginning_with", "find", "going_on", "outcome_of", "parse", "pressed", "refusal",
    "usage",
]  # fmt: skip

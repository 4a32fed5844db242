"""What was said while nobody listened: what still counts, what is to be said again, what is let be.

A claim, a note or a "done" takes effect however late it is heard, as whoever wrote it believes it
did. What goes by the clock or by what was there at that moment may mean something else by now, so
it is refused with a sentence. A question is not answered hours later: whoever had it has asked again.
"""

from __future__ import annotations

from staffbot.commands import Call, Group
from staffbot.desk.acts import first_time
from staffbot.desk.ledger import Tx
from staffbot.errors import Refused
from staffbot.model import Actor
from staffbot.policy import lateness
from staffbot.words import duration


def not_too_late(tx: Tx, actor: Actor, call: Call) -> None:
    """Raises Refused for what was done long ago and may mean something else by now."""
    ago = lateness(actor.at, tx.real_now)
    if ago is None or not _may_have_changed(actor, call):
        return
    raise Refused(
        f"I was not listening when you wrote “{call.verb.name}”, {duration(ago)} ago. By now it may "
        "mean something else, so nothing was done. Please say it again."
    )


def worth_answering(tx: Tx, actor: Actor, call: Call) -> bool:
    """Whether somebody still waits for what only looks or asks back; from now on it was heard.

    Raises Refused where a change was meant that would need a question first.
    """
    if not first_time(tx, actor):
        return False
    if lateness(actor.at, tx.real_now) is None:
        return True
    if call.verb.changes:
        not_too_late(tx, actor, call)
    return False


def _may_have_changed(actor: Actor, call: Call) -> bool:
    """What goes by the clock, what has still to be asked, and what names no mention."""
    verb = call.verb
    if verb.group is Group.CLOCK or call.missing() is not None:
        return True
    about_one = any(slot.name == "mention" for slot in verb.slots)
    named = call.said.get("mention") or actor.thread or actor.on
    return about_one and not named

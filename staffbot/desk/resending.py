"""Posts that were given up, tried again by hand. Knows no chat and no outbox."""

from __future__ import annotations

from staffbot.commands import May, refusal
from staffbot.desk import delivery, posted
from staffbot.desk.ledger import Tx, find, typed
from staffbot.desk.people import everyone
from staffbot.errors import Refused
from staffbot.model import Answer, Done, Person, Role, Unchanged
from staffbot.words import count, listed


def resend(tx: Tx, number: int | None, person: Person) -> Answer:
    """Try again all that was given up, or the posts about one mention.

    Raises Refused for who is neither deputy nor manager, and for a mention that is not there.
    """
    if why := refuse_staff(tx, person):
        raise Refused(why)
    if number is not None and find(tx, number) is None:
        raise Refused(
            f"There is no mention {number}. {typed(tx, 'health')} names what is given up."
        )
    resumed = again(tx, number)
    if not resumed:
        about = f" about {number}" if number is not None else ""
        return Unchanged(
            mention=number, said=f"Nothing{about} was given up, so nothing is sent again."
        )
    said = (
        f"{count(resumed, 'post')} tried again. What fails again is named by {typed(tx, 'health')}."
    )
    return Done(mention=number, said=said)


def again(tx: Tx, number: int | None = None) -> int:
    """Take up again what was given up; how many posts. Asks nobody who they are."""
    return delivery.resume(tx, posted.parked(tx, number))


def refuse_staff(tx: Tx, person: Person) -> str | None:
    """Why this person may not do what is for deputies and managers; None where they may."""
    leads = [one.name for one in everyone(tx) if one.role is not Role.STAFF and not one.shared]
    return refusal(May.LEAD, person, 0, None, listed(leads, joined="or"))

"""Who may do what with a mention: the one rule, asked by dispatch and by the desk. Pure."""

from __future__ import annotations

from staffbot.commands.registry import May
from staffbot.model import Person, Role


def refusal(
    may: May,
    person: Person,
    number: int,
    owner: str | None,
    who: str = "",
    *,
    allowed: str = "That can be done",
) -> str | None:
    """Why this person may not with that mention, naming who may; None where they may.

    `who` is its owner's name; for what is about no mention, the names of those who may.
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
            has = who or "Somebody else"
            return f"{has} has {number}: they can do that, or a deputy or manager."
        case May.TRUSTED:
            if (leads or person.sensitive) and not person.shared:
                return None
            named = f"{who}, who has it" if who else "whoever claims it"
            return (
                f"{number} is kept private. {allowed} by {named}, by a deputy or manager, "
                "or by someone named for private messages."
            )
        case May.LEAD:
            if person.role is not Role.STAFF and not person.shared:
                return None
            return f"That is for deputies and managers: {who or 'nobody is listed as one'}."

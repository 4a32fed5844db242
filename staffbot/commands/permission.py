"""Who may do what with a mention: the one rule, asked by dispatch and by the desk. Pure."""

from __future__ import annotations

from staffbot.commands.registry import May
from staffbot.model import Person, Role


def refusal(
    may: May, person: Person, number: int, owner: str | None, owner_name: str = ""
) -> str | None:
    """Why this person may not with that mention, naming who may; None where they may.

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
            has = owner_name or "Somebody else"
            return f"{has} has {number}: they can do that, or a deputy or manager."
        case May.TRUSTED:
            if (leads or person.sensitive) and not person.shared:
                return None
            named = f"{owner_name}, who has it" if owner_name else "whoever claims it"
            return (
                f"{number} is kept private. That can be done by {named}, by a deputy or manager, "
                "or by someone named for private messages."
            )

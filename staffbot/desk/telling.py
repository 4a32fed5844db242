"""Direct messages of one sentence to one person about a mention. References only, no patron's words."""

from __future__ import annotations

from typing import Any

from staffbot.desk.ledger import Tx
from staffbot.desk.mailroom import want
from staffbot.desk.people import reachable_on
from staffbot.model import Mention, Person


def tell(
    tx: Tx, person: Person, mention: Mention, about: str, *, event: int, **detail: Any
) -> bool:
    """Tell a person that something happened to a mention of theirs. False where nothing reaches them.

    `about` is what rendering says: assigned, handed_over, followed_up, kept_private. Whoever no
    platform reaches is not told; the card says it all the same. Shared desk logins have no letters.
    """
    platform = reachable_on(tx, person)
    if platform is None or person.shared:
        return False
    want(
        tx, key=f"told:{event}:{person.key}", kind="told", platform=platform, person=person.key,
        team=mention.team, mention=mention.number, detail={"about": about, **detail},
    )  # fmt: skip
    return True

"""Where a mention is shown: which rooms get its card, and when. Knows nothing of delivery."""

from __future__ import annotations

from datetime import datetime

from staffbot.desk.ledger import Tx, again
from staffbot.desk.mailroom import want_card
from staffbot.model import Room
from staffbot.settings import Team, WhenClosed


def rooms(team: Team) -> list[Room]:
    """The rooms of a team that get cards."""
    return [room.room for room in team.rooms if not room.figures_only]


def manner(tx: Tx, team: Team) -> tuple[bool, datetime | None]:
    """How a new post comes in now: silently or not, and not before when (None: at once)."""
    hours = tx.hours(team.key)
    if hours.is_open(tx.now) or team.when_closed is WhenClosed.AT_ONCE:
        return False, None
    if team.when_closed is WhenClosed.SILENTLY:
        return True, None
    return False, hours.next_opening(tx.now)


def show_everywhere(tx: Tx, number: int) -> None:
    """Want a card of this mention in every room of its team; where one is wanted, nothing happens."""
    mention = again(tx, number)
    team = tx.team(mention.team)
    silent, not_before = manner(tx, team)
    for room in rooms(team):
        want_card(tx, mention, room, silent=silent, not_before=not_before)

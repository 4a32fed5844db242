"""How a person can be told something now: their quiet times, what they had today, and by which way."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from sqlalchemy import func, select

from staffbot.desk.ledger import Tx
from staffbot.desk.people import get_person, reachable_on
from staffbot.desk.showing import rooms
from staffbot.hours import first_shown
from staffbot.model import Person
from staffbot.reminders import Reach
from staffbot.settings import Team
from staffbot.tables import nags, people


def reach_of(tx: Tx, key: str, team: Team) -> Reach:
    """What policy has to know before it nags somebody."""
    row = tx.conn.execute(select(people).where(people.c.key == key)).one()
    person = get_person(tx, key)
    assert person is not None
    local = tx.hours(team.key).local(tx.now)
    midnight = first_shown(datetime.combine(local.date(), time()), tx.hours(team.key).zone)
    return Reach(
        person=person,
        acted_at=row.acted_at,
        quiet=is_quiet(row.quiet_from, row.quiet_until, local),
        today=_messages_since(tx, key, midnight),
    )


def _messages_since(tx: Tx, key: str, since: datetime) -> int:
    return tx.conn.execute(
        select(func.count(nags.c.post.distinct())).where(
            nags.c.recipient == key, nags.c.at >= since
        )
    ).scalar_one()


def is_quiet(start: str, end: str, local: datetime) -> bool:
    """Whether a local moment lies in somebody's quiet hours (`12:00` to `13:00`; may pass midnight)."""
    if not start or not end:
        return False
    begins, ends, now = time.fromisoformat(start), time.fromisoformat(end), local.time()
    if begins <= ends:
        return begins <= now < ends
    return now >= begins or now < ends


def nag_lane(tx: Tx, person: Person, team: str) -> dict[str, Any] | None:
    """Where a nag for this person goes: directly, or to the team's first room. None: nowhere.

    A shared desk login, who asked for it, and whom no platform reaches are told in the room.
    """
    by = tx.conn.execute(select(people.c.nags_by).where(people.c.key == person.key)).scalar()
    platform = reachable_on(tx, person)
    if platform is not None and not person.shared and by != "channel":
        return {"platform": platform, "person": person.key}
    room = next(iter(rooms(tx.team(team))), None)
    return None if room is None else {"platform": room.platform, "room": room}

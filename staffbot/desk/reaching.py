"""How a person can be told something now: their quiet times, what they had today, and by which way."""

from __future__ import annotations

from collections.abc import Sequence
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


class Reaches:
    """What a sweep has to know of everybody, asked for once and not person by person."""

    def __init__(self, tx: Tx, staff: Sequence[Person]) -> None:
        self._tx = tx
        self._staff = {person.key: person for person in staff}
        self._rows = {row.key: row for row in tx.conn.execute(select(people))}
        self._today: dict[datetime, dict[str, int]] = {}
        self._known: dict[tuple[str, str], Reach] = {}

    def of(self, key: str, team: Team) -> Reach:
        """As `reach_of` tells it."""
        known = self._known.get((key, team.key))
        if known is None:
            known = self._known[key, team.key] = self._reach(key, team)
        return known

    def lane(self, key: str, team: str) -> dict[str, Any] | None:
        """Where a nag for that person goes: directly, or to the team's first room. None: nowhere.

        A shared desk login, who asked for it, and whom no platform reaches are told in the room.
        """
        person = self._staff[key]
        platform = reachable_on(self._tx, person)
        if platform is not None and not person.shared and self._rows[key].nags_by != "channel":
            return {"platform": platform, "person": key}
        room = next(iter(rooms(self._tx.team(team))), None)
        return None if room is None else {"platform": room.platform, "room": room}

    def _reach(self, key: str, team: Team) -> Reach:
        row, local = self._rows[key], self._tx.hours(team.key).local(self._tx.now)
        since = _midnight(self._tx, team)
        if since not in self._today:
            self._today[since] = self._messages_since(since)
        return Reach(
            person=self._staff[key],
            acted_at=row.acted_at,
            quiet=is_quiet(row.quiet_from, row.quiet_until, local),
            today=self._today[since].get(key, 0),
        )

    def _messages_since(self, since: datetime) -> dict[str, int]:
        rows = self._tx.conn.execute(
            select(nags.c.recipient, func.count(nags.c.post.distinct()))
            .where(nags.c.recipient.in_(list(self._rows)), nags.c.at >= since)
            .group_by(nags.c.recipient)
        )
        return {recipient: int(number) for recipient, number in rows}


def _midnight(tx: Tx, team: Team) -> datetime:
    local = tx.hours(team.key).local(tx.now)
    return first_shown(datetime.combine(local.date(), time()), tx.hours(team.key).zone)


def reach_of(tx: Tx, key: str, team: Team) -> Reach:
    """What policy has to know before it nags somebody."""
    row = tx.conn.execute(select(people).where(people.c.key == key)).one()
    person = get_person(tx, key)
    assert person is not None
    local = tx.hours(team.key).local(tx.now)
    return Reach(
        person=person,
        acted_at=row.acted_at,
        quiet=is_quiet(row.quiet_from, row.quiet_until, local),
        today=_messages_since(tx, key, _midnight(tx, team)),
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

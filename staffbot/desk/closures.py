"""Announced closures and extra openings: any staff member may, everyone is told, Undo takes it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from staffbot.desk.ledger import Tx, record_for_team, typed
from staffbot.desk.mailroom import say_now, want
from staffbot.desk.people import name_of
from staffbot.desk.posted import begun_with
from staffbot.desk.retiming import retime
from staffbot.desk.showing import rooms
from staffbot.doorsign import said_of
from staffbot.errors import Refused
from staffbot.hours import Closure
from staffbot.model import Answer, Done, Happened, Person
from staffbot.tables import closures, events
from staffbot.words import count


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A closure (or, with `opens`, an extra opening) that somebody announces. `team` None: all.

    `said` is when, in words: "today", "Thu 24 Dec".
    """

    team: str | None
    starts_at: datetime
    ends_at: datetime
    opens: bool
    reason: str
    said: str


def announce(tx: Tx, announcement: Announcement, person: Person) -> Answer:
    """Close, or open, for a while: due times are reckoned anew at once and the channel is told."""
    if announcement.ends_at <= tx.now:
        raise Refused("That is past already, so nothing would change.")
    closure = tx.conn.execute(
        insert(closures)
        .values(
            team=announcement.team, starts_at=announcement.starts_at,
            ends_at=announcement.ends_at, opens=announcement.opens, reason=announcement.reason,
            person=person.key, made_at=tx.now,
        )
        .returning(closures.c.id)
    ).scalar_one()  # fmt: skip
    teams = _teams(tx, announcement.team)
    moved = retime(tx, teams)
    event = record_for_team(tx, Happened.CLOSURE_ADDED, teams[0], person=person, closure=closure)
    what = "Open" if announcement.opens else "Closed"
    why = f" ({announcement.reason})" if announcement.reason else ""
    where = _whose(tx, announcement.team)
    re_timed = f" {count(moved, 'due time')} moved." if moved else ""
    said = f"{where}{what} {announcement.said}{why}.{re_timed}"
    _tell(tx, teams, event, f"{said} Announced by {person.name}.", undo=True)
    return Done(mention=None, said=said, event=event)


def revoke(tx: Tx, closure: int, person: Person) -> Answer:
    """Take an announcement back: by Undo, or by whoever knows better."""
    row = tx.conn.execute(
        select(closures).where(closures.c.id == closure).with_for_update()
    ).one_or_none()
    if row is None or row.ended_at is not None:
        raise Refused(
            f"That announcement was taken back already. {typed(tx, 'hours')} shows what is so now."
        )
    tx.conn.execute(update(closures).where(closures.c.id == closure).values(ended_at=tx.now))
    teams = _teams(tx, row.team)
    moved = retime(tx, teams)
    event = record_for_team(tx, Happened.CLOSURE_ENDED, teams[0], person=person, closure=closure)
    announced = tx.conn.execute(
        update(events)
        .where(events.c.what == Happened.CLOSURE_ADDED, events.c.person == row.person)
        .where(events.c.done_at == row.made_at)
        .where(events.c.detail["closure"].as_integer() == closure)
        .values(undone_by=event)
        .returning(events.c.id)
    ).scalar_one()
    closed = Closure(row.starts_at, row.ends_at, row.opens, row.reason)
    what = said_of(closed, tx.hours(teams[0]), now=tx.now)
    where = _whose(tx, row.team)
    re_timed = f" {count(moved, 'due time')} moved back." if moved else ""
    said = f"{where}Taken back: {what}, as {name_of(tx, row.person)} had announced.{re_timed}"
    _tell(tx, teams, event, f"{said} Said by {person.name}.", undo=False)
    _end_notices(tx, announced, person)
    return Done(mention=None, said=said)


def _end_notices(tx: Tx, announced: int, person: Person) -> None:
    """What was told of it says that it is over, and offers Undo no more."""
    for notice in begun_with(tx, f"notice:hours:{announced}:"):
        said = f"{notice.detail['said']} Taken back by {person.name}."
        say_now(tx, notice.id, {"said": said})


def closure_of(tx: Tx, event: int) -> int | None:
    """The closure that an event announced, for Undo; None where it was something else."""
    row = tx.conn.execute(
        select(events.c.what, events.c.detail).where(events.c.id == event)
    ).one_or_none()
    if row is None or row.what != Happened.CLOSURE_ADDED:
        return None
    found: int = row.detail["closure"]
    return found


def _teams(tx: Tx, team: str | None) -> list[str]:
    return [team] if team else [known.key for known in tx.settings.teams]


def _whose(tx: Tx, team: str | None) -> str:
    """Before the sentence; nothing in a house of one team."""
    if team is not None:
        return f"{tx.team(team).name}: "
    return "All teams: " if len(tx.settings.teams) > 1 else ""


def _tell(tx: Tx, teams: list[str], event: int, said: str, *, undo: bool) -> None:
    for team in teams:
        for room in rooms(tx.team(team)):
            want(
                tx, key=f"notice:hours:{event}:{room}", kind="notice", room=room,
                platform=room.platform, team=team,
                detail={"said": said, **({"event": event} if undo else {})},
            )  # fmt: skip

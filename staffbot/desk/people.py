"""Who is who: joins a platform's actor to a staff member. Knows no platform's rules of membership."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from staffbot.desk.ledger import Tx
from staffbot.errors import Refused
from staffbot.model import Actor, Person, Role
from staffbot.settings import StaffMember
from staffbot.tables import actors, people

# Asked at every act, so they are built once.
_KNOWN_AS = (
    select(people)
    .join(actors, actors.c.person == people.c.key)
    .where(actors.c.platform == bindparam("on"), actors.c.user_id == bindparam("as"))
)
_IDS_OF = select(actors).where(actors.c.person.in_(bindparam("keys", expanding=True)))


def person_of(tx: Tx, actor: Actor) -> Person:
    """The staff member who this actor is; anyone else of a team's room is staff from now on.

    Raises Refused for a stranger outside every team's room.
    """
    asked = {"on": actor.platform, "as": actor.user_id}
    row = tx.conn.execute(_KNOWN_AS, asked).one_or_none()
    if row is not None:
        told = {} if row.configured else _told(row, actor)
        if told:
            tx.conn.execute(update(people).where(people.c.key == row.key).values(told))
            return replace(_person(tx, row), **told)
        return granted(_person(tx, row), actor)
    if not any(tx.settings.team_of_room(room) for room in (actor.room, actor.home) if room):
        raise Refused(
            "This is for the library's staff. Ask from a team's channel, "
            "or ask the person who looks after staffbot to list you under [[staff]]."
        )
    return _join(tx, actor)


def granted(person: Person, actor: Actor) -> Person:
    """The person, with the role that the platform gives them for this act where that is more."""
    ranks = list(Role)
    if actor.role is None or ranks.index(actor.role) <= ranks.index(person.role):
        return person
    return replace(person, role=actor.role)


def _told(row: Row[Any], actor: Actor) -> dict[str, Any]:
    """What the platform tells anew of somebody whom the configuration does not list."""
    told: dict[str, Any] = {}
    if actor.name and row.name != actor.name:
        told["name"] = actor.name
    if actor.role is not None and Role(row.role) is not actor.role:
        told["role"] = actor.role
    return told


def _join(tx: Tx, actor: Actor) -> Person:
    key = f"{actor.platform}:{actor.user_id}"
    name, role = actor.name or actor.user_id, actor.role or Role.STAFF
    if tx.conn.execute(select(people.c.key).where(people.c.key == key)).one_or_none() is None:
        tx.conn.execute(insert(people).values(key=key, name=name, role=role))
    tx.conn.execute(
        insert(actors).values(platform=actor.platform, user_id=actor.user_id, person=key)
    )
    return Person(key=key, name=name, role=role, ids={actor.platform: actor.user_id})


def sync_staff(tx: Tx) -> None:
    """Bring `people` to what `[[staff]]` says; who is no longer listed keeps history, loses the role."""
    listed = {member.key: member for member in tx.settings.staff}
    known = {row.key: row for row in tx.conn.execute(select(people))}
    for member in listed.values():
        values = _values(member)
        if member.key in known:
            tx.conn.execute(update(people).where(people.c.key == member.key).values(**values))
        else:
            tx.conn.execute(insert(people).values(key=member.key, **values))
        _join_ids(tx, member)
    for key, row in known.items():
        if row.configured and key not in listed:
            tx.conn.execute(
                update(people)
                .where(people.c.key == key)
                .values(configured=False, role=Role.STAFF, sensitive=False, shared=False)
            )


def _values(member: StaffMember) -> dict[str, Any]:
    return {
        "name": member.name, "role": member.role, "shared": member.shared,
        "sensitive": member.sensitive, "teams": list(member.teams), "configured": True,
        "preferred_platform": member.preferred_platform,
    }  # fmt: skip


def _join_ids(tx: Tx, member: StaffMember) -> None:
    for platform, user_id in member.ids.items():
        mine = (actors.c.platform == platform) & (actors.c.user_id == user_id)
        tx.conn.execute(delete(actors).where(mine))
        tx.conn.execute(
            insert(actors).values(platform=platform, user_id=user_id, person=member.key)
        )


def people_called(tx: Tx, text: str) -> list[Person]:
    """Who is meant by a key, name, first name or a platform's id, letters' case ignored.

    Several only where the name is not enough to tell them apart.
    """
    wanted = text.strip().removeprefix("@").casefold()
    everybody = everyone(tx)
    called = [
        {person.key: person.key.casefold() for person in everybody},
        {person.key: person.name.casefold() for person in everybody},
        {person.key: person.name.casefold().split(" ")[0] for person in everybody},
    ]
    for names in called:
        found = [person for person in everybody if names[person.key] == wanted]
        if found:
            return found
    return [person for person in everybody if text.strip().strip("<@!>") in person.ids.values()]


def get_person(tx: Tx, key: str | None) -> Person | None:
    """The person of that key, or None."""
    if key is None:
        return None
    row = tx.conn.execute(select(people).where(people.c.key == key)).one_or_none()
    return None if row is None else _person(tx, row)


def name_of(tx: Tx, key: str | None) -> str:
    """A staff member's name; "somebody" where nobody is known by that key."""
    if key is None:
        return "nobody"
    name = tx.conn.execute(select(people.c.name).where(people.c.key == key)).scalar()
    return name or "somebody"


def everyone(tx: Tx) -> list[Person]:
    """All staff members, by name."""
    rows = tx.conn.execute(select(people).order_by(people.c.name)).all()
    ids = _ids(tx, None)
    return [_named(row, ids.get(row.key, {})) for row in rows]


def acted(tx: Tx, person: Person) -> None:
    """Remember that this person did something just now, so that nobody nags them about it."""
    tx.conn.execute(update(people).where(people.c.key == person.key).values(acted_at=tx.now))


def acted_at(tx: Tx, key: str) -> datetime | None:
    """When this person last did something, or None."""
    return tx.conn.execute(select(people.c.acted_at).where(people.c.key == key)).scalar()


def reachable_on(tx: Tx, person: Person) -> str | None:
    """The platform for a direct message: the preferred one, else any that knows them, else None."""
    configured = {door.platform for door in tx.settings.doors}
    if person.preferred_platform in person.ids and person.preferred_platform in configured:
        return person.preferred_platform
    return next((platform for platform in sorted(person.ids) if platform in configured), None)


def _person(tx: Tx, row: Row[Any]) -> Person:
    return _named(row, _ids(tx, [row.key]).get(row.key, {}))


def _ids(tx: Tx, keys: Iterable[str] | None) -> dict[str, dict[str, str]]:
    if keys is None:
        rows = tx.conn.execute(select(actors))
    else:
        rows = tx.conn.execute(_IDS_OF, {"keys": list(keys)})
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row.person, {})[row.platform] = row.user_id
    return found


def _named(row: Row[Any], ids: dict[str, str]) -> Person:
    return Person(
        key=row.key, name=row.name, role=Role(row.role), shared=row.shared,
        sensitive=row.sensitive, teams=tuple(row.teams), ids=ids,
        preferred_platform=row.preferred_platform, away_until=row.away_until,
    )  # fmt: skip

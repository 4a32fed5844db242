"""The desk's transaction: what every use case is given, and the two ways to write to the ledger.

Use cases are plain functions `(tx, ...) -> answer` in the files beside this one; `Desk.act` runs one
in one transaction. Nothing here or beside it touches the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from staffbot.errors import Refused, StoreError
from staffbot.hours import Closure, Hours
from staffbot.model import Clock, Happened, Kind, Mention, Outcome, Person, Status
from staffbot.settings import Settings, Team
from staffbot.store import Store
from staffbot.tables import closures, events, mentions, people, posts

P = ParamSpec("P")
R = TypeVar("R")

# The statements of nearly every act, built once.
_ANNOUNCED = select(closures).where(closures.c.ended_at.is_(None)).order_by(closures.c.id)
_TO_CHANGE = select(mentions).where(mentions.c.number == bindparam("of")).with_for_update()
# What is set is told by the names of what is given with it.
_CHANGE = update(mentions).where(
    mentions.c.number == bindparam("of"), mentions.c.revision == bindparam("read")
)
_CARDS_ARE_STALE = (
    update(posts)
    .where(posts.c.mention == bindparam("of"), posts.c.kind == "card")
    .where(posts.c.state.in_(("waiting", "sending", "sent")))
    .values(wanted=bindparam("revision"), pending=1)
)
_ACTED = update(people).where(people.c.key == bindparam("who")).values(acted_at=bindparam("at"))
_RECORD = insert(events).returning(events.c.id)


@dataclass(slots=True, kw_only=True)
class Tx:
    """One transaction: the connection, the settings, and the moment it happens at (UTC).

    `now` is the desk's clock; `real_now` the database's real time, for leases and posts; `act` the
    first event that a person's act wrote here, under which the others stand; `unwritable` why a write
    failed of late.
    """

    conn: Connection
    settings: Settings
    now: datetime
    real_now: datetime
    unwritable: str = ""
    act: int | None = None
    _hours: dict[str, Hours] = field(default_factory=dict)
    _announced: Sequence[Row[Any]] | None = None

    def team(self, key: str) -> Team:
        return self.settings.team(key)

    def hours(self, team: str) -> Hours:
        """The team's opening hours with every closure that was announced so far."""
        if team not in self._hours:
            self._hours[team] = Hours.of(self.settings.team(team).hours, self._closures(team))
        return self._hours[team]

    def forget_hours(self) -> None:
        """After a closure was announced or ended within this transaction."""
        self._hours.clear()
        self._announced = None

    def _closures(self, team: str) -> tuple[Closure, ...]:
        """Those in force for a team, oldest first. They are few, so all are asked for at once."""
        if self._announced is None:
            self._announced = self.conn.execute(_ANNOUNCED).all()
        return tuple(
            Closure(starts_at=r.starts_at, ends_at=r.ends_at, opens=r.opens, reason=r.reason)
            for r in self._announced
            if r.team in (None, team)
        )


class Desk:
    """Runs use cases, one transaction each. `on_commit` is called after each that wrote."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self.store = store
        self.settings = settings
        self.clock = clock
        self.on_commit: list[Callable[[], None]] = []

    def act(
        self, use_case: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a use case and commit. Blocks; a returned answer is stored."""
        answer = self.store.write(lambda conn: use_case(self._tx(conn), *args, **kwargs))
        for listener in self.on_commit:
            listener()
        return answer

    def look(self, query: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a query on a snapshot. Blocks."""
        return self.store.read(lambda conn: query(self._tx(conn), *args, **kwargs))

    async def acting(
        self, use_case: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`act` off the event loop."""
        return await asyncio.to_thread(lambda: self.act(use_case, *args, **kwargs))

    async def looking(
        self, query: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`look` off the event loop."""
        return await asyncio.to_thread(lambda: self.look(query, *args, **kwargs))

    def _tx(self, conn: Connection) -> Tx:
        return Tx(
            conn=conn,
            settings=self.settings,
            now=self.clock(),
            real_now=self.store.transport_now(conn),
            unwritable=self.store.unwritable(),
        )


def mention_of(row: Row[Any]) -> Mention:
    """A row of `mentions` as the noun."""
    return Mention(
        number=row.number, team=row.team, source=row.source, kind=Kind(row.kind),
        expects_answer=row.expects_answer, private=row.private, status=Status(row.status),
        outcome=Outcome(row.outcome) if row.outcome else None, topics=tuple(row.topics),
        owner=row.owner, last_owner=row.last_owner, language=row.language, cycle=row.cycle,
        revision=row.revision, posted_at=row.posted_at, received_at=row.received_at,
        came_at=row.came_at, clock_from=row.clock_from, claim_due_at=row.claim_due_at,
        answer_due_at=row.answer_due_at, claimed_at=row.claimed_at, answered_at=row.answered_at,
        closed_at=row.closed_at, snoozed_until=row.snoozed_until,
        waiting_since=row.waiting_since, waited_seconds=row.waited_seconds,
        next_step_at=row.next_step_at, still_asked_at=row.still_asked_at,
        acted_at=row.acted_at, touched_at=row.touched_at, storm=row.storm,
        linked=row.linked, edited_at=row.edited_at, deleted_at=row.deleted_at,
    )  # fmt: skip


def find(tx: Tx, number: int) -> Mention | None:
    """The mention of that number, or None."""
    row = tx.conn.execute(select(mentions).where(mentions.c.number == number)).one_or_none()
    return None if row is None else mention_of(row)


def typed(tx: Tx, command: str) -> str:
    """A command as people type it here, for a sentence that helps."""
    return f"/{tx.settings.root} {command}"


def to_change(tx: Tx, number: int) -> Mention:
    """The mention of that number, held against others until this transaction ends.

    Raises Refused where there is none.
    """
    row = tx.conn.execute(_TO_CHANGE, {"of": number}).one_or_none()
    if row is None:
        raise Refused(f"There is no mention {number}. {typed(tx, 'queue')} lists what is open.")
    return mention_of(row)


def change(tx: Tx, mention: Mention, **values: Any) -> None:
    """Write `values` to a mention read by `to_change`, and mark everything that shows it stale.

    Compare-and-set on the revision all the same: raises StoreError where somebody was quicker.
    """
    revision = mention.revision + 1
    done = tx.conn.execute(
        _CHANGE,
        {
            "of": mention.number, "read": mention.revision,
            "revision": revision, "touched_at": tx.now, **values,
        },
    )  # fmt: skip
    if done.rowcount != 1:
        raise StoreError(f"mention {mention.number} was changed by somebody else; ask again")
    tx.conn.execute(_CARDS_ARE_STALE, {"of": mention.number, "revision": revision})
    if mention.storm is not None:
        tx.conn.execute(
            update(posts)
            # By the index of mentions, as that of keys does not serve a beginning of one.
            .where(posts.c.mention.is_(None), posts.c.kind == "storm")
            .where(posts.c.key.startswith(f"storm:{mention.storm}:"))
            .where(posts.c.state.in_(("waiting", "sending", "sent")))
            .values(wanted=posts.c.wanted + 1, pending=1)
        )


def enact(
    tx: Tx,
    mention: Mention,
    what: Happened,
    person: Person | None,
    values: Mapping[str, Any],
    *,
    at: datetime | None = None,
    open_seconds: int | None = None,
    within_target: bool | None = None,
    **detail: Any,
) -> int:
    """Change a mention and append the event of it, which remembers what was there for Undo."""
    before = {name: _kept(getattr(mention, name)) for name in values}
    change(tx, mention, **values, **({"acted_at": tx.now} if person else {}))
    if person is not None:
        tx.conn.execute(_ACTED, {"who": person.key, "at": tx.now})
    return record(
        tx, what, mention, person=person, at=at, open_seconds=open_seconds,
        within_target=within_target, before=before, **detail,
    )  # fmt: skip


def _kept(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def again(tx: Tx, number: int) -> Mention:
    """A mention that is known to be there, read anew."""
    found = find(tx, number)
    assert found is not None
    return found


def record(
    tx: Tx,
    what: Happened,
    mention: Mention,
    *,
    person: Person | None = None,
    at: datetime | None = None,
    open_seconds: int | None = None,
    within_target: bool | None = None,
    **detail: Any,
) -> int:
    """Append an event and return its id. `detail` holds keys, enums and ISO moments only."""
    row = tx.conn.execute(
        _RECORD,
        {
            "at": at or tx.now, "done_at": tx.now, "what": what, "mention": mention.number,
            "cycle": mention.cycle, "team": mention.team, "source": mention.source,
            "person": person.key if person else None, "open_seconds": open_seconds,
            "within_target": within_target, "detail": detail, "act": tx.act if person else None,
        },
    )  # fmt: skip
    event = int(row.scalar_one())
    if person is not None and tx.act is None:
        tx.act = event
    return event


def record_for_team(
    tx: Tx, what: Happened, team: str, *, person: Person | None = None, **detail: Any
) -> int:
    """Append an event that is about a team or a person and no mention. Returns its id."""
    row = tx.conn.execute(
        insert(events)
        .values(
            at=tx.now, done_at=tx.now, what=what, team=team,
            person=person.key if person else None, detail=detail,
        )
        .returning(events.c.id)
    )  # fmt: skip
    return int(row.scalar_one())

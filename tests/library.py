"""A small library for tests: settings, a clock set by hand, a desk on a real database, patrons.

Working parts only: the store, the desk and the tables are the real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Table, create_engine, select

from staffbot.desk import claims
from staffbot.desk.arrivals import take_in
from staffbot.desk.ledger import Desk, again
from staffbot.desk.people import get_person, sync_staff
from staffbot.model import IncomingMention, Kind, Mention, Patron, Person, Role, Room
from staffbot.network import Batch, TakenIn
from staffbot.secret import Secret
from staffbot.settings import (
    DoorSettings,
    OpeningHours,
    Settings,
    SourceSettings,
    StaffMember,
    StoreSettings,
    Team,
    TeamRoom,
)
from staffbot.store import Store
from staffbot.tables import metadata

# A Tuesday, 10:00 in Berlin.
TUESDAY = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
CHANNEL = Room(platform="local", id="desk")
HOURS = OpeningHours(weekly="Mo-Fr 09:00-18:00; Sa 10:00-14:00", zone=ZoneInfo("Europe/Berlin"))
STAFF = (
    StaffMember(key="ana", name="Ana Silva", ids={"local": "ana"}),
    StaffMember(key="ben", name="Ben Okafor", ids={"local": "ben"}),
    StaffMember(key="mia", name="Mia Lang", role=Role.MANAGER, ids={"local": "mia"}),
    StaffMember(key="dora", name="Dora Weiss", role=Role.DEPUTY, ids={"local": "dora"}),
    StaffMember(key="desk", name="Front desk", shared=True, ids={"local": "desk"}),
    StaffMember(key="sam", name="Sam Reyes", sensitive=True, ids={"local": "sam"}),
)


class HandClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: datetime = TUESDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **spans: float) -> datetime:
        """Move on by a timedelta's arguments."""
        self.now += timedelta(**spans)
        return self.now


def settings(url: str = "sqlite:///unused.db", **changed: Any) -> Settings:
    """Settings of a library with one team in one local room; `changed` replaces fields."""
    plain = Settings(
        library="Riverside Library",
        teams=(Team(key="adult", name="Adult services", rooms=(TeamRoom(room=CHANNEL),), hours=HOURS),),
        staff=STAFF,
        sources=(
            SourceSettings(name="blog", type="feed", label="Blog", kind=Kind.COMMENT),
            SourceSettings(name="social", type="webhook", label="Social"),
        ),
        doors=(DoorSettings(platform="local"),),
        store=StoreSettings(url=Secret(value=url), identity_key=Secret(value="k" * 32)),
    )  # fmt: skip
    return replace(plain, **changed)


@dataclass(slots=True, kw_only=True)
class Library:
    """A desk on a database of its own."""

    desk: Desk
    clock: HandClock
    url: str
    posted: int = field(default=0)

    @property
    def settings(self) -> Settings:
        return self.desk.settings

    def reconfigure(self, **changed: Any) -> None:
        """Go on with other settings, as after a restart."""
        self.desk.settings = replace(self.desk.settings, **changed)
        self.desk.act(sync_staff)

    def person(self, key: str) -> Person:
        found = self.desk.look(get_person, key)
        assert found is not None
        return found

    def incoming(self, text: str = "When do you open?", **changed: Any) -> IncomingMention:
        """A believable mention that nobody has seen yet; `changed` replaces fields."""
        self.posted += 1
        plain = IncomingMention(
            source="social", native_id=f"n{self.posted}", kind=Kind.MENTION, text=text,
            patron=Patron(name="Lena P.", handle=f"@lena{self.posted}"),
            posted_at=self.clock.now,
            permalink=f"https://social.example/{self.posted}",
        )  # fmt: skip
        return replace(plain, **changed)

    def take_in(self, *mentions: IncomingMention, **batch: Any) -> TakenIn:
        source = mentions[0].source if mentions else "social"
        return self.desk.act(take_in, source=source, batch=Batch(mentions=mentions, **batch))

    def arrives(self, text: str = "When do you open?", **changed: Any) -> int:
        """Take one mention in and return its number."""
        assert self.take_in(self.incoming(text, **changed)).new == 1
        return self.rows_count()

    def rows_count(self) -> int:
        from staffbot.tables import mentions

        return len(self.rows(mentions))

    def claim(self, number: int, who: str = "ana") -> Any:
        return self.desk.act(claims.claim, number, self.person(who))

    def mention(self, number: int) -> Mention:
        return self.desk.look(again, number)

    def rows(self, table: Table) -> list[Any]:
        """Every row of a table in the order of its key."""
        return self.desk.look(
            lambda tx: list(tx.conn.execute(select(table).order_by(*table.primary_key)))
        )


@contextmanager
def opened(url: str, **changed: Any) -> Iterator[Library]:
    """A library on an empty database, with its tables and its staff."""
    engine = create_engine(url)
    with engine.begin() as conn:
        if conn.dialect.name == "sqlite":  # fifty syncs of an empty file prove nothing
            conn.exec_driver_sql("PRAGMA synchronous=OFF")
        metadata.create_all(conn)
    engine.dispose()
    store = Store.open(url)
    clock = HandClock()
    desk = Desk(store, settings(url, **changed), clock)
    try:
        desk.act(sync_staff)
        yield Library(desk=desk, clock=clock, url=url)
    finally:
        store.close()


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/staffbot.db"

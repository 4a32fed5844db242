"""Every law of reminding, asserted after each step from what the chat saw and from the database.

What is due is reckoned here by its own method: open time that went by, against a share of the target.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from staffbot.desk import laws
from staffbot.desk.ledger import Desk, Tx, mention_of
from staffbot.hours import Hours
from staffbot.messages import Message, Row
from staffbot.model import IncomingMention, Mention, Room, Status
from staffbot.tables import digests, events, mentions, nags, people, posts, words
from tests.month.figures import counted
from tests.month.staff import unfinished
from tests.month.world import BOARD, CHANNEL, DOWN, FIRST_DAY, MISSED, WORD, local

if TYPE_CHECKING:
    from tests.month.running import WatchedChat

CLAIM, ANSWER = timedelta(hours=2), timedelta(hours=4)
MOST_A_DAY = 6
_SHARES = {
    "claim_warn": CLAIM * 0.75, "claim_overdue": CLAIM, "claim_manager": CLAIM * 1.5,
    "answer_warn": ANSWER * 0.75, "answer_overdue": ANSWER, "answer_manager": ANSWER * 1.5,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Something that the chat was given to show, at the library's own time."""

    at: datetime
    room: Room
    key: str
    message: Message
    edit: bool = False

    @property
    def kind(self) -> str:
        return self.key.partition(":")[0]


@dataclass(slots=True)
class Watch:
    """Looks after each step; raises AssertionError where a law is broken."""

    desk: Desk
    chat: WatchedChat
    posted: Counter[str] = field(default_factory=Counter)
    cards: Counter[tuple[int, Room]] = field(default_factory=Counter)
    told: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    a_day: Counter[tuple[str, date]] = field(default_factory=Counter)
    digest_days: defaultdict[Room, list[date]] = field(default_factory=lambda: defaultdict(list))
    line: Seen | None = None
    nags: int = 0
    checked: int = 0
    open_days: set[date] = field(default_factory=set)
    day: date | None = None

    def look(self, new: list[Seen], now: datetime, *, late: bool) -> None:
        """Look at what was shown in this step, and at the state that it left."""
        self.desk.look(self._look, new, now, late)

    def _look(self, tx: Tx, new: list[Seen], now: datetime, late: bool) -> None:
        hours = tx.hours("adult")
        for seen in new:
            self._any(tx, seen)
            if seen.kind == "nag" and not seen.edit:
                self._nag(tx, hours, seen)
            elif seen.kind == "line":
                assert seen.edit or hours.is_open(seen.at), "a line in closed hours"
                self.line = seen if "newest line" not in seen.message.text else self.line
            elif seen.kind == "digest" and not seen.edit:
                self._digest(tx, hours, seen)
        today = hours.local(now).date()
        if hours.is_open(now):
            self.open_days.add(today)
            if not late:
                self._line_is_true(tx, hours, now)
        if not late:
            self._all_is_shown(tx)
        if today != self.day:
            self._day_by_day(tx, hours)
            self.day = today
        self.checked += 1

    # --- whatever is shown -------------------------------------------------------------------

    def _any(self, tx: Tx, seen: Seen) -> None:
        said = repr(seen.message)
        assert WORD not in seen.message.text, "a patron's word in a notification"
        if seen.kind != "card":
            assert WORD not in said, f"a patron's word in {seen.key}"
        else:
            number = int(seen.key.split(":")[1])
            assert seen.room == CHANNEL
            if tx.conn.scalar(select(mentions.c.private).where(mentions.c.number == number)):
                assert WORD not in said, "words that are kept private in an open channel"
            self.cards[number, seen.room] += not seen.edit
            assert self.cards[number, seen.room] <= 1, f"two cards of {number}"
        self.posted[seen.key] += not seen.edit
        assert self.posted[seen.key] <= 1, f"{seen.key} was posted twice"

    def numbers_of(self, seen: Seen) -> list[int]:
        """The mentions that a reminder was for."""
        return sorted(set(self.desk.look(_detail, seen.key)["mentions"]))

    def posted_as(
        self, number: int, known: Mapping[str, IncomingMention]
    ) -> IncomingMention | None:
        """What the patron of that mention wrote first, to go on from there."""
        conversation = self.desk.look(
            lambda tx: tx.conn.scalar(
                select(words.c.conversation).where(words.c.mention == number, words.c.part == 0)
            )
        )
        return known.get(conversation or "")

    # --- reminders ---------------------------------------------------------------------------

    def _nag(self, tx: Tx, hours: Hours, seen: Seen) -> None:
        self.nags += 1
        about, key = seen.key.split(":")[1:3]
        assert hours.is_open(seen.at), "a nag in closed hours"
        self._may_be_told(tx, hours, key, seen.at)
        day = (key, hours.local(seen.at).date())
        self.a_day[day] += 1
        assert self.a_day[day] <= MOST_A_DAY, f"{key} was reminded too often on {day[1]}"
        rows = tx.conn.execute(
            select(nags, posts.c.room)
            .join(posts, posts.c.id == nags.c.post)
            .where(posts.c.key == seen.key)
        ).all()
        assert rows, "a nag of nothing"
        alive = 0
        for row in rows:
            step, mention = row.step.split("@")[0], _mention(tx, row.mention)
            times = (row.mention, row.cycle, row.step, row.recipient)
            self.told[times] += 1
            assert self.told[times] == 1, f"told twice: {times}"
            assert row.recipient == key
            assert step not in _SHARES or _worked(hours, mention, row.at) >= _SHARES[step], (
                f"{step} of {mention.number} before it was due"
            )
            alive += _owes(mention, seen.at) and (about == "manager" or mention.owner == key)
        assert alive, "a nag after all was done"
        if about == "owner":
            self._names_everything(tx, key, seen)

    def _may_be_told(self, tx: Tx, hours: Hours, key: str, at: datetime) -> None:
        person = tx.conn.execute(select(people).where(people.c.key == key)).one()
        assert person.away_until is None or person.away_until <= at, f"{key} is away"
        clock = f"{hours.local(at):%H:%M}"
        assert not (person.quiet_from <= clock < person.quiet_until), f"{key} has quiet hours"
        acts = tx.conn.execute(
            select(events.c.id)
            .where(events.c.person == key, events.c.mention.is_not(None))
            .where(events.c.done_at > at - timedelta(minutes=10))
        ).first()
        assert acts is None, f"{key} did something a moment ago"

    def _names_everything(self, tx: Tx, key: str, seen: Seen) -> None:
        owed = [m for m in unfinished(tx) if m.owner == key and _owes(m, seen.at)]
        if not seen.room.id.startswith("direct:"):
            assert seen.message.text.startswith(f"{len(owed)} claimed mention")
            names = {row.name for row in tx.conn.execute(select(people.c.name))}
            assert not any(name in repr(seen.message) for name in names), "named in the room"
            return
        named = {part.mention for part in seen.message.parts if isinstance(part, Row)}
        assert len(named) == min(12, len(owed)), "not everything that they owe"
        assert named <= {mention.number for mention in owed}

    # --- the line ----------------------------------------------------------------------------

    def _line_is_true(self, tx: Tx, hours: Hours, now: datetime) -> None:
        away = {
            row.key
            for row in tx.conn.execute(select(people.c.key).where(people.c.away_until > now))
        }
        waits = 0
        for mention in unfinished(tx):
            if not _owes(mention, now):
                continue
            limit = CLAIM if mention.status is Status.OPEN else ANSWER
            if mention.status is Status.OPEN or mention.owner in away:
                waits += _worked(hours, mention, now) >= limit * 0.75
        said = 0
        if self.line is not None:
            found = re.match(r"(\d+) mention", self.line.message.text)
            said = int(found[1]) if found else 0
        assert said == waits, f"the line says {said}, and {waits} wait"

    # --- the digest --------------------------------------------------------------------------

    def _digest(self, tx: Tx, hours: Hours, seen: Seen) -> None:
        day = hours.local(seen.at).date()
        assert day not in self.digest_days[seen.room], f"two digests on {day}"
        self.digest_days[seen.room].append(day)
        opening = hours.first_opening(day)
        assert opening is not None
        assert seen.at >= opening + timedelta(minutes=10), "a digest before its time"
        detail = _detail(tx, seen.key)
        since, until = (datetime.fromisoformat(detail[name]) for name in ("since", "until"))
        mine = counted(tx, since, until)
        plain = seen.message.plain()
        heard = f", {mine.heard} of them only heard" if mine.heard else ""
        if mine.received:
            assert f"Came in: {mine.received}{heard}\n" in plain + "\n", plain
        if mine.answered:
            assert f"Answered: {mine.answered}" in plain, plain
        if len(mine.to_answer) >= 5:
            assert f"{mine.within} of {len(mine.to_answer)} within target" in plain, plain
        rows = [part for part in seen.message.parts if isinstance(part, Row)]
        assert not (rows and seen.room == BOARD), "figures only"
        names = {row.name for row in tx.conn.execute(select(people.c.name))}
        assert not any(name in repr(seen.message) for name in names), "a digest names somebody"

    # --- now and then ------------------------------------------------------------------------

    def _all_is_shown(self, tx: Tx) -> None:
        """Nothing is left to carry: every card that stands shows the newest state."""
        waiting = tx.conn.execute(
            select(posts.c.key).where(posts.c.pending == 1, posts.c.not_before <= tx.now)
        ).all()
        assert not waiting, waiting[:3]

    def _day_by_day(self, tx: Tx, hours: Hours) -> None:
        broken = laws.broken(tx)
        assert not broken, broken
        for mention in unfinished(tx):
            starts = hours.next_opening(mention.came_at)
            if mention.expects_answer:  # what is only heard has no clock to be re-timed
                assert mention.clock_from == starts, f"the clock of {mention.number} starts wrong"
        self._nothing_is_forgotten(tx, hours)

    def _nothing_is_forgotten(self, tx: Tx, hours: Hours) -> None:
        """Who has something overdue for an hour of opening time was told, or could not be."""
        told = {
            (row.mention, row.cycle, row.recipient)
            for row in tx.conn.execute(select(nags.c.mention, nags.c.cycle, nags.c.recipient))
        }
        for mention in unfinished(tx):
            if mention.owner is None or not _owes(mention, tx.now):
                continue
            # Whatever happened to it begins its time anew, and so does a stretch without the program.
            since = max(
                mention.touched_at, *(end for _, end in DOWN if end <= tx.now), local(FIRST_DAY, 0)
            )
            had = hours.open_time_between(since, tx.now)
            if had < timedelta(hours=5) or _worked(hours, mention, tx.now) < ANSWER * 1.25:
                continue
            person = tx.conn.execute(select(people).where(people.c.key == mention.owner)).one()
            away = person.away_until is not None and person.away_until > tx.now - timedelta(days=1)
            midnight = datetime.combine(hours.local(tx.now).date(), time(), hours.zone)
            yesterday = (midnight - timedelta(days=1)).date()
            full = max(
                self.a_day[mention.owner, yesterday], self.a_day[mention.owner, midnight.date()]
            )
            was_told = (mention.number, mention.cycle, mention.owner) in told
            assert was_told or away or full >= MOST_A_DAY, f"{mention.number} is forgotten"

    def at_the_end(self, hours: Hours) -> None:
        """One digest each open day and room, or marked as missed."""
        rows = self.desk.look(lambda tx: list(tx.conn.execute(select(digests))))
        for room in (CHANNEL, BOARD):
            made = {row.day for row in rows if row.room == str(room) and not row.missed}
            missed = {row.day for row in rows if row.room == str(room) and row.missed}
            assert set(self.digest_days[room]) == made
            assert missed >= set(MISSED)
            late = missed - set(MISSED)
            assert made | missed >= self.open_days - late
            assert len(late) <= 1, "the platform was away for one opening day only"


def _detail(tx: Tx, key: str) -> dict[str, Any]:
    found: dict[str, Any] = tx.conn.execute(
        select(posts.c.detail).where(posts.c.key == key)
    ).scalar_one()
    return found


def _mention(tx: Tx, number: int) -> Mention:
    return mention_of(tx.conn.execute(select(mentions).where(mentions.c.number == number)).one())


def _worked(hours: Hours, mention: Mention, at: datetime) -> timedelta:
    gone = hours.open_time_between(mention.clock_from, at)
    return gone - timedelta(seconds=mention.waited_seconds)


def _owes(mention: Mention, at: datetime) -> bool:
    """Whether somebody still owes an answer, and nobody silenced it."""
    return (
        mention.expects_answer
        and mention.status is not Status.CLOSED
        and mention.answered_at is None
        and mention.waiting_since is None
        and (mention.snoozed_until is None or mention.snoozed_until <= at)
    )

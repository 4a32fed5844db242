"""The life of mentions as a state machine: the desk against a plain model of what staff would expect."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)
from sqlalchemy import select

from staffbot.desk import claims, closing, conversations, laws, pausing, undoing
from staffbot.errors import Refused
from staffbot.model import AlreadyClaimed, Done, Gone, Outcome, Patron, Role, Status, Unchanged
from staffbot.tables import arrivals, events, mentions, posts, words
from tests.library import STAFF, opened, sqlite_url

PEOPLE = st.sampled_from(["ana", "ben", "mia", "dora"])
ROLES = {member.key: member.role for member in STAFF}


@dataclass(frozen=True)
class Expected:
    """What staff would say of a mention."""

    status: Status = Status.OPEN
    owner: str | None = None
    outcome: Outcome | None = None
    cycle: int = 1
    private: bool = False


class LifeCycle(RuleBasedStateMachine):
    """Every act of the desk in any order, by anyone, with the model beside it."""

    numbers: Bundle[int] = Bundle("numbers")

    @initialize()
    def open_library(self) -> None:
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.library = self.stack.enter_context(opened(sqlite_url(Path(folder))))
        self.model: dict[int, Expected] = {}
        # The newest act of all: what Undo would take back, and what was before it.
        self.last: tuple[str, int, dict[int, Expected]] | None = None

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            with self.stack:
                assert self.library.desk.look(laws.broken) == ()

    def act(self, use_case: Any, number: int, *args: Any, **kwargs: Any) -> Any:
        self.library.clock.forward(seconds=1)
        try:
            return self.library.desk.act(use_case, number, *args, **kwargs)
        except Refused as refused:
            return refused

    def happened(self, answer: Done, who: str, number: int, after: Expected) -> None:
        assert answer.event is not None
        self.last = (who, answer.event, {number: self.model[number]})
        self.model[number] = after

    @rule(target=numbers, conversation=st.sampled_from(["", "a", "b"]))
    def arrives(self, conversation: str) -> Any:
        self.library.clock.forward(minutes=20)
        self.last = None  # it is too late to undo that
        incoming = self.library.incoming(
            conversation=conversation, patron=Patron(name="Lena", handle="@lena")
        )
        before = len(self.library.rows(mentions))
        taken = self.library.take_in(incoming)
        assert taken.new + taken.followed_up == 1
        if taken.new:
            self.model[before + 1] = Expected()
            self.last = None  # it is too late for Undo by now
            return before + 1
        joined = self.library.rows(arrivals)
        number = next(row.mention for row in joined if row.part == max(r.part for r in joined))
        self.followed_up()
        assert number in self.model
        return multiple()

    def followed_up(self) -> None:
        """A follow-up reopens what was closed and not spam; the patron acted, so Undo is refused."""
        newest = max(self.library.rows(events), key=lambda row: row.id)
        number = newest.mention
        was = self.model[number]
        self.last = None
        if was.status is Status.CLOSED and was.outcome is not Outcome.SPAM:
            self.model[number] = replace(
                was, status=Status.OPEN, owner=None, outcome=None, cycle=was.cycle + 1
            )

    @rule(number=numbers, who=PEOPLE)
    def claim(self, number: int, who: str) -> None:
        was = self.model[number]
        answer = self.act(claims.claim, number, self.library.person(who))
        match was.status:
            case Status.OPEN:
                assert isinstance(answer, Done)
                after = replace(was, status=Status.CLAIMED, owner=who)
                self.happened(answer, who, number, after)
            case Status.CLAIMED if was.owner == who:
                assert isinstance(answer, Unchanged)
            case Status.CLAIMED:
                assert isinstance(answer, AlreadyClaimed)
                assert answer.by == self.library.person(was.owner or "").name
            case Status.CLOSED:
                assert isinstance(answer, Gone)

    @rule(number=numbers, who=PEOPLE)
    def release(self, number: int, who: str) -> None:
        was = self.model[number]
        answer = self.act(claims.release, number, self.library.person(who))
        if was.status is Status.CLAIMED:
            if was.owner == who or ROLES[who] is not Role.STAFF:
                assert isinstance(answer, Done)
                self.happened(answer, who, number, replace(was, status=Status.OPEN, owner=None))
            else:
                assert isinstance(answer, Refused)
        else:
            assert isinstance(answer, Gone | Unchanged)

    @rule(number=numbers, who=PEOPLE, to=PEOPLE)
    def assign(self, number: int, who: str, to: str) -> None:
        was = self.model[number]
        person = self.library.person
        answer = self.act(claims.assign, number, person(to), person(who))
        if was.status is Status.CLOSED:
            assert isinstance(answer, Gone)
        elif was.owner == to:
            assert isinstance(answer, Unchanged)
        elif was.owner in (None, who) or ROLES[who] is not Role.STAFF:
            assert isinstance(answer, Done)
            self.happened(answer, who, number, replace(was, status=Status.CLAIMED, owner=to))
        else:
            assert isinstance(answer, Refused)

    @rule(number=numbers, who=PEOPLE, outcome=st.sampled_from(Outcome))
    def close(self, number: int, who: str, outcome: Outcome) -> None:
        was = self.model[number]
        answer = self.act(closing.close, number, self.library.person(who), outcome=outcome)
        if was.status is Status.CLOSED:
            assert isinstance(answer, Unchanged)
        else:
            assert isinstance(answer, Done)
            after = replace(was, status=Status.CLOSED, owner=None, outcome=outcome)
            self.happened(answer, who, number, after)

    @rule(number=numbers, who=PEOPLE)
    def reopen(self, number: int, who: str) -> None:
        was = self.model[number]
        answer = self.act(closing.reopen, number, self.library.person(who))
        if was.status is not Status.CLOSED:
            assert isinstance(answer, Unchanged)
            return
        assert isinstance(answer, Done)
        after = replace(was, status=Status.OPEN, owner=None, outcome=None, cycle=was.cycle + 1)
        self.happened(answer, who, number, after)

    @rule(number=numbers, who=PEOPLE)
    def keep_private(self, number: int, who: str) -> None:
        was = self.model[number]
        answer = self.act(conversations.keep_private, number, self.library.person(who))
        if was.private:
            assert isinstance(answer, Unchanged)
        else:
            assert isinstance(answer, Done)
            self.happened(answer, who, number, replace(was, private=True))

    @rule(number=numbers, who=PEOPLE, hours=st.integers(1, 50))
    def snooze(self, number: int, who: str, hours: int) -> None:
        was = self.model[number]
        until = self.library.clock.now + timedelta(hours=hours)
        answer = self.act(pausing.snooze, number, self.library.person(who), until)
        if was.status is Status.CLOSED:
            assert isinstance(answer, Refused)
        else:
            assert isinstance(answer, Done)
            self.happened(answer, who, number, was)

    @rule(number=numbers, who=PEOPLE)
    def note(self, number: int, who: str) -> None:
        answer = self.act(conversations.note, number, self.library.person(who), "called back")
        assert isinstance(answer, Done)
        self.happened(answer, who, number, self.model[number])

    @rule(by_another=st.booleans())
    def undo(self, by_another: bool) -> None:
        if self.last is None:
            return
        who, event, before = self.last
        actor = next(key for key in ("ana", "ben") if key != who) if by_another else who
        answer = self.act(undoing.undo, event, self.library.person(actor))
        if by_another:
            assert isinstance(answer, Refused)
            return
        assert isinstance(answer, Done), answer
        self.model |= before
        assert isinstance(self.act(undoing.undo, event, self.library.person(who)), Unchanged)
        self.last = None

    @invariant()
    def the_desk_says_the_same(self) -> None:
        if not hasattr(self, "library"):
            return
        for row in self.library.rows(mentions):
            expected = self.model[row.number]
            assert (row.status, row.owner, row.outcome, row.cycle, row.private) == (
                expected.status, expected.owner, expected.outcome, expected.cycle,
                expected.private,
            )  # fmt: skip
            assert (row.status == Status.CLOSED) == (row.closed_at is not None)
            assert (row.status == Status.CLAIMED) == (row.owner is not None)

    @invariant()
    def every_card_wants_the_newest(self) -> None:
        if not hasattr(self, "library"):
            return
        newest = {row.number: row.revision for row in self.library.rows(mentions)}
        cards = [post for post in self.library.rows(posts) if post.kind == "card"]
        assert {card.mention for card in cards} == set(newest)
        assert all(card.wanted == newest[card.mention] and card.pending for card in cards)

    @invariant()
    def numbers_have_no_gaps_and_every_mention_its_words(self) -> None:
        if not hasattr(self, "library"):
            return
        numbers = [row.number for row in self.library.rows(mentions)]
        assert numbers == list(range(1, len(numbers) + 1))
        own = {row.mention for row in self.library.rows(words) if row.role == "mention"}
        assert own == set(numbers)
        received = self.library.desk.look(
            lambda tx: tx.conn.execute(
                select(events.c.mention).where(events.c.what == "received")
            ).all()
        )
        assert sorted(row.mention for row in received) == numbers


LifeCycle.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestLifeCycle = LifeCycle.TestCase

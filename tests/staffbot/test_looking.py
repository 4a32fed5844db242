"""Going back to conversations: answers, edits and deletions are noticed on the network itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from staffbot import queues
from staffbot.cards import card
from staffbot.desk import closing, laws, looks, reading, troubles
from staffbot.desk.ledger import Tx
from staffbot.desk.reading import card_facts
from staffbot.errors import SourceError
from staffbot.looking import Looking
from staffbot.messages import Message
from staffbot.model import Happened, Outcome, Patron, Status
from staffbot.network import AnsweredAtSource, Batch, Change, Conversation, Deleted, Edited
from staffbot.policy import look_pause
from staffbot.settings import SourceSettings, StaffMember
from staffbot.tables import events, mentions, posts, words
from tests.library import STAFF, Library

PATIENT = 45.0
MINUTE = timedelta(minutes=1)
LENA = Patron(name="Lena P.", handle="@lena")


@dataclass(slots=True, kw_only=True)
class Network:
    """A source that looks: each look takes a step, which is changes, a problem, or None to hang."""

    name: str = "social"
    steps: list[Sequence[Change] | Exception | None] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    async def fetch(self, cursor: str | None) -> Batch:
        return Batch(cursor=cursor)

    async def look(self, conversations: Sequence[Conversation]) -> Sequence[Change]:
        self.asked.append(tuple(one.native_id for one in conversations))
        match self.steps.pop(0) if self.steps else ():
            case None:
                await asyncio.Event().wait()
                raise AssertionError("unreachable")
            case Exception() as problem:
                raise problem
            case found:
                return found


@asynccontextmanager
async def looking(library: Library, *networks: Network, **more: Any) -> AsyncIterator[None]:
    loop = Looking(library.desk, networks, pause_seconds=0.05, **more)
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and task.exception() is not None:
            raise task.exception() or AssertionError


async def until(true: Callable[[], Any]) -> None:
    """Wait for a condition; the limit only keeps a broken test from hanging."""
    async with asyncio.timeout(PATIENT):
        while not await asyncio.to_thread(true):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def taken(library: Library, source: str = "social", most: int = 50) -> list[str]:
    found = library.desk.act(looks.take, source=source, most=most)
    return [one.native_id for one in found.conversations]


def seen(library: Library, *found: Change, source: str = "social") -> int:
    return library.desk.act(looks.seen, source=source, found=found)


def happened(library: Library, number: int) -> list[str]:
    return [row.what for row in library.rows(events) if row.mention == number]


async def test_an_answer_on_the_network_is_noticed(library: Library) -> None:
    number = library.arrives(native_id="p1")
    library.claim(number)
    library.clock.forward(minutes=30)
    at = library.clock.now - 10 * MINUTE
    answer = AnsweredAtSource(native_id="p1", at=at, account="@library")
    async with looking(library, Network(steps=[[answer]])):
        await until(lambda: library.mention(number).answered_at is not None)
    mention = library.mention(number)
    assert (mention.answered_at, mention.status, mention.owner) == (at, Status.CLAIMED, "ana")
    [event] = [row for row in library.rows(events) if row.what == Happened.ANSWERED]
    assert (event.person, event.at, event.open_seconds) == ("ana", at, 20 * 60)


def test_the_card_says_so_and_stays_open(sqlite_library: Library) -> None:
    number = sqlite_library.arrives(native_id="p1")
    sqlite_library.claim(number)
    sqlite_library.clock.forward(minutes=2)
    before = sqlite_library.mention(number).revision
    answer = AnsweredAtSource(native_id="p1", at=sqlite_library.clock.now, account="x")
    assert seen(sqlite_library, answer) == 1
    assert sqlite_library.mention(number).revision > before
    assert seen(sqlite_library, answer) == 0  # once, however often it is seen
    facts = sqlite_library.desk.look(card_facts, number, show_words=True)
    assert facts is not None
    told = str(card(facts))
    assert "Answered on Social " in told
    assert "Answer by" not in told
    assert "name='done'" in told  # closes it with one tap


def test_nobody_is_reminded_of_what_was_answered_there(sqlite_library: Library) -> None:
    from staffbot.desk import reminding
    from staffbot.tables import nags

    number = sqlite_library.arrives(native_id="p1")
    sqlite_library.claim(number)
    seen(
        sqlite_library,
        AnsweredAtSource(native_id="p1", at=sqlite_library.clock.now, account="x"),
    )
    for _ in range(10):
        sqlite_library.clock.forward(hours=5)
        sqlite_library.desk.act(reminding.sweep)
    assert sqlite_library.rows(nags) == []


def test_an_account_of_somebody_is_to_their_credit(sqlite_library: Library) -> None:
    ben = StaffMember(key="ben", name="Ben Okafor", ids={"local": "ben", "social": "@ben"})
    staff = tuple(ben if one.key == "ben" else one for one in STAFF)
    sqlite_library.reconfigure(staff=staff)
    number = sqlite_library.arrives(native_id="p1")
    sqlite_library.claim(number, "ana")
    now = sqlite_library.clock.now
    seen(sqlite_library, AnsweredAtSource(native_id="p1", at=now, account="@ben"))
    [event] = [row for row in sqlite_library.rows(events) if row.what == Happened.ANSWERED]
    assert event.person == "ben"
    assert sqlite_library.mention(number).owner == "ana"


@pytest.mark.parametrize("claimed", [True, False])
def test_it_is_closed_only_where_the_setting_says_so(
    sqlite_library: Library, claimed: bool
) -> None:
    sqlite_library.reconfigure(
        sources=(SourceSettings(name="social", type="webhook", close_on_answer=True),)
    )
    number = sqlite_library.arrives(native_id="p1")
    if claimed:
        sqlite_library.claim(number)
    now = sqlite_library.clock.now
    seen(sqlite_library, AnsweredAtSource(native_id="p1", at=now, account="x"))
    mention = sqlite_library.mention(number)
    assert (mention.status, mention.outcome) == (Status.CLOSED, Outcome.ANSWERED)
    assert mention.last_owner == ("ana" if claimed else None)


def test_the_answer_of_before_a_reopening_does_not_count_again(sqlite_library: Library) -> None:
    number = sqlite_library.arrives(native_id="p1")
    at = sqlite_library.clock.forward(minutes=5)
    old = AnsweredAtSource(native_id="p1", at=at, account="x")
    seen(sqlite_library, old)
    ana = sqlite_library.person("ana")
    sqlite_library.desk.act(closing.close, number, ana, outcome=Outcome.ANSWERED)
    sqlite_library.clock.forward(minutes=5)
    sqlite_library.desk.act(closing.reopen, number, ana)
    assert seen(sqlite_library, old) == 0
    assert sqlite_library.mention(number).answered_at is None
    # It is looked at again at once, and the next answer counts.
    assert taken(sqlite_library) == ["p1"]
    new = AnsweredAtSource(native_id="p1", at=sqlite_library.clock.now, account="x")
    assert seen(sqlite_library, new) == 1


@pytest.mark.parametrize("claimed", [True, False])
def test_a_patron_who_asks_again_after_an_answer_there_is_owed_another(
    sqlite_library: Library, claimed: bool
) -> None:
    library = sqlite_library
    number = library.arrives(native_id="p1", conversation="c", patron=LENA)
    if claimed:
        library.claim(number)
    at = library.clock.forward(minutes=5)
    seen(library, AnsweredAtSource(native_id="p1", at=at, account="x"))
    asked_at = library.clock.forward(minutes=30)
    library.take_in(library.incoming("And on Sunday?", conversation="c", patron=LENA))
    mention = library.mention(number)
    assert (mention.cycle, mention.answered_at) == (2, None)
    assert mention.answer_due_at == asked_at + timedelta(hours=4)
    assert mention.next_step_at is not None
    # Whoever has it keeps it, and what nobody has is everybody's.
    has_it = (Status.CLAIMED, "ana") if claimed else (Status.OPEN, None)
    assert (mention.status, mention.owner) == has_it
    assert library.desk.look(laws.broken) == ()
    told = [post.person for post in library.rows(posts) if post.kind == "told"]
    assert told == (["ana"] if claimed else [])


def test_a_quick_answer_counts_though_the_question_was_read_after_it(
    sqlite_library: Library,
) -> None:
    library = sqlite_library
    number = library.arrives(native_id="p1", conversation="c", patron=LENA)
    library.clock.forward(minutes=5)
    first = AnsweredAtSource(native_id="p1", at=library.clock.now, account="x")
    seen(library, first)
    library.desk.act(closing.close, number, library.person("ana"), outcome=Outcome.ANSWERED)
    asked_at = library.clock.forward(hours=1)
    answered_at = asked_at + 2 * MINUTE
    library.clock.forward(minutes=10)  # nothing could be read meanwhile
    again = library.incoming(
        "And on Sunday?", conversation="c", patron=LENA, native_id="p2", posted_at=asked_at
    )
    library.take_in(again)
    assert library.mention(number).status is Status.OPEN
    assert seen(library, first) == 0
    assert seen(library, AnsweredAtSource(native_id="p2", at=answered_at, account="x")) == 1
    assert library.mention(number).answered_at == answered_at


@pytest.mark.parametrize("closes", [False, True])
def test_a_question_after_the_answer_is_open_though_it_was_read_first(
    sqlite_library: Library, closes: bool
) -> None:
    library = sqlite_library
    social = SourceSettings(name="social", type="fake", close_on_answer=closes)
    library.reconfigure(sources=(social,))
    began_at = library.clock.now
    library.clock.forward(hours=1)  # nothing could be read meanwhile
    said: dict[str, Any] = {"conversation": "c", "patron": LENA}
    asked = library.incoming("Seeds?", native_id="p1", posted_at=began_at, **said)
    later = began_at + 3 * MINUTE
    library.take_in(
        asked, library.incoming("And on Sunday?", native_id="p2", posted_at=later, **said)
    )
    first = AnsweredAtSource(native_id="p1", at=began_at + MINUTE, account="x")
    assert seen(library, first) == 1
    mention = library.mention(1)
    assert (mention.status, mention.cycle, mention.answered_at) == (Status.OPEN, 2, None)
    assert seen(library, first) == 0
    assert seen(library, replace(first, native_id="p2", at=later + MINUTE)) == 1
    assert library.mention(1).status is (Status.CLOSED if closes else Status.OPEN)
    answers = [row.at for row in library.rows(events) if row.what == Happened.ANSWERED]
    assert answers == [first.at, later + MINUTE]
    assert library.desk.look(laws.broken) == ()


def test_an_answer_in_the_second_of_the_next_question_counts_once(sqlite_library: Library) -> None:
    library = sqlite_library
    number = library.arrives(native_id="p1", conversation="c", patron=LENA)
    at = library.clock.forward(minutes=5)
    answer = AnsweredAtSource(native_id="p1", at=at, account="x")
    seen(library, answer)
    library.clock.forward(seconds=4)
    again = library.incoming(
        "And on Sunday?", conversation="c", patron=LENA, native_id="p2", posted_at=at
    )
    library.take_in(again)
    assert seen(library, answer, replace(answer, native_id="p2")) == 0
    assert library.mention(number).answered_at is None


def test_nobody_is_reminded_of_what_its_patron_took_back(sqlite_library: Library) -> None:
    library = sqlite_library
    number = library.arrives(native_id="p1", conversation="c", patron=LENA)
    library.take_in(library.incoming("More.", native_id="p2", conversation="c", patron=LENA))
    gone = [Deleted(native_id=id_, at=library.clock.now) for id_ in ("p1", "p2")]
    # While something of theirs is there, they may be waiting for an answer.
    assert seen(library, gone[0]) == 1
    assert library.mention(number).expects_answer
    assert seen(library, gone[1]) == 1
    mention = library.mention(number)
    clock = (mention.expects_answer, mention.claim_due_at, mention.answer_due_at)
    assert (*clock, mention.next_step_at) == (False, None, None, None)
    # Each look finds them gone again, and that is no news.
    assert seen(library, *gone) == 0
    assert {row.text for row in library.rows(words)} == {""}


def test_a_further_question_that_is_taken_back_is_owed_no_answer(sqlite_library: Library) -> None:
    library = sqlite_library
    number = library.arrives(native_id="p1", conversation="c", patron=LENA)
    seen(library, AnsweredAtSource(native_id="p1", at=library.clock.now, account="x"))
    library.clock.forward(hours=1)
    for id_ in ("p2", "p3"):
        library.take_in(library.incoming("And?", native_id=id_, conversation="c", patron=LENA))
    assert seen(library, Deleted(native_id="p2", at=library.clock.now)) == 1
    assert library.mention(number).expects_answer  # the other one is still there
    assert seen(library, Deleted(native_id="p3", at=library.clock.now)) == 1
    assert seen(library, Deleted(native_id="p2", at=library.clock.now)) == 0
    mention = library.mention(number)
    assert (mention.deleted_at, mention.expects_answer, mention.next_step_at) == (None, False, None)


def test_what_was_taken_for_spam_and_is_there_again_waits_again(sqlite_library: Library) -> None:
    library = sqlite_library
    number = library.arrives("Seeds?", native_id="p1")
    assert seen(library, Deleted(native_id="p1", at=library.clock.now)) == 1
    assert taken(library) == []
    back_at = library.clock.forward(hours=1)
    back = Edited(native_id="p1", text="Seeds?", at=back_at)
    assert seen(library, back) == 1
    assert seen(library, back) == 0
    mention = library.mention(number)
    assert (mention.deleted_at, mention.edited_at) == (None, None)
    assert mention.answer_due_at == back_at + timedelta(hours=4)
    facts = library.desk.look(card_facts, number, show_words=True)
    assert facts is not None
    assert "Seeds?" in str(card(facts))
    # Should that have been an old page, the next look finds it gone, at once.
    assert taken(library) == ["p1"]
    assert seen(library, Deleted(native_id="p1", at=library.clock.now)) == 1
    assert [row.text for row in library.rows(words)] == [""]


def test_what_nobody_took_and_was_answered_there_is_closed_with_one_tap(
    sqlite_library: Library,
) -> None:
    number = sqlite_library.arrives(native_id="p1")
    answer = AnsweredAtSource(native_id="p1", at=sqlite_library.clock.now, account="x")
    seen(sqlite_library, answer)
    facts = sqlite_library.desk.look(card_facts, number, show_words=True)
    assert facts is not None
    first = card(facts).controls[0]
    assert (getattr(first, "name", ""), getattr(first, "label", "")) == ("done", "Done")
    told = str(sqlite_library.desk.look(_queue))
    assert "answered on Social " in told
    assert "claim by" not in told


def _queue(tx: Tx) -> Message:
    found = reading.queue(tx, [team.key for team in tx.settings.teams])
    return queues.queue(
        unclaimed=found.unclaimed, claimed=found.claimed, heard=found.heard,
        zone=ZoneInfo("UTC"), team="", now=tx.now,
    )  # fmt: skip


def test_an_answer_from_before_the_question_is_none(sqlite_library: Library) -> None:
    number = sqlite_library.arrives(native_id="p1")
    early = sqlite_library.mention(number).posted_at - timedelta(hours=1)
    assert seen(sqlite_library, AnsweredAtSource(native_id="p1", at=early, account="x")) == 0
    # Found here late, answered there before it was: that counts, at once.
    late = sqlite_library.arrives(
        native_id="p2", posted_at=sqlite_library.clock.now - timedelta(hours=2)
    )
    at = sqlite_library.clock.now - timedelta(hours=1)
    assert seen(sqlite_library, AnsweredAtSource(native_id="p2", at=at, account="x")) == 1
    assert sqlite_library.mention(late).answered_at == at


def test_edits_and_deletions_are_followed(library: Library) -> None:
    number = library.arrives("Frist", native_id="p1")
    now = library.clock.forward(minutes=3)
    assert seen(library, Edited(native_id="p1", text="First", at=now)) == 1
    assert seen(library, Edited(native_id="p1", text="First", at=now)) == 0
    assert library.mention(number).edited_at == now
    [row] = library.rows(words)
    assert row.text == "First"
    assert seen(library, Deleted(native_id="p1", at=now)) == 1
    assert seen(library, Deleted(native_id="p1", at=now)) == 0
    [row] = library.rows(words)
    assert (row.text, row.permalink) == ("", "")
    assert library.mention(number).deleted_at == now
    # Nothing is left to look at.
    library.clock.forward(hours=1)
    assert taken(library) == []


def test_what_is_let_through_is_held_no_more_and_not_edited(library: Library) -> None:
    number = library.arrives("Six links", native_id="p1", held=True)
    before = library.mention(number).revision

    def says() -> str:
        facts = library.desk.look(card_facts, number, show_words=True)
        assert facts is not None
        return str(card(facts))

    assert "Held for moderation" in says()
    now = library.clock.now
    assert seen(library, Edited(native_id="p1", text="Six links", at=now, held=True)) == 0
    through = Edited(native_id="p1", text="Six links", at=now, held=False)
    assert [seen(library, through) for _ in range(2)] == [1, 0]
    # Where the network does not tell, nothing is known of it.
    assert seen(library, Edited(native_id="p1", text="Six links", at=now)) == 0
    mention = library.mention(number)
    assert mention.revision > before
    assert mention.edited_at is None
    assert "Held for moderation" not in says()
    assert seen(library, Edited(native_id="p1", text="Six links", at=now, held=True)) == 1
    assert "Held for moderation" in says()
    assert seen(library, Deleted(native_id="p1", at=now)) == 1
    assert "Held for moderation" not in says()


async def test_what_came_before_its_source_could_look_is_looked_at(library: Library) -> None:
    old = library.arrives(native_id="p1")
    library.clock.forward(days=20)
    gone, there = library.arrives(native_id="p2"), library.arrives(native_id="p3")
    seen(library, Deleted(native_id="p2", at=library.clock.now))
    library.desk.act(looks.forget, sources=())  # as it is while no source looks
    library.clock.forward(days=15)
    network = Network()
    async with looking(library, network):
        await until(lambda: bool(network.asked))
    assert network.asked[0] == ("p3",)
    assert library.desk.act(looks.begin, sources=("social",)) == 0
    assert [library.rows(mentions)[n - 1].next_look_at is None for n in (old, gone, there)] == [
        True, True, False,
    ]  # fmt: skip


def test_looks_become_rarer_and_end_after_a_month(sqlite_library: Library) -> None:
    sqlite_library.arrives(native_id="p1")
    began = sqlite_library.clock.now
    looked = []
    while sqlite_library.clock.now - began < timedelta(days=40):
        sqlite_library.clock.forward(minutes=1)
        [row] = sqlite_library.rows(mentions)
        if row.next_look_at is None:
            break
        sqlite_library.clock.now = max(sqlite_library.clock.now, row.next_look_at)
        if taken(sqlite_library):
            looked.append(sqlite_library.clock.now - began)
    gaps = [after - before for before, after in pairwise(looked)]
    assert gaps == sorted(gaps)
    assert looked[0] == 2 * MINUTE
    assert timedelta(days=29) < looked[-1] < timedelta(days=30)
    assert len(looked) < 300
    assert look_pause(timedelta(days=30)) is None


def test_each_is_taken_once_and_the_longest_waiting_first(library: Library) -> None:
    for number in range(5):
        library.arrives(native_id=f"p{number}")
        library.clock.forward(seconds=1)
    library.clock.forward(minutes=5)
    assert taken(library, most=3) == ["p0", "p1", "p2"]
    assert taken(library, most=3) == ["p3", "p4"]
    assert taken(library) == []


def test_follow_ups_are_looked_at_with_their_mention(sqlite_library: Library) -> None:
    mention = sqlite_library.incoming(native_id="p1", conversation="c1")
    sqlite_library.take_in(mention)
    more = sqlite_library.incoming(
        "And on Sunday?", native_id="p2", conversation="c1", patron=mention.patron
    )
    assert sqlite_library.take_in(more).followed_up == 1
    sqlite_library.clock.forward(minutes=5)
    assert taken(sqlite_library) == ["p1", "p2"]
    now = sqlite_library.clock.now
    seen(sqlite_library, Deleted(native_id="p2", at=now))
    assert [row.text for row in sqlite_library.rows(words)] == ["When do you open?", ""]
    assert sqlite_library.mention(1).deleted_at is None


async def test_what_cannot_look_is_left_alone(sqlite_library: Library) -> None:
    sqlite_library.arrives(native_id="p1", source="blog")
    sqlite_library.clock.forward(minutes=5)
    async with looking(sqlite_library, Network()):
        await until(lambda: sqlite_library.rows(mentions)[0].next_look_at is None)


async def test_one_network_that_hangs_or_fails_delays_no_other(sqlite_library: Library) -> None:
    sqlite_library.arrives(native_id="b1", source="blog")
    number = sqlite_library.arrives(native_id="p1")
    sqlite_library.clock.forward(minutes=5)
    now = sqlite_library.clock.now
    answer = AnsweredAtSource(native_id="p1", at=now, account="x")
    hanging = Network(name="blog", steps=[None])
    async with looking(sqlite_library, hanging, Network(steps=[[answer]])):
        await until(lambda: sqlite_library.mention(number).answered_at is not None)
        assert hanging.asked == [("b1",)]


@pytest.mark.parametrize("problem", [SourceError("busy"), RuntimeError("a fault of ours"), None])
async def test_a_look_that_fails_is_made_up_for(
    sqlite_library: Library, problem: Exception | None
) -> None:
    number = sqlite_library.arrives(native_id="p1")
    now = sqlite_library.clock.forward(minutes=5)
    answer = AnsweredAtSource(native_id="p1", at=now, account="x")
    network = Network(steps=[problem, [answer]])
    async with looking(sqlite_library, network, look_within=timedelta(seconds=0.2)):
        await until(lambda: len(network.asked) == 1)
        sqlite_library.clock.forward(minutes=5)
        await until(lambda: sqlite_library.mention(number).answered_at is not None)
    assert network.asked == [("p1",), ("p1",)]


async def test_looks_that_go_on_failing_are_told_of_until_one_goes_well(library: Library) -> None:
    """The network may be read all the while: then nothing else would say that answers are missed."""

    def told() -> list[str]:
        return [one.said for one in library.desk.act(troubles.current)]

    async def looked(network: Network, times: int) -> None:
        for count in range(1, times + 1):
            library.clock.forward(minutes=5)
            await until(lambda count=count: len(network.asked) == count)  # type: ignore[misc]

    library.arrives(native_id="p1")
    refused = SourceError("there is no folder \u201cSent\u201d")
    async with looking(library, network := Network(steps=[refused, refused, None])):
        await looked(network, 3)
        assert told() == [], "two may be by chance"
    async with looking(library, network := Network(steps=[refused] * 3)):
        await looked(network, 3)
        await until(told)
    [said] = told()
    assert "not noticed: there is no folder" in said
    library.clock.forward(hours=1)
    async with looking(library, Network()):
        await until(lambda: not told())


async def test_what_is_told_of_a_source_that_is_gone_ends(sqlite_library: Library) -> None:
    sqlite_library.desk.act(looks.failing, source="social", reason="it is gone")
    sqlite_library.desk.act(looks.forget, sources=["other"])
    assert not sqlite_library.desk.act(troubles.current)


async def test_no_patrons_word_reaches_the_log(
    sqlite_library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    number = sqlite_library.arrives("Frist", native_id="p1")
    now = sqlite_library.clock.forward(minutes=5)
    network = Network(
        steps=[ValueError("Secret words"), [Edited(native_id="p1", text="Secret words", at=now)]]
    )
    async with looking(sqlite_library, network):
        await until(lambda: len(network.asked) == 1)
        sqlite_library.clock.forward(minutes=5)
        await until(lambda: sqlite_library.mention(number).edited_at is not None)
    told = capsys.readouterr()
    assert "Secret" not in told.out + told.err

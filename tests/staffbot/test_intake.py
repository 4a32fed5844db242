"""The intake: from sources to the desk, each by itself, nothing lost and nothing doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from staffbot.desk import rounds
from staffbot.desk.ledger import Tx
from staffbot.errors import SourceError
from staffbot.intake import PIECE, Intake
from staffbot.model import IncomingMention
from staffbot.network import Batch, Request, Response, Route, TakeIn
from staffbot.settings import Delivery, SourceSettings, Storm
from staffbot.tables import arrivals, mentions, sources
from tests.library import Library

PATIENT = 45.0


@dataclass(slots=True, kw_only=True)
class Scripted:
    """A source that gives what it was told to give, in turn, and then nothing new.

    A step is a batch, an exception to raise, or None to hang.
    """

    name: str
    steps: list[Batch | Exception | None] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self, cursor: str | None) -> Batch:
        self.asked.append(cursor)
        match self.steps.pop(0) if self.steps else Batch(cursor=cursor):
            case None:
                self.hanging.set()
                await asyncio.Event().wait()
                raise AssertionError("unreachable")
            case Batch() as batch:
                return batch
            case problem:
                raise problem


@dataclass(slots=True, kw_only=True)
class Called:
    """A source that is called: it hands on the batch that it is told to."""

    name: str
    batch: Batch = field(default_factory=Batch)

    def routes(self, take_in: TakeIn) -> Sequence[Route]:
        async def handle(request: Request) -> Response:
            taken = await take_in(self.batch, delivery=request.headers["id"])
            return Response(
                status=200, body=f"{taken.new} {taken.repeated} {taken.replay}".encode()
            )

        return (Route(method="POST", path=f"/hooks/{self.name}", handle=handle),)


def reading(library: Library, *names: str, every: float = 3600.0) -> None:
    """Configure these sources."""
    library.reconfigure(
        sources=tuple(
            SourceSettings(name=name, type="scripted", every=timedelta(seconds=every))
            for name in names
        ),
        storm=Storm(mentions=10_000),
        delivery=Delivery(),
    )


@asynccontextmanager
async def running(
    library: Library, *sources_: Any, within: float = PATIENT
) -> AsyncIterator[Intake]:
    intake = Intake(library.desk, sources_, fetch_within=timedelta(seconds=within))
    task = asyncio.create_task(intake.run())
    try:
        yield intake
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


def state(library: Library, source: str) -> Any:
    return next((row for row in library.rows(sources) if row.name == source), None)


def posts(library: Library, source: str, count: int, first: int = 0) -> tuple[IncomingMention, ...]:
    return tuple(
        library.incoming(f"Question {n}", source=source, native_id=f"{source}-{n}")
        for n in range(first, first + count)
    )


async def test_what_a_source_brings_is_stored_with_its_cursor(library: Library) -> None:
    reading(library, "blog")
    source = Scripted(name="blog", steps=[Batch(mentions=posts(library, "blog", 2), cursor="2")])
    async with running(library, source):
        # On PostgreSQL the lease stands there while the round goes on.
        soon = datetime.now(UTC) + timedelta(minutes=30)
        await until(lambda: (row := state(library, "blog")) and (row.next_fetch_at or soon) > soon)
    assert len(library.rows(mentions)) == 2
    row = state(library, "blog")
    assert (row.cursor, row.failures, row.error, row.failing_since) == ("2", 0, "", None)
    wait = row.next_fetch_at - datetime.now(UTC)
    assert timedelta(minutes=50) < wait < timedelta(minutes=67)


async def test_after_a_restart_it_goes_on_from_the_cursor_when_it_is_due(library: Library) -> None:
    reading(library, "blog", every=0.0)
    first = Scripted(name="blog", steps=[Batch(mentions=posts(library, "blog", 1), cursor="1")])
    async with running(library, first):
        await until(lambda: len(first.asked) >= 1 and len(library.rows(mentions)) == 1)
    second = Scripted(name="blog", steps=[Batch(mentions=posts(library, "blog", 3), cursor="3")])
    async with running(library, second):
        await until(lambda: len(library.rows(mentions)) == 3)
    assert second.asked[0] == "1"


async def test_a_source_that_hangs_or_fails_delays_no_other(sqlite_library: Library) -> None:
    library = sqlite_library
    reading(library, "hangs", "fails", "breaks", "works", every=0.0)
    stuck = Scripted(name="hangs", steps=[None])
    fails = Scripted(name="fails", steps=[SourceError("no answer", retry_after=3600.0)])
    breaks = Scripted(name="breaks", steps=[KeyError("a patron's word")] * 99)
    works = Scripted(
        name="works",
        steps=[Batch(mentions=posts(library, "works", 1, n), cursor=str(n)) for n in range(3)],
    )
    async with running(library, stuck, fails, breaks, works):
        await until(lambda: len(library.rows(mentions)) == 3)
        assert stuck.hanging.is_set()
    assert state(library, "fails").error == "no answer"
    said = state(library, "breaks").error
    assert "KeyError" in said
    assert "patron's word" not in said


async def test_a_fetch_that_hangs_ends_at_its_limit_and_is_a_failure(
    sqlite_library: Library,
) -> None:
    library = sqlite_library
    reading(library, "blog")
    source = Scripted(name="blog", steps=[None])
    async with running(library, source, within=0.05):
        await until(lambda: state(library, "blog") and state(library, "blog").failures)
    row = state(library, "blog")
    assert "did not answer within" in row.error
    assert row.failing_since is not None
    assert row.cursor is None


async def test_retry_after_is_kept_to(sqlite_library: Library) -> None:
    library = sqlite_library
    reading(library, "blog", every=1.0)
    source = Scripted(name="blog", steps=[SourceError("busy", retry_after=5_000.0)])
    async with running(library, source):
        await until(lambda: state(library, "blog") and state(library, "blog").failures)
    wait = state(library, "blog").next_fetch_at - datetime.now(UTC)
    assert wait > timedelta(seconds=4_900)
    assert len(source.asked) == 1


@pytest.mark.parametrize("asked_for", [None, 80_000.0])
async def test_what_failed_is_tried_soon_after_a_restart(
    sqlite_library: Library, asked_for: float | None
) -> None:
    library = sqlite_library
    reading(library, "blog", every=120.0)
    for _ in range(9):
        library.desk.act(rounds.failed, source="blog", reason="wrong password")
    library.desk.act(rounds.failed, source="blog", reason="busy", retry_after=asked_for)
    before = state(library, "blog").next_fetch_at
    assert before - datetime.now(UTC) > timedelta(minutes=50)
    source = Scripted(name="blog")
    begun: list[bool] = []
    library.desk.on_commit.append(lambda: begun.append(True))
    async with running(library, source):
        await until(lambda: begun)
    wait = state(library, "blog").next_fetch_at - datetime.now(UTC)
    assert (wait <= timedelta(seconds=120)) is (asked_for is None)
    assert source.asked == []


async def test_a_failure_is_forgotten_once_it_goes_well(sqlite_library: Library) -> None:
    library = sqlite_library
    reading(library, "blog")
    source = Scripted(name="blog", steps=[SourceError("busy"), Batch(cursor="1")])
    async with running(library, source) as intake:
        await until(lambda: state(library, "blog") and state(library, "blog").failures)
        library.desk.act(_due_now, "blog")
        intake.look_now("blog")
        await until(lambda: state(library, "blog").cursor == "1")
        await until(lambda: not state(library, "blog").failures)
    assert state(library, "blog").failing_since is None


def _due_now(tx: Tx, source: str) -> None:
    tx.conn.execute(update(sources).where(sources.c.name == source).values(next_fetch_at=None))


async def test_a_network_may_wish_for_its_next_look(sqlite_library: Library) -> None:
    library = sqlite_library
    reading(library, "blog")
    source = Scripted(name="blog", steps=[Batch(cursor="1", next_in_seconds=0.0)])
    async with running(library, source):
        await until(lambda: len(source.asked) >= 2)
    assert source.asked[:2] == [None, "1"]


async def test_a_long_batch_is_stored_in_pieces_and_the_cursor_with_the_last(
    library: Library,
) -> None:
    reading(library, "blog")
    many = posts(library, "blog", 2 * PIECE + 1)
    commits: list[tuple[int, str | None]] = []

    def note() -> None:
        row = state(library, "blog")  # None before its first round
        commits.append((len(library.rows(mentions)), row.cursor if row else None))

    library.desk.on_commit.append(note)
    source = Scripted(name="blog", steps=[Batch(mentions=many, cursor="end")])
    async with running(library, source):
        await until(lambda: state(library, "blog") and state(library, "blog").cursor == "end")
    assert [row for row in commits if row[1] is None and row[0]][-1] == (2 * PIECE, None)
    assert (2 * PIECE + 1, "end") in commits


async def test_a_poison_mention_costs_its_neighbours_nothing(library: Library) -> None:
    reading(library, "blog")
    good = posts(library, "blog", 3)
    poison = replace(good[1], native_id="poison", posted_at=datetime(2026, 3, 3))  # noqa: DTZ001
    batch = Batch(mentions=(good[0], poison, good[1], good[2]), cursor="1")
    source = Scripted(name="blog", steps=[batch])
    async with running(library, source):
        await until(lambda: state(library, "blog") and state(library, "blog").cursor == "1")
    assert len(library.rows(mentions)) == 3


async def test_a_mention_without_a_language_gets_one(sqlite_library: Library) -> None:
    library = sqlite_library
    library.reconfigure(
        sources=(
            SourceSettings(name="blog", type="scripted"),
            SourceSettings(name="news", type="scripted", language="fr"),
        )
    )
    spanish = library.incoming("¿Cuándo abren el sábado por la mañana?", source="blog")
    said = library.incoming("¿Cuándo abren los domingos?", source="blog", language="ca")
    setting = library.incoming("Bonjour", source="news")
    async with running(
        library,
        Scripted(name="blog", steps=[Batch(mentions=(spanish, said))]),
        Scripted(name="news", steps=[Batch(mentions=(setting,))]),
    ):
        await until(lambda: len(library.rows(mentions)) == 3)
    assert sorted(row.language for row in library.rows(mentions)) == ["ca", "es", "fr"]


def request(id_: str) -> Request:
    return Request(method="POST", path="/hooks/form", headers={"id": id_}, body=b"")


async def test_a_delivery_has_its_effect_once(library: Library) -> None:
    reading(library, "form")
    form = Called(name="form", batch=Batch(mentions=posts(library, "form", 2 * PIECE + 1)))
    [route] = Intake(library.desk, [form]).routes()
    answers = [(await route.handle(request("m1"))).body for _ in range(2)]
    assert answers == [b"201 0 False", b"0 0 True"]
    # The same mentions under another id are known; nothing is doubled either.
    assert (await route.handle(request("m2"))).body == b"0 201 False"
    assert len(library.rows(mentions)) == 2 * PIECE + 1


async def test_deliveries_at_the_same_moment_have_one_effect(library: Library) -> None:
    reading(library, "form")
    form = Called(name="form", batch=Batch(mentions=posts(library, "form", 1)))
    [route] = Intake(library.desk, [form]).routes()
    await asyncio.gather(*(route.handle(request("m1")) for _ in range(8)), return_exceptions=True)
    assert (await route.handle(request("m1"))).body == b"0 0 True"
    assert len(library.rows(arrivals)) == 1


async def test_old_posts_come_by_webhook_whatever_their_age(sqlite_library: Library) -> None:
    library = sqlite_library
    reading(library, "form")
    old = tuple(
        replace(mention, posted_at=library.clock.now - timedelta(days=40))
        for mention in posts(library, "form", PIECE + 1)
    )
    [route] = Intake(library.desk, [Called(name="form", batch=Batch(mentions=old))]).routes()
    assert (await route.handle(request("m1"))).body == b"101 0 False"


async def test_a_full_disk_moves_no_cursor_and_acknowledges_nothing(
    sqlite_library: Library,
) -> None:
    library = sqlite_library
    reading(library, "blog", "form")
    long = "A long complaint. " * 2_300
    form_post, blog_post = (
        library.incoming(long, source=name, native_id="long") for name in ("form", "blog")
    )
    form = Called(name="form", batch=Batch(mentions=(form_post,)))
    blog = Scripted(name="blog", steps=[Batch(mentions=(blog_post,), cursor="1")] * 50)
    library.desk.act(_fill)
    async with running(library, blog) as intake:
        [route] = Intake(library.desk, [form]).routes()
        with pytest.raises(OperationalError):
            await route.handle(request("m1"))
        await until(lambda: blog.asked)
        assert library.rows(mentions) == []
        assert state(library, "blog") is None or state(library, "blog").cursor is None
        library.desk.act(_free)
        # Tried again without a restart; and the same delivery sent again is taken now.
        library.desk.act(_due_now, "blog")
        intake.look_now("blog")
        await until(lambda: (row := state(library, "blog")) and row.cursor == "1")
        assert (await route.handle(request("m1"))).body == b"1 0 False"
    assert len(library.rows(mentions)) == 2


async def test_what_the_desk_cannot_take_is_said_where_a_person_looks(
    sqlite_library: Library,
) -> None:
    library = sqlite_library
    reading(library, "blog")
    # Not a mention at all: a fault of a source that no batch could foresee.
    broken: Any = Batch(mentions=("not a mention",), cursor="1")  # type: ignore[arg-type]
    source = Scripted(name="blog", steps=[broken] * 99)
    async with running(library, source) as intake:
        await until(lambda: (row := state(library, "blog")) and row.failures)
        row = state(library, "blog")
        assert "could not be stored" in row.error
        assert (row.cursor, row.failing_since is None) == (None, False)
        source.steps[:] = [Batch(mentions=posts(library, "blog", 1), cursor="2")]
        library.desk.act(_due_now, "blog")
        intake.look_now("blog")
        await until(lambda: state(library, "blog").cursor == "2")
    assert len(library.rows(mentions)) == 1


def _fill(tx: Tx) -> None:
    """SQLite takes no further page from now on, as on a full disk."""
    pages = tx.conn.exec_driver_sql("PRAGMA page_count").scalar_one()
    tx.conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def _free(tx: Tx) -> None:
    tx.conn.exec_driver_sql("PRAGMA max_page_count = 1000000")


async def test_ending_finishes_the_step_in_hand_and_gives_the_round_back(library: Library) -> None:
    reading(library, "blog")
    source = Scripted(name="blog", steps=[None])
    async with running(library, source):
        async with asyncio.timeout(PATIENT):
            await source.hanging.wait()
    assert state(library, "blog").next_fetch_at is None
    again = Scripted(name="blog", steps=[Batch(mentions=posts(library, "blog", 1), cursor="1")])
    async with running(library, again):
        await until(lambda: len(library.rows(mentions)) == 1)


async def test_every_loop_gives_signs_of_life(sqlite_library: Library) -> None:
    library = sqlite_library
    reading(library, "blog", "news", every=0.0)
    seen: set[str] = set()
    intake = Intake(
        library.desk, [Scripted(name="blog"), Scripted(name="news"), Called(name="form")],
        alive=seen.add,
    )  # fmt: skip
    assert intake.reads == ("blog", "news")
    task = asyncio.create_task(intake.run())
    await until(lambda: seen == {"intake:blog", "intake:news"})
    task.cancel()
    await asyncio.wait({task})


def test_of_several_processes_one_begins_a_round(library: Library) -> None:
    lease = timedelta(minutes=2)
    reading(library, "blog")
    first = library.desk.act(rounds.begin, source="blog", lease=lease)
    second = library.desk.act(rounds.begin, source="blog", lease=lease)
    assert first.due
    # SQLite has one process only, and after a crash that one must not wait for itself.
    assert second.due is library.desk.store.sqlite
    library.desk.act(rounds.given_back, source="blog")
    assert library.desk.act(rounds.begin, source="blog", lease=lease).due


@pytest.mark.parametrize(
    ("failures", "every", "retry_after", "seconds"),
    [
        (1, 120, None, 120),
        (2, 120, None, 240),
        (5, 120, None, 1_920),
        (6, 120, None, 3_600),
        (10_000, 120, None, 3_600),
        (1, 7_200, None, 7_200),
        (9, 7_200, None, 7_200),
        (1, 120, 600.0, 600),
        (9, 120, 600.0, 3_600),
        (1, 120, 10.0**9, 86_400),
        (1, 120, -5.0, 120),
        (1, 0, None, 1),
    ],
)
def test_back_off(failures: int, every: int, retry_after: float | None, seconds: int) -> None:
    wait = rounds.back_off(failures, timedelta(seconds=every), retry_after, 0.0)
    assert wait == timedelta(seconds=seconds)


def test_the_rhythm_of_a_source_is_learnt() -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    gap: int | None = None
    for _ in range(20):
        gap = rounds.usual_gap(gap, day)
    assert gap == 86_400
    for _ in range(10):  # one busy evening
        gap = rounds.usual_gap(gap, timedelta(minutes=2))
    assert 60_000 < gap < 86_400
    for _ in range(300):  # a source that became busy
        gap = rounds.usual_gap(gap, timedelta(minutes=20))
    assert hour.total_seconds() <= gap < 4_000


def test_two_messages_at_once_are_no_rhythm_yet() -> None:
    assert rounds.usual_gap(None, timedelta(seconds=1)) > 80_000
    assert rounds.usual_gap(None, timedelta(days=9)) == 9 * 86_400


def test_arrivals_keep_the_rhythm(sqlite_library: Library) -> None:
    library = sqlite_library
    reading(library, "blog")
    for _ in range(25):
        library.take_in(library.incoming(source="blog"))
        library.clock.forward(hours=6)
    assert 6 * 3_600 <= state(library, "blog").usual_gap_seconds < 6.2 * 3_600


@pytest.mark.parametrize("jitter", [-1.0, -0.5, 0.0, 1.0])
def test_jitter_is_a_tenth_either_way(sqlite_library: Library, jitter: float) -> None:
    library = sqlite_library
    reading(library, "blog", every=100.0)
    wait = library.desk.act(rounds.went_well, source="blog", wish_seconds=None, jitter=jitter)
    assert wait == pytest.approx(100 + 10 * jitter)

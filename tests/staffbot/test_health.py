"""How the program itself does: troubles said once, monitors told the truth, downtime remembered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from sqlalchemy import update

from staffbot.desk import health, pausing, pulse, troubles
from staffbot.desk.ledger import Tx
from staffbot.errors import ConfigError, SourceError
from staffbot.heartbeat import Heartbeat
from staffbot.liveness import Liveness
from staffbot.metrics import render
from staffbot.monitoring import Monitoring
from staffbot.network import AnsweredAtSource, Request
from staffbot.secret import Secret
from staffbot.settings import Network
from staffbot.supervisor import Patience, Supervisor
from staffbot.tables import deliveries, posts, sources
from tests.library import HOURS, Library


def source(library: Library, name: str, **values: object) -> None:
    library.take_in(library.incoming(source=name))
    library.desk.act(
        lambda tx: tx.conn.execute(update(sources).where(sources.c.name == name).values(**values))
    )


def age_posts(library: Library, **span: float) -> None:
    def age(tx: Tx) -> None:
        earlier = timedelta(**span)
        tx.conn.execute(
            update(posts).values(made_at=tx.real_now - earlier, not_before=tx.now - earlier)
        )

    library.desk.act(age)


def real_now(library: Library) -> Tx:
    return library.desk.look(lambda tx: tx)


# --- troubles -----------------------------------------------------------------------------------


def test_all_is_well_at_first(library: Library) -> None:
    assert library.desk.act(health.notice) == ()
    report = library.desk.look(health.report)
    assert report.ok
    assert report.troubles == ()
    assert report.oldest_unsent is None


def test_a_source_that_fails_for_long_is_told_once_and_ended(library: Library) -> None:
    now = real_now(library).real_now
    source(library, "blog", failing_since=now - timedelta(minutes=29), error="it answered 500")
    assert library.desk.act(health.notice) == ()
    source(library, "blog", failing_since=now - timedelta(minutes=31), error="it answered 500")
    [trouble] = library.desk.act(health.notice)
    assert trouble.subject == "source:blog"
    assert trouble.said == "Blog cannot be read for 31 minutes: it answered 500"
    assert library.desk.act(health.notice) == (), "said once"
    source(library, "blog", failing_since=None, error="")
    assert library.desk.act(health.notice) == ()
    assert library.desk.look(troubles.current) == []


@pytest.mark.parametrize(
    ("usual_gap", "quiet", "told"),
    [
        (timedelta(hours=1), timedelta(hours=12), False),  # never before a day
        (timedelta(hours=1), timedelta(hours=25), True),
        (timedelta(days=2), timedelta(days=15), False),
        (timedelta(days=2), timedelta(days=18), False),  # three Sundays do not count
        (timedelta(days=2), timedelta(days=20), True),
        (None, timedelta(days=100), False),
    ],
)
def test_a_source_is_silent_for_unusually_long_against_its_own_rhythm(
    sqlite_library: Library, usual_gap: timedelta | None, quiet: timedelta, told: bool
) -> None:
    library = sqlite_library
    seconds = usual_gap and int(usual_gap.total_seconds())
    source(library, "blog", mention_at=library.clock.now - quiet, usual_gap_seconds=seconds)
    found = library.desk.act(health.notice)
    assert bool(found) is told
    if found:
        assert "unusually long" in found[0].said


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ((9, 9, 0), False),  # Monday: of 43 hours since Saturday 14:00, Sunday has 24
        ((8, 23, 0), False),
        ((9, 14, 1), True),
    ],
)
def test_closed_days_are_no_silence(
    sqlite_library: Library, now: tuple[int, int, int], told: bool
) -> None:
    library = sqlite_library
    day, hour, minute = now
    saturday = datetime(2026, 3, 7, 14, tzinfo=HOURS.zone).astimezone(UTC)
    library.clock.now = datetime(2026, 3, day, hour, minute, tzinfo=HOURS.zone).astimezone(UTC)
    source(library, "blog", mention_at=saturday, usual_gap_seconds=3_600)
    assert bool(library.desk.act(health.notice)) is told


def test_a_source_that_is_no_longer_configured_is_no_trouble(library: Library) -> None:
    now = real_now(library).real_now
    source(library, "blog", failing_since=now - timedelta(days=1))
    assert len(library.desk.act(health.notice)) == 1
    library.reconfigure(sources=())
    assert library.desk.act(health.notice) == ()
    assert library.desk.look(troubles.current) == []


def test_a_post_that_is_stuck_is_told_and_not_well(library: Library) -> None:
    library.arrives("When do you open?")
    age_posts(library, minutes=11)
    [trouble] = library.desk.act(health.notice)
    assert trouble.said == "A post has been waiting to go out for 11 minutes."
    assert not library.desk.look(health.report).ok
    library.desk.act(lambda tx: tx.conn.execute(update(posts).values(state="sent", pending=0)))
    library.desk.act(health.notice)
    assert library.desk.look(troubles.current) == []
    assert library.desk.look(health.report).ok


def test_a_clock_that_was_set_is_told_for_a_day(sqlite_library: Library) -> None:
    library = sqlite_library
    library.desk.act(troubles.begin, "clock", "This machine's clock was set back by 60 seconds.")
    library.desk.act(health.notice)
    assert len(library.desk.look(troubles.current)) == 1

    def long_ago(tx: Tx) -> None:
        from staffbot.tables import troubles as table

        tx.conn.execute(update(table).values(began_at=tx.real_now - timedelta(days=2)))

    library.desk.act(long_ago)
    library.desk.act(health.notice)
    assert library.desk.look(troubles.current) == []


# --- downtime -----------------------------------------------------------------------------------


def test_a_first_start_was_not_gone(library: Library) -> None:
    assert library.desk.act(pulse.started) is None
    assert library.desk.look(pulse.downtime, library.clock.now - timedelta(days=1)) is None


@pytest.mark.parametrize(("gap", "worth_saying"), [(9, False), (10, True), (60 * 24 * 7, True)])
def test_downtime_is_measured_from_the_last_sign_of_life(
    sqlite_library: Library, gap: int, worth_saying: bool
) -> None:
    library = sqlite_library
    library.desk.act(pulse.started)
    library.clock.forward(hours=3)
    library.desk.act(pulse.beat)
    last = library.clock.now
    back = library.clock.forward(minutes=gap)
    gone = library.desk.act(pulse.started)
    assert (gone is not None) is worth_saying
    if gone is None:
        return
    assert (gone.since, gone.until) == (last, back)
    assert library.desk.look(pulse.downtime, back - timedelta(days=1)) == gone
    assert library.desk.look(pulse.downtime, back + timedelta(seconds=1)) is None
    while_gone = back - timedelta(minutes=5)
    library.arrives("What about my question?", posted_at=while_gone)
    library.arrives("And this one is new.")
    assert library.desk.look(pulse.caught_up, gone, "adult") == 1


def test_a_clock_that_went_back_is_no_downtime(sqlite_library: Library) -> None:
    sqlite_library.desk.act(pulse.started)
    sqlite_library.clock.forward(days=-1)
    assert sqlite_library.desk.act(pulse.started) is None


def test_old_deliveries_are_forgotten(library: Library) -> None:
    def put(tx: Tx) -> None:
        for name, age in (("old", timedelta(days=1, minutes=1)), ("new", timedelta(hours=23))):
            row = {"source": "social", "id_hash": name, "at": tx.real_now - age}
            tx.conn.execute(deliveries.insert().values(row))

    library.desk.act(put)
    assert library.desk.act(pulse.forget_deliveries) == 1
    assert [row.id_hash for row in library.rows(deliveries)] == ["new"]


# --- monitors -----------------------------------------------------------------------------------


async def test_healthz_tells_of_a_late_loop(library: Library) -> None:
    now = 0.0
    liveness = Liveness(lambda: now)
    liveness.expect("outbox", 60)
    monitoring = Monitoring(library.desk, liveness)
    assert (await monitoring.healthz())[0]
    assert await monitoring.well()
    now = 61.0
    ok, said = await monitoring.healthz()
    assert not ok
    assert said["late_loops"] == ("outbox",)
    assert not await monitoring.well()


async def test_healthz_names_troubles_by_subject_only(library: Library) -> None:
    library.desk.act(troubles.begin, "source:blog", "Blog cannot be read: a long story.")
    ok, said = await Monitoring(library.desk, Liveness()).healthz()
    assert ok, "a source in trouble is for people, not for a monitor to restart"
    assert said["troubles"] == ["source:blog"]
    assert "long story" not in str(said)


async def test_metrics_name_keys_and_no_person(library: Library) -> None:
    library.arrives("My name is Edna.")
    library.claim(1)
    liveness = Liveness()
    liveness.expect("outbox", 60)
    [route] = Monitoring(library.desk, liveness).routes()
    answer = await route.handle(Request(method="GET", path="/metrics", headers={}, body=b""))
    text = answer.body.decode()
    assert 'staffbot_mentions_in_hand{status="claimed",team="adult"} 1.0' in text
    assert 'staffbot_posts{state="waiting"} 1.0' in text
    assert 'staffbot_source_failing{source="social"} 0.0' in text
    assert 'staffbot_loop_silent_seconds{loop="outbox"}' in text
    for word in ("Edna", "Lena", "ana", "Ana"):
        assert f'"{word}"' not in text
    assert render(library.desk.look(health.report), liveness).startswith(b"# HELP")


def test_overdue_is_what_somebody_still_has_to_answer(library: Library) -> None:
    for number in (library.arrives(), library.arrives(), library.arrives()):
        library.claim(number)
    library.desk.act(pausing.wait, 2, library.person("ana"))
    answered = AnsweredAtSource(native_id="n3", at=library.clock.now, account="@library")
    library.take_in(changes=(answered,))
    library.clock.forward(days=3)
    assert library.desk.look(health.report).overdue == {"adult": 1}, "as the figures count it"


@pytest.fixture
async def monitor() -> AsyncIterator[tuple[str, list[str], web.Application]]:
    """A monitor on loopback: its address, and what was called."""
    called: list[str] = []
    app = web.Application()

    async def ping(request: web.Request) -> web.Response:
        called.append(request.path)
        return web.Response(status=int(request.query.get("status", "200")))

    app.router.add_get("/ping", ping)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/ping", called, app
    await runner.cleanup()


async def test_a_heartbeat_is_a_call(monitor: tuple[str, list[str], web.Application]) -> None:
    address, called, _ = monitor
    assert await Heartbeat(Secret(value=address), Network()).beat()
    assert called == ["/ping"]


async def test_a_monitor_that_is_away_raises_nothing(
    monitor: tuple[str, list[str], web.Application],
) -> None:
    address, _, _ = monitor
    assert not await Heartbeat(Secret(value=f"{address}?status=500"), Network()).beat()
    assert not await Heartbeat(Secret(value="http://127.0.0.1:1/ping"), Network()).beat()
    assert not await Heartbeat(Secret(value="not an address"), Network()).beat()


# --- loops that fail ----------------------------------------------------------------------------

QUICK = Patience(first=0.01, longest=0.02, settled=0.2)


async def test_a_loop_that_fails_begins_again_and_its_trouble_ends() -> None:
    told: list[tuple[str, str]] = []
    well = asyncio.Event()
    runs = 0

    async def hear(name: str, problem: Exception | None) -> None:
        told.append((name, type(problem).__name__))
        if problem is None:
            well.set()

    async def loop() -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            raise SourceError("away")
        await asyncio.Event().wait()

    task = asyncio.create_task(Supervisor(hear, QUICK).keep("door x", loop))
    async with asyncio.timeout(30):
        await well.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert told == [("door x", "SourceError")] * 3 + [("door x", "NoneType")]


async def test_a_wrong_setting_at_the_start_ends_everything() -> None:
    async def hear(_: str, __: Exception | None) -> None:
        raise AssertionError("nobody is told")

    async def loop() -> None:
        raise ConfigError.at("local.port", "is taken")

    with pytest.raises(ConfigError, match="is taken"):
        await Supervisor(hear, Patience()).keep("door local", loop)


async def test_a_token_that_is_refused_later_is_that_platform_alone() -> None:
    told = asyncio.Event()

    async def hear(_: str, problem: Exception | None) -> None:
        assert isinstance(problem, ConfigError)
        told.set()

    async def loop() -> None:
        await asyncio.sleep(QUICK.settled + 0.05)
        raise ConfigError.at("slack.token", "was refused")

    task = asyncio.create_task(Supervisor(hear, QUICK).keep("door slack", loop))
    async with asyncio.timeout(30):
        await told.wait()
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_cannot_be_noted_ends_no_loop() -> None:
    again = asyncio.Event()
    runs = 0

    async def hear(_: str, __: Exception | None) -> None:
        raise OSError("the disk is full")

    async def loop() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            again.set()
        raise ValueError

    task = asyncio.create_task(Supervisor(hear, replace(QUICK, settled=60)).keep("x", loop))
    async with asyncio.timeout(30):
        await again.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

"""Joins everything: store, desk, doors, sources, loops and listeners, in one asyncio task group.

The only place that knows all of them. Decides nothing that a library's staff could notice.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from staffbot import log as logs
from staffbot.desk import digests, health, pausing, pulse, reminding, retiming, storms, troubles
from staffbot.desk.ledger import Desk
from staffbot.desk.people import sync_staff
from staffbot.desk.rendering import render
from staffbot.dispatch import Dispatch
from staffbot.errors import StaffbotError
from staffbot.heartbeat import Heartbeat
from staffbot.intake import Intake
from staffbot.liveness import Liveness
from staffbot.looking import Looking
from staffbot.model import Clock, system_clock
from staffbot.monitoring import Monitoring
from staffbot.network import Pushes, Replies, Route, Source
from staffbot.outbox import Outbox
from staffbot.replier import Replier
from staffbot.seams import Chat, Door, Network
from staffbot.server import Server
from staffbot.settings import Settings
from staffbot.store import Store
from staffbot.supervisor import Supervisor
from staffbot.ticker import Bell, Ticker

log = structlog.get_logger(__name__)

Task = asyncio.Task[None]

# A step in hand is given this long; doors then have the rest of the five seconds to say goodbye.
_GRACE_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """What is up: the ports that the listeners got, and the chats by platform."""

    public_port: int
    metrics_port: int
    chats: Mapping[str, Chat]


async def run(
    settings: Settings,
    *,
    doors: Mapping[str, Door],
    networks: Mapping[str, Network],
    clock: Clock = system_clock,
    ready: Callable[[Open], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run until `stop` is set. Raises StaffbotError where it cannot begin."""
    in_utc()
    asyncio.get_running_loop().set_exception_handler(logs.loop_problem)
    store = await asyncio.to_thread(open_store, settings)
    try:
        house = House(settings, store, doors, networks, clock)
        await house.live(ready or (lambda _: None), stop or asyncio.Event())
    except ExceptionGroup as group:
        raise first_reason(group) from group
    finally:
        await asyncio.to_thread(store.close)


def in_utc() -> None:
    """`schedule` reckons in the process's zone, which must have no summer time."""
    os.environ["TZ"] = "UTC"
    time.tzset()


def open_store(settings: Settings) -> Store:
    """The database, held for this process and at the newest version. Blocks.

    PostgreSQL is not migrated by the way, as others may be using it.
    """
    store = Store.open(settings.store.url.value)
    try:
        store.hold()
        if store.sqlite:
            store.migrate()
        else:
            store.check_version()
    except BaseException:
        store.close()
        raise
    return store


def first_reason(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one sentence for a person, where several loops ended at once."""
    ours = group.subgroup(StaffbotError)
    found: BaseException = ours or group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def limited(settings: Settings, sources: Sequence[Source | Pushes]) -> Settings:
    """The settings with what each network lets an answer be, as its source says."""
    limits = {one.name: one.limit for one in sources if isinstance(one, Replies)}
    return replace(
        settings,
        sources=tuple(replace(one, limit=limits.get(one.name)) for one in settings.sources),
    )


class House:
    """Everything that runs in one process."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        doors: Mapping[str, Door],
        networks: Mapping[str, Network],
        clock: Clock,
    ) -> None:
        sources = [networks[s.type].open(s, settings.network, clock) for s in settings.sources]
        self._settings = settings = limited(settings, sources)
        self._desk = desk = Desk(store, settings, clock)
        self._liveness = liveness = Liveness()
        self._monitoring = Monitoring(desk, liveness)
        dispatch = Dispatch(desk)
        self._doors = {one.platform: doors[one.platform] for one in settings.doors}
        self._chats = {
            one.platform: doors[one.platform].open(one, settings, dispatch, clock)
            for one in settings.doors
        }
        self._intake = Intake(desk, sources, alive=liveness.alive)
        self._looking = Looking(desk, sources, alive=liveness.alive)
        self._outbox = Outbox(desk, self._chats, render, alive=lambda: liveness.alive("outbox"))
        answerable = {one.name: one for one in sources if isinstance(one, Replies) and one.limit}
        self._replier = Replier(desk, answerable, alive=lambda: liveness.alive("replier"))
        self._ticker = Ticker(self._bells(), alive=liveness.alive, jumped=self._jumped)
        self._supervisor = Supervisor(self._told)
        self._public = Server(settings.public, self._routes(), health=self._monitoring.healthz)
        self._private = Server(settings.metrics, self._monitoring.routes())
        self._notes: set[asyncio.Task[object]] = set()

    async def live(self, ready: Callable[[Open], None], stop: asyncio.Event) -> None:
        """Run until `stop` is set, then end in good order."""
        await self._desk.acting(sync_staff)
        await self._desk.acting(retiming.settle)
        gone = await self._desk.acting(pulse.started)
        if gone is not None:
            log.info("was not running", since=gone.since.isoformat())
        self._expect()
        async with self._public, self._private, asyncio.TaskGroup() as loops:
            keep = self._supervisor.keep
            work = [loops.create_task(keep("outbox", self._outbox.run), name="outbox")]
            if self._intake.reads:
                work.append(loops.create_task(keep("intake", self._intake.run), name="intake"))
            if self._settings.replies.enabled:
                work.append(loops.create_task(keep("replier", self._replier.run), name="replier"))
            if self._looking.looks:
                work.append(loops.create_task(keep("looking", self._looking.run), name="looking"))
            work.append(loops.create_task(keep("ticker", self._ticker.run), name="ticker"))
            chats = [
                loops.create_task(keep(f"door {platform}", chat.run), name=f"door {platform}")
                for platform, chat in self._chats.items()
            ]
            log.info("running", public_port=self._public.port, metrics_port=self._private.port)
            ready(
                Open(
                    public_port=self._public.port,
                    metrics_port=self._private.port,
                    chats=self._chats,
                )
            )
            await stop.wait()
            await self._end(work, chats)

    async def _end(self, work: Sequence[Task], chats: Sequence[Task]) -> None:
        """Finish the step in hand, then close the doors: people may press to the last moment."""
        log.info("stopping")
        self._supervisor.stop()
        self._outbox.stop()
        self._replier.stop()
        for task in work:
            if task.get_name() not in ("outbox", "replier"):  # these finish the step in hand
                task.cancel()
        listeners = (self._public.stop(), self._private.stop())
        await asyncio.gather(asyncio.wait(work, timeout=_GRACE_SECONDS), *listeners)
        for task in (*work, *chats):
            task.cancel()
        await asyncio.wait((*work, *chats), timeout=1)

    def _routes(self) -> list[Route]:
        ours = list(self._intake.routes())
        for platform, chat in self._chats.items():
            ours += self._doors[platform].routes(chat)
        return ours

    def _bells(self) -> list[Bell]:
        """What is looked at regularly; each says for itself whether anything is due."""
        acting = self._desk.acting
        bells = [
            Bell(name="pulse", every_seconds=30, look=lambda: acting(pulse.beat)),
            Bell(name="troubles", every_seconds=60, look=self._notice),
            Bell(name="sweep", every_seconds=10, look=self._sweep),
            Bell(name="storms", every_seconds=15, look=lambda: acting(storms.calm)),
            Bell(name="snoozes", every_seconds=15, look=lambda: acting(pausing.end_snoozes)),
            Bell(name="digests", every_seconds=30, look=lambda: acting(digests.ring)),
            Bell(
                name="old-deliveries",
                every_seconds=3600,
                look=lambda: acting(pulse.forget_deliveries),
            ),
        ]
        if url := self._settings.health.heartbeat_url:
            heartbeat = Heartbeat(url, self._settings.network)

            async def beat() -> None:
                if await self._monitoring.well():
                    await heartbeat.beat()

            bells.append(Bell(name="heartbeat", every_seconds=60, look=beat))
        return bells

    def _expect(self) -> None:
        self._liveness.expect("outbox", 60)
        if self._settings.replies.enabled:
            self._liveness.expect("replier", 60)
        for bell in self._bells():
            self._liveness.expect(bell.name, max(120, 3 * bell.every_seconds))
        for name in self._intake.reads:
            # One fetch may take three time limits of the network, and a wait at most a minute.
            within = 120 + 3 * self._settings.network.timeout.total_seconds()
            self._liveness.expect(f"intake:{name}", within)
        for name in self._looking.looks:
            within = 180 + 4 * self._settings.network.timeout.total_seconds()
            self._liveness.expect(f"looking:{name}", within)

    async def _sweep(self) -> None:
        while (await self._desk.acting(reminding.sweep)).full:
            pass  # the rest of a long list, in a transaction of its own

    async def _notice(self) -> None:
        for trouble in await self._desk.acting(health.notice):
            log.warning("trouble", subject=trouble.subject, said=trouble.said)

    async def _told(self, loop: str, problem: Exception | None) -> None:
        """A loop ended, or is well again."""
        subject = f"loop:{loop}"
        if problem is None:
            await self._desk.acting(troubles.end, subject)
        else:
            said = f"The {loop} ended ({logs.kind_of(problem)}) and is begun again."
            await self._desk.acting(troubles.begin, subject, said)

    def _jumped(self, seconds: float) -> None:
        way = "forward" if seconds > 0 else "back"
        said = f"This machine's clock was set {way} by {abs(round(seconds))} seconds."
        note = asyncio.create_task(self._desk.acting(troubles.begin, "clock", said))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

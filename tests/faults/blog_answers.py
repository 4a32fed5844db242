"""An answer killed with -9 between every two of its steps, before a real WordPress: one stands there.

As in answers.py, with the network's own requests as steps besides; counted in the site's database.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
from aiohttp import web
from sqlalchemy import select

from staffbot.desk.arrivals import take_in
from staffbot.desk.ledger import Desk
from staffbot.model import Room
from staffbot.network import Answering, Batch, Replied, ReplyLimit
from staffbot.replier import Replier
from staffbot.secret import Secret
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from staffbot.sources.wordpress import WordPress
from staffbot.sources.wordpress_site import Options
from staffbot.tables import mentions, replies
from tests.cutting import Way, a_way_to
from tests.faults.answers import (
    COMMITS,
    answering,
    carried,
    mentions_of,
    write_one,
)
from tests.faults.ground import a_database, a_desk, ask
from tests.faults.pairs import FailingDesk, FailPoint
from tests.faults.scenario import Scenario, Stage, problems
from tests.faults.work import incoming, quiet, ready_to_fork
from tests.wordpress_server import Site, wordpress

# What `make test` has time for: around the one request that counts, and at the look-up of one in doubt.
FEW = (
    "after commit take_due", "before request post", "after request post", "before commit sent",
    "after request find",
)  # fmt: skip
REQUESTS = ("ask", "post", "me", "find")
CALLS = ("reply", "find_reply")
POINTS = tuple(
    f"{when} {what} {name}"
    for what, names in (("commit", COMMITS), ("call", CALLS), ("request", REQUESTS))
    for name in names
    for when in ("before", "after")
)
# What has to go wrong before a scenario comes to its point at all: the request, and its fate.
_LOST = ("post", "cut")
_LEADS_TO = {
    "failed": (_LOST,), "absent": (_LOST,), "find_reply": (_LOST,), "me": (_LOST,), "find": (_LOST,),
    "unseen": (_LOST, ("find", "500")),
}  # fmt: skip
# The site has two workers, and each scenario mostly waits for the life of a request to be over.
_AT_ONCE = 6
_LIFE = timedelta(seconds=6)
_COMMENTS = 5  # for each scenario; a second life writes one more


def request_of(request: web.Request) -> str:
    """Which of the source's requests this is, or ""."""
    if request.method == "POST":
        return "post"
    if request.path.endswith("/users/me"):
        return "me"
    if "parent" in request.query:
        return "find"
    return "ask" if "include" in request.query else ""


class Blog:
    """The site as the replier sees it, with fail points around calls and requests."""

    def __init__(self, source: WordPress, way: Way, point: FailPoint) -> None:
        self.name = source.name
        self.fates: list[tuple[str, str]] = []
        self._source = source
        self._point = point
        way.before, way.after = self._before, self._after

    @property
    def limit(self) -> ReplyLimit | None:
        return self._source.limit

    async def reply(self, to: Answering, text: str, key: str) -> Replied:
        self._point.pass_by("before call reply")
        found = await self._source.reply(to, text, key)
        self._point.pass_by("after call reply")
        return found

    async def find_reply(self, to: Answering, text: str, key: str) -> Replied | None:
        self._point.pass_by("before call find_reply")
        found = await self._source.find_reply(to, text, key)
        self._point.pass_by("after call find_reply")
        return found

    def _before(self, request: web.Request) -> str:
        name = request_of(request)
        self._point.pass_by(f"before request {name}")
        if self.fates and self.fates[0][0] == name:
            return self.fates.pop(0)[1]
        return ""

    def _after(self, request: web.Request) -> None:
        self._point.pass_by(f"after request {request_of(request)}")


class NoArms:
    """Every fault here is a crash, so nothing is ever armed."""

    def arm(self, room: str, fault: str) -> None:
        raise AssertionError(f"{fault} for {room}")


@dataclass(slots=True)
class OnBlog(Scenario):
    """`first` is the number of the scenario's first comment on the site."""

    first: int = 0

    @property
    def fates(self) -> tuple[tuple[str, str], ...]:
        return _LEADS_TO.get(self.at, ())


@dataclass(slots=True)
class Report:
    scenarios: list[OnBlog]
    answers: int = 0
    seconds: float = 0.0
    skipped: str = ""

    @property
    def well(self) -> bool:
        return bool(self.skipped) or not self.problems()

    def problems(self) -> list[str]:
        return problems(self.scenarios)

    def __str__(self) -> str:
        if self.skipped:
            return f"answers on WordPress: skipped, {self.skipped}"
        met, wrong = (
            sum(one.met for one in self.scenarios),
            sum(len(o.wrong) for o in self.scenarios),
        )
        return (
            f"answers on WordPress: killed at {met} of {len(self.scenarios)} points, {self.answers} "
            f"answers, {wrong} lost or doubled ({self.seconds:.0f} s)"
        )


def play(desk: Desk, site: Site, scenario: Scenario, armed: bool) -> None:
    """In a forked worker: a mention, an answer to it, and its way."""
    assert isinstance(scenario, OnBlog)
    point = FailPoint(scenario.point if armed else None, "crash", scenario.name, NoArms())
    asyncio.run(_play(FailingDesk(desk, point), site, scenario, point, armed))


async def _play(desk: Desk, site: Site, scenario: OnBlog, point: FailPoint, armed: bool) -> None:
    async with a_way_to(site.url) as way:
        blog = Blog(_source(site, way.url, scenario.name), way, point)
        replier = Replier(desk, {scenario.name: blog})
        task = asyncio.create_task(replier.run())
        # What an earlier life left is carried first.
        await carried(desk, scenario.name)
        for number in itertools.count(await desk.looking(mentions_of, scenario.name)):
            assert number < _COMMENTS, "the point was never reached"
            if armed and not point.reached:
                blog.fates = list(scenario.fates)
            mention = incoming(scenario.name, scenario.first + number)
            await desk.acting(
                take_in, source=scenario.name, batch=Batch(mentions=(mention,), cursor=str(number))
            )
            await desk.acting(write_one, scenario.name)
            await carried(desk, scenario.name)
            if not armed:
                break
        replier.stop()
        await task


def _source(site: Site, url: str, name: str) -> WordPress:
    options = Options(
        url=url, username=site.username, password=Secret(value=site.password), allow_private=True
    )
    settings = SourceSettings(name=name, type="wordpress", options=options)
    return WordPress(settings, NetworkSettings(timeout=timedelta(seconds=30)))


def _comments(site: Site, scenarios: Sequence[OnBlog]) -> None:
    """Patrons write, as many as there may be answers."""
    site.sql("delete from wp_comments")
    for place, scenario in enumerate(scenarios):
        scenario.first = 1_000 + place * _COMMENTS
    last = 1_000 + len(scenarios) * _COMMENTS
    rows = ",".join(
        f"({id_}, 1, 'Ada', 'Question {id_}?', now(), utc_timestamp(), '1', 'comment', '')"
        for id_ in range(1_000, last)
    )
    site.sql(
        "insert into wp_comments (comment_ID, comment_post_ID, comment_author, comment_content, "
        "comment_date, comment_date_gmt, comment_approved, comment_type, comment_agent) "
        f"values {rows}"
    )


def _judge(scenario: OnBlog, url: str, standing: Counter[int]) -> int:
    """What stands on the site against what the database says; how many answers there were."""
    rows = ask(url, select(replies).where(replies.c.source == scenario.name))
    asked = ask(url, select(mentions.c.number).where(mentions.c.source == scenario.name))
    # A mention that nobody came to answer has a comment too.
    comment = {number: scenario.first + at for at, (number,) in enumerate(sorted(asked))}
    there = sum(standing[id_] for id_ in comment.values())
    if there != len(rows) or not rows:
        scenario.wrong.append(f"{len(rows)} answers were written, and {there} stand there")
    for row in rows:
        times = standing[comment[row.mention]]
        if times != 1 or row.state != "sent":
            scenario.wrong.append(f"answer {row.id} is {row.state}, stands {times} times")
    return len(rows)


def run(points: Sequence[str] = POINTS) -> Report:
    """Kill at each of these points, once."""
    quiet()
    began = time.monotonic()
    report = Report(
        [OnBlog(name=f"blog{n}", point=point, fault="crash") for n, point in enumerate(points)]
    )
    try:
        with wordpress() as site, a_database("sqlite") as url:
            report.answers = _played(site, url, report.scenarios)
    except pytest.skip.Exception as lacking:
        report.skipped = str(lacking)
    report.seconds = time.monotonic() - began
    return report


def _played(site: Site, url: str, scenarios: Sequence[OnBlog]) -> int:
    """Play them all and look what came of them; how many answers there were."""
    warm = OnBlog(name="warm", point="", fault="")
    everyone = [warm, *scenarios]
    _comments(site, everyone)
    rooms = [Room(platform="local", id=one.name) for one in everyone]
    desk = answering(a_desk(url, rooms, life=_LIFE))
    play(desk, site, warm, armed=False)
    ready_to_fork(desk)
    Stage(scenarios, partial(play, desk, site), _AT_ONCE).play_all()
    ours = site.sql(f"select comment_parent from wp_comments where user_id = {site.editor}")
    standing = Counter(int(one) for one in ours.split())
    return sum(_judge(one, url, standing) for one in scenarios)

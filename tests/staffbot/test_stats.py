"""Figures in chat: what is counted where, what is said of it, who may see what, and sharing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from staffbot import stats
from staffbot.desk import claims, closing, closures, conversations, rendering, undoing
from staffbot.desk.arrivals import take_in
from staffbot.dispatch import Dispatch
from staffbot.messages import Button, Choice, Message
from staffbot.model import Actor, Done, Kind, Outcome, Room
from staffbot.network import AnsweredAtSource, Batch
from staffbot.settings import PerPerson, Settings, Team, TeamRoom
from staffbot.stats import By, Figures, periods, question, saying
from staffbot.tables import posts
from tests.library import CHANNEL, HOURS, TUESDAY, Library

OTHER = Room(platform="local", id="children")
TEAMS = (
    Team(key="adult", name="Adult services", rooms=(TeamRoom(room=CHANNEL),), hours=HOURS),
    Team(key="children", name="Children", rooms=(TeamRoom(room=OTHER),), hours=HOURS),
)
Ask = Callable[..., Any]


def counted(library: Library, days: float = 30, **wanted: Any) -> Figures:
    now = library.clock.now
    return library.desk.look(
        lambda tx: stats.figures(
            tx.conn, tx.settings, start=now - timedelta(days=days),
            end=wanted.pop("end", now + timedelta(days=1)), now=tx.now, **wanted,
        )
    )  # fmt: skip


def close(library: Library, number: int, who: str = "ana", **how: Any) -> Done:
    how = {"outcome": Outcome.ANSWERED} | how
    done = library.desk.act(closing.close, number, library.person(who), **how)
    assert isinstance(done, Done)
    return done


def answered(library: Library, minutes: int = 40, who: str = "ana", **incoming: Any) -> int:
    """One mention that came in, was claimed after half the time and answered after all of it."""
    number = library.arrives(**incoming)
    library.clock.forward(minutes=minutes / 2)
    library.claim(number, who)
    library.clock.forward(minutes=minutes / 2)
    close(library, number, who)
    return number


# --- what is counted where ----------------------------------------------------------------------


def test_an_answer_while_closed_counts_as_no_waiting(library: Library) -> None:
    library.clock.now = datetime(2026, 3, 3, 20, 0, tzinfo=UTC)
    for _ in range(5):
        answered(library, minutes=30)
    found = counted(library)
    assert found.to_answer.n == 5
    assert found.to_answer.median == found.to_answer.ninetieth == timedelta(0)
    assert found.to_answer.share == 1.0


def test_an_answer_given_elsewhere_counts_at_its_own_time(sqlite_library: Library) -> None:
    library = sqlite_library
    numbers = [library.arrives() for _ in range(5)]
    came = library.clock.now
    library.clock.forward(days=1)
    for number in numbers[:4]:
        close(library, number, at=came + timedelta(minutes=25))
    change = AnsweredAtSource(native_id="n5", at=came + timedelta(minutes=25), account="library")
    library.desk.act(take_in, source="social", batch=Batch(changes=(change,)))
    that_day = counted(library, days=3, end=came + timedelta(hours=1))
    assert (that_day.answered, that_day.to_answer.median) == (5, timedelta(minutes=25))
    assert that_day.closed == 0
    assert counted(library, days=0.5).closed == 4


def test_a_closure_announced_later_does_not_change_what_was_measured(library: Library) -> None:
    for minutes in (30, 40, 50, 60, 70):
        answered(library, minutes=minutes)
    before = counted(library)
    announcement = closures.Announcement(
        team=None, starts_at=TUESDAY, ends_at=TUESDAY + timedelta(days=1), opens=False,
        reason="burst pipe", said="today",
    )  # fmt: skip
    library.desk.act(closures.announce, announcement, library.person("mia"))
    assert counted(library) == before
    assert before.to_answer.median == timedelta(minutes=50)


def test_what_was_undone_never_happened(library: Library) -> None:
    number = library.arrives()
    library.claim(number)
    done = close(library, number)
    assert done.event is not None
    library.desk.act(undoing.undo, done.event, library.person("ana"))
    found = counted(library)
    assert (found.claimed, found.answered, found.closed, found.open) == (1, 0, 0, 1)
    close(library, number)
    found = counted(library)
    assert (found.answered, found.closed, found.open) == (1, 1, 0)


def test_each_cycle_counts_and_only_its_first_claim(library: Library) -> None:
    number = answered(library)
    library.desk.act(closing.reopen, number, library.person("ben"))
    library.claim(number, "ben")
    library.desk.act(claims.release, number, library.person("ben"))
    library.claim(number, "ana")
    close(library, number)
    found = counted(library, by=By.PERSON)
    assert (found.received, found.reopened, found.claimed, found.answered) == (1, 1, 2, 2)
    assert {g.key: g.figures.claimed for g in found.groups} == {"ana": 1, "ben": 1}


def test_each_thing_counts_for_the_team_that_had_the_mention_then(library: Library) -> None:
    library.reconfigure(teams=TEAMS)
    number = library.arrives()
    library.claim(number)
    library.desk.act(conversations.move, number, "children", library.person("ana"))
    library.claim(number, "ben")
    assert counted(library, teams=["children"]).open == 1
    close(library, number, "ben")
    found = {group.key: group.figures for group in counted(library, by=By.TEAM).groups}
    assert (found["adult"].received, found["adult"].claimed) == (1, 1)
    assert (found["adult"].answered, found["adult"].closed) == (0, 0)
    # The first claim is the patron's wait; that another team claimed it again is not a second one.
    assert (found["children"].received, found["children"].claimed) == (0, 0)
    assert (found["children"].answered, found["children"].closed) == (1, 1)


def test_a_period_holds_its_beginning_and_not_its_end(library: Library) -> None:
    library.arrives()
    came = library.clock.now

    def received(start: datetime, end: datetime) -> int:
        return library.desk.look(
            lambda tx: stats.figures(tx.conn, tx.settings, start=start, end=end, now=tx.now)
        ).received

    moment = timedelta(microseconds=1)
    assert received(came, came + moment) == 1
    assert received(came - moment, came) == 0
    assert received(came + moment, came + timedelta(days=1)) == 0


def test_a_team_that_was_taken_out_of_the_configuration_still_counts(library: Library) -> None:
    library.reconfigure(teams=TEAMS)
    number = library.arrives()
    library.desk.act(conversations.move, number, "children", library.person("ana"))
    close(library, number)
    library.reconfigure(teams=TEAMS[:1])
    assert counted(library).answered == 1
    assert [group.label for group in counted(library, by=By.TEAM).groups] == [
        "Adult services", "children",
    ]  # fmt: skip


def test_fewer_than_five_say_nothing_of_anyone(sqlite_library: Library) -> None:
    for _ in range(4):
        answered(sqlite_library)
    few = counted(sqlite_library).to_answer
    assert (few.n, few.median, few.ninetieth, few.within, few.share) == (4, None, None, None, None)
    answered(sqlite_library)
    assert counted(sqlite_library).to_answer.share == 1.0


def test_what_is_only_heard_is_counted_but_not_timed(sqlite_library: Library) -> None:
    for _ in range(5):
        answered(sqlite_library, kind=Kind.HASHTAG)
    found = counted(sqlite_library)
    assert (found.received, found.expecting, found.heard, found.answered) == (5, 0, 5, 5)
    assert (found.to_claim.n, found.to_answer.n) == (0, 0)


# --- local time ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
def test_every_quarter_of_two_years_lies_in_its_local_hour_and_day(zone: str) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    first, there = int(at.timestamp()) // 900, ZoneInfo(zone)
    hours, days = periods.Calendar(there, By.HOUR), periods.Calendar(there, By.DAY)
    for quarter in range(first, first + 2 * 365 * 96, 1):
        local = datetime.fromtimestamp(quarter * 900, there)
        assert hours.key(quarter) == f"{local.hour:02}"
        assert days.key(quarter) == local.date().isoformat()


def test_quiet_days_are_listed_and_days_to_come_are_not(sqlite_library: Library) -> None:
    answered(sqlite_library)
    found = counted(sqlite_library, days=3, end=TUESDAY + timedelta(days=9), by=By.DAY)
    assert [(group.label, group.figures.received) for group in found.groups] == [
        ("Sat 28 Feb", 0), ("Sun 1 Mar", 0), ("Mon 2 Mar", 0), ("Tue 3 Mar", 1),
    ]  # fmt: skip


# --- what is asked ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "span", "by", "teams", "wishes"),
    [
        ("", "30d", None, ("adult",), ""),
        ("7d", "7d", None, ("adult",), ""),
        ("month by source", "month", By.SOURCE, ("adult",), ""),
        ("by topics last quarter chart", "last quarter", By.TOPIC, ("adult",), "chart"),
        ("CSV  Month  by HOUR", "Month", By.HOUR, ("adult",), "csv"),
        ("me 7d", "7d", None, ("adult",), "me"),
        ("me by person", "30d", None, ("adult",), "me"),
        ("2026-01-01..2026-02-28 all", "2026-01-01..2026-02-28", None, ("adult", "children"), ""),
        ("30d for Children chart", "30d", None, ("children",), "chart"),
        # Whoever asks for teams wants more than their own.
        ("month by team", "month", By.TEAM, ("adult", "children"), ""),
        ("by team for children", "30d", By.TEAM, ("children",), ""),
        ("for november by source", "november", By.SOURCE, ("adult",), ""),
        ("for the last 7 days", "the last 7 days", None, ("adult",), ""),
        ("1 feb to 15 feb for children", "1 feb to 15 feb", None, ("children",), ""),
        (
            "between 1 Feb and 15 Feb all",
            "between 1 Feb and 15 Feb",
            None,
            ("adult", "children"),
            "",
        ),
        ("all time", "ever", None, ("adult",), ""),
    ],
)
def test_a_question_is_read(
    sqlite_library: Library, typed: str, span: str, by: By | None, teams: Any, wishes: str
) -> None:
    sqlite_library.reconfigure(teams=TEAMS)
    asked = read(sqlite_library.settings, typed)
    assert (asked.span, asked.by, asked.teams) == (span, by, teams)
    assert (asked.me, asked.chart, asked.csv) == (
        wishes == "me",
        wishes == "chart",
        wishes == "csv",
    )
    # What a control says for it means the same, and so does the form with its days written out.
    for again in (
        read(sqlite_library.settings, asked.text),
        read(sqlite_library.settings, asked.fixed()),
    ):
        assert (again.by, again.teams, again.me, again.chart) == (by, teams, asked.me, asked.chart)
        assert again.stretch[:2] == asked.stretch[:2]


def read(settings: Settings, typed: str) -> question.Question:
    return question.parse(typed, settings=settings, teams=("adult",), now=TUESDAY)


# --- what is said -------------------------------------------------------------------------------

GOLDEN = """\
Riverside Library, last 7 days (25 Feb to 3 Mar 2026): 8 came in, 7 expecting an answer; \
6 answered, 83 % within target.
Riverside Library, last 7 days (25 Feb to 3 Mar 2026)
Came in: 8 (7 expecting an answer, 1 heard)
Done: 6 claimed, 6 answered, 6 closed
Open now: 2, 1 of them overdue
Time to claim: median 20 min, nine of ten within 2 h 30 min (n = 6)
Time to first answer: median 40 min, nine of ten within 4 h 50 min (n = 6)
Answered within target: 5 of 6 (83 %)
By source
- Social: 6 came in, 5 answered, 1 open now, first answer median 40 min, 80 % within target (n = 5)
- Blog: 2 came in, 1 answered, 1 open now, times too few to say (n = 1)
How it is counted: everything at the time when it happened, for the team that had it then; \
what was undone is left out. Times are in opening time, up to the first claim and the first \
answer, of mentions that expect an answer; an answer while closed counts zero, waiting for the \
patron does not count. Reopened mentions count again. Open and overdue are as of now. \
Fewer than 5: too few to say."""


@pytest.fixture
def ask(sqlite_library: Library, tmp_path: Path) -> Ask:
    """Ask as somebody in a room; `press` for a control."""
    sqlite_library.reconfigure(data=tmp_path)
    dispatch = Dispatch(sqlite_library.desk)

    async def asked(
        text: str, who: str = "ana", room: Room | None = CHANNEL, press: str = ""
    ) -> Any:
        actor = Actor(platform="local", user_id=who, name="", room=room)
        if press:
            return await dispatch.press(actor, press, None, text)
        return await dispatch.command(actor, f"stats {text}")

    return asked


async def test_the_answer_word_for_word(sqlite_library: Library, ask: Ask) -> None:
    library = sqlite_library
    library.clock.now -= timedelta(days=1)
    for minutes in (40, 40, 30, 20):
        answered(library, minutes=minutes)
    answered(library, minutes=60, source="blog")
    # Until ten minutes after closing.
    answered(library, minutes=300)
    library.clock.now = TUESDAY
    library.arrives()
    library.clock.forward(hours=5)
    library.arrives(source="blog", kind=Kind.ENTRY, expects_answer=False)
    reply = await ask("7d by source")
    assert reply.plain() == GOLDEN
    assert reply.silent


async def test_nothing_yet_is_said_in_whole_sentences(ask: Ask) -> None:
    reply = await ask("")
    assert "0 came in" in reply.text
    assert "Time to claim: none yet" in reply.plain()
    assert "Open now: nothing" in reply.plain()


async def test_controls_ask_the_same_with_one_thing_changed(
    sqlite_library: Library, ask: Ask
) -> None:
    answered(sqlite_library)
    reply = await ask("7d by source")
    by_name = {control.name: control for control in reply.controls}
    assert list(by_name) == ["share_stats", "stats_chart", "stats", "stats_by"]
    assert len({control.name for control in reply.controls}) == len(reply.controls)
    days, groups = by_name["stats"], by_name["stats_by"]
    assert isinstance(days, Choice)
    assert isinstance(groups, Choice)
    for value, label in days.options:
        again = await ask(value, press="stats")
        assert "By source" in again.plain(), label
    assert "By topic" in (await ask(dict_of(groups)["Topic"], press="stats_by")).plain()
    assert "Person" not in dict_of(groups)


def dict_of(choice: Choice) -> dict[str, str]:
    return {label: value for value, label in choice.options}


@pytest.mark.parametrize(
    ("typed", "helps"),
    [
        ("by colour", "They can by: person, source, team"),
        ("for gardening", "The teams are: Adult services"),
        ("sometimes", "Write for instance 7d"),
        ("2027-01-01..2027-02-01", "still to come"),
    ],
)
async def test_what_cannot_be_read_is_answered_with_what_can(
    ask: Ask, typed: str, helps: str
) -> None:
    assert helps in (await ask(typed)).text


# --- who may see what ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "may"),
    [
        (PerPerson.NOBODY, set()),
        (PerPerson.MANAGERS, {"mia", "dora"}),
        (PerPerson.EVERYONE, {"mia", "dora", "ana"}),
    ],
)
async def test_figures_by_person_are_for_whom_the_setting_says(
    sqlite_library: Library, ask: Ask, setting: PerPerson, may: set[str]
) -> None:
    sqlite_library.reconfigure(figures_by_person=setting)
    answered(sqlite_library, who="ben")
    answered(sqlite_library, who="desk")
    for who in ("ana", "mia", "dora", "desk"):
        reply = await ask("by person", who)
        if who in may:
            assert "Ben Okafor: 1 claimed, 1 answered" in reply.plain()
            assert "Front desk" not in reply.plain()
            shares = [
                c for c in reply.controls if isinstance(c, Button) and c.name == "share_stats"
            ]
            assert bool(shares) is (setting is PerPerson.EVERYONE)
        else:
            assert "stats me" in reply.text
            assert "Ben" not in reply.plain()
        shared = await ask("30d by person", who, press="share_stats")
        if who not in may or setting is not PerPerson.EVERYONE:
            assert "Shared" not in shared.text


async def test_everyone_sees_their_own_except_a_shared_login(
    sqlite_library: Library, ask: Ask
) -> None:
    for _ in range(5):
        answered(sqlite_library, who="ben")
    answered(sqlite_library, who="ana")
    mine = await ask("me", "ben")
    assert mine.text.startswith("Ben Okafor's figures")
    assert "5 claimed, 5 answered, 5 closed, 100 % within target" in mine.text
    assert "Came in" not in mine.plain()
    assert not [c for c in mine.controls if c.name == "share_stats"]
    assert "not shared" in (await ask("30d me", "ben", press="share_stats")).text
    assert "shared login" in (await ask("me", "desk")).text


# --- share here ---------------------------------------------------------------------------------


async def test_sharing_posts_the_question_and_counts_when_it_is_sent(
    sqlite_library: Library, ask: Ask
) -> None:
    library = sqlite_library
    library.arrives()
    reply = await ask("7d by source")
    button = next(c for c in reply.controls if c.name == "share_stats")
    assert isinstance(button, Button)
    before = len(library.rows(posts))
    assert (await ask(button.value, press="share_stats")).text == "Shared in this channel."
    assert "just now" in (await ask(button.value, press="share_stats")).text
    row = library.rows(posts)[-1]
    assert (len(library.rows(posts)), row.kind) == (before + 1, "figures")
    assert row.detail == {
        "asked": "2026-02-25..2026-03-03 by source", "teams": ["adult"], "by": "ana",
    }  # fmt: skip
    library.arrives()
    shown = library.desk.look(rendering.shown, row.key)
    assert isinstance(shown, Message)
    assert "25 Feb to 3 Mar 2026: 2 came in" in shown.text
    assert saying.RULE in shown.plain()
    assert shown.controls == ()
    # Days later it still tells of the same days.
    library.clock.forward(days=20)
    again = library.desk.look(rendering.shown, row.key)
    assert again is not None
    assert "25 Feb to 3 Mar 2026: 2 came in" in again.text


async def test_there_is_no_sharing_outside_a_teams_channel(ask: Ask) -> None:
    assert not [c for c in (await ask("", room=None)).controls if c.name == "share_stats"]
    assert "team's channel only" in (await ask("30d", room=None, press="share_stats")).text
    elsewhere = Room(platform="local", id="lunch")
    assert "team's channel only" in (await ask("30d", room=elsewhere, press="share_stats")).text


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 min"),
        (0.6, "1 min"),
        (59.4, "59 min"),
        (59.6, "1 h"),
        (80, "1 h 20 min"),
        (1560, "26 h"),
    ],
)
def test_opening_time_is_said_in_hours(minutes: float, said: str) -> None:
    assert saying.open_time(timedelta(minutes=minutes)) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(1.0, "100 %"), (0.999, "99 %"), (0.001, "1 %"), (0.0, "0 %"), (0.5, "50 %")],
)
def test_nothing_is_rounded_to_all_or_none(share: float, said: str) -> None:
    assert saying.percent(share) == said

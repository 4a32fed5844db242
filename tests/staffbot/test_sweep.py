"""The sweep through the real desk, on both databases: who is told what, when, and only once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from staffbot.desk import claims, closing, pausing, preferences, reminding
from staffbot.desk.ledger import Desk, Tx
from staffbot.messages import Bullets, plain
from staffbot.model import Outcome, Status
from staffbot.settings import Nagging, StaffMember
from staffbot.store import Store
from staffbot.tables import digests, events, nags, people, posts
from tests.library import Library
from tests.staffbot.clockwork import Clockwork, buttons, named, wall


@pytest.fixture
def works(library: Library) -> Clockwork:
    return Clockwork(library)


@pytest.fixture
def quick(sqlite_library: Library) -> Clockwork:
    """Where the database makes no difference."""
    return Clockwork(sqlite_library)


def test_what_nobody_takes_is_one_line_that_is_edited_in_place(works: Clockwork) -> None:
    for _ in range(3):
        works.library.arrives()
    works.at(wall(3, 11, 20))
    assert works.lines() == []
    works.at(wall(3, 11, 30))
    assert works.lines() == [
        "3 mentions wait for someone to take them: the next is due by Tue 3 Mar 12:00."
    ]
    works.at(wall(3, 12, 0))
    works.library.claim(1)
    works.at(wall(3, 12, 5))
    assert works.lines() == ["2 mentions wait for someone to take them: 2 past the target."]
    works.library.claim(2)
    works.library.claim(3)
    works.at(wall(3, 12, 10))
    assert works.lines() == ["Everything that came in is taken."]
    works.library.arrives()
    works.at(wall(3, 14, 0))
    assert len(works.lines()) == 1, "still the same message"


def test_a_line_that_had_nothing_to_say_comes_back_the_same_day(quick: Clockwork) -> None:
    quick.library.arrives()
    quick.outbox_is_late = True
    quick.at(wall(3, 11, 30))
    quick.library.claim(1)
    quick.outbox_is_late = False
    quick.carry()
    assert quick.lines() == []
    quick.library.arrives()
    quick.at(wall(3, 15, 0))
    assert len(quick.lines()) == 1


def test_a_new_day_has_a_line_of_its_own_and_the_old_one_says_so(quick: Clockwork) -> None:
    quick.library.arrives()
    quick.at(wall(3, 12))
    quick.at(wall(4, 9))
    old, new = quick.lines()
    assert old == "What waited here is in the newest line below."
    assert new.startswith("1 mention waits for someone to take it")


def test_a_line_of_yesterday_is_true_today(quick: Clockwork) -> None:
    quick.library.arrives()
    quick.at(wall(3, 12))
    quick.library.claim(1)
    quick.at(wall(4, 9))
    assert quick.lines() == ["Everything that came in is taken."]


def test_thirty_mentions_on_a_monday_morning_are_one_message(works: Clockwork) -> None:
    works.library.clock.now = wall(6, 17, 50)
    for _ in range(30):
        works.library.claim(works.library.arrives())
    works.at(wall(8, 12))
    assert works.letters("ana") == []
    swept = works.at(wall(9, 9, 30))
    assert (swept.looked_at, swept.messages) == (30, 1)
    (message,) = works.letters("ana")
    assert message.text == (
        "You have 30 mentions to answer, 30 of them past the target. Are you still on them?"
    )
    assert len(named(message)) == 12
    works.at(wall(9, 9, 40))
    assert len(works.letters("ana")) == 1


def test_a_reminder_names_everything_that_a_person_owes(works: Clockwork) -> None:
    works.library.claim(works.library.arrives())
    works.library.clock.forward(hours=2)
    works.library.claim(works.library.arrives())
    works.at(wall(3, 13))
    (message,) = works.letters("ana")
    assert named(message) == [1, 2]
    assert message.text == "You have 2 mentions to answer; the first is due soon."
    assert {"still", "hand_over", "mine"} <= set(buttons(message))


def test_warned_then_overdue_then_the_manager_and_then_no_more(works: Clockwork) -> None:
    works.library.claim(works.library.arrives())
    for hour in range(10, 18):
        for minute in range(0, 60, 10):
            works.at(wall(3, hour, minute))
    assert [message.text for message in works.letters("ana")] == [
        "You have 1 mention to answer; it is due soon.",
        "You have 1 mention to answer; it is past its target.",
    ]
    (message,) = works.letters("mia")
    assert message.text == "1 mention of Adult services waited well past the target."
    assert works.letters("dora") == []
    told = [(row.step, row.recipient) for row in works.library.rows(nags)]
    assert sorted(told) == [
        ("answer_manager", "mia"), ("answer_overdue@ana", "ana"), ("answer_warn@ana", "ana"),
    ]  # fmt: skip


def test_nothing_is_said_after_it_is_done(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.claim(number)
    works.do(closing.close, number, works.person("ana"), outcome=Outcome.ANSWERED)
    works.at(wall(3, 17))
    works.at(wall(5, 12))
    assert works.kind("nag") == []


def test_nothing_to_who_did_something_in_the_last_ten_minutes(works: Clockwork) -> None:
    works.library.claim(works.library.arrives())
    other = works.library.arrives()
    works.library.clock.now = wall(3, 12, 55)
    works.library.claim(other)
    works.at(wall(3, 13, 0))
    assert works.letters("ana") == []
    assert works.library.rows(nags) == [], "what was suppressed does not count"
    works.at(wall(3, 13, 5))
    assert len(works.letters("ana")) == 1


def test_quiet_hours_put_off_and_do_not_count(works: Clockwork) -> None:
    works.library.claim(works.library.arrives())
    works.do(preferences.be_quiet, works.person("ana"), "12:30", "14:30")
    works.at(wall(3, 13))
    works.at(wall(3, 14, 29))
    assert works.letters("ana") == []
    works.at(wall(3, 14, 34))
    (message,) = works.letters("ana")
    assert message.text.endswith("; it is past its target."), "the later step says both"


def test_at_most_so_many_messages_a_day(works: Clockwork) -> None:
    team = works.library.settings.teams[0]
    works.library.reconfigure(teams=(replace(team, nagging=Nagging(most_a_day=2)),))
    for minute in range(0, 50, 10):
        works.library.clock.now = wall(3, 9, minute)
        works.library.claim(works.library.arrives(), "mia")
    for minute in range(0, 300, 10):
        works.at(wall(3, 12) + timedelta(minutes=minute))
    assert len(works.letters("mia")) == 2, "owner and manager in one count"
    works.at(wall(4, 9, 30))
    assert len(works.letters("mia")) == 4, "the next day goes on with what was suppressed"


def test_no_reminder_in_closed_hours_even_when_the_outbox_is_late(works: Clockwork) -> None:
    works.library.clock.now = wall(3, 14)
    works.library.claim(works.library.arrives())
    works.library.arrives()
    works.outbox_is_late = True
    works.at(wall(3, 17, 59))
    works.outbox_is_late = False
    works.library.clock.now = wall(3, 18, 1)
    works.carry()
    assert works.letters("ana") == []
    assert works.lines() == []
    works.at(wall(3, 20))
    assert works.letters("ana") == []
    works.at(wall(4, 9, 0))
    assert len(works.letters("ana")) == 1
    assert len(works.lines()) == 1
    told = [row for row in works.library.rows(events) if row.what == "nagged"]
    assert sorted(row.undone_by == row.id for row in told if row.detail["told"] == "ana") == [
        False, True,
    ], "the history does not tell of a reminder that nobody got"  # fmt: skip


def test_several_reminders_that_could_not_go_out_become_one(works: Clockwork) -> None:
    works.library.claim(works.library.arrives())
    works.outbox_is_late = True
    works.at(wall(3, 13))
    works.at(wall(3, 14))
    works.outbox_is_late = False
    works.carry()
    (message,) = works.letters("ana")
    assert message.text.endswith("; it is past its target.")


def test_who_is_given_something_late_is_not_reminded_of_it_at_once(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.claim(number)
    works.at(wall(3, 15))
    works.do(claims.assign, number, works.person("ben"), works.person("ana"))
    works.at(wall(3, 15, 5))
    assert works.letters("ben") == [], "they were told that it is theirs"
    works.at(wall(3, 15, 11))
    assert len(works.letters("ben")) == 1, "each step once for each owner"
    assert len(works.letters("ana")) == 1


def test_a_snooze_silences_and_stops_no_clock(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.claim(number)
    works.do(pausing.snooze, number, works.person("ana"), wall(3, 14, 30))
    works.at(wall(3, 14, 10))
    assert works.letters("ana") == []
    works.at(wall(3, 14, 31))
    (message,) = works.letters("ana")
    assert "past its target" in message.text


def test_a_silent_mention_is_not_named_with_the_others(quick: Clockwork) -> None:
    first, second = quick.library.arrives(), quick.library.arrives()
    quick.library.claim(first)
    quick.library.claim(second)
    quick.do(pausing.snooze, second, quick.person("ana"), wall(4, 9))
    quick.at(wall(3, 13))
    (message,) = quick.letters("ana")
    assert named(message) == [first]


def test_a_stale_claim_is_asked_about_and_given_back(works: Clockwork) -> None:
    number = works.library.arrives(expects_answer=True)
    works.library.claim(number)
    works.at(wall(3, 13))
    works.at(wall(3, 14))
    works.at(wall(3, 16))
    works.at(wall(4, 9, 50))
    before = len(works.letters("ana"))
    works.at(wall(4, 10, 0))
    assert len(works.letters("ana")) == before + 1
    assert works.library.mention(number).still_asked_at == wall(4, 10, 0)
    asked = works.letters("ana")[-1]
    assert asked.text == "You have 1 mention to answer; it is past its target. Are you still on 1?"
    assert "After another, it goes back to the team." in repr(asked.parts[0])
    works.at(wall(5, 9, 59))
    assert works.library.mention(number).owner == "ana"
    swept = works.at(wall(5, 10, 0))
    assert swept.given_back == 1
    mention = works.library.mention(number)
    assert (mention.status, mention.owner, mention.last_owner) == (Status.OPEN, None, "ana")
    (notice,) = works.notices()
    assert notice.text == "1 is open for the team again: nobody was on it for a while."
    assert "Ana" not in repr(notice), "nobody is named as late in a room"
    assert buttons(notice) == ["claim"]


def test_still_on_it_keeps_a_claim(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.claim(number)
    works.at(wall(4, 10))
    works.library.clock.now = wall(4, 11)
    works.do(pausing.still_on_it, number, works.person("ana"))
    works.at(wall(5, 10))
    assert works.library.mention(number).owner == "ana"
    works.at(wall(5, 11))
    works.at(wall(6, 11))
    assert works.library.mention(number).owner is None, "asked anew, and given back"


def test_a_question_that_was_never_asked_gives_nothing_back(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.claim(number)
    works.at(wall(3, 16))
    works.outbox_is_late = True
    works.at(wall(4, 17, 59))
    works.library.clock.now = wall(4, 18, 30)
    works.outbox_is_late = False
    works.carry()
    works.at(wall(5, 9))
    works.at(wall(5, 17, 59))
    assert works.library.mention(number).owner == "ana"
    works.at(wall(6, 9, 1))
    assert works.library.mention(number).owner is None


def test_waiting_long_for_a_patron_makes_no_claim_stale(quick: Clockwork) -> None:
    first = quick.library.incoming(conversation="c1")
    quick.library.take_in(first)
    quick.library.claim(1)
    quick.do(pausing.wait, 1, quick.person("ana"))
    quick.at(wall(6, 10))
    assert quick.letters("ana") == []
    follow_up = replace(first, native_id="more", posted_at=quick.library.clock.now)
    quick.library.take_in(follow_up)
    quick.at(wall(6, 10, 1))
    assert quick.letters("ana") == []
    quick.at(wall(6, 13))
    assert len(quick.letters("ana")) == 1, "the clock went on where it stood"


def test_nags_in_the_channel_name_nobody(works: Clockwork) -> None:
    works.do(preferences.nag_by, works.person("ana"), "channel")
    works.library.claim(works.library.arrives(), "ana")
    works.library.claim(works.library.arrives(), "desk")
    works.at(wall(3, 13))
    messages = [one.message for one in works.kind("nag")]
    assert [message.text for message in messages] == ["1 claimed mention is to be answered."] * 2
    assert not any(name in repr(messages) for name in ("Ana", "Front desk"))
    bullets = [part for message in messages for part in message.parts if isinstance(part, Bullets)]
    assert plain(bullets[0].lines[0]) == "#1 · mention on Social · answer by Tue 3 Mar 14:00"


def test_a_reminder_in_the_channel_says_so_at_the_moment_when_it_falls_due(
    works: Clockwork,
) -> None:
    works.do(preferences.nag_by, works.person("ana"), "channel")
    works.library.claim(works.library.arrives(), "ana")
    for _ in range(2):
        works.library.claim(works.library.arrives(), "desk")
    works.at(wall(3, 14))
    messages = {one.message.text: one.message for one in works.kind("nag")}
    assert set(messages) == {
        "1 claimed mention is to be answered; it is past its target.",
        "2 claimed mentions are to be answered, 2 past the target.",
    }
    bullets = [part for one in messages.values() for part in one.parts if isinstance(part, Bullets)]
    assert all(plain(line).endswith("(overdue)") for part in bullets for line in part.lines)


def test_the_manager_step_falls_back(works: Clockwork) -> None:
    works.library.arrives()
    works.do(_away, "mia", wall(9, 9))
    works.at(wall(3, 13))
    assert len(works.letters("dora")) == 1
    works.library.clock.now = wall(4, 9)
    works.library.arrives()
    works.do(_away, "dora", wall(4, 15))
    works.at(wall(4, 12))
    assert len(works.letters("dora")) == 1, "nobody is here"
    works.at(wall(4, 15, 0))
    assert len(works.letters("dora")) == 2, "told once somebody is"


def test_without_any_manager_the_step_ends(quick: Clockwork) -> None:
    quick.library.reconfigure(staff=(StaffMember(key="ana", name="Ana", ids={"local": "ana"}),))
    quick.library.arrives()
    quick.at(wall(3, 13))
    assert quick.library.mention(1).next_step_at is None
    assert {row.recipient for row in quick.library.rows(nags)} == {"team", "nobody"}


def test_what_was_claimed_meanwhile_needs_no_manager(quick: Clockwork) -> None:
    quick.library.arrives()
    quick.outbox_is_late = True
    quick.at(wall(3, 13))
    quick.library.claim(1)
    quick.outbox_is_late = False
    quick.carry()
    assert quick.letters("mia") == []


def _away(tx: Tx, key: str, until: datetime) -> None:
    tx.conn.execute(update(people).where(people.c.key == key).values(away_until=until))


def test_two_sweeps_at_once_are_one_nag(library: Library) -> None:
    works = Clockwork(library)
    for _ in range(5):
        library.claim(library.arrives(), "ana")
        library.claim(library.arrives(), "ben")
        library.arrives()
    library.clock.now = wall(3, 16)
    others = [Desk(Store.open(library.url), library.settings, library.clock) for _ in range(3)]
    start = threading.Barrier(len(others))
    problems: list[BaseException] = []

    def ring(desk: Desk) -> None:
        try:
            start.wait(30)
            desk.act(reminding.sweep)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=ring, args=(desk,)) for desk in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for desk in others:
        desk.store.close()
    assert problems == []
    works.carry()
    assert (len(works.letters("ana")), len(works.letters("ben"))) == (1, 1)
    assert len(works.letters("mia")) == 1
    assert len(works.lines()) == 1
    wanted = [row.key for row in library.rows(posts) if row.kind == "nag"]
    assert len(wanted) == 3


@pytest.mark.parametrize("gone", [timedelta(hours=1), timedelta(days=1), timedelta(days=7)])
def test_after_downtime_each_step_is_one_message(library: Library, gone: timedelta) -> None:
    works = Clockwork(library)
    for _ in range(4):
        library.claim(library.arrives())
        library.arrives()
    works.at(wall(3, 12, 50))
    lines = len(works.lines())
    now = wall(3, 12, 50) + gone
    for minute in range(0, 60, 10):
        works.at(now + timedelta(minutes=minute))
    owed = works.letters("ana")
    assert 1 <= len(owed) <= 2, [message.text for message in owed]
    assert len(works.lines()) <= lines + 1
    assert len({row.recipient for row in library.rows(nags) if row.recipient == "mia"}) <= 1


@pytest.mark.parametrize(
    "jump", [timedelta(hours=1), timedelta(days=1), -timedelta(hours=1), -timedelta(days=1)]
)
def test_a_clock_that_is_set_brings_no_storm(library: Library, jump: timedelta) -> None:
    works = Clockwork(library)
    for _ in range(3):
        library.claim(library.arrives())
        library.arrives()
    works.at(wall(3, 14, 30))
    before = len(works.kind("nag"))
    for _ in range(3):  # there and back, in a loop
        works.at(wall(3, 14, 40) + jump)
        works.at(wall(3, 14, 50))
    told = [(row.mention, row.cycle, row.step, row.recipient) for row in library.rows(nags)]
    assert len(told) == len(set(told))
    assert len(works.kind("nag")) - before <= 3, "what came due by the jump, once"
    days = [row.day for row in library.rows(digests)]
    assert len(days) == len(set(days))

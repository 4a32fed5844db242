"""Dispatch through its own door: typed commands, presses and forms on a real desk, both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import text, update

from staffbot.commands import VERBS, find
from staffbot.desk import carriage, delivery, rounds
from staffbot.desk.ledger import Tx
from staffbot.dispatch import Dispatch
from staffbot.dispatch.asking import FORMS
from staffbot.dispatch.entrance import HANDLERS
from staffbot.errors import DeliveryError
from staffbot.messages import Button, Form, Message, Quote
from staffbot.model import Actor, Happened, Kind, Outcome, Room, Status, Visibility
from staffbot.seams import Desk as DeskSeam
from staffbot.settings import Route, StaffMember, Team, TeamRoom
from staffbot.tables import events, mentions, people, posts
from tests.library import CHANNEL, HOURS, STAFF, Library

KIDS = Room(platform="local", id="kids")
BACK_ROOM = Room(platform="local", id="back-room")
TWO_TEAMS = (
    Team(key="adult", name="Adult services", rooms=(TeamRoom(room=CHANNEL),), hours=HOURS),
    Team(
        key="kids", name="Children", hours=HOURS,
        rooms=(TeamRoom(room=KIDS), TeamRoom(room=BACK_ROOM, private=True)),
    ),
)  # fmt: skip


def actor(who: str = "ana", room: Room | None = CHANNEL, thread: str = "") -> Actor:
    return Actor(platform="local", user_id=who, name=who.capitalize(), room=room, thread=thread)


class Staff:
    """Several people at the one dispatch of a library."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.dispatch = Dispatch(library.desk)

    async def types(
        self, line: str, who: str = "ana", room: Room | None = CHANNEL, thread: str = ""
    ) -> Message:
        reply = await self.dispatch.command(actor(who, room, thread), line)
        assert isinstance(reply, Message), reply
        return reply

    async def says(self, line: str, who: str = "ana", room: Room | None = CHANNEL) -> str:
        return (await self.types(line, who, room)).text

    async def asked(self, line: str, who: str = "ana") -> Form:
        reply = await self.dispatch.command(actor(who), line)
        assert isinstance(reply, Form), reply
        return reply

    async def presses(
        self, control: str, mention: int | None = None, value: str = "", who: str = "ana"
    ) -> Message | Form:
        return await self.dispatch.press(actor(who), control, mention, value)


@pytest.fixture
def staff(sqlite_library: Library) -> Staff:
    return Staff(sqlite_library)


def undo_of(message: Message) -> Button:
    [undo] = [c for c in message.controls if isinstance(c, Button) and c.name == "undo"]
    return undo


def test_dispatch_is_the_desk_of_every_door(sqlite_library: Library) -> None:
    desk: DeskSeam = Dispatch(sqlite_library.desk)
    assert desk is not None


def test_every_verb_has_a_handler_and_every_form_is_there() -> None:
    assert {verb.name for verb in VERBS} <= set(HANDLERS)
    assert {verb.form for verb in VERBS if verb.form} <= set(FORMS)
    for name in HANDLERS:
        assert find(name) is not None


async def test_a_colleague_who_never_acted_is_named_on_both_databases(library: Library) -> None:
    dispatch = Dispatch(library.desk)
    library.arrives("Is the printer back?")
    nia = Actor(platform="local", user_id="nia", name="Nia New", home=CHANNEL)
    said = "assign 1 <@nia|nia>"
    refused = await dispatch.command(actor(), said)
    assert isinstance(refused, Message)
    assert "Nobody called “nia” is known here" in refused.text
    for _ in range(2):  # known already, it is no fault to be named again
        done = await dispatch.command(replace(actor(), named=(nia,)), said)
        assert isinstance(done, Message)
        assert not done.failed
    assert library.mention(1).owner == "local:nia"
    assert [person.name for person in await dispatch.staff() if person.key == "local:nia"] == [
        "Nia New"
    ]


async def test_the_way_of_one_mention_on_both_databases(library: Library) -> None:
    staff = Staff(library)
    library.arrives("Is the printer back?")
    assert await staff.says("claim") == "Mention 1 is yours."
    library.clock.forward(minutes=12)
    loser = await staff.types("claim 1", who="ben")
    assert loser.text == "Ana Silva has 1 since Tue 3 Mar 10:00 (12 min ago)."
    done = await staff.types("done")
    assert library.mention(1).outcome is Outcome.ANSWERED
    undone = await staff.presses("undo", None, undo_of(done).value)
    assert isinstance(undone, Message)
    assert library.mention(1).status is Status.CLAIMED
    assert (await staff.says("done 1 idea, thanks at 10:05")).startswith("1 is done")
    closed = library.mention(1)
    assert closed.topics == ("idea", "thanks")
    assert closed.answered_at == library.clock.now - timedelta(minutes=7)
    assert await staff.says("claim 1", who="ben") != ""
    assert await staff.says("reopen 1", who="ben") == "1 is open again, answer by Tue 3 Mar 14:12."


async def test_an_answer_at_a_time_alone_is_of_the_nearest_day(library: Library) -> None:
    staff = Staff(library)
    for _ in range(3):
        library.arrives()
    library.clock.forward(days=2)
    assert await staff.says("done 1 at 14:30") == (
        "14:30 is still to come today. For the day before, write yesterday 14:30; without a time it "
        "counts as answered now."
    )
    assert library.mention(1).status is Status.OPEN
    assert await staff.says("done 1 at yesterday 14:30") == "1 is done: answered Wed 4 Mar 14:30."
    assert await staff.says("done 2 at 9") == "2 is done: answered Thu 5 Mar 09:00."
    assert await staff.says("done 3 at 23:15") == "3 is done: answered Wed 4 Mar 23:15."


async def test_the_form_of_close_begins_with_what_was_typed(staff: Staff) -> None:
    staff.library.arrives()
    form = await staff.asked("close 1 #thanks idea at 9:45")
    assert {field.name: field.value for field in form.fields} == {
        "outcome": "answered", "topics": "idea,thanks", "at": "9:45", "note": "",
    }  # fmt: skip


async def test_an_undo_that_is_pressed_several_times_at_once_takes_one_act_back(
    library: Library,
) -> None:
    staff = Staff(library)
    library.arrives()
    await staff.says("claim 1")
    undo = undo_of(await staff.types("done 1"))
    replies = await asyncio.gather(*(staff.presses("undo", None, undo.value) for _ in range(8)))
    texts = [reply.text for reply in replies if isinstance(reply, Message)]
    assert sorted(texts) == ["That was undone already."] * 7 + ["Undone: 1 as before."]
    assert library.mention(1).status is Status.CLAIMED
    assert [row.what for row in library.rows(events)].count(Happened.UNDONE) == 1


async def test_one_winner_of_many_who_press_at_once(library: Library) -> None:
    staff = Staff(library)
    library.arrives()
    everybody = ["ana", "ben", "mia", "dora", "sam"] * 2
    replies = await asyncio.gather(*(staff.presses("claim", 1, who=who) for who in everybody))
    texts = [reply.text for reply in replies if isinstance(reply, Message)]
    winner = library.mention(1).owner
    assert texts.count("Mention 1 is yours.") == 1
    assert texts.count("Mention 1 is yours already.") == 1
    assert sum("since Tue 3 Mar 10:00" in said for said in texts) == 8
    assert winner is not None


async def test_presses_open_forms_and_forms_do_what_they_ask(staff: Staff) -> None:
    staff.library.arrives()
    form = await staff.presses("close", 1)
    assert isinstance(form, Form)
    assert (form.name, form.mention) == ("close", 1)
    assert [field.name for field in form.fields] == ["outcome", "topics", "note"]
    filled: dict[str, str | list[str]] = {
        "outcome": "passed_on",
        "topics": ["idea", "event"],
        "note": "Sent to the mayor",
    }
    await staff.dispatch.submit(actor(), form.name, form.mention, filled)
    closed = staff.library.mention(1)
    assert (closed.outcome, closed.topics) == (Outcome.PASSED_ON, ("idea", "event"))
    shown = await staff.types("show 1")
    assert "Sent to the mayor" in [part.text for part in shown.parts if isinstance(part, Quote)]


async def test_answered_there_takes_its_own_time(staff: Staff) -> None:
    staff.library.arrives()
    staff.library.clock.forward(minutes=50)
    await staff.types("claim 1")
    form = await staff.presses("answered", 1)
    assert isinstance(form, Form)
    await staff.dispatch.submit(actor(), form.name, form.mention, {"at": "10:20", "topics": []})
    answered = staff.library.mention(1)
    assert answered.status is Status.CLOSED
    assert answered.answered_at == staff.library.clock.now - timedelta(minutes=30)


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ("close 1", "close"), ("assign 1", "assign"), ("note 1", "note"), ("link 1", "link"),
        ("log", "log"), ("snooze 1", "snooze"), ("away", "away"),
    ],
)  # fmt: skip
async def test_a_typed_verb_asks_for_what_is_missing(staff: Staff, line: str, form: str) -> None:
    staff.library.arrives()
    assert (await staff.asked(line)).name == form


async def test_hand_over_of_one_and_of_all(staff: Staff) -> None:
    for _ in range(3):
        staff.library.claim(staff.library.arrives())
    one = await staff.presses("hand_over", 1)
    assert isinstance(one, Form)
    await staff.dispatch.submit(actor(), one.name, one.mention, {"person": "ben"})
    assert [staff.library.mention(n).owner for n in (1, 2, 3)] == ["ben", "ana", "ana"]
    await staff.presses("hand_over", 2, "team")
    assert [staff.library.mention(n).owner for n in (1, 2, 3)] == ["ben", None, "ana"]
    assert "3 is open for the team again" in await staff.says("hand over 3")
    await staff.says("claim 3")
    assert await staff.says("hand over 3 to Ben Okafor") == "Ben Okafor has 3 now and was told."
    await staff.says("assign 3 to Ana Silva", who="ben")
    assert (await staff.says("hand over to Mia Lang")).startswith("Mia Lang has 3")
    assert "nothing" in await staff.says("hand over")


async def test_refusals_help_and_say_who_can(staff: Staff) -> None:
    library = staff.library
    library.claim(library.arrives())
    for line, helps in (
        ("release 1", "Ana Silva has 1: they can do that, or a deputy or manager."),
        ("assign 1 to ben", "Ana Silva has 1: they can do that, or a deputy or manager."),
        ("clam 1", "There is no command “clam”. Did you mean `/lib claim 1`?"),
        ("claim 99", "There is no mention 99."),
        (
            "hand over to nobody-here",
            "Nobody called “nobody-here” is known here. Known are Ana Silva",
        ),
        ("done", "You have claimed nothing, so say which one is meant."),
        ("close 1 as spam, nonsense", "There is no topic “nonsense”."),
        ("done 1 at 25:00", "no time"),
        ("move 1 to kids", "There is no team called “kids”. The teams are: Adult services."),
        ("done https://nowhere.example/1", "No mention has that address."),
        ("help clam", "There is no command “clam”."),
        ("reopen", "Which one? Say its number, as its card shows it."),
    ):
        said = await staff.says(line, who="ben")
        assert helps in said, said
    assert library.mention(1).owner == "ana"
    assert await staff.says("release 1", who="mia") == "1 is open for the team again."


async def test_a_mention_is_found_by_address_thread_or_as_the_only_one(staff: Staff) -> None:
    library = staff.library
    for _ in range(3):
        library.arrives()
    assert await staff.says("claim <https://social.example/2|a>") == "Mention 2 is yours."
    assert await staff.says("note she called") == "Noted on 2."
    library.claim(3)
    assert "Which one? You have claimed 2 and 3" in await staff.says("done")
    assert "2" in await staff.says("done https://social.example/2/")
    assert await staff.says("claim") == "Mention 1 is yours."


async def test_a_threads_mention_is_meant_in_its_thread(staff: Staff) -> None:
    library = staff.library
    library.arrives()
    library.arrives()
    library.desk.act(
        lambda tx: tx.conn.execute(
            update(posts)
            .where(posts.c.mention == 2)
            .values(ref_room=CHANNEL.id, ref_id="m2", state="sent", pending=0)
        )
    )
    said = await staff.types("claim", thread="m2")
    assert said.text == "Mention 2 is yours."
    said = await staff.types("note 3 copies came back", thread="m2")
    assert said.text == "Noted on 2."


async def test_a_stranger_is_refused_and_a_newcomer_in_the_room_is_staff(staff: Staff) -> None:
    staff.library.arrives()
    assert "library's staff" in await staff.says("claim 1", who="zed", room=None)
    assert "library's staff" in await staff.says("queue", who="zed", room=None)
    assert staff.library.mention(1).status is Status.OPEN
    assert "zed" not in str(staff.library.rows(people))
    assert await staff.says("", who="zed") == "You have claimed nothing."
    assert await staff.says("claim 1", who="zed") == "Mention 1 is yours."


async def test_private_words_are_for_named_people_only(staff: Staff) -> None:
    library = staff.library
    library.arrives("My card 12345 is lost")
    assert "private now" in await staff.says("private 1")
    for who, may in (("ben", False), ("sam", True), ("mia", True), ("desk", False)):
        shown = await staff.types("read 1", who=who)
        assert ("12345" in str(shown)) is may, who
        assert ("12345" in str(await staff.types("show 1", who=who))) is False
        if not may:
            assert (
                "Its words can be read by whoever claims it, by a deputy or manager" in shown.text
            )
    assert "12345" not in str(await staff.dispatch.shown("card:1:local:desk:1"))
    assert "manager" in await staff.says("public 1", who="ben")
    await staff.says("claim 1", who="ben")
    assert "12345" in str(await staff.types("read 1", who="ben"))
    assert "shows its words" in await staff.says("public 1", who="ben")
    assert "12345" in str(await staff.dispatch.shown("card:1:local:desk:1"))


async def test_what_was_written_privately_is_made_public_by_nobody(staff: Staff) -> None:
    library = staff.library
    library.arrives("My card 12345 is lost", visibility=Visibility.PRIVATE)
    await staff.says("claim 1")
    for who in ("ana", "mia"):
        assert "was written privately" in await staff.says("public 1", who=who)
    assert library.mention(1).private
    card = await staff.dispatch.shown("card:1:local:desk:1")
    assert card is not None
    assert not {"public", "private"} & {c.name for c in card.controls if isinstance(c, Button)}
    assert "12345" in str(await staff.types("read 1"))
    assert "12345" not in str(await staff.dispatch.shown("card:1:local:desk:1"))


async def test_moved_between_teams_each_room_shows_its_part(sqlite_library: Library) -> None:
    sqlite_library.reconfigure(teams=TWO_TEAMS)
    staff = Staff(sqlite_library)
    sqlite_library.arrives("Story time?")
    assert await staff.says("move 1 to children") == "1 is with Children now."
    old = await staff.dispatch.shown("card:1:local:desk:1")
    new = await staff.dispatch.shown("card:1:local:kids:1")
    assert old is not None
    assert new is not None
    assert (old.collapsed, old.controls) == (True, ())
    assert "Children" in old.text
    assert "Story time?" in str(new)
    await staff.says("private 1", room=KIDS)
    assert "Story time?" not in str(await staff.dispatch.shown("card:1:local:kids:1"))
    assert "Story time?" in str(await staff.dispatch.shown("card:1:local:back-room:1"))
    assert "Story time?" in str(await staff.types("show 1", room=BACK_ROOM))


async def test_why_says_which_rule_and_which_clock(sqlite_library: Library) -> None:
    sqlite_library.reconfigure(
        teams=TWO_TEAMS, routes=(Route(team="kids", keyword="story"), Route(team="adult"))
    )
    staff = Staff(sqlite_library)
    sqlite_library.arrives("When is Story hour?")
    sqlite_library.arrives("Nice building", kind=Kind.HASHTAG)
    first = (await staff.types("why 1")).plain()
    assert "Children because of routing rule 1: the keyword “story”." in first
    assert "It has a clock: a mention expects an answer." in first
    second = (await staff.types("why 2")).plain()
    assert "routing rule 2: everything." in second
    assert "It has no clock: a hashtag is only heard." in second
    await staff.says("expects 2", who="ben")
    await staff.says("move 2 to kids")
    moved = (await staff.types("why 2")).plain()
    assert "because Ana Silva moved it there" in moved
    assert "It has a clock because Ben Okafor said so." in moved


async def test_what_came_by_phone_is_logged_as_a_mention(staff: Staff) -> None:
    logged = await staff.types("log A caller asks for large print by post")
    assert logged.text == "Logged as 1."
    mention = staff.library.mention(1)
    assert (mention.source, mention.kind, mention.expects_answer) == ("log", Kind.MESSAGE, True)
    form = await staff.asked("log")
    filled = {"text": "Thanks for the chairs", "how": "paper", "who": "", "expects": "no"}
    await staff.dispatch.submit(actor(), form.name, None, filled)
    assert staff.library.mention(2).expects_answer is False
    shown = str(await staff.dispatch.shown("card:2:local:desk:1"))
    assert "On paper, taken down by Ana Silva" in shown


async def test_a_storm_is_taken_five_at_a_time_and_closed_at_once(staff: Staff) -> None:
    library = staff.library
    library.take_in(*(library.incoming(f"Storm {n}") for n in range(14)))
    storm = await staff.dispatch.shown("storm:1:local:desk")
    assert storm is not None
    assert "14 mentions came at once" in storm.text
    take = next(c for c in storm.controls if isinstance(c, Button) and c.name == "take_next")
    taken = await staff.presses(take.name, None, take.value)
    assert isinstance(taken, Message)
    assert taken.text == "Yours now: 1, 2, 3, 4, 5."
    listed = await staff.presses("storm", None, take.value)
    assert isinstance(listed, Message)
    assert listed.text == "14 mentions still open."
    form = await staff.presses("close_all", None, take.value)
    assert isinstance(form, Form)
    assert form.title == "Close 9 mentions"
    values = {field.name: field.value for field in form.fields}
    closed = await staff.dispatch.submit(actor("ben"), form.name, form.mention, values)
    assert isinstance(closed, Message)
    assert closed.text == "9 closed."
    statuses = [row.status for row in library.rows(mentions)]
    assert (statuses.count("claimed"), statuses.count("closed")) == (5, 9)


async def test_the_clocks_verbs(staff: Staff) -> None:
    library = staff.library
    library.claim(library.arrives())
    assert "until Tue 3 Mar 12:00" in await staff.says("snooze 1 for 2h")
    await staff.presses("snooze", 1, "opening")
    assert library.mention(1).snoozed_until is not None
    assert "waits for the patron" in await staff.says("snooze patron")
    assert "awake" in await staff.says("wake 1")
    assert "stays with you" in await staff.says("still 1")
    assert "open now" in await staff.says("hours")
    closed = await staff.types('hours close today "burst pipe"', who="ben")
    assert "(burst pipe)" in closed.text
    assert "closed now" in await staff.says("hours")
    undone = await staff.presses("undo", None, undo_of(closed).value, who="ben")
    assert isinstance(undone, Message)
    assert "open now" in await staff.says("hours")
    assert "in the channel" in await staff.says("settings nags channel")
    assert "12:00" in await staff.says("settings quiet 12:00-13:00")
    assert "12:00 to 13:00" in (await staff.types("settings")).plain()
    assert "between 21:00 and 07:00" in await staff.says("settings quiet 9pm to 7")
    assert "no time of day" in await staff.says("settings quiet lunch to tea")
    said = await staff.says("settings colour blue")
    assert said.startswith("“colour” is no setting. You can set: nags direct")
    assert "away until" in await staff.says("away until tomorrow")
    assert await staff.says("takeover 1", who="ben") == "Mention 1 is yours."
    assert await staff.says("back") == "Welcome back."
    assert await staff.says("health") == "All is well."


async def test_of_several_teams_each_door_is_named(sqlite_library: Library) -> None:
    sqlite_library.reconfigure(teams=TWO_TEAMS)
    staff = Staff(sqlite_library)
    await staff.says("hours close children today")
    assert await staff.says("hours children") == "Children is closed now."
    assert await staff.says("hours") == "Adult services is open now."


async def test_a_signature_is_not_lost_by_asking_for_it(staff: Staff) -> None:
    await staff.says("settings sign Ana")
    assert "settings sign off" in await staff.says("settings sign")
    assert "“Ana”" in (await staff.types("settings")).plain()


async def test_undo_in_words_is_of_what_was_done_last(staff: Staff) -> None:
    library = staff.library
    library.arrives()
    library.arrives()
    await staff.says("claim 1")
    await staff.says("claim 2")
    assert "Undone: 2" in await staff.says("undo")
    assert "Undone: 1" in await staff.says("undo 1")
    assert library.mention(1).owner is None
    assert "nothing" in await staff.says("undo 1")
    await staff.says("claim 1")
    library.clock.forward(minutes=11)
    assert "10 minutes" in await staff.says("undo")


async def test_undo_in_words_after_the_hours_were_changed(staff: Staff) -> None:
    library = staff.library
    library.arrives()
    await staff.says("claim 1")
    before = library.mention(1).answer_due_at
    await staff.says('hours close today "burst pipe"')
    assert library.mention(1).answer_due_at != before
    said = await staff.says("undo")
    assert said.startswith("Taken back: closed today 10:00-24:00 (burst pipe)"), "the newest act"
    assert library.mention(1).answer_due_at == before
    assert "Undone: 1" in await staff.says("undo"), "and then the one before it"
    await staff.says("hours close tomorrow")
    library.clock.forward(minutes=11)
    assert "nothing" in await staff.says("undo"), "a button takes it back, a word no more"


async def test_undo_in_words_is_of_nothing_older_than_an_absence(staff: Staff) -> None:
    staff.library.arrives()
    await staff.says("claim 1")
    await staff.says("away until tomorrow")
    assert "back" in await staff.says("undo")
    assert staff.library.mention(1).owner == "ana"
    await staff.says("back")
    assert "away" in await staff.says("undo")
    assert staff.library.mention(1).owner == "ana"


async def test_an_old_or_forged_button_does_no_harm(staff: Staff) -> None:
    library = staff.library
    claimed = library.claim(library.arrives())
    for control, value in (("undo", str(claimed.event)), ("release", ""), ("assign", "ben")):
        reply = await staff.presses(control, 1, value, who="ben")
        assert isinstance(reply, Message)
        assert library.mention(1).owner == "ana"
    reply = await staff.presses("gone_in_this_version", 1)
    assert isinstance(reply, Message)
    assert "another version" in reply.text
    for control in ("storm", "take_next", "close_all"):
        reply = await staff.presses(control, None, "x'; DROP TABLE mentions")
        assert isinstance(reply, Message)
        assert "storm" in reply.text


async def test_a_fault_of_ours_is_a_sentence_with_a_number_and_a_line_without_words(
    staff: Staff,
) -> None:
    library = staff.library
    library.arrives("My secret question")
    library.desk.act(lambda tx: tx.conn.execute(text("DROP TABLE nags")))
    library.desk.act(lambda tx: tx.conn.execute(text("DROP TABLE events")))
    with structlog.testing.capture_logs() as logged:
        said = await staff.says("claim 1")
    [line] = [entry for entry in logged if entry["event"] == "incident"]
    assert line["incident"] in said
    assert "nothing was changed" in said
    assert "secret question" not in str(line)
    assert library.mention(1).status is Status.OPEN


async def test_a_line_is_completed_from_the_registry_and_the_desk(staff: Staff) -> None:
    library = staff.library
    library.arrives("Secret words")
    library.claim(library.arrives("More secret words"), who="ben")

    async def after(line: str) -> list[str]:
        return [c.text for c in await staff.dispatch.complete(actor(), line)]

    assert (await after(""))[:2] == ["mine", "queue"]
    assert await after("cl") == ["claim", "close"]
    assert await after("claim ") == ["claim 1"]
    assert "assign 1 to Ben Okafor" in await after("assign 1 to b")
    assert "close 1 spam" in await after("close 1 ")
    assert await after("done 1 idea, th") == ["done 1 idea, thanks"]
    assert await after("help ha") == ["help hand over"]
    assert await after("xyzzy ") == []
    stranger = Actor(platform="local", user_id="zed", name="Zed")
    assert await staff.dispatch.complete(stranger, "claim ") == ()
    assert "ecret" not in str(await staff.dispatch.complete(actor(), "show "))


async def test_staff_are_everyone_known(staff: Staff) -> None:
    assert {person.key for person in await staff.dispatch.staff()} >= {"ana", "ben", "mia"}


async def test_every_verb_answers_with_a_sentence_and_never_raises(staff: Staff) -> None:
    staff.library.arrives()
    for verb in VERBS:
        for line in (verb.name, verb.example or verb.name, f"{verb.name} 1", f"{verb.name} x y"):
            reply = await staff.dispatch.command(actor("mia"), line)
            if isinstance(reply, Message):
                assert reply.text.endswith((".", "?", "!")), (line, reply.text)
                assert "our fault" not in reply.text, line
    assert staff.library.rows(events)


async def test_what_was_given_up_is_tried_again_by_who_leads(staff: Staff) -> None:
    for _ in range(2):
        staff.library.arrives()

    def give_up(tx: Tx) -> None:
        for taken in carriage.take_due(tx, "me", ["local"], 1, timedelta(minutes=1)):
            delivery.failed(tx, taken, DeliveryError("invalid blocks.", permanent=True))

    staff.library.desk.act(give_up)
    staff.library.desk.act(give_up)
    health = (await staff.types("health", "ben")).plain()
    assert "The card of #1 in local:desk is not delivered: invalid blocks. " in health
    assert "Once that is mended, /lib resend 1 tries it again." in health
    assert await staff.says("resend", "ben") == (
        "That is for deputies and managers: Dora Weiss or Mia Lang."
    )
    assert await staff.says("resend 9", "mia") == (
        "There is no mention 9. /lib health names what is given up."
    )
    assert await staff.says("resend 1", "dora") == (
        "1 post tried again. What fails again is named by /lib health."
    )
    assert [row.state for row in staff.library.rows(posts)] == ["waiting", "parked"]
    assert (await staff.says("resend 1", "mia")).startswith("Nothing about 1 was given up")
    assert (await staff.says("send again", "mia")).startswith("1 post tried again.")
    assert await staff.says("health", "mia") == "All is well."


async def test_who_asks_hears_of_a_source_that_fails_before_everybody_is_told(
    staff: Staff,
) -> None:
    refused = "example.org answered 401: it does not know the user"
    staff.library.desk.act(rounds.failed, source="social", reason=refused)
    told = (await staff.types("health")).plain()
    assert f"Social cannot be read just now: {refused} (for " in told
    assert "All is well" not in told


@pytest.mark.parametrize("verb", ["mine", "queue", "show 1", "why 1", "help", "help done"])
async def test_looking_writes_nothing(staff: Staff, verb: str) -> None:
    staff.library.arrives()
    before = (staff.library.rows(events), staff.library.rows(mentions))
    await staff.types(verb)
    assert (staff.library.rows(events), staff.library.rows(mentions)) == before


async def test_a_full_disk_is_said_and_nothing_is_claimed(staff: Staff) -> None:
    library = staff.library
    library.arrives()

    def fill(tx: Tx) -> None:
        pages = tx.conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    library.desk.act(fill)
    with structlog.testing.capture_logs() as logged:
        said = await staff.says(f"note 1 {'called back ' * 900}")
    assert said.startswith("Nothing was changed: staffbot cannot write to its database")
    [line] = [entry for entry in logged if entry["event"] == "incident"]
    assert line["incident"] in said
    library.desk.act(lambda tx: tx.conn.exec_driver_sql("PRAGMA max_page_count = 1000000"))
    assert await staff.says("claim 1") == "Mention 1 is yours."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2", "Mention 2, a mention on Social for Adult services, is claimed by Ben Okafor"),
        ("assign 1 to max", "“max” may be Max Lang and Max Weiss. Give the full name."),
        ("hours westside", "There is no team called “westside”. The teams are: Adult services, Children. "
         "To change the hours, type /lib hours close today"),
        ("hours close westside", "\"westside\" is no team, no day and no time that I know."),
        ("hours shut 2020-01-01", "\"2020-01-01\" is over already."),
        ("snooze 1 until 2020-01-01", "\"2020-01-01\" is over already."),
        ("snooze 1 until 2035-01-01", "\"2035-01-01\" is more than 400 days away: write a nearer day."),
        ("done 1 at tomorrow", "\"tomorrow\" is still to come."),
        ("close 1 as banana", "There is no outcome “banana”. It is answered, no answer needed, spam"),
        ("close 1 banana split", "“banana split” is no outcome and no topic. The outcome is answered,"),
        ("close 1 as spam, banana", "There is no topic “banana”. The topics are: idea, "),
        ("done 1 banana", "There is no topic “banana”. The topics are: idea, "),
        ("done 1 as spam", "“done” closes as answered. Type `/lib close 1 as spam`."),
        ("done 1 no answer", "“done” closes as answered. Type `/lib close 1 as no answer needed`."),
        ("done 3", "3 is closed already (answered). /lib reopen 3 opens it again."),
        ("undo 99", "There is no mention 99. `/lib queue` shows what is open."),
        ("undo 2", "There is nothing of yours on 2 to undo."),
        ("mute 99", "There is no mention 99. /lib queue lists what is open."),
        ("settings nags pigeon", "“pigeon” is no way to be reminded. They are /lib settings nags direct"),
        ("settings platform pager", "You are not known on “pager”. You are known on: local. Whoever"),
        ("settings quiet 9", "Quiet hours have a beginning and an end: /lib settings quiet 12:00-13:00."),
        ("settings sign", "With which name? /lib settings sign Ana, or /lib settings sign off."),
    ],
)  # fmt: skip
async def test_a_refusal_says_what_is_wrong_and_what_to_type(
    sqlite_library: Library, line: str, said: str
) -> None:
    two = tuple(StaffMember(key=f"m{n}", name=f"Max {n}", ids={}) for n in ("Lang", "Weiss"))
    sqlite_library.reconfigure(teams=TWO_TEAMS, staff=(*STAFF, *two))
    staff = Staff(sqlite_library)
    for _ in range(3):
        sqlite_library.arrives()
    await staff.says("claim 2", "ben")
    await staff.says("done 3", "ben")
    answer = await staff.says(line)
    assert answer.startswith(said), answer

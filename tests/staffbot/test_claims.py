"""Who has a mention: one winner, hand over, links, moves, undo, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from staffbot.desk import claims, closing, conversations, laws, people, posted, undoing
from staffbot.desk.rendering import render
from staffbot.errors import Refused
from staffbot.model import Actor, AlreadyClaimed, Done, Gone, Outcome, Room, Status, Unchanged
from staffbot.settings import StaffMember, Team, TeamRoom
from staffbot.tables import actors, events, posts, words
from tests.library import CHANNEL, HOURS, STAFF, Library


def _do(library: Library, use_case: Any, *args: Any, **kwargs: Any) -> Any:
    return library.desk.act(use_case, *args, **kwargs)


def test_the_loser_is_told_who_has_it_and_since_when(library: Library) -> None:
    number = library.arrives()
    assert isinstance(library.claim(number, "ana"), Done)
    claimed_at = library.clock.now
    library.clock.forward(minutes=3)
    lost = library.claim(number, "ben")
    assert lost == AlreadyClaimed(mention=number, by="Ana Silva", since=claimed_at)
    assert isinstance(library.claim(number, "ana"), Unchanged)


def test_a_claim_measures_its_opening_time(library: Library) -> None:
    number = library.arrives()
    library.clock.forward(minutes=90)
    library.claim(number)
    event = library.rows(events)[-1]
    assert (event.what, event.open_seconds, event.within_target) == ("claimed", 5400, True)


def test_nobody_claims_what_is_closed_or_not_there(library: Library) -> None:
    number = library.arrives()
    ana = library.person("ana")
    _do(library, closing.close, number, ana, outcome=Outcome.SPAM)
    assert isinstance(library.claim(number), Gone)
    with pytest.raises(Refused, match="no mention 99"):
        library.claim(99)


def test_only_the_owner_a_deputy_or_a_manager_releases(library: Library) -> None:
    number = library.arrives()
    library.claim(number, "ana")
    with pytest.raises(Refused, match="Ana Silva has 1"):
        _do(library, claims.release, number, library.person("ben"))
    assert isinstance(_do(library, claims.release, number, library.person("dora")), Done)
    mention = library.mention(number)
    assert (mention.status, mention.owner, mention.last_owner) == (Status.OPEN, None, "ana")


def test_assigning_tells_the_colleague(library: Library) -> None:
    number = library.arrives()
    _do(library, claims.assign, number, library.person("ben"), library.person("ana"))
    told = [post for post in library.rows(posts) if post.kind == "told"]
    assert [(post.person, post.detail["about"]) for post in told] == [("ben", "assigned")]


def test_who_cannot_be_told_is_not_said_to_be(library: Library) -> None:
    number = library.arrives()
    ana, desk = library.person("ana"), library.person("desk")
    assert _do(library, claims.assign, number, ana, ana).said == "Mention 1 is yours."
    assert _do(library, claims.assign, number, desk, ana).said == "Front desk has 1 now."
    assert [post for post in library.rows(posts) if post.kind == "told"] == []


def test_everything_mine_is_handed_over_in_one_act(library: Library) -> None:
    numbers = [library.arrives() for _ in range(3)]
    for number in numbers:
        library.claim(number)
    ana, ben = library.person("ana"), library.person("ben")
    done = _do(library, claims.hand_over, ana, ben)
    assert {library.mention(number).owner for number in numbers} == {"ben"}
    told = [post for post in library.rows(posts) if post.kind == "told"]
    assert len(told) == 1, "one message for all of them"
    _do(library, undoing.undo, done.event, ana)
    assert {library.mention(number).owner for number in numbers} == {"ana"}


def test_handing_back_to_the_team(library: Library) -> None:
    number = library.arrives()
    library.claim(number)
    _do(library, claims.hand_over, library.person("ana"), None)
    assert library.mention(number).status is Status.OPEN
    nothing = _do(library, claims.hand_over, library.person("ana"), None)
    assert isinstance(nothing, Unchanged)


def test_linked_mentions_get_one_owner(library: Library) -> None:
    first, second = library.arrives(), library.arrives()
    _do(library, conversations.link, first, second, library.person("ben"))
    library.claim(second, "ana")
    assert {library.mention(first).owner, library.mention(second).owner} == {"ana"}


def test_linking_to_a_claimed_one_gives_the_other_its_owner(library: Library) -> None:
    first, second = library.arrives(), library.arrives()
    library.claim(first, "ana")
    done = _do(library, conversations.link, second, first, library.person("ben"))
    assert library.mention(second).owner == "ana"
    # A claim like any other: counted, in the history, and told to whom it was given.
    assert library.desk.look(laws.broken) == ()
    told = [post for post in library.rows(posts) if post.kind == "told"]
    assert [(post.person, post.mention) for post in told] == [("ana", second)]
    _do(library, undoing.undo, done.event, library.person("ben"))
    assert library.desk.look(laws.broken) == ()
    assert (library.mention(second).owner, library.mention(second).linked) == (None, None)


def test_two_owners_cannot_be_linked(library: Library) -> None:
    first, second = library.arrives(), library.arrives()
    library.claim(first, "ana")
    library.claim(second, "ben")
    with pytest.raises(Refused, match="one owner"):
        _do(library, conversations.link, first, second, library.person("mia"))


def _two_teams(library: Library) -> None:
    kids = Team(
        key="kids", name="Children", hours=HOURS,
        rooms=(TeamRoom(room=Room(platform="local", id="kids")),),
    )  # fmt: skip
    library.reconfigure(teams=(*library.settings.teams, kids))


def test_a_moved_mention_shows_in_the_other_room_and_is_open_there(library: Library) -> None:
    _two_teams(library)
    number = library.arrives()
    library.claim(number)
    _do(library, conversations.move, number, "kids", library.person("ana"))
    mention = library.mention(number)
    assert (mention.team, mention.status, mention.owner) == ("kids", Status.OPEN, None)
    assert [post.room for post in library.rows(posts)] == ["desk", "kids"]
    with pytest.raises(Refused, match="adult, kids"):
        _do(library, conversations.move, number, "teens", library.person("ana"))


def test_done_is_undone_with_everything_it_wrote(library: Library) -> None:
    number = library.arrives()
    library.claim(number)
    before = library.mention(number)
    ana = library.person("ana")
    done = _do(
        library, closing.close, number, ana, outcome=Outcome.ANSWERED, topics=["IDEA"], note="sent"
    )
    assert library.mention(number).topics == ("idea",)
    assert _do(library, undoing.undo, done.event, ana) == Done(
        mention=number, said="Undone: 1 as before."
    )
    after = library.mention(number)
    assert replace(after, revision=0, touched_at=before.touched_at, acted_at=None) == replace(
        before, revision=0, acted_at=None
    )
    assert [row.role for row in library.rows(words)] == ["mention"]
    undone = [row.what for row in library.rows(events) if row.undone_by is not None]
    assert undone == ["noted", "answered", "closed"]


def test_undo_is_for_ten_minutes(library: Library) -> None:
    number = library.arrives()
    done = library.claim(number)
    library.clock.forward(minutes=10, seconds=1)
    with pytest.raises(Refused, match="10 minutes"):
        _do(library, undoing.undo, done.event, library.person("ana"))


def test_undo_is_refused_once_somebody_acted_since(library: Library) -> None:
    number = library.arrives()
    done = library.claim(number)
    library.clock.forward(seconds=1)
    _do(library, conversations.note, number, library.person("ben"), "seen")
    with pytest.raises(Refused, match="Ben Okafor did something"):
        _do(library, undoing.undo, done.event, library.person("ana"))


def test_answered_elsewhere_has_its_own_time(library: Library) -> None:
    number = library.arrives()
    posted_at = library.clock.now
    library.clock.forward(hours=3)
    ana = library.person("ana")
    at = posted_at + timedelta(minutes=45)
    _do(library, closing.close, number, ana, outcome=Outcome.ANSWERED, at=at)
    answered = next(row for row in library.rows(events) if row.what == "answered")
    assert (answered.at, answered.open_seconds, answered.within_target) == (at, 2700, True)


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(hours=-2)])
def test_an_answer_lies_between_the_post_and_now(library: Library, off: timedelta) -> None:
    number = library.arrives()
    ana = library.person("ana")
    at = library.clock.now + off
    with pytest.raises(Refused):
        _do(library, closing.close, number, ana, outcome=Outcome.ANSWERED, at=at)


def test_an_unknown_topic_is_refused_with_those_there_are(library: Library) -> None:
    number = library.arrives()
    with pytest.raises(Refused, match="idea, thanks, complaint"):
        _do(
            library, closing.close, number, library.person("ana"), outcome=Outcome.ANSWERED,
            topics=["praise"],
        )  # fmt: skip


@pytest.mark.parametrize("before", ["just thanks", "only heard"])
def test_what_is_opened_again_by_hand_has_a_clock(library: Library, before: str) -> None:
    number = library.arrives(
        "Thank you!", expects_answer=None if before == "just thanks" else False
    )
    if before == "just thanks":
        _do(library, closing.thanks, number, library.person("ana"))
    else:
        _do(library, closing.close, number, library.person("ana"), outcome=Outcome.NOT_FOR_US)
    library.clock.forward(days=1, hours=1)
    done = _do(library, closing.reopen, number, library.person("ben"))
    assert done.said == (
        f"{number} is open again, answer by Wed 4 Mar 15:00. /lib heard {number} if none is owed."
    )
    mention = library.mention(number)
    assert (mention.status, mention.expects_answer) == (Status.OPEN, True)
    assert mention.clock_from == library.clock.now
    assert mention.answer_due_at == library.clock.now + timedelta(hours=4)
    assert mention.claim_due_at == library.clock.now + timedelta(hours=2)
    card = library.desk.look(posted.by_key, f"card:{number}:local:desk:1")
    assert card is not None
    shown = library.desk.look(render, card)
    assert shown is not None
    assert "State: Unclaimed, opened again" in shown.plain()
    assert "Claim by Wed 4 Mar 13:00; answer by Wed 4 Mar 15:00" in shown.plain()
    _do(library, undoing.undo, done.event, library.person("ben"))
    assert not library.mention(number).expects_answer


def test_just_thanks_closes_without_a_clock(library: Library) -> None:
    number = library.arrives()
    _do(library, closing.thanks, number, library.person("ana"))
    mention = library.mention(number)
    assert (mention.outcome, mention.topics, mention.expects_answer) == (
        Outcome.NO_ANSWER_NEEDED, ("thanks",), False,
    )  # fmt: skip


def test_private_words_are_for_named_people(library: Library) -> None:
    number = library.arrives()
    _do(library, conversations.keep_private, number, library.person("ana"))
    told = [post.person for post in library.rows(posts) if post.kind == "told"]
    assert told == ["sam"], "sensitive people are told at once"
    with pytest.raises(Refused, match="Dora Weiss, Mia Lang, Sam Reyes"):
        _do(library, conversations.read_privately, number, library.person("ben"))
    with pytest.raises(Refused):
        _do(library, conversations.read_privately, number, library.person("desk"))
    _do(library, conversations.read_privately, number, library.person("sam"))
    assert library.rows(events)[-1].what == "read"


def test_anyone_in_a_teams_room_is_staff_and_nobody_else(library: Library) -> None:
    new = Actor(platform="local", user_id="zoe", name="Zoe", room=CHANNEL)
    joined = _do(library, people.person_of, new)
    assert (joined.key, joined.name) == ("local:zoe", "Zoe")
    assert _do(library, people.person_of, replace(new, name="Zoe Y.")).key == "local:zoe"
    assert library.person("local:zoe").name == "Zoe Y."
    stranger = Actor(platform="local", user_id="eve", name="Eve")
    with pytest.raises(Refused, match="library's staff"):
        _do(library, people.person_of, stranger)
    known = Actor(platform="local", user_id="ana", name="whatever")
    assert _do(library, people.person_of, known).name == "Ana Silva"


def test_staff_who_left_the_list_keep_their_history_and_lose_their_role(library: Library) -> None:
    number = library.arrives()
    library.claim(number, "mia")
    library.reconfigure(staff=(StaffMember(key="ana", name="Ana S.", ids={"local": "ana2"}),))
    assert library.person("mia").role == "staff"
    assert library.mention(number).owner == "mia"
    ids = {(row.platform, row.user_id): row.person for row in library.rows(actors)}
    assert ids["local", "ana2"] == "ana"


@pytest.mark.parametrize(
    ("text", "key"),
    [("ana", "ana"), ("ANA", "ana"), ("Ben Okafor", "ben"), ("@dora", "dora"), ("nobody", None)],
)
def test_people_are_found_as_colleagues_call_them(
    sqlite_library: Library, text: str, key: str | None
) -> None:
    found = sqlite_library.desk.look(people.people_called, text)
    assert [one.key for one in found] == ([key] if key else [])


def test_a_name_that_several_have_is_of_them_all(sqlite_library: Library) -> None:
    two = tuple(StaffMember(key=f"m{n}", name=f"Max {n}", ids={}) for n in ("Lang", "Weiss"))
    sqlite_library.reconfigure(staff=(*STAFF, *two))

    def called(text: str) -> list[str]:
        return [one.name for one in sqlite_library.desk.look(people.people_called, text)]

    assert called("max") == ["Max Lang", "Max Weiss"]
    assert called("max weiss") == called("mWeiss") == ["Max Weiss"]

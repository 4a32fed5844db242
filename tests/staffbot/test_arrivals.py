"""What sources bring, through the real desk on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from staffbot.desk import changes
from staffbot.desk.arrivals import take_in
from staffbot.model import Kind, Media, Outcome, Patron, Room, Status, Visibility
from staffbot.network import AnsweredAtSource, Batch, Deleted, Edited
from staffbot.settings import Route, SourceSettings, Team, TeamRoom, WhenClosed
from staffbot.tables import (
    arrivals,
    events,
    mentions,
    patrons,
    posts,
    sources,
    storms,
    troubles,
    words,
)
from tests.library import CHANNEL, HOURS, Library

LENA = Patron(name="Lena P.", handle="@lena")


def test_a_mention_its_words_event_card_and_cursor_are_stored_together(library: Library) -> None:
    incoming = library.incoming(
        "Where is my book?", media=(Media(url="https://x.example/p.png", alt="a shelf"),)
    )
    taken = library.take_in(incoming, cursor="page 2")
    assert (taken.new, taken.repeated) == (1, 0)
    (mention,) = library.rows(mentions)
    assert (mention.number, mention.team, mention.status) == (1, "adult", "open")
    (word,) = library.rows(words)
    assert (word.text, word.media[0]["alt"]) == ("Where is my book?", "a shelf")
    (event,) = library.rows(events)
    assert (event.what, event.mention) == ("received", 1)
    (card,) = library.rows(posts)
    assert (card.key, card.pending) == ("card:1:local:desk:1", 1)
    (source,) = library.rows(sources)
    assert source.cursor == "page 2"


def test_the_same_post_again_changes_nothing(library: Library) -> None:
    incoming = library.incoming()
    library.take_in(incoming)
    again = library.take_in(incoming, replace(incoming, text="other words, same id"))
    assert (again.new, again.repeated) == (0, 2)
    assert len(library.rows(mentions)) == 1
    assert library.rows(words)[0].text == incoming.text


def test_the_ledger_names_neither_post_nor_patron(library: Library) -> None:
    library.take_in(library.incoming("my words", native_id="native-7", patron=LENA))
    for table in (mentions, arrivals, events, posts):
        for row in library.rows(table):
            told = repr(tuple(row))
            assert not any(private in told for private in ("native-7", "Lena", "my words"))


def test_the_first_run_looks_back_only_as_configured(library: Library) -> None:
    day = timedelta(hours=24)
    now = library.clock.now
    taken = library.take_in(
        library.incoming(posted_at=now - day),
        library.incoming(posted_at=now - day - timedelta(seconds=1)),
    )
    assert (taken.new, taken.too_old) == (1, 1)
    library.clock.forward(days=3)
    later = library.take_in(library.incoming(posted_at=now - day - timedelta(seconds=1)))
    assert later.too_old == 1, "what was too old at the first run never shows later"
    delayed = library.take_in(library.incoming(posted_at=now + timedelta(hours=1)))
    assert delayed.new == 1, "what came while we were away does"


def test_a_signed_delivery_takes_effect_once(library: Library) -> None:
    batch = Batch(mentions=(library.incoming(),))
    first = library.desk.act(take_in, source="social", batch=batch, delivery="msg_1")
    other = Batch(mentions=(library.incoming(),))
    second = library.desk.act(take_in, source="social", batch=other, delivery="msg_1")
    assert (first.new, first.replay, second.new, second.replay) == (1, False, 0, True)


@pytest.mark.parametrize("poison", ["nul \x00 inside", "lone \ud800 surrogate"])
def test_odd_characters_are_stored_without_what_no_database_takes(
    library: Library, poison: str
) -> None:
    taken = library.take_in(library.incoming(poison))
    assert taken.new == 1
    kept = library.rows(words)[0].text
    assert "\x00" not in kept
    kept.encode("utf-8")


def test_a_poison_mention_costs_its_neighbours_nothing(library: Library) -> None:
    poison = library.incoming(kind="no kind at all")
    taken = library.take_in(library.incoming(), poison, library.incoming(), cursor="on")
    assert (taken.new, taken.parked) == (2, 1)
    assert [row.number for row in library.rows(mentions)] == [1, 2]
    (trouble,) = library.rows(troubles)
    assert trouble.said.startswith("1 from Social could not be stored")
    assert library.rows(sources)[0].cursor == "on"


def test_forty_kilobytes_are_kept_whole(library: Library) -> None:
    text = "Ω very long. " * 3200
    library.take_in(library.incoming(text))
    assert library.rows(words)[0].text == text


def test_numbers_stay_gapless_over_repeats(library: Library) -> None:
    first = library.incoming()
    library.take_in(first)
    library.take_in(first, library.incoming(), first)
    library.take_in(library.incoming())
    assert [row.number for row in library.rows(mentions)] == [1, 2, 3]


def test_the_first_rule_that_fits_routes(library: Library) -> None:
    kids = Team(
        key="kids", name="Children", hours=HOURS,
        rooms=(TeamRoom(room=Room(platform="local", id="kids")),),
    )  # fmt: skip
    library.reconfigure(
        teams=(*library.settings.teams, kids),
        routes=(
            Route(team="kids", keyword="storytime"),
            Route(team="adult", keyword="storytime", language="es"),
        ),
    )
    library.take_in(library.incoming("When is Storytime?", language="es"), library.incoming("Hi"))
    assert [row.team for row in library.rows(mentions)] == ["kids", "adult"]
    assert {row.mention: row.room for row in library.rows(posts)} == {1: "kids", 2: "desk"}


def test_a_private_message_and_a_private_source_are_private(library: Library) -> None:
    library.reconfigure(
        sources=(*library.settings.sources, SourceSettings(name="mail", type="x", private=True))
    )
    library.take_in(library.incoming(visibility=Visibility.PRIVATE))
    library.take_in(library.incoming(source="mail"))
    assert all(row.private for row in library.rows(mentions))


@pytest.mark.parametrize(
    ("kind", "said", "setting", "expects"),
    [
        (Kind.MENTION, None, None, True),
        (Kind.HASHTAG, None, None, False),
        (Kind.HASHTAG, None, True, True),
        (Kind.MENTION, None, False, False),
        (Kind.HASHTAG, True, False, True),
    ],
)
def test_who_decides_whether_an_answer_is_expected(
    sqlite_library: Library, kind: Kind, said: bool | None, setting: bool | None, expects: bool
) -> None:
    library = sqlite_library
    library.reconfigure(
        sources=(SourceSettings(name="social", type="webhook", expects_answer=setting),)
    )
    number = library.arrives(kind=kind, expects_answer=said)
    mention = library.mention(number)
    assert mention.expects_answer is expects
    assert (mention.answer_due_at is not None) is expects


def test_a_source_says_what_its_mention_is(sqlite_library: Library) -> None:
    """A webhook's own word goes before its setting, which the source applies where there is none."""
    sqlite_library.reconfigure(
        sources=(SourceSettings(name="social", type="webhook", kind=Kind.COMMENT),)
    )
    number = sqlite_library.arrives(kind=Kind.REVIEW)
    assert sqlite_library.mention(number).kind is Kind.REVIEW


@pytest.mark.parametrize(
    ("when_closed", "silent", "waits"),
    [
        (WhenClosed.AT_ONCE, False, False),
        (WhenClosed.SILENTLY, True, False),
        (WhenClosed.AT_OPENING, False, True),
    ],
)
def test_what_comes_in_while_closed(
    library: Library, when_closed: WhenClosed, silent: bool, waits: bool
) -> None:
    (team,) = library.settings.teams
    library.reconfigure(teams=(replace(team, when_closed=when_closed),))
    library.clock.forward(hours=12)
    library.arrives()
    (card,) = library.rows(posts)
    opening = library.desk.look(lambda tx: tx.hours("adult").next_opening(tx.now))
    assert card.silent is silent
    assert card.not_before == (opening if waits else library.clock.now)
    assert library.mention(1).clock_from == opening


def test_a_follow_up_joins_its_mention_and_tells_the_owner(library: Library) -> None:
    number = library.arrives("First.", conversation="c", patron=LENA)
    library.claim(number)
    taken = library.take_in(library.incoming("And more.", conversation="c", patron=LENA))
    assert (taken.new, taken.followed_up) == (0, 1)
    assert [row.text for row in library.rows(words)] == ["First.", "And more."]
    assert library.mention(number).revision == 3
    told = [post for post in library.rows(posts) if post.kind == "told"]
    assert [(post.person, post.mention) for post in told] == [("ana", number)]


def test_another_patron_in_the_same_conversation_is_a_mention_of_their_own(
    library: Library,
) -> None:
    library.arrives(conversation="c", patron=LENA)
    taken = library.take_in(
        library.incoming(conversation="c", patron=Patron(name="Tom", handle="@tom"))
    )
    assert (taken.new, taken.followed_up) == (1, 0)


def test_a_conversation_that_begins_in_a_batch_is_one_mention(library: Library) -> None:
    posts_of_lena = [library.incoming(f"{n}", conversation="c", patron=LENA) for n in range(4)]
    taken = library.take_in(*posts_of_lena)
    assert (taken.new, taken.followed_up) == (1, 3)
    assert [row.text for row in library.rows(words)] == ["0", "1", "2", "3"]


def test_a_follow_up_reopens_and_tells_the_last_owner(library: Library) -> None:
    from staffbot.desk.closing import close

    number = library.arrives(conversation="c", patron=LENA)
    library.claim(number)
    library.desk.act(close, number, library.person("ana"), outcome=Outcome.ANSWERED)
    library.clock.forward(days=1)
    library.take_in(library.incoming("Still lost.", conversation="c", patron=LENA))
    mention = library.mention(number)
    assert (mention.status, mention.cycle, mention.owner) == (Status.OPEN, 2, None)
    assert mention.clock_from == library.clock.now
    told = [post for post in library.rows(posts) if post.kind == "told"]
    assert [post.person for post in told] == ["ana"]


def test_a_question_after_just_thanks_has_a_clock(library: Library) -> None:
    from staffbot.desk.closing import thanks

    number = library.arrives("Thank you!", conversation="c", patron=LENA)
    library.desk.act(thanks, number, library.person("ana"))
    library.clock.forward(hours=1)
    library.take_in(library.incoming("And on Sunday?", conversation="c", patron=LENA))
    mention = library.mention(number)
    assert (mention.status, mention.expects_answer) == (Status.OPEN, True)
    assert mention.answer_due_at == library.clock.now + timedelta(hours=4)


def test_a_question_to_the_library_after_what_was_only_heard_begins_a_clock(
    library: Library,
) -> None:
    number = library.arrives("Sunday haul", conversation="c", patron=LENA, kind=Kind.HASHTAG)
    assert library.mention(number).next_step_at is None
    library.clock.forward(hours=1)
    library.take_in(
        library.incoming("#haul again", conversation="c", patron=LENA, kind=Kind.HASHTAG)
    )
    assert not library.mention(number).expects_answer
    library.take_in(library.incoming("Are you open?", conversation="c", patron=LENA))
    mention = library.mention(number)
    assert (mention.expects_answer, mention.clock_from) == (True, library.clock.now)
    assert mention.claim_due_at == library.clock.now + timedelta(hours=2)
    assert mention.next_step_at is not None


def test_patrons_are_kept_once_as_they_are_now(library: Library) -> None:
    library.take_in(library.incoming(patron=LENA))
    library.take_in(library.incoming(patron=replace(LENA, name="Lena Paz")))
    (patron,) = library.rows(patrons)
    assert patron.name == "Lena Paz"


def test_edits_and_deletions_follow(library: Library) -> None:
    number = library.arrives("Befor", native_id="e1")
    at = library.clock.now
    edited = Edited(native_id="e1", text="Before", at=at)
    assert library.take_in(changes=(edited,)).changed == 1
    assert library.take_in(changes=(edited,)).changed == 0
    assert (library.rows(words)[0].text, library.mention(number).edited_at) == ("Before", at)
    gone = Deleted(native_id="e1", at=at)
    assert library.take_in(changes=(gone, gone)).changed == 1
    (word,) = library.rows(words)
    assert (word.text, word.permalink) == ("", "")
    assert library.mention(number).deleted_at == at
    unknown = Deleted(native_id="nobody knows", at=at)
    assert library.desk.act(changes.apply, "social", unknown) is False


def test_an_answer_on_the_network_stops_the_clock_at_its_own_time(library: Library) -> None:
    number = library.arrives(native_id="a1")
    library.claim(number)
    answered = library.clock.now + timedelta(minutes=30)
    library.clock.forward(hours=2)
    change = AnsweredAtSource(native_id="a1", at=answered, account="@library")
    assert library.take_in(changes=(change,)).changed == 1
    event = library.rows(events)[-1]
    assert (event.what, event.at, event.open_seconds, event.person) == (
        "answered", answered, 1800, "ana",
    )  # fmt: skip
    assert library.mention(number).status is Status.CLAIMED


def test_over_ten_in_fifteen_minutes_become_one_live_card(library: Library) -> None:
    for _ in range(10):
        library.arrives()
    assert library.rows(storms) == []
    library.take_in(*[library.incoming() for _ in range(7)])
    (storm,) = library.rows(storms)
    assert storm.mentions == 17
    assert {row.storm for row in library.rows(mentions)} == {storm.id}
    kinds = [post.kind for post in library.rows(posts)]
    assert (kinds.count("card"), kinds.count("storm")) == (10, 1)


def test_a_storm_calms_and_the_next_mention_has_a_card_again(library: Library) -> None:
    from staffbot.desk import storms as weather

    library.take_in(*[library.incoming() for _ in range(12)])
    library.clock.forward(minutes=14)
    assert library.desk.act(weather.calm) == 0
    library.clock.forward(minutes=1)
    assert library.desk.act(weather.calm) == 1
    library.clock.forward(minutes=1)
    library.arrives()
    cards = [post for post in library.rows(posts) if post.kind == "card"]
    assert [card.mention for card in cards] == [13]


def test_taking_five_of_a_storm_gives_each_a_card(library: Library) -> None:
    from staffbot.desk import storms as weather

    library.take_in(*[library.incoming() for _ in range(12)])
    ana = library.person("ana")
    library.desk.act(weather.take_next, 1, ana)
    cards = [post.mention for post in library.rows(posts) if post.kind == "card"]
    assert cards == [1, 2, 3, 4, 5]
    assert {library.mention(number).owner for number in cards} == {"ana"}
    library.desk.act(weather.close_all, 1, ana, Outcome.NO_ANSWER_NEEDED)
    assert {library.mention(number).status for number in range(6, 13)} == {Status.CLOSED}
    assert {library.mention(number).status for number in range(1, 6)} == {Status.CLAIMED}


def test_a_team_without_a_room_keeps_its_mentions_all_the_same(library: Library) -> None:
    (team,) = library.settings.teams
    library.reconfigure(teams=(replace(team, rooms=()),))
    library.arrives()
    assert library.rows(posts) == []


def test_a_room_for_figures_only_gets_no_cards(library: Library) -> None:
    (team,) = library.settings.teams
    board = TeamRoom(room=Room(platform="local", id="board"), figures_only=True)
    library.reconfigure(teams=(replace(team, rooms=(TeamRoom(room=CHANNEL), board)),))
    library.arrives()
    assert [post.room for post in library.rows(posts)] == ["desk"]

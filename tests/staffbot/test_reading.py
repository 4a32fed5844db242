"""What people are shown of the ledger, and which mention they mean, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from staffbot.cards import CardFacts
from staffbot.commands import Clear
from staffbot.desk import conversations, meant, reading, storm_reading
from staffbot.desk.ledger import Tx
from staffbot.errors import Refused
from staffbot.messages import Who
from staffbot.model import Actor, Happened, Kind, Media, Visibility
from tests.library import CHANNEL, Library

ANA = Actor(platform="local", user_id="ana", name="Ana Silva", room=CHANNEL)


def facts(library: Library, number: int) -> CardFacts:
    found = library.desk.look(reading.card_facts, number)
    assert found is not None
    return found


def resolved(library: Library, text: str, clear: Clear = Clear.MINE, who: str = "ana") -> int:
    return library.desk.look(meant.resolve, library.person(who), text, ANA, clear)


def test_a_queue_has_the_most_urgent_first_and_the_heard_apart(library: Library) -> None:
    late = library.arrives()
    library.clock.forward(hours=1)
    later = library.arrives()
    heard = library.arrives(kind=Kind.HASHTAG)
    mine = library.arrives()
    library.claim(mine)
    found = library.desk.look(reading.queue, ("adult",))
    assert [row.mention.number for row in found.unclaimed.rows] == [late, later]
    assert [row.mention.number for row in found.heard.rows] == [heard]
    assert found.claimed.rows[0].owner == Who(key="ana", name="Ana Silva")
    assert found.claimed.rows[0].network == "Social"
    assert library.desk.look(reading.queue, ("kids",)).unclaimed.total == 0


def test_a_long_list_is_cut_and_counted(sqlite_library: Library) -> None:
    sqlite_library.reconfigure()
    for _ in range(reading.ROWS + 3):
        sqlite_library.claim(sqlite_library.arrives())
        sqlite_library.clock.forward(hours=1)
    mine = sqlite_library.desk.look(reading.mine, sqlite_library.person("ana"))
    assert (len(mine.rows), mine.total) == (reading.ROWS, reading.ROWS + 3)


def test_the_facts_of_a_card(library: Library) -> None:
    number = library.arrives(
        "¿Abren?", language="es", media=(Media(url="https://x.example/a.jpg", alt="A door"),),
        in_reply_to="Open daily", title="Opening", held=True,
    )  # fmt: skip
    library.desk.act(conversations.note, number, library.person("ben"), "the park branch")
    library.claim(number)
    found = facts(library, number)
    assert found.owner == Who(key="ana", name="Ana Silva")
    assert (found.network, found.team, found.several_teams) == ("Social", "", False)
    assert found.words is not None
    assert found.words.text == "¿Abren?"
    assert found.words.patron.handle == "@lena1"
    assert found.words.media[0].alt == "A door"
    assert found.words.held
    assert found.words.notes == ((library.clock.now, "Ben Okafor", "the park branch"),)
    assert library.desk.look(reading.card_facts, 99) is None


def test_linked_mentions_and_history(library: Library) -> None:
    one, two = library.arrives(), library.arrives()
    library.desk.act(conversations.link, one, two, library.person("ben"))
    library.claim(one)
    assert facts(library, one).linked == (two,)
    past = library.desk.look(reading.history, two)
    assert [event.what for event in past] == [
        Happened.RECEIVED, Happened.LINKED, Happened.CLAIMED,
    ]  # fmt: skip
    assert past[1].who == "Ben Okafor"


def test_a_number_an_address_or_the_only_one(library: Library) -> None:
    one = library.arrives()
    assert resolved(library, "42") == 42
    assert resolved(library, "#42") == 42
    assert resolved(library, f"https://social.example/{one}") == one
    assert resolved(library, f"<https://social.example/{one}/|post>") == one
    assert resolved(library, "", Clear.UNCLAIMED) == one
    with pytest.raises(Refused, match="You have claimed nothing"):
        resolved(library, "")
    library.claim(one)
    assert resolved(library, "") == one
    with pytest.raises(Refused, match="Nothing is unclaimed"):
        resolved(library, "", Clear.UNCLAIMED)


def test_what_is_not_clear_is_asked(library: Library) -> None:
    for _ in range(2):
        library.claim(library.arrives(permalink="https://social.example/same"))
    with pytest.raises(Refused, match="You have claimed 1 and 2: say its number"):
        resolved(library, "")
    with pytest.raises(Refused, match="belongs to 1 and 2"):
        resolved(library, "https://social.example/same")
    with pytest.raises(Refused, match="No mention has that address"):
        resolved(library, "https://social.example/other")
    with pytest.raises(Refused, match="Say its number"):
        resolved(library, "", Clear.NONE)


def test_who_is_known(library: Library) -> None:
    assert library.desk.look(reading.known, ANA) == library.person("ana")
    stranger = Actor(platform="local", user_id="zed", name="Zed", room=CHANNEL)
    assert library.desk.look(reading.known, stranger) is None


def test_suggestions_are_what_a_verb_is_about(library: Library) -> None:
    free, mine = library.arrives(), library.arrives()
    library.claim(mine)
    library.clock.forward(minutes=1)

    def suggested(tx: Tx, clear: Clear) -> list[int]:
        found = meant.suggestions(tx, library.person("ana"), ANA, clear)
        return [row.mention.number for row in found.rows]

    assert library.desk.look(suggested, Clear.UNCLAIMED) == [free]
    assert library.desk.look(suggested, Clear.MINE) == [mine]
    assert library.desk.look(suggested, Clear.NONE) == []


def test_storm_facts(sqlite_library: Library) -> None:
    library = sqlite_library
    library.take_in(*(library.incoming(f"{n}") for n in range(12)))
    library.clock.forward(minutes=3)
    library.take_in(library.incoming("one more", source="blog", kind=Kind.COMMENT))
    library.claim(1)
    found = library.desk.look(storm_reading.storm_facts, 1)
    assert found is not None
    assert (found.total, found.unclaimed, found.claimed) == (13, 12, 1)
    assert found.networks == [("Social", 12), ("Blog", 1)]
    assert found.last_at - found.began_at == timedelta(minutes=3)
    assert library.desk.look(storm_reading.storm_facts, 99) is None


def test_a_storm_says_what_most_of_it_is_about(library: Library) -> None:
    evening = [library.incoming(title="Author evening") for _ in range(7)]
    hidden = [library.incoming(title="My illness", visibility=Visibility.PRIVATE) for _ in range(2)]
    others = [library.incoming(title=f"Title {n}") for n in range(5)]
    library.take_in(*evening, *hidden, *others)
    found = library.desk.look(storm_reading.storm_facts, 1)
    assert found is not None
    assert (found.total, found.subject) == (14, "Author evening")
    library.take_in(library.incoming())
    found = library.desk.look(storm_reading.storm_facts, 1)
    assert found is not None
    assert found.subject == "", "fewer than half of them"

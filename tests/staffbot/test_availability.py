"""Away and back: no reminders, nothing assigned, own claims offered to the team."""

from __future__ import annotations

import pytest

from staffbot.desk import availability, claims, closing, undoing
from staffbot.errors import Refused
from staffbot.model import Done, Gone, Outcome, Status, Unchanged
from tests.library import Library
from tests.staffbot.clockwork import Clockwork, buttons, named, wall


@pytest.fixture
def works(library: Library) -> Clockwork:
    return Clockwork(library)


@pytest.fixture
def quick(sqlite_library: Library) -> Clockwork:
    return Clockwork(sqlite_library)


def test_what_they_have_is_offered_to_the_team(works: Clockwork) -> None:
    first, second = works.library.arrives(), works.library.arrives()
    works.library.claim(first)
    works.library.claim(second)
    done = works.do(availability.away, works.person("ana"), wall(5, 9))
    assert (
        done.said == "You are away until Thu 5 Mar 09:00. 2 mentions of yours offered to the team."
    )
    works.carry()
    (notice,) = works.offers()
    assert notice.text == "Ana Silva is away until Thu 5 Mar 09:00. Who takes 2 mentions over?"
    assert named(notice) == [first, second]
    assert buttons(notice) == ["takeover", "takeover"]
    taken = works.do(availability.take_over, first, works.person("ben"))
    assert isinstance(taken, Done)
    assert works.library.mention(first).owner == "ben"


def test_an_offer_says_what_is_left_of_it(works: Clockwork) -> None:
    numbers = [works.library.arrives() for _ in range(3)]
    for number in numbers:
        works.library.claim(number)
    works.do(availability.away, works.person("ana"), wall(5, 9))
    works.carry()
    taken = works.do(availability.take_over, numbers[0], works.person("ben"))
    works.carry()
    (offer,) = works.offers()
    assert offer.text.endswith("Who takes 2 mentions over?")
    assert named(offer) == numbers[1:]
    works.do(undoing.undo, taken.event, works.person("ben"))
    works.ring()
    assert named(works.offers()[0]) == numbers, "what was given back is offered again"
    for number in numbers:
        works.do(closing.close, number, works.person("mia"), outcome=Outcome.ANSWERED)
    works.ring()
    (offer,) = works.offers()
    assert offer.text == "Ana Silva is away, and nothing is left here to take over."
    assert (offer.parts, buttons(offer)) == ((), [])


@pytest.mark.parametrize("by_hand", [True, False])
def test_an_offer_is_over_once_they_are_back(works: Clockwork, by_hand: bool) -> None:
    works.library.claim(works.library.arrives())
    works.do(availability.away, works.person("ana"), wall(3, 12))
    works.carry()
    if by_hand:
        works.do(availability.back, works.person("ana"))
        works.carry()
    else:
        works.at(wall(3, 12))
    (offer,) = works.offers()
    assert offer.text == "Ana Silva is back: nothing is left here to take over."
    assert buttons(offer) == []
    works.do(availability.away, works.person("ana"), wall(6, 9))
    works.carry()
    before, after = works.offers()
    assert before == offer, "what is over is not edited again"
    assert len(named(after)) == 1


def test_who_is_away_longer_is_offered_once(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.claim(number)
    works.do(availability.away, works.person("ana"), wall(4, 9))
    works.carry()
    works.do(availability.away, works.person("ana"), wall(6, 9))
    works.carry()
    before, after = works.offers()
    assert before.text == "Ana Silva is away: the newest message says what to take over."
    assert buttons(before) == []
    assert named(after) == [number]


def test_an_offer_that_was_settled_before_it_was_posted_is_not(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.claim(number)
    works.outbox_is_late = True
    works.do(availability.away, works.person("ana"), wall(5, 9))
    taken = works.do(availability.take_over, number, works.person("ben"))
    works.outbox_is_late = False
    works.ring()
    assert works.offers() == []
    works.do(undoing.undo, taken.event, works.person("ben"))
    works.ring()
    assert named(works.offers()[0]) == [number]


def test_nobody_reminds_who_is_away_but_the_line_counts_it(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.claim(number)
    works.do(availability.away, works.person("ana"), wall(5, 12))
    works.at(wall(3, 14, 30))
    assert works.letters("ana") == []
    assert works.lines() == [
        "1 mention waits for someone to take it: 1 past the target and "
        "1 of a colleague who is away."
    ]
    line = works.kind("line")[0].message
    assert buttons(line) == ["queue", "takeover"]
    works.at(wall(3, 16, 30))
    assert len(works.letters("mia")) == 1, "the manager's step does not wait for them"
    works.at(wall(5, 12, 0))
    (message,) = works.letters("ana")
    assert "past its target" in message.text, "what was suppressed did not count"


def test_coming_back_early_goes_on_at_once(works: Clockwork) -> None:
    works.library.claim(works.library.arrives())
    works.do(availability.away, works.person("ana"), wall(9, 9))
    works.at(wall(3, 14, 30))
    works.library.clock.now = wall(4, 10)
    assert isinstance(works.do(availability.back, works.person("ana")), Done)
    assert isinstance(works.do(availability.back, works.person("ana")), Unchanged)
    works.at(wall(4, 10, 1))
    assert len(works.letters("ana")) == 1


def test_an_absence_that_is_made_shorter_counts(quick: Clockwork) -> None:
    quick.library.claim(quick.library.arrives())
    quick.do(availability.away, quick.person("ana"), wall(20, 9))
    quick.at(wall(3, 14, 30))
    quick.do(availability.away, quick.person("ana"), wall(4, 9))
    quick.at(wall(3, 15))
    quick.at(wall(4, 9, 0))
    assert len(quick.letters("ana")) == 1


def test_nothing_is_given_to_who_is_away(works: Clockwork) -> None:
    number = works.library.arrives()
    works.do(availability.away, works.person("ben"), wall(5, 9))
    for use_case, args in (
        (claims.assign, (number, works.person("ben"), works.person("ana"))),
        (claims.hand_over, (works.person("ana"), works.person("ben"))),
    ):
        if use_case is claims.hand_over:
            works.library.claim(number)
        with pytest.raises(Refused, match="Ben Okafor is away until Thu 5 Mar 09:00"):
            works.do(use_case, *args)


def test_who_is_here_keeps_what_they_have(works: Clockwork) -> None:
    number = works.library.arrives()
    works.library.claim(number)
    with pytest.raises(Refused, match="Ana Silva has 1 and is here"):
        works.do(availability.take_over, number, works.person("ben"))
    assert isinstance(works.do(availability.take_over, number, works.person("ana")), Unchanged)


def test_taking_over_what_nobody_has_claims_it(quick: Clockwork) -> None:
    number = quick.library.arrives()
    quick.do(availability.take_over, number, quick.person("ben"))
    mention = quick.library.mention(number)
    assert (mention.status, mention.owner) == (Status.CLAIMED, "ben")


def test_what_makes_no_sense_is_refused(quick: Clockwork) -> None:
    with pytest.raises(Refused, match="past"):
        quick.do(availability.away, quick.person("ana"), wall(3, 10))
    with pytest.raises(Refused, match="shared"):
        quick.do(availability.away, quick.person("desk"), wall(4, 10))


def test_a_closed_one_is_gone(quick: Clockwork) -> None:
    number = quick.library.arrives()
    quick.do(closing.close, number, quick.person("ana"), outcome=Outcome.SPAM)
    assert isinstance(quick.do(availability.take_over, number, quick.person("ben")), Gone)

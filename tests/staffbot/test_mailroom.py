"""Wanting posts, taking them in hand, and writing back what became of them, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from staffbot.desk import carriage, delivery, mailroom, posted, resending, troubles
from staffbot.desk.carriage import Taken
from staffbot.desk.ledger import Tx
from staffbot.errors import DeliveryError
from staffbot.model import MessageRef, Room
from staffbot.settings import Delivery
from staffbot.tables import posts
from tests.library import CHANNEL, Library

CHILDREN = Room(platform="local", id="children")
LIFE = timedelta(seconds=30)


def notice(tx: Tx, /, key: str, room: Room = CHANNEL, **more: Any) -> int | None:
    return mailroom.want(
        tx, key=key, kind="notice", room=room, platform=room.platform, detail={}, **more
    )


def take(library: Library, holder: str = "one", limit: int = 20) -> list[Taken]:
    return library.desk.act(carriage.take_due, holder, ["local"], limit, LIFE)


def ref(id_: str, room: Room = CHANNEL) -> MessageRef:
    return MessageRef(room=room, id=id_)


def post_rows(library: Library) -> list[Any]:
    return library.rows(posts)


def pass_deadlines(library: Library) -> None:
    """The life of every call in hand is over, without waiting for it."""
    library.desk.act(
        lambda tx: (
            tx.conn.execute(
                update(posts)
                .where(posts.c.deadline.is_not(None))
                .values(deadline=tx.real_now - timedelta(seconds=1))
            )
            and None
        )
    )


def test_a_key_is_wanted_once(library: Library) -> None:
    first = library.desk.act(notice, "notice:1")
    assert first is not None
    assert library.desk.act(notice, "notice:1") is None
    assert [row.id for row in post_rows(library)] == [first]


def test_a_post_has_to_go_somewhere(sqlite_library: Library) -> None:
    with pytest.raises(ValueError, match="goes to no room and to no person"):
        sqlite_library.desk.act(mailroom.want, key="k", kind="nag", platform="local", detail={})


def test_a_card_is_wanted_once_in_each_room(library: Library) -> None:
    number = library.arrives()
    mention = library.mention(number)
    for room in (CHANNEL, CHILDREN, CHILDREN):
        library.desk.act(mailroom.want_card, mention, room)
    keys = [row.key for row in post_rows(library) if row.kind == "card"]
    assert sorted(keys) == [f"card:{number}:local:children:1", f"card:{number}:local:desk:1"]


def test_a_card_that_had_nothing_to_say_is_taken_up_again(library: Library) -> None:
    number = library.arrives()
    [taken] = take(library)
    assert library.desk.act(delivery.dropped, taken, taken.wanted)
    assert take(library) == []
    library.desk.act(mailroom.want_card, library.mention(number), CHANNEL)
    [again] = take(library)
    assert again.key == taken.key


def test_a_card_that_changed_while_it_had_nothing_to_say_is_looked_at_again(
    library: Library,
) -> None:
    number = library.arrives()
    [taken] = take(library)
    library.claim(number)
    library.desk.act(delivery.dropped, taken, taken.wanted)
    assert [post.id for post in take(library)] == [taken.id]


def test_each_room_gives_its_oldest_and_one_at_a_time(library: Library) -> None:
    for key, room in [("a1", CHANNEL), ("b1", CHILDREN), ("a2", CHANNEL), ("b2", CHILDREN)]:
        library.desk.act(notice, key, room)
    first = take(library)
    assert [post.key for post in first] == ["a1", "b1"]
    assert take(library, "two") == []
    assert library.desk.act(delivery.sent, first[0], ref("1"), 1)
    assert [post.key for post in take(library, "two")] == ["a2"]


def test_other_platforms_and_busy_rooms_are_left_alone(library: Library) -> None:
    library.desk.act(notice, "a1")
    library.desk.act(notice, "s1", Room(platform="slack", id="C1"))
    none = library.desk.act(carriage.take_due, "one", ["local"], 20, LIFE, [str(CHANNEL)])
    assert none == []
    assert [post.key for post in take(library)] == ["a1"]


def test_a_slow_holder_cannot_overwrite_a_newer_one(library: Library) -> None:
    library.arrives()
    [slow] = take(library, "slow")
    pass_deadlines(library)
    [newer] = take(library, "newer")
    assert newer.doubt
    assert not library.desk.act(delivery.sent, slow, ref("slow"), 1)
    assert library.desk.act(delivery.failed, slow, DeliveryError("no")) == "lost"
    assert library.desk.act(delivery.sent, newer, ref("newer"), 1)
    assert not library.desk.act(delivery.put_back, slow)
    [row] = post_rows(library)
    assert (row.state, row.ref_id) == ("sent", "newer")


def test_what_was_in_hand_is_in_doubt_and_nothing_else(library: Library) -> None:
    library.desk.act(notice, "a1")
    library.desk.act(notice, "b1", CHILDREN)
    assert [(post.key, post.doubt) for post in take(library, limit=1)] == [("a1", False)]
    pass_deadlines(library)
    again = {post.key: post.doubt for post in take(library)}
    assert again == {"a1": True, "b1": False}


def test_an_ambiguous_post_keeps_its_deadline_and_holds_up_nobody(library: Library) -> None:
    library.desk.act(notice, "a1")
    library.desk.act(notice, "a2")
    [taken] = take(library)
    lost = DeliveryError("cut", ambiguous=True)
    assert library.desk.act(delivery.failed, taken, lost) == "sending"
    assert [post.key for post in take(library)] == ["a2"]
    [first, _] = post_rows(library)
    assert first.deadline == taken.deadline


def test_a_closed_room_leaves_in_doubt_what_may_stand_in_it(library: Library) -> None:
    """Else the card is posted a second time once the room is open again."""
    library.arrives("Is the printer back?")
    take(library)
    pass_deadlines(library)
    [doubtful] = take(library)
    assert doubtful.doubt
    assert doubtful.live
    closed = DeliveryError("the app is not in the channel", whole_room=True)
    assert library.desk.act(delivery.unseen, doubtful, closed) == "sending"
    assert take(library) == []  # it is asked again in some minutes, and delays no other
    library.desk.act(notice, "a2")
    assert [post.key for post in take(library)] == ["a2"]


def test_what_a_room_never_tells_is_posted_in_the_end(library: Library) -> None:
    """It may only be its history that is closed, and a card that nobody sees helps nobody."""
    library.arrives("Is the printer back?")
    take(library)
    pass_deadlines(library)
    [doubtful] = take(library)
    often = replace(doubtful, tries=library.settings.delivery.tries)
    closed = DeliveryError("no permission to read there", whole_room=True)
    assert library.desk.act(delivery.unseen, often, closed) == "waiting"


def test_retry_after_holds_the_whole_room(library: Library) -> None:
    library.desk.act(notice, "a1")
    library.desk.act(notice, "a2")
    library.desk.act(notice, "b1", CHILDREN)
    [limited, _] = take(library)
    later = DeliveryError("slow down", retry_after=3600)
    assert library.desk.act(delivery.failed, limited, later) == "waiting"
    assert take(library) == []
    rest = library.desk.look(carriage.due_in, ["local"])
    assert rest is not None
    assert rest <= LIFE  # the call to the children's room; then the hour of this one
    assert post_rows(library)[0].tries == 0


def test_a_room_that_takes_nothing_is_one_trouble_until_it_is_back(library: Library) -> None:
    lost = DeliveryError("the channel is away", whole_room=True)
    for key in ("a1", "a2"):
        library.desk.act(notice, key)
        [taken] = take(library)
        assert library.desk.act(delivery.failed, taken, lost) == "parked"
    [trouble] = library.desk.look(troubles.current)
    assert trouble.said == (
        "Nothing is delivered in local:desk: the channel is away. "
        "Once that is mended, /lib resend tries again what waits for it."
    )
    library.desk.act(notice, "a3")
    [taken] = take(library)
    assert library.desk.act(delivery.sent, taken, ref("3"), 1)
    assert library.desk.look(troubles.current) == []
    assert [row.state for row in post_rows(library)] == ["waiting", "waiting", "sent"]


def test_a_room_that_takes_some_posts_only_is_no_loop(library: Library) -> None:
    library.reconfigure(delivery=Delivery(tries=2))
    lost = DeliveryError("a permission is away", whole_room=True)
    library.desk.act(notice, "never")
    for number in range(4):
        for taken in take(library):
            library.desk.act(delivery.failed, taken, lost)
        library.desk.act(notice, f"a{number}")
        [taken] = take(library)
        library.desk.act(delivery.sent, taken, ref(str(number)), 1)
    [first, *_] = post_rows(library)
    assert (first.state, first.tries) == ("parked", 2)


def test_a_post_is_given_up_only_if_its_room_takes_others(library: Library) -> None:
    library.reconfigure(delivery=Delivery(tries=1))
    library.desk.act(notice, "a1")
    [taken] = take(library)
    outage = DeliveryError("internal error")
    assert library.desk.act(delivery.failed, taken, outage) == "waiting"
    library.desk.act(notice, "a2")
    [other] = take(library)
    assert other.key == "a2"
    assert library.desk.act(delivery.sent, other, ref("2"), 1)
    library.desk.act(lambda tx: tx.conn.execute(update(posts).values(retry_at=None)) and None)
    [again] = take(library)
    assert again.key == "a1"
    assert library.desk.act(delivery.failed, again, outage) == "parked"
    [trouble] = library.desk.look(troubles.current)
    assert trouble.said == (
        "The notice in local:desk is not delivered: internal error. "
        "Once that is mended, /lib resend tries it again."
    )
    assert [post.key for post in library.desk.look(posted.parked)] == ["a1"]
    assert library.desk.act(resending.again) == 1
    assert library.desk.look(troubles.current) == []
    assert [post.key for post in take(library)] == ["a1"]


def test_a_deadline_of_a_clock_set_back_is_mended(library: Library) -> None:
    library.desk.act(notice, "a1")
    [taken] = take(library)
    far = taken.deadline + timedelta(hours=1)
    library.desk.act(lambda tx: tx.conn.execute(update(posts).values(deadline=far)) and None)
    assert take(library) == []
    assert post_rows(library)[0].deadline < far - timedelta(minutes=58)


def test_a_post_for_opening_waits_for_the_desks_clock(library: Library) -> None:
    opening = library.clock.now + timedelta(hours=14)
    library.desk.act(notice, "a1", not_before=opening)
    assert take(library) == []
    assert library.desk.look(posted.oldest_unsent) is None
    library.clock.forward(hours=14)
    assert library.desk.look(posted.oldest_unsent) == timedelta()
    assert [post.key for post in take(library)] == ["a1"]


def test_a_live_post_is_restated_and_a_sent_one_is_stale_then(library: Library) -> None:
    line = library.desk.act(
        mailroom.want, key="line:desk", kind="line", room=CHANNEL, platform="local", detail={}
    )
    assert line is not None
    [taken] = take(library)
    library.desk.act(delivery.sent, taken, ref("9"), taken.wanted)
    assert post_rows(library)[0].pending == 0
    assert library.desk.act(mailroom.restate, line)
    assert library.desk.act(mailroom.restate, "line:desk")
    assert not library.desk.act(mailroom.restate, "line:elsewhere")
    [row] = post_rows(library)
    assert (row.pending, row.wanted, row.shown) == (1, 3, 1)


def test_a_change_during_the_call_leaves_the_card_stale(library: Library) -> None:
    number = library.arrives()
    [taken] = take(library)
    library.claim(number)
    library.desk.act(delivery.sent, taken, ref("5"), taken.wanted)
    [row] = post_rows(library)
    assert (row.state, row.pending) == ("sent", 1)
    assert row.wanted > row.shown


def test_a_message_leads_to_its_mention(library: Library) -> None:
    number = library.arrives()
    [taken] = take(library)
    library.desk.act(delivery.sent, taken, ref("77"), taken.wanted)
    assert library.desk.look(posted.of_ref, ref("77")) == number
    assert library.desk.look(posted.of_ref, ref("78")) is None
    assert library.desk.look(posted.of_ref, ref("77", CHILDREN)) is None
    found = library.desk.look(posted.by_key, taken.key)
    assert found is not None
    assert found.ref == ref("77")
    assert found.mention == number
    assert library.desk.look(posted.by_key, "card:0:local:desk:1") is None


def test_counts_name_what_a_person_may_have_to_look_at(library: Library) -> None:
    library.desk.act(notice, "a1")
    library.desk.act(notice, "b1", CHILDREN)
    [taken, _] = take(library)
    library.desk.act(delivery.unknown, taken)
    counted = library.desk.look(posted.counts)
    assert counted == {"waiting": 0, "sending": 1, "parked": 0, "unknown": 1}

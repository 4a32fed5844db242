"""What a platform tells of an act besides: its name, the message it was done on, a role."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.schema import DropTable

from staffbot.desk import hearing, pulse
from staffbot.desk.acts import note
from staffbot.desk.claims import release
from staffbot.desk.closing import close, reopen
from staffbot.dispatch import Dispatch
from staffbot.messages import Message
from staffbot.model import Actor, MessageRef, Outcome, Role
from staffbot.seams import Mark
from staffbot.tables import deliveries, events, people, posts
from tests.library import CHANNEL, Library


def actor(who: str = "ana", **more: Any) -> Actor:
    return Actor(platform="local", user_id=who, name=who.capitalize(), room=CHANNEL, **more)


async def said(library: Library, actor: Actor, line: str) -> Message:
    reply = await Dispatch(library.desk).command(actor, line)
    assert isinstance(reply, Message)
    return reply


def happened(library: Library) -> int:
    counted = select(func.count()).select_from(events)
    return library.desk.look(lambda tx: tx.conn.execute(counted).scalar_one())


# --- one effect ---------------------------------------------------------------------------------


async def test_an_act_that_is_delivered_again_has_one_effect(library: Library) -> None:
    number = library.arrives()
    claim = actor(act="action:U1:1.1:claim")
    await said(library, claim, f"claim {number}")
    await said(library, actor(), f"release {number}")
    before = happened(library)
    again = await said(library, claim, f"claim {number}")
    assert again.text == "That was done already."
    assert not again.refused
    assert library.mention(number).owner is None
    assert happened(library) == before


async def test_another_act_of_the_same_kind_is_done(library: Library) -> None:
    number = library.arrives()
    await said(library, actor(act="one"), f"claim {number}")
    await said(library, actor(), f"release {number}")
    await said(library, actor(act="two"), f"claim {number}")
    assert library.mention(number).owner == "ana"


async def test_an_act_that_was_refused_may_be_tried_again(library: Library) -> None:
    """Nothing was stored, so the name of the act was not either."""
    assert (await said(library, actor(act="one"), "claim")).refused
    number = library.arrives()
    found = await said(library, actor(act="one"), f"claim {number}")
    assert found.text != "That was done already."
    assert library.mention(number).owner == "ana"


async def test_what_an_act_was_called_is_kept_as_a_hash_and_for_a_day(library: Library) -> None:
    number = library.arrives()
    await said(library, actor(act="action:U1:1.1:claim"), f"claim {number}")
    (kept,) = library.rows(deliveries)
    assert kept.source == "act:local"
    assert "U1" not in kept.id_hash
    assert library.desk.act(pulse.forget_deliveries) == 0


# --- heard late, or again -----------------------------------------------------------------------

NOW = datetime.now(UTC)


def hand(who: str = "ana", at: datetime | None = None, on: str = "m-1") -> Actor:
    return actor(who, act=f"reaction:{on}:claim:{who}", on=on, lasting=True, at=at)


def card(library: Library) -> tuple[int, str]:
    """A mention whose card stands in the channel, and the id of that message."""
    number = library.arrives()
    library.desk.act(
        lambda tx: tx.conn.execute(
            update(posts)
            .where(posts.c.mention == number)
            .values(ref_room=CHANNEL.id, ref_id=f"m-{number}", state="sent", pending=0)
        )
    )
    return number, f"m-{number}"


def mark(who: str, on: str, verb: str = "claim") -> Mark:
    ref = MessageRef(room=CHANNEL, id=on)
    return Mark(user_id=who, on=ref, verb=verb, act=f"reaction:{on}:{verb}:{who}")


async def test_a_refusal_of_what_lasts_is_said_once(library: Library) -> None:
    """It can be read again in the room, and whoever wrote it was told."""
    for line in ("relase 1", "claim 77", "claim"):
        wrote = actor(act=f"message:{line}", lasting=True, at=NOW)
        first, second = [await said(library, wrote, line) for _ in range(2)]
        assert (first.refused, first.old) == (True, False), line
        assert second.old, line


async def test_a_look_that_lasts_is_answered_once(library: Library) -> None:
    wrote = actor(act="message:1", lasting=True, at=NOW)
    assert not (await said(library, wrote, "queue")).old
    assert (await said(library, wrote, "queue")).old
    pressed = actor(act="command:1")
    for _ in range(2):
        assert not (await said(library, pressed, "queue")).old


async def test_a_hand_is_one_act_until_it_is_raised_again(library: Library) -> None:
    number, on = card(library)
    assert (await said(library, hand(at=NOW, on=on), "claim")).text.endswith("is yours.")
    await said(library, actor(), f"release {number}")
    for at in (NOW, NOW - timedelta(seconds=1), None):  # again, out of order, read afterwards
        assert (await said(library, hand(at=at, on=on), "claim")).old
    assert library.mention(number).owner is None
    await said(library, hand(at=NOW + timedelta(seconds=9), on=on), "claim")
    assert library.mention(number).owner == "ana"


async def test_what_is_read_afterwards_and_then_delivered_is_one_act(library: Library) -> None:
    number, on = card(library)
    before = datetime.now(UTC) - timedelta(minutes=1)
    await said(library, hand(on=on), "claim")
    await said(library, actor(), f"release {number}")
    assert (await said(library, hand(at=before, on=on), "claim")).old
    assert library.mention(number).owner is None


def test_marks_that_were_never_heard_ask_for_what_their_card_waits_for(library: Library) -> None:
    desk = library.desk
    (free, a), (mine, b), (over, c) = card(library), card(library), card(library)
    library.claim(mine, "ben")
    library.claim(over, "ben")
    desk.act(close, over, library.person("ben"), outcome=Outcome.ANSWERED)
    marks = [mark("ana", on, verb) for on in (a, b, c, "m-none") for verb in ("claim", "done")]
    asks = {(one.on.id, one.verb) for one in desk.act(hearing.unheard, marks)}
    assert asks == {(a, "claim"), (a, "done"), (b, "done")}
    # Those that came too late count as heard, whatever becomes of their mention.
    desk.act(release, mine, library.person("ben"))
    desk.act(reopen, over, library.person("ben"))
    asks = {(one.on.id, one.verb) for one in desk.act(hearing.unheard, marks)}
    assert asks == {(a, "claim"), (a, "done"), (b, "done")}
    desk.act(hearing.noted, marks)
    assert desk.act(hearing.unheard, marks) == ()
    assert library.mention(free).owner is None


def test_very_many_marks_are_looked_at_in_portions(library: Library) -> None:
    _, on = card(library)
    marks = [mark(f"u{number}", on) for number in range(1203)]
    library.desk.act(hearing.noted, marks[:1200])
    assert library.desk.act(hearing.unheard, marks) == tuple(marks[1200:])


def test_an_act_is_known_for_longer_than_any_door_reads_back(library: Library) -> None:
    real = datetime.now(UTC)
    for days in (14, 16):
        act = mark("ana", f"m-{days}").act
        library.desk.act(note, "local", act, at=real - timedelta(days=days))
    library.desk.act(
        lambda tx: tx.conn.execute(
            insert(deliveries).values(source="form", id_hash="x", at=real - timedelta(days=2))
        )
    )
    assert library.desk.act(pulse.forget_deliveries) == 2
    (kept,) = library.rows(deliveries)
    assert kept.source == "act:local"


def test_until_when_a_platform_was_heard_is_kept(library: Library) -> None:
    desk = library.desk
    assert desk.look(hearing.last_heard, "slack") is None
    for at in (NOW, NOW + timedelta(seconds=30)):
        desk.act(hearing.heard, "slack", at)
    assert desk.look(hearing.last_heard, "slack") == NOW + timedelta(seconds=30)
    assert desk.look(hearing.last_heard, "local") is None


async def test_a_member_of_a_teams_channel_is_staff_from_anywhere(library: Library) -> None:
    stranger = replace(actor("zoe"), room=None)
    assert (await said(library, stranger, "queue")).refused
    assert not (await said(library, replace(stranger, home=CHANNEL), "queue")).refused
    elsewhere = replace(stranger, home=replace(CHANNEL, id="kitchen"), user_id="yan")
    assert (await said(library, elsewhere, "queue")).refused


# --- what went wrong ----------------------------------------------------------------------------


async def test_a_refusal_says_that_it_is_one(sqlite_library: Library) -> None:
    refused = await said(sqlite_library, actor(), "relase 1")
    assert refused.refused
    assert not refused.failed


async def test_a_fault_of_ours_says_that_it_is_one(sqlite_library: Library) -> None:
    sqlite_library.desk.act(lambda tx: tx.conn.execute(DropTable(deliveries)))
    number = sqlite_library.arrives()
    failed = await said(sqlite_library, actor(act="one"), f"claim {number}")
    assert sqlite_library.mention(number).owner is None
    assert failed.failed
    assert not failed.refused


# --- on a message -------------------------------------------------------------------------------


async def test_what_is_done_on_another_message_means_no_mention(library: Library) -> None:
    """A raised hand on a digest claims nothing, though only one mention waits."""
    number = library.arrives()
    found = await said(library, actor(on="m-77"), "claim")
    assert found.refused
    assert "not the card" in found.text
    assert library.mention(number).owner is None


# --- roles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [Role.DEPUTY, Role.MANAGER])
async def test_a_platforms_role_is_more_or_nothing(library: Library, told: Role) -> None:
    number = library.arrives()
    library.claim(number, "ben")
    assert (await said(library, actor("ana"), f"assign {number} to mia")).refused
    assert not (await said(library, actor("ana", role=told), f"assign {number} to mia")).refused
    assert not (
        await said(library, actor("mia", role=Role.STAFF), f"assign {number} to ben")
    ).refused


async def test_the_role_of_who_is_not_listed_is_kept_for_reminders(library: Library) -> None:
    await said(library, actor("zoe", role=Role.MANAGER), "queue")
    assert _role(library, "local:zoe") is Role.MANAGER
    number = library.arrives()
    await said(library, actor("zoe", role=Role.STAFF), f"claim {number}")
    assert _role(library, "local:zoe") is Role.STAFF
    await said(library, replace(actor("zoe"), role=None), "mine")
    assert _role(library, "local:zoe") is Role.STAFF


def _role(library: Library, key: str) -> Role:
    (row,) = [row for row in library.rows(people) if row.key == key]
    return Role(row.role)

"""What a platform tells of an act besides: its name, the message it was done on, a role."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.schema import DropTable

from staffbot.desk import pulse
from staffbot.dispatch import Dispatch
from staffbot.messages import Message
from staffbot.model import Actor, Role
from staffbot.tables import deliveries, events, people
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

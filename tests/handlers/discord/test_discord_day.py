"""A day at work on Discord: real desk, real outbox, real discord.py, on the loopback Discord."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from staffbot import forms
from staffbot.desk import digests, reminding
from staffbot.messages import Button, Message, Reply
from staffbot.model import Actor, Outcome, Status, Visibility
from staffbot.settings import StaffMember
from staffbot.tables import events, people, posts
from tests.fakes import Fault
from tests.handlers.discord.loopback import Loopback, loopback
from tests.handlers.discord.stage import (
    MENTIONS,
    STAFF,
    Evening,
    discord_settings,
    evening,
    running,
)
from tests.handlers.discord.world import ANA, BEN, CHANNEL, ELSEWHERE, LEADS, STRANGER
from tests.handlers.fake_desk import FakeDesk
from tests.library import Library

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def discord() -> AsyncIterator[Loopback]:
    async with loopback() as made:
        yield made


@pytest.fixture
async def day(discord: Loopback, sqlite_library: Library, tmp_path: Path) -> AsyncIterator[Evening]:
    async with evening(discord, sqlite_library, tmp_path) as begun:
        yield begun


def happened(day: Evening, what: str) -> int:
    return sum(row.what == what for row in day.library.rows(events))


# --- buttons ------------------------------------------------------------------------------------


async def test_a_card_is_claimed_by_a_press_and_the_loser_is_told(day: Evening) -> None:
    card = await day.arrives("Is the **café** open? @everyone")
    answer = await (await day.discord.click(card, "Claim")).answer()
    assert answer["content"]
    assert day.library.mention(1).owner == "ana"
    await day.card(1, "claimed by Ana Silva")
    loser = await (await day.discord.click(card, "Claim", user=BEN)).answer()
    assert loser["content"].startswith("Ana Silva has 1")
    assert day.discord.posted() == 1


async def test_two_people_at_once_have_one_winner(day: Evening) -> None:
    card = await day.arrives()
    both = await asyncio.gather(
        day.discord.click(card, "Claim", user=ANA), day.discord.click(card, "Claim", user=BEN)
    )
    said = [(await asked.answer())["content"] for asked in both]
    assert sum(" has 1 since " in one for one in said) == 1
    assert happened(day, "claimed") == 1


async def test_an_interaction_delivered_twice_has_one_effect(day: Evening) -> None:
    card = await day.arrives()
    asked = await day.discord.click(card, "Note…")
    filled = await day.discord.submit(asked, {"text": "She means the branch in the park."})
    await day.discord.send("INTERACTION_CREATE", filled.frame)
    await filled.answer()
    # The second one is in the queue behind; what is asked after it is answered after it.
    await (await day.discord.click(card, "Claim")).answer()
    assert happened(day, "noted") == 1
    assert len(filled.callbacks) == 1


async def test_undo_takes_the_place_of_the_confirmation(day: Evening) -> None:
    card = await day.arrives()
    claimed = await (await day.discord.click(card, "Claim")).answer()
    asked = await day.discord.click(claimed, "Undo")
    answer = await asked.answer()
    assert (await asked.first())["type"] == 6
    assert answer["id"] == claimed["id"]
    assert day.library.mention(1).status is Status.OPEN
    assert happened(day, "undone") == 1


async def test_the_usual_snoozes_stand_on_the_card(day: Evening) -> None:
    card = await day.arrives()
    await (await day.discord.click(card, "Claim")).answer()
    claimed = await day.card(1, "claimed by")
    await (await day.discord.click(claimed, "For 1 hour")).answer()
    assert day.library.mention(1).snoozed_until is not None
    modal = await (await day.discord.click(claimed, "Until another time…")).modal()
    assert modal["title"] == "Snooze 1"


async def test_a_card_kept_private_loses_its_words(day: Evening) -> None:
    card = await day.arrives("My card number is 4711-0815")
    await (await day.discord.click(card, "Keep private")).answer()
    hidden = await day.card(1, "Kept private")
    assert "4711-0815" not in str(hidden)


# --- forms --------------------------------------------------------------------------------------


async def test_done_asks_for_outcome_and_topics(day: Evening) -> None:
    card = await day.arrives()
    asked = await day.discord.click(card, "Done…")
    answer = await (
        await day.discord.submit(
            asked, {"outcome": "spam", "topics": ["idea", "thanks"], "note": "Twice a week."}
        )
    ).answer()
    closed = day.library.mention(1)
    assert (closed.outcome, closed.topics) == (Outcome.SPAM, ("idea", "thanks"))
    assert "1" in answer["content"]
    collapsed = await day.card(1, "Spam")
    assert "When do you open" not in str(collapsed)


async def test_a_form_that_was_open_over_a_restart_still_counts(
    discord: Loopback, sqlite_library: Library, tmp_path: Path
) -> None:
    async with evening(discord, sqlite_library, tmp_path) as day:
        card = await day.arrives()
        asked = await discord.click(card, "Done…")
        await asked.modal()
    async with evening(discord, sqlite_library, tmp_path) as day:
        await (await discord.submit(asked, {})).answer()
        assert day.library.mention(1).outcome is Outcome.ANSWERED


async def test_an_old_button_works_after_a_restart(
    discord: Loopback, sqlite_library: Library, tmp_path: Path
) -> None:
    async with evening(discord, sqlite_library, tmp_path) as day:
        card = await day.arrives()
    async with evening(discord, sqlite_library, tmp_path) as day:
        await (await discord.click(card, "Claim")).answer()
        await day.card(1, "claimed by Ana Silva")
        assert discord.posted() == 1


async def test_a_restart_between_all_steps_changes_nothing(
    discord: Loopback, sqlite_library: Library, tmp_path: Path
) -> None:
    def life() -> AbstractAsyncContextManager[Evening]:
        return evening(discord, sqlite_library, tmp_path)

    async with life() as day:
        card = await day.arrives()
    async with life() as day:
        await (await discord.click(card, "Claim")).answer()
    async with life() as day:
        card = await day.card(1, "claimed by Ana Silva")
        noting = await discord.click(card, "Note…")
        await noting.modal()
    async with life() as day:
        await (await discord.submit(noting, {"text": "She called."})).answer()
        await day.until(lambda: discord.world.contents(card["id"]))
    async with life():
        await (await discord.click(card, "Discuss in a thread")).answer()
    async with life():
        closing = await discord.click(card, "Done with outcome…")
        await closing.modal()
    async with life():
        closed = await (await discord.submit(closing, {"outcome": "spam"})).answer()
    async with life() as day:
        await day.card(1, "Spam")
        await (await discord.click(closed, "Undo")).answer()
    async with life() as day:
        await day.card(1, "claimed by Ana Silva")
        counted = Counter(row.what for row in sqlite_library.rows(events))
        assert (counted["claimed"], counted["noted"], counted["closed"]) == (1, 1, 1)
    # The card, and nothing else in the channel: what a thread is told stands in the thread.
    assert len(discord.world.messages[CHANNEL]) == 1


# --- commands -----------------------------------------------------------------------------------


async def registered(day: Evening) -> None:
    await day.until(lambda: day.discord.world.commands)


async def test_commands_do_what_buttons_do(day: Evening) -> None:
    await registered(day)
    await day.arrives()
    await (await day.discord.command("claim", mention="1")).answer()
    assert day.library.mention(1).owner == "ana"
    done = await (await day.discord.command("lib done", topics="Idea, thanks")).answer()
    assert "1" in done["content"]
    assert day.library.mention(1).topics == ("idea", "thanks")


async def test_a_command_that_lacks_something_asks_for_it(day: Evening) -> None:
    await registered(day)
    await day.arrives()
    asked = await day.discord.command("lib close", mention="1")
    await (await day.discord.submit(asked, {"outcome": "not_for_us"})).answer()
    assert day.library.mention(1).outcome is Outcome.NOT_FOR_US


async def test_a_note_may_begin_with_a_number(day: Evening) -> None:
    await registered(day)
    await day.arrives()
    await (await day.discord.command("claim", mention="1")).answer()
    await (await day.discord.command("lib more note", text="42 people asked")).answer()
    shown = await (await day.discord.command("lib show", mention="#1")).answer()
    assert "42 people asked" in str(shown)


async def test_mentions_people_and_outcomes_are_completed(day: Evening) -> None:
    await registered(day)
    await day.arrives()
    await day.arrives("And on Sunday?")

    async def offered(path: str, focused: str, typed: str, **options: str) -> list[str]:
        asked = await day.discord.typing(path, focused, typed, **options)
        return [one["value"] for one in await asked.choices()]

    assert await offered("claim", "mention", "") == ["1", "2"]
    assert await offered("lib close", "mention", "2") == ["2"]
    assert await offered("lib close", "outcome", "sp") == ["spam"]
    assert "passed on" in await offered("lib close", "outcome", "", mention="1")
    assert await offered("lib assign", "person", "an", mention="1") == ["Ana Silva"]
    assert await offered("lib assign", "person", "mi") == ["Mia Lang"]
    assert await offered("lib help", "verb", "cla") == ["claim"]


async def test_the_queue_offers_a_claim_for_each(day: Evening) -> None:
    await registered(day)
    for text in ("One?", "Two?"):
        await day.arrives(text)
    queue = await (await day.discord.command("lib queue")).answer()
    (claim, _show) = [row["components"][0] for row in queue["components"]]
    assert claim["placeholder"] == "Claim…"
    await (await day.discord.click(queue, claim["options"][1]["label"])).answer()
    assert day.library.mention(2).owner == "ana"
    assert day.library.mention(1).owner is None


async def test_figures_come_with_a_chart_and_a_table_as_files(day: Evening) -> None:
    await registered(day)
    await day.arrives()
    drawn = await (await day.discord.command("lib stats", what="7d chart")).answer()
    assert [one["filename"].endswith(".png") for one in drawn["attachments"]] == [True]
    answer = await (await day.discord.command("lib stats", what="7d csv")).answer()
    assert [one["filename"].endswith(".csv") for one in answer["attachments"]] == [True]
    await (await day.discord.click(answer, "Share here")).answer()
    await day.until(lambda: len(day.discord.world.messages[CHANNEL]) == 2)


async def test_a_message_of_the_channel_is_tracked(day: Evening) -> None:
    await registered(day)
    message = day.discord.says("A caller asks for *large print* by post.", user=BEN)
    asked = await day.discord.track(message)
    modal = await asked.modal()
    assert modal["components"][0]["component"]["value"] == message["content"]
    await (await day.discord.submit(asked, {})).answer()
    card = await day.card(1)
    assert r"\*large print\*" in str(card["embeds"][0]["description"])


# --- reactions and threads ----------------------------------------------------------------------


async def test_a_raised_hand_claims(day: Evening) -> None:
    card = await day.arrives()
    await day.discord.react(card, "🎉")
    await day.discord.react(card, "✋🏽")
    await day.card(1, "claimed by Ana Silva")
    letters = await day.until(lambda: day.discord.world.letters.get(ANA))
    await day.until(lambda: day.discord.world.contents(letters))


async def test_a_check_mark_closes_and_words_of_others_do_nothing(day: Evening) -> None:
    await day.arrives()
    message = day.discord.says("Look at that!")
    await day.discord.react(message, "✅")
    await day.discord.react(await day.card(1), "✅")
    await day.until(lambda: day.library.mention(1).status is Status.CLOSED)


async def test_discuss_makes_one_thread_in_which_the_mention_is_clear(day: Evening) -> None:
    await registered(day)
    card = await day.arrives()
    first = await (await day.discord.click(card, "Discuss in a thread")).answer()
    thread = day.discord.world.channels[card["id"]]
    assert f"<#{thread['id']}>" in first["content"]
    thread["thread_metadata"]["archived"] = True
    again = await (await day.discord.click(card, "Discuss in a thread")).answer()
    assert f"<#{thread['id']}>" in again["content"]
    assert thread["thread_metadata"]["archived"] is False
    await (await day.discord.command("lib claim", channel=thread["id"])).answer()
    assert day.library.mention(1).owner == "ana"


async def test_a_note_opens_the_thread_and_says_there_that_it_is_there(day: Evening) -> None:
    card = await day.arrives()
    for words in ("She means the branch in the park.", "She called back."):
        asked = await day.discord.click(card, "Note…")
        await (await day.discord.submit(asked, {"text": words})).answer()
    thread = card["id"]
    await day.until(lambda: len(day.discord.world.messages.get(thread, ())) == 2)
    assert day.discord.world.contents(thread) == ["Ana Silva left a note."] * 2
    assert "branch" not in str(day.discord.world.messages)
    shown = await (
        await day.discord.click(day.discord.world.messages[thread][0], "Notes and history")
    ).answer()
    assert "branch in the park" in str(shown)


async def test_a_note_that_is_typed_opens_the_thread_as_well(day: Evening) -> None:
    await registered(day)
    card = await day.arrives()
    thread = card["id"]
    said = day.discord.world.messages
    await (await day.discord.command("claim", mention="1")).answer()
    # Named, clear without a number, and by the form that a command opens.
    await (await day.discord.command("lib more note", mention="1", text="She called.")).answer()
    await day.until(lambda: len(said.get(thread, ())) == 1)
    await (await day.discord.command("lib more note", text="She called again.")).answer()
    await day.until(lambda: len(said.get(thread, ())) == 2)
    asked = await day.discord.command("lib more note", mention="1")
    await (await day.discord.submit(asked, {"text": "Twice a week."})).answer()
    await day.until(lambda: len(said.get(thread, ())) == 3)
    assert day.discord.world.contents(thread) == ["Ana Silva left a note."] * 3
    assert happened(day, "noted") == 3


async def test_a_typed_note_after_a_restart_finds_the_card(
    discord: Loopback, sqlite_library: Library, tmp_path: Path
) -> None:
    async with evening(discord, sqlite_library, tmp_path) as day:
        card = await day.arrives()
    async with evening(discord, sqlite_library, tmp_path) as day:
        await registered(day)
        await (await day.discord.command("lib more note", mention="1", text="Called.")).answer()
        await day.until(lambda: len(discord.world.messages.get(card["id"], ())) == 1)


async def test_where_a_thread_was_locked_the_channel_is_named_and_a_note_is_kept(
    day: Evening,
) -> None:
    card = await day.arrives()
    await (await day.discord.click(card, "Discuss in a thread")).answer()
    day.discord.world.channels[card["id"]]["thread_metadata"] |= {"archived": True, "locked": True}
    told = await (await day.discord.click(card, "Discuss in a thread")).answer()
    assert "locked" in told["content"]
    asked = await day.discord.click(card, "Note…")
    noted = await (await day.discord.submit(asked, {"text": "Twice a week."})).answer()
    assert noted["content"].startswith("Noted on 1")
    template = "/channels/{channel_id}/messages/{message_id}/threads"
    await day.until(lambda: day.discord.count("POST", template) == 3)
    assert day.discord.world.contents(card["id"]) == []


@pytest.mark.parametrize(
    ("fault", "said"), [(Fault.REFUSED, "may open no thread"), ((503, 0.0), "press again")]
)
async def test_where_no_thread_can_be_opened_that_is_said(
    day: Evening, fault: Fault | tuple[int, float], said: str
) -> None:
    card = await day.arrives()
    day.discord.fail("POST", "/channels/{channel_id}/messages/{message_id}/threads", fault)
    told = await (await day.discord.click(card, "Discuss in a thread")).answer()
    assert said in told["content"]


# --- who ----------------------------------------------------------------------------------------


async def test_a_stranger_elsewhere_is_refused_and_whoever_is_in_the_channel_is_staff(
    day: Evening,
) -> None:
    await registered(day)
    await day.arrives()
    asked = await day.discord.command("claim", user=STRANGER, channel=ELSEWHERE, mention="1")
    assert "This is for the library's staff" in (await asked.answer())["content"]
    assert day.library.mention(1).owner is None
    listed = await day.discord.command("claim", user=ANA, channel=ELSEWHERE, mention="1")
    await listed.answer()
    assert day.library.mention(1).owner == "ana"


async def test_roles_of_discord_count_for_whoever_is_not_listed(
    discord: Loopback, sqlite_library: Library, tmp_path: Path, roles: Callable[..., Any]
) -> None:
    async with evening(discord, sqlite_library, tmp_path, options={"managers": (LEADS,)}) as day:
        await registered(day)
        await day.arrives()
        roles(BEN, LEADS)
        await (await discord.command("claim", user=BEN, mention="1")).answer()
        found = {row.key: row.role for row in day.library.rows(people)}
        assert found[f"discord:{BEN}"] == "manager"
        roles(BEN)
        await (await discord.command("lib queue", user=BEN)).answer()
        await (await discord.command("lib release", user=BEN, mention="1")).answer()
        found = {row.key: row.role for row in day.library.rows(people)}
        assert found[f"discord:{BEN}"] == "staff"


@pytest.fixture
def roles(discord: Loopback) -> Callable[..., None]:
    def give(person: str, *held: str) -> None:
        discord.world.roles[person] = list(held)

    return give


async def test_a_private_message_is_read_by_those_who_may_alone(
    discord: Loopback, sqlite_library: Library, tmp_path: Path
) -> None:
    sensitive = StaffMember(key="ben", name="Ben Okafor", sensitive=True, ids={"discord": BEN})
    async with evening(discord, sqlite_library, tmp_path, staff=(*STAFF, sensitive)) as day:
        card = await day.arrives("I am ill and owe 20 euros", visibility=Visibility.PRIVATE)
        assert "euros" not in str(card)
        refused = await (await discord.click(card, "Read privately", user=ANA)).answer()
        assert "euros" not in str(refused)
        read = await (await discord.click(card, "Read privately", user=BEN)).answer()
        assert "euros" in str(read)
        assert "euros" not in str(discord.world.messages[CHANNEL])


# --- late ---------------------------------------------------------------------------------------


async def test_what_discord_no_longer_waits_for_is_not_done(day: Evening) -> None:
    card = await day.arrives()
    late = await day.discord.click(card, "Claim", known=False)
    await day.until(lambda: day.discord.late)
    await (await day.discord.click(card, "Notes and history")).answer()
    assert not late.callbacks
    assert day.library.mention(1).owner is None


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_deferral_or_answer_that_fails_once_is_given_all_the_same(
    day: Evening, status: int
) -> None:
    card = await day.arrives()
    day.discord.fail_callbacks((status, 0.01))
    day.discord.fail_answers((status, 0.01))
    await (await day.discord.click(card, "Claim")).answer()
    assert day.library.mention(1).owner == "ana"
    assert happened(day, "claimed") == 1


# --- reminders, digest, incidents ---------------------------------------------------------------


async def reminded(day: Evening) -> None:
    """It is nearly time to answer what Ana has."""
    await asyncio.to_thread(day.library.claim, 1)
    day.library.clock.forward(hours=3.5)
    await day.library.desk.acting(reminding.sweep)


async def test_a_reminder_comes_by_direct_message_and_is_answered_there(day: Evening) -> None:
    await day.arrives()
    await reminded(day)
    letters = await day.until(lambda: day.discord.letters_to(ANA))
    assert "When do you open" not in str(letters)
    before = happened(day, "still_on_it")
    await (await day.discord.click(letters[0], "Still on it")).answer()
    assert happened(day, "still_on_it") == before + 1
    await (await day.discord.click(letters[0], "for 1 hour")).answer()
    assert day.library.mention(1).snoozed_until is not None


async def test_a_reminder_to_closed_direct_messages_is_one_line_in_the_channel(
    day: Evening,
) -> None:
    day.discord.world.shut.add(ANA)
    await day.arrives()
    await reminded(day)
    await day.until(lambda: len(day.discord.world.messages[CHANNEL]) == 2)
    told = day.discord.world.messages[CHANNEL][-1]
    assert told["content"].startswith(f"<@{ANA}> You have 1 mention")
    await day.until(lambda: not any(row.pending for row in day.library.rows(posts)))
    assert len(day.discord.world.messages[CHANNEL]) == 2


async def test_the_digest_has_buttons(day: Evening) -> None:
    await day.arrives()
    day.library.clock.forward(days=1, minutes=20)
    await day.library.desk.acting(digests.ring)
    await day.until(lambda: len(day.discord.world.messages[CHANNEL]) == 2)
    digest = day.discord.world.messages[CHANNEL][-1]
    queue = await (await day.discord.click(digest, "Show the queue")).answer()
    assert queue["flags"] == 64
    await (await day.discord.click(queue, "Claim")).answer()
    assert day.library.mention(1).owner == "ana"


async def test_a_fault_of_the_door_is_said_with_a_number(discord: Loopback, tmp_path: Path) -> None:
    desk = FakeDesk(mentions={})
    async with running(discord, desk, discord_settings(tmp_path)) as chat:
        assert chat.client is not None
        await chat.client.registered()
        # The fake desk knows no such mention, and raises as no real one does.
        form = await discord.command("lib close", mention="7", outcome="spam")
        answer = await form.answer()
    assert "give this number" in answer["content"]


class SlowDesk(FakeDesk):
    """A desk whose forms come late."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = asyncio.Event()

    async def press(
        self, actor: Actor, control: str, mention: int | None = None, value: str = ""
    ) -> Reply:
        await self.goes_on.wait()
        return forms.close(mention or 0, ("idea", "thanks"))


async def test_a_form_that_comes_too_late_is_offered_behind_a_button(
    discord: Loopback, tmp_path: Path
) -> None:
    desk = SlowDesk()
    async with running(discord, desk, discord_settings(tmp_path)) as chat:
        await chat.post(MENTIONS, card_with("Done…", "close"), "card:7:room:1")
        (card,) = discord.world.messages[CHANNEL]
        asked = await discord.click(card, "Done…")
        assert (await asked.first())["type"] == 5
        desk.goes_on.set()
        offered = await asked.answer()
        modal = await (await discord.click(offered, "Close 7")).modal()
    assert modal["title"] == "Close 7"


def card_with(label: str, control: str) -> Message:
    button = Button(name=control, label=label, mention=7)
    return Message(text="Mention 7 waits.", controls=(button,))

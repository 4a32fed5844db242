"""What stands under "More…" on a card, each from the press to what the channels show at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.slack.loopback import Loopback
from tests.handlers.slack.modals import fills, opens
from tests.handlers.slack.stage import actions, stamp, until
from tests.handlers.slack.street import CONFIG, Street
from tests.handlers.slack.workspace import BOT, Json

TEAMS = """\
[teams.adult]
name = "Adult"
[[teams.adult.rooms]]
platform = "slack"
id = "C01"
[teams.children]
name = "Children"
[[teams.children.rooms]]
platform = "slack"
id = "C02"
"""
ONE_ROOM = """\
[[rooms]]
platform = "slack"
id = "C01"
"""
WORDS = "Is there a story time for *babies*?"


@pytest.fixture
def street(slack: Loopback, tmp_path: Path) -> Street:
    assert ONE_ROOM in CONFIG
    return Street(slack, tmp_path, "socket", CONFIG.replace(ONE_ROOM, TEAMS))


async def arrives(street: Street, up: Any) -> None:
    await up.send(WORDS)
    await street.shows("is unclaimed")


def under_more(card: Json) -> list[str]:
    """The choices of the card's own menu, as a person reads them."""
    (menu,) = [
        element
        for block in card["blocks"]
        for element in block.get("elements", ())
        if element.get("action_id", "").startswith("more:")
    ]
    return [option["text"]["text"] for option in menu["options"]]


async def chooses(street: Street, name: str, at: str = "1.1", channel: str = "C01") -> Json:
    """Press a choice of the newest card of a channel; what is shown to the one who pressed."""
    before = len(street.slack.answers)
    pressing = street.pressing(actions(street.slack.newest(channel))[name], at=at)
    await street.body("interactive", {**pressing, "channel": {"id": channel}})
    await until(lambda: len(street.slack.answers) > before)
    return street.slack.answers[-1]


async def test_everything_that_is_rarely_needed_stands_under_more(street: Street) -> None:
    async with street.open() as up:
        await arrives(street, up)
        found = under_more(street.card())
        for wanted in (
            "Assign…", "Move…", "Note…", "Keep private", "Just thanks", "Not for us", "Why here?",
        ):  # fmt: skip
            assert wanted in found


async def test_a_mention_is_moved_to_another_team_and_claimed_there(street: Street) -> None:
    slack = street.slack
    async with street.open() as up:
        await arrives(street, up)
        view = await opens(
            street, "interactive", street.pressing(actions(street.card())["move"])
        )  # fmt: skip
        assert view["title"]["text"] == "Move 1"
        (asked,) = [block for block in view["blocks"] if block["type"] == "input"]
        offered = [option["text"]["text"] for option in asked["element"]["options"]]
        assert offered == ["Children"]  # not the team that has it
    async with street.open():  # also where the program was restarted meanwhile
        assert await fills(street, view, team="Children") == {}
        await until(lambda: slack.texts("C02"))
        assert "Mention 1" in slack.newest("C02")["text"]
        assert "is unclaimed" in slack.newest("C02")["text"]
        assert WORDS in json.dumps(slack.newest("C02"))
        await street.shows("was moved to Children")
        old = street.card()
        assert actions(old) == {}
        assert WORDS not in json.dumps(old)
        await chooses(street, "claim", at="1.2", channel="C02")
        await until(lambda: "claimed by Ana Silva" in slack.newest("C02")["text"])
        # And back: the first channel's own card comes to life again.
        back = street.pressing(actions(slack.newest("C02"))["move"], at="1.3")
        view = await opens(street, "interactive", {**back, "channel": {"id": "C02"}})
        assert await fills(street, view, team="Adult") == {}
        await until(lambda: "was moved to Adult" in slack.newest("C02")["text"])
        await until(lambda: "was moved" not in street.card()["text"])
    assert [len(slack.channels[one].messages) for one in ("C01", "C02")] == [1, 1]


async def test_a_mention_is_assigned_and_the_colleague_is_told(street: Street) -> None:
    slack = street.slack
    async with street.open() as up:
        await arrives(street, up)
        await street.command("queue", "U2")  # Ben is known from the channel
        pressing = street.pressing(actions(street.card())["assign"])
        view = await opens(street, "interactive", pressing)
        assert await fills(street, view, person="Ben Okafor") == {}
        await street.shows("claimed by Ben Okafor")
        await until(lambda: slack.texts("DU2"))
        (letter,) = slack.texts("DU2")
        assert "Ana Silva" in letter
        assert "babies" not in json.dumps(slack.newest("DU2"))


async def test_a_colleague_who_never_pressed_anything_is_assigned_by_name(street: Street) -> None:
    slack = street.slack
    slack.user("U7", "Gus Guest", is_restricted=True)
    slack.channels["C01"].members.add("U7")
    async with street.open() as up:
        await arrives(street, up)
        assert "Nobody called “gus”" in await street.command("assign 1 <@U7|gus>")
        assert "<" not in await street.command("assign 1 <@U7>")
        assert "Ben Okafor has 1" in await street.command("assign 1 <@U2|ben>")
        await street.shows("claimed by Ben Okafor")
        await until(lambda: slack.texts("DU2"))


async def test_a_colleague_is_named_in_a_thread(street: Street) -> None:
    slack = street.slack
    async with street.open() as up:
        await arrives(street, up)
        said = {
            "type": "app_mention", "user": "U1", "channel": "C01", "ts": stamp(),
            "thread_ts": street.card()["ts"], "text": f"<@{BOT}|staffbot> assign <@U2>",
        }  # fmt: skip
        await street.event(said, "Ev1")
        await street.shows("claimed by Ben Okafor")
        await until(lambda: slack.texts("DU2"))


async def test_a_note_is_for_colleagues_and_stands_with_the_mention(street: Street) -> None:
    async with street.open() as up:
        await arrives(street, up)
        pressing = street.pressing(actions(street.card())["note"])
        view = await opens(street, "interactive", pressing)
        assert await fills(street, view, text="<!channel> *She* means the branch.") == {}
        shown = json.loads(await street.everything("show 1"))[1]
        assert "<!channel> *She* means the branch." in json.dumps(shown["blocks"])
        assert "<!channel>" not in shown["text"]
        assert len(street.slack.channels["C01"].messages) == 1


async def test_words_are_kept_private_and_read_by_who_may(street: Street) -> None:
    async with street.open() as up:
        await arrives(street, up)
        await chooses(street, "private")
        await until(lambda: WORDS not in json.dumps(street.card()))
        assert "words are not shown in this channel" in json.dumps(street.card())
        assert "read" in actions(street.card())
        refused = await chooses(street, "read", at="1.2")
        assert WORDS not in json.dumps(refused)
        pressing = street.pressing(actions(street.card())["read"], "U3", at="1.3")
        answers = len(street.slack.answers)
        await street.body("interactive", pressing)  # Mia is a manager
        await until(lambda: len(street.slack.answers) > answers)
        assert WORDS in json.dumps(street.slack.answers[-1])
        assert street.slack.answers[-1]["response_type"] == "ephemeral"


@pytest.mark.parametrize(
    ("choice", "outcome"), [("thanks", "no answer needed"), ("not_for_us", "not for us")]
)
async def test_what_needs_no_answer_is_closed_by_one_press_and_reopened(
    street: Street, choice: str, outcome: str
) -> None:
    async with street.open() as up:
        await arrives(street, up)
        await chooses(street, choice)
        await street.shows(f"closed: {outcome}, by Ana Silva")
        assert list(actions(street.card())) == ["reopen"]
        assert WORDS not in json.dumps(street.card())  # two lines are left
        await chooses(street, "reopen", at="1.2")
        await street.shows("is unclaimed")


async def test_why_a_mention_is_here_is_told_to_who_asks(street: Street) -> None:
    async with street.open() as up:
        await arrives(street, up)
        before = street.card()
        answer = await chooses(street, "why")
        assert answer["response_type"] == "ephemeral"
        assert "no routing rule fitted" in json.dumps(answer)
        assert street.card() == before

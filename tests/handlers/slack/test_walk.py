"""The shortest way through: a card is posted, somebody claims it with a signed press."""

from __future__ import annotations

from pathlib import Path

from tests.handlers.fake_desk import FakeDesk
from tests.handlers.slack.loopback import Loopback
from tests.handlers.slack.stage import ADULT, Person, actions, opened, running, settings, until


async def test_a_card_is_posted_and_claimed(slack: Loopback, tmp_path: Path) -> None:
    desk = FakeDesk()
    number = desk.tell("When do you open? <!channel> *now* `x` <http://x|y>")
    chat = opened(slack, settings(tmp_path), desk)
    async with running(chat):
        ref = await chat.post(ADULT, desk.card(number), f"card:{number}:slack:C01:1")
        card = slack.newest("C01")
        ana = Person(slack, chat)
        answered = await ana.press(actions(card)["claim"], ts=ref.id)
        assert answered.status == 200
        assert desk.mentions[number].owner == "Ana Silva"
        await until(lambda: slack.answers)
        assert slack.answers[0]["text"] == "You have 1."
        await chat.edit(ref, desk.card(number))
        assert "claimed by ana silva" in slack.newest("C01")["text"]

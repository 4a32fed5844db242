"""What people do in Slack, as signed requests: each has its effect once, or says why it has none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from handlers.slack.chat import SlackChat
from staffbot.messages import Chart, File, Message, Reply
from staffbot.model import Actor, Role
from staffbot.network import Request
from staffbot.settings import StaffMember
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.slack.loopback import Loopback, form, signed
from tests.handlers.slack.rules import message_faults
from tests.handlers.slack.stage import (
    ADULT,
    Person,
    actions,
    opened,
    running,
    settings,
    stamp,
    until,
)
from tests.handlers.slack.workspace import BOT

HAND, CHECK = "raised_hand", "white_check_mark"


class Desk(FakeDesk):
    """The fake desk, which also remembers who acted and can be told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.actors: list[Actor] = []
        self.failing = False
        self.refusing = ""
        self.answer: Reply | None = None
        self.drawn = asyncio.Event()  # what is slow ends
        self.drawn.set()

    async def command(self, actor: Actor, text: str) -> Reply:
        self.actors.append(actor)
        await self.drawn.wait()
        if text == "log":
            return await super().press(actor, "log")
        return self.trouble() or await super().command(actor, text)

    async def press(
        self, actor: Actor, control: str, mention: int | None = None, value: str = ""
    ) -> Reply:
        self.actors.append(actor)
        await self.drawn.wait()
        return self.trouble() or await super().press(actor, control, mention, value)

    async def submit(
        self, actor: Actor, form: str, mention: int | None, values: Mapping[str, str | list[str]]
    ) -> Reply:
        self.actors.append(actor)
        return self.trouble() or await super().submit(actor, form, mention, values)

    def trouble(self) -> Reply | None:
        if self.failing:
            return Message(text="That did not work, and nothing was changed.", failed=True)
        if self.refusing:
            return Message(text=self.refusing, refused=True)
        return self.answer


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.tell("When do you open?")
    return desk


@pytest.fixture
async def chat(slack: Loopback, tmp_path: Path, desk: Desk) -> AsyncIterator[SlackChat]:
    guest = StaffMember(key="gus", name="Gus Guest", ids={"slack": "U8"})
    house = settings(tmp_path, staff=(guest,))
    async with running(opened(slack, house, desk, managers_group="S1")) as chat:
        slack.groups["S1"] = ["U3"]
        slack.user("U7", "Tim Temp", is_restricted=True)
        slack.user("U8", "Gus Guest", is_ultra_restricted=True)
        slack.user("U9", "Eve Elsewhere", team_id="T99")
        yield chat


@pytest.fixture
def ana(slack: Loopback, chat: SlackChat) -> Person:
    return Person(slack, chat)


async def posted(chat: SlackChat, desk: Desk, number: int = 1) -> str:
    ref = await chat.post(ADULT, desk.card(number), f"card:{number}:slack:C01:1")
    return ref.id


# --- typed --------------------------------------------------------------------------------------


async def test_a_command_is_answered_with_its_acknowledgement(ana: Person, desk: Desk) -> None:
    answer = await ana.command("claim 1")
    assert answer["response_type"] == "ephemeral"
    assert answer["text"] == "You have 1."
    assert message_faults(answer["blocks"]) == []
    assert desk.mentions[1].owner == "Ana Silva"
    assert desk.actors[-1].room == ADULT
    assert desk.asked == [("command", "U1", "claim 1"), ("press", "U1", "claim", "1", "")]


async def test_claim_is_a_command_of_its_own(ana: Person, desk: Desk) -> None:
    await ana.command("1", word="/claim")
    assert desk.mentions[1].owner == "Ana Silva"


async def test_a_command_elsewhere_is_in_no_room(ana: Person, desk: Desk, slack: Loopback) -> None:
    slack.channel("C77", "kitchen")
    await ana.command("queue", channel="C77")
    assert desk.actors[-1].room is None


async def test_a_form_opens_before_its_three_seconds_are_over(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    desk.answer = await FakeDesk.press(desk, _actor(), "done", 1)
    await ana.command("close 1")
    (view,) = slack.views
    assert view["title"]["text"] == "Close 1"
    assert not slack.answers


async def test_where_no_form_can_be_opened_a_button_asks_again(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    desk.answer = await FakeDesk.press(desk, _actor(), "done", 1)
    await ana.command("close 1", trigger_id="used-up")
    await until(lambda: slack.answers)
    assert actions(slack.answers[0])["done"]["action_id"] == "done:1:0"


async def test_the_bot_is_spoken_to_in_a_thread(ana: Person, desk: Desk, slack: Loopback) -> None:
    said = await ana.event(_mention(f"<@{BOT}>  claim 1", thread="5.5"))
    assert said.status == 200
    assert desk.mentions[1].owner == "Ana Silva"
    assert desk.actors[-1].thread == "5.5"
    await until(lambda: slack.channels["C01"].ephemeral)
    answer = slack.channels["C01"].ephemeral[0]
    assert (answer["user"], answer["thread_ts"]) == ("U1", "5.5")


async def test_a_direct_message_to_the_bot_is_a_command(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    slack.channel("DU1", "direct")
    event = {**_mention("note 1 see &lt;https://a.example&gt;"), "type": "message"}
    await ana.event({**event, "channel": "DU1", "channel_type": "im"})
    assert desk.asked[-1] == ("command", "U1", "note 1 see <https://a.example>")
    await until(lambda: slack.texts("DU1"))
    for more in ({"subtype": "message_changed"}, {"bot_id": "B0BOT"}, {"channel_type": "channel"}):
        await ana.event({**event, "channel_type": "im", "ts": stamp(), **more}, id=str(more))
    assert len(desk.asked) == 1


# --- pressed ------------------------------------------------------------------------------------


async def test_a_choice_and_what_is_under_more_are_pressed(
    ana: Person, desk: Desk, slack: Loopback, chat: SlackChat
) -> None:
    await posted(chat, desk)
    controls = actions(slack.newest("C01"))
    await ana.press(controls["assign"])
    await ana.press(controls["private"])
    assert desk.asked == [
        ("press", "U1", "assign", "1", "ana"),
        ("press", "U1", "private", "1", ""),
    ]


async def test_a_link_is_acknowledged_and_nothing_more(ana: Person, desk: Desk) -> None:
    answered = await ana.press({"action_id": "open_link::1", "type": "button"})
    assert answered.status == 200
    assert desk.asked == []


async def test_a_form_is_opened_filled_in_and_stored(
    ana: Person, desk: Desk, slack: Loopback, chat: SlackChat
) -> None:
    desk.mentions[1].owner = "Ana Silva"
    await posted(chat, desk)
    await ana.press(actions(slack.newest("C01"))["done"])
    outcome = {"type": "static_select", "selected_option": {"value": "spam"}}
    answer = await ana.submit(slack.views[0], {"outcome": outcome})
    assert answer == {}
    assert desk.mentions[1].outcome == "spam"
    await until(lambda: slack.channels["C01"].ephemeral)
    assert slack.channels["C01"].ephemeral[0]["text"] == "Mention 1 is closed."


async def test_a_refused_form_stays_open_and_says_why(
    ana: Person, desk: Desk, slack: Loopback, chat: SlackChat
) -> None:
    desk.mentions[1].owner = "Ana Silva"
    await posted(chat, desk)
    await ana.press(actions(slack.newest("C01"))["done"])
    desk.refusing = "I do not know that time."
    first = slack.views[0]["blocks"][0]["block_id"]
    trigger = slack.trigger()
    for _ in range(2):  # delivered twice, it does not close as if it were stored
        answer = await ana.submit(slack.views[0], {}, trigger_id=trigger)
        assert answer == {
            "response_action": "errors",
            "errors": {first: "I do not know that time."},
        }


async def test_undo_takes_the_place_of_what_offered_it(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    undo = {"action_id": "undo::0", "value": "7", "type": "button"}
    await ana.press(undo, container={"is_ephemeral": True, "channel_id": "C01"})
    await until(lambda: slack.answers)
    assert slack.answers[0]["replace_original"] is True


async def test_read_all_shows_the_whole_to_the_asker(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    desk.answer = Message(
        text="All of it.", parts=desk.card(1).parts, controls=desk.card(1).controls
    )
    option = {"value": "read_all|1|"}
    await ana.press({"action_id": "more:1:4", "selected_option": option})
    await until(lambda: slack.views)
    assert slack.views[0]["title"]["text"] == "Mention 1"
    assert "submit" not in slack.views[0]
    assert desk.asked == []  # the answer was set by hand: it was asked as `show`


async def test_read_all_is_answered_where_no_page_can_be_opened(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    desk.answer = Message(text="All of it.", parts=desk.card(1).parts, mention=1)
    option = {"value": "read_all|1|"}
    spent = slack.trigger()
    slack.refuse["views.open"] = "expired_trigger_id"
    await ana.press({"action_id": "more:1:4", "selected_option": option}, trigger_id=spent)
    await until(lambda: slack.answers)
    assert slack.answers[0]["text"] == "All of it."
    assert slack.answers[0]["response_type"] == "ephemeral"


# --- reactions and shortcuts --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "verb"), [(HAND, "claim"), (f"{HAND}::skin-tone-3", "claim"), (CHECK, "done")]
)
async def test_a_reaction_on_a_message_of_ours_is_a_command(
    ana: Person, desk: Desk, name: str, verb: str
) -> None:
    await ana.event(_reaction(name, "7.7"))
    assert desk.asked == [("command", "U1", verb)]
    assert desk.actors[0].on == "7.7"


async def test_other_reactions_and_other_messages_are_left_alone(ana: Person, desk: Desk) -> None:
    await ana.event(_reaction("eyes", "7.7"), id="Ev1")
    await ana.event({**_reaction(HAND, "7.7"), "item_user": "U2"}, id="Ev2")
    await ana.event({**_reaction(HAND, "7.7"), "type": "reaction_removed"}, id="Ev3")
    assert desk.asked == []


async def test_a_message_is_tracked_by_its_shortcut(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    desk.answer = await FakeDesk.press(desk, _actor(), "done", 1)
    body = {
        "type": "message_action", "callback_id": "track_message", "trigger_id": slack.trigger(),
        "user": {"id": "U1"}, "team": {"id": "T01"}, "channel": {"id": "C01"},
        "message": {"text": "<@U2> heard &lt;large&gt; print", "ts": "1.1"},
        "response_url": slack.answer_url(),
    }  # fmt: skip
    assert (await ana.request(form(body))).status == 200
    (view,) = slack.views
    assert "@Ben Okafor heard <large> print" in json.dumps(view)


async def test_a_call_is_logged_from_anywhere(ana: Person, desk: Desk, slack: Loopback) -> None:
    desk.answer = await FakeDesk.press(desk, _actor(), "done", 1)
    body = {
        "type": "shortcut", "callback_id": "log_mention", "trigger_id": slack.trigger(),
        "user": {"id": "U1"}, "team": {"id": "T01"},
    }  # fmt: skip
    assert (await ana.request(form(body))).status == 200
    assert len(slack.views) == 1
    assert desk.actors[-1].room is None


async def test_the_home_tab_is_drawn_and_pressed(ana: Person, desk: Desk, slack: Loopback) -> None:
    await ana.event({"type": "app_home_opened", "user": "U1", "tab": "home", "channel": "DU1"})
    await until(lambda: "U1" in slack.homes)
    assert [line for _, _, line in desk.asked] == ["mine", "queue", "settings"]
    view = {"type": "home", "id": "V1"}
    pressing = ana.pressing({"action_id": "claim:1:0"}, view=view)
    del pressing["channel"], pressing["response_url"]
    await ana.request(form({**pressing, "container": {"type": "view"}}))
    assert desk.mentions[1].owner == "Ana Silva"
    await until(lambda: slack.views and len(desk.asked) >= 7)
    assert "You have 1." in json.dumps(slack.views[0])


# --- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "why"),
    [("U7", "guest"), ("U9", "another workspace"), ("U11", "an app"), ("U12", "was closed")],
)
async def test_guests_and_strangers_are_refused_with_a_sentence(
    slack: Loopback, chat: SlackChat, desk: Desk, user: str, why: str
) -> None:
    slack.user("U11", "Other Bot", is_bot=True)
    slack.user("U12", "Gone Away", deleted=True)
    person = Person(slack, chat, user)
    answer = await person.command("claim 1")
    assert why in answer["text"]
    await posted(chat, desk)
    await person.press(actions(slack.newest("C01"))["claim"])
    await until(lambda: slack.answers)
    assert why in slack.answers[0]["text"]
    await person.event({"type": "app_home_opened", "user": user, "tab": "home"})
    await until(lambda: user in slack.homes)
    assert desk.asked == []


async def test_a_guest_who_is_listed_is_staff(slack: Loopback, chat: SlackChat, desk: Desk) -> None:
    await Person(slack, chat, "U8").command("claim 1")
    assert desk.mentions[1].owner == "Gus Guest"


async def test_a_group_makes_managers(slack: Loopback, chat: SlackChat, desk: Desk) -> None:
    await Person(slack, chat, "U1").command("queue")
    await Person(slack, chat, "U3").command("queue")
    assert [actor.role for actor in desk.actors] == [Role.STAFF, Role.MANAGER]


async def test_a_person_is_looked_up_once(ana: Person, slack: Loopback) -> None:
    for _ in range(3):
        await ana.command("queue")
    assert len(slack.called("users.info")) == 1


async def test_who_cannot_be_looked_up_is_told_and_does_nothing(
    ana: Person, slack: Loopback, desk: Desk
) -> None:
    slack.refuse["users.info"] = "ratelimited"
    answer = await ana.command("claim 1")
    assert "try again" in answer["text"]
    assert desk.asked == []


@pytest.mark.parametrize("wrong", ["secret", "body", "time", "none"])
async def test_what_slack_did_not_sign_is_refused(chat: SlackChat, desk: Desk, wrong: str) -> None:
    body = "command=%2Flib&text=claim+1&user_id=U1&channel_id=C01&team_id=T01"
    headers = {
        "secret": signed(body, secret="another"),
        "body": signed(body + "x"),
        "time": signed(body, at=1_000_000_000.0),
        "none": {"Content-Type": "application/x-www-form-urlencoded"},
    }[wrong]
    request = Request(method="POST", path="/slack/events", headers=headers, body=body.encode())
    assert (await chat.hear(request)).status == 401
    assert desk.asked == []


async def test_slack_may_ask_whether_the_address_is_ours(chat: SlackChat) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c-1"})
    request = Request(method="POST", path="/slack/events", headers=signed(body), body=body.encode())
    answer = await chat.hear(request)
    assert (answer.status, b"c-1" in answer.body) == (200, True)


async def test_what_is_no_text_is_refused(chat: SlackChat) -> None:
    request = Request(method="POST", path="/slack/events", headers={}, body=b"\xff\xfe")
    assert (await chat.hear(request)).status == 400


@pytest.mark.parametrize(
    "body", ['{"type":', "payload=%7B", "[1]", "null", '{"team":1}', "payload=[1]", "[" * 5000]
)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_what_anybody_sends_is_refused_without_a_fault(
    chat: SlackChat, caplog: pytest.LogCaptureFixture, body: str, kind: str
) -> None:
    """A public address is tried by many: that fills no log and is no error of ours."""
    headers = {"Content-Type": kind}
    request = Request(method="POST", path="/slack/events", headers=headers, body=body.encode())
    assert (await chat.hear(request)).status in (400, 401)
    assert caplog.records == []


@pytest.mark.parametrize("stamp", ["soon", "", "-1", "1e9", "²"])
async def test_a_stamp_that_is_no_time_is_refused(
    chat: SlackChat, desk: Desk, caplog: pytest.LogCaptureFixture, stamp: str
) -> None:
    body = "command=%2Flib&text=claim+1&user_id=U1&channel_id=C01&team_id=T01"
    headers = {**signed(body), "X-Slack-Request-Timestamp": stamp}
    request = Request(method="POST", path="/slack/events", headers=headers, body=body.encode())
    assert (await chat.hear(request)).status == 401
    assert desk.asked == []
    assert caplog.records == []


# --- once, and stored ---------------------------------------------------------------------------


async def test_a_press_that_is_delivered_again_has_one_effect_and_one_answer(
    ana: Person, desk: Desk, slack: Loopback, chat: SlackChat
) -> None:
    await posted(chat, desk)
    body = form(ana.pressing(actions(slack.newest("C01"))["claim"]))
    answers = await asyncio.gather(*(ana.request(body) for _ in range(4)))
    answers.append(await ana.request(body, **{"X-Slack-Retry-Num": "1"}))
    assert {answer.status for answer in answers} == {200}
    await until(lambda: slack.answers)
    assert len(desk.asked) == 1
    assert len(slack.answers) == 1


async def test_a_mention_that_arrives_twice_has_one_effect(ana: Person, desk: Desk) -> None:
    event = _mention(f"<@{BOT}> claim 1")
    await ana.event(event, id="Ev1")
    await ana.event({**event, "type": "app_mention"}, id="Ev2")


async def test_a_retry_of_what_was_never_heard_is_taken(ana: Person, desk: Desk) -> None:
    """Events that were sent while nothing listened come only as retries."""
    await ana.event(
        _reaction(HAND, "7.7"), **{"X-Slack-Retry-Num": "3", "X-Slack-Retry-Reason": "x"}
    )
    assert len(desk.asked) == 1


async def test_what_is_not_stored_is_not_acknowledged(
    ana: Person, desk: Desk, slack: Loopback, chat: SlackChat
) -> None:
    await posted(chat, desk)
    desk.failing = True
    claim = actions(slack.newest("C01"))["claim"]
    body = form(ana.pressing(claim))
    assert (await ana.request(body)).status == 500
    assert (await ana.event(_reaction(HAND, "7.7"))).status == 500
    assert (await ana.event(_mention(f"<@{BOT}> claim 1"), id="Ev9")).status == 500
    said = await ana.command("claim 1")
    assert "nothing was changed" in said["text"]
    await until(lambda: slack.answers)
    assert "nothing was changed" in slack.answers[0]["text"]
    desk.failing = False
    assert (await ana.request(body)).status == 200  # it was never done, so it is done now
    assert desk.mentions[1].owner == "Ana Silva"


# --- in time ------------------------------------------------------------------------------------

IN_TIME = 2.9  # seconds; Slack gives three


async def test_a_chart_that_takes_a_minute_is_acknowledged_in_time(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    """The very first one finds the machine's fonts."""
    desk.drawn.clear()
    body = urlencode(
        {
            "command": "/lib", "text": "stats month chart", "user_id": "U1", "channel_id": "C01",
            "team_id": "T01", "trigger_id": slack.trigger(), "response_url": slack.answer_url(),
        }
    )  # fmt: skip
    async with asyncio.timeout(IN_TIME):
        answer = await ana.request(body)
    assert answer.status == 200
    assert slack.answers == []
    desk.drawn.set()
    await until(lambda: slack.answers)
    assert "There is no command" in slack.answers[0]["text"]  # as this desk knows no figures


@pytest.mark.parametrize("how", ["press", "mention"])
async def test_other_ways_to_ask_for_a_chart_are_acknowledged_in_time_too(
    ana: Person, desk: Desk, slack: Loopback, how: str
) -> None:
    desk.drawn.clear()
    event = _mention(f"<@{BOT}> stats chart")
    async with asyncio.timeout(IN_TIME):
        if how == "press":
            action = {"action_id": "stats_chart::0", "value": "month chart", "type": "button"}
            assert (await ana.press(action)).status == 200
        else:
            assert (await ana.event(event)).status == 200
    desk.drawn.set()
    await until(lambda: slack.answers or slack.channels["C01"].ephemeral)
    if how == "mention":
        await ana.event(event, id="Ev2")  # and what is delivered again meanwhile is not asked again
        assert len(desk.asked) == 1


async def test_what_changes_something_is_acknowledged_once_it_is_stored(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    desk.drawn.clear()
    claiming = asyncio.create_task(ana.command("claim 1"))
    done, _ = await asyncio.wait({claiming}, timeout=2.5)
    assert not done
    desk.drawn.set()
    assert (await claiming)["text"] == "You have 1."


async def test_a_look_that_fails_after_its_acknowledgement_says_so(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    desk.drawn.clear()
    await ana.event(_mention(f"<@{BOT}> stats chart"))
    desk.failing = True
    desk.drawn.set()
    await until(lambda: slack.channels["C01"].ephemeral)
    assert "nothing was changed" in slack.channels["C01"].ephemeral[0]["text"]


# --- what is said -------------------------------------------------------------------------------


async def test_a_chart_and_a_file_go_to_the_asker_alone(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    desk.answer = Message(
        text="Nine came in.",
        parts=(
            Chart(png=b"\x89PNG", alt="Nine came in, two on Monday."),
            File(name="figures.csv", content=b"a,b\n", label="The figures"),
        ),
    )
    assert await ana.command("stats chart csv") == {}
    await until(lambda: len([f for f in slack.files.values() if f.get("channel")]) == 2)
    assert {file["channel"] for file in slack.files.values()} == {"DU1"}
    chart = next(file for file in slack.files.values() if file["name"] == "chart.png")
    assert chart["alt"] == "Nine came in, two on Monday."
    assert slack.answers[0]["response_type"] == "ephemeral"


async def test_an_answer_finds_its_way_where_slack_closed_one(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    """Half an hour later the response_url is gone; outside the channel nothing ephemeral is shown."""
    gone = f"{slack.url}/nothing"
    await ana.press({"action_id": "why:1:0"}, response_url=gone)
    await until(lambda: slack.channels["C01"].ephemeral)
    slack.channels["C01"].members.discard(BOT)
    await ana.press({"action_id": "why:1:1"}, response_url=gone)
    await until(lambda: slack.texts("DU1"))


async def test_an_answer_that_slack_will_not_show_is_said_in_its_sentence(
    ana: Person, desk: Desk, slack: Loopback
) -> None:
    gone = f"{slack.url}/nothing"
    await ana.press({"action_id": "why:1:0"}, response_url=gone, channel="DU1")
    await until(lambda: slack.texts("DU1"))
    slack.wont_show("C01")
    slack.wont_show("DU1")
    await ana.press({"action_id": "why:1:1"}, response_url=gone)
    await until(lambda: slack.channels["C01"].ephemeral)
    assert slack.channels["C01"].ephemeral[0]["blocks"] == []
    assert slack.channels["C01"].ephemeral[0]["text"]
    assert len(slack.texts("DU1")) == 1


async def test_shutdown_waits_for_answers_under_way(
    slack: Loopback, tmp_path: Path, desk: Desk
) -> None:
    chat = opened(slack, settings(tmp_path), desk)
    async with running(chat):
        person = Person(slack, chat)
        await person.press({"action_id": "why:1:0"})
    assert len(slack.answers) == 1


def _actor() -> Actor:
    return Actor(platform="slack", user_id="U1", name="Ana Silva", room=ADULT)


def _mention(text: str, thread: str = "") -> dict[str, Any]:
    found = {"type": "app_mention", "user": "U1", "channel": "C01", "ts": stamp(), "text": text}
    return {**found, "thread_ts": thread} if thread else found


def _reaction(name: str, ts: str) -> dict[str, Any]:
    item = {"type": "message", "channel": "C01", "ts": ts}
    return {
        "type": "reaction_added", "user": "U1", "reaction": name, "item": item, "item_user": BOT,
        "event_ts": stamp(),
    }  # fmt: skip

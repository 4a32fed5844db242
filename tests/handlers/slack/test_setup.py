"""How Slack is set up: the manifest, the settings, and what `check` says before anything runs."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError
from typer.testing import CliRunner

from handlers.slack import SlackOptions, door
from handlers.slack.api import Api
from handlers.slack.checking import FULL, check
from handlers.slack.commands import app
from handlers.slack.manifest import EVENTS, METHODS, Wanted, commands, manifest, scopes
from handlers.slack.pinging import ping
from handlers.slack.view import blocks
from staffbot.commands import VERBS
from staffbot.errors import ConfigError
from staffbot.seams import Finding
from staffbot.secret import Secret
from staffbot.settings import Network
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.slack.loopback import Loopback
from tests.handlers.slack.rules import MANIFEST, message_faults
from tests.handlers.slack.rules import METHODS as REFERENCE
from tests.handlers.slack.stage import Person, actions, opened, running, settings, until
from tests.handlers.slack.workspace import APP_TOKEN, BOT, BOT_TOKEN

DOOR = Path(door.open.__code__.co_filename).parent
WAYS = {
    "socket": Wanted(),
    "http": Wanted(http="https://bot.library.example", name="Library bot", root="desk"),
    "group": Wanted(managers_group=True),
}


# --- the manifest -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_the_manifest_is_what_slack_takes(way: str) -> None:
    if not MANIFEST.exists():
        pytest.skip("Slack's manifest schema is not beside this checkout")
    schema = json.loads(MANIFEST.read_text(encoding="utf-8"))
    assert [
        error.message for error in Draft7Validator(schema).iter_errors(manifest(WAYS[way]))
    ] == []


def called_methods() -> set[str]:
    """The Web API methods that the door calls, as its source says."""
    found = set()
    for file in DOOR.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            name = node.func.attr
            if name == "api_call" and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
            elif name.split("_")[0] in FAMILIES and "_" in name:
                found.add(name.replace("_", "."))
    # The SDK opens the connection of Socket Mode by itself.
    return found | {"apps.connections.open"}


FAMILIES = {"auth", "chat", "conversations", "files", "users", "usergroups", "views", "apps"}


def test_the_manifest_knows_every_method_that_is_called_and_no_other() -> None:
    assert called_methods() == set(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_has_the_permission_that_slack_wants_for_it(method: str) -> None:
    file = REFERENCE / f"{method}.json"
    if not file.exists():
        pytest.skip("Slack's method reference is not beside this checkout")
    wanted = set(json.loads(file.read_text(encoding="utf-8")).get("scope", {}).get("bot", ()))
    assert METHODS[method] <= wanted
    assert bool(METHODS[method]) == bool(wanted)


def test_no_permission_is_asked_for_that_nothing_needs() -> None:
    needed = {"commands"}.union(*METHODS.values(), *(set(its) for its in EVENTS.values()))
    assert set(scopes(Wanted(managers_group=True))) == needed
    assert set(scopes(Wanted())) == needed - {"usergroups:read"}


def test_commands_come_from_the_registry() -> None:
    words = [word for word, _, _ in commands("desk")]
    assert words == ["desk", "claim"]
    assert [word for word, _, _ in commands("claim")] == ["claim"]
    claim = next(verb for verb in VERBS if verb.name == "claim")
    assert commands("lib")[1] == ("claim", claim.does, "[42]")
    hidden = {verb.name for verb in VERBS if verb.hidden}
    assert not hidden & set(commands("lib")[0][2].split(" | "))


def test_the_manifest_is_printed_before_there_is_any_token(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    printed = CliRunner().invoke(app, ["manifest", "--config", str(file)])
    assert json.loads(printed.output) == manifest(Wanted())
    file.write_text('root = "desk"\n[slack]\nmanagers_group = "S1"\n')
    printed = CliRunner().invoke(
        app, ["manifest", "--config", str(file), "--http", "https://b.example"]
    )
    wanted = Wanted(root="desk", http="https://b.example", managers_group=True)
    assert json.loads(printed.output) == manifest(wanted)


def test_a_manifest_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("root = ")
    found = CliRunner().invoke(app, ["manifest", "--config", str(file)])
    assert isinstance(found.exception, ConfigError)
    found = CliRunner().invoke(app, ["manifest", "--http", "http://b.example"])
    assert isinstance(found.exception, ConfigError)


@pytest.mark.parametrize("root", ["Lib", "my lib", "/lib", "", "l" * 32, 7])
def test_a_word_that_is_no_command_is_refused_before_slack_refuses_it(
    tmp_path: Path, root: object
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"root = {json.dumps(root)}")
    found = CliRunner().invoke(app, ["manifest", "--config", str(file)])
    assert isinstance(found.exception, ConfigError)
    assert "root" in str(found.exception)


# --- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bot_token": Secret(value="xoxp-1")}, "xoxb-"),
        ({"app_token": Secret(value="xoxb-1")}, "xapp-"),
        ({"mode": "carrier pigeon"}, "'socket' or 'http'"),
        ({"chanel": "C01"}, "Extra inputs"),
    ],
)
def test_a_wrong_setting_is_refused_without_its_value(given: dict[str, object], said: str) -> None:
    right = {"bot_token": Secret(value=BOT_TOKEN), "app_token": Secret(value=APP_TOKEN)}
    with pytest.raises(ValidationError) as refused:
        SlackOptions.model_validate({**right, **given})
    text = str(refused.value)
    assert said in text
    assert "xoxp-1" not in text


# --- check --------------------------------------------------------------------------------------


@pytest.fixture
async def api(slack: Loopback) -> AsyncIterator[Api]:
    api = Api(Secret(value=BOT_TOKEN), url=slack.api, network=Network())
    yield api
    await api.close()


async def checked(api: Api) -> list[Finding]:
    return await check(api, channels=["C01", "C02"], app_token=Secret(value=APP_TOKEN))


async def test_all_is_well(slack: Loopback, api: Api) -> None:
    slack.scopes = ",".join(scopes(Wanted()))
    findings = await checked(api)
    assert all(finding.ok for finding in findings)
    assert "Slack takes a full card" in [finding.said for finding in findings]


async def test_everything_that_is_wrong_is_said(slack: Loopback, api: Api) -> None:
    slack.scopes = "chat:write"
    slack.channels["C01"].archived = True
    slack.channels["C02"].members.discard(BOT)
    slack.refuse["apps.connections.open"] = "invalid_auth"
    wrong = [finding.said for finding in await checked(api) if not finding.ok]
    assert len(wrong) == 4
    assert "app_mentions:read" in wrong[0]
    assert "SLACK_APP_TOKEN" in wrong[1]
    assert "SLACK_BOT_TOKEN" not in wrong[1]
    assert "archived" in wrong[2]
    assert "/invite" in wrong[3]


async def test_a_wrong_token_is_all_that_is_said(slack: Loopback) -> None:
    api = Api(Secret(value="xoxb-wrong"), url=slack.api, network=Network())
    (finding,) = await check(api, channels=["C01"], app_token=None)
    await api.close()
    assert not finding.ok
    assert "SLACK_BOT_TOKEN" in finding.said
    assert "xoxb-wrong" not in finding.said


async def test_where_slack_judges_no_cards_nothing_is_wrong(slack: Loopback, api: Api) -> None:
    slack.refuse["blocks.validate"] = "unknown_method"
    assert all(finding.ok for finding in await checked(api))


def test_the_card_that_slack_judges_is_a_full_one() -> None:
    shown = blocks(FULL)
    assert message_faults(shown) == []
    assert {block["type"] for block in shown} == {
        "header",
        "context",
        "rich_text",
        "section",
        "actions",
    }


async def test_a_press_of_the_test_button_comes_back(
    slack: Loopback, api: Api, tmp_path: Path
) -> None:
    async with running(opened(slack, settings(tmp_path), FakeDesk())) as chat:
        asked = asyncio.create_task(ping(api, "U1", every=0.01))
        await until(lambda: slack.texts("DU1"))
        button = slack.newest("DU1")
        await Person(slack, chat).press(actions(button)["ping"], channel="DU1", ts=button["ts"])
        finding = await asked
    assert finding.ok
    assert actions(slack.newest("DU1")) == {}


async def test_a_press_that_never_came_is_said(slack: Loopback, api: Api) -> None:
    finding = await ping(api, "U1", within=0.05, every=0.01)
    assert not finding.ok
    assert "staffbot run" in finding.said
    finding = await ping(api, "U404")
    assert "no such person" in finding.said

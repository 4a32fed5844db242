"""Commands made from the registry, forms as modals, permissions. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from handlers.discord import commands, forms
from handlers.discord.client import control_of
from handlers.discord.identifies import AT_ONCE, Identifies
from handlers.discord.permissions import (
    ADMINISTRATOR,
    ALL_NEEDED,
    NEEDED,
    granted_in,
    invite_url,
    missing,
)
from handlers.discord.typed import app, application_of
from staffbot import forms as house_forms
from staffbot.commands import VERBS, Verb
from staffbot.messages import Form, Quote
from staffbot.seams import Completion
from tests.golden import golden
from tests.handlers.discord import rules
from tests.handlers.discord.loopback import TOKEN
from tests.handlers.discord.world import BOT, Json

PEOPLE = tuple((f"p{n}", f"Person {n}") for n in range(3))
MANY = tuple((f"p{n}", f"Person {n}") for n in range(40))
FORMS = (
    house_forms.close(42, ("idea", "thanks")),
    house_forms.answered(42, ("idea", "thanks")),
    house_forms.assign(42, PEOPLE),
    house_forms.assign(42, MANY),
    house_forms.hand_over(None, MANY),
    house_forms.note(42),
    house_forms.link(42),
    house_forms.snooze(42),
    house_forms.away(),
    house_forms.log(),
    house_forms.close_all("17", 12),
)


# --- commands -----------------------------------------------------------------------------------


def test_the_commands_are_as_they_were_read() -> None:
    listed = commands.command_list("lib")
    template = "/applications/{application_id}/guilds/{guild_id}/commands"
    assert not rules.request("PUT", template, listed)
    golden("discord/commands", listed)


def subcommands(listed: list[Json]) -> dict[str, list[str]]:
    """Where each verb of the root stands."""
    (root,) = [one for one in listed if one["name"] == "lib"]
    found: dict[str, list[str]] = {}
    for one in root["options"]:
        inner = one["options"] if one["type"] == commands.SUBCOMMAND_GROUP else [one]
        assert len(inner) <= commands.MOST
        for sub in inner:
            found.setdefault(sub["name"], []).append(one["name"])
    assert len(root["options"]) <= commands.MOST
    return found


def test_every_verb_has_its_command_and_no_button_has() -> None:
    found = subcommands(commands.command_list("lib"))
    assert set(found) == {verb.name.replace(" ", "-") for verb in VERBS if not verb.hidden}
    assert all(len(places) == 1 for places in found.values())


def test_what_is_typed_most_stands_right_under_the_root() -> None:
    found = subcommands(commands.command_list("lib"))
    for name in ("claim", "done", "close", "queue", "mine", "show", "help"):
        assert found[name] == [name]


def test_a_registry_that_grew_still_fits() -> None:
    more = [
        Verb(name=f"extra {n}", does="Do more", group=VERBS[n % len(VERBS)].group)
        for n in range(30)
    ]
    assert len(subcommands(commands.command_list("lib", [*VERBS, *more]))) == len(VERBS) + 30


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_used_command_is_read_as_its_verb(verb: Verb) -> None:
    listed = commands.command_list("lib")
    where = subcommands(listed)[verb.name.replace(" ", "-")][0]
    options: list[Json] = [{"type": 3, "name": slot.name, "value": "7"} for slot in verb.slots]
    inner: Json = {"type": 1, "name": verb.name.replace(" ", "-"), "options": options}
    if where != inner["name"]:
        inner = {"type": 2, "name": where, "options": [inner]}
    used = commands.used({"name": "lib", "options": [inner]}, "lib")
    assert used is not None
    assert used.verb == verb
    assert dict(used.said) == {slot.name: "7" for slot in verb.slots}


def test_other_commands_are_none_of_ours() -> None:
    assert commands.used({"name": "play"}, "lib") is None
    assert commands.used({"name": "lib", "options": [{"type": 1, "name": "sing"}]}, "lib") is None


def test_the_same_commands_have_the_same_fingerprint() -> None:
    assert commands.fingerprint(commands.command_list("lib")) == commands.fingerprint(
        commands.command_list("lib")
    )
    assert commands.fingerprint(commands.command_list("lib")) != commands.fingerprint(
        commands.command_list("bib")
    )


@given(st.lists(st.tuples(st.text(max_size=300), st.text(max_size=300)), max_size=60))
def test_completions_are_within_discords_limits(found: list[tuple[str, str]]) -> None:
    asked = commands.Used(verb=VERBS[4], said={}, focused="verb")
    ways = [Completion(text=f"help {text}", help=help_) for text, help_ in found]
    shown = commands.choices(asked, ways)
    assert len(shown) <= 25
    assert all(0 < len(one["name"]) <= 100 and 0 < len(one["value"]) <= 100 for one in shown)


@pytest.mark.parametrize("emoji", ["✋", "✋🏻", "✋🏿", "🙋", "🙋🏽", "🙋🏼"])
def test_a_raised_hand_of_any_colour_claims(emoji: str) -> None:
    assert control_of(emoji) == "claim"


@pytest.mark.parametrize(
    ("emoji", "control"), [("✅", "done"), ("☑️", "done"), ("👍", ""), ("", "")]
)
def test_a_check_mark_closes_and_others_do_nothing(emoji: str, control: str) -> None:
    assert control_of(emoji) == control


# --- forms --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_form_is_a_modal_that_discord_takes(form: Form) -> None:
    drawn = forms.modal(form)
    body = {"type": 9, "data": drawn}
    template = "/interactions/{interaction_id}/{interaction_token}/callback"
    assert not rules.request("POST", template, body)
    assert len(drawn["components"]) <= 5


def test_the_forms_look_as_they_were_read() -> None:
    golden("discord/modals", [forms.modal(form) for form in FORMS])


@pytest.mark.parametrize("times", [1, 500])
def test_what_a_form_is_about_stands_above_it_and_pings_nobody(times: int) -> None:
    words = "Ünïcode\n# @everyone <@1> **bold** \N{FAMILY}\n" * times
    about = replace(house_forms.log(), quote=Quote(text=words))
    drawn = forms.modal(about)
    template = "/interactions/{interaction_id}/{interaction_token}/callback"
    assert not rules.request("POST", template, {"type": 9, "data": drawn})
    shown, *asked = drawn["components"]
    assert shown["type"] == 10
    assert all(line.startswith("> ") for line in shown["content"].splitlines())
    assert "**bold**" not in shown["content"]
    assert [one["type"] for one in asked] == [18] * len(asked)
    silent = replace(about, quote=Quote(text=" "))
    assert forms.modal(silent) == forms.modal(house_forms.log())


def test_a_filled_form_comes_back_with_what_was_settled() -> None:
    drawn = forms.modal(house_forms.close_all("17", 12))
    assert [one["component"]["custom_id"] for one in drawn["components"]] == ["outcome"]
    select = {"type": 18, "component": {"type": 3, "custom_id": "outcome", "values": ["spam"]}}
    filled = forms.filled(drawn["custom_id"], [select])
    assert filled == forms.Filled(
        form="close_all", mention=None, values={"storm": "17", "outcome": "spam"}
    )


def test_several_answers_are_a_list_and_the_old_shape_is_read_too() -> None:
    both = {"type": 18, "component": {"type": 3, "custom_id": "topics", "values": ["a", "b"]}}
    old = {"type": 1, "components": [{"type": 4, "custom_id": "note", "value": "Hello"}]}
    filled = forms.filled("m1|close|42|", [both, old])
    assert filled is not None
    assert filled.values == {"topics": ["a", "b"], "note": "Hello"}
    assert forms.filled("bug_modal", []) is None


@settings(max_examples=25)
@given(st.text(max_size=40), st.integers(min_value=0, max_value=300))
def test_a_form_written_already_is_within_the_limits(text: str, times: int) -> None:
    written = forms.prefilled(house_forms.log(), text=text * times, who=text * times)
    drawn = forms.modal(written)
    template = "/interactions/{interaction_id}/{interaction_token}/callback"
    assert not rules.request("POST", template, {"type": 9, "data": drawn})


# --- permissions and how the bot is added -------------------------------------------------------

ROLE = {"id": "9", "permissions": str(ALL_NEEDED)}
GUILD = {"id": "1", "owner_id": "2", "roles": [{"id": "1", "permissions": "0"}, ROLE]}
MEMBER = {"user": {"id": "7"}, "roles": ["9"]}


@pytest.mark.parametrize("permission", NEEDED, ids=lambda one: one.name)
def test_one_permission_taken_away_in_the_channel_is_named(permission: object) -> None:
    bit = permission.bit  # type: ignore[attr-defined]
    channel = {"permission_overwrites": [{"id": "9", "deny": str(bit), "allow": "0"}]}
    assert missing(granted_in(channel, GUILD, MEMBER)) == (permission,)
    # What is granted to the bot itself goes before what its role is denied.
    channel["permission_overwrites"].append({"id": "7", "deny": "0", "allow": str(bit)})
    assert missing(granted_in(channel, GUILD, MEMBER)) == ()


def test_grants_of_one_role_go_before_denials_of_another() -> None:
    member = {"user": {"id": "7"}, "roles": ["9", "8"]}
    guild = {**GUILD, "roles": [*GUILD["roles"], {"id": "8", "permissions": "0"}]}
    overwrites = [
        {"id": "9", "deny": "0", "allow": str(ALL_NEEDED)},
        {"id": "8", "deny": str(ALL_NEEDED), "allow": "0"},
        {"id": "1", "deny": str(ALL_NEEDED), "allow": "0"},
    ]
    assert not missing(granted_in({"permission_overwrites": overwrites}, guild, member))


def test_administrators_and_the_owner_may_all() -> None:
    guild = {**GUILD, "roles": [{"id": "9", "permissions": str(ADMINISTRATOR)}]}
    assert not missing(granted_in({}, guild, MEMBER))
    assert not missing(granted_in({}, {**GUILD, "owner_id": "7"}, MEMBER))


def test_the_invite_asks_for_exactly_what_is_needed() -> None:
    url = invite_url("123", "456")
    assert f"permissions={ALL_NEEDED}" in url
    assert "scope=bot+applications.commands" in url
    assert url.endswith("guild_id=456")


def test_invite_prints_the_address_and_every_reason() -> None:
    said = CliRunner().invoke(app, ["invite"], env={"DISCORD_TOKEN": TOKEN})
    assert said.exit_code == 0
    assert f"client_id={BOT}" in said.stdout
    for one in NEEDED:
        assert f"{one.name}: {one.why}" in said.stdout


def test_invite_without_a_token_says_what_to_give() -> None:
    said = CliRunner().invoke(app, ["invite"], env={"DISCORD_TOKEN": "", "DISCORD_TOKEN_FILE": ""})
    assert said.exit_code == 2
    assert "Give its id" in said.stderr
    assert re.fullmatch(r"\d+", application_of(TOKEN))
    assert application_of("nonsense") == ""


def test_greetings_are_fewer_than_a_thousand_a_day() -> None:
    now = [0.0]
    identifies = Identifies(lambda: now[0])
    at: list[float] = []
    while now[0] < 2 * 86_400:
        now[0] += identifies.take()
        at.append(now[0])
        now[0] += 1.0  # a crash loop
    assert at[AT_ONCE - 1] < 200
    busiest = max(
        sum(begin <= one < begin + 86_400 for one in at) for begin in (0.0, 100.0, 5000.0)
    )
    assert busiest < 1000

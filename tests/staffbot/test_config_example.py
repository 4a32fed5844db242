"""config.example.toml and docs/configuration.md: every setting is there, and is as it says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from staffbot import plugins, settings
from staffbot.config import load, tables
from staffbot.config.load import KNOWN, SECTIONS
from staffbot.config.problems import keys_of

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.example.toml").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SEVERAL = "# === Several teams"
# A secret that any source or door takes, for each variable that the example names.
NAMED = re.findall(r'"([A-Z_]{4,})"', EXAMPLE)
VARIABLES = dict.fromkeys(NAMED, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
VARIABLES["SLACK_BOT_TOKEN"] = "xoxb-1-of-the-tests"
VARIABLES["SLACK_APP_TOKEN"] = "xapp-1-of-the-tests"
VARIABLES["STAFFBOT_HEARTBEAT_URL"] = "https://hc.example.org/ping"

TABLES: dict[str, type[BaseModel]] = {
    "hours": tables.HoursTable,
    "targets": tables.TargetTable,
    "nagging": tables.NaggingTable,
    "digest": tables.DigestTable,
    "rooms": tables.RoomTable,
    "routes": tables.RouteTable,
    "staff": tables.StaffTable,
    "services": tables.ServiceTable,
    **SECTIONS,
}


def set_free(text: str) -> str:
    """The text with every setting in force: `#key = value` without its `#`."""
    return re.sub(r"(?m)^#(?=[\w\[])", "", text)


def one_team() -> str:
    return set_free(EXAMPLE.split(SEVERAL)[0])


def several_teams() -> str:
    """As the file says: with several teams, the rooms at the top are left out."""
    return re.sub(r"(?m)^\[\[rooms\]\]\n(?:.+\n)*", "", set_free(EXAMPLE))


def loaded(folder: Path, text: str) -> settings.Settings:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, VARIABLES, plugins.networks(), plugins.doors())


def with_ca(folder: Path, text: str) -> str:
    """The example names a file of certificates; here it is one of the system's own kind."""
    (folder / "our-ca.pem").write_text(CERTIFICATE)
    return text


def test_the_example_loads_as_it_is(tmp_path: Path) -> None:
    found = loaded(tmp_path, EXAMPLE)
    assert [source.type for source in found.sources] == ["feed"]
    assert [door.platform for door in found.doors] == ["local"]


def test_every_setting_of_the_example_is_its_default(tmp_path: Path) -> None:
    found = loaded(tmp_path, with_ca(tmp_path, one_team()))
    plain = loaded(
        tmp_path,
        'library = "x"\n[local]\n[[rooms]]\nplatform = "local"\nid = "team"\n[[sources]]\n'
        'name = "website"\ntype = "feed"\nurl = "https://library.example.org/comments/feed/"\n',
    )
    for name in ("public", "metrics", "delivery", "storm", "replies", "root", "topics", "reopen_within",
                 "undo_within", "figures_by_person", "data", "store"):  # fmt: skip
        assert getattr(found, name) == getattr(plain, name), name
    (team,), (bare,) = found.teams, plain.teams
    for name in ("nagging", "digest", "when_closed", "rooms"):
        assert getattr(team, name) == getattr(bare, name), name
    assert team.targets[0] == bare.targets[0]
    assert (team.hours.weekly, team.hours.zone) == (bare.hours.weekly, bare.hours.zone)
    assert found.network.timeout == plain.network.timeout
    assert found.health.post_stuck_after == plain.health.post_stuck_after
    assert found.health.source_failing_after == plain.health.source_failing_after
    assert found.doors[0] == plain.doors[0]
    assert found.sources[0].options == plain.sources[0].options
    assert found.sources[0].every == plain.sources[0].every
    assert found.sources[0].look_back == plain.sources[0].look_back


def test_every_setting_of_the_example_is_known(tmp_path: Path) -> None:
    found = loaded(tmp_path, with_ca(tmp_path, several_teams()))
    assert [team.key for team in found.teams] == ["adult", "children"]
    assert len(found.routes) == 3


def _rows(raw: Any) -> list[dict[str, Any]]:
    return raw if isinstance(raw, list) else [raw]


def _said(raw: Any) -> set[str]:
    return {key for row in _rows(raw) for key in row}


def test_the_example_holds_every_setting() -> None:
    raw = tomllib.loads(set_free(EXAMPLE))
    assert set(KNOWN) <= set(raw)
    for name, table in TABLES.items():
        assert set(keys_of(table)) == _said(raw[name]), name
    for name, door in plugins.doors().items():
        assert set(keys_of(door.options)) == _said(raw[name]), name
    for name, network in plugins.networks().items():
        said = _said([row for row in raw["sources"] if row["type"] == name])
        assert set(keys_of(network.options)) <= said, name
    assert set(keys_of(tables.SourceTable)) <= _said(raw["sources"])


@pytest.mark.parametrize(
    ("kind", "table", "elsewhere"),
    [
        (settings.OpeningHours, tables.HoursTable, ()),
        (settings.Target, tables.TargetTable, ()),
        (settings.Nagging, tables.NaggingTable, ()),
        (settings.DigestSettings, tables.DigestTable, ()),
        (settings.TeamRoom, tables.RoomTable, ("room",)),
        (settings.Team, tables.NamedTeamTable,
         ("key", *tables.TEAM_TABLES, *tables.TEAM_LISTS)),
        (settings.Route, tables.RouteTable, ()),
        (settings.StaffMember, tables.StaffTable, ()),
        (settings.SourceSettings, tables.SourceTable, ("options", "limit")),
        (settings.Service, tables.ServiceTable, ()),
        (settings.ReplySettings, tables.RepliesTable, ()),
        (settings.Network, tables.NetworkTable, ()),
        (settings.StoreSettings, tables.StoreTable, ()),
        (settings.Listener, tables.PublicTable, ()),
        (settings.Listener, tables.MetricsTable, ()),
        (settings.Delivery, tables.DeliveryTable, ()),
        (settings.Storm, tables.StormTable, ()),
        (settings.Health, tables.HealthTable, ()),
        (settings.Settings, tables.TopTable,
         ("teams", "routes", "staff", "services", "sources", "doors", *SECTIONS)),
    ],
)  # fmt: skip
def test_every_field_of_the_settings_can_be_set(
    kind: Any, table: type[BaseModel], elsewhere: Iterable[str]
) -> None:
    assert {field.name for field in fields(kind)} - set(elsewhere) <= set(keys_of(table))


def test_the_guide_names_every_setting() -> None:
    named = set(re.findall(r"`([\w.]+)`", GUIDE))
    for key in (*tables.TopTable.model_fields, "when_closed", "name"):
        assert key in named, key
    for name, table in TABLES.items():
        for key in keys_of(table):
            assert named & {key, f"{name}.{key}"}, f"{name}.{key}"
    models: list[type[BaseModel]] = [tables.SourceTable]
    models += [found.options for found in plugins.networks().values()]
    models += [found.options for found in plugins.doors().values()]
    for model in models:
        for key in keys_of(model):
            assert key in named, key


def test_the_smallest_file_of_the_guide_loads(tmp_path: Path) -> None:
    (smallest, several) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    assert loaded(tmp_path, smallest).teams[0].key == "team"
    assert len(loaded(tmp_path, f"library = 'x'\n[local]\n{several}").teams) == 2


# Of no authority: made for these tests alone, with its private key thrown away.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBiDCCAS+gAwIBAgIUBeb4yieKhGnJtFnfCkfoQdRbnCswCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOc3RhZmZib3QgdGVzdHMwIBcNMjYxMTI1MjI0NTIzWhgPMjEy
NjExMDEyMjQ1MjNaMBkxFzAVBgNVBAMMDnN0YWZmYm90IHRlc3RzMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEr6zHXNY/DmvKVCVvYyv//RPVVXu57qPZhQPk5rms
acMgLqscZXgZpPOwsyUiaJGGEcBWbskd8ov2XdZOK2+Ec6NTMFEwHQYDVR0OBBYE
FK7AAPPdSHbj0RG3Z6tuomYFO23HMB8GA1UdIwQYMBaAFK7AAPPdSHbj0RG3Z6tu
omYFO23HMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgYAHSVw7/
MbAhGSpD+UnGPy3MyzfmFqssAxK9LXoXiw4CICkIszFTcdCPv3XZlo3ZXtZoPPxo
TLIqYRkhyxEUqGzc
-----END CERTIFICATE-----
"""

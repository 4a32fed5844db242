"""Doors and networks are found by entry point, and loaded only where the file names them."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from staffbot import plugins
from staffbot.config import load
from staffbot.errors import ConfigError
from staffbot.seams import Door, Network
from tests.configuration import SMALLEST

HERE = "tests.configuration"


def door(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=plugins.DOORS)


def network(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=plugins.NETWORKS)


def told(points: list[EntryPoint], name: str) -> str:
    with pytest.raises(ConfigError) as error:
        plugins.doors(points)[name]
    (problem,) = error.value.problems
    assert problem.path == name
    return problem.reason


def test_only_what_the_file_names_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing either module of the others would leave a trace, and fail."""
    for name in ("chatty", "chirpy"):
        (tmp_path / f"staffbot_test_{name}.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    doors = plugins.doors([door("talk", f"{HERE}:talk"), door("chat", "staffbot_test_chatty:door")])
    networks = plugins.networks([network("chirp", "staffbot_test_chirpy:network")])
    path = tmp_path / "config.toml"
    path.write_text(SMALLEST)
    assert [found.platform for found in load(path, {}, networks, doors).doors] == ["talk"]
    assert {"staffbot_test_chatty", "staffbot_test_chirpy"}.isdisjoint(sys.modules)

    path.write_text(SMALLEST + "[chat]\n[[sources]]\nname = 'x'\ntype = 'chirp'\n")
    with pytest.raises(ConfigError) as error:
        load(path, {}, networks, doors)
    assert {problem.path for problem in error.value.problems} == {"chat", "sources[0].type"}
    assert all("RuntimeError: imported" in problem.reason for problem in error.value.problems)


def test_a_plugin_is_loaded_once_and_known_by_its_name() -> None:
    found = plugins.doors([door("talk", f"{HERE}:talk"), door("pigeon", f"{HERE}:pigeon")])
    assert list(found) == ["talk", "pigeon"]
    assert len(found) == 2
    assert "talk" in found
    assert "slack" not in found
    assert found["talk"] is found["talk"]
    assert found.get("slack") is None


def test_what_is_not_installed_is_named_with_the_remedy(tmp_path: Path) -> None:
    points = [door("slack", "staffbot_no_such_module:door")]
    with pytest.raises(ConfigError) as error:
        plugins.doors(points)["slack"]
    (problem,) = error.value.problems
    assert "staffbot_no_such_module" in problem.reason
    assert problem.example == "pip install 'staffbot[slack]'"
    path = tmp_path / "config.toml"
    path.write_text(SMALLEST.replace("talk", "slack"))
    with pytest.raises(ConfigError) as error:
        load(path, {}, {}, plugins.doors(points))
    assert error.value.problems == (problem,)


def test_the_wrong_thing_is_refused() -> None:
    assert "is no Door" in told([door("talk", f"{HERE}:postcards")], "talk")
    assert "calls itself talk" in told([door("talky", f"{HERE}:talk")], "talky")
    assert "AttributeError" in told([door("talk", f"{HERE}:nothing")], "talk")


def test_two_packages_for_one_name_are_refused_but_one_twice_is_not() -> None:
    twice = [door("talk", f"{HERE}:talk"), door("talk", f"{HERE}:talk")]
    assert plugins.doors(twice)["talk"].platform == "talk"
    two = [door("talk", f"{HERE}:talk"), door("talk", f"{HERE}:pigeon")]
    assert "two packages" in told(two, "talk")


def test_what_is_installed_here_can_be_loaded() -> None:
    doors, networks = plugins.doors(), plugins.networks()
    assert "local" in doors
    assert {"feed", "webhook"} <= set(networks)
    assert all(isinstance(doors[name], Door) for name in doors)
    assert all(isinstance(networks[name], Network) for name in networks)

"""What is promised to whoever installs staffbot: pinned, hashed, and free of our own machines."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: dict[str, Any] = PYPROJECT["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
BUILD: list[str] = PYPROJECT["dependency-groups"]["build"]

RUNTIME = [
    *PROJECT["dependencies"],
    *EXTRAS["postgres"],
    *EXTRAS["charts"],
    *EXTRAS["email"],
    *BUILD,
]
EVERYTHING = [*RUNTIME, *EXTRAS["dev"]]

LOCKS = {"requirements.lock": RUNTIME, "requirements-dev.lock": EVERYTHING}

INDEX = re.compile(
    r"--(?:extra-)?index-url[ =]|--find-links[ =]|-index = |"
    r"https?://(?:[\w-]+\.)*(?:pypi\.org/simple|pythonhosted\.org)"
)
# /home/ann, /Users/ann, /root and the like, but not the path of a web address.
OWN_PATH = re.compile(r"(?<![\w.}/-])/(?:home/\w|Users/\w|root\b|work/|tmp/v\b)")


def pins(lock: str) -> dict[str, set[str]]:
    """The versions that a lock pins for each name: more than one where Pythons differ."""
    found: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=[\w-])", (ROOT / lock).read_text()):
        pinned = re.match(r"([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", entry)
        assert pinned, f"not a pin: {entry.splitlines()[0]}"
        assert "--hash=sha256:" in entry, f"no hash: {entry.splitlines()[0]}"
        found.setdefault(canonicalize_name(pinned[1]), set()).add(pinned[2])
    return found


def tracked() -> list[tuple[str, str]]:
    """Name and text of every tracked text file but this one."""
    # CI may own the clone under another user, which git would refuse without safe.directory.
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    texts = []
    for name in filter(None, listing.split("\0")):
        path = ROOT / name
        if path == Path(__file__).resolve() or not path.is_file():
            continue
        try:
            texts.append((name, path.read_text("utf-8")))
        except UnicodeDecodeError:
            continue  # a picture
    return texts


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in tracked()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_every_dependency_within_its_range_with_hashes(lock: str) -> None:
    pinned = pins(lock)
    for requirement in map(Requirement, LOCKS[lock]):
        versions = pinned.get(canonicalize_name(requirement.name))
        assert versions, f"{lock} lacks {requirement.name}: make lock"
        for version in versions:
            assert version in requirement.specifier, f"{lock}: {requirement.name} {version}"


def test_dev_lock_holds_the_runtime_lock_unchanged() -> None:
    dev = pins("requirements-dev.lock")
    assert {name: dev.get(name) for name in pins("requirements.lock")} == pins("requirements.lock")


def test_build_backend_is_pinned_for_the_editable_install() -> None:
    assert PYPROJECT["build-system"]["requires"] == BUILD


def test_wheel_holds_both_packages() -> None:
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["staffbot", "handlers"]


def test_package_page_shows_the_readme() -> None:
    assert PROJECT.get("readme") == ("README.md" if (ROOT / "README.md").exists() else None)


def test_make_knows_every_target_that_the_readme_names() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README.md yet")
    targets = set(re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^[ \t]*(?:\$ )?|`)make ([a-z]+)", readme.read_text(), re.MULTILINE))
    assert named <= targets


def test_no_tracked_file_names_a_package_index() -> None:
    assert places(INDEX) == []


def test_no_tracked_file_names_a_path_of_a_developer() -> None:
    assert places(OWN_PATH) == []

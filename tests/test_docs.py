"""The documentation is true: every command, setting and link that it names is there."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import UniqueConstraint
from typer.main import get_command

from staffbot.cli import app
from staffbot.commands import parse
from staffbot.config import load
from staffbot.config.load import KNOWN
from staffbot.plugins import doors, networks
from staffbot.tables import metadata

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
IMAGE = re.compile(r'<img src="([^"]+)" width="\d+" alt="[^"]{20,}">')
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?<![\w/@-])(?:\.venv/bin/)?staffbot +([a-z]+)((?: +[^\n`#]*)?)")
MAKE = re.compile(r"\bmake +([a-z]+)\b")
CODE = re.compile(r"`([^`\n]+)`")


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def code(page: str) -> list[str]:
    """Everything that a page shows as code: what somebody will type."""
    whole = text(page)
    return [body for _, body in FENCE.findall(whole)] + CODE.findall(FENCE.sub("", whole))


@pytest.mark.parametrize("page", NAMES)
def test_links_resolve(page: str) -> None:
    for target in LINK.findall(text(page)) + IMAGE.findall(text(page)):
        url = urlsplit(target)
        if url.scheme:
            assert url.scheme in ("http", "https"), target
            continue
        found = (ROOT / page).parent / url.path if url.path else ROOT / page
        assert found.exists(), f"{page} links to {target}, which is not there"
        if url.fragment:
            headings = re.findall(r"^#+ (.+)$", found.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
            assert url.fragment in slugs, f"{page} links to {target}, and there is no such heading"


def test_each_network_can_be_set_up_as_its_guide_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", text("docs/networks.md"), re.DOTALL)
    written = "\n".join(textwrap.dedent(f"   {block}") for block in blocks)
    file = tmp_path / "config.toml"
    room = '[local]\n[[rooms]]\nplatform = "local"\nid = "team"\n'
    file.write_text(f'library = "Riverside Library"\n{room}{written}')
    secrets = dict.fromkeys(re.findall(r'"(STAFFBOT_\w+)"', written), "xxxx")
    found = {source.type for source in load(file, secrets, networks(), doors()).sources}
    assert found == networks().keys() - {"feed", "webhook"}


def test_every_picture_is_small_and_shown_with_a_description() -> None:
    shown = [
        Path(p).name for name in NAMES for p in LINK.findall(text(name)) + IMAGE.findall(text(name))
    ]
    assert sum(text(name).count("<img") for name in NAMES) == sum(
        len(IMAGE.findall(text(name))) for name in NAMES
    )
    for picture in (ROOT / "docs/images").glob("*.png"):
        assert picture.name in shown, f"{picture.name} is shown nowhere"
        assert picture.stat().st_size < 120_000, picture


@pytest.mark.parametrize("page", NAMES)
def test_every_command_is_there_with_its_options(page: str) -> None:
    known = dict(get_command(app).commands)  # type: ignore[attr-defined]
    # A platform's own commands are there once its name is the first word.
    known |= {name: get_command(d.commands) for name, d in doors().items() if d.commands}
    for piece in code(page):
        for name, rest in COMMAND.findall(piece):
            assert name in known, f"{page}: staffbot {name}"
            command = known[name]
            for word in rest.split():  # a platform's commands have commands of their own
                command = getattr(command, "commands", {}).get(word, command)
            flags = {flag for option in command.params for flag in option.opts}
            flags |= {flag for option in command.params for flag in option.secondary_opts}
            for flag in re.findall(r"(?<!\S)--?[a-z][a-z-]*", re.sub(r'"[^"]*"', "", rest)):
                assert flag in flags, f"{page}: staffbot {name} {flag}"


@pytest.mark.parametrize("page", NAMES)
def test_every_make_target_is_there(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    for piece in code(page):
        assert set(MAKE.findall(piece)) <= targets, f"{page}: {piece}"


@pytest.mark.parametrize("page", NAMES)
def test_every_table_of_a_configuration_is_known(page: str) -> None:
    known = {*KNOWN, *doors()}
    for language, body in FENCE.findall(text(page)):
        if language == "toml":
            assert set(tomllib.loads(body)) <= known, f"{page}: {body}"
    for table in re.findall(r"`\[+([a-z]+)", text(page)):
        assert table in known, f"{page}: [{table}]"


def test_the_readme_says_how_to_begin_and_what_is_not_there() -> None:
    readme = text("README.md")
    for said in ("make demo", "make test", "staffbot init", "staffbot run", "docs/images/page.png"):
        assert said in readme
    missing = readme.partition("## What is not there yet")[2]
    assert "Slack and Discord" in missing


@pytest.mark.parametrize("page", ["docs/staff.md", "docs/managers.md"])
def test_what_a_guide_says_to_type_is_a_command(page: str) -> None:
    rows = "\n".join(line for line in text(page).splitlines() if line.startswith("|"))
    commands = [piece for piece in CODE.findall(rows) if "=" not in piece]
    assert len(commands) > 5
    for command in commands:
        call = parse(command)
        assert call.missing() is None, command


def test_the_staff_guide_explains_every_button_of_a_card() -> None:
    guide = text("docs/staff.md")
    labels = set()
    for card in (ROOT / "tests/golden/cards").glob("*.json"):
        labels |= {control["label"] for control in json.loads(card.read_text()).get("controls", ())}
    assert len(labels) > 15
    unsaid = {label for label in labels if label.replace(" next 3", " next 5") not in guide}
    assert unsaid <= {"Show words again", "Wake", "Done with outcome…"}, unsaid


def test_the_schema_page_names_every_table_key_and_index() -> None:
    page = text("docs/schema.md")
    for table in metadata.sorted_tables:
        assert re.search(rf"^### .*`{table.name}`", page, re.MULTILINE), table.name
        unique = {c.name for c in table.constraints if isinstance(c, UniqueConstraint)}
        for index in table.indexes:
            assert f"`{index.name}`" in page, index.name
            said = ", ".join(column.name for column in index.columns)
            row = next(line for line in _sentences(page) if f"`{index.name}`" in line)
            assert said in row, f"{index.name} is on {said}"
        for name in unique:
            assert f"`{name}`" in page, name
    named = set(re.findall(r"`((?:ix|uq)_\w+)`", page))
    known = {str(index.name) for table in metadata.sorted_tables for index in table.indexes}
    known |= {
        str(c.name)
        for table in metadata.sorted_tables
        for c in table.constraints
        if isinstance(c, UniqueConstraint)
    }
    assert named <= known, "an index that is no longer there"


def _sentences(page: str) -> list[str]:
    return [" ".join(block.split()) for block in re.split(r"\n\n|\n(?=\|)", page)]


def test_changes_stand_in_the_changelog() -> None:
    assert "## [Unreleased]" in text("CHANGELOG.md")

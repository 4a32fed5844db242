"""The house can be read from its first lines: every file says what it is, every folder what is in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = sorted(
    file.parent
    for top in ("staffbot", "handlers")
    for file in (ROOT / top).rglob("__init__.py")
    if any(other.stem[:2] != "__" for other in file.parent.glob("*.py"))
)
FILES = sorted(file for folder in FOLDERS for file in folder.glob("*.py"))


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def told(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_a_file_opens_with_what_it_is(file: Path) -> None:
    assert told(file).partition("\n")[0].rstrip()


@pytest.mark.parametrize("folder", FOLDERS, ids=shown)
def test_a_folder_names_all_that_is_in_it(folder: Path) -> None:
    inside = {file.stem for file in folder.glob("*.py") if not file.stem.startswith("__")}
    inside |= {f"{file.parent.name}/" for file in folder.glob("*/__init__.py")}
    missing = inside - set(re.findall(r"[a-z_]+/?", told(folder / "__init__.py")))
    assert not missing, f"{shown(folder)}/__init__.py does not name {', '.join(sorted(missing))}"

"""A small disk for tests that fill one. Skips where none can be made."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of that size at `folder`; skips the test where it cannot be made."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size},mode=0700", "staffbot-test", str(folder)]
    try:
        made = subprocess.run(["mount", *options], capture_output=True, check=False)
    except OSError:
        pytest.skip("there is no mount command here")
    if made.returncode:
        pytest.skip("a small disk can be made by root on Linux only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return

"""Secrets from the environment, or from files that it names; keeps them out of every sentence."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from staffbot.errors import ConfigError
from staffbot.secret import Secret

IDENTITY_KEY = "STAFFBOT_IDENTITY_KEY"
DATABASE_URL = "STAFFBOT_DATABASE_URL"
PROXY = "STAFFBOT_PROXY"

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,79}")
SHORTEST_KEY = 32
_LARGEST = 64 * 1024


class MissingSecret(ValueError):
    """A sentence that names the variable, with the line that sets it."""

    def __init__(self, variable: str) -> None:
        self.example = f"export {variable}='...'"
        super().__init__(
            f"needs the environment variable {variable}, which is not set "
            f"(or {variable}_FILE with the path of a file that holds it)."
        )


def secret(environ: Mapping[str, str], folder: Path) -> Callable[[object], Secret]:
    """A look-up: the name of a variable -> its Secret. It raises ValueError with a sentence.

    `<NAME>_FILE` names a file instead; a relative one lies in `folder`, beside the configuration.
    """

    def look_up(name: object) -> Secret:
        variable = variable_name(name)
        found = optional_secret(environ, folder, variable)
        if found is None:
            raise MissingSecret(variable)
        return found

    return look_up


def variable_name(value: object) -> str:
    """The name of an environment variable. What stands in its place is never repeated."""
    if isinstance(value, str) and _VARIABLE.fullmatch(value):
        return value
    raise ValueError(
        "should be the name of an environment variable, in capitals; the secret itself never "
        "stands in this file."
    )


def optional_secret(environ: Mapping[str, str], folder: Path, name: str) -> Secret | None:
    """The secret of that variable, None where it is not set. Raises ValueError with a sentence."""
    direct, file = environ.get(name), environ.get(f"{name}_FILE")
    if direct is not None and file is not None:
        raise ValueError(f"is given twice: unset {name} or {name}_FILE.")
    if file is not None:
        return Secret(value=_said(_read(folder / file, f"{name}_FILE"), f"the file of {name}_FILE"))
    return None if direct is None else Secret(value=_said(direct, name))


def _said(value: str, where: str) -> str:
    if not value.strip():
        raise ValueError(f"needs a secret, but {where} is empty.")
    return value.strip()


def _read(path: Path, variable: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError(f"needs a secret, but {variable} names a file of over 64 KiB.")
        return content.decode("utf-8-sig")
    except OSError as problem:
        raise ValueError(
            f"needs a secret, but the file that {variable} names cannot be read "
            f"({_reason(problem)})."
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"needs a secret, but {variable} names a file that is not text.") from None


def _reason(problem: OSError) -> str:
    return (problem.strerror or "unknown reason").lower()


def identity_key(data_dir: Path, database: Path | None = None) -> Secret:
    """The key of the hash of native ids, kept in `identity.key` and made at first need.

    Several processes may need it at once: all get the same one. It is not made anew beside a
    `database` that was written with another, for then every mention would come in again.
    """
    file = data_dir / "identity.key"
    try:
        if not file.exists():
            if database is not None and database.exists() and database.stat().st_size:
                raise ConfigError.at(
                    "data",
                    f"{file} is missing, but there is a database already. Bring the file back "
                    f"from a backup, or set {IDENTITY_KEY}; with a new key every mention would "
                    "come in a second time.",
                )
            _make(file)
        key = file.read_text(encoding="ascii").strip()
    except OSError as problem:
        raise ConfigError.at(
            "data", f"{file} cannot be read or written ({_reason(problem)})."
        ) from None
    except UnicodeDecodeError:
        key = ""
    if len(key) < SHORTEST_KEY:
        raise ConfigError.at("data", f"{file} is damaged. Bring it back from a backup.")
    return Secret(value=key)


def _make(file: Path) -> None:
    """Write a new key so that the file is whole from the moment it is there."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(32) + "\n")
            out.flush()
            os.fsync(out.fileno())
        # Where another process was first, its key is as good.
        with contextlib.suppress(FileExistsError):
            os.link(half, file)
    finally:
        half.unlink(missing_ok=True)

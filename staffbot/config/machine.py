"""What this machine has to do with it: the database, the identity key, the proxy and CA, ports."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from staffbot import settings
from staffbot.config.environment import (
    DATABASE_URL,
    PROXY,
    SHORTEST_KEY,
    identity_key,
    optional_secret,
)  # fmt: skip
from staffbot.config.problems import Problems
from staffbot.config.tables import NetworkTable, StoreTable
from staffbot.config.values import Proxy
from staffbot.errors import ConfigError
from staffbot.secret import Secret

_SQLITE = "sqlite:///data/staffbot.db"
_POSTGRES = "postgresql+psycopg://staffbot@db.example.org/staffbot"
_PROXY: TypeAdapter[str] = TypeAdapter(Proxy)


class Machine:
    """The folder of the file and the environment, in which relative paths and secrets are found."""

    def __init__(self, folder: Path, environ: Mapping[str, str], problems: Problems) -> None:
        self._folder = folder
        self._environ = environ
        self._problems = problems

    def network(self, table: NetworkTable) -> settings.Network:
        """The way to the world; the environment's proxy, which may hold a password, goes first."""
        proxy = table.proxy
        if proxy and "@" in urlsplit(proxy).netloc:
            self._problems.add(
                "network.proxy",
                f"holds a password. Leave it out here and set the environment variable {PROXY}.",
            )
        if given := self._secret(PROXY, "network.proxy"):
            try:
                proxy = _PROXY.validate_python(given.value)
            except ValidationError as wrong:
                said = wrong.errors(include_input=False)[0]["ctx"]["error"]
                self._problems.add("network.proxy", f"The environment variable {PROXY}: {said}")
        ca_file = self._folder / table.ca_file if table.ca_file else None
        if ca_file:
            self._check_ca(ca_file)
        return settings.Network(proxy=proxy, ca_file=ca_file, timeout=table.timeout)

    def _check_ca(self, file: Path) -> None:
        wrong = ""
        try:
            if b"-----BEGIN CERTIFICATE-----" not in file.read_bytes():
                wrong = f"{file} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)."
            else:
                ssl.create_default_context(cafile=str(file))
        except ssl.SSLError:
            wrong = f"{file} holds a certificate that cannot be read."
        except OSError as problem:
            reason = (problem.strerror or "unknown reason").lower()
            wrong = f"{file} cannot be read: {reason}."
        if wrong:
            self._problems.add("network.ca_file", wrong, 'ca_file = "our-ca.pem"')

    def store(self, table: StoreTable, data: Path) -> tuple[Secret, Path | None]:
        """The database's URL, and its file where it is SQLite."""
        url = table.url
        if (given := self._secret(DATABASE_URL, "store.url")) is not None:
            url = given.value
        elif url and _password(url):
            self._wrong_url(
                f"holds a password. Leave it out here and give the whole address in the "
                f"environment variable {DATABASE_URL}."
            )
        scheme, _, rest = url.partition("://")
        if not url:
            file = data / "staffbot.db"
        elif scheme in ("postgresql", "postgres", "postgresql+psycopg"):
            if not urlsplit(f"postgresql://{rest}").path.strip("/"):
                self._wrong_url("names no database on the server.")
            return Secret(value=f"postgresql+psycopg://{rest}"), None
        elif scheme == "sqlite" and rest.startswith("/") and rest[1:] not in ("", ":memory:"):
            if "?" in rest:
                self._wrong_url("takes no options after a question mark for SQLite.")
            file = self._folder / rest[1:]
        else:
            self._wrong_url(
                "should be the address of a SQLite file (three slashes, or four before a path "
                "from the root) or of a PostgreSQL database."
            )
            file = data / "staffbot.db"
        return Secret(value=f"sqlite:///{file}"), file

    def _wrong_url(self, reason: str) -> None:
        given = f" (it comes from {DATABASE_URL})" if DATABASE_URL in self._environ else ""
        self._problems.add("store.url", reason + given, f"{_SQLITE} or {_POSTGRES}")

    def _secret(self, variable: str, path: str) -> Secret | None:
        try:
            return optional_secret(self._environ, self._folder, variable)
        except ValueError as wrong:
            self._problems.add(path, str(wrong))
            return None

    def identity_key(self, variable: str, data: Path, database: Path | None) -> Secret | None:
        """The key that the environment gives; else, for SQLite, the one kept in `data`.

        Makes that file at first need, so only a configuration that is right in all else asks.
        """
        path = "store.identity_key"
        given = self._secret(variable, path)
        if given is not None and len(given.value) < SHORTEST_KEY:
            self._problems.add(
                path,
                f"is too short: {variable} has to hold at least {SHORTEST_KEY} letters.",
                "openssl rand -hex 32",
            )
        elif given is None and database is None:
            self._problems.add(
                path,
                f"needs the environment variable {variable}: with PostgreSQL several machines "
                "have to use the same key.",
                "openssl rand -hex 32",
            )
        if self._problems:
            return None
        if given is not None:
            return given
        try:
            return identity_key(data, database)
        except ConfigError as refused:
            for problem in refused.problems:
                self._problems.add(problem.path, problem.reason)
            return None


def _password(url: str) -> bool:
    """Whether a URL holds a password."""
    return ":" in urlsplit(url).netloc.rpartition("@")[0]

"""The command line as a person meets it: a process, what it prints, how it ends."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from staffbot.cli import main
from tests.library import opened
from tests.staffbot.house import CONFIG, ENVIRONMENT, settings_in

STAFFBOT = [sys.executable, "-c", "from staffbot.cli import main; main()"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


Staffbot = Callable[..., Ended]


@pytest.fixture
def staffbot(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Staffbot]:
    """A command, in this process: a start costs a second."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level, raises = root.handlers[:], root.level, logging.raiseExceptions

    def run_it(folder: Path, *arguments: str) -> Ended:
        monkeypatch.chdir(folder)
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capfd.readouterr()
        return Ended(returncode=int(ended.value.code or 0), stdout=said.out, stderr=said.err)

    yield run_it
    root.handlers[:], logging.raiseExceptions = handlers, raises
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def folder(tmp_path: Path, staffbot: Staffbot) -> Path:
    """A folder with a configuration and a database that somebody has worked with."""
    (tmp_path / "data").mkdir(mode=0o700)
    settings_in(tmp_path)
    assert staffbot(tmp_path, "migrate").returncode == 0
    url = f"sqlite:///{tmp_path}/data/staffbot.db"
    with opened(url, sources=(), **_as_configured(tmp_path)) as library:
        library.arrives("When do you open?", source="form")
        library.claim(1)
    return tmp_path


def _as_configured(folder: Path) -> dict[str, object]:
    settings = settings_in(folder)
    return {"teams": settings.teams, "staff": settings.staff, "store": settings.store}


@contextmanager
def run(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    """A `staffbot run` and the line that says it is up."""
    process = subprocess.Popen(
        [*STAFFBOT, *(arguments or ("run",))], cwd=folder, env={**os.environ, **ENVIRONMENT},
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        for line in process.stderr:
            said = json.loads(line)
            if said["event"] == "running":
                yield process, said
                break
        else:
            pytest.fail(f"it ended: {process.wait()}")
    finally:
        process.kill()
        process.communicate()


# --- errors -------------------------------------------------------------------------------------


def test_a_missing_file_is_one_sentence_without_a_traceback(
    tmp_path: Path, staffbot: Staffbot
) -> None:
    for command in ("run", "check", "migrate", "digest"):
        done = staffbot(tmp_path, command, *(["--dry-run"] if command == "digest" else []))
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("staffbot: config.toml: There is no such file.")
        assert len(done.stderr.splitlines()) == 1


def test_everything_that_is_wrong_is_listed_at_once(tmp_path: Path, staffbot: Staffbot) -> None:
    (tmp_path / "config.toml").write_text('library = ""\nunknown = 1\n[local]\nport = "x"\n')
    done = staffbot(tmp_path, "check")
    assert done.returncode == 2
    heading, *lines = done.stderr.splitlines()
    assert re.fullmatch(r"staffbot: \d+ things in the configuration are not right:", heading)
    assert len(lines) >= 3
    assert all(line.startswith("  - ") for line in lines)
    assert "Traceback" not in done.stderr


def test_a_wrong_option_is_explained(tmp_path: Path, staffbot: Staffbot) -> None:
    done = staffbot(tmp_path, "run", "--konfig", "x")
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_a_port_that_is_taken_ends_with_a_sentence(folder: Path, staffbot: Staffbot) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = folder / "other"
        other.mkdir()
        config = CONFIG.replace("[public]\nport = 0", f"[public]\nport = {taken.getsockname()[1]}")
        (other / "config.toml").write_text(config)
        done = staffbot(other, "run")
    assert done.returncode == 2
    assert "cannot listen on 127.0.0.1 port" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


# --- run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_five_seconds(folder: Path, number: signal.Signals) -> None:
    with run(folder) as (process, said):
        url = f"http://127.0.0.1:{said['public_port']}/healthz"
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert json.load(answer)["ok"]
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(30) == 0
        assert time.monotonic() - began < 5
        assert process.stderr is not None
        rest = process.stderr.read()
    assert "stopping" in rest
    assert ENVIRONMENT["STAFFBOT_WEBHOOK_SECRET"] not in rest
    assert "When do you open" not in rest


def test_a_second_run_is_refused_in_words(folder: Path, staffbot: Staffbot) -> None:
    with run(folder) as (process, _):
        done = staffbot(folder, "run")
        assert done.returncode == 2
        assert f"another `staffbot run` (process {process.pid})" in done.stderr
        assert staffbot(folder, "check", "--data").returncode in (0, 1), "others may look meanwhile"


def test_a_newer_database_is_refused(folder: Path, staffbot: Staffbot) -> None:
    path = folder / "data" / "staffbot.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9001'")
    for command in ("run", "migrate", "check"):
        done = staffbot(folder, command)
        assert done.returncode in (1, 2)
        assert "written by a newer staffbot" in done.stdout + done.stderr


# --- check --------------------------------------------------------------------------------------


def test_check_says_that_all_is_well(folder: Path, staffbot: Staffbot) -> None:
    done = staffbot(folder, "check", "--data")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok       config.toml: can be used: 1 team, 1 chat platform, 1 source" in done.stdout
    assert "whole, version" in done.stdout
    assert "laws hold" in done.stdout


def test_check_finds_data_that_breaks_a_law(folder: Path, staffbot: Staffbot) -> None:
    with closing(sqlite3.connect(folder / "data" / "staffbot.db")) as connection, connection:
        connection.execute("UPDATE mentions SET owner = 'ben'")
        connection.execute("""UPDATE events SET detail = '{"x": "a patron wrote this"}'""")
    done = staffbot(folder, "check", "--data")
    assert done.returncode == 1
    assert "it does not hold that status and owner are what the events add up to" in done.stdout
    assert "mention 1" in done.stdout
    assert "it does not hold that events and posts hold references only" in done.stdout
    assert "patron wrote this" not in done.stdout


def test_check_tells_where_managers_could_not_be_reached(
    tmp_path: Path, staffbot: Staffbot
) -> None:
    (tmp_path / "config.toml").write_text(CONFIG.replace('role = "manager"\n', ""))
    done = staffbot(tmp_path, "check")
    assert done.returncode == 0, "worth a note, no reason to stop"
    assert "note     team Riverside Library: nobody could be told" in done.stdout


def test_check_says_where_a_mention_would_go_and_why(tmp_path: Path, staffbot: Staffbot) -> None:
    extra = """
[teams.adult]
name = "Adult services"
rooms = [{ platform = "local", id = "adult" }]

[teams.children]
name = "Children's desk"
rooms = [{ platform = "local", id = "children" }]

[[routes]]
keyword = "story time"
team = "children"
"""
    config = CONFIG.replace('[[rooms]]\nplatform = "local"\nid = "desk"\n', "") + extra
    (tmp_path / "config.toml").write_text(config)
    done = staffbot(tmp_path, "check", "--route", "When is the next story time for toddlers?")
    assert done.returncode == 0, done.stderr
    assert 'It would go to Children\'s desk, by route 1: keyword "story time".' in done.stdout
    assert "To be claimed by" in done.stdout
    done = staffbot(tmp_path, "check", "--route", "Do you lend laptops?", "--source", "form")
    assert "It would go to Adult services, the first team, as no route fits." in done.stdout
    assert "Read as a message from form" in done.stdout
    assert "Shown in local:adult at once." in done.stdout
    done = staffbot(tmp_path, "check", "--route", "https://elsewhere.example/1")
    assert done.returncode == 0
    assert "No source reads that address" in done.stdout
    done = staffbot(tmp_path, "check", "--route", "x", "--source", "none")
    assert done.returncode == 2
    assert "The sources are: form." in done.stderr


# --- backup, migrate, digest --------------------------------------------------------------------


def test_a_backup_of_a_running_bot_can_be_restored(
    folder: Path, tmp_path: Path, staffbot: Staffbot
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    with run(folder):
        done = staffbot(folder, "backup", str(kept / "monday.db"))
        assert done.returncode == 0, done.stderr
        assert "identity key" in done.stdout
    assert staffbot(folder, "backup", str(kept / "monday.db")).returncode == 2
    for file in kept.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
    # As docs/installers.md says it: an empty data folder, both files under their own names.
    for file in (folder / "data").iterdir():
        file.unlink()
    (kept / "monday.db").rename(folder / "data" / "staffbot.db")
    (kept / "monday.db.identity.key").rename(folder / "data" / "identity.key")
    done = staffbot(folder, "check", "--data")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "laws hold" in done.stdout
    with run(folder):
        pass


def test_migrate_says_what_it_did(tmp_path: Path, staffbot: Staffbot) -> None:
    settings_in(tmp_path)
    assert "is at version" in staffbot(tmp_path, "migrate").stdout
    assert staffbot(tmp_path, "migrate").stdout == "The database needs nothing.\n"


def test_the_digest_can_be_seen_before_it_is_sent(folder: Path, staffbot: Staffbot) -> None:
    done = staffbot(folder, "digest", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "When do you open" not in done.stdout
    assert staffbot(folder, "digest").returncode == 2
    assert staffbot(folder, "digest", "--dry-run", "--team", "none").returncode == 2


def test_before_the_first_run_figures_say_that_nothing_is_stored(
    tmp_path: Path, staffbot: Staffbot
) -> None:
    settings_in(tmp_path)
    commands = ("digest --dry-run", "stats 7d", "export 2026")
    for command in commands:
        done = staffbot(tmp_path, *command.split())
        assert done.returncode == 0, done.stderr
        said = done.stderr if command.startswith("export") else done.stdout
        assert "Nothing is stored yet: the bot did not run on this database so far." in said
        assert len(done.stdout.splitlines()) == 1, "of an export the heading alone"
    assert "Nothing was given up" in staffbot(tmp_path, "resend").stdout
    done = staffbot(tmp_path, "backup", "copy.db")
    assert "has no tables yet: run `staffbot migrate` once, or start it" in done.stderr


def test_what_was_given_up_can_be_tried_again_from_outside(
    folder: Path, staffbot: Staffbot
) -> None:
    assert "Nothing was given up" in staffbot(folder, "resend").stdout
    with closing(sqlite3.connect(folder / "data" / "staffbot.db")) as connection, connection:
        connection.execute("UPDATE posts SET state = 'parked', pending = 0")
    assert "Nothing was given up" in staffbot(folder, "resend", "7").stdout
    done = staffbot(folder, "resend", "1")
    assert (done.returncode, done.stdout) == (
        0, "1 post tried again. /lib health names what fails again.\n",
    )  # fmt: skip
    with closing(sqlite3.connect(folder / "data" / "staffbot.db")) as connection:
        assert connection.execute("SELECT state, pending FROM posts").fetchall() == [("waiting", 1)]


# --- init ---------------------------------------------------------------------------------------


def test_init_writes_a_configuration_that_check_accepts(tmp_path: Path, staffbot: Staffbot) -> None:
    done = staffbot(tmp_path, "init", "--library", "Hill Library", "--zone", "Europe/Berlin",
                    "--hours", "Mo-Sa 10:00-18:00", "--country", "DE", "--webhook")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "STAFFBOT_WEBHOOK_SECRET" in done.stdout
    text = (tmp_path / "config.toml").read_text().replace("[local]", "[local]\nport = 0")
    (tmp_path / "config.toml").write_text(text)
    done = staffbot(tmp_path, "check")
    assert done.returncode == 0, done.stdout + done.stderr
    done = staffbot(tmp_path, "init", "--yes")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert staffbot(tmp_path, "init", "--yes", "--overwrite").returncode == 0


def test_init_refuses_wrong_answers_all_at_once(tmp_path: Path, staffbot: Staffbot) -> None:
    done = staffbot(tmp_path, "init", "--zone", "Mars/Olympus", "--hours", "always")
    assert done.returncode == 2
    assert "--zone" in done.stderr
    assert "--hours" in done.stderr
    assert not (tmp_path / "config.toml").exists()


def test_help_names_every_command(tmp_path: Path, staffbot: Staffbot) -> None:
    done = staffbot(tmp_path, "--help")
    for command in ("run", "demo", "init", "check", "migrate", "backup", "resend", "digest"):
        assert re.search(rf"^  {command} ", done.stdout, re.MULTILINE)


def test_a_fault_of_its_own_is_told_without_a_traceback(folder: Path, staffbot: Staffbot) -> None:
    with closing(sqlite3.connect(folder / "data" / "staffbot.db")) as connection, connection:
        connection.execute("DROP TABLE digests")
    done = staffbot(folder, "digest", "--dry-run")
    assert done.returncode == 70
    assert "a fault of staffbot's own: OperationalError" in done.stderr
    assert "digests.py" in done.stderr or "at " in done.stderr
    assert "Traceback" not in done.stderr
    assert "SELECT" not in done.stderr

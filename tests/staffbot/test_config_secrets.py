"""Secrets come from the environment or files that it names, and show nowhere."""

from __future__ import annotations

import logging
import stat
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from staffbot.config import identity_key
from staffbot.errors import ConfigError
from staffbot.secret import Secret
from tests.configuration import SMALLEST, loaded, refused

SOURCE = """
[[sources]]
name = "box"
type = "postcards"
box = "1"
"""
WORD = "correct-horse-battery-staple"


def test_a_variable_may_name_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(f"{WORD}\n")
    text = SMALLEST + SOURCE + 'secrets = ["BOX", "ALSO"]'
    found = loaded(
        tmp_path, text, {"BOX_FILE": "secret.txt", "ALSO_FILE": str(tmp_path / "secret.txt")}
    )
    assert found.sources[0].options.secrets == (Secret(value=WORD), Secret(value=WORD))


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "environment variable BOX, which is not set"),
        ({"BOX": "  "}, "BOX is empty"),
        ({"BOX": WORD, "BOX_FILE": "x"}, "unset BOX or BOX_FILE"),
        ({"BOX_FILE": "nowhere.txt"}, "the file that BOX_FILE names cannot be read (no such file"),
        ({"BOX_FILE": "."}, "the file that BOX_FILE names cannot be read (is a directory"),
        ({"BOX_FILE": "empty.txt"}, "the file of BOX_FILE is empty"),
        ({"BOX_FILE": "picture.png"}, "BOX_FILE names a file that is not text"),
        ({"BOX_FILE": "large.txt"}, "BOX_FILE names a file of over 64 KiB"),
    ],
)
def test_a_missing_secret_names_its_variable(
    tmp_path: Path, environ: dict[str, str], says: str
) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    (tmp_path / "large.txt").write_bytes(b"x" * 70_000)
    found = refused(tmp_path, SMALLEST + SOURCE + 'password = "BOX"', environ)
    assert list(found) == ["sources[0].password"]
    assert says in found["sources[0].password"].reason


def test_every_missing_secret_is_told_with_the_line_that_sets_it(tmp_path: Path) -> None:
    text = SMALLEST + SOURCE + 'secrets = ["ONE", "TWO"]\n[pigeon]\n'
    found = refused(tmp_path, text, {"ONE": WORD})
    assert set(found) == {"sources[0].secrets[1]", "pigeon.token"}
    assert found["pigeon.token"].example == "export PIGEON_TOKEN='...'"


@pytest.mark.parametrize(
    "text",
    [
        SMALLEST + SOURCE + f'secrets = ["{WORD}"]',
        SMALLEST + SOURCE + f'password = "{WORD}"',
        SMALLEST + SOURCE + f'password = ["{WORD}"]',
        SMALLEST + f'[health]\nheartbeat_url = "https://hc.example/{WORD}"',
        SMALLEST + f'[network]\nproxy = "http://us:{WORD}@proxy.example"',
        SMALLEST + f'[store]\nurl = "postgresql://us:{WORD}@db.example/x"',
        SMALLEST + f'[store]\nurl = "mysql://us:{WORD}@db.example/x"',
        SMALLEST + f'[store]\nidentity_key = "{WORD}"',
        SMALLEST + f'[metrics]\nhost = "{WORD}"',
        SMALLEST + f'[public]\nport = "{WORD}"',
        SMALLEST + f'[public]\nhost = "{WORD}\n',
        SMALLEST + f'[digest]\nwhen_nothing = "{WORD}"',
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, text, {"STAFFBOT_IDENTITY_KEY": "k" * 32})
    with caplog.at_level(logging.ERROR):
        logging.getLogger("test").error("refused", exc_info=error.value)
    shown = "".join(traceback.format_exception(error.value))
    assert WORD not in shown + caplog.text + repr(error.value)


def test_no_secret_shows_in_the_settings(tmp_path: Path) -> None:
    text = SMALLEST + SOURCE + 'secrets = ["BOX"]\n[pigeon]\n[health]\nheartbeat_url = "HEART"\n'
    found = loaded(
        tmp_path,
        text,
        {
            "BOX": WORD,
            "PIGEON_TOKEN": WORD,
            "HEART": f"https://hc.example/{WORD}",
            "STAFFBOT_PROXY": f"http://us:{WORD}@proxy.example:3128",
            "STAFFBOT_DATABASE_URL": f"postgresql://us:{WORD}@db.example/x",
            "STAFFBOT_IDENTITY_KEY": WORD + WORD,
        },
    )
    assert found.network.proxy == f"http://us:{WORD}@proxy.example:3128"
    assert found.store.url.value == f"postgresql+psycopg://us:{WORD}@db.example/x"
    assert found.health.heartbeat_url == Secret(value=f"https://hc.example/{WORD}")
    assert WORD not in f"{found!r} {found} {found.sources[0].options} {found.store}"


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    text = SMALLEST + '[network]\nproxy = "http://one.example"\n[store]\nurl = "sqlite:///one.db"'
    environ = {"STAFFBOT_PROXY": "http://two.example", "STAFFBOT_DATABASE_URL": "sqlite:///2.db"}
    found = loaded(tmp_path, text, environ)
    assert found.network.proxy == "http://two.example"
    assert found.store.url.value == f"sqlite:///{tmp_path}/2.db"


@pytest.mark.parametrize(
    ("variable", "value", "path"),
    [
        ("STAFFBOT_PROXY", "socks5://p", "network.proxy"),
        ("STAFFBOT_DATABASE_URL", "oracle://x", "store.url"),
        ("STAFFBOT_DATABASE_URL", "postgresql://db.example", "store.url"),
        ("STAFFBOT_IDENTITY_KEY", "small", "store.identity_key"),
        ("HEART", "no address", "health.heartbeat_url"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    tmp_path: Path, variable: str, value: str, path: str
) -> None:
    text = SMALLEST + '[health]\nheartbeat_url = "HEART"'
    environ = {"HEART": "https://hc.example", "STAFFBOT_IDENTITY_KEY": "k" * 32, variable: value}
    found = refused(tmp_path, text, environ)
    assert list(found) == [path]
    assert variable in str(found[path]) or variable == "HEART"
    assert value not in str(found[path])


# --- the key of native ids -----------------------------------------------------------------------


def test_the_identity_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first = loaded(tmp_path).store.identity_key
    file = tmp_path / "data" / "identity.key"
    assert len(first.value) == 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in file.parent.iterdir()] == ["identity.key"]
    assert loaded(tmp_path).store.identity_key == first


def test_all_who_need_the_key_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: identity_key(tmp_path / "data").value, range(64)))
    assert len(keys) == 1
    assert [entry.name for entry in (tmp_path / "data").iterdir()] == ["identity.key"]


def test_no_key_is_made_for_a_file_that_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, SMALLEST + "[public]\nport = -1")
    assert not (tmp_path / "data").exists()


def test_no_new_key_beside_a_database_that_had_another(tmp_path: Path) -> None:
    loaded(tmp_path)
    (tmp_path / "data" / "staffbot.db").write_bytes(b"SQLite format 3\0")
    (tmp_path / "data" / "identity.key").unlink()
    found = refused(tmp_path, SMALLEST)
    assert "from a backup" in found["data"].reason
    assert loaded(tmp_path, environ={"STAFFBOT_IDENTITY_KEY": "k" * 32})


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    loaded(tmp_path)
    (tmp_path / "data" / "identity.key").write_bytes(b"\xff")
    assert "damaged" in refused(tmp_path, SMALLEST)["data"].reason


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert "cannot be read or written" in refused(tmp_path, SMALLEST)["data"].reason


def test_postgresql_needs_the_key_from_the_environment(tmp_path: Path) -> None:
    text = SMALLEST + '[store]\nurl = "postgresql://staffbot@db.example/staffbot"'
    found = refused(tmp_path, text)
    assert "STAFFBOT_IDENTITY_KEY" in found["store.identity_key"].reason
    assert not (tmp_path / "data").exists()
    store = loaded(tmp_path, text, {"STAFFBOT_IDENTITY_KEY": "k" * 32}).store
    assert store.identity_key == Secret(value="k" * 32)
    assert store.url.value == "postgresql+psycopg://staffbot@db.example/staffbot"

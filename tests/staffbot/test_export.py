"""Figures and events in files: safe in a spreadsheet, complete, and without a patron in them."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from staffbot import stats
from staffbot.cli import main
from staffbot.desk import closing, conversations, undoing
from staffbot.model import Done, Outcome, Patron
from staffbot.settings import PerPerson
from staffbot.stats import By, export, saying
from staffbot.stats.table import guarded, table, written
from staffbot.tables import events
from tests.library import Library, opened
from tests.staffbot.house import ENVIRONMENT, settings_in

PATRON = Patron(name="Lena Privat", handle="@lenaprivat", url="https://social.example/@lenaprivat")
SECRET = "My grandmother's reading list"
ZONE = ZoneInfo("Europe/Berlin")
LONG_AGO, LATER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def worked(library: Library, count: int = 6) -> None:
    for minutes in range(10, 10 + count):
        number = library.arrives(SECRET, patron=PATRON)
        library.claim(number)
        library.clock.forward(minutes=minutes)
        library.desk.act(
            closing.close, number, library.person("ana"), outcome=Outcome.ANSWERED,
            topics=["idea", "thanks"],
        )  # fmt: skip


def read(content: bytes | str) -> list[list[str]]:
    text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


# --- what a spreadsheet would compute -----------------------------------------------------------

SIGNS = "=+-@\t\r\n"


@pytest.mark.parametrize(
    "dangerous",
    [
        *SIGNS, '=HYPERLINK("https://evil.example")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)",
        "\t=1", "\r=1", "  =1", "\u00a0=1", "\u200b=1", "\ufeff=1", "\x00=1", "\x0b=1", "\uff1d1",
        "\uff0b1", "\uff0d1", "\uff201", " \n =1",
    ],
)  # fmt: skip
def test_what_looks_like_a_formula_is_text(dangerous: str) -> None:
    assert guarded(dangerous).startswith("'")


@pytest.mark.parametrize("plain", ["Adult services", "", "3 = 4", "Anne-Marie", "a@b", "100 %"])
def test_other_text_stays_what_it_is(plain: str) -> None:
    assert guarded(plain) == plain


@given(st.text(max_size=12))
def test_no_cell_begins_a_formula(text: str) -> None:
    cell = guarded(text)
    assert cell.strip()[:1] not in tuple("=+-@")
    assert cell[:1] not in tuple(SIGNS)
    assert cell.removeprefix("'") == text.replace("\0", "") or cell == text.replace("\0", "")


@given(st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=2), max_size=4))
def test_every_cell_comes_back_whole(lines: list[list[str]]) -> None:
    lines = [[cell.replace("\r", " ").replace("\0", "") for cell in line] for line in lines]
    assert read(written(lines)) == [[guarded(cell) for cell in line] for line in lines]


def test_numbers_are_numbers_and_cells_are_quoted() -> None:
    assert written([("a", 1, None, 2.5)]) == '"a","1","","2.5"\r\n'


# --- figures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, *By])
def test_the_file_says_what_the_figures_say(sqlite_library: Library, by: By | None) -> None:
    worked(sqlite_library)
    now = sqlite_library.clock.now
    found = sqlite_library.desk.look(
        lambda tx: stats.figures(
            tx.conn, tx.settings, start=now - timedelta(days=2), end=now + timedelta(days=1),
            now=now, by=by,
        )
    )  # fmt: skip
    header, whole, *groups, rule = read(table(found, "All of it", zone=ZONE))
    assert rule == [saying.rule(by)]
    cells = dict(zip(header, whole, strict=True))
    assert (cells["Group"], cells["Received"], cells["Answered"]) == ("All of it", "6", "6")
    assert (cells["Answers measured (n)"], cells["Time to first answer, median (min)"]) == (
        "6",
        "12.5",
    )
    assert cells["Answered within target (%)"] == "100.0"
    assert [line[0] for line in groups] == [group.label for group in found.groups]
    for line, group in zip(groups, found.groups, strict=True):
        cells = dict(zip(header, line, strict=True))
        assert cells["Closed"] == str(group.figures.closed)
        if by in (By.OUTCOME, By.TOPIC):
            assert cells["Received"] == cells["Open now"] == ""


def test_days_are_those_of_the_library_and_both_are_in_it(sqlite_library: Library) -> None:
    start, end = datetime(2026, 3, 1, tzinfo=ZONE), datetime(2026, 4, 1, tzinfo=ZONE)
    found = sqlite_library.desk.look(
        lambda tx: stats.figures(
            tx.conn, tx.settings, start=start.astimezone(UTC), end=end.astimezone(UTC),
            now=sqlite_library.clock.now,
        )
    )  # fmt: skip
    header, whole, _ = read(table(found, "March", zone=ZONE))
    assert (header[1], whole[1]) == ("From", "2026-03-01")
    assert (header[2], whole[2]) == ("To", "2026-03-31")


def test_too_few_leave_the_cells_empty(sqlite_library: Library) -> None:
    worked(sqlite_library, 4)
    now = sqlite_library.clock.now
    found = sqlite_library.desk.look(
        lambda tx: stats.figures(tx.conn, tx.settings, start=LONG_AGO, end=LATER, now=now)
    )
    header, whole, _ = read(table(found, "Few", zone=ZONE, bom=False))
    assert whole[header.index("Answers measured (n)") :] == ["4", "", "", ""]


def test_the_mark_of_utf_8_is_there_unless_it_is_not_wanted(sqlite_library: Library) -> None:
    now = sqlite_library.clock.now
    found = sqlite_library.desk.look(
        lambda tx: stats.figures(tx.conn, tx.settings, start=LONG_AGO, end=LATER, now=now)
    )
    assert table(found, "Kinderbücherei", zone=ZONE).startswith(b"\xef\xbb\xbf")
    assert not table(found, "Kinderbücherei", zone=ZONE, bom=False).startswith(b"\xef")
    assert "Kinderbücherei" in table(found, "Kinderbücherei", zone=ZONE, bom=False).decode()


# --- events -------------------------------------------------------------------------------------


def test_every_event_comes_out_and_no_patron(library: Library) -> None:
    worked(library)
    library.desk.act(conversations.note, 1, library.person("ana"), "call Lena Privat")
    done = library.desk.act(conversations.keep_private, 2, library.person("ana"))
    assert isinstance(done, Done)
    assert done.event is not None
    library.desk.act(undoing.undo, done.event, library.person("ana"))
    lines = library.desk.look(
        lambda tx: list(export.exported(tx.conn, tx.settings, LONG_AGO, LATER))
    )
    rows = library.rows(events)
    assert [line[0] for line in lines] == [row.id for row in rows]
    assert library.desk.look(lambda tx: export.amount(tx.conn, LONG_AGO, LATER)) == len(rows)
    text = written([export.HEADER, *lines])
    for private in ("Lena", "lenaprivat", "grandmother", "social.example", "n1"):
        assert private not in text
    cells = [dict(zip(export.HEADER, line, strict=True)) for line in lines]
    closed = next(line for line in cells if line["what"] == "closed")
    assert (closed["outcome"], closed["topics"]) == ("answered", "idea;thanks")
    kept = next(line for line in cells if line["what"] == "kept_private")
    assert kept["undone"] == "yes"
    answered = next(line for line in cells if line["what"] == "answered")
    assert (answered["open_seconds"], answered["within_target"]) == (600, "yes")


def test_pieces_join_without_a_gap(sqlite_library: Library) -> None:
    worked(sqlite_library)
    everything = sqlite_library.desk.look(
        lambda tx: list(export.exported(tx.conn, tx.settings, LONG_AGO, LATER))
    )
    for size in (1, 4, len(everything) - 1, len(everything), len(everything) + 1):
        pieces = sqlite_library.desk.look(
            lambda tx, size: list(
                export.exported(tx.conn, tx.settings, LONG_AGO, LATER, piece=size)
            ),
            size,
        )
        assert pieces == everything


@pytest.mark.parametrize("setting", list(PerPerson))
def test_staff_are_named_only_where_the_settings_let_them(
    sqlite_library: Library, setting: PerPerson
) -> None:
    sqlite_library.reconfigure(figures_by_person=setting)
    worked(sqlite_library)
    number = sqlite_library.arrives()
    sqlite_library.claim(number, "desk")
    lines = sqlite_library.desk.look(
        lambda tx: list(export.exported(tx.conn, tx.settings, LONG_AGO, LATER))
    )
    people = {line[export.HEADER.index("person")] for line in lines}
    assert people == ({""} if setting is PerPerson.NOBODY else {"", "ana"})


# --- the command line ---------------------------------------------------------------------------

Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A command in this process; its exit code."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level, raises = root.handlers[:], root.level, logging.raiseExceptions

    def run_it(folder: Path, *arguments: str) -> int:
        monkeypatch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0)

    yield run_it
    root.handlers[:], logging.raiseExceptions = handlers, raises
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def folder(tmp_path: Path, run: Run) -> Path:
    """A configured folder with a few closed mentions of this year."""
    (tmp_path / "data").mkdir(mode=0o700)
    settings = settings_in(tmp_path)
    assert run(tmp_path, "migrate") == 0
    url = f"sqlite:///{tmp_path}/data/staffbot.db"
    with opened(url, teams=settings.teams, store=settings.store) as library:
        library.clock.now = datetime.now(UTC) - timedelta(days=2)
        worked(library)
    return tmp_path


def test_the_terminal_shows_what_the_chat_shows(
    folder: Path, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert run(folder, "stats", "7d", "by", "topic", "--csv", "figures.csv") == 0
    said = capfd.readouterr().out
    assert "6 came in, all expecting an answer; 6 answered" in said
    assert "- idea: 6 closed" in said
    assert saying.RULE in said
    header, whole, *_ = read((folder / "figures.csv").read_bytes())
    assert whole[header.index("Received")] == "6"


def test_what_cannot_be_done_at_the_terminal_is_said(
    folder: Path, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    for typed, helps in (
        (["me"], "leave it out here"),
        (["by", "person"], "figures_by_person"),
        (["by", "colour"], "They can by"),
        (["7d", "--csv", "nowhere/figures.csv"], "nowhere/figures.csv"),
    ):
        capfd.readouterr()
        assert run(folder, "stats", *typed) == 2
        assert helps in capfd.readouterr().err


def test_events_are_exported_to_a_file_of_the_owner_or_to_the_terminal(
    folder: Path, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert run(folder, "export", "--output", "events.csv") == 0
    written_ = folder / "events.csv"
    assert written_.stat().st_mode & 0o077 == 0
    content = written_.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    header, *lines = read(content)
    assert tuple(header) == export.HEADER
    assert len(lines) == 24
    capfd.readouterr()
    assert run(folder, "export", "7d", "--no-bom") == 0
    assert read(capfd.readouterr().out) == [header, *lines]

"""Charts: what they say in words, that they agree, and that drawing them can harm nobody."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from staffbot import stats
from staffbot.desk import closing
from staffbot.dispatch import Dispatch
from staffbot.messages import Facts, File, Message, plain
from staffbot.model import Actor, Outcome
from staffbot.stats import By, Figures, Group, Times, periods, picture
from staffbot.stats.drawing import Drawing, drawing, over_time
from staffbot.stats.picture import NoPicture, Painter
from tests.library import CHANNEL, Library

START = datetime(2026, 2, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DRAW = Path(picture.__file__).with_name("draw.py")


def figures(answered: int = 12, median: float | None = 1.5, **changed: Any) -> Figures:
    times = Times(n=answered)
    if median is not None:
        times = Times(
            n=answered, median=median * HOUR, ninetieth=2 * median * HOUR, within=answered - 1
        )
    values = {"received": answered + 3, "answered": answered, "closed": answered} | changed
    return Figures(
        start=START, end=START + timedelta(weeks=4), teams=("adult",), to_answer=times, **values
    )


def weeks(*medians: float | None) -> tuple[Group, ...]:
    keys = [(START + timedelta(weeks=n)).date().isoformat() for n in range(len(medians))]
    return tuple(
        Group(key=key, label=periods.label_of(key, By.WEEK), figures=figures(10 + n, median))
        for n, (key, median) in enumerate(zip(keys, medians, strict=True))
    )


def named(by: By, *labels: str) -> Figures:
    groups = tuple(
        Group(key=label, label=label, figures=figures(20 - n)) for n, label in enumerate(labels)
    )
    return figures(40, by=by, groups=groups)


def plan(found: Figures, what: str = "Adult services, last 4 weeks") -> Drawing:
    made = drawing(found, what, 4 * HOUR)
    assert made is not None
    return made


# --- in words -----------------------------------------------------------------------------------


def test_the_alternative_text_says_what_is_to_be_seen() -> None:
    found = figures(46, by=By.WEEK, groups=weeks(2.0, None, 1.5, 1.0))
    assert plan(found).alt == (
        "Chart by week. Adult services, last 4 weeks: 49 came in, 46 answered. "
        "Time to first answer in opening time: median 1 h 30 min, nine of ten within 3 h (n = 46). "
        "First half: 27 came in; second half: 31. "
        "The median time to first answer fell: 2 h (week of 2 Feb), 1 h (week of 23 Feb)."
    )


def test_few_are_not_told_of_in_a_picture_either() -> None:
    found = figures(4, None, by=By.WEEK, groups=weeks(None, None, 1.0, None))
    made = plan(found)
    assert "too few to say (n = 4)" in made.alt
    assert "too few to say (n = 4)" in made.values["subtitle"]
    assert made.values["line"] is None


def test_people_are_shown_by_name_and_nobody_is_said_to_lead() -> None:
    made = plan(named(By.PERSON, "Ana Silva", "Ben Okafor"))
    assert "Most" not in made.alt
    assert made.values["labels"] == ["Ana Silva", "Ben Okafor"]


def test_there_is_no_drawing_of_nothing() -> None:
    assert drawing(figures(by=By.SOURCE, groups=()), "Nothing", None) is None
    assert drawing(figures(), "Ungrouped", None) is None


@pytest.mark.parametrize(
    ("days", "by"), [(1, By.DAY), (31, By.DAY), (32, By.WEEK), (189, By.WEEK), (190, By.MONTH)]
)
def test_long_stretches_are_drawn_in_longer_ones(days: int, by: By) -> None:
    assert over_time(START, START + timedelta(days=days)) is by


async def test_answer_chart_and_file_say_the_same(sqlite_library: Library, tmp_path: Path) -> None:
    library = sqlite_library
    library.reconfigure(data=tmp_path)
    for minutes in range(10, 17):
        number = library.arrives()
        library.claim(number)
        library.clock.forward(minutes=minutes)
        library.desk.act(closing.close, number, library.person("ana"), outcome=Outcome.ANSWERED)
    actor = Actor(platform="local", user_id="ana", name="", room=CHANNEL)
    reply = await Dispatch(library.desk).command(actor, "stats 7d by source csv")
    assert isinstance(reply, Message)
    now = library.clock.now
    found = library.desk.look(
        lambda tx: stats.figures(
            tx.conn, tx.settings, start=now - timedelta(days=7), end=now + HOUR, now=now,
            by=By.SOURCE,
        )
    )  # fmt: skip
    said = "median 13 min, nine of ten within 16 min (n = 7)"
    facts = next(part for part in reply.parts if isinstance(part, Facts))
    assert plain(dict(facts.pairs)["Time to first answer"]) == said
    assert said in plan(found).alt
    assert said in plan(found).values["subtitle"]
    file = next(part for part in reply.parts if isinstance(part, File))
    assert '"7","13.0","16.0","100.0"' in file.content.decode()


# --- the picture --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def painter(tmp_path_factory: pytest.TempPathFactory) -> Painter:
    """The real one, patient: other tests run beside it."""
    return Painter(tmp_path_factory.mktemp("charts"), seconds=150, first_seconds=150)


NASTY = (
    "$x^2$ \\frac",
    "A very long name of a team that cannot stand on an axis",
    "日本語 🎉",
    "=1",
)


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    "found",
    [
        figures(46, by=By.WEEK, groups=weeks(2.0, None, 1.5, 1.0)),
        figures(4, None, by=By.WEEK, groups=weeks(None)),
        named(By.SOURCE, *NASTY),
        figures(0, None, received=0, by=By.SOURCE, groups=named(By.SOURCE, "Blog").groups),
    ],
    ids=["over time", "one week", "nasty names", "one source"],
)
def test_a_picture_is_drawn(painter: Painter, found: Figures) -> None:
    painted = painter.paint(plan(found, "Kinderbücherei $5, letzte 4 Wochen"))
    assert isinstance(painted, bytes)
    picture = Image.open(io.BytesIO(painted))
    assert picture.width == 1280
    assert 300 < picture.height < 2500
    assert len(painted) < 300_000
    # Dark on white, as a screen in the sun and a printer without colours need it.
    counts = picture.convert("L").histogram()
    assert sum(counts[:60]) > 100
    assert counts[255] > sum(counts) / 3


def test_the_colours_are_told_apart_in_grey() -> None:
    colours = {
        name: colour
        for line in DRAW.read_text().splitlines()
        if re.match(r"[A-Z, ]+ = .#", line)
        for name, colour in zip(
            line.split(" = ")[0].split(", "), re.findall(r"#[0-9a-f]{6}", line), strict=True
        )
    }
    dark, light = luminance(colours["DARK"]), luminance(colours["LIGHT"])
    assert (light + 0.05) / (dark + 0.05) > 4.5
    assert 1.05 / (dark + 0.05) > 7
    for text in ("INK", "SOFT"):
        assert 1.05 / (luminance(colours[text]) + 0.05) > 4.5


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# --- limits -------------------------------------------------------------------------------------

PNG = r"\x89PNG\r\n\x1a\n"


def program(folder: Path, body: str) -> Path:
    path = folder / "program.py"
    path.write_text(
        f"import json, os, sys, time\nasked = json.load(sys.stdin)\n{textwrap.dedent(body)}"
    )
    return path


def simple(value: int = 1) -> Drawing:
    return Drawing(values={"value": value}, alt="")


def test_without_the_extra_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    painted = Painter(tmp_path, library="no_such_library_here").paint(simple())
    assert isinstance(painted, NoPicture)
    assert "staffbot[charts]" in painted.why


@pytest.mark.parametrize(
    "body",
    ["time.sleep(600)", "sys.exit(3)", "print('no picture')", "os.abort()", "raise ValueError"],
)
def test_a_program_that_fails_costs_the_picture_only(tmp_path: Path, body: str) -> None:
    painted = Painter(
        tmp_path / "fonts", program=program(tmp_path, body), seconds=1.5, first_seconds=1.5
    ).paint(simple())
    assert isinstance(painted, NoPicture)
    assert painted.why.startswith("There is no chart")


def test_a_picture_is_kept_for_a_while(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        f"""
        open({str(tmp_path / "drawn")!r}, "a").write("x")
        sys.stdout.buffer.write(b"{PNG}" + str(asked["value"]).encode())
        """,
    )
    painter = Painter(tmp_path, program=path, seconds=50, kept_seconds=3_600)
    painted = [painter.paint(simple(value)) for value in (1, 1, 2, 1)]
    assert painted == [b"\x89PNG\r\n\x1a\n1"] * 2 + [b"\x89PNG\r\n\x1a\n2", b"\x89PNG\r\n\x1a\n1"]
    assert (tmp_path / "drawn").read_text() == "xx"
    forgetful = Painter(tmp_path, program=path, seconds=50, kept_seconds=0)
    forgetful.paint(simple())
    forgetful.paint(simple())
    assert (tmp_path / "drawn").read_text() == "xxxx"


def test_one_is_drawn_at_a_time(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        f"""
        inside = os.path.join({str(tmp_path)!r}, "inside")
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # fails where another one is at it
        time.sleep(0.05)
        os.remove(inside)
        sys.stdout.buffer.write(b"{PNG}")
        """,
    )
    painter = Painter(tmp_path, program=path, seconds=50, first_seconds=50)
    painted: list[object] = []
    threads = [
        threading.Thread(target=lambda n=n: painted.append(painter.paint(simple(n))))
        for n in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert painted == [b"\x89PNG\r\n\x1a\n"] * 5


def test_the_program_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    body = f'sys.stdout.buffer.write(b"{PNG}" + json.dumps(dict(os.environ)).encode())'
    painted = Painter(tmp_path, program=program(tmp_path, body), seconds=50).paint(simple())
    assert isinstance(painted, bytes)
    assert b"OPENBLAS_NUM_THREADS" in painted
    assert b"xoxb" not in painted


@pytest.mark.timeout(200)
def test_the_bot_itself_never_loads_the_drawing_library() -> None:
    code = (
        "import sys, staffbot.dispatch, staffbot.cli; "
        "sys.exit('matplotlib' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=150).returncode == 0


@pytest.mark.timeout(200)
@pytest.mark.skipif(sys.platform != "linux", reason="macOS refuses to set this limit")
def test_the_drawing_program_limits_its_memory() -> None:
    code = (
        f"import runpy, resource; found = runpy.run_path({str(DRAW)!r}); found['_limit'](); "
        "soft, _ = resource.getrlimit(resource.RLIMIT_AS); assert soft == found['_MEMORY'], soft\n"
        "try:\n    bytearray(4 * 1024**3)\nexcept MemoryError:\n    print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.stdout.strip() == "refused", done.stderr

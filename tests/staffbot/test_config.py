"""What a good configuration becomes: defaults, one team and several, sources, doors, paths."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from staffbot import contacts, settings
from staffbot.config.values import parse_duration, show_duration
from staffbot.model import Kind, Role, Room
from staffbot.secret import Secret
from staffbot.settings import WhenClosed
from tests.configuration import SMALLEST, PigeonOptions, PostcardOptions, loaded


def test_the_smallest_file_has_every_default(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert found == settings.Settings(
        library="Riverside Library",
        teams=(
            settings.Team(
                key="team",
                name="Riverside Library",
                rooms=(settings.TeamRoom(room=Room(platform="talk", id="front")),),
            ),
        ),
        doors=(settings.DoorSettings(platform="talk", options=found.doors[0].options),),
        store=found.store,
        data=tmp_path / "data",
    )
    assert found.store.url.value == f"sqlite:///{tmp_path}/data/staffbot.db"


def test_one_team_stands_at_the_top(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        """
        library = "Riverside Library"
        when_closed = "at_opening"
        [hours]
        weekly = "Tu-Su 10:00-20:00"
        zone = "Europe/Dublin"
        country = "IE"
        holidays = [2026-12-24, "2026-12-31"]
        [[targets]]
        claim_within = "1h 30m"
        answer_within = "1d"
        [[targets]]
        kind = "review"
        claim_within = "2d"
        [nagging]
        manager_at = 3
        [digest]
        when_nothing = "none"
        [talk]
        [[rooms]]
        platform = "talk"
        id = 4711
        private = true
        """,
    )
    (team,) = found.teams
    assert team.when_closed is WhenClosed.AT_OPENING
    assert team.hours.weekly == "Tu-Su 10:00-20:00"
    assert team.hours.zone == ZoneInfo("Europe/Dublin")
    assert team.hours.holidays == {date(2026, 12, 24), date(2026, 12, 31)}
    assert team.target("any", Kind.COMMENT).claim_within == timedelta(minutes=90)
    assert team.target("any", Kind.REVIEW).claim_within == timedelta(days=2)
    assert team.nagging.manager_at == 3.0
    assert team.digest.when_nothing == "none"
    # A channel's id that is a number may stand without quotes.
    assert team.rooms[0] == settings.TeamRoom(room=Room(platform="talk", id="4711"), private=True)


SEVERAL = """
library = "Riverside Library"
when_closed = "at_once"
[hours]
zone = "America/New_York"
weekly = "Mo-Sa 09:00-17:00"
[[targets]]
claim_within = "1h"
[nagging]
most_a_day = 3
[talk]
[pigeon]
token = "OUR_PIGEON"
[teams.adult]
name = "Adult services"
[[teams.adult.rooms]]
platform = "talk"
id = "adult"
[[teams.adult.rooms]]
platform = "pigeon"
id = "adult"
[teams.story_time]
when_closed = "silently"
[teams.story_time.hours]
weekly = "Sa 10:00-12:00"
[[teams.story_time.targets]]
kind = "review"
claim_within = "3h"
[teams.story_time.nagging]
manager_at = 2.5
[[teams.story_time.rooms]]
platform = "talk"
id = "children"
[[teams.story_time.rooms]]
platform = "talk"
id = "managers"
figures_only = true
[[routes]]
team = "story_time"
keyword = "story time"
language = "en"
[[routes]]
team = "adult"
[[staff]]
key = "ana"
name = "Ana"
role = "manager"
sensitive = true
teams = ["adult", "story_time"]
ids = { talk = "a", pigeon = 17 }
preferred_platform = "pigeon"
"""


def test_teams_inherit_what_they_do_not_say(tmp_path: Path) -> None:
    found = loaded(tmp_path, SEVERAL, {"OUR_PIGEON": "coo"})
    adult, children = found.teams
    assert (adult.key, adult.name) == ("adult", "Adult services")
    assert (children.key, children.name) == ("story_time", "Story time")
    assert adult.hours.weekly == "Mo-Sa 09:00-17:00"
    assert children.hours.weekly == "Sa 10:00-12:00"
    assert children.hours.zone == adult.hours.zone == ZoneInfo("America/New_York")
    assert [target.claim_within for target in adult.targets] == [timedelta(hours=1)]
    assert [target.claim_within for target in children.targets] == [timedelta(hours=3)]
    assert (adult.nagging.most_a_day, adult.nagging.manager_at) == (3, 1.5)
    assert (children.nagging.most_a_day, children.nagging.manager_at) == (3, 2.5)
    assert adult.when_closed is WhenClosed.AT_ONCE
    assert children.when_closed is WhenClosed.SILENTLY
    assert found.team_of_room(Room(platform="pigeon", id="adult")) is adult
    assert [room.figures_only for room in children.rooms] == [False, True]


def test_routes_and_staff(tmp_path: Path) -> None:
    found = loaded(tmp_path, SEVERAL, {"OUR_PIGEON": "coo"})
    assert found.routes == (
        settings.Route(team="story_time", keyword="story time", language="en"),
        settings.Route(team="adult"),
    )
    (ana,) = found.staff
    assert (ana.key, ana.role, ana.sensitive) == ("ana", Role.MANAGER, True)
    assert ana.ids == {"talk": "a", "pigeon": "17"}


def test_a_source_has_what_all_have_and_its_own(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        SMALLEST
        + """
        [[sources]]
        name = "box-1"
        type = "postcards"
        label = "The box at the door"
        every = "10m"
        look_back = "0h"
        expects_answer = false
        kind = "message"
        language = "es"
        private = true
        box = "4711"
        secrets = ["NEW", "OLD"]
        password = "BOX_KEY"
        """,
        {"NEW": "new secret", "OLD": "old secret", "BOX_KEY": "x"},
    )
    (source,) = found.sources
    options = source.options
    assert isinstance(options, PostcardOptions)
    assert source == settings.SourceSettings(
        name="box-1",
        type="postcards",
        label="The box at the door",
        every=timedelta(minutes=10),
        look_back=timedelta(0),
        expects_answer=False,
        kind=Kind.MESSAGE,
        language="es",
        private=True,
        options=options,
    )
    assert options.box == "4711"
    assert options.secrets == (Secret(value="new secret"), Secret(value="old secret"))
    assert options.password == Secret(value="x")


def test_a_door_may_have_a_variable_of_its_own(tmp_path: Path) -> None:
    found = loaded(tmp_path, SMALLEST + "[pigeon]\nloft = 'south'", {"PIGEON_TOKEN": "coo"})
    talk, pigeon = found.doors
    assert (talk.platform, pigeon.platform) == ("talk", "pigeon")
    assert pigeon.options == PigeonOptions(token=Secret(value="coo"), loft="south")


def test_paths_begin_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    text = 'data = "../var"\n' + SMALLEST + '[store]\nurl = "sqlite:///db/it.db"'
    found = loaded(tmp_path / "etc", text)
    assert found.data == tmp_path / "etc" / "../var"
    assert found.store.url.value == f"sqlite:///{tmp_path}/etc/db/it.db"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_of_a_windows_editor_is_read(tmp_path: Path) -> None:
    text = "\ufeff" + SMALLEST.replace("\n", "\r\n")
    assert loaded(tmp_path, text).library == "Riverside Library"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("45s", timedelta(seconds=45)),
        ("1d 12h", timedelta(hours=36)),
        ("1d12h", timedelta(hours=36)),
        ("1.5 h", timedelta(minutes=90)),
        ("15min", timedelta(minutes=15)),
        ("2W", timedelta(days=14)),
    ],
)
def test_lengths_of_time(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "2", "h", "2 parsecs", "-1h", "2h and 3", "1 month", "9999w"])
def test_no_lengths_of_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=3660 * 86400))
@how(deadline=None)
def test_a_length_that_is_shown_is_read_back(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(show_duration(length)) == length


def test_what_is_said_of_a_service_may_be_one_text(tmp_path: Path) -> None:
    text = "[[services]]\nname = 'Tea'\nlink = 'https://x.example'\ntext = 'Tea at four:'\n"
    (tea,) = loaded(tmp_path, SMALLEST + text).services
    assert {tea.said(language) for language in ("", "en", "es")} == {
        "Tea at four: https://x.example"
    }
    listed = contacts.services([tea], texts=True).plain()
    assert listed.endswith("\n- Tea at four: https://x.example")
    (tea,) = loaded(tmp_path, SMALLEST + text.replace("'Tea at four:'", "{ es = 'Té:' }")).services
    assert tea.said("en") == "Té: https://x.example"

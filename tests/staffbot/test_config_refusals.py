"""What is wrong in a configuration is told all at once: where, why, and what right looks like."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from staffbot.config import load
from staffbot.config.load import KNOWN
from staffbot.config.tables import (
    HoursTable,
    NaggingTable,
    RoomTable,
    RouteTable,
    SourceTable,
    StaffTable,
)
from staffbot.config.writing import toml, toml_key
from staffbot.errors import ConfigError
from tests.configuration import DOORS, NETWORKS, SMALLEST, PostcardOptions, loaded, refused

TWO_TEAMS = """
library = "Riverside Library"
[talk]
[teams.adult]
[[teams.adult.rooms]]
platform = "talk"
id = "a"
[teams.children]
[[teams.children.rooms]]
platform = "talk"
id = "c"
"""
SOURCE = '[[sources]]\nname = "box"\ntype = "postcards"\nbox = "1"\n'
ANA = '[[staff]]\nkey = "ana"\nname = "Ana"\n'

# What is behind SMALLEST, the one path that is refused, words of the reason, words of the example.
ONE_PROBLEM = [
    # keys that are not known
    ("[storn]", "storn", "Did you mean storm?", ""),
    ("[slack]", "slack", "Known here: library, data,", ""),
    ("[hours]\nweakly = 'x'", "hours.weakly", "Did you mean weekly?", ""),
    ("[talk]\nprot = 1", "talk.prot", "Did you mean port?", ""),
    (SOURCE + "boxs = 1", "sources[0].boxs", "Did you mean box?", ""),
    (SOURCE + "evry = '2m'", "sources[0].evry", "Did you mean every?", ""),
    (SOURCE + "hidden = 1", "sources[0].hidden", "is not a setting", ""),
    (ANA + '"a key" = 1', 'staff[0]."a key"', "is not a setting", ""),
    # values of the wrong kind
    ("[public]\nport = '80'", "public.port", "should be a whole number, but is text", "port = 8080"),
    ("[public]\nport = 80.5", "public.port", "should be a whole number, but is a number", "port"),
    ("[public]\nport = true", "public.port", "a whole number, but is true or false", "port = 8080"),
    ("[digest]\nenabled = 'yes'", "digest.enabled", "should be true or false", "enabled = true"),
    ("[digest]\nenabled = 1", "digest.enabled", "should be true or false", "enabled = true"),
    ("hours = 9", "hours", "should be a table, but is a whole number", "[hours]"),
    ("routes = 'x'", "routes", "should be a list of tables, but is text", "[[routes]]"),
    ("staff = ['Ana']", "staff[0]", "should be a table, but is text", "[[staff]]"),
    (ANA + "ids = 'x'", "staff[0].ids", "should be a table in { }", 'ids = { slack = "U012'),
    (ANA + "ids = { talk = [] }", "staff[0].ids.talk", "should be text in quotes", "ids = {"),
    (ANA + "teams = 'team'", "staff[0].teams", "should be a list in [ ]", 'teams = ["adult"]'),
    ("[hours]\nholidays = [1.5]", "hours.holidays[0]", "should be a date", "[2026-12-24]"),
    ("[hours]\nholidays = ['24.12.']", "hours.holidays[0]", "should be a date, but is text", "20"),
    # values that cannot be
    ("[public]\nport = 70000", "public.port", "can be at most 65535", "port = 8080"),
    ("[delivery]\ntries = 0", "delivery.tries", "has to be at least 1", "tries = 5"),
    ("[storm]\nmentions = 1", "storm.mentions", "has to be at least 2", "mentions = 10"),
    ("[storm]\nwithin = 15", "storm.within", "15 of what?", 'within = "15m"'),
    ("[storm]\nwithin = '0m'", "storm.within", "longer than nothing", 'within = "15m"'),
    ("[storm]\nwithin = 'soon'", "storm.within", "is no length of time", 'within = "15m"'),
    ("[storm]\nwithin = ['1h']", "storm.within", "should be a length of time", 'within = "15m"'),
    ("[hours]\nzone = 'Europe/Dublni'", "hours.zone", "Did you mean Europe/Dublin?", "zone = "),
    ("[hours]\nzone = 'New York'", "hours.zone", "Did you mean America/New_York?", "zone = "),
    ("[hours]\nzone = 'Europe'", "hours.zone", "is not a time zone", "zone = "),
    ("[hours]\nweekly = 'Mon 9am'", "hours.weekly", "", "Mo-Fr 09:00"),
    ("[hours]\nweekly = ''", "hours.weekly", "no opening hours", "Mo-Fr 09:00"),
    ("[hours]\ncountry = 'XX'", "hours.country", "no holiday calendar", 'country = "IE"'),
    ("[hours]\ncountry = 'US'\nsubdivision = 'ZZ'", "hours.country", "no part 'ZZ'", "country"),
    ("[digest]\nwhen_nothing = 'one_lin'", "digest.when_nothing", "Did you mean one_line?", "when"),
    ("[nagging]\nwarn_at = 0", "nagging.warn_at", "more than 0", "warn_at = 0.75"),
    ("[nagging]\nwarn_at = inf", "nagging.warn_at", "", "warn_at = 0.75"),
    ("[nagging]\nwarn_at = 1.0", "nagging", "out of order", "warn_at = 0.75, overdue_at = 1.0"),
    ("[nagging]\nmanager_at = 0.9", "nagging", "out of order", "manager_at = 1.5"),
    ("[[targets]]\nkind = 'reviw'", "targets[0].kind", "Did you mean review?", 'kind = "review"'),
    ("[[targets]]\n[[targets]]", "targets[1]", "same source and kind as targets[0]", "kind = "),
    ("[metrics]\nhost = '0.0.0.0'", "metrics.host", "has to stay on this machine", "127.0.0.1"),
    ("[metrics]\nport = 8080", "metrics.port", "is the port of [public] too", "port = 8081"),
    ("[network]\nproxy = 'proxy:3128'", "network.proxy", "beginning with http://", "proxy = "),
    ("[network]\nproxy = 'http://p:x'", "network.proxy", "not the address of a proxy", "proxy = "),
    ("[network]\nca_file = 'no.pem'", "network.ca_file", "no such file", "ca_file = "),
    ("[network]\nca_file = 'config.toml'", "network.ca_file", "holds no certificate", "ca_file"),
    ("[network]\nca_file = 'bad.pem'", "network.ca_file", "cannot be read", "ca_file"),
    ("[store]\nurl = 'mysql://x'", "store.url", "SQLite file", "sqlite:///data/staffbot.db or"),
    ("[store]\nurl = 'sqlite://'", "store.url", "SQLite file", "sqlite:///data/staffbot.db or"),
    ("[store]\nurl = 'sqlite:///:memory:'", "store.url", "SQLite file", "sqlite:///data/"),
    ("[store]\nurl = 'sqlite:///x?mode=ro'", "store.url", "no options", "sqlite:///data/"),
    # things that are named and not there, or there twice
    (SOURCE.replace("postcards", "postcrads"), "sources[0].type", "Did you mean postcards?", ""),
    (SOURCE.replace("postcards", "x"), "sources[0].type", "Installed: postcards", ""),
    (SOURCE.replace('type = "postcards"', ""), "sources[0].type", "is missing", 'type = "feed"'),
    (SOURCE.replace('box = "1"', ""), "sources[0].box", "is missing", 'box = "4711"'),
    (SOURCE + "stamps = 0", "sources[0].stamps", "has to be at least 1", "stamps = 1"),
    (SOURCE + SOURCE, "sources[1].name", "is the name of sources[0] too", ""),
    (SOURCE.replace('"box"', '"My Box"'), "sources[0].name", "small letters", 'name = "website"'),
    (SOURCE + "language = 'English!'", "sources[0].language", "language code", ""),
    ("[[routes]]\nteam = 'x'", "routes[0].team", "names a team that is not", 'team = "team"'),
    ("[[routes]]\nteam = 'team'\nsource = 'x'", "routes[0].source", "names a source that", ""),
    ("[[routes]]\nteam='team'\n[[routes]]\nteam='team'", "routes[1]", "is never reached: routes[0]", ""),
    ("[[targets]]\nsource = 'x'", "targets[0].source", "names a source that is not", ""),
    (ANA + ANA, "staff[1].key", "is the key of staff[0] too", "key = "),
    (ANA + "role = 'boss'", "staff[0].role", "one of 'staff', 'deputy' or 'manager'", "role = "),
    (ANA + "teams = ['x']", "staff[0].teams[0]", "names a team that is not", 'team = "team"'),
    (ANA + "ids = { tolk = '1' }", "staff[0].ids.tolk", "Did you mean talk?", "[tolk]"),
    (ANA + "preferred_platform = 'talk'", "staff[0].preferred_platform", "no id under", "ids = "),
    (
        ANA + "ids = { talk = '1' }\n" + ANA.replace("ana", "bob") + "ids = { talk = '1' }",
        "staff[1].ids.talk", "is the id of staff[0] too", "",
    ),
    ("[[rooms]]\nplatform = 'tolk'\nid = '1'", "rooms[1].platform", "Did you mean talk?", "[tolk]"),
    ("[[rooms]]\nplatform = 'talk'\nid = 'front'", "rooms[1]", "same room as rooms[0]", "id = "),
    ("[[rooms]]\nplatform = 'talk'", "rooms[1].id", "is missing", 'id = "C0123456789"'),
    ("[[rooms]]\nplatform = 'talk'\nid = ''", "rooms[1].id", "is empty", 'id = "C0123456789"'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path", "reason", "example"), ONE_PROBLEM)
def test_one_problem(tmp_path: Path, text: str, path: str, reason: str, example: str) -> None:
    (tmp_path / "bad.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    whole = SMALLEST + text if text.startswith("[") else f"{text}\n{SMALLEST}"
    if text.startswith("[talk]"):
        whole = SMALLEST.replace("[talk]", text)
    found = refused(tmp_path, whole)
    assert list(found) == [path]
    assert reason in found[path].reason
    assert example in found[path].example + found[path].reason
    assert found[path].reason.endswith((".", "?"))


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("[[rooms]]\nplatform = 'talk'\nid = '1'", "rooms", "each team has rooms of its own"),
        ("[teams.'Ä']\n[[teams.'Ä'.rooms]]\nplatform='talk'\nid='z'", 'teams."Ä"', "small letters"),
        ("[teams.x]", "teams.x.rooms", "has no room"),
        (
            "[teams.x]\n[[teams.x.rooms]]\nplatform='talk'\nid='z'\nfigures_only=true",
            "teams.x.rooms", "only rooms for figures",
        ),
        (
            "[teams.x]\n[[teams.x.rooms]]\nplatform='talk'\nid='a'",
            "teams.x.rooms[0]", "same room as teams.adult.rooms[0]",
        ),
        (
            "[teams.x]\nhoars = 1\n[[teams.x.rooms]]\nplatform='talk'\nid='z'",
            "teams.x.hoars", "Did you mean hours?",
        ),
        (
            "[nagging]\nmanager_at = 2\n[teams.x.nagging]\noverdue_at = 2.5\n"
            "[[teams.x.rooms]]\nplatform='talk'\nid='z'",
            "teams.x.nagging", "out of order",
        ),
        ("[nagging]\nwarn_at = 1.2", "nagging", "out of order"),
        (
            "[teams.x]\n[[teams.x.targets]]\nsource = 'x'\n[[teams.x.rooms]]\nplatform='talk'\nid='z'",
            "teams.x.targets[0].source", "names a source",
        ),
        ("[[targets]]\nsource = 'x'", "targets[0].source", "names a source"),
        ("[[routes]]\nteam = 'chidren'", "routes[0].team", "Did you mean children?"),
    ],
)  # fmt: skip
def test_one_problem_of_several_teams(tmp_path: Path, text: str, path: str, reason: str) -> None:
    found = refused(tmp_path, TWO_TEAMS + text)
    assert list(found) == [path]
    assert reason in found[path].reason


def test_a_table_of_teams_without_teams(tmp_path: Path) -> None:
    assert set(refused(tmp_path, SMALLEST + "[teams]")) == {"teams", "rooms"}


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """
    rot = "lib"
    topics = ["idea", "idea"]
    undo_within = 5
    [hours]
    zone = "Nowhere"
    [nagging]
    warn_at = 2
    most_a_day = "many"
    [talk]
    port = "x"
    [[rooms]]
    platform = "tolk"
    id = "1"
    privat = true
    [[rooms]]
    id = "2"
    [[sources]]
    name = "box"
    type = "postcards"
    secrets = ["ONE", "two"]
    every = "0s"
    [[routes]]
    team = "nobody"
    kind = "?"
    [[staff]]
    name = ""
    [public]
    port = -1
    [store]
    url = "x"
    """
    assert set(refused(tmp_path, text)) == {
        "rot", "library", "topics", "undo_within", "hours.zone", "nagging.most_a_day", "nagging",
        "talk.port", "rooms[0].platform", "rooms[0].privat", "rooms[1].platform", "sources[0].box",
        "sources[0].secrets[0]", "sources[0].secrets[1]", "sources[0].every", "routes[0].team",
        "routes[0].kind", "staff[0].key", "staff[0].name", "public.port", "store.url",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[rooms]]\nplatform = 'tolk'", {"rooms[1].id", "rooms[1].platform"}),
        ("[hours]\nzone = 'Nowhere'\ncountry = 'XX'", {"hours.zone", "hours.country"}),
        (ANA + "[[staff]]\nkey = 'ana'\nrole = 'boss'",
         {"staff[1].key", "staff[1].name", "staff[1].role"}),
        (ANA + "[[staff]]\nkey = 'bob'\nteams = ['x']\npreferred_platform = 'talk'",
         {"staff[1].name", "staff[1].teams[0]", "staff[1].preferred_platform"}),
        (ANA + "ids = { tolk = '1', talk = [] }\npreferred_platform = 'talk'",
         {"staff[0].ids.tolk", "staff[0].ids.talk"}),
        (ANA + "ids = { talk = '1' }\n[[staff]]\nkey = 'bob'\nids = { talk = '1' }",
         {"staff[1].name", "staff[1].ids.talk"}),
        ("[staff]\nkey = 'ana'\nteams = ['x']", {"staff", "staff.name", "staff.teams[0]"}),
        (SOURCE + SOURCE.replace('box = "1"', ""), {"sources[1].name", "sources[1].box"}),
        (SOURCE + "[[sources]]\nname = 'box'\ntype = 'x'", {"sources[1].name", "sources[1].type"}),
        ("[[routes]]\nsource = 'x'", {"routes[0].team", "routes[0].source"}),
        ("[[services]]\nname = 'Tea'\nlink = 'x'\n[[services]]\nname = 'tea'",
         {"services[0].link", "services[1].name", "services[1]"}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_beside_what_is_wrong(
    tmp_path: Path, text: str, told: set[str]
) -> None:
    assert set(refused(tmp_path, SMALLEST + text)) == told


def test_a_team_is_checked_although_what_it_inherits_is_wrong(tmp_path: Path) -> None:
    own = "[teams.adult.hours]\ncountry = 'XX'\n[teams.adult.nagging]\nwarn_at = 2\n"
    shared = "[hours]\nzone = 'Nowhere'\n[nagging]\nmost_a_day = 'many'\n"
    assert set(refused(tmp_path, TWO_TEAMS + own + shared)) == {
        "hours.zone", "nagging.most_a_day", "teams.adult.hours.country", "teams.adult.nagging",
    }  # fmt: skip
    shared = "[hours]\ncountry = 'XX'\n[nagging]\nwarn_at = 2\n"
    assert set(refused(tmp_path, TWO_TEAMS + shared)) == {"hours.country", "nagging"}


# --- the file itself -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "where", "says"),
    [
        (b"library = \n", ", line 1, column 11", "invalid value"),
        (b"# fine\n[hours\n", ", line 2, column 7", "expected ']'"),
        (b'a = 1\nb = "open\n', ", line 2, column 10", "a quotation mark is missing"),
        (b"a = 1\na = 2\n", ", line 2, column 6", "this setting is given twice"),
        (b"[hours]\n[hours]\n", ", line 2, column 7", "this heading is in the file twice"),
        ("library = “X”".encode(), ", line 1, column 11", "quotation marks are curly"),
        (b"library = Riverside", ", line 1, column 11", "text needs quotation marks"),
        (b'a = 1\nb = """open', ", line 2, column 12", "nterminated"),
        ("library = 'é'\n# fine".encode("latin-1"), ", line 1", "not UTF-8"),
        ("library = 'x'".encode("utf-16"), "", "UTF-16"),
    ],
)
def test_a_broken_file_is_told_with_its_place(
    tmp_path: Path, content: bytes, where: str, says: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        load(path, {}, NETWORKS, DOORS)
    (problem,) = error.value.problems
    assert problem.path == f"{path}{where}"
    assert says in problem.reason


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for path, says in ((tmp_path / "no.toml", "no such file"), (tmp_path, "is a folder")):
        with pytest.raises(ConfigError, match=says) as error:
            load(path, {}, NETWORKS, DOORS)
        assert error.value.problems[0].path == str(path)
        assert error.value.problems[0].example


# --- whatever stands in the file ------------------------------------------------------------------

_JARGON = ("pydantic", "input", "validat", "valueerror", "str_", "none_", "typeerror", "unhashable")
_words = st.sampled_from(
    [
        "",
        "x",
        "talk",
        "team",
        "2h",
        "box",
        "postcards",
        "Mo 09:00-17:00",
        "UTC",
        "HOME",
        "\u202e",
        "\0",
    ]
)
_values = st.recursive(
    st.one_of(
        st.booleans(), st.integers(-3, 99_999), st.floats(allow_nan=False), _words,
        st.dates(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_words, inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip


def _table(*names: str) -> st.SearchStrategy[object]:
    return st.dictionaries(st.sampled_from(names), _values, max_size=4)


_team = {
    "hours": st.one_of(_values, _table(*HoursTable.model_fields)),
    "nagging": st.one_of(_values, _table(*NaggingTable.model_fields)),
    "rooms": st.one_of(_values, st.lists(_table(*RoomTable.model_fields), max_size=2)),
    "when_closed": _values,
}
_sources = _table(*SourceTable.model_fields, *PostcardOptions.model_fields)
_files = st.one_of(
    st.dictionaries(st.sampled_from([*KNOWN, "talk", "pigeon", "x"]), _values, max_size=6),
    st.fixed_dictionaries(
        {"library": st.just("x"), "talk": st.just({})},
        optional={
            **_team,
            "teams": st.one_of(
                _values,
                st.dictionaries(_words, st.fixed_dictionaries({}, optional=_team), max_size=2),
            ),
            "routes": st.lists(_table(*RouteTable.model_fields), max_size=2),
            "staff": st.lists(_table(*StaffTable.model_fields), max_size=2),
            "sources": st.lists(_sources, max_size=2),
        },
    ),
)


@given(_files)
@how(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_stands_in_it_is_loaded_or_refused_in_words(file: dict[str, object]) -> None:
    text = "\n".join(f"{toml_key(key)} = {toml(value)}" for key, value in file.items())
    with tempfile.TemporaryDirectory() as folder:
        try:
            assert loaded(Path(folder), text).teams
        except ConfigError as error:
            for problem in error.problems:
                said = f"{problem.reason} {problem.example}".lower()
                assert not any(word in said for word in _JARGON), said
                assert problem.reason.endswith((".", "?")), problem.reason

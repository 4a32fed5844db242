"""Two made-up years of 50 teams, written straight into the tables as the desk would have left them.

The last mentions are open, all before them were claimed, answered and closed. Seeded, so that every
run counts the same.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from staffbot.model import Actor, Room
from staffbot.secret import Secret
from staffbot.settings import Settings, SourceSettings, StoreSettings, Team, TeamRoom
from staffbot.tables import metadata

TEAMS = 50
STAFF_OF_A_TEAM = 5
SOURCES = 4
# A Tuesday at 10:00, when every team is open.
NOW = datetime(2026, 3, 3, 10, tzinfo=UTC)
SPAN = timedelta(days=730)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
_PATRONS = 200_000

# One line a mention; all tables are filled from it by the database itself.
_MADE = """
CREATE TEMP TABLE made (
    number INTEGER PRIMARY KEY, at INTEGER, team TEXT, source TEXT, patron INTEGER,
    expects INTEGER, person TEXT, claimed_after INTEGER, answered_after INTEGER, open INTEGER
)
"""
_FILLED = (
    """
    INSERT INTO patrons (patron_hash, source, name, handle, url, seen_at)
    SELECT printf('%08x%08x%016x', patron * 2654435761 & 4294967295, patron, patron), min(source),
        'Patron ' || patron, '@patron' || patron, 'https://social.example/@patron' || patron,
        max(at)
    FROM made GROUP BY patron
    """,
    """
    INSERT INTO mentions (
        number, team, source, kind, conversation_hash, patron_hash, expects_answer, private,
        status, outcome, topics, owner, last_owner, language, cycle, revision, posted_at,
        received_at, came_at, clock_from, claim_due_at, answer_due_at, next_step_at, claimed_at,
        answered_at, closed_at, waited_seconds, touched_at, acted_at, muted
    )
    SELECT number, team, source, 'mention',
        printf('%08x%08x%016x', number * 2246822519 & 4294967295, number, number),
        printf('%08x%08x%016x', patron * 2654435761 & 4294967295, patron, patron),
        expects, 0, iif(open, 'open', 'closed'), iif(open, NULL, 'answered'),
        iif(open, '[]', '["question"]'), NULL, iif(open, NULL, person), 'en', 1, iif(open, 1, 4),
        at, at, at, at, iif(expects, at + 7200000000, NULL), iif(expects, at + 14400000000, NULL),
        iif(open AND expects, at + 5400000000, NULL), iif(open, NULL, at + claimed_after),
        iif(open, NULL, at + answered_after), iif(open, NULL, at + answered_after), 0,
        at + iif(open, 0, answered_after), iif(open, NULL, at + answered_after), 0
    FROM made
    """,
    """
    INSERT INTO words (
        mention, part, role, at, patron, text, title, native_id, conversation, permalink,
        in_reply_to, media, held
    )
    SELECT number, 0, 'mention', at,
        (SELECT id FROM patrons WHERE patron_hash =
            printf('%08x%08x%016x', patron * 2654435761 & 4294967295, patron, patron)),
        'Is the reading room open on the ' || (number % 28 + 1) || 'th, and may I bring my own '
            || 'laptop and a coffee? I could not find it on your page. Thank you for all you do!',
        '', 'post-' || number, 'talk-' || number, 'https://social.example/posts/' || number, '',
        '[]', 0
    FROM made
    """,
    """
    INSERT INTO arrivals (identity_hash, mention, part)
    SELECT printf('%08x%08x%016x', number * 3266489917 & 4294967295, number, number), number, 0
    FROM made
    """,
    """
    INSERT INTO posts (
        key, kind, platform, room, lane, team, mention, detail, wanted, shown, generation, state,
        pending, silent, made_at, not_before, holds_lane, holder, tries, sent_at, ref_room, ref_id,
        error
    )
    SELECT 'card:' || number || ':local:' || team || ':1', 'card', 'local', team, 'local:' || team,
        team, number, '{}', iif(open, 1, 4), iif(open, 1, 4), 1, 'sent', 0, 0, at, at, 0, '', 0,
        at, team, 'm' || number, ''
    FROM made
    """,
    """
    INSERT INTO events (
        at, done_at, what, mention, cycle, team, source, person, open_seconds, within_target, detail
    )
    SELECT at, at, 'received', number, 1, team, source, NULL, NULL, NULL,
        json_object('kind', 'mention', 'expects', json(iif(expects, 'true', 'false')))
    FROM made
    UNION ALL
    SELECT at + claimed_after, at + claimed_after, 'claimed', number, 1, team, source, person,
        claimed_after / 1000000, iif(expects, claimed_after <= 7200000000, NULL),
        json_object('before', json_object('status', 'open', 'owner', NULL, 'claimed_at', NULL,
            'still_asked_at', NULL, 'next_step_at', '2026-01-01T10:00:00+00:00'), 'to', person)
    FROM made WHERE NOT open
    UNION ALL
    SELECT at + answered_after, at + answered_after, 'answered', number, 1, team, source, person,
        answered_after / 1000000, iif(expects, answered_after <= 14400000000, NULL),
        json_object('before', json_object('answered_at', NULL))
    FROM made WHERE NOT open
    UNION ALL
    SELECT at + answered_after, at + answered_after, 'closed', number, 1, team, source, person,
        NULL, NULL,
        json_object('before', json_object('status', 'claimed', 'outcome', NULL,
            'topics', json_array(), 'closed_at', NULL, 'owner', person, 'last_owner', NULL,
            'next_step_at', '2026-01-01T10:00:00+00:00', 'snoozed_until', NULL,
            'waiting_since', NULL, 'waited_seconds', 0),
            'outcome', 'answered', 'topics', json_array('question'))
    FROM made WHERE NOT open
    ORDER BY 1
    """,
)


def settings(path: Path) -> Settings:
    """The library whose history this is; its staff is known from their acts."""
    return Settings(
        library="Benchmark",
        teams=tuple(
            Team(
                key=team_key(n),
                name=f"Team {n}",
                rooms=(TeamRoom(room=Room(platform="local", id=team_key(n))),),
            )
            for n in range(TEAMS)
        ),
        sources=tuple(SourceSettings(name=f"source{n}", type="webhook") for n in range(SOURCES)),
        store=StoreSettings(
            url=Secret(value=f"sqlite:///{path}"), identity_key=Secret(value="k" * 32)
        ),
        data=path.parent,
    )


def team_key(number: int) -> str:
    return f"team{number:02}"


def actor(person: int) -> Actor:
    """A staff member as the page in the browser shows them, in their team's room."""
    room = Room(platform="local", id=team_key(person // STAFF_OF_A_TEAM))
    return Actor(platform="local", user_id=f"p{person}", name=f"Person {person}", room=room)


def open_numbers(size: int) -> range:
    """The mentions of a history of that size that nobody has claimed yet."""
    return range(size - max(400, size // 200) + 1, size + 1)


def make(path: Path, size: int) -> None:
    """Write a history of `size` mentions. Takes minutes for a million of them."""
    empty(path)
    conn = sqlite3.connect(path, isolation_level=None)
    try:
        conn.execute("PRAGMA journal_mode=OFF")
        conn.execute("PRAGMA synchronous=OFF")
        conn.execute("PRAGMA cache_size=-500000")
        conn.execute("PRAGMA temp_store=MEMORY")
        conn.execute("BEGIN")
        _fill(conn, size)
        conn.execute("COMMIT")
        conn.execute("PRAGMA journal_mode=WAL")
    finally:
        conn.close()


def empty(path: Path) -> None:
    """A database with every table and nothing in it."""
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()


def _fill(conn: sqlite3.Connection, size: int) -> None:
    # Rows first, indexes after: several times faster than keeping every index up to date.
    indexes = conn.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        conn.execute(f"DROP INDEX {name}")
    people(conn)
    conn.execute("INSERT INTO counters (name, value) VALUES ('mention', ?)", (size,))
    conn.execute(_MADE)
    conn.executemany("INSERT INTO made VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _made(size))
    for statement in _FILLED:
        conn.execute(statement)
    for _, statement in indexes:
        conn.execute(statement)


def people(conn: sqlite3.Connection) -> None:
    """Write down who works in the teams."""
    staff = [f"p{n}" for n in range(TEAMS * STAFF_OF_A_TEAM)]
    conn.executemany(
        "INSERT INTO people (key, name, role, shared, sensitive, teams, configured, "
        "preferred_platform, nags_by, quiet_from, quiet_until, signature, language) "
        "VALUES (?, ?, 'staff', 0, 0, '[]', 0, '', 'direct', '', '', '', '')",
        [(key, f"Person {key[1:]}") for key in staff],
    )
    conn.executemany(
        "INSERT INTO actors (platform, user_id, person) VALUES ('local', ?, ?)",
        [(key, key) for key in staff],
    )


def _made(size: int) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(7)
    first, span = micros(NOW - SPAN), SPAN // timedelta(microseconds=1)
    unclaimed = open_numbers(size)
    for number in range(1, size + 1):
        team = chance.randrange(TEAMS)
        claimed_after = int(chance.expovariate(1 / 3600)) * _SECOND
        answered_after = claimed_after + int(chance.expovariate(1 / 3600)) * _SECOND
        yield (
            number, first + span * number // (size + 1), team_key(team),
            f"source{chance.randrange(SOURCES)}", chance.randrange(_PATRONS),
            chance.random() < 0.7,
            f"p{team * STAFF_OF_A_TEAM + chance.randrange(STAFF_OF_A_TEAM)}",
            claimed_after, answered_after, number in unclaimed,
        )  # fmt: skip


def micros(at: datetime) -> int:
    """A moment as the tables keep it."""
    return (at - _EPOCH) // timedelta(microseconds=1)

"""Each law finds what breaks it, and nothing in a library where people just worked."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from staffbot.desk import closing, conversations, laws, undoing
from staffbot.model import Done, Outcome
from tests.library import Library

BREAKS = {
    "numbers are without gaps": "UPDATE counters SET value = 9 WHERE name = 'mention'",
    "every mention has arrived once": "DELETE FROM arrivals WHERE mention = 1",
    "every mention has its received event": "DELETE FROM events WHERE what = 'received'",
    "every mention keeps its words until they are deleted at the source": "DELETE FROM words",
    "every mention is shown by a card or a storm": "DELETE FROM posts WHERE mention = 2",
    "at most one card a mention and room": (
        "UPDATE posts SET mention = 1 WHERE kind = 'card' AND mention = 2"
    ),
    "every storm has a card": (
        "INSERT INTO storms (team, began_at, last_at, mentions, revision) VALUES ('adult',0,0,3,1)"
    ),
    "a card shows its mention's newest revision, or is on its way to": (
        "UPDATE posts SET state = 'sent', pending = 0, shown = 0, ref_id = 'x'"
    ),
    "status, owner and outcome fit each other": "UPDATE mentions SET owner = 'ben' WHERE number = 2",
    "status and owner are what the events add up to": (
        "UPDATE mentions SET owner = 'ben' WHERE number = 1"
    ),
    "no cursor is ahead of what was stored": (
        "UPDATE sources SET cursor = 'x', first_run_at = NULL"
    ),
    "no reminder is of a cycle that never was": (
        "INSERT INTO nags (mention, cycle, step, recipient, at) VALUES (1, 7, 'warn', 'ana', 0)"
    ),
    "every sent post can be found again": "UPDATE posts SET state = 'sent' WHERE mention = 1",
    "a missed digest was not sent": (
        "INSERT INTO digests (team, room, day, at, missed, post) "
        "SELECT 'adult', 'local:desk', '2026-03-03', 0, true, min(id) FROM posts"
    ),
    "every answer from chat that went out is in the history once": (
        "INSERT INTO replies (key, mention, place, part, source, person, event, written_at, state, "
        "pending, holder, tries, error) "
        "SELECT 'k', 1, 1, 1, 'social', 'ana', min(id), 0, 'sent', 0, '', 0, '' FROM events"
    ),
    "events and posts hold references only": (
        """UPDATE events SET detail = '{"before": {"x": "I lost my card"}}' WHERE mention = 1"""
    ),
}


def work(library: Library) -> None:
    """Mention 1 is claimed, 2 open, 3 closed and noted, with an act taken back between."""
    for words in ("When do you open?", "My card is lost.", "Thank you!"):
        library.arrives(words)
    ana = library.person("ana")
    library.claim(1)
    answer = library.claim(2)
    assert isinstance(answer, Done)
    assert answer.event is not None
    library.desk.act(undoing.undo, answer.event, ana)
    library.desk.act(conversations.note, 3, ana, "a note with a patron's words")
    library.desk.act(closing.close, 3, ana, outcome=Outcome.ANSWERED, topics=["thanks"])


def test_where_people_just_worked_every_law_holds(library: Library) -> None:
    work(library)
    assert library.desk.look(laws.broken) == ()


def test_every_law_is_tried_here() -> None:
    assert set(BREAKS) == set(laws.LAWS)


@pytest.mark.parametrize("law", BREAKS)
def test_a_law_finds_what_breaks_it(sqlite_library: Library, law: str) -> None:
    work(sqlite_library)
    sqlite_library.desk.act(lambda tx: tx.conn.execute(text(BREAKS[law])))
    found = {one.law: one.where for one in sqlite_library.desk.look(laws.broken)}
    assert law in found
    assert "lost" not in str(found), "a finding names numbers and keys, never a word"

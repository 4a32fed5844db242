"""Posts as Messages at the moment they are asked for: cards, storms, what a person is told."""

from __future__ import annotations

import pytest

from staffbot.desk import claims, closing, conversations
from staffbot.desk.posted import by_key
from staffbot.desk.rendering import RENDERERS, shown
from staffbot.messages import Button, Message
from staffbot.model import Outcome
from staffbot.network import Deleted, Edited
from staffbot.settings import WhenClosed
from staffbot.tables import posts
from tests.library import Library

CARD = "card:1:local:desk:1"


def rendered(library: Library, key: str = CARD) -> Message:
    message = library.desk.look(shown, key)
    assert message is not None
    return message


def told(library: Library, about: str) -> Message:
    """The one direct message about that."""
    [row] = [r for r in library.rows(posts) if r.kind == "told" and r.detail["about"] == about]
    return rendered(library, row.key)


def test_a_card_shows_its_newest_state(sqlite_library: Library) -> None:
    library = sqlite_library
    library.arrives("Is the printer back?")
    assert "unclaimed" in rendered(library).text
    library.claim(1)
    assert "claimed by Ana Silva" in rendered(library).text
    library.desk.act(closing.close, 1, library.person("ana"), outcome=Outcome.ANSWERED)
    closed = rendered(library)
    assert closed.collapsed
    assert [c.name for c in closed.controls if isinstance(c, Button)] == ["reopen"]
    assert "printer" not in str(closed)


def test_edits_and_withdrawals_by_the_patron_reach_the_card(sqlite_library: Library) -> None:
    library = sqlite_library
    library.arrives("Is the printer back?")
    at = library.clock.forward(minutes=5)
    library.take_in(changes=(Edited(native_id="n1", text="Is the scanner back?", at=at),))
    edited = rendered(library)
    assert "scanner" in str(edited)
    assert "Edited by the patron Tue 3 Mar 10:05." in edited.plain()
    library.take_in(changes=(Deleted(native_id="n1", at=at),))
    gone = rendered(library)
    assert "scanner" not in str(gone)
    assert "Lena" not in str(gone)
    assert "Withdrawn by the patron Tue 3 Mar 10:05." in gone.plain()


def test_people_are_told_in_a_sentence_without_the_patrons_words(sqlite_library: Library) -> None:
    library = sqlite_library
    library.arrives("Secret one")
    library.desk.act(claims.assign, 1, library.person("ben"), library.person("ana"))
    library.desk.act(conversations.keep_private, 1, library.person("ben"))
    library.desk.act(claims.hand_over, library.person("ben"), library.person("ana"))
    expected = {
        "assigned": "Ana Silva gave you 1, a mention on Social.",
        "kept_private": "Ben Okafor kept 1, a mention on Social, private. You are named to read it.",
        "handed_over": "Ben Okafor handed over to you: 1.",
    }
    for about, text in expected.items():
        message = told(library, about)
        assert message.text == text
        assert message.controls
        assert "Secret" not in str(message)


@pytest.mark.parametrize("closed", [False, True])
def test_the_last_owner_is_told_when_the_patron_writes_again(
    sqlite_library: Library, closed: bool
) -> None:
    library = sqlite_library
    patron = library.incoming().patron
    library.take_in(library.incoming("First", conversation="c", patron=patron))
    library.claim(1)
    if closed:
        library.desk.act(closing.close, 1, library.person("ana"), outcome=Outcome.ANSWERED)
    library.take_in(library.incoming("And now?", conversation="c", patron=patron))
    message = told(library, "followed_up")
    assert message.text.startswith("The patron wrote again: 1, a mention on Social.")
    assert message.text.endswith("Nobody has it now.") is closed
    assert "And now?" in str(rendered(library))


def test_a_post_while_closed_is_silent(sqlite_library: Library) -> None:
    sqlite_library.clock.forward(hours=12)
    assert sqlite_library.settings.teams[0].when_closed is WhenClosed.SILENTLY
    sqlite_library.arrives()
    assert rendered(sqlite_library).silent


def test_an_unknown_key_or_kind_says_nothing(sqlite_library: Library) -> None:
    assert sqlite_library.desk.look(shown, "card:99:local:desk:1") is None
    assert {"card", "storm", "told", "notice"} <= set(RENDERERS)
    sqlite_library.arrives()
    post = sqlite_library.desk.look(by_key, CARD)
    assert post is not None

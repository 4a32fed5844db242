"""Earlier contact with a patron, asked for by anyone on the staff."""

from __future__ import annotations

import pytest

from staffbot.desk import closing, contact
from staffbot.dispatch import Dispatch
from staffbot.messages import Bullets, Message, plain
from staffbot.model import Outcome, Patron
from tests.library import Library
from tests.staffbot.test_dispatch import Staff, actor

LENA = Patron(name="Lena P.", handle="@lena")


@pytest.fixture
def staff(library: Library) -> Staff:
    return Staff(library)


def lines(message: Message) -> list[str]:
    [bullets] = [part for part in message.parts if isinstance(part, Bullets)]
    return [plain(line) for line in bullets.lines]


async def test_how_often_when_last_how_it_ended_and_who(staff: Staff) -> None:
    library = staff.library
    library.arrives("Rude words", patron=LENA, native_id="a")
    library.claim(1)
    library.desk.act(closing.close, 1, library.person("ana"), outcome=Outcome.NOT_FOR_US)
    library.clock.forward(hours=1)
    library.arrives("Second", patron=LENA, native_id="b")
    library.claim(2, "ben")
    library.arrives("Third", patron=LENA, native_id="c")
    library.arrives("By somebody else")
    library.arrives("Fourth", patron=LENA, native_id="d")
    told = await staff.types("history 5")
    assert told.text == (
        "Who wrote 5 wrote 3 mentions before on Social; the last came in Tue 3 Mar 11:00."
    )
    assert lines(told) == [
        "3, Tue 3 Mar 11:00: still unclaimed",
        "2, Tue 3 Mar 11:00: still open, claimed by Ben Okafor",
        "1, Tue 3 Mar 10:00: not for us by Ana Silva, closed Tue 3 Mar 10:00",
    ]
    assert "Rude" not in str(told)
    assert "Lena" not in str(told)


async def test_who_is_new_has_none(staff: Staff) -> None:
    staff.library.arrives(patron=LENA)
    assert await staff.says("history 1") == "Nothing earlier is known of who wrote 1 on Social."


async def test_only_the_last_few_are_listed(staff: Staff) -> None:
    for _ in range(8):
        staff.library.arrives(patron=LENA)
        staff.library.clock.forward(minutes=20)
    told = await staff.types("earlier 8")
    assert told.text.startswith("Who wrote 8 wrote 7 mentions before")
    assert told.text.endswith("The last 5:")
    assert len(lines(told)) == contact.MOST


async def test_the_button_is_where_one_looks_closer(staff: Staff) -> None:
    staff.library.arrives(patron=LENA)
    shown = await staff.types("show 1")
    assert "Earlier contact" in str(shown.controls)
    reply = await Dispatch(staff.library.desk).press(actor(), "history", 1)
    assert isinstance(reply, Message)
    assert "Nothing earlier" in reply.text

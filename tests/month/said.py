"""What chat, chart and file say of a month, read back as a person reads it: all say the same.

Compared with a count of the raw events that knows nothing of `stats`.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta

from staffbot import stats
from staffbot.desk.ledger import Desk, Tx
from staffbot.dispatch import Dispatch
from staffbot.messages import Facts, File, Message, plain
from staffbot.model import Actor
from staffbot.stats.drawing import Drawing, drawing, over_time
from tests.month.figures import Count, counted, middle
from tests.month.world import CHANNEL, DAYS, FIRST_DAY, local

_LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
START, END = local(FIRST_DAY, 0), local(FIRST_DAY + timedelta(days=DAYS), 0)


async def all_say_the_same(desk: Desk, dispatch: Dispatch) -> None:
    """Ask in the channel, open the file, read the chart's own text and its bars."""
    mine = desk.look(counted, START, END)
    said = await asked(dispatch, f"stats {FIRST_DAY}..{_LAST_DAY} csv")
    in_chat(said, mine)
    in_file(next(part.content for part in said.parts if isinstance(part, File)), mine)
    in_chart(desk.look(_drawn, desk.clock()), mine)


async def asked(dispatch: Dispatch, line: str) -> Message:
    actor = Actor(platform="fake", user_id="mia", name="Mia", room=CHANNEL)
    reply = await dispatch.command(actor, line)
    assert isinstance(reply, Message)
    return reply


def in_chat(said: Message, mine: Count) -> None:
    facts = next(part for part in said.parts if isinstance(part, Facts))
    pairs = {label: plain(line) for label, line in facts.pairs}
    expecting = mine.received - mine.heard
    assert pairs["Came in"] == (
        f"{mine.received:,} ({expecting:,} expecting an answer, {mine.heard:,} heard)"
    )
    again = f", {mine.reopened:,} reopened" if mine.reopened else ""
    assert pairs["Done"] == (
        f"{mine.claimed:,} claimed, {mine.answered:,} answered, {mine.closed:,} closed{again}"
    )
    assert _minutes(pairs["Time to claim"]) == _by_hand(mine.to_claim)
    assert _minutes(pairs["Time to first answer"]) == _by_hand(mine.to_answer)
    share = f"{mine.within:,} of {len(mine.to_answer):,} ("
    assert pairs["Answered within target"].startswith(share)


def in_file(content: bytes, mine: Count) -> None:
    whole = next(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    for name, amount in (
        ("Received", mine.received), ("Heard", mine.heard), ("Claimed", mine.claimed),
        ("Answered", mine.answered), ("Closed", mine.closed), ("Reopened", mine.reopened),
        ("Claims measured (n)", len(mine.to_claim)), ("Answers measured (n)", len(mine.to_answer)),
    ):  # fmt: skip
        assert whole[name] == str(amount), name
    for name, times in (("Time to claim", mine.to_claim), ("Time to first answer", mine.to_answer)):
        assert float(whole[f"{name}, median (min)"]) == round(middle(times) / 60, 1)
        assert float(whole[f"{name}, 90th percentile (min)"]) == round(_ninetieth(times) / 60, 1)
    share = 100 * mine.within / len(mine.to_answer)
    assert float(whole["Answered within target (%)"]) == round(share, 1)


def in_chart(drawn: Drawing, mine: Count) -> None:
    assert f"{mine.received:,} came in, {mine.answered:,} answered." in drawn.alt
    assert _minutes(drawn.alt) == _by_hand(mine.to_answer)
    assert _minutes(drawn.values["subtitle"]) == _by_hand(mine.to_answer)
    came, answered = (sum(bar["values"]) for bar in drawn.values["bars"])
    assert (came, answered) == (mine.received, mine.answered)


def _drawn(tx: Tx, now: datetime) -> Drawing:
    found = stats.figures(
        tx.conn, tx.settings, start=START, end=END, now=now, by=over_time(START, END)
    )
    drawn = drawing(found, "March", None)
    assert drawn is not None
    return drawn


_TIMES = re.compile(
    r"median (?:(\d+) h ?)?(?:(\d+) min)?, "
    r"nine of ten within (?:(\d+) h ?)?(?:(\d+) min)? \(n = ([\d,]+)\)"
)


def _minutes(text: str) -> tuple[int, int, int]:
    """Median and ninetieth in minutes, and n, as they are written."""
    found = _TIMES.search(text)
    assert found is not None, text
    hours, minutes, more_hours, more_minutes = (int(part or 0) for part in found.groups()[:4])
    n = int(found[5].replace(",", ""))
    return hours * 60 + minutes, more_hours * 60 + more_minutes, n


def _by_hand(times: list[int]) -> tuple[int, int, int]:
    return round(middle(times) / 60), round(_ninetieth(times) / 60), len(times)


def _ninetieth(times: list[int]) -> int:
    """The least time that nine of ten did not exceed."""
    return next(
        at for at in sorted(times) if 10 * sum(time <= at for time in times) >= 9 * len(times)
    )

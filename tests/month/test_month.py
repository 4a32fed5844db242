"""A month of a library, with every law asserted after each step. STAFFBOT_MONTHS=n runs n seeds more."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from staffbot import stats
from staffbot.desk.ledger import Tx
from staffbot.tables import metadata
from tests.month.figures import counted, middle
from tests.month.running import Month
from tests.month.said import all_say_the_same
from tests.month.transcript import FILE, transcript
from tests.month.world import WORD

SEEDS = range(1, 2 + int(os.environ.get("STAFFBOT_MONTHS", "0")))


@pytest.fixture
def url() -> Iterator[str]:
    """An empty database, in memory where the machine has such a folder: no sync proves anything."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)
    found = f"sqlite:///{folder}/staffbot.db"
    engine = create_engine(found)
    metadata.create_all(engine)
    engine.dispose()
    yield found
    shutil.rmtree(folder)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_month_keeps_every_law(url: str, seed: int) -> None:
    month = Month(url, seed)
    await month.run()
    month.desk.look(_figures_agree)
    await all_say_the_same(month.desk, month.dispatch)
    month.watch.at_the_end(month.desk.look(lambda tx: tx.hours("adult")))
    print(month.report())
    month.desk.store.close()
    if seed == 1:
        _keep_an_example(transcript(month.chat.seen))


def _keep_an_example(page: str) -> None:
    """docs/example-day.md is of this run. STAFFBOT_TRANSCRIPT=write writes it anew."""
    if os.environ.get("STAFFBOT_TRANSCRIPT") == "write":
        FILE.write_text(page)
    assert WORD not in page
    assert FILE.read_text() == page, "run it with STAFFBOT_TRANSCRIPT=write, and look at the page"


def _figures_agree(tx: Tx) -> None:
    """`stats` counts what an independent count of the raw events finds."""
    end = tx.now + timedelta(days=1)
    start = end - timedelta(days=60)
    shown = stats.figures(tx.conn, tx.settings, start=start, end=end, now=tx.now)
    mine = counted(tx, start, end)
    assert (shown.received, shown.heard) == (mine.received, mine.heard)
    assert (shown.claimed, shown.answered) == (mine.claimed, mine.answered)
    assert (shown.closed, shown.reopened) == (mine.closed, mine.reopened)
    assert (shown.to_answer.n, shown.to_answer.within) == (len(mine.to_answer), mine.within)
    assert shown.to_answer.median == timedelta(seconds=middle(mine.to_answer))
    assert shown.to_claim.median == timedelta(seconds=middle(mine.to_claim))
    assert shown.to_claim.n == len(mine.to_claim)
    by_topic = stats.figures(
        tx.conn, tx.settings, start=start, end=end, now=tx.now, by=stats.By.TOPIC
    )
    topics = {group.key: group.figures.closed for group in by_topic.groups}
    del topics["no topic"]
    assert topics == dict(mine.topics)

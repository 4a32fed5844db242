"""Faults on the way to Slack: one copy of each post, as counted in the history of the loopback Slack.

`python -m tests.handlers.slack.faults --posts 5000 --kills 500` is the long run; it ends with 1 where
anything is lost or doubled. Killed workers are forked, so this is a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from handlers.slack.api import Api
from handlers.slack.chat import SlackChat
from handlers.slack.history import opaque
from staffbot.desk.arrivals import take_in
from staffbot.desk.ledger import Desk
from staffbot.model import Room
from staffbot.network import Batch
from staffbot.outbox import Outbox
from staffbot.secret import Secret
from staffbot.settings import Network
from staffbot.tables import arrivals, posts
from tests.faults.ground import a_database, a_desk, ask, forked, render
from tests.faults.work import incoming, pending, quiet, ready_to_fork
from tests.handlers.slack.loopback import Loopback
from tests.handlers.slack.workspace import BOT_TOKEN

ROOMS = tuple(Room(platform="slack", id=f"CR{number}") for number in range(40))
LIFE = timedelta(seconds=1)
LIMIT_SECONDS = 600.0
ODDS = {"chat.postMessage": 0.25, "conversations.history": 0.05}


def a_chat(url: str) -> SlackChat:
    api = Api(
        Secret(value=BOT_TOKEN), url=f"{url}/api/", network=Network(),
        timeout=LIFE.total_seconds() / 2, every=0.0,
    )  # fmt: skip
    return SlackChat(api)


async def carry_all(desk: Desk, url: str) -> None:
    """Carry until nothing is left to carry."""
    chat = a_chat(url)
    outbox = Outbox(desk, {"slack": chat}, render)
    task = asyncio.create_task(outbox.run())
    async with asyncio.timeout(LIMIT_SECONDS):
        while await desk.looking(pending):  # noqa: ASYNC110 - as another process would see it
            await asyncio.sleep(0.02)
    outbox.stop()
    await task
    await chat.api.close()


# --- random faults ------------------------------------------------------------------------------


async def troubled(url: str, number: int, seed: int) -> list[str]:
    """Post so many while every call may meet any trouble. What is not as it must be."""
    desk = a_desk(url, ROOMS, life=LIFE)
    # So much goes wrong here that some would be parked, for a person to look at.
    patient = replace(desk.settings.delivery, tries=1000)
    desk.settings = replace(desk.settings, delivery=patient)
    for room in ROOMS:
        mentions = tuple(incoming(room.id, n) for n in range(number // len(ROOMS)))
        desk.act(take_in, source=room.id, batch=Batch(mentions=mentions, cursor="1"))
    async with Loopback() as slack:
        for room in ROOMS:
            slack.channel(room.id, room.id)
        slack.random, slack.odds = random.Random(seed), ODDS
        await carry_all(desk, slack.url)
        copies, asked = slack.copies(), Counter(method for method, _ in slack.calls)
        wrong = [*slack.violations]
    desk.store.close()
    wanted = [row.key for row in ask(url, select(posts.c.key))]
    wrong += judged(wanted, copies)
    print(f"{len(wanted)} posts under faults: {len(wrong)} not as they must be; {dict(asked)}")
    return wrong if len(wanted) == number // len(ROOMS) * len(ROOMS) else ["too few posts"]


def judged(wanted: Sequence[str], copies: Counter[str]) -> list[str]:
    return [f"{copies[opaque(key)]} copies of {key}" for key in wanted if copies[opaque(key)] != 1]


# --- kill -9 ------------------------------------------------------------------------------------


async def live(desk: Desk, url: str) -> None:
    """Take in and carry, for ever."""
    outbox = asyncio.create_task(Outbox(desk, {"slack": a_chat(url)}, render).run())
    while not outbox.done():
        room = random.choice(ROOMS)
        if not await desk.looking(pending, room.id):
            await asyncio.to_thread(one_more, desk, room.id)
        await asyncio.sleep(random.uniform(0, 0.01))
    outbox.result()


def one_more(desk: Desk, source: str) -> None:
    number = random.getrandbits(60)
    batch = Batch(mentions=(incoming(source, number),), cursor=str(number))
    desk.act(take_in, source=source, batch=batch)


def killed(url: str, number: int) -> list[str]:
    """Kill so many workers at random moments, let one end the work, and count."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.handlers.slack.loopback", str(len(ROOMS)), "0.03"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert server.stdout is not None
    assert server.stdin is not None
    slack = server.stdout.readline().decode().strip()
    try:
        desk = a_desk(url, ROOMS, life=LIFE)
        for room in ROOMS[:2]:
            one_more(desk, room.id)
        asyncio.run(carry_all(desk, slack))
        ready_to_fork(desk)
        met = sum(_kill(desk, url, slack) for _ in range(number))
        pid = forked(lambda: asyncio.run(carry_all(desk, slack)))
        _, status = os.waitpid(pid, 0)
        told: dict[str, Any] = json.load(urllib.request.urlopen(f"{slack}/seen", timeout=30))
    finally:
        server.stdin.close()
        server.stdout.close()
        server.wait(timeout=30)
    seen, wrong = told["seen"], list(told["violations"])
    wrong += [] if status == 0 else ["the last worker did not end well"]
    rows = ask(url, select(posts.c.key, posts.c.wanted))
    wrong += judged([row.key for row in rows], Counter(key for key, _ in seen))
    shown = dict(seen)
    wrong += [
        f"stale: {row.key}" for row in rows
        if shown.get(opaque(row.key)) != f"{row.key} {row.wanted}"
    ]  # fmt: skip
    mentions = ask(url, select(func.count()).select_from(arrivals))[0][0]
    if mentions != len(rows):
        wrong.append(f"{mentions} mentions and {len(rows)} cards")
    if met * 5 < number:
        wrong.append(f"only {met} of {number} kills met a post in flight: this proved little")
    print(f"{number} kills, {mentions} mentions, {met} met a post in flight: {len(wrong)} wrong")
    return wrong


def _kill(desk: Desk, url: str, slack: str) -> bool:
    """Whether a post was in flight."""
    pid = forked(lambda: asyncio.run(live(desk, slack)))
    if random.random() < 0.3:
        time.sleep(random.uniform(0, 0.25))  # while it starts and recovers, or anywhere
    else:
        _until_in_flight(url, pid)
        time.sleep(random.uniform(0, 0.06))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return _in_flight(url, pid)


def _in_flight(url: str, pid: int) -> bool:
    sending = ask(url, select(posts.c.holder).where(posts.c.state == "sending"))
    return any(row.holder.startswith(f"{pid}-") for row in sending)


def _until_in_flight(url: str, pid: int) -> None:
    """However slow the machine is: a post of this worker's is on its way."""
    end = time.monotonic() + 60
    while not _in_flight(url, pid) and time.monotonic() < end:
        time.sleep(0.002)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.handlers.slack.faults")
    parser.add_argument("--posts", type=int, default=0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    args = parser.parse_args()
    quiet()
    wrong: list[str] = []
    if args.posts:
        print(f"seed {args.seed}")
        with a_database("sqlite") as url:
            wrong += asyncio.run(troubled(url, args.posts, args.seed))
    if args.kills:
        with a_database("sqlite") as url:
            wrong += killed(url, args.kills)
    print(*wrong[:50], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

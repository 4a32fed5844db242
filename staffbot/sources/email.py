"""A mailbox: contact forms and plain mail, private by nature. Stores nothing itself.

Polling is the base: each round asks for what came since, and waits with IDLE only where nothing had.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

from staffbot.errors import DeliveryError, SourceError
from staffbot.model import Clock, IncomingMention, Kind, system_clock
from staffbot.network import (
    AnsweredAtSource,
    Answering,
    Batch,
    Change,
    Conversation,
    Replied,
    ReplyLimit,
)
from staffbot.seams import Finding, Network
from staffbot.settings import Network as NetworkSettings
from staffbot.settings import SourceSettings
from staffbot.sources import email_letter, email_replies
from staffbot.sources.email_cursor import Cursor, Seen
from staffbot.sources.email_letter import Letter
from staffbot.sources.email_mailbox import Mailbox
from staffbot.sources.email_options import Options
from staffbot.sources.email_sent import Sent
from staffbot.sources.email_smtp import Outgoing

T = TypeVar("T")

# One reading takes at most so many messages; the rest follows at once.
_MOST = 200
# Read again from here on where the server gave all messages new numbers.
_OVERLAP = timedelta(days=2)


class Email:
    """One folder of one mailbox, as a Source that can look again."""

    def __init__(
        self, settings: SourceSettings, network: NetworkSettings, clock: Clock = system_clock
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._options: Options = settings.options
        self._network = network
        self._sent = Sent(self._options, network)
        self._clock = clock
        # The intake gives a reading three times the network's limit; half of that is for waiting.
        self._idle_seconds = 1.5 * network.timeout.total_seconds()
        self._read: list[int] = []

    async def fetch(self, cursor: str | None) -> Batch:
        """What is new since `cursor`; without one, what came within the look-back."""
        before = Cursor.parse(cursor)

        def read(stop: threading.Event) -> Batch:
            with Mailbox(self._options, self._network) as box:
                return self._news(box, before, stop)

        return await _in_thread(read)

    def _news(self, box: Mailbox, before: Cursor, stop: threading.Event) -> Batch:
        options = self._options
        name = f"{options.username}@{options.host}/{options.folder}"
        numbers = box.select(options.folder, writing=options.mark_seen)
        same = (before.box, before.validity) == (name, numbers.validity)
        if same and options.mark_seen and self._read and before.uid >= max(self._read):
            box.mark_seen(self._read)
        self._read = []
        uids = self._new(box, before, same)
        idle = options.idle and same
        if not uids and idle:
            idle = box.wait(self._idle_seconds, stop)
            uids = self._new(box, before, same) if idle else []
        self._read = uids[:_MOST]
        if before.newest is None:
            oldest = self._clock() - self._settings.look_back
            before = replace(before, first=numbers.last, oldest=oldest)
        elif not same:
            before = replace(before, first=0)
        if not same:
            # What lies there already and was not asked for is never read.
            last = numbers.last if len(uids) <= _MOST else 0
            before = replace(before, box=name, validity=numbers.validity, uid=last)
        batch = self._batch(box.letters(uids[:_MOST]), before)
        at_once = idle or len(uids) > _MOST
        return Batch(
            mentions=batch.mentions, cursor=batch.cursor, next_in_seconds=1.0 if at_once else None
        )

    def _new(self, box: Mailbox, before: Cursor, same: bool) -> list[int]:
        if same:
            return box.uids(above=before.uid)
        since = self._clock() - self._settings.look_back
        if before.newest is not None:
            since = min(since, before.newest - _OVERLAP)
        return box.uids(since=since)

    def _batch(self, letters: Iterable[tuple[int, Letter]], before: Cursor) -> Batch:
        now = self._clock()
        newest, last = before.newest, before.uid
        seen = Seen(before.seen)
        mentions: list[IncomingMention] = []
        for uid, letter in letters:
            last = max(last, uid)
            if letter.received_at is not None:
                newest = max(newest or letter.received_at, letter.received_at)
            mention = email_letter.mention(
                letter, source=self.name, kind=self._settings.kind or Kind.MESSAGE,
                own=self._options.own, now=now,
            )  # fmt: skip
            if mention is None:
                continue
            fresh = seen.new(letter, mention)
            if fresh is not None and not before.too_old(uid, letter, fresh):
                mentions.append(fresh)
        after = replace(before, uid=last, newest=min(newest or now, now), seen=seen.kept())
        return Batch(mentions=tuple(mentions), cursor=after.dump())

    @property
    def limit(self) -> ReplyLimit | None:
        """How long an answer may be; None without a server for outgoing mail."""
        return email_replies.limit(self._options)

    async def reply(self, to: Answering, text: str, key: str) -> Replied:
        """Answer the mail, to whom it says."""
        options, network = self._options, self._network
        return await _in_thread(
            lambda stop: email_replies.reply(options, network, to, text, key, stop)
        )

    async def find_reply(self, to: Answering, text: str, key: str) -> Replied | None:
        """The answer of that key in the folder of sent mails."""
        options, network = self._options, self._network
        return await _in_thread(lambda _: email_replies.find(options, network, key))

    async def look(self, conversations: Sequence[Conversation]) -> Sequence[Change]:
        """Answers that stand in the folder of sent mails, or that the mailbox knows of.

        A mail that is gone from the folder was filed by a colleague, not taken back by its patron.
        """
        asked = {one.native_id for one in conversations}
        now = self._clock()
        found = await _in_thread(lambda _: self._sent.answers(asked, now))
        return [
            AnsweredAtSource(native_id=id_, at=min(at, now), account=account)
            for id_, (at, account) in found.items()
        ]


async def _in_thread(work: Callable[[threading.Event], T]) -> T:
    """Run blocking work; where this task is cancelled, the work is told to come to its end.

    In a thread that keeps no program from ending, as a server that hangs is waited for in it.
    """
    loop = asyncio.get_running_loop()
    stop, done = threading.Event(), loop.create_future()

    def run() -> None:
        try:
            found = work(stop)
        except BaseException as problem:
            _tell(loop, done, partial(done.set_exception, problem))
        else:
            _tell(loop, done, partial(done.set_result, found))

    threading.Thread(target=run, name="staffbot email", daemon=True).start()
    try:
        result: T = await done
        return result
    finally:
        stop.set()


def _tell(
    loop: asyncio.AbstractEventLoop, done: asyncio.Future[T], tell: Callable[[], None]
) -> None:
    # Nobody waits any more where the program has ended meanwhile.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(lambda: None if done.done() else tell())


def _open(settings: SourceSettings, network: NetworkSettings, clock: Clock) -> Email:
    return Email(settings, network, clock)


async def _check(settings: SourceSettings, network: NetworkSettings) -> Sequence[Finding]:
    subject = f"source {settings.name}"
    options: Options = settings.options

    def look(_: threading.Event) -> str:
        with Mailbox(options, network) as box:
            box.select(options.folder)
            if sent := box.sent_folder():
                box.select(sent)
            return sent

    def sign_in_to_send(_: threading.Event) -> None:
        with Outgoing(options, network):
            pass

    try:
        sent = await _in_thread(look)
    except SourceError as problem:
        return (Finding(ok=False, subject=subject, said=str(problem)),)
    said = f"the folder {options.folder} can be read"
    if sent:
        said += f"; answers are looked for in {sent}"
    else:
        said += "; no folder of sent mails was found, so answers are not noticed: set `sent`"
    read = Finding(ok=True, subject=subject, said=said)
    if email_replies.limit(options) is None:
        return (read,)
    try:
        await _in_thread(sign_in_to_send)
    except DeliveryError as problem:
        return (read, Finding(ok=False, subject=subject, said=str(problem)))
    said = (
        f"{options.smtp_host} can be reached to answer as {options.sender}; no mail was sent to try"
    )
    return (read, Finding(ok=True, subject=subject, said=said))


network: Network = Network(type="email", options=Options, open=_open, check=_check)

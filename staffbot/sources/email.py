"""A mailbox: contact forms and plain mail, private by nature. Stores nothing itself.

Polling is the base: each round asks for what came since, and waits with IDLE only where nothing had.
The cursor is one JSON string: the last number read, and the UIDVALIDITY that gives numbers meaning.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from staffbot.errors import SourceError
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
from staffbot.sources import email_letter, email_replies, payload
from staffbot.sources.email_letter import Letter
from staffbot.sources.email_mailbox import Mailbox, Options
from staffbot.sources.email_sent import Sent

T = TypeVar("T")

# One reading takes at most so many messages; the rest follows at once.
_MOST = 200
_REMEMBERED = 500
# Read again from here on where the server gave all messages new numbers.
_OVERLAP = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    box: str = ""
    validity: int = 0
    uid: int = 0
    newest: datetime | None = None
    seen: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> _Cursor:
        """An unreadable cursor starts anew: the desk knows every mention that it has."""
        try:
            kept = json.loads(text or "")
            seen = tuple(str(one) for one in kept["seen"])
        except (ValueError, KeyError, TypeError):
            return cls()
        return cls(
            box=payload.text(kept, "box"), validity=payload.number(kept, "validity"),
            uid=payload.number(kept, "uid"), newest=payload.moment(kept, "newest"), seen=seen,
        )  # fmt: skip

    def dump(self) -> str:
        newest = self.newest.isoformat() if self.newest else ""
        told = {"box": self.box, "validity": self.validity, "uid": self.uid, "newest": newest}
        return json.dumps({**told, "seen": self.seen}, separators=(",", ":"))


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
        before = _Cursor.parse(cursor)

        def read(stop: threading.Event) -> Batch:
            with Mailbox(self._options, self._network) as box:
                return self._news(box, before, stop)

        return await _in_thread(read)

    def _news(self, box: Mailbox, before: _Cursor, stop: threading.Event) -> Batch:
        options = self._options
        name = f"{options.username}@{options.host}/{options.folder}"
        validity = box.select(options.folder, writing=options.mark_seen)
        same = (before.box, before.validity) == (name, validity)
        if same and options.mark_seen and self._read and before.uid >= max(self._read):
            box.mark_seen(self._read)
        self._read = []
        uids = self._new(box, before, same)
        idle = options.idle and same
        if not uids and idle:
            idle = box.wait(self._idle_seconds, stop)
            uids = self._new(box, before, same) if idle else []
        self._read = uids[:_MOST]
        batch = self._batch(box.letters(uids[:_MOST]), before, name, validity)
        at_once = idle or len(uids) > _MOST
        return Batch(
            mentions=batch.mentions, cursor=batch.cursor, next_in_seconds=1.0 if at_once else None
        )

    def _new(self, box: Mailbox, before: _Cursor, same: bool) -> list[int]:
        if same:
            return box.uids(above=before.uid)
        since = self._clock() - self._settings.look_back
        if before.newest is not None:
            since = min(since, before.newest - _OVERLAP)
        return box.uids(since=since)

    def _batch(
        self, letters: Iterable[tuple[int, Letter]], before: _Cursor, name: str, validity: int
    ) -> Batch:
        now = self._clock()
        newest, last = before.newest, before.uid if before.validity == validity else 0
        oldest = now - self._settings.look_back if newest is None else None
        keys: list[str] = []
        mentions: list[IncomingMention] = []
        for uid, letter in letters:
            last = max(last, uid)
            mention = email_letter.mention(
                letter, source=self.name, kind=self._settings.kind or Kind.MESSAGE,
                own=self._options.own, now=now,
            )  # fmt: skip
            if letter.received_at is not None:
                newest = max(newest or letter.received_at, letter.received_at)
            if mention is None:
                continue
            key = hashlib.sha256(mention.native_id.encode(errors="replace")).hexdigest()[:16]
            known = key in before.seen or key in keys
            keys.append(key)
            if not known and (oldest is None or mention.posted_at >= oldest):
                mentions.append(mention)
        after = _Cursor(
            box=name, validity=validity, uid=last, newest=min(newest or now, now),
            seen=(*(key for key in before.seen if key not in keys), *keys)[-_REMEMBERED:],
        )  # fmt: skip
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
            return box.sent_folder()

    try:
        sent = await _in_thread(look)
    except SourceError as problem:
        return (Finding(ok=False, subject=subject, said=str(problem)),)
    said = f"the folder {options.folder} can be read"
    if sent:
        said += f"; answers are looked for in {sent}"
    else:
        said += "; no folder of sent mails was found, so answers are not noticed: set `sent`"
    return (Finding(ok=True, subject=subject, said=said),)


network: Network = Network(type="email", options=Options, open=_open, check=_check)

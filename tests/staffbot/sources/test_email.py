"""A mailbox, read from a real Dovecot on loopback; skipped with a word where there is none."""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import default
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from staffbot.errors import DeliveryError, SourceError
from staffbot.model import Patron, Visibility
from staffbot.network import AnsweredAtSource, Answering, Batch, Conversation
from staffbot.secret import Secret
from staffbot.settings import Network, SourceSettings
from staffbot.sources.email import Email, network
from staffbot.sources.email_letter import Letter
from staffbot.sources.email_mailbox import Mailbox
from staffbot.sources.email_options import Options
from tests import certificates
from tests.dovecots import PASSWORD, Dovecot, dovecot
from tests.library import HandClock
from tests.smtp import PostOffice, post_office
from tests.source_contract import Written
from tests.staffbot.sources.rigs import PATIENT, ReadContract, ReadRig

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
_users = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot() as found:
        yield found


@dataclass
class Box:
    """One mailbox, whose way to the reader can be cut. `carried` are the bytes that went it."""

    server: Dovecot
    port: int = 0
    user: str = field(default_factory=lambda: f"desk{next(_users)}")
    cut: bool = False
    hanging: bool = False
    stalled: bool = False
    carried: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    def gets(
        self,
        text: str,
        *,
        id: str = "1",
        at: datetime = NOW - HOUR,
        writer: str = "Lena P. <lena@mail.test>",
        more: dict[str, str] | None = None,
        folder: str = "INBOX",
        flags: str = "",
        received: datetime | None = None,
    ) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"] = writer, "info@library.example"
        mail["Message-ID"], mail["Date"] = f"<{id}@mail.test>", at
        for name, value in (more or {}).items():
            mail[name] = value
        mail.set_content(text, cte="base64")
        self.server.put(
            self.user, mail.as_bytes(), min(received or at, NOW), folder=folder, flags=flags
        )

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.cut:
            writer.close()
            return
        if self.hanging:
            self.open.add(writer)
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.server.port)
        self.open |= {writer, back}
        await asyncio.gather(_carry(reader, back), _carry(there, writer, self._count))

    async def _count(self, size: int) -> None:
        self.carried += size
        while self.stalled:  # noqa: ASYNC110 - a line that is half open says nothing for ever
            await asyncio.sleep(0.02)

    def hangs(self, hanging: bool) -> None:
        """From now on connections are taken and nothing is said on them, until this is over."""
        self.hanging = hanging
        if not hanging:
            self.breaks(True)
            self.breaks(False)

    def breaks(self, broken: bool) -> None:
        self.cut = broken
        if broken:
            for writer in self.open:
                writer.close()
            self.open.clear()


async def _carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    count: Callable[[int], Awaitable[None]] | None = None,
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            if count is not None:
                await count(len(data))
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def box(server: Dovecot) -> AsyncIterator[Box]:
    found = Box(server)
    relay = await asyncio.start_server(found.relay, "127.0.0.1", 0)
    found.port = relay.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        found.breaks(True)
        relay.close()


def settings(box: Box, *, password: str = PASSWORD, **more: Any) -> SourceSettings:
    chosen = {"idle": False, **more}
    options = Options(
        host="127.0.0.1", port=box.port, security="none", username=box.user,
        password=Secret(value=password), addresses=("info@library.example",), **chosen,
    )  # fmt: skip
    return SourceSettings(name="mail", type="email", options=options)


def source(box: Box, **more: Any) -> Email:
    return Email(settings(box, **more), PATIENT, HandClock(NOW))


def texts(batch: Batch) -> list[str]:
    return [mention.text for mention in batch.mentions]


def conversation(id_: str) -> Conversation:
    return Conversation(native_id=id_, conversation=id_, permalink="")


def flags(box: Box) -> list[bytes]:
    with box.server.client(box.user) as client:
        client.select("INBOX", readonly=True)
        return [line for line in client.fetch("1:*", "(FLAGS)")[1] if isinstance(line, bytes)]


async def test_a_mail_becomes_a_private_mention_and_nothing_changes(box: Box) -> None:
    box.gets("Do you lend skis?\n\n-- \nLena\n", more={"Subject": "Skis"})
    [mention] = (await source(box).fetch(None)).mentions
    assert (mention.text, mention.title) == ("Do you lend skis?", "Skis")
    assert mention.visibility is Visibility.PRIVATE
    assert "lena@mail.test" not in repr(mention)
    assert not any(b"\\Seen" in line for line in flags(box))


async def test_the_last_message_is_not_read_again_and_again(box: Box) -> None:
    # `UID n:*` names the last message even where its number is below n.
    box.gets("First", id="1")
    first = await source(box).fetch(None)
    for _ in range(2):
        assert texts(await source(box).fetch(first.cursor)) == []
    box.gets("Second", id="2")
    assert texts(await source(box).fetch(first.cursor)) == ["Second"]


async def test_new_numbers_for_all_messages_double_nothing(box: Box) -> None:
    box.gets("First", id="1")
    reading = source(box)
    first = await reading.fetch(None)
    with box.server.client(box.user) as client:
        client.create("Old")
        client.select("INBOX")
        client.copy("1", "Old")
    moved = source(box, folder="Old")
    # Another folder with a message of the same number: its UIDVALIDITY tells them apart.
    box.gets("Second", id="2", folder="Old")
    second = await moved.fetch(first.cursor)
    assert texts(second) == ["Second"]
    with box.server.client(box.user) as client:
        client.delete("Old")
        client.create("Old")
    box.gets("Third", id="3", folder="Old")
    box.gets("Second", id="2", folder="Old")
    third = await moved.fetch(second.cursor)
    assert texts(third) == ["Third"]


async def test_a_form_that_gives_all_its_mails_one_id_loses_none(box: Box) -> None:
    more = {"Reply-To": "Lena <lena@home.test>"}
    box.gets("Do you lend skis?", more=more)
    reading = source(box)
    first = await reading.fetch(None)
    box.gets("Do you lend skis?", more=more)  # the same mail, delivered twice
    box.gets("And boots?", at=NOW - HOUR / 2, more={"Reply-To": "Ben <ben@home.test>"})
    second = await reading.fetch(first.cursor)
    assert texts(second) == ["And boots?"]
    [boots] = second.mentions
    assert boots.native_id == boots.conversation != first.mentions[0].native_id
    box.gets("And poles?", at=NOW - HOUR / 4, more={"Reply-To": "Ben <ben@home.test>"})
    third = await reading.fetch(second.cursor)
    assert texts(third) == ["And poles?"]
    with box.server.client(box.user) as client:
        client.create("Old")
        client.select("INBOX")
        client.copy("1:4", "Old")
    moved = await source(box, folder="Old").fetch(third.cursor)
    assert moved.mentions == ()


async def test_no_old_mail_comes_at_first_however_it_came_there(box: Box) -> None:
    for number in range(210):
        old = NOW - timedelta(days=400) + timedelta(hours=number)
        # As a move from another server leaves them: received just now.
        box.gets(f"Old {number}", id=str(number), at=old, received=NOW - HOUR)
    box.gets("Young", id="young")
    reading = source(box)
    first = await reading.fetch(None)
    second = await reading.fetch(first.cursor)
    assert (texts(first), texts(second)) == ([], ["Young"])
    # Later on, a patron's computer may have any date.
    box.gets("By a broken clock", id="clock", at=NOW - timedelta(days=400), received=NOW)
    assert texts(await reading.fetch(second.cursor)) == ["By a broken clock"]


async def test_many_mails_come_in_several_rounds_and_all(box: Box) -> None:
    with box.server.client(box.user) as client:
        for number in range(205):
            raw = f"From: A <a@b.test>\r\nMessage-ID: <{number}@x>\r\n\r\nQuestion {number}\r\n"
            client.append("INBOX", "", '"03-Mar-2026 08:00:00 +0000"', raw.encode())
    reading = source(box)
    first = await reading.fetch(None)
    assert first.next_in_seconds is not None
    second = await reading.fetch(first.cursor)
    assert len(texts(first) + texts(second)) == 205
    assert second.next_in_seconds is None


async def test_the_first_run_looks_back_only_so_far(box: Box) -> None:
    box.gets("Old", id="1", at=NOW - timedelta(hours=30))
    box.gets("Young", id="2")
    first = await source(box).fetch(None)
    assert texts(first) == ["Young"]


async def test_a_large_attachment_is_named_and_not_fetched(box: Box) -> None:
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = "Lena <lena@mail.test>", "<9@mail.test>"
    mail.set_content("See the pictures.")
    for name in ("one.png", "two, café.png", 'th"ree.png'):
        mail.add_attachment(b"\x89" * 300_000, maintype="image", subtype="png", filename=name)
    box.server.put(box.user, mail.as_bytes(), NOW - HOUR)
    [mention] = (await source(box).fetch(None)).mentions
    assert mention.text.startswith("See the pictures.\n\nAttached: one.png, two, café.png")


@pytest.mark.parametrize("kind", ["plain", "html"])
async def test_words_behind_a_large_picture_are_read_without_it(box: Box, kind: str) -> None:
    mail = MIMEMultipart()
    mail["From"], mail["Message-ID"] = "Lena <lena@mail.test>", "<9@mail.test>"
    mail["Subject"] = "Grüße"
    mail.attach(MIMEImage(b"\x89" * 5_000_000, _subtype="png", name='a "(b".png'))
    inner = MIMEMultipart("alternative")
    inner.attach(MIMEText("Is this <yours>? — café" if kind == "plain" else "<p>Is this", kind))
    mail.attach(inner)
    listed = MIMEText("no words of hers", "plain")
    listed["Content-Disposition"] = 'attachment; filename="list.txt"'
    mail.attach(listed)
    box.server.put(box.user, mail.as_bytes(), NOW - HOUR)
    [mention] = (await source(box).fetch(None)).mentions
    said = "Is this <yours>? — café" if kind == "plain" else "Is this"
    assert mention.text == f'{said}\n\nAttached: a "(b".png, list.txt'
    assert mention.title == "Grüße"
    assert box.carried < 600_000


async def test_what_lay_there_is_not_even_read(box: Box) -> None:
    for number in range(3):
        old = NOW - timedelta(days=90)
        box.gets("Old words. " * 10_000, id=str(number), at=old, folder="INBOX")
    reading = source(box)
    first = await reading.fetch(None)
    box.gets("Young", id="young")
    assert texts(await reading.fetch(first.cursor)) == ["Young"]
    assert box.carried < 20_000


async def test_idle_wakes_it_and_polling_goes_on(box: Box) -> None:
    box.gets("First", id="1")
    reading = source(box, idle=True)
    first = await reading.fetch(None)
    waiting = asyncio.create_task(reading.fetch(first.cursor))
    # It may or may not wait already: either way the mail has to come with this very reading.
    await asyncio.to_thread(box.gets, "Second", id="2")
    batch = await waiting
    assert texts(batch) == ["Second"]
    assert batch.next_in_seconds is not None


async def test_a_line_that_is_half_open_is_given_up(box: Box) -> None:
    box.gets("First", id="1")
    impatient = Network(timeout=timedelta(seconds=1.0))
    reading = Email(settings(box, idle=True), impatient, HandClock(NOW))
    first = await reading.fetch(None)
    waiting = asyncio.create_task(reading.fetch(first.cursor))
    await asyncio.sleep(0.5)
    box.stalled = True
    box.gets("Second", id="2")
    with pytest.raises(SourceError, match="did not answer within 1 seconds"):
        await waiting
    box.stalled = False
    assert texts(await source(box).fetch(first.cursor)) == ["Second"]


async def test_what_is_filed_away_meanwhile_costs_its_neighbours_nothing(box: Box) -> None:
    for id_ in ("1", "2", "3"):
        box.gets(f"Question {id_}", id=id_)

    class Filing(Mailbox):
        """A colleague files a mail between the search and the fetching."""

        def letters(self, uids: Sequence[int]) -> Iterator[tuple[int, Letter]]:
            with box.server.client(box.user) as client:
                client.select("INBOX")
                client.store("2", "+FLAGS", "\\Deleted")
                client.expunge()
            return super().letters(uids)

    def read() -> list[bytes]:
        with Filing(settings(box).options, PATIENT) as found:
            found.select("INBOX")
            return [letter.raw for _, letter in found.letters(found.uids(above=0))]

    raws = await asyncio.to_thread(read)
    assert ["1@mail" in str(raw) or "3@mail" in str(raw) for raw in raws] == [True, True]


async def test_a_reading_that_waits_can_be_cancelled(box: Box) -> None:
    reading = source(box, idle=True)
    first = await reading.fetch(None)
    waiting = asyncio.create_task(reading.fetch(first.cursor))
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    box.gets("After that", id="2")
    # The next reading has the mailbox to itself as soon as the thread has let go.
    assert texts(await reading.fetch(first.cursor)) == ["After that"]


async def test_marking_as_read_is_a_choice_and_happens_once_stored(box: Box) -> None:
    box.gets("First", id="1")
    reading = source(box, mark_seen=True)
    first = await reading.fetch(None)
    assert not any(b"\\Seen" in line for line in flags(box))
    await reading.fetch(first.cursor)
    assert any(b"\\Seen" in line for line in flags(box))


async def test_an_answer_in_sent_is_noticed_with_its_own_moment(box: Box) -> None:
    for id_ in ("1", "2", "3"):
        box.gets("Question", id=id_)
    reading = source(box)
    asked = [conversation(f"{id_}@mail.test") for id_ in ("1", "2", "3")]
    assert await reading.look(asked) == []
    box.gets(
        "Yes.", id="re1", folder="Sent", writer="Desk <Info@Library.example>",
        at=NOW - HOUR / 2, more={"In-Reply-To": "<1@mail.test>"},
    )  # fmt: skip
    expected = AnsweredAtSource(
        native_id="1@mail.test", at=NOW - HOUR / 2, account="info@library.example"
    )
    assert await reading.look(asked) == [expected]
    # One that was answered from a program that files no copy, but marks the mail.
    with box.server.client(box.user) as client:
        client.select("INBOX")
        client.store("2", "+FLAGS", "\\Answered")
    assert await reading.look(asked[1:]) == []
    [marked] = await reading.look(asked[1:])
    assert marked == AnsweredAtSource(native_id="2@mail.test", at=NOW, account=box.user)


async def test_refusals_are_said_in_words(box: Box) -> None:
    with pytest.raises(SourceError, match="app password") as problem:
        await source(box, password="not-it").fetch(None)
    assert "not-it" not in str(problem.value)
    with pytest.raises(SourceError, match="no folder 'Nowhere'"):
        await source(box, folder="Nowhere").fetch(None)
    tls = SourceSettings(
        name="mail", type="email",
        options=Options(
            host="127.0.0.1", port=box.port, username="x", password=Secret(value="x")
        ),
    )  # fmt: skip
    with pytest.raises(SourceError, match="TLS"):
        await Email(tls, PATIENT).fetch(None)


async def test_a_server_that_hangs_is_given_up() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    hanging = await asyncio.start_server(hang, "127.0.0.1", 0)
    options = Options(
        host="127.0.0.1", port=hanging.sockets[0].getsockname()[1], security="none",
        username="x", password=Secret(value="x"),
    )  # fmt: skip
    impatient = Network(timeout=timedelta(seconds=0.3))
    with pytest.raises(SourceError, match="did not answer"):
        await Email(
            SourceSettings(name="mail", type="email", options=options), impatient
        ).fetch(None)  # fmt: skip
    hanging.close()


async def test_a_server_that_hangs_keeps_no_program_from_ending(box: Box) -> None:
    box.hangs(True)

    async def begin_and_end() -> None:
        reading = asyncio.create_task(source(box).fetch(None))
        await asyncio.sleep(0.2)
        reading.cancel()

    # A program of its own in a thread: its end would wait for every thread of its loop.
    async with asyncio.timeout(PATIENT.timeout.total_seconds() / 2):
        await asyncio.to_thread(lambda: asyncio.run(begin_and_end()))


async def test_check_says_where_answers_are_looked_for(box: Box) -> None:
    [finding] = await network.check(settings(box), PATIENT)
    assert finding.ok
    assert finding.said == "the folder INBOX can be read; answers are looked for in Sent"
    [wrong] = await network.check(settings(box, sent="Gesendet"), PATIENT)
    assert not wrong.ok
    assert "has no folder 'Gesendet'" in wrong.said


class TestEmailContract(ReadContract):
    @pytest.fixture
    def rig(self, box: Box) -> ReadRig:
        def write(written: Written) -> None:
            named = written.author if "<" in written.author else f"{written.author} <x@mail.test>"
            box.gets(written.text, id=written.id, at=written.at, writer=named)

        return ReadRig(
            settings=settings(box), network=network, write=write, breaks=box.breaks, hangs=box.hangs
        )


# --- answers ------------------------------------------------------------------------------------

_KEY = "0123456789abcdef" * 2


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as found:
        yield found


def writing(box: Box, office: PostOffice, **more: Any) -> Email:
    return source(box, smtp_host="127.0.0.1", smtp_port=office.port, smtp_security="none", **more)


def answering(id_: str = "1@mail.test") -> Answering:
    return Answering(
        native_id=id_, conversation=id_, permalink="", title="Question", written_at=NOW,
        patron=Patron(name="Lena P."), visibility=Visibility.PRIVATE,
    )  # fmt: skip


def filed(box: Box) -> list[str]:
    """The subjects in the folder of sent mails."""
    with box.server.client(box.user) as client:
        client.select("Sent", readonly=True)
        _, numbers = client.search(None, "ALL")
        told = [client.fetch(n.decode(), "(BODY.PEEK[])")[1][0] for n in numbers[0].split()]
    mails = [message_from_bytes(one[1], policy=default) for one in told if isinstance(one, tuple)]
    return [str(mail["Subject"]) for mail in mails]


async def test_an_answer_goes_to_the_patron_and_is_filed_and_noticed(
    box: Box, office: PostOffice
) -> None:
    more = {"Subject": "Grüße, a question", "Reply-To": "Lena <lena@home.test>"}
    box.gets("Do you lend looms?", writer="Form <form@library.test>", more=more)
    mail = writing(box, office)
    assert mail.limit is not None
    assert await mail.find_reply(answering(), "x", _KEY) is None
    replied = await mail.reply(answering(), "Yes: looms.\n.\nAnd wheels 🧵", _KEY)
    assert office.rcpt == ["lena@home.test"]
    [raw] = office.mails
    sent = message_from_bytes(raw, policy=default)
    assert sent["Subject"] == "Re: Grüße, a question"
    assert (sent["From"], sent["In-Reply-To"]) == ("info@library.example", "<1@mail.test>")
    assert sent.get_content().strip().replace("\r\n", "\n") == "Yes: looms.\n.\nAnd wheels 🧵"
    assert filed(box) == ["Re: Grüße, a question"]
    found = await writing(box, office).find_reply(answering(), "x", _KEY)
    assert found is not None
    assert found.native_id == replied.native_id
    looked = await mail.look([conversation("1@mail.test")])
    assert [one.native_id for one in looked if isinstance(one, AnsweredAtSource)] == ["1@mail.test"]
    with pytest.raises(DeliveryError) as again:
        await mail.reply(answering(), "Yes: looms.", _KEY)
    assert again.value.ambiguous
    assert len(office.mails) == 1


async def test_a_cut_after_it_was_taken_is_never_sent_again(box: Box, office: PostOffice) -> None:
    box.gets("Do you lend looms?")
    office.cuts = True
    mail = writing(box, office)
    with pytest.raises(DeliveryError) as lost:
        await mail.reply(answering(), "Yes.", _KEY)
    assert (lost.value.ambiguous, len(office.mails)) == (True, 1)
    with pytest.raises(DeliveryError, match="did not say whether") as blind:
        await mail.find_reply(answering(), "Yes.", _KEY)
    assert blind.value.permanent
    assert filed(box) == ["staffbot is sending a mail"]
    assert await mail.look([conversation("1@mail.test")]) == []


@pytest.mark.parametrize(
    ("refuses", "permanent"),
    [(("RCPT", 550), True), (("RCPT", 450), False), (("DATA", 554), True), (("MAIL", 451), False)],
)
async def test_what_was_surely_not_taken_leaves_no_mark(
    box: Box, office: PostOffice, refuses: tuple[str, int], permanent: bool
) -> None:
    box.gets("Do you lend looms?")
    office.refuses = refuses
    mail = writing(box, office)
    with pytest.raises(DeliveryError, match=str(refuses[1])) as refused:
        await mail.reply(answering(), "Yes.", _KEY)
    assert (refused.value.permanent, refused.value.ambiguous) == (permanent, False)
    assert "lena" not in str(refused.value)
    assert filed(box) == []
    assert await mail.find_reply(answering(), "Yes.", _KEY) is None
    office.refuses = ("", 0)
    await mail.reply(answering(), "Yes.", _KEY)
    assert len(office.mails) == 1


async def test_an_answer_goes_on_with_the_thread(box: Box, office: PostOffice) -> None:
    more = {"Subject": "RE: Looms", "References": "<a@mail.test> <b@mail.test>"}
    box.gets("And wheels?", more=more)
    await writing(box, office).reply(answering(), "Yes, übrigens: wheels 🧵. " * 40, _KEY)
    [raw] = office.mails
    assert raw.isascii()
    assert max(len(line) for line in raw.splitlines()) <= 998
    sent = message_from_bytes(raw, policy=default)
    assert sent["Subject"] == "RE: Looms"
    assert sent["References"] == "<a@mail.test> <b@mail.test> <1@mail.test>"
    assert sent["To"] == "lena@mail.test"
    assert sent.get_content().strip() == ("Yes, übrigens: wheels 🧵. " * 40).strip()


@pytest.mark.parametrize(
    ("office_is", "security", "says", "permanent"),
    [
        ({"offers": ("AUTH PLAIN",), "refuses": ("AUTH", 535)}, "none", "app password", True),
        ({"refuses": ("MAIL", 530)}, "none", "sign in first", True),
        ({"refuses": ("MAIL", 550)}, "none", "not let info@library.example write", True),
        ({}, "starttls", "does not offer STARTTLS", False),
        ({}, "tls", "does not speak TLS", False),
        ({"cuts_at": "AUTH", "offers": ("AUTH PLAIN",)}, "none", "cannot be reached", False),
        ({"cuts_at": "MAIL"}, "none", "before it was given the mail", False),
        ({"cuts_at": "RCPT"}, "none", "before it was given the mail", False),
    ],
)
async def test_what_keeps_a_mail_from_being_sent_is_said(
    box: Box, office: PostOffice, office_is: dict[str, Any], security: str, says: str,
    permanent: bool,
) -> None:  # fmt: skip
    box.gets("Do you lend looms?")
    for name, value in office_is.items():
        setattr(office, name, value)
    more: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": office.port,
        "smtp_security": security,
    }
    mail = source(box, **more)
    with pytest.raises(DeliveryError, match=says) as problem:
        await mail.reply(answering(), "Yes.", _KEY)
    assert (problem.value.permanent, problem.value.ambiguous) == (permanent, False)
    assert PASSWORD not in str(problem.value)
    assert (office.mails, filed(box)) == ([], [])
    found = await network.check(settings(box, **more), PATIENT)
    assert found[0].ok
    if "MAIL" not in str(office_is) and "RCPT" not in str(office_is):
        assert not found[1].ok
        assert says in found[1].said


@pytest.mark.parametrize("way", ["tls", "starttls"])
async def test_mail_goes_over_tls_where_the_certificate_is_known(
    box: Box, way: str, tmp_path: Path
) -> None:
    box.gets("Do you lend looms?")
    certificate, key = certificates.made_in(tmp_path)
    tls = certificates.of_a_server(certificate, key)
    knows = replace(PATIENT, ca_file=certificate)
    async with post_office(tls, at_once=way == "tls") as office:
        found = settings(box, smtp_host="127.0.0.1", smtp_port=office.port, smtp_security=way)
        with pytest.raises(DeliveryError, match="certificate that is not trusted") as stranger:
            await Email(found, PATIENT, HandClock(NOW)).reply(answering(), "Yes.", _KEY)
        assert not stranger.value.ambiguous
        await Email(found, knows, HandClock(NOW)).reply(answering(), "Yes.", _KEY)
        assert len(office.mails) == 1
        assert office.secured == (way == "starttls")


async def test_a_mailbox_that_takes_passwords_over_tls_only_says_so() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n")
        while line := (await reader.readline()).decode():
            tag, verb, *_ = line.split()
            if verb == "CAPABILITY":
                writer.write(b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n")
            assert verb != "LOGIN"
            writer.write(f"{tag} OK done\r\n".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    options = Options(
        host="127.0.0.1", port=server.sockets[0].getsockname()[1], security="none",
        username="x", password=Secret(value="x"),
    )  # fmt: skip
    with pytest.raises(SourceError, match="over TLS only"):
        await Email(SourceSettings(name="mail", type="email", options=options), PATIENT).fetch(None)
    server.close()


async def test_check_signs_in_to_send_and_sends_nothing(box: Box, office: PostOffice) -> None:
    office.offers = ("AUTH PLAIN",)
    more: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": office.port,
        "smtp_security": "none",
    }
    [_, sends] = await network.check(settings(box, **more), PATIENT)
    assert sends.ok
    assert "to answer as info@library.example; no mail was sent" in sends.said
    assert office.mails == []


async def test_an_answer_never_goes_to_another_with_the_same_id(
    box: Box, office: PostOffice
) -> None:
    box.gets("Do you lend looms?", more={"Reply-To": "Lena <lena@home.test>"})
    box.gets("Do you lend looms?", more={"Reply-To": "Lena <lena@home.test>"})
    await writing(box, office).reply(answering(), "Yes.", _KEY)
    assert office.rcpt == ["lena@home.test"]
    box.gets("And wheels?", more={"Reply-To": "Ben <ben@home.test>"})
    with pytest.raises(DeliveryError, match="several mails") as unclear:
        await writing(box, office).reply(answering(), "Yes.", _KEY[::-1])
    assert unclear.value.permanent
    assert len(office.mails) == 1


@pytest.mark.parametrize(
    "address", ["lena", "lena@home.test@x", "le na@home.test", "lenä@home.test"]
)
async def test_what_is_no_address_is_not_written_to(
    box: Box, office: PostOffice, address: str
) -> None:
    coded = b64encode(address.encode()).decode()
    raw = f"From: Site <x>\nReply-To: =?utf-8?b?{coded}?=\nMessage-ID: <1@mail.test>\n\nHi\n"
    box.server.put(box.user, raw.encode(), NOW - HOUR)
    with pytest.raises(DeliveryError, match="to whom") as refused:
        await writing(box, office).reply(answering(), "Yes.", _KEY)
    assert refused.value.permanent
    assert (office.mails, filed(box)) == ([], [])


async def test_where_no_mail_can_be_written(box: Box, office: PostOffice) -> None:
    assert source(box).limit is None
    mail = writing(box, office)
    for id_, why in (
        ("gone@mail.test", "not in the folder"), ('x" OR 1', "not in the folder"),
        ("made:0123", "no id of its own"),
    ):  # fmt: skip
        with pytest.raises(DeliveryError, match=why) as gone:
            await mail.reply(answering(id_), "Yes.", _KEY)
        assert gone.value.permanent
    box.gets("Hello", id="own", writer="info@library.example")
    with pytest.raises(DeliveryError, match="to whom"):
        await mail.reply(answering("own@mail.test"), "Yes.", _KEY)
    office.port = 1
    box.gets("Hello")
    with pytest.raises(DeliveryError, match="outgoing mail") as away:
        await writing(box, office).reply(answering(), "Yes.", _KEY)
    assert (away.value.permanent, away.value.ambiguous) == (False, False)
    assert office.mails == []
    assert filed(box) == []


@pytest.mark.parametrize("host", ["https://mail.example", "mail.example:993", "desk@mail.example"])
def test_an_address_is_no_name_of_a_server(host: str) -> None:
    with pytest.raises(ValidationError, match="leave out what stands before and after it"):
        Options(host=host, username="desk", password=Secret(value="x"))
    assert Options(host="::1", username="desk", password=Secret(value="x")).host == "::1"

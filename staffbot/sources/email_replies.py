"""Answers by e-mail: through SMTP, filed in the folder of sent mails. Blocks: call it in a thread.

SMTP cannot be asked afterwards what it took. So before a mail is handed over, a mark is filed that
says so, and after it was taken the mail itself is; then the mark goes. Without a mark nothing was
sent; with a mark alone nobody can tell, and nothing is sent again.

The patron's address is nowhere kept: it is read from their mail when it is answered.
"""

from __future__ import annotations

import email
import re
import threading
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.utils import format_datetime, parsedate_to_datetime

from staffbot.errors import DeliveryError, SourceError
from staffbot.network import Answering, Replied, ReplyLimit
from staffbot.settings import Network as NetworkSettings
from staffbot.sources import email_letter, plain_text
from staffbot.sources.answering import asking, refused
from staffbot.sources.email_mailbox import Mailbox
from staffbot.sources.email_options import Options
from staffbot.sources.email_smtp import POLICY, Outgoing

LIMIT = ReplyLimit(most=20_000, private=True)
# As many mails of one id are looked at.
_SAME_ID = 20
_ADDRESS = re.compile(r"[^\s@()<>\[\],;:\\\"]+@[^\s@()<>\[\],;:\\\"]+", re.ASCII)


def limit(options: Options) -> ReplyLimit | None:
    """Only where a server for outgoing mail is named, and an address to write from."""
    return LIMIT if options.smtp_host and options.sender else None


def reply(
    options: Options, network: NetworkSettings, to: Answering, text: str, key: str,
    stop: threading.Event,
) -> Replied:  # fmt: skip
    """Answer the mail. `stop`: nobody waits any more, so nothing may be begun."""
    with asking(), Mailbox(options, network) as box:
        original = _original(box, options, to)
        folder = box.sent_folder()
        if folder:
            box.select(folder, writing=True)
            if box.with_id(_id(options, key)):
                raise DeliveryError("this answer was filed already", ambiguous=True)
        mail = _mail(options, original, to, text, key)

        def mark() -> None:
            if stop.is_set():
                raise DeliveryError("there was no time left to send it")
            if folder:
                box.put(_mark(options, key).as_bytes(), folder, ("\\Seen", "\\Draft"))

        def unmark() -> None:
            if folder:
                box.delete(box.with_id(_mark_id(options, key)))

        with Outgoing(options, network) as server:
            server.hand_over(mail, mail["To"], before=mark, not_taken=unmark)
        if folder:
            with suppress(SourceError):  # it was taken: what is filed cannot change that any more
                box.put(mail.as_bytes(), folder, ("\\Seen",))
                unmark()
    return Replied(at=datetime.now(UTC), native_id=_id(options, key))


def find(options: Options, network: NetworkSettings, key: str) -> Replied | None:
    """The answer in the folder of sent mails. Refused where a mark says that nobody can tell."""
    with asking(), Mailbox(options, network) as box:
        folder = box.sent_folder()
        if not folder:
            raise refused("there is no folder of sent mails in which to look")
        box.select(folder)
        uids = box.with_id(_id(options, key))
        for heads in box.headers(uids):
            date = email_letter.header(email.message_from_bytes(heads.raw), "Date")
            return Replied(at=_moment(date), native_id=_id(options, key))
        if box.with_id(_mark_id(options, key)):
            raise refused(f"{options.smtp_host} did not say whether it took the mail")
    return None


def _original(box: Mailbox, options: Options, to: Answering) -> Message:
    """The patron's mail: whom to answer stands nowhere else."""
    if to.native_id.startswith(email_letter.MADE):
        raise refused("the mail has no id of its own to be found by: answer it in a mail program")
    box.select(options.folder)
    found = [
        email.message_from_bytes(letter.raw)
        for _, letter in box.letters(box.with_id(to.native_id)[:_SAME_ID])
    ]
    if not found:
        raise refused(
            f"the mail is not in the folder {options.folder} any more: answer where it is now"
        )
    # Some forms give one id to all their mails. An answer must never go to somebody else.
    if len({email_letter.writer(one)[1] for one in found}) > 1:
        raise refused("several mails have this mail's id: answer it in a mail program")
    return found[0]


def _mail(options: Options, original: Message, to: Answering, text: str, key: str) -> EmailMessage:
    _, address = email_letter.writer(original)
    if not address.isascii() or not _ADDRESS.fullmatch(address) or address in options.own:
        raise refused("the mail does not say to whom to answer")
    subject = plain_text.line(email_letter.header(original, "Subject")) or "Your message"
    above = email_letter.ids(email_letter.header(original, "References"))
    mail = EmailMessage(policy=POLICY)
    mail["From"] = options.sender
    mail["To"] = address
    mail["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{_id(options, key)}>"
    mail["In-Reply-To"] = f"<{to.native_id}>"
    mail["References"] = " ".join(f"<{one}>" for one in [*above[-20:], to.native_id])
    mail.set_content(text)
    return mail


def _mark(options: Options, key: str) -> EmailMessage:
    """Says in the folder of sent mails that a mail is being handed over; of no mail in particular."""
    mark = EmailMessage(policy=POLICY)
    mark["From"] = options.sender
    mark["Subject"] = "staffbot is sending a mail"
    mark["Message-ID"] = f"<{_mark_id(options, key)}>"
    mark["Date"] = format_datetime(datetime.now(UTC))
    mark.set_content("If this stays here, look whether the mail has arrived; then delete this.")
    return mark


def _id(options: Options, key: str) -> str:
    return f"{key}@{options.sender.rpartition('@')[2]}"


def _mark_id(options: Options, key: str) -> str:
    return f"{key}.begun@{options.sender.rpartition('@')[2]}"


def _moment(date: str) -> datetime:
    try:
        found = parsedate_to_datetime(date)
    except (TypeError, ValueError, OverflowError):
        return datetime.now(UTC)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

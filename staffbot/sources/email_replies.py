"""Answers by e-mail: through SMTP, filed in the folder of sent mails. Blocks: call it in a thread.

SMTP cannot be asked afterwards what it took. So before a mail is handed over, a mark is filed that
says so, and after it was taken the mail itself is; then the mark goes. Without a mark nothing was
sent; with a mark alone nobody can tell, and nothing is sent again.

The patron's address is nowhere kept: it is read from their mail when it is answered.
"""

from __future__ import annotations

import email
import smtplib
import ssl
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
from staffbot.sources.email_mailbox import Mailbox, Options

LIMIT = ReplyLimit(most=20_000, private=True)
_PORTS = {"tls": 465, "starttls": 587, "none": 25}
_NOT_NOW = range(400, 500)


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
        server = _connected(options, network)
        try:
            if stop.is_set():
                raise DeliveryError("there was no time left to send it")
            if folder:
                box.put(_mark(options, key).as_bytes(), folder, ("\\Seen", "\\Draft"))
            _hand_over(server, mail, options, box, key)
        finally:
            server.close()
        if folder:
            with suppress(SourceError):  # it was taken: what is filed cannot change that any more
                box.put(mail.as_bytes(), folder, ("\\Seen",))
                box.delete(box.with_id(_mark_id(options, key)))
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
    box.select(options.folder)
    for uid in box.with_id(to.native_id):
        for _, letter in box.letters([uid]):
            return email.message_from_bytes(letter.raw)
    raise refused(
        f"the mail is not in the folder {options.folder} any more: answer where it is now"
    )


def _mail(options: Options, original: Message, to: Answering, text: str, key: str) -> EmailMessage:
    _, address = email_letter.writer(original)
    if not address.isascii() or address.count("@") != 1 or address in options.own:
        raise refused("the mail does not say to whom to answer")
    subject = plain_text.line(email_letter.header(original, "Subject")) or "Your message"
    above = email_letter.ids(email_letter.header(original, "References"))
    mail = EmailMessage()
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
    mark = EmailMessage()
    mark["From"] = options.sender
    mark["Subject"] = "staffbot is sending a mail"
    mark["Message-ID"] = f"<{_mark_id(options, key)}>"
    mark["Date"] = format_datetime(datetime.now(UTC))
    mark.set_content("If this stays here, look whether the mail has arrived; then delete this.")
    return mark


def _connected(options: Options, network: NetworkSettings) -> smtplib.SMTP:
    """Signed in at the server for outgoing mail. Nothing is sent yet, so any trouble is no end."""
    host, way = options.smtp_host, options.smtp_security
    port, patience = options.smtp_port or _PORTS[way], network.timeout.total_seconds()
    file = network.ca_file
    try:
        tls = ssl.create_default_context(cafile=str(file) if file else None)
        if way == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=patience, context=tls)
        else:
            server = smtplib.SMTP(host, port, timeout=patience)
        if way == "starttls":
            server.starttls(context=tls)
        server.ehlo_or_helo_if_needed()
        if server.has_extn("auth"):
            server.login(options.username, options.password.value)
    except smtplib.SMTPAuthenticationError:
        raise refused(
            f"{host} does not take {options.username} with this password: many providers want an "
            "app password made for programs"
        ) from None
    except (OSError, smtplib.SMTPException) as problem:
        reason = type(problem).__name__
        raise DeliveryError(f"{host} cannot be reached for outgoing mail ({reason})") from None
    return server


def _hand_over(
    server: smtplib.SMTP, mail: EmailMessage, options: Options, box: Mailbox, key: str
) -> None:
    """The one moment that counts. What the server surely did not take leaves no mark."""
    host = options.smtp_host
    try:
        server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as problem:
        code = next(iter(problem.recipients.values()))[0]
        problem_said = _not_taken(host, code)
    except smtplib.SMTPResponseException as problem:  # of the sender, or of the mail as a whole
        problem_said = _not_taken(host, problem.smtp_code)
    except (OSError, smtplib.SMTPException):
        raise DeliveryError(
            f"{host} broke off while it was given the mail", ambiguous=True
        ) from None
    else:
        return
    box.delete(box.with_id(_mark_id(options, key)))
    raise problem_said


def _not_taken(host: str, code: int) -> DeliveryError:
    if code in _NOT_NOW:
        return DeliveryError(f"{host} answered {code}: it takes the mail later")
    return refused(f"{host} answered {code}: it does not take mail to this patron")


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

"""Hands one mail to the server for outgoing mail. Blocks; knows no mention and keeps nothing.

What is known afterwards stands in the error: surely not taken and why, or that nobody can tell.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP

from staffbot.errors import DeliveryError
from staffbot.settings import Network as NetworkSettings
from staffbot.sources.answering import refused
from staffbot.sources.email_options import Options

# Seven bits, as not every server takes eight.
POLICY = SMTP.clone(cte_type="7bit")
_PORTS = {"tls": 465, "starttls": 587, "none": 25}
_TAKEN = (250, 251)
_NOT_NOW = range(400, 500)
_SIGN_IN = (530, 534, 535, 538)


class Outgoing:
    """One connection, signed in: `with Outgoing(...) as server`. Nothing is sent yet, so any trouble
    to that point is a DeliveryError that is not ambiguous."""

    def __init__(self, options: Options, network: NetworkSettings) -> None:
        self._options = options
        self._network = network
        self._host = options.smtp_host
        self._server = self._connected()

    def __enter__(self) -> Outgoing:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _connected(self) -> smtplib.SMTP:
        try:
            server = self._open()
        except (OSError, smtplib.SMTPException) as problem:
            raise DeliveryError(self._cannot(problem)) from None
        try:
            server.ehlo_or_helo_if_needed()
            if server.has_extn("auth"):
                server.login(self._options.username, self._options.password.value)
        except smtplib.SMTPAuthenticationError:
            server.close()
            raise refused(
                f"{self._host} does not take {self._options.username} with this password: many "
                "providers want an app password made for programs"
            ) from None
        except (OSError, smtplib.SMTPException) as problem:
            server.close()
            raise DeliveryError(self._cannot(problem)) from None
        return server

    def _open(self) -> smtplib.SMTP:
        way, patience = self._options.smtp_security, self._network.timeout.total_seconds()
        port, file = self._options.smtp_port or _PORTS[way], self._network.ca_file
        tls = ssl.create_default_context(cafile=str(file) if file else None)
        if way == "tls":
            return smtplib.SMTP_SSL(self._host, port, timeout=patience, context=tls)
        server = smtplib.SMTP(self._host, port, timeout=patience)
        if way == "starttls":
            try:
                server.starttls(context=tls)
            except BaseException:
                server.close()
                raise
        return server

    def _cannot(self, problem: Exception) -> str:
        look = "look at smtp_port and smtp_security"
        match problem:
            case ssl.SSLCertVerificationError():
                return (
                    f"{self._host} shows a certificate that is not trusted here: name the library's "
                    "own CA in network.ca_file if it has one"
                )
            case ssl.SSLError():
                return f"{self._host} does not speak TLS on this port: {look}"
            case smtplib.SMTPNotSupportedError():
                return f"{self._host} does not offer STARTTLS, or no way to sign in: {look}"
            case TimeoutError():
                seconds = self._network.timeout.total_seconds()
                return f"{self._host} did not answer within {seconds:.0f} seconds: {look}"
            case _:
                reason = type(problem).__name__
                return f"{self._host} cannot be reached for outgoing mail ({reason})"

    def hand_over(
        self,
        mail: EmailMessage,
        to: str,
        *,
        before: Callable[[], None],
        not_taken: Callable[[], None],
    ) -> None:
        """`before` is called last before the moment from which on it may have been taken, and
        `not_taken` where it surely was not after all."""
        try:
            code, _ = self._server.mail(self._options.sender)
            if code not in _TAKEN:
                raise self._refusal(code, f"does not let {self._options.sender} write")
            code, _ = self._server.rcpt(to)
        except (OSError, smtplib.SMTPException):
            raise DeliveryError(f"{self._host} broke off before it was given the mail") from None
        if code not in _TAKEN:
            raise self._refusal(code, "does not take mail to this patron")
        before()
        try:
            code, _ = self._server.data(mail.as_bytes())
        except smtplib.SMTPDataError as problem:
            code = problem.smtp_code
        except (OSError, smtplib.SMTPException):
            raise DeliveryError(
                f"{self._host} broke off while it was given the mail", ambiguous=True
            ) from None
        if code not in _TAKEN:
            not_taken()
            raise self._refusal(code, "does not take this mail")

    def _refusal(self, code: int, said: str) -> DeliveryError:
        if code in _NOT_NOW:
            return DeliveryError(f"{self._host} answered {code}: it takes the mail later")
        if code in _SIGN_IN:
            said = "wants one to sign in first, perhaps over TLS: look at smtp_security"
        return refused(f"{self._host} answered {code}: it {said}")

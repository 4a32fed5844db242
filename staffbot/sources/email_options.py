"""What stands in the configuration of a mailbox. Knows no mailbox and no network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from staffbot.secret import FromEnvironment


def _is_host(text: str) -> str:
    if any(sign in text for sign in "/ @") or text.count(":") == 1:
        raise ValueError("is not the name of a server: leave out what stands before and after it")
    return text


Host = Annotated[str, AfterValidator(_is_host)]


class Options(BaseModel):
    """What stands under a `[[sources]]` entry of type "email", beside what every source has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Host = Field(min_length=1, examples=["imap.library.example.org"])
    username: str = Field(min_length=1, examples=["info@library.example.org"])
    password: FromEnvironment = Field(examples=["STAFFBOT_EMAIL_PASSWORD"])
    security: Literal["tls", "starttls", "none"] = "tls"
    port: int = Field(default=0, ge=0, le=65535)
    folder: str = "INBOX"
    sent: str = ""
    addresses: tuple[str, ...] = Field(default=(), examples=[["desk@library.example.org"]])
    idle: bool = True
    mark_seen: bool = False
    # To answer from chat: the server for outgoing mail, with the same username and password.
    smtp_host: Host = Field(default="", examples=["smtp.library.example.org"])
    smtp_security: Literal["tls", "starttls", "none"] = "tls"
    smtp_port: int = Field(default=0, ge=0, le=65535)

    @property
    def sender(self) -> str:
        """The address that answers come from; "" where none is known."""
        if "@" in self.username:
            return self.username
        return next((one for one in self.addresses if "@" in one), "")

    @property
    def own(self) -> frozenset[str]:
        """The addresses whose mails are the library's own."""
        return frozenset(one.lower() for one in (self.username, *self.addresses) if "@" in one)

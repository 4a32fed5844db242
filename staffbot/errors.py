"""The exception tree, and nothing else; answers of use cases are values in model.py, not exceptions.

StaffbotError
├── ConfigError          a setting is wrong: path, reason, example
├── StoreError           the database cannot be used as it is
│   ├── NothingStored    it has no tables yet
│   ├── NewerDatabase    written by a newer staffbot
│   └── AlreadyRunning   another `staffbot run` holds this database
├── CannotListen         the address of an HTTP listener cannot be had
├── SourceError          a network could not be read (retry_after)
├── DeliveryError        a platform or network did not take a post or an answer
│   │                    (permanent, retry_after, ambiguous)
│   └── MessageGone      the message to edit is no longer there
└── Refused              a person's command cannot be done; the text is for that person
"""

from __future__ import annotations

from dataclasses import dataclass


class StaffbotError(Exception):
    """Everything that staffbot raises on purpose. Its text is written for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in the configuration: where, why, and what right looks like."""

    path: str
    reason: str
    example: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" + (f" Example: {self.example}" if self.example else "")


class ConfigError(StaffbotError):
    """The configuration cannot be used. Holds every problem found, not only the first."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def at(cls, path: str, reason: str, example: str = "") -> ConfigError:
        return cls([Problem(path=path, reason=reason, example=example)])


class StoreError(StaffbotError):
    """The database cannot be used as it is. `why`: the reason alone, without a path, for a monitor."""

    def __init__(self, reason: str, *, why: str = "") -> None:
        self.why = why
        super().__init__(reason)


class NothingStored(StoreError):
    """The database has no tables yet: the bot never ran on it."""


class NewerDatabase(StoreError):
    """The database was written by a newer staffbot; it is left untouched."""


class AlreadyRunning(StoreError):
    """Another `staffbot run` holds this database."""


class CannotListen(StaffbotError):
    """The address of an HTTP listener is taken, or is not this machine's."""


class SourceError(StaffbotError):
    """A network could not be read. `retry_after` is in seconds, or None where it did not say.

    `untouched`: whatever was asked for was surely not done, so it may be asked for again.
    """

    def __init__(
        self, reason: str, *, retry_after: float | None = None, untouched: bool = False
    ) -> None:
        self.retry_after = retry_after
        self.untouched = untouched
        super().__init__(reason)


class DeliveryError(StaffbotError):
    """A chat platform did not take a post, or a network an answer.

    permanent    trying again as it stands cannot help
    whole_room   permanent, and so for every post in that room until a person has seen to it
    retry_after  seconds that the platform asks for, or None
    ambiguous    the platform may have taken it: it has to be looked up by key before a resend
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        whole_room: bool = False,
        retry_after: float | None = None,
        ambiguous: bool = False,
    ) -> None:
        self.permanent = permanent or whole_room
        self.whole_room = whole_room
        self.retry_after = retry_after
        self.ambiguous = ambiguous
        super().__init__(reason)


class MessageGone(DeliveryError):
    """The message to edit was deleted on the platform."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=True)


class Refused(StaffbotError):
    """A command cannot be done. The text is one sentence for the person who asked, and helps."""

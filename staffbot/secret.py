"""A value that never shows itself, and how a settings model asks for one by a name.

Knows neither the environment nor files: `config` looks up what is asked for here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A value that never shows itself: not in repr, not in a log, not in a traceback."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "********"

    def __repr__(self) -> str:
        return "Secret(********)"


def _from_environment(value: object, info: ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    look_up = (info.context or {}).get("secret")
    if look_up is None:
        raise ValueError("secrets can be looked up only by staffbot.config.load")
    found: Secret = look_up(value)
    return found


# A secret of a source or a door, as a field of its options model:
#
#     class Options(BaseModel):
#         secrets: tuple[FromEnvironment, ...]                # secrets = ["HOOK_NEW", "HOOK_OLD"]
#         password: FromEnvironment | None = None             # password = "IMAP_PASSWORD"
#         token: FromEnvironment = environment("CHAT_TOKEN")  # may be left out of the TOML
#
# In the TOML stands the *name* of an environment variable; in the validated model stands the
# Secret that `config.load` read from that variable, or from the file that `<NAME>_FILE` names.
# A missing one is a problem at the field's own path. A test hands the model a ready
# `Secret(value=...)`; further checks (length, prefix) are ordinary `field_validator`s on the
# Secret that raise ValueError with a sentence that does not repeat the value.
FromEnvironment = Annotated[Secret, PlainValidator(_from_environment)]


def environment(name: str) -> Any:
    """The default of a FromEnvironment field: the variable that is read when none is named."""
    return Field(default=name, validate_default=True)

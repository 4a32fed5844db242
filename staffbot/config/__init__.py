"""TOML and secrets from the environment -> Settings; the rest of the house never sees the file."""

from staffbot.config.environment import DATABASE_URL, IDENTITY_KEY, PROXY, identity_key
from staffbot.config.load import load

__all__ = ["DATABASE_URL", "IDENTITY_KEY", "PROXY", "identity_key", "load"]

"""TOML and secrets from the environment -> Settings; the rest of the house never sees the file.

load         from a file to Settings              reading      the TOML itself
tables       what may stand in it                 values       the kinds of value in it
teams        one team, or several                 machine      database, key, proxy, ports
references   routes, staff, services              plugged      sources and doors
environment  secrets                              writing      values as TOML
problems     everything that is wrong             wording      in a person's words
"""

from staffbot.config.environment import DATABASE_URL, IDENTITY_KEY, PROXY, identity_key
from staffbot.config.load import load

__all__ = ["DATABASE_URL", "IDENTITY_KEY", "PROXY", "identity_key", "load"]

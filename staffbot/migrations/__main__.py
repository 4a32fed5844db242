"""`python -m staffbot.migrations`: brings a database to the newest form.

STAFFBOT_MIGRATE_URL names it. This runs as a process of its own, so that a long-lived bot need not
carry Alembic. With `new TITLE` it writes the next version from the difference between that
database and tables.py. Knows no settings.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

HERE = Path(__file__).parent


def config_for(url: str) -> Config:
    """Alembic's configuration for a database, without a file of its own."""
    config = Config()
    # Alembic reads these two as ConfigParser text, in which a percent sign has a meaning.
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["url"] = url
    return config


def next_revision(config: Config) -> str:
    """The number of the version after the newest."""
    newest = ScriptDirectory.from_config(config).get_current_head()
    return f"{int(newest or 0) + 1:04}"


def main(arguments: list[str]) -> str | None:
    """What went wrong, in one line, or None."""
    url = os.environ.get("STAFFBOT_MIGRATE_URL", "")
    if not url:
        return "STAFFBOT_MIGRATE_URL is not set; use `staffbot migrate`"
    config = config_for(url)
    try:
        match arguments:
            case []:
                command.upgrade(config, "head")
            case ["new", title]:
                command.revision(config, title, autogenerate=True, rev_id=next_revision(config))
            case _:
                return "usage: python -m staffbot.migrations [new TITLE]"
    except SQLAlchemyError as problem:
        # The driver's own words only: a statement may carry what stands in the tables.
        return str(getattr(problem, "orig", None) or problem).splitlines()[0]
    except (CommandError, OSError) as problem:
        return str(problem)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

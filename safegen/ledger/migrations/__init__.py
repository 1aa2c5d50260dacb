"""Schema migrations (Alembic), shipped with the package. Imported only when one has to run."""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

# Alembic keeps the running migration in module globals.
_ALONE = threading.Lock()


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings for the ledger, without any ini file."""
    settings = Config()
    # Alembic interpolates "%" like configparser does.
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the schema to *revision* inside the caller's transaction; does nothing when it is there."""
    with _ALONE:
        command.upgrade(config(connection), revision)


def head() -> str | None:
    """The newest revision shipped."""
    return ScriptDirectory.from_config(config()).get_current_head()

"""A PostgreSQL server for tests: a fresh cluster in a folder of its own, reached through a socket in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLACES = ("/usr/lib/postgresql", "/usr/pgsql", "/usr/local/pgsql", "/opt/homebrew/opt/postgresql")
USER = "postgres"


def programs() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``, which Debian keeps off the path; None where there are none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    beside = [p.parent for place in PLACES for p in Path(place).glob("**/bin/initdb")]
    return max(beside, default=None)


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database on a server that is gone afterwards.

    PostgreSQL refuses to run as root: then it runs as the user that its package made.
    """
    folder = programs()
    assert folder is not None
    as_root = os.geteuid() == 0
    who = {"user": USER} if as_root else {}
    with tempfile.TemporaryDirectory(prefix="safegen-pg-", ignore_cleanup_errors=True) as place:
        if as_root:
            shutil.chown(place, USER)
        data, env = f"{place}/data", {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": place}

        def run(*command: str) -> None:
            subprocess.run(
                command, check=True, cwd=place, env=env, timeout=600, stdout=subprocess.DEVNULL, **who
            )

        run(f"{folder}/initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={place} -c fsync=off"
        run(f"{folder}/pg_ctl", "-D", data, "-w", "-l", f"{place}/log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://{USER}@/{USER}?host={place}"
        finally:
            run(f"{folder}/pg_ctl", "-D", data, "-m", "immediate", "stop")

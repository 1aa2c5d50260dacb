"""Moving a ledger to another database: SQLite to PostgreSQL and back, with nothing recorded in between.

The ledger is locked, checked, copied, and checked again in its new place. Then the old one is closed for good
(its rows stay), and the workspace's settings name the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safegen._util.files import write_durable
from safegen.errors import GateFailed, UsageError, WorkspaceError
from safegen.types import Json, JsonResult
from safegen.workspace.config import CONFIG_NAME, Workspace
from safegen.workspace.toml_edit import with_ledger_url

_SQLITE = "sqlite:///"
OLD_SUFFIX = ".moved"


@dataclass(frozen=True)
class Migration(JsonResult):
    """A ledger that was moved: *source* and *target* as URLs without passwords, entries, root (hex).

    ``old``: the file that the old ledger is in now, where it was one.
    """

    source: str
    target: str
    size: int
    root: str
    old: Path | None

    def to_dict(self) -> Json:
        """As ``safegen workspace migrate --json`` prints it."""
        old = None if self.old is None else str(self.old)
        return {"from": self.source, "to": self.target, "size": self.size, "root": self.root, "old": old}


def migrate(workspace: Workspace, url: str | None) -> Migration:
    """Move the workspace's ledger into the empty database at *url*; None: into its own SQLite file.

    Raises UsageError (it is there already, the database is not empty, a release is under way, safegen.toml
    cannot be changed safely), GateFailed (the ledger fails its check, before or after), LedgerError,
    KeyUnavailable, WorkspaceError. Until the very end the old ledger is the one that counts.
    """
    from safegen.ledger import copying
    from safegen.workspace.own_ledger import check_ledger_at
    from safegen.workspace.session import require_ledger

    workspace.require_trusted()
    require_ledger(workspace)
    own = f"{_SQLITE}{workspace.root / 'ledger.db'}"
    old, new = workspace.ledger_url, own if url is None else url
    if new == old:
        raise UsageError("the ledger is there already", hint="name another database")
    settings = _changed_settings(workspace, None if new == own else new)
    source = copying.open_database(old, read_only=False)
    target = copying.open_database(new, read_only=False)
    try:
        source.prepare()
        copying.require_empty(target)
        before = check_ledger_at(old, workspace)
        with copying.frozen(source) as rows:
            copying.require_settled(rows)
            copying.copy_rows(rows, target)
            after = check_ledger_at(new, workspace)
            if after.size < before.size or (after.size == before.size and after.root != before.root):
                raise GateFailed(
                    "the copy is not the ledger that was copied", hint="nothing was moved; empty the copy"
                )
            copying.close_for_good(rows)
    finally:
        source.close()
        target.close()
    _write(workspace, settings)
    return Migration(shown(old), shown(new), after.size, after.root, _put_aside(old))


def shown(url: str) -> str:
    """*url* without its password."""
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)


def _changed_settings(workspace: Workspace, url: str | None) -> str:
    """The new ``safegen.toml``, made before anything is moved. Raises UsageError, WorkspaceError."""
    file = workspace.root / CONFIG_NAME
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else "format = 1\n"
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{file} cannot be read", hint="check its permissions") from error
    return with_ledger_url(text, url)


def _write(workspace: Workspace, settings: str) -> None:
    """Let the settings name the new database; readable for their owner alone: the URL may hold a password."""
    file = workspace.root / CONFIG_NAME
    try:
        write_durable(file, settings.encode())
    except OSError as error:
        raise WorkspaceError(
            f"the ledger was moved, but {file} cannot be written: {error.strerror}",
            hint="set `url` under [ledger] in it yourself",
        ) from error


def _put_aside(url: str) -> Path | None:
    """Give the old ledger's file another name, so that nobody takes it for the ledger; its new name."""
    if not url.startswith(_SQLITE):
        return None
    file = Path(url.removeprefix(_SQLITE))
    aside = file.with_name(file.name + OLD_SUFFIX)
    number = 1
    while aside.exists():
        number += 1
        aside = file.with_name(f"{file.name}{OLD_SUFFIX}-{number}")
    try:
        file.rename(aside)
    except OSError:
        return file
    return aside

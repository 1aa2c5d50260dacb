"""The workspace's ledger, as commands open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from safegen.cli import _options

if TYPE_CHECKING:
    from safegen.ledger.store import Ledger
    from safegen.workspace.config import Workspace


@contextmanager
def open_readonly(workspace: Path | None) -> Iterator[Ledger]:
    """The workspace's ledger, read only. Raises UsageError where there is none."""
    from safegen.workspace.config import find_workspace
    from safegen.workspace.session import open_ledger

    with open_ledger(find_workspace(workspace)) as ledger:
        yield ledger


@contextmanager
def open_writing(workspace: Path | None, passphrase_file: Path | None) -> Iterator[tuple[Ledger, Workspace]]:
    """The workspace's ledger for appending, and the workspace. Raises UsageError where there is none."""
    from safegen.workspace.config import find_workspace
    from safegen.workspace.session import open_ledger_for_writing

    found = find_workspace(workspace)
    with open_ledger_for_writing(found, passphrase=_options.passphrase(passphrase_file)) as ledger:
        yield ledger, found

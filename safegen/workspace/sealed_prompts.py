"""Prompts that wait for a person, in a workspace that keeps none: encrypted, until the case is decided.

Neither the ledger nor a log has the prompt. What a reviewer has to see lies in ``held/prompts/N.sealed``
(0600), N being the decision's entry, under a key of its own (``keys/review.key``): a copy of the ledger, or
of either folder, shows nothing. Each is bound to its entry by the entry's commitment, so none can be shown
for another.
Some days after the decision it is removed (``[review] keep_days``), and with a redaction at once.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.files import write_durable
from safegen._util.logs import logger
from safegen._util.time import parse_moment
from safegen.errors import KeyUnavailable, LedgerError
from safegen.keys.files import locked_folder, read_private, write_private
from safegen.types import Json

if TYPE_CHECKING:
    from safegen.ledger.reader import LedgerReader
    from safegen.ledger.records import Entry
    from safegen.review.queue import Case
    from safegen.workspace.config import Workspace

_log = logger(__name__)

MAGIC = b"safegen-sealed/1\n"
KEY_NAME, SUFFIX = "review.key", ".sealed"
MAX_SEALED = 16 * 2**20
_KEY_BYTES, _NONCE_BYTES = 32, 12
NOT_KEPT = "not kept: see [review] in safegen.toml"


def seal_prompt(workspace: Workspace, entry: Entry, kept: Json) -> None:
    """Keep *kept* for the reviewer of *entry*: what its private part would have with ``keep_prompts``.

    The decision holds whether or not that works: a folder that cannot be written to is a warning in the log.
    """
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    config = workspace.config
    if config.keep_prompts or not config.seal_prompts:
        return
    nonce = secrets.token_bytes(_NONCE_BYTES)
    try:
        cipher = ChaCha20Poly1305(_key(workspace, create=True))
        sealed = cipher.encrypt(nonce, json.dumps(kept).encode(), _bound_to(entry))
        path = _path(workspace, entry.index)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durable(path, MAGIC + nonce + sealed)
    except (OSError, KeyUnavailable) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        _log.warning("the held prompt cannot be kept for its reviewer: %(why)s", {"why": why})


def open_sealed_prompt(workspace: Workspace, entry: Entry, private: Json | None) -> tuple[Json | None, str]:
    """What was sealed for *entry*, whose *private* part the ledger has; or None, and why in a few words.

    Only what has the digests that the ledger committed to is shown. Of a redacted entry nothing is.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    path = _path(workspace, entry.index)
    if private is None or not path.is_file():
        return None, "redacted" if private is None else NOT_KEPT
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SEALED)
        body = data.removeprefix(MAGIC)
        cipher = ChaCha20Poly1305(_key(workspace, create=False))
        plain = cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound_to(entry))
        kept: Json = json.loads(plain)
    except KeyUnavailable as error:
        return None, f"sealed, and its key cannot be used: {error}"
    except (OSError, InvalidTag, ValueError):
        return None, "sealed, but it cannot be opened: it was changed, or belongs to another decision"
    if any(kept.get(name) != value for name, value in private.items() if name != "findings"):
        return None, "sealed, but it is not what the ledger recorded"
    return kept, ""


def remove_sealed_prompt(workspace: Workspace, index: int) -> None:
    """Forget what was sealed for entry *index*. Raises LedgerError where it cannot be removed."""
    path = _path(workspace, index)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LedgerError(
            f"the sealed prompt {path} cannot be removed: {error.strerror}", hint="remove it by hand"
        ) from error


def remove_old_prompts(workspace: Workspace, ledger: LedgerReader, now: datetime) -> None:
    """Remove what nobody has to see any more: *now* is ``keep_days`` after the decision.

    What cannot be removed or made sense of stays for the next time, and is logged.
    """
    from safegen.review.queue import load_held_cases

    before = now - timedelta(days=workspace.config.keep_held_days)
    old = list(_sealed_before(workspace, before))
    if not old:
        return
    try:
        for case in load_held_cases(ledger, old):
            if _is_over(case, ledger.private(case.index), before):
                remove_sealed_prompt(workspace, case.index)
    except LedgerError as error:
        _log.warning("sealed prompts were left alone: %(why)s", {"why": str(error)})


def _is_over(case: Case, private: Json | None, before: datetime) -> bool:
    """Whether the *case* was decided before *before*, or needs no person at all."""
    from safegen.review.queue import OPEN_STATES

    if case.status == "passed" or private is None:
        return True
    return case.status not in OPEN_STATES and parse_moment(case.steps[-1].time) <= before


def _sealed_before(workspace: Workspace, before: datetime) -> Iterator[int]:
    """The entries for which something was sealed before that time: no younger case was decided before it."""
    with suppress(OSError):
        for path in sorted(_path(workspace, 0).parent.iterdir()):
            named = path.suffix == SUFFIX and path.stem.isascii() and path.stem.isdecimal()
            if named and path.stat().st_mtime <= before.timestamp():
                yield int(path.stem)


def _path(workspace: Workspace, index: int) -> Path:
    return workspace.root / "held" / "prompts" / f"{index}{SUFFIX}"


def _bound_to(entry: Entry) -> bytes:
    """What ties a sealed prompt to its entry: its number and salted commitment."""
    return f"{entry.index} {entry.commitment}".encode()


def _key(workspace: Workspace, *, create: bool) -> bytes:
    """The key that seals; with *create* made on first use. Raises KeyUnavailable."""
    path = workspace.keys / KEY_NAME
    if create and not path.exists():
        with locked_folder(workspace.keys):
            if not path.exists():
                write_private(path, secrets.token_bytes(_KEY_BYTES))
    key = read_private(path, limit=_KEY_BYTES)
    if len(key) != _KEY_BYTES:
        raise KeyUnavailable(f"{path.name} is not a key", hint=f"restore {path} from a backup")
    return key

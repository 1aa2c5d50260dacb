"""The credentials of a file nobody vouches for, read in a sandboxed child with limits.

A manifest store is a deep structure that a stranger wrote: it can crash its reader or keep it busy for hours.
The child (``safegen.media``) is given the open file, the trust anchors and nothing else; what it answers is
plain JSON, checked against the types of the evidence. A file that cannot be examined within the limits is
CheckUnavailable: neither good nor bad.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from safegen.credentials._plain import from_plain
from safegen.credentials.thumbnail import KINDS, MAX_BYTES
from safegen.errors import CheckUnavailable, SafegenError, UnreadableInput, UsageError
from safegen.media import _start
from safegen.media._channel import NoAnswer, child_messages
from safegen.types import CredentialsEvidence

_MODULE = "safegen.credentials._examine"
MAX_MEMORY = 6 * 2**30
"""Bytes of address space."""
BASE_SECONDS, BYTES_A_SECOND, FRAGMENT_SECONDS = 10, 20 * 2**20, 0.5
"""Seconds of processor time: a small file's take milliseconds, a large one's are spent on its hash."""
_PATIENCE = 4
"""How much longer than its processor time the child may take on a busy machine."""
_ERRORS: dict[str, type[SafegenError]] = {
    "UnreadableInput": UnreadableInput,
    "UsageError": UsageError,
    "CheckUnavailable": CheckUnavailable,
}


def prepare() -> None:
    """Get ready to read credentials, without waiting: called early, they are there sooner."""
    _start.prepare(_MODULE)


def read_credentials(
    path: Path,
    *,
    anchors_pem: Sequence[bytes | str] = (),
    tsa_anchors_pem: Sequence[bytes | str] = (),
    at: datetime | None = None,
    manifest: bytes | None = None,
    crls: Sequence[bytes] = (),
    fragments: Sequence[Path] = (),
) -> CredentialsEvidence:
    """As ``read.read_credentials``, in a child; never over the network.

    Raises as that does; CheckUnavailable where the limits were not enough or the child crashed.
    """
    job = {
        "op": "evidence",
        "anchors": _texts(anchors_pem),
        "tsa_anchors": _texts(tsa_anchors_pem),
        "at": None if at is None else at.isoformat(),
        "crls": _texts(crls),
        "manifest": None if manifest is None else _texts([manifest])[0],
    }
    files = {"input": path, **{f"fragment{i}": part for i, part in enumerate(fragments)}}
    message, store = _ask(files, job)
    try:
        found = from_plain(CredentialsEvidence, message.get("evidence"))
    except (ValueError, RecursionError) as error:
        raise _senseless(path) from error
    return found if store is None else replace(found, store=bytes(store))


def carries_credentials(path: Path) -> bool:
    """As ``open_store.carries_credentials``, in a child. Raises UnreadableInput, CheckUnavailable."""
    answer = _ask({"input": path}, {"op": "carries"})[0].get("answer")
    if not isinstance(answer, bool):
        raise _senseless(path)
    return answer


def read_thumbnail(path: Path) -> tuple[str, bytes] | None:
    """As ``thumbnail.read_thumbnail``, in a child: MIME type and bytes of a small picture, for showing."""
    try:
        message, data = _ask({"input": path}, {"op": "thumbnail"})
    except SafegenError:
        return None
    kind = message.get("kind")
    if data is None or not isinstance(kind, str) or kind not in KINDS:
        return None
    return (kind, bytes(data)) if len(data) <= MAX_BYTES and data.startswith(KINDS[kind]) else None


def _ask(files: dict[str, Path], job: dict[str, Any]) -> tuple[dict[str, Any], bytearray | None]:
    """The child's answer. Raises CheckUnavailable, and what it was refused with."""
    path = files["input"]
    seconds = _seconds(files)
    whole = {
        **job,
        "module": _MODULE,
        "shown": {name: str(file) for name, file in files.items()},
        "max_bytes": MAX_MEMORY,
        "max_seconds": seconds,
    }
    answers = child_messages(files, whole, seconds * _PATIENCE)
    try:
        for message, data in answers:
            if message["type"] == "refused":
                kind = _ERRORS.get(str(message.get("kind")), CheckUnavailable)
                raise kind(str(message.get("message"))[:2000], hint=str(message.get("hint") or "")[:2000])
            return message, data
    except NoAnswer as error:
        why = (
            f"within {seconds} s"
            if error.late
            else f"with {MAX_MEMORY >> 30} GB of memory or without a crash"
        )
        raise CheckUnavailable(
            f"{path}: the credentials could not be examined {why}",
            hint="they may have been made to be costly: treat the file as unverified",
        ) from error
    finally:
        answers.close()
    raise _senseless(path)


def _seconds(files: dict[str, Path]) -> int:
    """Seconds of processor time for these files. A missing one takes none: opening it says so."""
    size = sum(file.stat().st_size for file in files.values() if file.is_file())
    return round(BASE_SECONDS + size / BYTES_A_SECOND + FRAGMENT_SECONDS * (len(files) - 1))


def _senseless(path: Path) -> CheckUnavailable:
    return CheckUnavailable(
        f"{path}: the credentials could not be examined: the child's answer makes no sense",
        hint="treat the file as unverified",
    )


def _texts(blobs: Sequence[bytes | str]) -> list[str]:
    raw = (b.encode() if isinstance(b, str) else b for b in blobs)
    return [base64.b64encode(b).decode() for b in raw]

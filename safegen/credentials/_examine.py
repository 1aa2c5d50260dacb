"""In the sandboxed child: read the credentials of a file that was handed over; see ``in_child``."""

from __future__ import annotations

import base64
import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from safegen._util.time import parse_moment
from safegen.credentials._plain import to_plain
from safegen.errors import CheckUnavailable, SafegenError, UnreadableInput, UsageError
from safegen.media._child import Job, handle, send
from safegen.media.handles import Handle

MODULES = (
    "c2pa",
    "cryptography.hazmat.backends.openssl.backend",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.asymmetric.padding",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "cryptography.hazmat.primitives.asymmetric.utils",
    "cryptography.hazmat.primitives.hashes",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "cryptography.x509.ocsp",
    "cryptography.x509.oid",
    "cryptography.x509.verification",
    "rfc3161_client",
    "safegen.credentials.claim_signature",
    "safegen.credentials.claim_stamps",
    "safegen.credentials.cose",
    "safegen.credentials.embedded",
    "safegen.credentials.embedded_pictures",
    "safegen.credentials.embedded_stores",
    "safegen.credentials.library",
    "safegen.credentials.open_store",
    "safegen.credentials.read",
    "safegen.credentials.statements",
    "safegen.credentials.status_codes",
    "safegen.credentials.thumbnail",
    "safegen.keys.chain",
    "safegen.keys.ocsp",
    "safegen.keys.revocation",
    "safegen.ledger.timestamp",
)
"""What reading credentials needs, also what it imports late: a test compares it with the sources."""
_OURS = ("safegen", "cryptography", "c2pa")
_NO_FILES_MB = 1 << 20
"""c2pa works in memory, which is limited: no temporary file can be made here."""


class HandedPath(type(Path())):  # type: ignore[misc]
    """A path whose file is the one that was handed over; the path itself is for messages only."""

    source: Handle

    def open(self, *_: Any, **__: Any) -> Any:
        """The handed file from its start, for reading bytes."""
        return io.BufferedReader(Handle(self.source.fileno()), 1 << 16)

    def stat(self, **_: bool) -> os.stat_result:
        """What the system says about the open file."""
        return os.fstat(self.source.fileno())


class _Missed:
    """Notices modules that would have to be imported when no file can be opened any more."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, name: str, *_: Any) -> None:
        """Note one of ours."""
        if name.partition(".")[0] in _OURS:
            self.names.append(name)


def preload() -> None:
    """Import all that is needed."""
    for name in MODULES:
        importlib.import_module(name)
    from safegen.credentials import library

    library.MEMORY_MB = _NO_FILES_MB


def prepare(job: Job) -> None:
    """Nothing more."""


def work(job: Job, out: BinaryIO) -> None:
    """Send ``evidence``, ``carries`` or ``thumbnail``; ``refused`` for an error that names its cause."""
    missed = _Missed()
    sys.meta_path.insert(0, missed)
    try:
        message, payload = _DO[job["op"]](job)
    except (UsageError, CheckUnavailable) as error:
        kinds = (UnreadableInput, UsageError, CheckUnavailable)
        kind = next(k.__name__ for k in kinds if isinstance(error, k))
        message, payload = {"type": "refused", "kind": kind, **_words(error)}, b""
    finally:
        sys.meta_path.remove(missed)
    if missed.names:  # then what was found is not to be trusted, least of all an accusation
        what = f"the sandboxed child lacks {', '.join(missed.names[:3])}"
        message, payload = {"type": "refused", "kind": "CheckUnavailable", "message": what, "hint": ""}, b""
    send(out, message, payload)


def _words(error: SafegenError) -> Job:
    return {"message": str(error), "hint": error.hint}


def _path(job: Job, name: str) -> Path:
    path = HandedPath(job["shown"][name])
    path.source = handle(job, name)
    return path


def _evidence(job: Job) -> tuple[Job, bytes]:
    from safegen.credentials.read import read_credentials

    found = read_credentials(
        _path(job, "input"),
        anchors_pem=_blobs(job["anchors"]),
        tsa_anchors_pem=_blobs(job["tsa_anchors"]),
        at=None if job["at"] is None else parse_moment(job["at"]),
        manifest=None if job["manifest"] is None else base64.b64decode(job["manifest"]),
        crls=_blobs(job["crls"]),
        fragments=[_path(job, name) for name in job["files"] if name.startswith("fragment")],
    )
    message = {"type": "evidence", "evidence": to_plain(found)}
    if found.store is None:
        return message, b""
    return {**message, "bytes": len(found.store)}, found.store


def _carries(job: Job) -> tuple[Job, bytes]:
    from safegen.credentials.open_store import carries_credentials

    return {"type": "carries", "answer": carries_credentials(_path(job, "input"))}, b""


def _thumbnail(job: Job) -> tuple[Job, bytes]:
    from safegen.credentials.thumbnail import read_thumbnail

    found = read_thumbnail(_path(job, "input"))
    if found is None:
        return {"type": "thumbnail", "kind": None}, b""
    return {"type": "thumbnail", "kind": found[0], "bytes": len(found[1])}, found[1]


def _blobs(texts: Sequence[str]) -> list[bytes]:
    return [base64.b64decode(text) for text in texts]


_DO = {"evidence": _evidence, "carries": _carries, "thumbnail": _thumbnail}

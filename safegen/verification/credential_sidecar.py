"""Credentials that lie beside a file, as ``c2patool --sidecar`` and ``--manifest sidecar`` write them.

It is evidence like what a file carries: checked against the file's bytes, its signer against the user's own
trust. Whoever can put a file there gains nothing that they could not embed.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from safegen.errors import UnreadableInput
from safegen.types import CredentialState
from safegen.verification.collector import EvidenceCollector

SUFFIX = ".c2pa"
MAX_BYTES = 16 * 2**20
SIDECAR_STATES = frozenset({CredentialState.ABSENT, CredentialState.REMOTE_NOT_FETCHED})
"""States of a file whose credentials may lie beside it."""
LAYER = "credentials beside the file"


def read_sidecar_store(collector: EvidenceCollector) -> bytes | None:
    """The manifest store ``NAME.EXT.c2pa`` or ``NAME.c2pa`` beside the file, or None.

    What does not begin as a JUMBF box (ISO 19566-5) is noted and passed over: it is no manifest store.
    """
    path = collector.path
    for file in (path.with_name(path.name + SUFFIX), path.with_suffix(SUFFIX)):
        if file == path or not file.is_file():
            continue
        try:
            with file.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            collector.note(LAYER, f"{file.name} cannot be read: {error.strerror}")
            continue
        if len(data) > MAX_BYTES or data[4:8] != b"jumb":
            collector.note(LAYER, f"{file.name} is not a manifest store")
            continue
        return data
    return None


def may_be_anothers(path: Path) -> bool:
    """Whether credentials beside *path* that do not match it may be those of another file.

    ``clip.c2pa`` is the sidecar of ``clip.mp4`` as well as of ``clip.jpg``; ``clip.mp4.c2pa`` is of one only.
    """
    from safegen.credentials import formats

    if path.with_name(path.name + SUFFIX).is_file():
        return False
    try:
        beside = list(path.parent.iterdir())
    except OSError:
        return True  # a folder that cannot be listed: nothing is known, nobody accused
    for file in beside:
        if file.stem == path.stem and file.name != path.name and file.is_file():
            with suppress(UnreadableInput):
                if formats.detect(file).mime is not None:
                    return True
    return False

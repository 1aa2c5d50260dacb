"""Look up pictures in the user's own ledger, through an index file beside it that is only a cache."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from safegen._util.files import write_durable
from safegen.errors import LedgerError, UnreadableInput, UsageError

if TYPE_CHECKING:
    from safegen.detectors.provenance.index import Index
    from safegen.detectors.provenance.search import ReleaseMatch
    from safegen.ledger.reader import LedgerReader
    from safegen.types import FrameSample, Json

__all__ = ["INDEX_NAME", "open_index", "search_releases", "search_to_json"]

INDEX_NAME = "fingerprints.idx"
"""The index's name in the workspace."""
_FRAMES, _SHORT_SIDE = 64, 360
_DAMAGED = "run `safegen log check`; restore the ledger from a copy"


def search_releases(ledger: LedgerReader, sample: FrameSample, file: Path | None) -> list[ReleaseMatch]:
    """The releases in *ledger* that *sample* shows, best first; each was compared with the ledger's record.

    *file*: where the index is kept; None keeps none. Raises LedgerError when the ledger is damaged,
    UnreadableInput for a sample without pictures.
    """
    from safegen.detectors.provenance.search import search

    def recorded(index: int) -> bytes:
        try:
            return ledger.release(index).descriptors
        except UsageError as error:
            raise _ForeignIndex from error

    try:
        return search(open_index(ledger, file), recorded, sample)
    except _ForeignIndex:
        if file is not None:
            file.unlink(missing_ok=True)
        return search(open_index(ledger, None), recorded, sample)


class _ForeignIndex(Exception):
    """The index names entries that are no releases: it is not to be used."""


def open_index(ledger: LedgerReader, file: Path | None) -> Index:
    """The index of every release in *ledger*: read from *file*, brought up to date, kept there again.

    One that is absent, damaged, of another ledger or of one that was since cut back is built anew. Where
    the file cannot be written it serves once. Raises LedgerError when recorded descriptors are damaged.
    """
    from safegen.detectors.provenance.index import IndexedRange

    index = _load_index(ledger, file)
    size = len(ledger)
    if index.upto.size == size:
        return index
    try:
        for release, packed in ledger.descriptors(index.upto.size):
            if release < size:
                index.add(release, packed)
    except UnreadableInput as error:
        raise LedgerError(f"recorded descriptors are damaged: {error}", hint=_DAMAGED) from error
    index = replace(index, upto=IndexedRange(ledger.origin, size, _leaf(ledger, size)))
    if file is not None:
        _write_index(index, file)
    return index


def _load_index(ledger: LedgerReader, file: Path | None) -> Index:
    """What *file* holds, if it is of this ledger; else an empty index."""
    from safegen.detectors.provenance.index import Index

    if file is None:
        return Index()
    try:
        index = Index.from_bytes(file.read_bytes())
    except OSError:
        index = None
    if index is None or not 0 < index.upto.size <= len(ledger):
        return Index()
    same = index.upto.origin == ledger.origin and index.upto.leaf == _leaf(ledger, index.upto.size)
    return index if same else Index()


def _leaf(ledger: LedgerReader, size: int) -> str:
    """SHA-256 of the last of the first *size* leaves: tells a ledger from one restored from a copy."""
    return sha256(ledger.entry(size - 1).leaf).hexdigest() if size else ""


def _write_index(index: Index, file: Path) -> None:
    """Keep the index. A folder that cannot be written keeps none: it is only a cache."""
    with suppress(OSError):
        write_durable(file, index.to_bytes())


def search_to_json(ledger: LedgerReader, path: Path, file: Path | None) -> list[Json]:
    """The releases that *path* shows, as JSON values: what ``safegen log find`` answers.

    Raises UnreadableInput when its pictures cannot be read, LedgerError when the ledger is damaged.
    """
    from safegen.media import sandbox

    sample = sandbox.sample_frames(path, frames=_FRAMES, short_side=_SHORT_SIDE)
    found = []
    for match in search_releases(ledger, sample, file):
        release = ledger.release(match.index)
        found.append(
            {
                "index": release.index,
                "content_id": f"{release.content_id:016x}",
                "manifest_id": release.manifest_id,
                "sha256": release.sha256,
                "withdrawn": release.withdrawn,
                "score": round(match.content.score, 4),
                "overlap": round(match.content.overlap, 4),
                "mirrored": match.mirrored,
                "cropped": match.cropped,
            }
        )
    return found

"""Fetching one file of a model into the Hugging Face cache: resumed after any break, hashed before it counts.

The library's own download starts a file anew when its process ended; files of a video model have ten
gigabytes, so what has arrived is kept here under a name of ours, beside the place where it will lie.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from safegen.errors import GenerationFailed, Interrupted
from safegen.generators.hub.cache import hub_cache, hub_endpoint, hub_library, repository_folder
from safegen.generators.hub.errors import translating_errors
from safegen.generators.hub.listing import HubFile
from safegen.generators.hub.lockfile import PinnedFile

if TYPE_CHECKING:
    from safegen.protocols import Progress

MEGABYTE = 1_000_000
_PART = ".safegen-part"


class DownloadProgress:
    """Counts bytes and tells a Progress of whole megabytes; stands in for the library's own bar."""

    def __init__(self, progress: Progress) -> None:
        """Count for *progress*."""
        self._progress = progress
        self._bytes = 0

    def update(self, amount: float | None = 1) -> None:
        """*amount* more bytes; less when the server starts a file anew. Raises Interrupted when cancelled."""
        before = self._bytes // MEGABYTE
        self._bytes += int(amount or 0)
        if (whole := self._bytes // MEGABYTE - before) > 0:
            self._progress.advance(whole)
        if self._progress.cancelled():
            raise Interrupted("stopped; the data received is kept, and the next pull continues from there")

    def __call__(self, **_kind: Any) -> DownloadProgress:
        """The library makes its bars by calling a class."""
        return self

    def __enter__(self) -> DownloadProgress:
        """Nothing to open."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing to close."""


def bytes_missing(source: str, files: tuple[HubFile, ...]) -> int:
    """Bytes still to come: of files that are not in the cache, less what has arrived of them."""
    blobs = repository_folder(source) / "blobs"
    total = 0
    for item in files:
        if _size(blobs / item.etag) != item.size:
            total += item.size - min(_size(_part(blobs, item)) or 0, item.size)
    return total


def fetch_file(source: str, commit: str, item: HubFile, meter: DownloadProgress) -> PinnedFile:
    """Have *item* in the cache, whole and with the content the hub lists; returns its SHA-256.

    A file that is there already is hashed too, and fetched again when it is not what it should be. Raises
    GenerationFailed, UsageError, Interrupted.
    """
    blobs = repository_folder(source) / "blobs"
    blob = blobs / item.etag
    sha256 = _checked(blob, item)
    if sha256 is None:
        blob.unlink(missing_ok=True)
        with translating_errors(source, commit):
            _download(source, commit, item, meter)
        sha256 = _checked(_part(blobs, item), item)
        if sha256 is None:
            _part(blobs, item).unlink(missing_ok=True)
            raise GenerationFailed(
                f"{item.path} of {source} does not match what the hub lists, and was discarded",
                hint="pull again; if it happens again, something between you and the hub is altering files",
            )
        _part(blobs, item).replace(blob)
    with translating_errors(
        source, commit
    ):  # now that the blob is there, this only links it into the snapshot
        hub_library().hf_hub_download(
            source,
            item.path,
            revision=commit,
            cache_dir=str(hub_cache()),
            endpoint=hub_endpoint(),
            library_name="safegen",
        )
    return PinnedFile(item.size, sha256)


def _download(source: str, commit: str, item: HubFile, meter: DownloadProgress) -> None:
    """Bring the rest of a file, from where the last try ended."""
    hub = hub_library()
    url = hub.hf_hub_url(source, item.path, revision=commit, endpoint=hub_endpoint())
    found = hub.get_hf_file_metadata(url, endpoint=hub_endpoint(), timeout=30, library_name="safegen")
    if found.etag != item.etag or found.size not in (None, item.size):
        raise GenerationFailed(f"the hub serves a different {item.path} of {source} from the one it lists")
    headers = dict(hub.utils.build_hf_headers(library_name="safegen"))
    if urlsplit(found.location).netloc != urlsplit(url).netloc:
        headers = {k: v for k, v in headers.items() if k.lower() != "authorization"}
    part = _part(repository_folder(source) / "blobs", item)
    part.parent.mkdir(parents=True, exist_ok=True)
    have = _size(part) or 0
    if have > item.size:
        part.unlink()
        have = 0
    with part.open("ab") as stream:
        meter.update(0)
        hub.file_download.http_get(
            found.location,
            stream,
            resume_size=have,
            headers=headers,
            expected_size=item.size,
            tqdm_class=meter,
        )
        stream.flush()
        os.fsync(stream.fileno())


def _checked(path: Path, item: HubFile) -> str | None:
    """SHA-256 (hex) of a file with the content that the hub lists; None for any other, or none."""
    if _size(path) != item.size:
        return None
    sha256 = hashlib.sha256()
    blob = hashlib.sha1(b"blob %d\0" % item.size, usedforsecurity=False)  # git's name of a file's content
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            sha256.update(piece)
            if item.sha256 is None:
                blob.update(piece)
    good = sha256.hexdigest() == item.sha256 if item.sha256 else blob.hexdigest() == item.etag
    return sha256.hexdigest() if good else None


def _part(blobs: Path, item: HubFile) -> Path:
    """Where the bytes of a file gather."""
    return blobs / f"{item.etag}{_PART}"


def _size(path: Path) -> int | None:
    """Bytes of a file; None where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return None

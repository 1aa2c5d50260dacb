"""What C2PA covers in a release, worked out anew: the judge of a yes must not be the one who said it.

A yes to a mutant is true only if the manifest store is there once and byte for byte, everything that the hard
binding covers is the same bytes (at the same places), and a decoder that shows anything shows the same.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.conformance.mutants.releases import Release, bindings
from safegen import Verdict

STORE_TYPE = bytes.fromhex("6332706100110010800000aa00389b71")
"""The UUID in the description box of a C2PA manifest store."""
CREDENTIALS_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
INTACT = {
    Verdict.SIGNED_UNLOGGED,
    Verdict.SIGNED_UNTRUSTED,
    Verdict.EXPIRED_BUT_LOGGED,
    Verdict.WITHDRAWN,
}
"""Verdicts that say of the content that it is as signed, and nothing of the record."""


@dataclass
class Original:
    """A release with all that a mutant of it is measured against."""

    release: Release
    ranges: tuple[tuple[int, int], ...] = ()
    """Start and end of what a hash over the whole file leaves out."""
    left_out: frozenset[bytes] = frozenset()
    """Kinds of top-level boxes that a hash over boxes leaves out, beside the credentials' own."""
    boxed: bool = False
    covered: bytes = field(default=b"", repr=False)
    shown: bytes | None = None

    @classmethod
    def of(cls, release: Release) -> Original:
        """Work out what covers *release*. Raises ValueError for a binding that is not understood."""
        found = cls(release)
        for binding in bindings(release):
            found.take(binding)
        found.covered = digest(found.covered_parts(release.data))
        found.shown = shown(release.data)
        return found

    def take(self, binding: dict[str, Any]) -> None:
        """Learn what *binding* leaves out."""
        label = binding["label"]
        if label.startswith("c2pa.hash.data"):
            self.ranges = tuple((e["start"], e["start"] + e["length"]) for e in binding.get("exclusions", []))
        elif label.startswith("c2pa.hash.bmff"):
            self.boxed = True
            paths = [e["xpath"] for e in binding["exclusions"]]
            self.left_out = frozenset(path[1:].encode() for path in paths if path != "/uuid")
            if any("/" in path[1:] for path in paths):
                raise ValueError(f"{self.release.container}: exclusions within boxes: {paths}")
        elif label.startswith("c2pa.hash.collection"):
            self.ranges = self._between_entries(binding["uris"])
        else:
            raise ValueError(f"{self.release.container}: {label} is not understood")

    def _between_entries(self, entries: dict[str, Any]) -> tuple[tuple[int, int], ...]:
        """What lies between the entries of an archive that are bound, up to the end of the store."""
        data = self.release.data
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            starts = {
                i.header_offset: entries[i.filename]["size"]
                for i in archive.infolist()
                if i.filename in entries
            }
        found, at = [], 0
        for start, size in sorted(starts.items()):
            found.append((at, start))
            at = start + size
        return (*found, (at, data.index(self.release.store) + len(self.release.store)))

    def covered_parts(self, data: bytes) -> Iterator[bytes]:
        """What the binding covers in *data*, piece by piece."""
        if self.boxed:
            yield from self._boxes(data)
            return
        at = 0
        for start, end in self.ranges:
            yield data[at:start]
            at = end
        yield data[at:]

    def _boxes(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            size, kind = struct.unpack_from(">I4s", data, at) if at + 8 <= len(data) else (0, b"")
            if size == 1 and at + 16 <= len(data):
                (size,) = struct.unpack_from(">Q", data, at + 8)
            end = at + size if size >= 8 and at + size <= len(data) else len(data)
            own = kind == b"uuid" and data[at + 8 : at + 24] == CREDENTIALS_BOX
            if not own and kind not in self.left_out:
                yield struct.pack(">Q", at) + data[at:end]
            at = end

    def same_store(self, data: bytes) -> bool:
        """Whether *data* holds the manifest store that was signed, once, and no other."""
        whole = _unwrapped(self.release.container, data)
        return whole.count(self.release.store) == 1 and whole.count(STORE_TYPE) == 1

    def wrong(self, verdict: Verdict, data: bytes) -> str | None:
        """Why *verdict* on the mutant *data* is a false yes; None where it is none."""
        if verdict is Verdict.VERIFIED:
            return "not the recorded bytes"
        if verdict is Verdict.VERIFIED_REPACKED:
            if not self.same_store(data):
                return "another manifest store"
            if digest(self.covered_parts(data)) != self.covered:
                return "bytes that C2PA covers differ"
        elif verdict in INTACT:
            known = len(data) == len(self.release.data)
            if known and digest(self.covered_parts(data)) != self.covered:
                return "bytes that C2PA covers differ"
        else:
            return None
        now = None if self.shown is None else shown(data)
        if now is not None and now != self.shown:
            return "a decoder shows something else"
        return None


def digest(parts: Iterator[bytes]) -> bytes:
    """SHA-256 of *parts*, each with its length."""
    found = hashlib.sha256()
    for part in parts:
        found.update(struct.pack(">Q", len(part)) + part)
    return found.digest()


def shown(data: bytes) -> bytes | None:
    """SHA-256 of all pictures and sound that a decoder makes of *data*; None where there are none."""
    import av

    found = hashlib.sha256()
    count = 0
    try:
        with av.open(io.BytesIO(data), metadata_errors="replace") as file:
            streams = [s for s in file.streams if s.type in ("video", "audio")]
            for frame in file.decode(streams) if streams else ():
                found.update(repr((type(frame).__name__, frame.format.name, frame.pts)).encode())
                found.update(frame.to_ndarray().tobytes())
                count += 1
    except (OSError, ValueError, av.FFmpegError):
        pass  # what came before is shown all the same
    return found.digest() if count else None


def _unwrapped(container: str, data: bytes) -> bytes:
    """*data* with a store that is written in pieces (GIF) or as text (SVG) put together."""
    if container == "gif":
        return _gif_block(data)
    if container == "svg":
        return _svg_text(data)
    return data


def _gif_block(data: bytes) -> bytes:
    """The sub-blocks of every application extension of C2PA, joined."""
    found, at = b"", 0
    while (at := data.find(b"C2PA_GIF", at)) >= 0:
        at += 11
        while at < len(data) and (size := data[at]):
            found += data[at + 1 : at + 1 + size]
            at += 1 + size
    return found


def _svg_text(data: bytes) -> bytes:
    """The text of every manifest element, decoded."""
    found = b""
    for piece in data.split(b"<c2pa:manifest")[1:]:
        text = piece.partition(b">")[2].partition(b"<")[0]
        with contextlib.suppress(ValueError):
            found += base64.b64decode(text)
    return found

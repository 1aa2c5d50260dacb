"""Does this file show what was released under that id? Descriptors of pictures, and their comparison.

A watermark can be lifted from one clip and pasted on another, so an id alone proves nothing about what
is seen. At release ``compute_descriptors`` keeps small luma pictures of evenly spaced frames;
``compare_content`` lays the examined file over them: in space with the geometry that the watermark's own
detector found (``_align``), in time at whatever speed and from whatever moment fits (``_timing``,
``_between``). It then asks whether the *structure* agrees (``_structure``): flat areas do not count, and
what moves must be at the same places at the same times. Two clips of one prompt with different seeds are
different clips. The answer has three values (``_judge``): the same, another, or unclear.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.provenance import _align
from safegen.detectors.provenance._judge import THRESHOLD, Judgement, judge, shows_another
from safegen.detectors.provenance._thumbs import SHORT, Plane, colour_variants, frame_plane, thumbnails
from safegen.errors import UnreadableInput
from safegen.types import ContentMatch, Geometry

if TYPE_CHECKING:
    from safegen.types import FrameSample

__all__ = ["MAX_BYTES", "THRESHOLD", "Descriptors", "compare_content", "compute_descriptors"]

MAX_BYTES = 60_000
_MAX_FRAMES = 24
_MAX_SIDE = 4 * SHORT
_MAGIC = b"SGC1"
_HEADER = struct.Struct(">4sHHHf")
_HINT = "the recorded descriptors are damaged; restore the ledger from a backup"


@dataclass(frozen=True)
class Descriptors:
    """Luma pictures of a released clip: uint8 (n, h, w), short side 48, at ``times`` of ``seconds``.

    One pixel is 256/48 canonical pixels of the watermark (docs/watermark.md), so that its geometry
    applies directly.
    """

    pictures: NDArray[np.uint8]
    times: tuple[float, ...]
    seconds: float

    def to_bytes(self) -> bytes:
        """Compact form: a header, then zlib over times and pictures (differences along time)."""
        n, height, width = self.pictures.shape
        step = np.diff(self.pictures, axis=0, prepend=np.zeros((1, height, width), np.uint8))
        body = np.array(self.times, dtype=">f4").tobytes() + step.astype(np.uint8).tobytes()
        return _HEADER.pack(_MAGIC, n, height, width, self.seconds) + zlib.compress(body, 9)

    @classmethod
    def from_bytes(cls, data: bytes) -> Descriptors:
        """Read what ``to_bytes`` wrote. Raises UnreadableInput for anything else, however hostile."""
        if not _HEADER.size <= len(data) <= 4 * MAX_BYTES:
            raise UnreadableInput("the content descriptors have an impossible size", hint=_HINT)
        magic, n, height, width, seconds = _HEADER.unpack_from(data)
        sides = (height, width)
        if magic != _MAGIC or not 1 <= n <= _MAX_FRAMES or min(sides) < 1 or max(sides) > _MAX_SIDE:
            raise UnreadableInput("these are not content descriptors of a known version", hint=_HINT)
        size = n * (4 + height * width)
        try:
            unpacker = zlib.decompressobj()
            body = unpacker.decompress(data[_HEADER.size :], size)
            whole = len(body) == size and unpacker.decompress(unpacker.unconsumed_tail, 1) == b""
        except zlib.error as error:
            raise UnreadableInput("the content descriptors cannot be unpacked", hint=_HINT) from error
        if not whole or not unpacker.eof or unpacker.unused_data:
            raise UnreadableInput("the content descriptors have the wrong length", hint=_HINT)
        times = np.frombuffer(body, dtype=">f4", count=n).astype(float)
        if not (np.isfinite(times).all() and np.isfinite(seconds)):
            raise UnreadableInput("the content descriptors have impossible times", hint=_HINT)
        steps = np.frombuffer(body, dtype=np.uint8, offset=4 * n).reshape(n, height, width)
        return cls(np.cumsum(steps, axis=0, dtype=np.uint8), tuple(float(t) for t in times), float(seconds))


def compute_descriptors(sample: FrameSample) -> Descriptors:
    """Descriptors of a clip about to be released: up to 24 evenly spaced frames, at most 60 KB packed.

    Raises UnreadableInput for a sample without pictures.
    """
    if sample.frames.ndim != 4 or 0 in sample.frames.shape:
        raise UnreadableInput("there are no frames to describe", hint="check that the clip is not empty")
    count = min(_MAX_FRAMES, len(sample.frames))
    pictures = thumbnails(sample, range(len(sample.frames)))
    while True:
        chosen = np.unique(np.linspace(0, len(pictures) - 1, count).round().astype(int))
        made = Descriptors(pictures[chosen], tuple(sample.times[i] for i in chosen), sample.seconds)
        if count <= 2 or len(made.to_bytes()) <= MAX_BYTES:
            return made
        count -= max(1, count // 6)


def compare_content(
    reference: Descriptors, sample: FrameSample, geometry: Geometry | None, *, only_matches: bool = False
) -> ContentMatch:
    """Compare a file's pictures with the descriptors recorded for a release.

    *geometry* is the watermark reading's (its translation modulo the tile is resolved here); ``None``
    takes the picture as uncropped. ``overlap`` is the share of the released picture that was compared;
    ``share`` is below 1 where the file shows all of it among other things, as a window on a desktop.
    Without a geometry nobody knows where the file's picture lies on the release, so it never differs.
    *only_matches*: who only asks whether they match gets an answer sooner; ``differs`` is then never set.
    Never raises on odd pictures: what cannot be laid over the reference neither matches nor differs.
    """
    none = ContentMatch(matches=False, score=0.0, overlap=0.0, threshold=THRESHOLD)
    if sample.frames.ndim != 4 or 0 in sample.frames.shape:
        return none
    registered = geometry is not None and not only_matches
    found: list[Judgement] = []
    for shown in colour_variants(sample):
        plane = frame_plane(shown, geometry, reference.pictures.shape[1:])
        if plane is None:
            return none
        found += _judged(reference, shown, plane, registered=registered)
        if only_matches or any(j.matches for j in found):
            break
    if not found:
        return none
    best = max(found, key=lambda j: (j.matches, j.score))
    differs = registered and not best.matches and shows_another(found)
    if not best.matches and best.share < 1:
        return none  # the release may lie elsewhere in the file, partly beyond its border
    return ContentMatch(best.matches, best.score, best.overlap, THRESHOLD, best.share, differs)


def _judged(
    reference: Descriptors, sample: FrameSample, plane: Plane, *, registered: bool
) -> list[Judgement]:
    """What the likeliest alignments show, up to a match."""
    laid = _align.alignments(
        reference.pictures, reference.times, reference.seconds, plane, sample, likely=not registered
    )
    found: list[Judgement] = []
    for alignment in laid:
        found.append(judge(alignment, len(reference.pictures), registered=registered))
        if found[-1].matches:
            break
    return found

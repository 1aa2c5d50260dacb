"""Have we made this? Candidates from the index, each compared with what the ledger itself recorded.

Found are whole copies, upright or mirrored, with bars, at another size, aspect, rate, quality or brightness,
parts of them in time, single pictures, and upright or mirrored crops of the whole clip down to about 70%
of the sides. Turned pictures and smaller crops need the mark's geometry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from safegen.detectors.provenance._register import register_crop
from safegen.detectors.provenance.content import Descriptors, compare_content, compute_descriptors
from safegen.detectors.provenance.fingerprint import crop_queries, whole_queries
from safegen.types import ContentMatch

if TYPE_CHECKING:
    from safegen.detectors.provenance.index import Index, NearRelease
    from safegen.types import FrameSample

__all__ = ["ReleaseMatch", "candidates", "search"]

COMPARED = 12
"""Candidates that are compared in full, whole and cropped each."""
_DARK = 32
_LEAST = 0.3


@dataclass(frozen=True)
class ReleaseMatch:
    """A release (its index in the ledger) that shows the same pictures, and how the file shows them."""

    index: int
    content: ContentMatch
    mirrored: bool = False
    cropped: bool = False


def candidates(index: Index, described: Descriptors, *, cropped: bool) -> list[NearRelease]:
    """The releases nearest to a file, from the index alone: pointers, nothing more."""
    queries = crop_queries(described) if cropped else whole_queries(described)
    return index.nearest_releases(queries, cropped=cropped, limit=COMPARED)


def search(index: Index, read_descriptors: Callable[[int], bytes], sample: FrameSample) -> list[ReleaseMatch]:
    """Releases that *sample* shows, best first. *recorded* gives a release's descriptors from the ledger.

    Raises UnreadableInput for a sample without pictures or damaged descriptors.
    """
    shown = [sample]
    trimmed = _trim(sample)
    if trimmed is not sample:
        shown.append(trimmed)
    for cropped in (False, True):
        found = [m for view in shown for m in _search_view(index, read_descriptors, view, cropped)]
        if found:
            return _best_of_each(found)
    return []


def _search_view(
    index: Index, recorded: Callable[[int], bytes], sample: FrameSample, cropped: bool
) -> list[ReleaseMatch]:
    views = {False: sample, True: _mirror(sample)}
    near = candidates(index, compute_descriptors(sample), cropped=cropped)
    found = (_compare_candidate(n, recorded(n.index), views, cropped) for n in near)
    return [match for match in found if match is not None]


def _trim(sample: FrameSample) -> FrameSample:
    """*sample* without dark bars at its edges; itself where there are none, or hardly anything else."""
    bright = sample.frames.max(axis=(0, 3)) >= _DARK
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    tall, wide = bright.shape
    if len(rows) == 0:
        return sample
    high, broad = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
    if (high, broad) == (tall, wide) or min(high / tall, broad / wide) < _LEAST:
        return sample
    cut = sample.frames[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return replace(
        sample,
        frames=np.ascontiguousarray(cut),
        width=max(1, round(sample.width * broad / wide)),
        height=max(1, round(sample.height * high / tall)),
    )


def _compare_candidate(
    near: NearRelease, packed: bytes, views: dict[bool, FrameSample], cropped: bool
) -> ReleaseMatch | None:
    """A candidate, laid over what was recorded; None when it does not match."""
    if not packed:
        return None
    reference, sample = Descriptors.from_bytes(packed), views[near.mirrored]
    geometry = register_crop(reference, sample) if cropped else None
    if cropped and geometry is None:
        return None
    content = compare_content(reference, sample, geometry, only_matches=True)
    return ReleaseMatch(near.index, content, near.mirrored, cropped) if content.matches else None


def _mirror(sample: FrameSample) -> FrameSample:
    return replace(sample, frames=np.ascontiguousarray(sample.frames[:, :, ::-1]))


def _best_of_each(found: Sequence[ReleaseMatch]) -> list[ReleaseMatch]:
    best: dict[int, ReleaseMatch] = {}
    for match in found:
        if match.index not in best or match.content.score > best[match.index].content.score:
            best[match.index] = match
    return sorted(best.values(), key=lambda m: -m.content.score)

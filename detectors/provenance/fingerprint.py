"""Have we made this? A search by content, for files whose credentials and mark are both gone.

Small and exact: every release's descriptors are reduced to a unit vector (coarse high-passed pictures at
fixed fractions of the clip), the nearest ones are compared in full (``content.compare``). It finds
whole, upright copies; crops, flips and rotations need the mark's geometry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.provenance.content import Descriptors, compare, describe
from safegen.types import ContentMatch

if TYPE_CHECKING:
    from safegen.types import FrameSample

__all__ = ["NEAR", "Match", "search", "signature"]

NEAR = 0.5
"""Cosine similarity from which a release is compared in full; a filter, it accepts nothing by itself."""
_FULL = 3
_MOMENTS = (0.1, 0.37, 0.63, 0.9)
_SIDE = 16


@dataclass(frozen=True)
class Match:
    """A release (its index in the ledger) that shows the same pictures."""

    index: int
    content: ContentMatch


def signature(described: Descriptors) -> NDArray[np.float32]:
    """Unit vector float32 (4 * 16 * 16,) of a clip's coarse structure; zeros for a flat clip."""
    import cv2

    parts = []
    for moment in _MOMENTS:
        picture = described.pictures[round(moment * (len(described.pictures) - 1))].astype(np.float32)
        small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        parts.append(small - cv2.GaussianBlur(small, (0, 0), 3))
    vector = np.concatenate([p.ravel() for p in parts])
    norm = float(np.linalg.norm(vector))
    return (vector / norm if norm > 0 else vector).astype(np.float32)


def search(releases: Iterable[tuple[int, bytes]], sample: FrameSample) -> list[Match]:
    """Releases among *releases* (index, packed descriptors) that *sample* shows, best first.

    Descriptors that cannot be read raise UnreadableInput: a damaged ledger does not answer "no".
    """
    wanted = signature(describe(sample))
    near: list[tuple[float, int, Descriptors]] = []
    for index, packed in releases:
        if not packed:
            continue
        described = Descriptors.from_bytes(packed)
        likeness = float(signature(described) @ wanted)
        if likeness >= NEAR:
            near.append((likeness, index, described))
    near.sort(key=lambda item: -item[0])
    found = [Match(index, compare(described, sample, None)) for _, index, described in near[:_FULL]]
    return sorted((m for m in found if m.content.matches), key=lambda m: -m.content.score)

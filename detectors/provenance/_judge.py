"""Same pictures, another content, or unclear: three outcomes, each on evidence of its own.

*Same* needs agreement: of the pictures, and of what moves in them. *Another content* needs more than a lack
of it. The file must show structure that the release does not have, and lack the release's; and its own
pictures must follow each other so closely that, were it the release, a recorded moment would look like the
file's pictures around it. Whatever lies between, or moves too fast for the pictures that were looked at,
is unclear.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safegen.detectors.provenance._align import Alignment
from safegen.detectors.provenance._structure import (
    Agreement,
    Pictures,
    moving_parts,
    same_contrast,
    structural_agreement,
)

__all__ = ["THRESHOLD", "Judgement", "judge"]

THRESHOLD = 0.86
"""Score from which two clips count as the same pictures; how it was set is in docs/watermark.md."""
_LEAST_INSIDE = 0.9
"""Share of a file's time that must be the release's for the file to count as the same."""
_RESOLVED = 0.8
"""Agreement of neighbouring pictures of a file from which on motion is seen as it is."""
_CREDIT = 0.6
"""What each point of agreement below that takes off the agreement of motion that is expected."""
_MOST_COVERED = 0.2
"""Share of the picture that logos, captions and frames may cover."""
_UNLIKE = 0.35
"""Agreement under which pictures are unlike; unrelated ones reach 0.2, honest renditions rarely under 0.7."""
_COHERENT = 0.7
"""Agreement of neighbouring pictures without which a missing likeness says nothing."""
_LEAST_PAIRS = 4


@dataclass(frozen=True)
class Judgement:
    """What one alignment shows. ``score`` in [-1, 1]; at most one of ``matches`` and ``differs``."""

    score: float
    matches: bool
    differs: bool
    overlap: float
    share: float


def judge(laid: Alignment, recorded: int) -> Judgement:
    """Judge one alignment with a release of which *recorded* pictures are kept."""
    sample = same_contrast(laid.reference, laid.sample, laid.mask)
    whole = structural_agreement(laid.reference, sample, laid.mask)
    motion = _motion(laid.reference, sample, laid.mask)
    own = _motion(laid.before, laid.after, laid.mask)
    score = _score(whole, motion, own)
    if score < THRESHOLD and motion.either is not None and _moved(motion, own) >= THRESHOLD:
        clear = _uncovered(laid.reference, sample, laid.mask)
        if clear is not None:
            whole = structural_agreement(laid.reference, sample, clear)
            score = _score(whole, motion, own)
    if laid.inside < _LEAST_INSIDE:  # the rest of the file is nobody's word
        score = min(score, laid.inside * THRESHOLD)
    matches = score >= THRESHOLD
    differs = not matches and _differs(laid, recorded, whole, motion, own)
    return Judgement(score, matches, differs, laid.overlap, laid.share)


def _motion(reference: Pictures, sample: Pictures, mask: NDArray[np.bool_]) -> Agreement:
    """Agreement of what differs from each side's still background; nothing to say of two pictures or one."""
    if len(reference) <= 2:
        return Agreement(None, None, None)
    return structural_agreement(moving_parts(reference), moving_parts(sample), mask)


def _moved(motion: Agreement, own: Agreement) -> float:
    """Agreement of motion, with credit for what the file's pictures are too far apart to show."""
    assert motion.either is not None
    known = _RESOLVED if own.either is None else own.either
    return min(1.0, motion.either + _CREDIT * max(0.0, _RESOLVED - known))


def _score(whole: Agreement, motion: Agreement, own: Agreement) -> float:
    told = [] if whole.either is None else [whole.either]
    if motion.either is not None:
        told.append(_moved(motion, own))
    return min(told) if told else 0.0


def _uncovered(reference: Pictures, sample: Pictures, mask: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """*mask* without what lies still over the file's picture and is not the release's; None if too large."""
    ours, theirs = (np.median(p, axis=0).astype(np.float32) for p in (reference, sample))
    size = (5, 5)
    means = [cv2.blur(p, size) for p in (ours, theirs)]
    spread = [
        np.maximum(cv2.blur(p * p, size) - m * m, 0) for p, m in zip((ours, theirs), means, strict=True)
    ]
    shared = cv2.blur(ours * theirs, size) - means[0] * means[1]
    like = shared / np.sqrt((spread[0] + 4) * (spread[1] + 4))
    odd = (np.maximum(*spread) > 30) & (like < 0.6) & mask
    covered = cv2.dilate(odd.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    clear = mask & ~covered
    if clear.sum() < (1 - _MOST_COVERED) * mask.sum():
        return None
    return np.asarray(clear)


def _differs(laid: Alignment, recorded: int, whole: Agreement, motion: Agreement, own: Agreement) -> bool:
    """Whether an alignment, the best there is, shows another content."""
    if len(laid.reference) < min(_LEAST_PAIRS, recorded):
        return False
    around = structural_agreement(laid.before, laid.after, laid.mask)
    return (_unlike(whole) and _coherent(around)) or (_unlike(motion) and _coherent(own))


def _unlike(agreement: Agreement) -> bool:
    """Both sides show structure that the other one has not."""
    told = (agreement.either, agreement.ours, agreement.theirs)
    return all(value is not None and value < _UNLIKE for value in told)


def _coherent(own: Agreement) -> bool:
    return own.either is not None and own.either >= _COHERENT

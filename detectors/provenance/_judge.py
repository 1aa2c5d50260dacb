"""Same pictures, another content, or unclear: three outcomes, each on evidence of its own.

*Same* needs agreement: of the pictures, and of what moves in them. *Another content* needs more than a lack
of it. The file must show structure that the release does not have, and lack the release's; and its own
pictures must follow each other so closely that, were it the release, a recorded moment would look like the
file's pictures around it. Whatever lies between, or moves too fast for the pictures that were looked at,
is unclear.
"""

from __future__ import annotations

from collections.abc import Sequence
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

__all__ = ["THRESHOLD", "Judgement", "judge", "shows_another"]

THRESHOLD = 0.86
"""Score from which two clips count as the same pictures; how it was set is in docs/watermark.md."""
_LEAST_OVERLAP = 0.05
"""Share of the released picture that must be compared for a match."""
_LEAST_INSIDE = 0.9
"""Share of a file's time that must be the release's for the file to count as the same."""
_RESOLVED = 0.8
"""Agreement of neighbouring pictures of a file from which on motion is seen as it is."""
_CREDIT = 0.7
"""What each point of agreement below that takes off the agreement of motion that is expected."""
_MOST_COVERED = 0.35
"""Share of the picture that logos, captions and frames may cover."""
_MARGIN = 0.2
"""They lie within this share of the sides from an edge."""
_CLEAR = 0.9
"""Score that the rest of the picture must reach."""
_UNUSUAL = 0.1
"""What a file that is both cut and changed in speed must score more: more freedom fits more contents."""
_UNLIKE = 0.35
"""Agreement under which pictures are unlike; unrelated ones reach 0.2, honest renditions rarely under 0.7."""
_COHERENT = 0.45
"""Agreement of neighbouring pictures of a file without which a missing likeness says nothing."""
_HALF = 0.5
"""Another content agrees less than this much as well as the file's neighbouring pictures do."""
_LEAST_PAIRS = 4
_ANYWHEN = 0.5
"""Likeness of moving parts in any order from which a file may be the release reversed or rearranged."""
_WINDOW = (5, 5)


@dataclass(frozen=True)
class Judgement:
    """What one alignment shows; ``score`` in [-1, 1], ``overlap`` and ``share`` as in ``ContentMatch``.

    ``unlike``: the pictures as a whole are; ``another``: that is evidence of another content;
    ``moves_otherwise``: what moves is evidence of another content, though the background may be the same.
    """

    score: float
    unlike: bool
    another: bool
    moves_otherwise: bool
    overlap: float
    share: float

    @property
    def matches(self) -> bool:
        """Whether the file shows the release under this alignment."""
        return self.score >= THRESHOLD and self.overlap >= _LEAST_OVERLAP


def judge(laid: Alignment, recorded: int, *, registered: bool) -> Judgement:
    """Judge one alignment with a release of which *recorded* pictures are kept.

    *registered*: a mark says where the picture lies, so that still parts that are elsewhere are not the
    release's; otherwise the picture may lie elsewhere.
    """
    sample = same_contrast(laid.reference, laid.sample, laid.mask)
    whole = structural_agreement(laid.reference, sample, laid.mask)
    motion = _motion(laid.reference, sample, laid.mask)
    own = _motion(laid.before, laid.after, laid.mask)
    score = _score(whole, motion, own)
    if registered and score < THRESHOLD and motion.either is not None:
        score = max(score, _uncovered_score(laid, sample))
    if not laid.usual:
        score -= _UNUSUAL
    if laid.inside < _LEAST_INSIDE:  # nothing is known of the rest of the file
        score = min(score, laid.inside * THRESHOLD)
    enough = len(laid.reference) >= min(_LEAST_PAIRS, recorded) and score < THRESHOLD
    around = structural_agreement(laid.before, laid.after, laid.mask)
    return Judgement(
        score,
        unlike=_unlike(whole, None),
        another=enough and _unlike(whole, around),
        moves_otherwise=enough and _unlike(motion, own) and laid.anywhen < _ANYWHEN,
        overlap=laid.overlap,
        share=laid.share,
    )


def shows_another(judged: Sequence[Judgement]) -> bool:
    """Whether all alignments together are evidence of another content: the likeliest one, or all, say so."""
    best = max(judged, key=lambda j: j.score)
    if best.overlap < _LEAST_OVERLAP:
        return False
    return best.moves_otherwise or (all(j.unlike for j in judged) and any(j.another for j in judged))


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


def _uncovered_score(laid: Alignment, sample: Pictures) -> float:
    """The score where nothing lies over the picture (logos, captions, frames); -1 if that is too little.

    Only what moves tells a thing that was laid over a release from another still content: without
    agreement of motion there is no such score.
    """
    clear = _uncovered(laid.reference, sample, laid.mask)
    if clear is None:
        return -1.0
    motion, own = _motion(laid.reference, sample, clear), _motion(laid.before, laid.after, clear)
    if motion.either is None:
        return -1.0
    score = _score(structural_agreement(laid.reference, sample, clear), motion, own)
    return score if score >= _CLEAR else -1.0


def _uncovered(reference: Pictures, sample: Pictures, mask: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """*mask* without what lies still over the file's picture and is not the release's; None if too large."""
    ours, theirs = (np.median(p, axis=0).astype(np.float32) for p in (reference, sample))
    mean_r, mean_s = cv2.blur(ours, _WINDOW), cv2.blur(theirs, _WINDOW)
    var_r, var_s = (
        np.maximum(cv2.blur(p * p, _WINDOW) - m * m, 0) for p, m in ((ours, mean_r), (theirs, mean_s))
    )
    like = (cv2.blur(ours * theirs, _WINDOW) - mean_r * mean_s) / np.sqrt((var_r + 4) * (var_s + 4))
    margin = np.ones_like(mask)
    tall, wide = (round(_MARGIN * n) for n in mask.shape)
    margin[tall : mask.shape[0] - tall, wide : mask.shape[1] - wide] = False
    odd = (var_s > 30) & (like < 0.6) & mask & margin
    clear = mask & ~odd
    return np.asarray(clear) if clear.sum() >= (1 - _MOST_COVERED) * mask.sum() else None


def _unlike(agreement: Agreement, neighbours: Agreement | None) -> bool:
    """Whether both sides show structure that the other one has not.

    With *neighbours*, the agreement of the file's own pictures: far less so than these, which are coherent.
    """
    most = _UNLIKE
    if neighbours is not None:
        if neighbours.either is None or neighbours.either < _COHERENT:
            return False
        most = min(most, _HALF * neighbours.either)
    told = (agreement.either, agreement.ours, agreement.theirs)
    return all(value is not None and value < most for value in told)

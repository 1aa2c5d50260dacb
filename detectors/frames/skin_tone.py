"""Attribute extractor: the skin tone of the people shown, on the Monk scale and as an ITA class.

Faces are found by the ``faces`` check's detector (YuNet), whose weights the user fetches; without them it
cannot run. Of each frame looked at the largest face counts. It reads skin as the picture's light shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from safegen.detectors.frames import _skin
from safegen.types import Attribute, CheckRun

if TYPE_CHECKING:
    from safegen.protocols import AttributeExtractor, Questions
    from safegen.types import Clip, Frame

NAME, VERSION = "skin_tone", "1"
LOOKED_AT = 8
"""Frames, spread over the clip."""


class SkinTone:
    """Reads ``skin_tone``, ``skin_tone_group`` and ``skin_ita``."""

    name = NAME

    def __init__(self, opened: Callable[[], Any]) -> None:
        """*opened* gives a detector with ``boxes(picture)``; it raises CheckUnavailable without one."""
        self._opened = opened
        self._faces: Any = None

    def prepare(self, questions: Questions) -> SkinTone:
        """Load the face detector; *questions* change nothing. Raises CheckUnavailable."""
        self._faces = self._faces or self._opened()
        return self

    def run(self, clip: Clip) -> tuple[Sequence[Attribute], CheckRun]:
        """The attributes of the clip. Raises CheckUnavailable when the face detector is not there."""
        self.prepare({})
        every = max(1, clip.count // LOOKED_AT)
        colours = [c for f in islice(clip, 0, None, every) if (c := self._colour(f)) is not None]
        found = {
            "skin_tone": _mean([_skin.tones(c) for c in colours] or [_skin.tones(None)]),
            "skin_tone_group": _mean(
                [_skin.grouped(_skin.tones(c)) for c in colours] or [_skin.grouped(_skin.tones(None))]
            ),
            "skin_ita": _mean([_skin.ita_class(c) for c in colours] or [_skin.ita_class(None)]),
        }
        by = f"{NAME}/{VERSION}"
        ran = CheckRun(NAME, f"{VERSION} {self._faces.version}", self._faces.digest)
        return tuple(Attribute(n, p, by, max(p.values())) for n, p in found.items()), ran

    def _colour(self, picture: Frame) -> NDArray[np.float64] | None:
        boxes = self._faces.boxes(picture)
        return _skin.skin_of(picture, max(boxes, key=lambda b: b[2] * b[3])) if boxes else None


def _mean(answers: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Frames without a face do not count."""
    return {k: float(np.mean([a[k] for a in answers])) for k in answers[0]}


def create() -> AttributeExtractor:
    """The plug-in."""
    from safegen.detectors.frames.faces import open_detector

    return SkinTone(open_detector)

"""Faces, by YuNet through OpenCV's ``FaceDetectorYN`` (``opencv/face_detection_yunet``, MIT).

The weights are not part of OpenCV's wheels: ``hf download opencv/face_detection_yunet``, or name the file's
folder in ``SAFEGEN_FACES``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from safegen.detectors.frames import _weights
from safegen.detectors.frames._classifier import ClassifierCheck
from safegen.errors import CheckUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safegen.protocols import FrameDetector
    from safegen.types import Frame

SOURCE, FILE = "opencv/face_detection_yunet", "face_detection_yunet_2023mar.onnx"
CONFIDENT = 0.6
"""Score from which something is a face; YuNet's own default of 0.9 misses small and turned ones."""
_OVERLAP, _MOST = 0.3, 5000
_SIDE = 1280
"""Larger pictures are scaled down to this long side for the search."""


class YuNet:
    """The loaded detector. Not for several threads at once."""

    batch = 1

    def __init__(self, file: Path) -> None:
        """Load *file* (ONNX). Raises CheckUnavailable."""
        import cv2

        try:
            self._net: Any = cv2.FaceDetectorYN.create(str(file), "", (320, 320), CONFIDENT, _OVERLAP, _MOST)
        except cv2.error as error:
            raise CheckUnavailable(
                f"{file.name} cannot be loaded",
                hint="fetch it again: it may be a Git LFS pointer instead of the model",
            ) from error
        self.version = f"{SOURCE}/{file.name}"
        self.digest = _weights.digest(file)

    def detect(self, picture: Frame) -> list[tuple[tuple[int, int, int, int], float]]:
        """Boxes (x, y, width, height in pixels) with scores in [0, 1]. Raises CheckUnavailable."""
        import cv2

        height, width = picture.shape[:2]
        scale = min(1.0, _SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = picture if scale == 1.0 else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        try:
            self._net.setInputSize(size)
            _, rows = self._net.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        except cv2.error as error:
            raise CheckUnavailable("the face detector failed on a picture") from error
        out = []
        for row in rows if rows is not None else ():
            if not np.isfinite(row).all():
                raise CheckUnavailable("the face detector returned an invalid position")
            x, y, w, h = (round(float(v) / scale) for v in row[:4])
            out.append(((x, y, w, h), float(row[-1])))
        return out

    def boxes(self, picture: Frame) -> list[tuple[int, int, int, int]]:
        """The places alone."""
        return [box for box, _ in self.detect(picture)]

    def scores(self, pictures: Sequence[Frame]) -> Sequence[Mapping[str, float]]:
        """How sure it is of the surest face of each picture; 0 without any."""
        return [{"face": max((min(1.0, s) for _, s in self.detect(p)), default=0.0)} for p in pictures]


def open_detector() -> YuNet:
    """A detector of one's own, as for hiding faces. Raises CheckAbsent, CheckUnavailable."""
    return YuNet(_weights.folder("faces", SOURCE, needs=FILE) / FILE)


def create() -> FrameDetector:
    """The plug-in."""
    return ClassifierCheck("faces", open_detector, {"face": "a face"})

"""A visible label burnt into every picture: white strokes on a dark box, in the lower left corner.

Letters are those that OpenCV draws by itself, so no font file is needed; only printable ASCII is sure to
be among them. Cap height is at least 5 % of the short side (GB 45438-2025 asks for that), and the
box is dark enough for a contrast of at least 7:1 over any picture (WCAG 2.2, 1.4.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from safegen.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from safegen.types import Frame

SHARE = 0.05
"""Least cap height as a share of the short side."""
LEAST = 9
"""Least cap height in pixels: smaller strokes run into each other."""
SHADE = 0.2
"""What is left of the picture's brightness in the box: white stays white on 51/255 at most."""
MAX_LENGTH = 80
HINT = 'use a label such as --label "AI-generated"'


@dataclass(frozen=True)
class Box:
    """Where the label goes, and how strongly each of its pixels is white (0 to 1)."""

    top: int
    left: int
    white: NDArray[np.float32]


def check_label(text: str) -> None:
    """Refuse (UsageError) what cannot be written: too long, blank, or not printable ASCII."""
    if not text.strip() or len(text) > MAX_LENGTH:
        raise UsageError(f"a label must have 1 to {MAX_LENGTH} characters", hint=HINT)
    if not (text.isascii() and text.isprintable()):
        raise UsageError("a label can only contain plain ASCII characters", hint=HINT)


def draw_labels(frames: Iterable[Frame], text: str) -> Iterator[Frame]:
    """*frames* (uint8 RGB) with *text* in each; without a *text* as they are. Frames given are not changed.

    Raises UsageError: a text that cannot be written, or one that is wider than the pictures.
    """
    for frame in frames:
        yield _drawn(frame, label_box(text, *frame.shape[:2])) if text else frame


def _drawn(frame: Frame, box: Box) -> Frame:
    import numpy as np

    height, width = box.white.shape
    made = frame.copy()
    part = made[box.top : box.top + height, box.left : box.left + width].astype(np.float32)
    white = box.white[..., None]
    made[box.top : box.top + height, box.left : box.left + width] = (
        part * SHADE * (1 - white) + 255 * white + 0.5
    ).astype(np.uint8)
    return made


@lru_cache(maxsize=8)
def label_box(text: str, height: int, width: int) -> Box:
    """The label for pictures of this size (pixels). Raises UsageError as ``labelled`` does."""
    import cv2
    import numpy as np

    check_label(text)
    font, short = cv2.FONT_HERSHEY_SIMPLEX, min(height, width)
    cap = max(LEAST, int(short * SHARE * 1.06) + 2)  # strokes come out a little smaller than asked
    thick = max(1, round(cap / 9))
    scale = cv2.getFontScaleFromHeight(font, cap, thick)
    (wide, tall), below = cv2.getTextSize(text, font, scale, thick)
    pad, margin = max(3, cap // 2), max(2, short // 40)
    rows, columns = tall + below + 2 * pad, wide + 2 * pad
    if columns + 2 * margin > width or rows + 2 * margin > height:
        raise UsageError(
            f"the label does not fit a {width}x{height} picture at a readable size",
            hint="shorten the label or make a larger clip",
        )
    canvas = np.zeros((rows, columns), np.uint8)
    cv2.putText(canvas, text, (pad, pad + tall), font, scale, 255, thick, cv2.LINE_AA)
    return Box(height - margin - rows, margin, (canvas / 255).astype(np.float32))

"""Contact sheets: strips of frames with their prompts drawn underneath, for a person to judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.tiny.scores import Verdict

Frames = NDArray[np.uint8]

_LINE = 15
_ZOOM = 1.5
_WRONG = (60, 60, 230)
_RIGHT = (70, 70, 70)


def _strip(frames: Frames, every: int) -> NDArray[np.uint8]:
    row = np.concatenate(list(frames[::every]), 1)[..., ::-1]
    return np.asarray(cv2.resize(row, None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_CUBIC), np.uint8)


def _mistakes(verdict: Verdict) -> str:
    return "; ".join(f"{a}: read {said}" for a, (_, said, ok) in verdict.items() if not ok)


def _captioned(strip: NDArray[np.uint8], prompt: str, verdict: Verdict) -> NDArray[np.uint8]:
    """A strip with the prompt under it and, in red, what the judge read otherwise."""
    wrong = _mistakes(verdict)
    foot = np.full((2 * _LINE + 4, strip.shape[1], 3), 255, np.uint8)
    for i, (text, colour) in enumerate(((prompt, _RIGHT), (wrong, _WRONG))):
        cv2.putText(
            foot, text, (4, _LINE * (i + 1) - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA
        )
    return np.concatenate([strip, foot], 0)


def sheet(path: Path, clips: Sequence[tuple[str, Frames, Verdict]], every: int = 4, columns: int = 2) -> None:
    """Write a PNG of clips (prompt, frames, verdict): every fourth frame, enlarged, captions underneath."""
    cells = [_captioned(_strip(frames, every), prompt, said) for prompt, frames, said in clips]
    if not cells:
        return
    per = -(-len(cells) // columns)
    cells += [np.full_like(cells[0], 255)] * (per * columns - len(cells))
    page = np.concatenate([np.concatenate(cells[i * per : (i + 1) * per], 0) for i in range(columns)], 1)
    cv2.imwrite(str(path), page)

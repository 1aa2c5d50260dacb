"""Clips to measure on: files of a folder, and flat stand-ins like those of a small embedded model."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.watermark.edits import Frames
from safegen.errors import UnreadableInput


def load(path: Path, count: int, skip: int = 0, short: int | None = None) -> tuple[Frames, float]:
    """Up to *count* RGB frames after *skip*, scaled down to *short* (even sides), and the frame rate.

    Raises UnreadableInput where no frame is left.
    """
    frames = []
    with av.open(str(path)) as container:
        rate = float(container.streams.video[0].average_rate or 24)
        for n, picture in enumerate(container.decode(video=0)):
            if n >= skip:
                frames.append(_scaled(picture.to_ndarray(format="rgb24"), short))
            if len(frames) == count:
                break
    if not frames:
        raise UnreadableInput(f"{path.name} has no frames after {skip}", hint="skip fewer")
    return np.stack(frames), rate


def _scaled(frame: Frames, short: int | None) -> Frames:
    height, width = frame.shape[:2]
    if short is None or min(height, width) <= short:
        return frame
    scale = short / min(height, width)
    size = (round(width * scale / 2) * 2, round(height * scale / 2) * 2)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def generated(number: int, count: int) -> tuple[Frames, float]:
    """The first *count* frames of a clip of the embedded model, and the frame rate."""
    # torch is loaded only where such clips are asked for.
    from benchmarks.embedded import PROMPTS
    from safegen.generators.registry import find_generator
    from safegen.protocols import NoProgress
    from safegen.types import Request

    request = Request(PROMPTS[number % len(PROMPTS)], seed=number)
    clip = find_generator("tiny").generate(request, progress=NoProgress()).clip
    return np.stack(list(clip)[:count]), float(clip.fps)


def ball(seed: int, size: int = 512, count: int = 72) -> Frames:
    """A coloured ball that moves over a smooth two-tone ground: (count, size, size, 3)."""
    rng = np.random.default_rng(seed)
    top, bottom = rng.integers(90, 230, 3), rng.integers(40, 200, 3)
    mix = np.linspace(0, 1, size)[:, None, None]
    ground = np.broadcast_to(top * (1 - mix) + bottom * mix, (size, size, 3)).astype(np.uint8)
    colour = tuple(int(v) for v in rng.choice([[220, 40, 40], [40, 90, 220], [240, 200, 40], [50, 170, 70]]))
    radius = int(rng.uniform(0.09, 0.2) * size)
    y, x0, x1 = rng.uniform(0.3, 0.7), rng.uniform(0.15, 0.4), rng.uniform(0.6, 0.85)
    out = np.empty((count, size, size, 3), np.uint8)
    for n in range(count):
        x = x0 + (x1 - x0) * n / max(1, count - 1)
        centre = (int(x * size * 8), int((y + 0.08 * np.sin(n / 9)) * size * 8))
        frame = np.ascontiguousarray(ground)
        if not frame.flags.writeable:
            frame = frame.copy()
        cv2.circle(frame, centre, radius * 8, colour, -1, cv2.LINE_AA, 3)
        out[n] = cv2.GaussianBlur(frame, (0, 0), 1.2)
    return out

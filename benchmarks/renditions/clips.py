"""The released clips: pieces of filmed and generated ones, and drawn scenes with one fast thing.

Every piece belongs to one of two halves. Thresholds are set on ``tuning`` pieces; figures are reported on
``report`` pieces, which are of other clips, of other passages of a film, or drawn from other seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.watermark import clips as painted
from benchmarks.watermark import content
from benchmarks.watermark.edits import Frames

SHORT = 288
"""Short side of the released clips: small, so that hundreds of renditions take minutes."""
Made = tuple[Frames, float]


@dataclass(frozen=True)
class Piece:
    """A clip to release. Pieces of one *family* show one scene; *span*: which seconds of a film."""

    name: str
    half: str
    family: str
    make: Callable[[], Made]
    span: tuple[float, float] | None = None

    def differs_from(self, other: Piece) -> bool:
        """Whether the two show nothing in common: pieces of one film must not overlap in time."""
        if self.name == other.name:
            return False
        if self.family != other.family or self.span is None or other.span is None:
            return True
        return self.span[1] <= other.span[0] or other.span[1] <= self.span[0]


def filmed(file: Path, start: float, end: float, step: int = 1, keep: tuple[float, ...] = ()) -> Made:
    """Seconds *start* to *end*, every *step*-th frame, and of the picture *keep*: x, y, width, height."""
    rate = painted.load(file, 1)[1]
    frames, _ = painted.load(file, round((end - start) * rate), round(start * rate), 2 * SHORT)
    frames = frames[::step]
    if keep:
        tall, wide = frames.shape[1:3]
        x, y, w, h = (round(v * n) for v, n in zip(keep, (wide, tall, wide, tall), strict=True))
        frames = frames[:, y : y + h, x : x + w]
    return _small(frames), rate / step


def _small(frames: Frames) -> Frames:
    scale = SHORT / min(frames.shape[1:3])
    size = (round(frames.shape[2] * scale / 2) * 2, round(frames.shape[1] * scale / 2) * 2)
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.stack([cv2.resize(f, size, interpolation=kind) for f in frames])


def street(ground: int, seed: int, fps: float, seconds: float) -> Made:
    """A camera that stands still before a textured ground (*ground*), and one thing that dashes across."""
    wide = round(SHORT * 16 / 9 / 2) * 2
    rng = np.random.default_rng(ground)
    back = np.full((SHORT, wide, 3), rng.integers(90, 170, 3), np.float32)
    for cells, depth in ((5, 45), (14, 25), (60, 10)):
        coarse = rng.normal(0, depth, (cells, cells * 2, 3)).astype(np.float32)
        back += cv2.resize(coarse, (wide, SHORT), interpolation=cv2.INTER_CUBIC)
    back = np.clip(back, 0, 255)
    rng = np.random.default_rng([ground, seed])
    thing = rng.integers(0, 256, (4, 6, 3)).astype(np.float32)
    high = int(rng.uniform(0.12, 0.3) * SHORT)
    thing = cv2.resize(thing, (int(high * 1.6), high), interpolation=cv2.INTER_NEAREST)
    y, crossing = rng.uniform(0.1, 0.6) * SHORT, rng.uniform(0.6, 1.4)
    begins, pause, back_way = rng.uniform(-0.4, 0.4), rng.uniform(0.1, 0.5), bool(rng.integers(2))
    out = np.empty((round(fps * seconds), SHORT, wide, 3), np.uint8)
    for n in range(len(out)):
        turn, at = divmod(n / fps - begins, crossing + pause)
        share = at / crossing if (int(turn) % 2 == 0) != back_way else 1 - at / crossing
        x = -thing.shape[1] + share * (wide + thing.shape[1])
        frame = back.copy()
        left, right = max(0, round(x)), min(wide, round(x) + thing.shape[1])
        if right > left:
            top = int(y)
            frame[top : top + high, left:right] = thing[:, left - round(x) : right - round(x)]
        out[n] = np.clip(frame + rng.normal(0, 2, frame.shape), 0, 255)
    return out, fps


def _painted(seed: int) -> Made:
    return _small(painted.ball(seed, size=2 * SHORT)), 24.0


def _drawn(number: int, seed: int) -> Made:
    first, second, fps = content.drawn(number)
    return _small((first, second)[seed]), fps


def _generated(number: int, seed: int) -> Made:
    first, second, fps = content.generated(number)
    return _small((first, second)[seed]), fps


_FILMED: dict[str, tuple[tuple[Any, ...], ...]] = {
    "tuning": (
        ("car_static", 0, 6), ("car_static", 6, 9.5, 1, (0, 0.2, 0.7, 0.8)),
        ("bbb_480p", 1, 5), ("bbb_480p", 5, 12.5), ("bbb_480p", 8, 12.5, 2, (0.1, 0, 0.6, 1)),
        ("cogvideo_1", 0, 6.1), ("cogvideo_1", 0, 4, 1, (0.2, 0.1, 0.6, 0.8)),
        ("portrait_camera", 0, 2), ("portrait_camera", 0, 1.4, 1, (0, 0.2, 1, 0.6)),
    ),
    "report": (
        ("car_static", 10, 15), ("car_static", 15, 23), ("car_static", 23, 30),
        ("car_static", 16, 21, 1, (0, 0.3, 0.7, 0.7)), ("car_static", 10, 14.5, 1, (0.3, 0.1, 0.7, 0.9)),
        ("bbb_480p", 13, 17), ("bbb_480p", 17, 25), ("bbb_480p", 25, 29.5, 2),
        ("bbb_480p", 21, 25, 1, (0.2, 0, 0.5, 1)),
        ("cogvideo_4", 0, 6.1), ("cogvideo_4", 0, 5, 1, (0.1, 0.1, 0.7, 0.8)),
        ("cogvideo_kitten", 0, 6.1), ("cogvideo_kitten", 1, 6.1, 1, (0, 0.15, 0.7, 0.85)),
        ("videoseal_asset_1", 0, 3.5), ("videoseal_asset_1", 3.5, 10.6),
        ("videoseal_asset_1", 4, 10, 2), ("videoseal_asset_1", 6, 10, 1, (0.2, 0.1, 0.6, 0.8)),
    ),
}  # fmt: skip
_STREETS: dict[str, tuple[tuple[Any, ...], ...]] = {
    "tuning": ((0, 0, 12.5, 4), (0, 1, 12.5, 4), (1, 0, 24, 4), (1, 1, 24, 4)),
    "report": ((10, 0, 12.5, 4), (10, 1, 12.5, 6), (11, 0, 24, 4), (11, 1, 24, 8), (12, 0, 30, 3),
               (12, 1, 25, 4)),
}  # fmt: skip
_NUMBERS = {"tuning": ((0, 1), (1, 2, 3), (0, 1)), "report": ((10, 11), (14, 15, 17), (4, 5))}
"""Seeds of balls, numbers of drawn scenes, and of prompts, of each of the last two with two seeds."""


def pieces(folder: Path) -> list[Piece]:
    """Every piece of both halves; *folder* holds the filmed clips."""
    found: list[Piece] = []
    for half in ("tuning", "report"):
        for name, start, end, *rest in _FILMED[half]:
            label = f"{name}@{start:g}" + ("c" if len(rest) > 1 else "")
            film = partial(filmed, folder / f"{name}.mp4", start, end, *rest)
            found.append(Piece(label, half, name, film, (start, end)))
        for row in _STREETS[half]:
            label = f"street_{row[0]}_{row[1]}"
            found.append(Piece(label, half, f"street_{row[0]}", partial(street, *row)))
        balls, scenes, prompts = _NUMBERS[half]
        found += [Piece(f"ball_{n}", half, "ball", partial(_painted, n)) for n in balls]
        for kind, numbers, maker in (("scene", scenes, _drawn), ("model", prompts, _generated)):
            for n, seed in ((n, seed) for n in numbers for seed in (0, 1)):
                family = f"{kind}_{n}"
                found.append(Piece(f"{family}_{seed}", half, family, partial(maker, n, seed)))
    return found
